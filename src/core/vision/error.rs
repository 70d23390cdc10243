//! What can go wrong with models.

use super::config::ConfigError;
use super::precision::Precision;
use super::room::NoMemory;
use std::path::PathBuf;

/// An error of building, training, saving or loading a model.
#[derive(Debug, thiserror::Error)]
pub enum VisionError {
    /// The sizes of a model do not fit together.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A data set fails.
    #[error(transparent)]
    Data(#[from] super::dataset::error::DataError),
    /// A model has another shape than the one it is to take its parameters from.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// Random features cannot be made.
    #[error(transparent)]
    Features(#[from] crate::attention::AttentionError),
    /// A tensor operation failed.
    #[error("tensor operation failed: {0}")]
    Tensor(candle_core::Error),
    /// A GPU has no memory left.
    #[error("the GPU has no memory left for the model: lower batch, dim, depth or mlp_ratio")]
    DeviceMemory,
    /// What computes the model cannot do so in this precision.
    #[error("products in {precision} need {}", match .precision {
        Precision::Tf32 => "one of NVIDIA's cards",
        Precision::F32 | Precision::Bf16 => "composed operations",
    })]
    Precision {
        /// The precision.
        precision: Precision,
    },
    /// A file could not be read or written.
    #[error("{}: cannot {action}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What was tried: `read` or `write`.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not a checkpoint of this program, or of another shape than it says.
    #[error("{}: not a checkpoint: {reason}", file.display())]
    Checkpoint {
        /// The file.
        file: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A training loss is not finite.
    #[error("the training loss is {loss} at step {step}: a lower learning rate or clip=1 may help")]
    Diverged {
        /// What is not finite in a function that the user typed, where that is found.
        fault: Option<String>,
        /// The step, from 1.
        step: u64,
        /// The loss.
        loss: f32,
    },
    /// The system gives no threads.
    #[error("the system gives no threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The system gives no memory for the model.
    #[error("{0} of the model: lower dim, depth, mlp_ratio, batch or threads")]
    Memory(#[from] NoMemory),
    /// A batch does not fit the model.
    #[error("a batch does not fit the model: {0}")]
    Batch(String),
    /// A checkpoint to be continued has no optimiser state.
    #[error("the checkpoint holds a model, but not how far its training was")]
    Unfinished,
    /// There is nothing to train on or to evaluate.
    #[error("no images {0}")]
    Empty(&'static str),
}

impl From<candle_core::Error> for VisionError {
    fn from(error: candle_core::Error) -> Self {
        // Drivers say it in their own words, which candle hands on as text.
        let text = error.to_string();
        if text.contains("OUT_OF_MEMORY") || text.contains("out of memory") {
            return Self::DeviceMemory;
        }
        Self::Tensor(error)
    }
}

/// A tensor that has another shape in the model to start from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its `{tensor}` is {found}, and this model's is {expected}")]
pub struct Misfit {
    /// The tensor's name.
    pub tensor: String,
    /// Its shape in the other model, or that there is none.
    pub found: String,
    /// Its shape in this one.
    pub expected: String,
}
