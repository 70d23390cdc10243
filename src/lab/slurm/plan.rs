//! The plan of a sweep on a cluster: `sweep.toml` in its folder.

use super::job::Job;
use super::options::{SlurmOptions, fits_header};
use crate::lab::record::folder::{SWEEP_PREFIX, slug};
use crate::lab::{HoldPlace, LabError, ParamError, Places, RunSpec, Sweep, files};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The form of `sweep.toml` that this version writes and reads.
const SCHEMA: u32 = 1;
/// The file's name.
pub(super) const PLAN: &str = "sweep.toml";
/// The most bytes of the file that are read.
const LARGEST: u64 = 1 << 20;

/// Seconds that an element should work at least: starting one costs the scheduler up to a second.
const WORTHWHILE: f64 = 60.0;
/// Elements that are kept busy side by side where no limit is given.
const SLOTS: usize = 64;

/// What an array trains of a sweep that halves: the runs that are left, to a share of their budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArrayShare {
    /// The name of the halving's folder among the runs.
    pub halving: String,
    /// The share, up to 1.
    pub share: f64,
    /// The series whose points show how far a run is.
    pub series: String,
    /// Where runs are held on its horizontal axis; none where the share is all of the budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<f64>,
}

impl ArrayShare {
    /// Where runs are held; none where they go on to their end.
    #[must_use]
    pub fn hold_place(&self) -> Option<HoldPlace<'_>> {
        self.hold.map(|x| HoldPlace { series: &self.series, x })
    }
}

/// The plan of a sweep, `sweep.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArrayPlan {
    /// The form of the file.
    pub schema: u32,
    /// The problem's name.
    pub problem: String,
    /// The sweep's name.
    pub title: String,
    /// When it was planned (UTC, RFC 3339).
    pub created: String,
    /// The program's version.
    pub version: String,
    /// Where run folders go, on every node.
    pub logs: PathBuf,
    /// Where data sets lie, on every node.
    pub data: PathBuf,
    /// Number of points.
    pub points: usize,
    /// Points an element works on.
    pub element_points: usize,
    /// What it trains of a sweep that halves; none in any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<ArrayShare>,
    /// What the batch system is asked for.
    pub slurm: SlurmOptions,
    /// The jobs submitted, the newest last.
    #[serde(default)]
    pub jobs: Vec<Job>,
}

impl ArrayPlan {
    pub(super) fn new(
        places: &Places,
        specs: &[RunSpec],
        title: &str,
        options: SlurmOptions,
        array_limit: usize,
    ) -> Result<Self, LabError> {
        let Some(first) = specs.first() else {
            return Err(LabError::Refused("the sweep has no point that is not finished".to_owned()));
        };
        let logs = absolute(&places.logs)?;
        if !logs.to_str().is_some_and(fits_header) {
            let allowed = "a path in UTF-8 without control characters, which a batch script can hold";
            return Err(ParamError::new("--logs", logs.to_string_lossy().escape_debug().to_string(), allowed).into());
        }
        Ok(Self {
            schema: SCHEMA,
            problem: first.problem.name().to_owned(),
            title: title.to_owned(),
            created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            logs,
            data: absolute(&places.data)?,
            points: specs.len(),
            element_points: pack(specs, options.max_parallel(), array_limit),
            share: None,
            slurm: options,
            jobs: Vec::new(),
        })
    }

    /// Where its runs are held; none where they go on to their end.
    #[must_use]
    pub fn hold(&self) -> Option<HoldPlace<'_>> {
        self.share.as_ref().and_then(ArrayShare::hold_place)
    }

    /// Where its folder belongs.
    pub(super) fn folder(&self) -> PathBuf {
        let time: String = self.created.chars().filter(char::is_ascii_digit).collect();
        let (day, time) = time.split_at(8);
        let name = format!("{SWEEP_PREFIX}{day}-{time}-{}", slug(&self.title));
        self.logs.join(name.trim_end_matches('-'))
    }

    /// Reads `sweep.toml` in a sweep's folder. It may come from anywhere, so its numbers are checked before anything is
    /// counted or allocated by them.
    ///
    /// # Errors
    /// The file cannot be read, is of a newer form, or a number in it is not possible.
    pub fn read(folder: &Path) -> Result<Self, LabError> {
        let path = folder.join(PLAN);
        let text = files::read_text(&path, LARGEST).map_err(LabError::io("read", &path))?;
        // The form first, because a newer one may lack anything else.
        let table: toml::Table = toml::from_str(&text).map_err(|error| refuse(&path, &text, &error))?;
        if let Some(newer) = table.get("schema").and_then(toml::Value::as_integer).filter(|form| *form > SCHEMA.into())
        {
            let reason = format!("written in form {newer}; this version of attnlab reads up to form {SCHEMA}");
            return Err(LabError::content(&path, None, reason));
        }
        let plan: Self = toml::from_str(&text).map_err(|error| refuse(&path, &text, &error))?;
        for (key, number) in [("points", plan.points), ("element_points", plan.element_points)] {
            if !(1..=Sweep::MOST).contains(&number) {
                let allowed = format!("a whole number from 1 to {}", Sweep::MOST);
                let reason = ParamError::new(key, number.to_string(), allowed).to_string();
                return Err(LabError::content(&path, line_of(&text, key), reason));
            }
        }
        Ok(plan)
    }

    /// Writes `sweep.toml` into a sweep's folder.
    pub(super) fn write(&self, folder: &Path) -> Result<(), LabError> {
        let path = folder.join(PLAN);
        let text = toml::to_string(self).map_err(|error| LabError::content(&path, None, error.to_string()))?;
        files::replace(&path, text.as_bytes(), true).map_err(LabError::io("write", path))
    }

    /// Number of elements.
    #[must_use]
    pub const fn elements(&self) -> usize {
        self.points.div_ceil(self.element_points)
    }
}

/// The points an element works on: enough to be worth its start, few enough to keep every slot busy, and never more
/// elements than an array may have.
fn pack(specs: &[RunSpec], max_parallel: Option<usize>, array_limit: usize) -> usize {
    let seconds: Vec<f64> = specs.iter().filter_map(|spec| spec.estimate().seconds).collect();
    let mean = seconds.iter().sum::<f64>() / seconds.len().max(1) as f64;
    let worthwhile = if mean > 0.0 { (WORTHWHILE / mean).ceil() as usize } else { 1 };
    let fair = specs.len().div_ceil(max_parallel.unwrap_or(SLOTS));
    let least = specs.len().div_ceil(array_limit.max(1));
    worthwhile.min(fair).max(least).max(1)
}

/// A path that means the same on every node: they begin in a directory of their own.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, LabError> {
    std::path::absolute(path).map_err(LabError::io("find", path))
}

fn refuse(path: &Path, text: &str, error: &toml::de::Error) -> LabError {
    let before = error.span().and_then(|span| text.get(..span.start));
    LabError::content(path, before.map(|text| text.matches('\n').count() + 1), error.message().replace('\n', ", "))
}

/// The line on which `key` is set, counted from 1.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let sets = |line: &str| line.split_once('=').is_some_and(|(known, _)| known.trim() == key);
    text.lines().position(sets).map(|line| line + 1)
}
