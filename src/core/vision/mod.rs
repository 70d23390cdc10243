//! Image models: data sets, the vision transformer with its attention kernels, fused CPU operations, training.

mod batches;
mod checkpoint;
pub mod composed;
mod config;
pub mod dataset;
mod error;
mod evaluate;
pub mod fused;
mod inspect;
mod kernel;
mod layout;
mod model;
mod optimizer;
mod parameters;
mod precision;
mod room;
mod samples;
mod train;
mod transfer;

pub use checkpoint::Checkpoint;
pub use config::{BlockSet, ConfigError, VitConfig};
pub use error::{Misfit, VisionError};
pub use evaluate::{Evaluation, Outputs, class_of, evaluate, outputs, time_inference};
pub use inspect::{Denominators, ExactBlocks};
pub use kernel::{ATTENTIONS, Attention, AttentionKernel, FAVOR, FavorEstimator, FavorMap, TYPED, TypedMap};
pub use layout::{Init, Layout, LayoutEntry};
pub use model::{DeviceBatch, Kernels, Pass, Vit};
pub use optimizer::{AdamW, Schedule, clip_factor};
pub use parameters::Parameters;
pub use precision::Precision;
pub use room::NoMemory;
pub use samples::Samples;
pub use train::{Position, Redraw, StepReport, TrainObserver, TrainOptions, Trainer, train};
pub use transfer::Transfer;
