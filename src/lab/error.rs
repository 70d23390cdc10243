//! What can go wrong with runs and their files.

use super::ParamError;
use std::path::{Path, PathBuf};

/// An error about a run, its folder or a preset. Its text is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A file or directory cannot be read or written.
    #[error("{}: cannot {what}: {source}", path.display())]
    Io {
        /// What was tried, as a verb: `write`, `create`.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The reason the system gave.
        source: std::io::Error,
    },
    /// A parameter is not allowed.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// A file does not say what it should.
    #[error("{}{}: {reason}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1, where it is known.
        line: Option<usize>,
        /// What was found and what is allowed.
        reason: String,
    },
    /// A request that makes no sense in the present state.
    #[error("{0}")]
    Refused(String),
}

impl LabError {
    /// Wraps an input/output error with what was tried on which path.
    pub fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }

    /// An error about a file's content, with the line where it is known.
    #[must_use]
    pub fn content(path: &Path, line: Option<usize>, reason: impl Into<String>) -> Self {
        Self::Content { path: path.to_owned(), line, reason: reason.into() }
    }
}
