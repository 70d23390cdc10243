//! What a run needs to go on: a small state (`checkpoint.json`) and a file of the problem's own
//! (`checkpoint.safetensors`), kept as a pair.
//!
//! The pair is replaced in four steps: new file, new state, file into place, state into place, each on the disk before
//! the next. The state names the file by its sum, so a reader knows which belong together wherever the steps were cut.

use crate::lab::LabError;
use crate::lab::record::files;
use crate::lab::record::folder::SCHEMA;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The state's name in a run's folder.
pub(in crate::lab) const STATE: &str = "checkpoint.json";
/// The file's name.
pub(in crate::lab) const FILE: &str = "checkpoint.safetensors";
const NEW_STATE: &str = "checkpoint.json.new";

/// The name of a file that is not in place yet: each process that takes the run has one of its own.
fn new_file(token: u64) -> String {
    format!("{FILE}.{token}.new")
}

/// This process's hold on a run at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::lab) struct Hold {
    /// The number that tells the hold from every other on the run.
    pub token: u64,
    /// Where the journal ends, in bytes.
    pub journal: u64,
}

/// Asked before a file of the run is written: the hold on the run, or why nothing may be written any more (another
/// process works on it).
pub(in crate::lab) type Fence = dyn Fn() -> Result<Hold, String> + Send;

/// What makes the file of a checkpoint at a path.
pub(in crate::lab) type Write<'a> = dyn FnMut(&Path) -> Result<(), String> + 'a;

/// A checkpoint's state as it is kept.
#[derive(Serialize, Deserialize)]
pub(in crate::lab) struct Saved {
    schema: u32,
    /// Seconds of work at which it was saved.
    seconds: f64,
    state: Value,
    /// MD5 of the file.
    file: Option<String>,
    /// Where the journal ended: what stands before that was told on the way to this state. Older versions did not say.
    #[serde(default)]
    journal: Option<u64>,
    /// Lines of the journal before that place that could not be read, and whose events have been told again.
    #[serde(default)]
    damaged: usize,
}

impl Saved {
    /// The state.
    pub fn state(&self) -> &Value {
        &self.state
    }

    /// Whether a file was saved with it.
    pub fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// Whether the journal lacks events told on the way to this state, when it has whole lines up to byte `end` and
    /// damaged ones at the bytes in `damaged`: working on from here would never tell them again.
    pub fn is_ahead_of(&self, end: u64, damaged: &[u64]) -> bool {
        self.journal
            .is_some_and(|told| end < told || damaged.iter().filter(|place| **place < told).count() > self.damaged)
    }
}

/// Saves a pair, unless the run is another process's by the time it would be put into place.
pub(in crate::lab) fn save(
    folder: &Path,
    fence: &Fence,
    seconds: f64,
    state: &Value,
    damaged: usize,
    write: Option<&mut Write<'_>>,
) -> Result<(), String> {
    let Hold { token, journal } = fence()?;
    let new = folder.join(new_file(token));
    let file = match write {
        Some(write) => {
            let outcome = write(&new).and_then(|()| {
                let done = File::open(&new).and_then(|file| file.sync_all()).and_then(|()| sum(&new));
                // Writing may have taken long.
                fence().and(done.map_err(|error| LabError::io("write", &new)(error).to_string()))
            });
            if outcome.is_err() {
                fs::remove_file(&new).ok();
            }
            Some(outcome?)
        }
        None => None,
    };
    let has_file = file.is_some();
    let saved = Saved { schema: SCHEMA, seconds, state: state.clone(), file, journal: Some(journal), damaged };
    let text = serde_json::to_vec(&saved).map_err(|error| error.to_string())?;
    let put = || -> io::Result<()> {
        files::replace(&folder.join(NEW_STATE), &text, true)?;
        if has_file {
            fs::rename(&new, folder.join(FILE))?;
        }
        fs::rename(folder.join(NEW_STATE), folder.join(STATE))?;
        // The names too; not every file system lets a directory be synced.
        File::open(folder).and_then(|folder| folder.sync_all()).ok();
        Ok(())
    };
    put().map_err(|error| LabError::io("write", folder.join(STATE))(error).to_string())
}

/// Removes what the process before was writing when it ended.
pub(in crate::lab) fn clear(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if (name.starts_with(FILE) && name.ends_with(".new")) || name.ends_with(".part") {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// The saved pair in `folder`, whichever step of saving was the last.
pub(in crate::lab) fn load(folder: &Path) -> Result<Option<Saved>, LabError> {
    let mut reason = None;
    for name in [STATE, NEW_STATE] {
        let path = folder.join(name);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(LabError::io("read", path)(error)),
        };
        match serde_json::from_slice::<Saved>(&text) {
            Ok(saved) if saved.schema > SCHEMA => {
                return Err(LabError::content(&path, None, format!("written in newer form {}", saved.schema)));
            }
            Ok(saved) => {
                let there = sum(&folder.join(FILE)).ok();
                if saved.file.is_none() || saved.file == there {
                    return Ok(Some(saved));
                }
                if name == NEW_STATE && reason.is_none() && there.is_none() {
                    // The very first pair was cut before its file was in place.
                    return Ok(None);
                }
                reason.get_or_insert_with(|| {
                    LabError::content(&path, None, format!("{FILE} is not the file saved with it"))
                });
            }
            Err(error) => {
                reason.get_or_insert_with(|| LabError::content(&path, None, error.to_string()));
            }
        }
    }
    reason.map_or(Ok(None), Err)
}

fn sum(path: &Path) -> io::Result<String> {
    let mut hash = Md5::new();
    let mut file = File::open(path)?;
    let mut block = vec![0_u8; 1 << 16];
    loop {
        match io::Read::read(&mut file, &mut block)? {
            0 => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            count => hash.update(&block[..count]),
        }
    }
}
