//! Image models: data sets, the vision transformer with its attention kernels, fused CPU operations, training.

mod config;
mod layout;

pub use config::{AttentionKernel, ConfigError, VitConfig};
pub use layout::{Entry, Init, Layout};
