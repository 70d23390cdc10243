//! A model in a safetensors file.

mod attention;
mod file;

pub use file::Checkpoint;
