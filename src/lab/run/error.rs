//! Why a run ends without being finished.

use crate::lab::LabError;
use crate::lab::param::ParamError;
use std::error::Error;

/// Why a run failed: an error with its sources, or a sentence.
pub type Reason = Box<dyn Error + Send + Sync>;

/// Why a run ended without being finished.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The user stopped it; what was done is kept.
    #[error("stopped")]
    Stopped,
    /// It has come as far as it was to be worked on for now, as the text says, and can go on.
    #[error("{0}")]
    Held(String),
    /// A loss or an error is not finite.
    #[error("diverged: {0}")]
    Diverged(String),
    /// The input is bad (a file, a combination of parameters).
    #[error("{0}")]
    Input(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
    /// The input is bad, as an error with its sources says.
    #[error(transparent)]
    InputError(Reason),
    /// Anything else, as an error with its sources says.
    #[error(transparent)]
    Error(Reason),
}

impl RunError {
    /// What the run was given is bad.
    pub fn input(reason: impl Into<Reason>) -> Self {
        Self::InputError(reason.into())
    }

    /// The run did not succeed.
    pub fn failed(reason: impl Into<Reason>) -> Self {
        Self::Error(reason.into())
    }

    /// Whether it is for the user to mend what the run was given.
    #[must_use]
    pub const fn is_bad_input(&self) -> bool {
        matches!(self, Self::Input(_) | Self::InputError(_))
    }
}

impl From<ParamError> for RunError {
    fn from(error: ParamError) -> Self {
        Self::input(error)
    }
}

impl From<LabError> for RunError {
    fn from(error: LabError) -> Self {
        if error.is_bad_input() { Self::input(error) } else { Self::failed(error) }
    }
}
