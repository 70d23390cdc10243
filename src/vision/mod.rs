//! Image models: data sets, the vision transformer with its attention kernels, fused CPU operations, training.

pub mod composed;
mod config;
pub mod dataset;
mod error;
mod layout;
mod parameters;

pub use config::{AttentionKernel, ConfigError, VitConfig};
pub use error::VisionError;
pub use layout::{Entry, Init, Layout};
pub use parameters::Parameters;
