//! What goes wrong with a file of numbers.

use crate::memory::OutOfMemory;

/// Why an array cannot be had; its text is one line without the name of the file.
#[derive(Debug, thiserror::Error)]
pub enum ArrayError {
    /// What was asked for is not there or not as it has to be: the text, the file, its head or its numbers.
    #[error("{0}")]
    Refused(String),
    /// The operating system does not give the file or its bytes.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// The numbers do not fit into memory.
    #[error(transparent)]
    Memory(#[from] OutOfMemory),
}

impl ArrayError {
    /// An [`ArrayError::Refused`] with this reason.
    pub(super) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused(reason.into())
    }
}
