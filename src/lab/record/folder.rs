//! A run is a folder: `run.toml` says what was asked, `events.jsonl` what happened, `summary.json` what came out.

use crate::lab::LabError;
use crate::lab::event::{Event, Row, RunState, Stamped};
use crate::lab::param::StoredParams;
use crate::lab::record::files;
use crate::lab::record::journal::Journal;
use crate::lab::record::lease::Lease;
use crate::lab::record::machine::Machine;
use crate::lab::record::owner::Owner;
use crate::lab::record::process;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The newest form of the files of a run that this program writes and reads.
pub const SCHEMA: u32 = 1;

/// The name of what was asked, in a run's folder.
pub(in crate::lab) const RECORD: &str = "run.toml";

/// The name of what came out.
pub(in crate::lab) const SUMMARY: &str = "summary.json";

/// How the folders of sweeps begin, which lie beside those of runs.
pub(in crate::lab) const SWEEP_PREFIX: &str = "sweep-";

/// How the name of a folder begins that is not a run yet: nothing lists it.
const UNFINISHED: &str = ".new-";

/// The most bytes of `run.toml`.
const MOST_RECORD: u64 = 1 << 22;

/// The most bytes of `summary.json`.
pub(in crate::lab) const MOST_SUMMARY: u64 = 1 << 28;

/// What was asked: `run.toml`. It is a preset as well, so `attnlab run logs/…/run.toml` does the same run again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunRecord {
    /// The form of the file.
    pub schema: u32,
    /// The problem's name.
    pub problem: String,
    /// A name given by the user or the preset; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Every parameter: a value, or an array where the problem takes lists.
    pub params: StoredParams,
    /// What does not determine the result.
    pub run: RunFacts,
}

/// Circumstances of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RunFacts {
    /// The folder's name.
    pub id: String,
    /// When it was asked for (UTC, RFC 3339).
    pub created: String,
    /// The program's version.
    pub version: String,
    /// The command line that does the same.
    pub command: String,
    /// The seed of every random draw.
    pub seed: u64,
    /// What determines the result, as [`RunSpec::point`](crate::lab::RunSpec::point) says it.
    #[serde(default)]
    pub point: String,
    /// The few words that tell it from other runs of the problem.
    #[serde(default)]
    pub label: String,
    /// The machine.
    pub machine: Machine,
}

impl RunRecord {
    /// Reads `run.toml` in a run's folder. The folder's name counts as the run's, should somebody have changed it.
    ///
    /// # Errors
    /// The file cannot be read, or is not of the form this version reads.
    pub fn read(folder: &Path) -> Result<Self, LabError> {
        let path = folder.join(RECORD);
        let text = files::read_text(&path, MOST_RECORD).map_err(LabError::io("read", &path))?;
        let mut record: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().and_then(|span| text.get(..span.start)).map(|text| text.matches('\n').count() + 1);
            LabError::content(&path, line, error.message().replace('\n', ", "))
        })?;
        if record.schema > SCHEMA {
            let reason =
                format!("written in form {}; this version of attnlab reads up to form {SCHEMA}", record.schema);
            return Err(LabError::content(&path, None, reason));
        }
        let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        match whole.file_name() {
            Some(name) => record.run.id = name.to_string_lossy().into_owned(),
            None if !is_file_name(&record.run.id) => {
                let reason = format!("run.id: found {:?}, allowed: the name of a folder", record.run.id);
                return Err(LabError::content(&path, None, reason));
            }
            None => {}
        }
        Ok(record)
    }

    /// Writes `run.toml` in a run's folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub(in crate::lab) fn write(&self, folder: &Path) -> Result<(), LabError> {
        let path = folder.join(RECORD);
        let text = toml::to_string(self).map_err(|error| LabError::content(&path, None, error.to_string()))?;
        files::replace(&path, text.as_bytes(), false).map_err(LabError::io("write", path))
    }
}

/// Whether `name` names something in a folder and nothing outside it.
fn is_file_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) && !name.contains(['/', '\0'])
}

/// What came out, for machines: `summary.json` and `--json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Document {
    /// The form of the document; a newer one only adds keys.
    pub schema: u32,
    /// The problem's name.
    pub problem: String,
    /// Every parameter: a value, or an array where the problem takes lists.
    pub params: StoredParams,
    /// The seed of every random draw.
    pub seed: u64,
    /// The program's version.
    pub version: String,
    /// The machine.
    pub machine: Machine,
    /// The rows of the result table.
    pub rows: Vec<Row>,
    /// What the run remarked; documents of older versions do not say it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The run's folder name.
    #[serde(default)]
    pub id: String,
    /// What determines the result, as [`RunSpec::point`](crate::lab::RunSpec::point) says it.
    #[serde(default)]
    pub point: String,
    /// The few words that tell it from other runs of the problem.
    #[serde(default)]
    pub label: String,
    /// A name given by the user or the preset; empty for none.
    #[serde(default)]
    pub title: String,
    /// How the run ended.
    pub state: RunState,
    /// Why, where that needs saying.
    #[serde(default)]
    pub message: String,
    /// When it was asked for (UTC, RFC 3339).
    #[serde(default)]
    pub created: String,
    /// Seconds of work.
    #[serde(default)]
    pub seconds: f64,
    /// The last value of the problem's headline column.
    #[serde(default)]
    pub headline: Option<f64>,
    /// The command line that does the same.
    #[serde(default)]
    pub command: String,
}

impl Document {
    /// The document in a run's folder.
    ///
    /// # Errors
    /// The run is not over (there is none yet), or the file is damaged: names it and the line.
    pub fn read(folder: &Path) -> Result<Self, LabError> {
        let path = folder.join(SUMMARY);
        let text = files::read(&path, MOST_SUMMARY).map_err(LabError::io("read", &path))?;
        serde_json::from_slice(&text).map_err(|error| LabError::content(&path, Some(error.line()), error.to_string()))
    }
}

/// Makes the folder of a new run of `problem` in `logs`: `record` gives what `run.toml` says for the folder's name and the
/// time. Returns the folder, its record, the lock of this process and the byte at which the journal ends. The folder appears
/// with record, lock and the first line of its journal, or not at all.
///
/// # Errors
/// It cannot be made.
pub(in crate::lab) fn create(
    logs: &Path,
    problem: &str,
    label: &str,
    record: impl Fn(String, jiff::Timestamp) -> RunRecord,
) -> Result<(PathBuf, RunRecord, Lease, u64), LabError> {
    let now = jiff::Timestamp::now();
    let stem = format!("{}-{problem}-{}", now.strftime("%Y%m%d-%H%M%S"), slug(label));
    let stem = stem.trim_end_matches('-');
    fs::create_dir_all(logs).map_err(LabError::io("create the directory of runs", logs))?;
    loop {
        let suffix = suffix();
        let id = format!("{stem}-{suffix}");
        let (hidden, folder) = (logs.join(format!("{UNFINISHED}{}-{suffix}", process::mark())), logs.join(&id));
        fs::create_dir(&hidden).map_err(LabError::io("create the run's folder", &folder))?;
        let record = record(id, now);
        let made = fill(&hidden, &record).and_then(|(mut lease, end)| match fs::rename(&hidden, &folder) {
            Ok(()) => {
                lease.move_to(&folder);
                Ok(Some((lease, end)))
            }
            // Another process has made a run of that name.
            Err(error) if is_taken(&error) => Ok(None),
            Err(error) => Err(LabError::io("create the run's folder", &folder)(error)),
        });
        match made {
            Ok(Some((lease, end))) => return Ok((folder, record, lease, end)),
            Ok(None) => drop(fs::remove_dir_all(&hidden)),
            Err(error) => {
                fs::remove_dir_all(&hidden).ok();
                return Err(error);
            }
        }
    }
}

fn is_taken(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory)
}

/// Writes the files that a run's folder begins with. Returns the lock and the byte at which the journal ends.
fn fill(folder: &Path, record: &RunRecord) -> Result<(Lease, u64), LabError> {
    record.write(folder)?;
    let lease = Lease::take(folder)?;
    let mut journal = Journal::open(folder)?;
    journal.append(&Stamped { t: 0.0, event: Event::state(RunState::Queued, "") })?;
    Ok((lease, journal.end()))
}

/// Removes folders and files in `logs` that processes left half made which are gone.
pub(in crate::lab) fn sweep_up(logs: &Path) {
    files::sweep_up(logs);
    for entry in fs::read_dir(logs).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        let Some(mark) = name.strip_prefix(UNFINISHED) else { continue };
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && files::is_abandoned(mark, &path) && Owner::perhaps_of(&path).is_none() {
            fs::remove_dir_all(path).ok();
        }
    }
}

/// Lower-case letters, digits and single dashes of `text`, short enough for a folder's name.
pub(in crate::lab) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_matches('-').chars().take(40).collect::<String>().trim_end_matches('-').to_owned()
}

/// Two or more characters that no other run of this process has.
fn suffix() -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut text = Vec::new();
    while number > 0 || text.len() < 2 {
        text.push(DIGITS[(number % 36) as usize]);
        number /= 36;
    }
    text.iter().rev().map(|digit| char::from(*digit)).collect()
}
