//! A job array in its folder: planning, opening, submitting.

use super::commands::{ARRAY_LIMIT, SbatchAnswer, Slurm};
use super::job::Job;
use super::options::SlurmOptions;
use super::plan::{ArrayPlan, ArrayShare, PLAN, absolute};
use super::program;
use super::script::script;
use crate::lab::{Differences, Draft, LabError, ParamError, Places, Problem, RunSpec, Schema, Sweep, files};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Component, Path, PathBuf};

const POINTS: &str = "points.jsonl";
const SCRIPT: &str = "sweep.sbatch";
/// The most bytes of `points.jsonl` that are read.
const LARGEST: u64 = 1 << 28;
/// The most bytes of a folder's name.
const LONGEST_NAME: u64 = 1 << 10;

/// A sweep in its folder.
#[derive(Debug)]
pub struct JobArray {
    folder: PathBuf,
    plan: ArrayPlan,
}

/// What to say of GPUs that are asked for and that runs of `specs` would leave idle; none where they take them, or where none are
/// asked for.
#[must_use]
pub fn idle_gpus(specs: &[RunSpec], options: &SlurmOptions) -> Option<String> {
    if options.words("gpus").is_empty() {
        return None;
    }
    let mut idle = specs.iter().filter_map(|spec| spec.problem.idle_gpu(&spec.params));
    let first = idle.next()?;
    let (count, all) = (1 + idle.count(), specs.len());
    Some(format!("{count} of {all} runs leave the GPUs of --gpus idle: {first}"))
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
    /// There is no point to run, or the folder cannot be made.
    pub fn plan(
        places: &Places,
        specs: &[RunSpec],
        title: &str,
        options: SlurmOptions,
        array_limit: usize,
    ) -> Result<Self, LabError> {
        Self::make(places, specs, ArrayPlan::new(places, specs, title, options, array_limit)?, &HashMap::new())
    }

    /// Makes the folder of `plan`, whose points are `specs`. Those that are begun, by their points, go on in the folders of these
    /// names.
    fn make(
        places: &Places,
        specs: &[RunSpec],
        plan: ArrayPlan,
        begun: &HashMap<String, String>,
    ) -> Result<Self, LabError> {
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
        let place = folder.to_string_lossy();
        write(&folder, SCRIPT, script(&place, &plan).as_bytes())?;
        program::put(&folders(&plan.logs), &folder)?;
        let sweep = Self { folder, plan };
        for (index, spec) in specs.iter().enumerate() {
            if let Some(id) = begun.get(&spec.point()) {
                sweep.set_run(index, id)?;
            }
        }
        // Last, since with it the folder counts as an array.
        sweep.plan.write(&sweep.folder)?;
        Ok(sweep)
    }

    /// Opens the sweep in `folder`.
    ///
    /// # Errors
    /// There is no sweep in `folder`, or its plan cannot be read.
    pub fn open(folder: &Path) -> Result<Self, LabError> {
        Ok(Self { plan: ArrayPlan::read(folder)?, folder: absolute(folder)? })
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
    pub fn add_job(&mut self, job: Job) -> Result<(), LabError> {
        self.plan.jobs.push(job);
        self.plan.write(&self.folder)
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
        let schema = problem.schema();
        let mut specs = Vec::new();
        for (number, point) in self.points()?.into_iter().enumerate() {
            let refuse = |error: ParamError| LabError::content(&path, Some(number + 1), error.to_string());
            let mut draft = Draft::new(&schema);
            for (key, value) in &point.set {
                draft.set(&schema, key, value).map_err(refuse)?;
            }
            let sweep = Sweep { title: Some(self.plan.title.clone()), ..Sweep::new(problem, draft).allowing_unread() };
            let count = sweep.count().map_err(refuse)?;
            if count != 1 {
                let reason = format!("the settings stand for {count} runs, not for one");
                return Err(LabError::content(&path, Some(number + 1), reason));
            }
            let spec = sweep.first().map_err(refuse)?;
            specs.push(RunSpec { title: spec.title.filter(|title| !title.is_empty()), ..spec });
        }
        Ok(specs)
    }

    /// The lines of `points.jsonl`, as many as the plan says.
    fn points(&self) -> Result<Vec<ArrayPoint>, LabError> {
        let path = self.folder.join(POINTS);
        let read = LabError::io("read", &path);
        let file = match files::open_to_read(&path) {
            Ok(file) => BufReader::new(file.take(LARGEST)),
            Err(error) => return Err(read(error)),
        };
        let mut points: Vec<ArrayPoint> = Vec::new();
        for (number, line) in file.lines().enumerate() {
            let refuse = |reason: String| LabError::content(&path, Some(number + 1), reason);
            if number >= self.plan.points {
                return Err(refuse(format!("the plan has {} points, and here is one more", self.plan.points)));
            }
            let line = line.map_err(|error| refuse(error.to_string()))?;
            let point: ArrayPoint = serde_json::from_str(&line).map_err(|error| refuse(error.to_string()))?;
            if point.index != number {
                return Err(refuse(format!("found point {}, allowed: point {number}", point.index)));
            }
            points.push(point);
        }
        if points.len() != self.plan.points {
            let reason = format!("{} points, and the plan has {}", points.len(), self.plan.points);
            return Err(LabError::content(&path, None, reason));
        }
        Ok(points)
    }

    /// The words for each point: the settings that differ from those of others.
    ///
    /// # Errors
    /// The file of points cannot be read.
    pub fn labels(&self, problems: &[&'static dyn Problem]) -> Result<Vec<String>, LabError> {
        let lines = self.points()?;
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
        let name = files::read_text(&self.link(index), LONGEST_NAME).ok()?;
        // The name of a folder among the runs and nothing else: what was written here may come from anywhere.
        let mut parts = Path::new(name.trim()).components();
        let (Some(Component::Normal(name)), None) = (parts.next(), parts.next()) else { return None };
        let folder = self.plan.logs.join(name);
        folder.is_dir().then_some(folder)
    }

    pub(super) fn set_run(&self, index: usize, id: &str) -> Result<(), LabError> {
        let path = self.link(index);
        files::replace(&path, id.as_bytes(), true).map_err(LabError::io("write", path))
    }

    fn link(&self, index: usize) -> PathBuf {
        self.folder.join("points").join(index.to_string())
    }
}

/// Plans the runs `specs` and submits them: a folder among the runs, and a job array. Waits for Slurm. The folder is
/// removed where Slurm refused the job, and only there: where the job may have been taken, its elements need the folder.
///
/// # Errors
/// There is no Slurm, what `sbatch` said, or the folder cannot be made.
pub fn submit(places: &Places, specs: &[RunSpec], title: &str, options: SlurmOptions) -> Result<JobArray, LabError> {
    let limit = array_limit(&options)?;
    hand_in(JobArray::plan(places, specs, title, options, limit)?)
}

/// The same for a share of a sweep that halves: runs stop where it says. Those that are `begun`, by their points, go on in the
/// folders of these names.
///
/// # Errors
/// As [`submit`].
pub fn submit_share(
    places: &Places,
    specs: &[RunSpec],
    title: &str,
    options: SlurmOptions,
    (share, begun): (ArrayShare, &HashMap<String, String>),
) -> Result<JobArray, LabError> {
    let limit = array_limit(&options)?;
    let plan = ArrayPlan { share: Some(share), ..ArrayPlan::new(places, specs, title, options, limit)? };
    hand_in(JobArray::make(places, specs, plan, begun)?)
}

/// The most elements that an array may have where `options` send it.
fn array_limit(options: &SlurmOptions) -> Result<usize, LabError> {
    let cluster = Slurm.cluster().or_else(|| options.cluster());
    Slurm.array_limit(cluster.as_deref())
}

fn hand_in(mut array: JobArray) -> Result<JobArray, LabError> {
    match Slurm.submit(&array.script(), None, None) {
        SbatchAnswer::Taken(job) => array.add_job(job)?,
        SbatchAnswer::Refused(error) => {
            fs::remove_dir_all(array.folder()).ok();
            return Err(error);
        }
        SbatchAnswer::Unclear(error) => {
            let folder = array.folder().display();
            return Err(LabError::Refused(format!("{error}; the job may have been taken, so {folder} is kept")));
        }
    }
    Ok(array)
}

/// The script that [`JobArray::plan`] would write, without writing anything.
///
/// # Errors
/// An option cannot stand in a script.
pub fn preview(places: &Places, specs: &[RunSpec], title: &str, options: SlurmOptions) -> Result<String, LabError> {
    let plan = ArrayPlan::new(places, specs, title, options, ARRAY_LIMIT)?;
    Ok(script(&plan.folder().to_string_lossy(), &plan))
}

/// The sweeps among the runs in `logs`, the oldest first.
#[must_use]
pub fn folders(logs: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(logs).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.join(PLAN).is_file()).collect();
    found.sort();
    found
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), LabError> {
    let path = folder.join(name);
    files::replace(&path, bytes, true).map_err(LabError::io("write", path))
}
