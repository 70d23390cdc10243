//! What is to be run: a problem with checked parameters, the runs that a draft stands for, presets, and the cost.

mod cost;
pub mod preset;
mod spec;
pub mod sweep;

pub use cost::estimate;
pub use preset::Preset;
pub use spec::RunSpec;
