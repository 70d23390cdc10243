//! One run of the store in short.

use crate::lab::LabError;
use crate::lab::event::{Row, RunState};
use crate::lab::param::{StoredParams, StoredValue};
use crate::lab::record::Owner;
use crate::lab::record::folder::{Document, MOST_SUMMARY, RECORD, RunRecord, SCHEMA, SUMMARY};
use crate::lab::record::{files, journal};
use crate::lab::run::RunView;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// What the user has added to a run, in its folder.
const MARKS: &str = "marks.json";

/// The most bytes of [`MARKS`] that are read.
const MOST_MARKS: u64 = 1 << 20;

/// How much of a journal's end is read for a run that is not over: far enough back for the last rows and messages of
/// most runs. One that has been silent for longer counts as running.
const END: u64 = 1 << 16;

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The folder's name.
    pub id: String,
    /// The problem's name; empty where the folder does not say.
    pub problem: String,
    /// The few words that tell it from other runs of the problem.
    pub label: String,
    /// A name given by the user or the preset; empty for none.
    pub title: String,
    /// How far it is.
    pub state: RunState,
    /// Why it is in that state, where that needs saying.
    pub message: String,
    /// When it was asked for (UTC, RFC 3339).
    pub started: String,
    /// Seconds of work.
    pub seconds: f64,
    /// The last value of the problem's headline column.
    pub headline: Option<f64>,
    /// Every parameter: a value, or an array where the problem takes lists.
    pub params: StoredParams,
    /// The last row of the result table.
    pub row: Row,
    /// Words the user has given it.
    pub tags: Vec<String>,
    /// What determines its result.
    pub point: String,
    /// The program's version.
    pub version: String,
    /// What is wrong with the folder.
    pub damage: Option<String>,
}

/// What the user has added to a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Marks {
    /// A name in place of the run's title.
    pub title: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
}

impl Marks {
    pub fn read(folder: &Path) -> Result<Self, LabError> {
        let path = folder.join(MARKS);
        match files::read(&path, MOST_MARKS) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|error| LabError::content(&path, Some(error.line()), error.to_string())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(LabError::io("read", path)(error)),
        }
    }

    pub fn write(&self, folder: &Path) -> Result<(), LabError> {
        let path = folder.join(MARKS);
        let text = serde_json::to_vec(self).unwrap_or_default();
        // One that was killed on the way has left its file beside.
        files::sweep_up(folder);
        files::replace(&path, &text, false).map_err(LabError::io("write", path))
    }
}

impl From<Document> for RunSummary {
    fn from(mut document: Document) -> Self {
        Self {
            id: document.id,
            problem: document.problem,
            label: document.label,
            title: document.title,
            state: document.state,
            message: document.message,
            started: document.created,
            seconds: document.seconds,
            headline: document.headline,
            params: document.params,
            row: document.rows.pop().unwrap_or_default(),
            tags: Vec::new(),
            point: document.point,
            version: document.version,
            damage: None,
        }
    }
}

/// The form of a document alone: a newer one may lack anything else.
#[derive(Deserialize)]
struct DocumentForm {
    schema: u32,
}

impl RunSummary {
    /// What it is called: the name given to it, or else the words that its parameters give it.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.title.is_empty() { &self.label } else { &self.title }
    }

    /// Reads a run's folder. Never fails: `damage` says what cannot be read.
    #[must_use]
    pub fn read(folder: &Path) -> Self {
        let mut summary = Self {
            id: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            problem: String::new(),
            label: String::new(),
            title: String::new(),
            state: RunState::Lost,
            message: String::new(),
            started: String::new(),
            seconds: 0.0,
            headline: None,
            params: StoredParams::default(),
            row: Row::new(),
            tags: Vec::new(),
            point: String::new(),
            version: String::new(),
            damage: None,
        };
        let outcome = match files::read(&folder.join(SUMMARY), MOST_SUMMARY) {
            Ok(text) => summary.take_result(folder, &text),
            Err(error) if error.kind() == ErrorKind::NotFound => summary.take_unfinished(folder),
            Err(error) => Err(LabError::io("read", folder.join(SUMMARY))(error)),
        };
        let marks = outcome.and_then(|()| Marks::read(folder)).map(|marks| {
            summary.title = marks.title.unwrap_or_else(|| std::mem::take(&mut summary.title));
            summary.tags = marks.tags;
        });
        if let Err(error) = marks {
            summary.damage = Some(error.to_string());
        }
        summary
    }

    /// From `summary.json`: the run is over.
    fn take_result(&mut self, folder: &Path, text: &[u8]) -> Result<(), LabError> {
        let path = folder.join(SUMMARY);
        let damaged = |error: serde_json::Error| LabError::content(&path, Some(error.line()), error.to_string());
        match serde_json::from_slice::<Document>(text) {
            Ok(document) if document.schema <= SCHEMA => *self = document.into(),
            outcome => {
                let DocumentForm { schema } = serde_json::from_slice(text).map_err(damaged)?;
                if schema > SCHEMA {
                    let reason = format!("written in form {schema}; this version of attnlab reads up to form {SCHEMA}");
                    return Err(LabError::content(&path, None, reason));
                }
                outcome.map_err(damaged)?;
            }
        }
        // The folder's name counts, should somebody have changed it.
        self.id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let record = folder.join(RECORD);
        fs::metadata(&record).map_err(LabError::io("read", record))?;
        if !ends_with_a_whole_line(folder)? {
            return Err(LabError::content(&folder.join(journal::NAME), None, "the last line is cut short"));
        }
        Ok(())
    }

    /// From `run.toml` and the end of the journal: the run is not over, or its end was not written down.
    fn take_unfinished(&mut self, folder: &Path) -> Result<(), LabError> {
        let record = RunRecord::read(folder)?;
        self.problem = record.problem;
        self.label = record.run.label;
        self.title = record.title;
        self.started = record.run.created;
        self.point = record.run.point;
        self.version = record.run.version;
        self.params = record.params;
        let alive = Owner::of(folder).is_some();
        let view = RunView::read_end(folder, END)?;
        // A run whose last state lies further back than that just runs.
        let state = if view.state == RunState::Queued && view.seconds > 0.0 { RunState::Running } else { view.state };
        self.seconds = view.seconds;
        self.message = view.message;
        self.row = view.rows.into_iter().next_back().unwrap_or_default();
        self.state = if alive || state.is_final() { state } else { RunState::Lost };
        Ok(())
    }

    /// The run's folder.
    #[must_use]
    pub fn folder(&self, logs: &Path) -> PathBuf {
        logs.join(&self.id)
    }

    /// What stands under `key`: a fact of the run, a parameter, or a column of its last row.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value> {
        let text = |text: &str| Some(Value::from(text));
        match key {
            "id" => text(&self.id),
            "problem" => text(&self.problem),
            "label" => text(&self.label),
            "title" => text(&self.title),
            "state" => text(self.state.name()),
            "started" => text(&self.started),
            "seconds" => Some(Value::from(self.seconds)),
            "headline" => self.headline.map(Value::from),
            "tag" => Some(Value::from(self.tags.clone())),
            "version" => text(&self.version),
            _ => self.params.get(key).map(StoredValue::to_json).or_else(|| self.row.get(key).cloned()),
        }
    }
}

/// Whether the journal has lines and the last of them is complete.
fn ends_with_a_whole_line(folder: &Path) -> Result<bool, LabError> {
    let path = folder.join(journal::NAME);
    let read = || -> io::Result<bool> {
        let mut file = files::open_to_read(&path)?;
        if file.seek(SeekFrom::End(0))? == 0 {
            return Ok(false);
        }
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        Ok(last == *b"\n")
    };
    read().map_err(LabError::io("read", &path))
}
