//! What is to be run: a problem with checked parameters, the runs that a draft stands for, presets, and the cost.

mod cost;
mod halving;
pub mod preset;
pub mod shell;
mod spec;
mod sweep;

pub use cost::estimate;
pub use halving::{Halving, HalvingCandidate, HalvingRank};
pub use preset::Preset;
pub use spec::RunSpec;
pub use sweep::{Sweep, SweepMode};
