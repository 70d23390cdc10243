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
use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// The state's name in a run's folder.
pub(in crate::lab) const STATE: &str = "checkpoint.json";
/// The file's name.
pub(in crate::lab) const FILE: &str = "checkpoint.safetensors";
const NEW_STATE: &str = "checkpoint.json.new";
/// The end of the names of files that older versions had not put into place yet.
const NEW: &str = ".new";

/// The most bytes of a state.
const MOST: u64 = 1 << 26;

/// Asked before a file of the run is written: where its journal ends now, or why nothing may be written any more
/// (another process works on the run, or its folder is gone).
pub(in crate::lab) type Fence = dyn Fn() -> Result<u64, LabError> + Send;

/// Makes the file of a checkpoint at a path.
pub(in crate::lab) type Write<'a> = dyn FnMut(&Path) -> Result<(), Box<dyn Error + Send + Sync>> + 'a;

/// What is kept in a checkpoint's state.
#[derive(Serialize, Deserialize)]
pub(in crate::lab) struct Saved {
    schema: u32,
    /// Seconds of work at which it was saved.
    seconds: f64,
    state: Value,
    /// MD5 of the file.
    file: Option<String>,
    /// What determines the run's result: a checkpoint of another run is not gone on from. Older versions did not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    point: String,
    /// Where the journal ended: what stands before that was emitted on the way to this state. Older versions did not say.
    #[serde(default)]
    journal: Option<u64>,
    /// Lines of the journal before that place that could not be read, and whose events have been emitted again.
    #[serde(default)]
    damaged: usize,
}

impl Saved {
    /// A state to be saved now.
    pub fn new(seconds: f64, state: Value, point: &str, damaged: usize) -> Self {
        Self { schema: SCHEMA, seconds, state, file: None, point: point.to_owned(), journal: None, damaged }
    }

    /// The state.
    pub const fn state(&self) -> &Value {
        &self.state
    }

    /// What determines the result of the run that saved it; empty where that is not known.
    pub fn point(&self) -> &str {
        &self.point
    }

    /// Whether a file was saved with it.
    pub const fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// Whether the journal lacks events emitted on the way to this state, when it has whole lines up to byte `end` and
    /// damaged ones at the bytes in `damaged`: working on from here would never emit them again.
    pub fn is_ahead_of(&self, end: u64, damaged: &[u64]) -> bool {
        self.journal
            .is_some_and(|told| end < told || damaged.iter().filter(|place| **place < told).count() > self.damaged)
    }
}

/// Saves a pair, unless the run is another process's by the time it would be put into place.
///
/// # Errors
/// It cannot be written, or may not be.
pub(in crate::lab) fn save(
    folder: &Path,
    fence: &Fence,
    saved: &mut Saved,
    write: &mut Write<'_>,
) -> Result<(), LabError> {
    saved.journal = Some(fence()?);
    let new = files::beside(&folder.join(FILE));
    let written = write_file(&new, write).and_then(|sum| {
        // Writing may have taken long.
        fence()?;
        Ok(sum)
    });
    if written.is_err() {
        fs::remove_file(&new).ok();
    }
    saved.file = Some(written?);
    let put = || -> io::Result<()> {
        files::replace(&folder.join(NEW_STATE), &serde_json::to_vec(saved)?, true)?;
        fs::rename(&new, folder.join(FILE))?;
        fs::rename(folder.join(NEW_STATE), folder.join(STATE))?;
        files::sync_folder(folder);
        Ok(())
    };
    put().map_err(LabError::io("write", folder.join(STATE)))
}

/// Has the problem's file written and put on the disk, and returns its MD5.
fn write_file(path: &Path, write: &mut Write<'_>) -> Result<String, LabError> {
    write(path).map_err(|error| LabError::Problem { path: path.to_owned(), source: error })?;
    let done = files::open_to_read(path).and_then(|file| file.sync_all()).and_then(|()| sum(path));
    done.map_err(LabError::io("write", path))
}

/// Removes what the process before was writing when it ended.
pub(in crate::lab) fn clear(folder: &Path) {
    remove(folder, |name| (name.starts_with(FILE) && name.ends_with(NEW)) || name.ends_with(files::PART));
}

/// Removes every checkpoint, so that the run works from its beginning.
pub(in crate::lab) fn discard(folder: &Path) {
    remove(folder, |name| name == NEW_STATE || name == STATE || name.starts_with(FILE));
}

fn remove(folder: &Path, is_one: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_one(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// The saved pair in `folder`, whichever step of saving was the last.
///
/// # Errors
/// There is one that cannot be used: its files are damaged or do not belong together, or a newer version wrote it.
pub(in crate::lab) fn load(folder: &Path) -> Result<Option<Saved>, LabError> {
    let mut reason = None;
    for name in [STATE, NEW_STATE] {
        let path = folder.join(name);
        let text = match files::read(&path, MOST) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
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
    let mut file = files::open_to_read(path)?;
    let mut block = vec![0_u8; 1 << 16];
    loop {
        match io::Read::read(&mut file, &mut block)? {
            0 => return Ok(hex::encode(hash.finalize())),
            count => hash.update(&block[..count]),
        }
    }
}
