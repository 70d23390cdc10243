//! The index of the store: what was read from each folder, so that only changed ones are read again.

use super::RunSummary;
use crate::lab::files;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The index's name in the directory of runs.
const NAME: &str = ".index.jsonl";

/// The form of the index; any other is not read.
const FORM: &str = "{\"attnlab index\":1}";

/// A folder's time is only as fine as its file system's clock: what was read sooner after the last change may have
/// changed again unseen.
const DOUBT: Duration = Duration::from_secs(2);

/// What was read from a folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// When the folder had changed last, in nanoseconds since 1970.
    changed: u64,
    /// Whether it had been at rest when it was read.
    settled: bool,
    pub run: RunSummary,
}

impl Entry {
    /// Reads a folder whose time is `changed`.
    pub fn read(folder: &Path, changed: u64) -> Self {
        let read_at = nanoseconds(SystemTime::now());
        let run = RunSummary::read(folder);
        let still = read_at.saturating_sub(changed) > DOUBT.as_nanos() as u64;
        // A damaged folder may be repaired, and a run that goes on appends, both without a change of the folder.
        let settled = still && run.state.is_final() && run.damage.is_none();
        Self { changed, settled, run }
    }

    /// Whether what was read will hold until the folder changes.
    pub const fn is_settled(&self) -> bool {
        self.settled
    }

    /// Whether the folder, whose time is `changed` now, still says the same.
    pub const fn holds(&self, changed: u64) -> bool {
        self.settled && self.changed == changed
    }
}

/// When a folder changed last.
pub(super) fn changed(metadata: &Metadata) -> u64 {
    metadata.modified().map_or(0, nanoseconds)
}

fn nanoseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// Reads the index; what is missing or damaged is left out and read from the folders again.
pub(super) fn load(logs: &Path) -> HashMap<String, Entry> {
    let text = fs::read_to_string(logs.join(NAME)).unwrap_or_default();
    let mut lines = text.lines();
    if lines.next() != Some(FORM) {
        return HashMap::new();
    }
    let entries = lines.filter_map(|line| serde_json::from_str::<Entry>(line).ok());
    entries.map(|entry| (entry.run.id.clone(), entry)).collect()
}

/// Writes the index. Where that is not possible the next list takes longer, and nothing else.
pub(super) fn save<'a>(logs: &Path, entries: impl Iterator<Item = &'a Entry>) {
    let mut text = FORM.as_bytes().to_vec();
    for entry in entries.filter(|entry| entry.settled) {
        text.push(b'\n');
        if serde_json::to_writer(&mut text, entry).is_err() {
            return;
        }
    }
    files::replace(&logs.join(NAME), &text, false).ok();
}
