//! What can be wrong with data: one line each, with the file and what is allowed.

use crate::vision::room::NoMemory;
use std::io;
use std::path::{Path, PathBuf};

/// Why a data set could not be had.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// No data set has that name.
    #[error("no data set is called `{found}`; there are: {known}")]
    Name {
        /// The name asked for.
        found: String,
        /// The names there are.
        known: String,
    },
    /// Files are not where they are looked for.
    #[error("{name}: no {expected} in {searched}; {advice}")]
    Missing {
        /// The data set.
        name: &'static str,
        /// The file names expected.
        expected: String,
        /// The folders searched.
        searched: String,
        /// What to do.
        advice: String,
    },
    /// A file is there, but not what it should be.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong and what is expected.
        problem: String,
    },
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The reason given.
        source: io::Error,
    },
    /// No home of a file gave it.
    #[error("{name}: cannot fetch {file} ({reasons}); {advice}")]
    Fetch {
        /// The data set.
        name: &'static str,
        /// The file.
        file: &'static str,
        /// Why, home by home.
        reasons: String,
        /// What to do by hand.
        advice: String,
    },
    /// The system gives no memory for the data.
    #[error("{0} of images: lower train_images, test_images or image_size")]
    Memory(#[from] NoMemory),
    /// An option does not fit the data.
    #[error("{0}")]
    Option(String),
    /// The caller wanted an end.
    #[error("loading was stopped")]
    Stopped,
}

impl DataError {
    /// A file that is not what it should be.
    pub fn malformed(path: &Path, problem: impl Into<String>) -> Self {
        Self::Malformed { path: path.to_owned(), problem: problem.into() }
    }

    /// For `map_err`: the operating system refused to `action` (a verb: `read`, `write`) `path`.
    pub fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, action, source }
    }
}
