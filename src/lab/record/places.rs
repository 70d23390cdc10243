//! Where things lie: run folders, data sets, presets.

use crate::lab::{LabError, files};
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
    /// Makes the logs directory and proves that files can be written there, before any work starts.
    ///
    /// # Errors
    /// Names the directory and the reason.
    pub fn prepare(&self) -> Result<(), LabError> {
        fs::create_dir_all(&self.logs).map_err(LabError::io("create the directory of runs", &self.logs))?;
        let probe = self.logs.join(format!(".writable-{}", std::process::id()));
        files::replace(&probe, b"attnlab\n", false).map_err(LabError::io("write runs into", &self.logs))?;
        fs::remove_file(&probe).map_err(LabError::io("remove a file in", &self.logs))
    }
}
