//! Sweeps past one machine: a job array of a batch system, with runs that are folders like any other.
//!
//! A sweep is a folder among the runs, `sweep-<time>-<name>/`, on a disk that every node sees:
//!
//! | what | holds |
//! |---|---|
//! | `sweep.toml` | the plan: problem, places, how points are packed, the jobs submitted |
//! | `points.jsonl` | one line a point: its number, what determines its result, the settings |
//! | `sweep.sbatch` | the script submitted; works by hand as well |
//! | `attnlab` | the program as it was at submission |
//! | `points/N` | the name of the run folder of point N, written by whoever began it |
//! | `seen/E`, `broken/E` | element E reached this folder; the program could not start there, with its exit status |
//! | `slurm/` | what the elements printed |
//!
//! An *element* of the array works on a few consecutive points. Results are what lies on the disk; what the batch
//! system says stands beside it.

mod commands;
mod control;
mod element;
mod fields;
mod script;
mod status;

pub use commands::Slurm;
pub use element::{Ending, work};
pub use fields::SlurmField;
pub use script::SlurmOptions;
pub use status::{ElementStatus, PointStatus, Queues, Status};

use super::{Differences, Draft, LabError, Places, Problem, RunSpec, Schema, files};
use crate::lab::record::folder::SWEEP_PREFIX;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The form of `sweep.toml` that this version writes and reads.
const SCHEMA: u32 = 1;
const PLAN: &str = "sweep.toml";
const POINTS: &str = "points.jsonl";
const SCRIPT: &str = "sweep.sbatch";

/// Seconds that an element should work at least: starting one costs the scheduler up to a second.
const WORTHWHILE: f64 = 60.0;
/// Elements that are kept busy side by side where no limit is given.
const SLOTS: usize = 64;

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
    /// What the batch system is asked for.
    pub slurm: SlurmOptions,
    /// The jobs submitted, the newest last.
    #[serde(default)]
    pub jobs: Vec<String>,
}

impl ArrayPlan {
    fn new(
        places: &Places,
        specs: &[RunSpec],
        title: &str,
        options: SlurmOptions,
        array_limit: usize,
    ) -> Result<Self, LabError> {
        let Some(first) = specs.first() else {
            return Err(LabError::Refused("the sweep has no point that is not finished".to_owned()));
        };
        options.check()?;
        Ok(Self {
            schema: SCHEMA,
            problem: first.problem.name().to_owned(),
            title: title.to_owned(),
            created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            logs: absolute(&places.logs)?,
            data: absolute(&places.data)?,
            points: specs.len(),
            element_points: pack(specs, options.max_parallel, array_limit),
            slurm: options,
            jobs: Vec::new(),
        })
    }

    /// Where its folder belongs.
    fn folder(&self) -> PathBuf {
        let time: String = self.created.chars().filter(char::is_ascii_digit).collect();
        let (day, time) = time.split_at(8);
        let name = format!("{SWEEP_PREFIX}{day}-{time}-{}", crate::lab::record::folder::slug(&self.title));
        self.logs.join(name.trim_end_matches('-'))
    }

    /// Number of elements.
    #[must_use]
    pub const fn elements(&self) -> usize {
        self.points.div_ceil(self.element_points)
    }
}

/// A sweep in its folder.
#[derive(Debug)]
pub struct JobArray {
    folder: PathBuf,
    plan: ArrayPlan,
}

/// One line of `points.jsonl`.
#[derive(Serialize, Deserialize)]
struct ArrayPoint {
    index: usize,
    point: String,
    set: BTreeMap<String, String>,
}

impl JobArray {
    /// Plans the runs `specs`, all of one problem: makes the folder with everything an element needs.
    ///
    /// # Errors
    /// There is nothing to do, or the folder cannot be made.
    pub fn plan(
        places: &Places,
        specs: &[RunSpec],
        title: &str,
        options: SlurmOptions,
        array_limit: usize,
    ) -> Result<Self, LabError> {
        let plan = ArrayPlan::new(places, specs, title, options, array_limit)?;
        places.prepare()?;
        let folder = plan.folder();
        fs::create_dir(&folder).map_err(LabError::io("create the sweep's folder", &folder))?;
        for part in ["points", "seen", "broken", "slurm"] {
            fs::create_dir(folder.join(part)).map_err(LabError::io("create a folder in", &folder))?;
        }
        let mut lines = Vec::new();
        for (index, spec) in specs.iter().enumerate() {
            let set = spec.changes().into_iter().map(|(key, text)| (key.to_owned(), text)).collect();
            let line = ArrayPoint { index, point: spec.point(), set };
            serde_json::to_writer(&mut lines, &line).map_err(|error| LabError::Refused(error.to_string()))?;
            lines.push(b'\n');
        }
        write(&folder, POINTS, &lines)?;
        write(&folder, SCRIPT, script::script(&folder, &plan).as_bytes())?;
        let program = std::env::current_exe().map_err(LabError::io("find", "attnlab"))?;
        let copy = folder.join("attnlab");
        fs::copy(&program, &copy).map_err(LabError::io("copy the program to", &copy))?;
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))
            .map_err(LabError::io("make executable", &copy))?;
        let sweep = Self { folder, plan };
        sweep.save()?;
        Ok(sweep)
    }

    /// Opens the sweep in `folder`.
    ///
    /// # Errors
    /// It is none, or of a newer form.
    pub fn open(folder: &Path) -> Result<Self, LabError> {
        let path = folder.join(PLAN);
        let text = fs::read_to_string(&path).map_err(LabError::io("read", &path))?;
        let plan: ArrayPlan = toml::from_str(&text)
            .map_err(|error| LabError::content(&path, None, error.message().replace('\n', ", ")))?;
        if plan.schema > SCHEMA {
            let reason = format!("written in form {}; this version of attnlab reads up to form {SCHEMA}", plan.schema);
            return Err(LabError::content(&path, None, reason));
        }
        Ok(Self { folder: absolute(folder)?, plan })
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its plan.
    #[must_use]
    pub const fn plan_ref(&self) -> &ArrayPlan {
        &self.plan
    }

    /// The script, as submitted.
    #[must_use]
    pub fn script(&self) -> PathBuf {
        self.folder.join(SCRIPT)
    }

    /// Notes a job that was submitted for it.
    ///
    /// # Errors
    /// The plan cannot be written.
    pub fn add_job(&mut self, job: String) -> Result<(), LabError> {
        self.plan.jobs.push(job);
        self.save()
    }

    /// The runs of its points, in order.
    ///
    /// # Errors
    /// The file of points is damaged, or its problem is not one of `problems`.
    pub fn specs(&self, problems: &[&'static dyn Problem]) -> Result<Vec<RunSpec>, LabError> {
        let path = self.folder.join(POINTS);
        let problem = problems.iter().copied().find(|problem| problem.name() == self.plan.problem);
        let problem = problem.ok_or_else(|| {
            LabError::content(&self.folder.join(PLAN), None, format!("no problem `{}`", self.plan.problem))
        })?;
        let text = fs::read_to_string(&path).map_err(LabError::io("read", &path))?;
        let mut specs = Vec::with_capacity(self.plan.points);
        for (number, text) in text.lines().enumerate() {
            let refuse = |reason: String| LabError::content(&path, Some(number + 1), reason);
            let line: ArrayPoint = serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
            let schema = problem.schema();
            let mut draft = Draft::new(&schema);
            for (key, value) in &line.set {
                draft.set(&schema, key, value).map_err(|error| refuse(error.to_string()))?;
            }
            let spec = crate::lab::Sweep::new(problem, draft).specs().map_err(|error| refuse(error.to_string()))?;
            let [mut spec] = <[RunSpec; 1]>::try_from(spec)
                .map_err(|specs| refuse(format!("stands for {} runs, not for one", specs.len())))?;
            spec.title = Some(self.plan.title.clone()).filter(|title| !title.is_empty());
            specs.push(spec);
        }
        if specs.len() != self.plan.points {
            return Err(LabError::content(&path, None, format!("{} points, not {}", specs.len(), self.plan.points)));
        }
        Ok(specs)
    }

    /// The words for each point: the settings that differ from those of others.
    ///
    /// # Errors
    /// The file of points cannot be read.
    pub fn labels(&self, problems: &[&'static dyn Problem]) -> Result<Vec<String>, LabError> {
        let path = self.folder.join(POINTS);
        let text = fs::read_to_string(&path).map_err(LabError::io("read", &path))?;
        let lines: Vec<ArrayPoint> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let schema =
            problems.iter().find(|problem| problem.name() == self.plan.problem).map(|problem| problem.schema());
        // Only what differs from the defaults was written.
        let default = |key: &str| schema.and_then(|schema| schema.get(key)).map_or("", |param| param.default);
        let declared = schema.iter().flat_map(Schema::iter).map(|param| param.key);
        let unknown: BTreeSet<&str> = lines.iter().flat_map(|line| line.set.keys()).map(String::as_str).collect();
        let keys: Vec<&str> = match schema {
            Some(_) => declared.collect(),
            None => unknown.into_iter().collect(),
        };
        let text =
            |line: usize, key: &str| lines[line].set.get(key).map_or_else(|| default(key).to_owned(), String::clone);
        let differences = Differences::of(keys, lines.len(), text);
        Ok((0..lines.len()).map(|line| differences.words(line)).collect())
    }

    /// The run folder of point `index`, if it was begun.
    #[must_use]
    pub fn run(&self, index: usize) -> Option<PathBuf> {
        let name = fs::read_to_string(self.link(index)).ok()?;
        let folder = self.plan.logs.join(name.trim());
        folder.is_dir().then_some(folder)
    }

    fn set_run(&self, index: usize, id: &str) -> Result<(), LabError> {
        let path = self.link(index);
        files::replace(&path, id.as_bytes(), true).map_err(LabError::io("write", path))
    }

    fn link(&self, index: usize) -> PathBuf {
        self.folder.join("points").join(index.to_string())
    }

    fn save(&self) -> Result<(), LabError> {
        let text = toml::to_string(&self.plan).map_err(|error| LabError::Refused(error.to_string()))?;
        write(&self.folder, PLAN, text.as_bytes())
    }
}

/// Plans the runs `specs` and submits them: a folder among the runs, and a job array. Waits for Slurm; where it refuses,
/// no folder is left.
///
/// # Errors
/// There is no Slurm, what `sbatch` said, or the folder cannot be made.
pub fn submit(places: &Places, specs: &[RunSpec], title: &str, options: SlurmOptions) -> Result<JobArray, LabError> {
    let mut sweep = JobArray::plan(places, specs, title, options, Slurm.array_limit()?)?;
    match Slurm.submit(&sweep.script(), None) {
        Ok(job) => sweep.add_job(job)?,
        Err(error) => {
            fs::remove_dir_all(sweep.folder()).ok();
            return Err(error);
        }
    }
    Ok(sweep)
}

/// The script that [`JobArray::plan`] would write, without writing anything.
///
/// # Errors
/// An option cannot stand in a script.
pub fn preview(places: &Places, specs: &[RunSpec], title: &str, options: SlurmOptions) -> Result<String, LabError> {
    let plan = ArrayPlan::new(places, specs, title, options, commands::ARRAY_LIMIT)?;
    Ok(script::script(&plan.folder(), &plan))
}

/// The sweeps among the runs in `logs`, the oldest first.
#[must_use]
pub fn folders(logs: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(logs).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.join(PLAN).is_file()).collect();
    found.sort();
    found
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

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), LabError> {
    let path = folder.join(name);
    files::replace(&path, bytes, true).map_err(LabError::io("write", path))
}

/// A path that means the same on every node: they begin in a directory of their own.
fn absolute(path: &Path) -> Result<PathBuf, LabError> {
    std::path::absolute(path).map_err(LabError::io("find", path))
}
