//! What can go wrong with runs and their files.

use crate::lab::param::ParamError;
use std::error::Error;
use std::io::ErrorKind;
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
    /// A checkpoint that a run cannot go on from.
    #[error("{source}; `attnlab resume --restart {id}` begins the run again and keeps what it has told")]
    Checkpoint {
        /// The run.
        id: String,
        /// What is wrong with the checkpoint.
        source: Box<LabError>,
    },
    /// A living process works on the run.
    #[error("{id}: process {pid} on {host} works on this run")]
    Busy {
        /// The run.
        id: String,
        /// The process.
        pid: u32,
        /// Its machine.
        host: String,
    },
    /// The run has nothing left to do.
    #[error("{id}: is finished, nothing is left to do")]
    Finished {
        /// The run.
        id: String,
    },
    /// This process may not write the run's files any more.
    #[error("{0}")]
    Lost(&'static str),
    /// A problem cannot write a file of its own.
    #[error("{}: cannot write: {source}", path.display())]
    Problem {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The system refuses something that is no file.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried, as a verb.
        what: &'static str,
        /// The reason the system gave.
        source: std::io::Error,
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

    /// Whether it is for the user to mend what was asked for: a name, a value, a file's content; not a full disk, a
    /// missing permission or anything else that the system refuses.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Io { source, .. } => names_the_wrong_thing(source.kind()),
            Self::Param(_) | Self::Content { .. } | Self::Checkpoint { .. } => true,
            Self::Busy { .. } | Self::Finished { .. } | Self::Refused(_) => true,
            Self::Lost(_) | Self::Problem { .. } | Self::System { .. } => false,
        }
    }

    /// Whether it will be the same at the next try, unlike a disk that is full now.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Io { source, .. } | Self::System { source, .. } => names_the_wrong_thing(source.kind()),
            Self::Problem { .. } => false,
            _ => true,
        }
    }
}

/// Whether an error says that something else lies at a path than is needed there.
const fn names_the_wrong_thing(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::AlreadyExists
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidData
            | ErrorKind::InvalidFilename
    )
}
