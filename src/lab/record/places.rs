//! Where things lie: run folders, data sets, presets.

use crate::lab::LabError;
use crate::lab::record::{files, folder};
use std::fs;
use std::path::PathBuf;

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

impl Places {
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
