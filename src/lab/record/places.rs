//! Where things lie: run folders, data sets, presets.

use crate::lab::LabError;
use crate::lab::record::{files, folder};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The directories of one session, resolved by the faces from flags, environment and defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// One folder a run.
    pub logs: PathBuf,
    /// Data sets.
    pub data: PathBuf,
    /// The user's presets, beside the shipped ones.
    pub presets: PathBuf,
}

impl Default for Places {
    fn default() -> Self {
        Self { logs: "logs".into(), data: "data".into(), presets: "presets".into() }
    }
}

/// The directory of runs of this process.
static LOGS: OnceLock<PathBuf> = OnceLock::new();

/// The directory of runs that [`Places::announce`] named; none in a program that has not called it. Checks and estimates find
/// runs by their ids there.
#[must_use]
pub fn logs_of_process() -> Option<&'static Path> {
    LOGS.get().map(PathBuf::as_path)
}

impl Places {
    /// Makes `logs` the directory in which parameters that name runs are looked up by this process. The first call counts.
    pub fn announce(&self) {
        let _ = LOGS.set(self.logs.clone());
    }

    /// Makes the logs directory, removes what dead processes left half made there, and proves that files can be written,
    /// before any work starts.
    ///
    /// # Errors
    /// Names the directory and the reason.
    pub fn prepare(&self) -> Result<(), LabError> {
        fs::create_dir_all(&self.logs).map_err(LabError::io("create the directory of runs", &self.logs))?;
        folder::sweep_up(&self.logs);
        files::probe(&self.logs).map_err(LabError::io("write runs into", &self.logs))
    }
}
