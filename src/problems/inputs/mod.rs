//! Queries, keys and values of every problem on estimators: one vocabulary of inputs.
//!
//! Drawn from a distribution, read from files, or taken from a trained vision transformer. Files and checkpoints have
//! layers and heads, and shapes of their own.

mod checkpoint;
mod files;
pub mod params;
mod plan;
mod source;

pub use checkpoint::{check_dataset, checkpoint_file};
pub use files::heads_layout;
pub use plan::{HeadPlace, InputSource, check_inputs, places};
pub use source::{HeadInputs, InputReader};
