//! Image models: data sets, the vision transformer with its attention kernels, fused CPU operations, training.

mod checkpoint;
pub mod composed;
mod config;
pub mod dataset;
mod error;
mod evaluate;
pub mod fused;
mod layout;
mod model;
mod optimizer;
mod parameters;
mod train;

pub use checkpoint::Checkpoint;
pub use config::{AttentionKernel, ConfigError, VitConfig};
pub use error::VisionError;
pub use evaluate::{Evaluation, evaluate, time_inference};
pub use layout::{Entry, Init, Layout};
pub use model::{Kernels, Vit};
pub use optimizer::{AdamW, Schedule, clip_factor};
pub use parameters::Parameters;
pub use train::{Position, Samples, StepReport, TrainObserver, TrainOptions, Trainer, train};
