//! A run is a folder: `run.toml` says what was asked, `events.jsonl` what happened, `summary.json` what came out.

use crate::lab::{LabError, Machine, Row, RunSpec, RunState, StoredParams, files};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The newest form of the files of a run that this program writes and reads.
pub const SCHEMA: u32 = 1;

/// The name of what was asked, in a run's folder.
pub(in crate::lab) const RECORD: &str = "run.toml";

/// The name of what came out.
pub(in crate::lab) const SUMMARY: &str = "summary.json";

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
    /// What determines the result, see [`RunSpec::point`].
    #[serde(default)]
    pub point: String,
    /// The few words that tell it from other runs of the problem.
    #[serde(default)]
    pub label: String,
    /// The machine.
    pub machine: Machine,
}

impl RunRecord {
    /// Reads `run.toml` in a run's folder.
    ///
    /// # Errors
    /// The file cannot be read, or is not of the form this version reads.
    pub fn read(folder: &Path) -> Result<Self, LabError> {
        let path = folder.join(RECORD);
        let text = fs::read_to_string(&path).map_err(LabError::io("read", &path))?;
        let record: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().and_then(|span| text.get(..span.start)).map(|text| text.matches('\n').count() + 1);
            LabError::content(&path, line, error.message().replace('\n', ", "))
        })?;
        if record.schema > SCHEMA {
            let reason =
                format!("written in form {}; this version of attnlab reads up to form {SCHEMA}", record.schema);
            return Err(LabError::content(&path, None, reason));
        }
        Ok(record)
    }
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
    /// The run's folder name.
    #[serde(default)]
    pub id: String,
    /// What determines the result, see [`RunSpec::point`].
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
        let text = fs::read_to_string(&path).map_err(LabError::io("read", &path))?;
        serde_json::from_str(&text).map_err(|error| LabError::content(&path, Some(error.line()), error.to_string()))
    }
}

/// Makes the folder of a new run with its `run.toml`.
pub(in crate::lab) fn create(logs: &Path, spec: &RunSpec) -> Result<(PathBuf, RunRecord), LabError> {
    let now = jiff::Timestamp::now();
    let stem = format!("{}-{}-{}", now.strftime("%Y%m%d-%H%M%S"), spec.problem.name(), slug(&spec.label()));
    let stem = stem.trim_end_matches('-');
    fs::create_dir_all(logs).map_err(LabError::io("create the directory of runs", logs))?;
    let (id, folder) = loop {
        let id = format!("{stem}-{}", suffix());
        let folder = logs.join(&id);
        match fs::create_dir(&folder) {
            Ok(()) => break (id, folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(LabError::io("create the run's folder", folder)(error)),
        }
    };
    let record = RunRecord {
        schema: SCHEMA,
        problem: spec.problem.name().to_owned(),
        title: spec.title.clone().unwrap_or_default(),
        params: spec.params.stored(&spec.problem.schema()),
        run: RunFacts {
            id,
            created: now.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: spec.command(),
            seed: spec.seed(),
            point: spec.point(),
            label: spec.label(),
            machine: Machine::here().clone(),
        },
    };
    let path = folder.join(RECORD);
    let text = toml::to_string(&record).map_err(|error| LabError::content(&path, None, error.to_string()))?;
    if let Err(error) = files::replace(&path, text.as_bytes(), false) {
        // A folder that says nothing would only be found as damaged.
        fs::remove_dir(&folder).ok();
        return Err(LabError::io("write", path)(error));
    }
    Ok((folder, record))
}

/// The document of a run.
pub(in crate::lab) fn document(spec: &RunSpec, record: &RunRecord, rows: Vec<Row>) -> Document {
    Document {
        schema: SCHEMA,
        problem: record.problem.clone(),
        params: spec.params.stored(&spec.problem.schema()),
        seed: record.run.seed,
        version: record.run.version.clone(),
        machine: record.run.machine.clone(),
        headline: rows.iter().rev().find_map(|row| row.get(spec.problem.headline())?.as_f64()),
        rows,
        id: record.run.id.clone(),
        point: record.run.point.clone(),
        label: record.run.label.clone(),
        title: record.title.clone(),
        state: RunState::Queued,
        message: String::new(),
        created: record.run.created.clone(),
        seconds: 0.0,
        command: record.run.command.clone(),
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
