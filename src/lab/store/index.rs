//! The index of the store: what was read from each folder, so that only changed ones are read again.

use crate::lab::event::RunState;
use crate::lab::record::{Owner, files};
use crate::lab::store::summary::RunSummary;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::Metadata;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The index's name in the directory of runs.
const NAME: &str = ".index.jsonl";

/// The most bytes of the index that are read.
const MOST: u64 = 1 << 30;

/// The first line: the form of the index, any other of which is not read, and the sum of what follows, so that nothing
/// is believed that is not what was written.
fn heading(body: &[u8]) -> String {
    format!("{{\"attnlab index\":2,\"md5\":\"{}\"}}\n", hex::encode(Md5::digest(body)))
}

/// A folder's time is only as fine as its file system's clock: what was read sooner after the last change may have
/// changed again unseen.
const DOUBT: Duration = Duration::from_secs(2);

/// What was read from a folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct IndexEntry {
    /// When the folder had changed last, in nanoseconds since 1970.
    changed: u64,
    /// Whether it had been at rest when it was read.
    settled: bool,
    #[serde(with = "shared")]
    pub run: Arc<RunSummary>,
}

/// A summary that several own, kept as the summary itself.
mod shared {
    use super::{Arc, RunSummary};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(run: &Arc<RunSummary>, serializer: S) -> Result<S::Ok, S::Error> {
        run.as_ref().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<RunSummary>, D::Error> {
        RunSummary::deserialize(deserializer).map(Arc::new)
    }
}

impl IndexEntry {
    /// Reads a folder whose time is `changed`.
    pub fn read(folder: &Path, changed: u64) -> Self {
        let read_at = nanoseconds(SystemTime::now());
        let run = Arc::new(RunSummary::read(folder));
        if run.state.is_final() {
            // No process works on the run: what lies there half written is what a killed `tag` has left.
            files::sweep_up(folder);
        }
        let still = read_at.saturating_sub(changed) > DOUBT.as_nanos() as u64;
        // A damaged folder may be repaired, and a run that goes on appends, both without a change of the folder.
        // A run is lost for good once its process certainly is.
        let settled = still
            && run.state.is_final()
            && run.damage.is_none()
            && (run.state != RunState::Lost || Owner::perhaps_of(folder).is_none());
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

/// Reads the index. Where it is missing or damaged, everything is read from the folders again.
pub(super) fn load(logs: &Path) -> HashMap<String, IndexEntry> {
    let bytes = files::read(&logs.join(NAME), MOST).unwrap_or_default();
    let body = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |feed| feed + 1);
    let (first, body) = bytes.split_at(body);
    if first != heading(body).as_bytes() {
        return HashMap::new();
    }
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let entries = lines.filter_map(|line| serde_json::from_slice::<IndexEntry>(line).ok());
    entries.map(|entry| (entry.run.id.clone(), entry)).collect()
}

/// Writes the index. Where that is not possible the next list takes longer, and nothing else.
pub(super) fn save<'a>(logs: &Path, entries: impl Iterator<Item = &'a IndexEntry>) {
    let mut body = Vec::new();
    for entry in entries.filter(|entry| entry.settled) {
        if serde_json::to_writer(&mut body, entry).is_err() {
            return;
        }
        body.push(b'\n');
    }
    let mut text = heading(&body).into_bytes();
    text.append(&mut body);
    files::replace(&logs.join(NAME), &text, false).ok();
}
