//! What a run needs to go on: a small state (`checkpoint.json`) and a file of the problem's own
//! (`checkpoint.safetensors`), kept as a pair.
//!
//! The pair is replaced in four steps: new file, new state, file into place, state into place, each on the disk before
//! the next. The state names the file by its sum, so a reader knows which belong together wherever the steps were cut.

use crate::lab::{Event, LabError, Row, RunState, files, journal};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
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

/// Tells why nothing may be written any more: the run is another process's.
pub(in crate::lab) type Fence = dyn Fn() -> Result<u64, String> + Send;

/// What makes the file of a checkpoint at a path.
pub(in crate::lab) type Write<'a> = dyn FnMut(&Path) -> Result<(), String> + 'a;

#[derive(Serialize, Deserialize)]
struct Saved {
    schema: u32,
    /// Seconds of work at which it was saved: later events are told again after going on.
    seconds: f64,
    state: Value,
    /// MD5 of the file.
    file: Option<String>,
    /// What had been told beyond this place by then, when a run that goes on saves before it has come as far as it was.
    #[serde(default)]
    ahead: Ahead,
}

/// What is in the journal already and is told again on the way.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(in crate::lab) struct Ahead {
    /// The last rows.
    rows: usize,
    /// How often each point: series, bits of the horizontal position, times.
    points: Vec<(String, u64, usize)>,
}

/// Saves a pair, unless the run is another process's by the time it would be put into place.
pub(in crate::lab) fn save(
    folder: &Path,
    fence: &Fence,
    seconds: f64,
    state: &Value,
    ahead: &Ahead,
    write: Option<&mut Write<'_>>,
) -> Result<(), String> {
    let new = folder.join(new_file(fence()?));
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
    let saved = Saved { schema: crate::lab::SCHEMA, seconds, state: state.clone(), file, ahead: ahead.clone() };
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
fn load(folder: &Path) -> Result<Option<Saved>, LabError> {
    let mut reason = None;
    for name in [STATE, NEW_STATE] {
        let path = folder.join(name);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(LabError::io("read", path)(error)),
        };
        match serde_json::from_slice::<Saved>(&text) {
            Ok(saved) if saved.schema > crate::lab::SCHEMA => {
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

/// What a run that is continued has behind it.
pub(in crate::lab) struct Resumed {
    pub state: Option<Value>,
    pub has_file: bool,
    pub seconds: f64,
    pub last: RunState,
    rows: Vec<Row>,
    /// How many rows were told before the checkpoint.
    before: usize,
    /// How many of the last rows were told after the checkpoint and come again.
    rows_again: usize,
    /// How often each point was told after the checkpoint: by series and horizontal position.
    points_again: HashMap<(String, u64), usize>,
    /// Everything else that was told.
    told: Vec<Event>,
}

impl Resumed {
    /// Reads the checkpoint and the journal in `folder`.
    pub fn read(folder: &Path) -> Result<Self, LabError> {
        let saved = load(folder)?;
        // Without a checkpoint everything is told again but the rows, whose points are skipped.
        let since = saved.as_ref().map_or(f64::NEG_INFINITY, |saved| saved.seconds);
        let ahead = saved.as_ref().map(|saved| saved.ahead.clone()).unwrap_or_default();
        let mut resumed = Self {
            has_file: saved.as_ref().is_some_and(|saved| saved.file.is_some()),
            state: saved.map(|saved| saved.state),
            seconds: 0.0,
            last: RunState::Queued,
            rows: Vec::new(),
            before: 0,
            rows_again: ahead.rows,
            points_again: ahead.points.into_iter().map(|(series, x, times)| ((series, x), times)).collect(),
            told: Vec::new(),
        };
        for stamped in journal::Tail::new(folder).events()? {
            resumed.seconds = resumed.seconds.max(stamped.t);
            let again = stamped.t > since;
            match stamped.event {
                Event::State { state, .. } => resumed.last = state,
                Event::Row { row } => {
                    resumed.rows.push(row);
                    resumed.rows_again += usize::from(again && resumed.state.is_some());
                }
                Event::Point(point) if again => {
                    *resumed.points_again.entry((point.series, point.x.to_bits())).or_default() += 1;
                }
                event @ (Event::Plot(_)
                | Event::Series(_)
                | Event::Curve(_)
                | Event::Matrix(_)
                | Event::Note { .. }) => {
                    resumed.told.push(event);
                }
                _ => {}
            }
        }
        resumed.before = resumed.rows.len().saturating_sub(resumed.rows_again);
        Ok(resumed)
    }

    /// What is still told again from here on.
    pub fn ahead(&self) -> Ahead {
        let points = self.points_again.iter().map(|((series, x), times)| (series.clone(), *x, *times));
        Ahead { rows: self.rows_again, points: points.collect() }
    }

    /// Every row told.
    pub fn all_rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows told before the checkpoint; all of them where there is none.
    pub fn finished_rows(&self) -> &[Row] {
        &self.rows[..self.before]
    }

    /// Whether `event` was told before the end; each telling counts once.
    pub fn is_replayed(&mut self, event: &Event) -> bool {
        match event {
            Event::Row { .. } if self.rows_again > 0 => {
                self.rows_again -= 1;
                true
            }
            Event::Point(point) if !self.points_again.is_empty() => {
                let key = (point.series.clone(), point.x.to_bits());
                let Some(count) = self.points_again.get_mut(&key) else { return false };
                *count -= 1;
                if *count == 0 {
                    self.points_again.remove(&key);
                }
                true
            }
            Event::Plot(_) | Event::Series(_) | Event::Note { .. } => self.told.contains(event),
            Event::Matrix(new) => {
                self.newest(|told| matches!(told, Event::Matrix(old) if old.id == new.id)) == Some(event)
            }
            Event::Curve(new) => {
                self.newest(|told| matches!(told, Event::Curve(old) if old.series == new.series)) == Some(event)
            }
            _ => false,
        }
    }

    /// The last event told of one name: only that is in force.
    fn newest(&self, is_of_the_name: impl Fn(&Event) -> bool) -> Option<&Event> {
        self.told.iter().rev().find(|told| is_of_the_name(told))
    }
}
