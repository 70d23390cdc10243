//! The runs there are: every folder in the directory of runs, told in short, found, named and thrown away.

mod filter;
mod index;
mod summary;

pub use filter::{Filter, FilterError};
pub use summary::RunSummary;

use super::{LabError, Owner, RunSpec, RunState, slurm};
use index::Entry;
use rayon::prelude::*;
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use summary::Marks;

/// Where deleted runs lie, in the directory of runs.
const TRASH: &str = ".trash";

/// The runs in a directory, known from one look to the next.
#[derive(Debug)]
pub struct Store {
    logs: PathBuf,
    entries: HashMap<String, Entry>,
}

impl Store {
    /// The store of the runs in `logs`, with what the index remembers.
    #[must_use]
    pub fn open(logs: &Path) -> Self {
        Self { logs: logs.to_owned(), entries: index::load(logs) }
    }

    /// Looks through the directory, reads what has changed, and gives every run, the newest first. A damaged folder is
    /// among them with what is wrong. No runs where there is no directory.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn refresh(&mut self) -> Result<Vec<RunSummary>, LabError> {
        let names = match folders(&self.logs) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            names => names.map_err(LabError::io("read the directory of runs", &self.logs))?,
        };
        let settled = self.entries.values().filter(|entry| entry.is_settled()).count();
        let known = std::mem::take(&mut self.entries);
        let looked: Vec<(Entry, bool)> = names
            .into_par_iter()
            .filter_map(|name| {
                let folder = self.logs.join(&name);
                // Gone meanwhile: no run any more.
                let changed = index::changed(&fs::metadata(&folder).ok()?);
                match known.get(&name) {
                    Some(entry) if entry.holds(changed) => Some((entry.clone(), false)),
                    _ => Some((Entry::read(&folder, changed), true)),
                }
            })
            .collect();
        // The index has settled entries only: it is written when these have become others.
        let kept = looked.iter().filter(|(_, new)| !new).count();
        let news = looked.iter().any(|(entry, new)| *new && entry.is_settled());
        self.entries = looked.into_iter().map(|(entry, _)| (entry.run.id.clone(), entry)).collect();
        if news || kept != settled {
            index::save(&self.logs, self.entries.values());
        }
        let mut runs: Vec<_> = self.entries.values().map(|entry| entry.run.clone()).collect();
        runs.sort_by(|a, b| (&b.started, &b.id).cmp(&(&a.started, &a.id)));
        Ok(runs)
    }
}

/// The names of the folders in `logs`, without hidden ones and sweeps.
fn folders(logs: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(logs)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !name.starts_with(slurm::PREFIX) && entry.file_type()?.is_dir() {
            names.push(name);
        }
    }
    Ok(names)
}

/// Every run in `logs`, the newest first.
///
/// # Errors
/// As [`Store::refresh`].
pub fn list(logs: &Path) -> Result<Vec<RunSummary>, LabError> {
    Store::open(logs).refresh()
}

/// Sorts runs by what stands under `key`, numbers by size and before text by letters; those without it come last.
pub fn sort(runs: &mut [RunSummary], key: &str, descending: bool) {
    let order = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.to_string().cmp(&b.to_string()),
    };
    runs.sort_by(|a, b| match (a.get(key), b.get(key)) {
        (Some(a), Some(b)) if descending => order(&b, &a),
        (Some(a), Some(b)) => order(&a, &b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
}

/// How the points of a sweep come to a finished run each.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Points nobody has begun: to be submitted.
    pub fresh: Vec<RunSpec>,
    /// Points whose run ended early, whatever the reason: to be resumed.
    pub unfinished: Vec<(RunSpec, RunSummary)>,
    /// Runs a process works on.
    pub underway: Vec<RunSummary>,
    /// Runs that have told everything.
    pub finished: Vec<RunSummary>,
}

impl Plan {
    /// Looks each of `specs` up among `runs`, by [`RunSpec::point`]. Of several runs of a point a finished one counts
    /// most, then one that is underway, then the newest; one begun by another version is not gone on with.
    #[must_use]
    pub fn new(specs: Vec<RunSpec>, runs: &[RunSummary]) -> Self {
        let rank = |run: &RunSummary| match run.state {
            RunState::Finished => 3,
            state if !state.is_final() => 2,
            _ if run.version == env!("CARGO_PKG_VERSION") => 1,
            _ => 0,
        };
        let mut best: HashMap<&str, &RunSummary> = HashMap::new();
        for run in runs.iter().filter(|run| run.damage.is_none() && !run.point.is_empty() && rank(run) > 0) {
            let known = best.entry(&run.point).or_insert(run);
            if (rank(run), &run.started) > (rank(known), &known.started) {
                *known = run;
            }
        }
        let mut plan = Self::default();
        for spec in specs {
            match best.get(spec.point().as_str()) {
                None => plan.fresh.push(spec),
                Some(run) => match rank(run) {
                    3 => plan.finished.push((*run).clone()),
                    2 => plan.underway.push((*run).clone()),
                    _ => plan.unfinished.push((spec, (*run).clone())),
                },
            }
        }
        plan
    }

    /// The points that have no finished run and that no process works on.
    #[must_use]
    pub fn left(&self) -> Vec<RunSpec> {
        self.fresh.iter().chain(self.unfinished.iter().map(|(spec, _)| spec)).cloned().collect()
    }
}

/// Names the run in `folder`; an empty name gives it back its own.
///
/// # Errors
/// The name cannot be written.
pub fn rename(folder: &Path, title: &str) -> Result<(), LabError> {
    let mut marks = Marks::read(folder)?;
    marks.title = Some(title.trim().to_owned()).filter(|title| !title.is_empty());
    marks.write(folder)
}

/// Gives the run in `folder` these tags in place of those it has.
///
/// # Errors
/// A tag has a space or a comma, or the tags cannot be written.
pub fn tag(folder: &Path, tags: &[String]) -> Result<(), LabError> {
    if let Some(wrong) = tags.iter().find(|tag| tag.is_empty() || tag.contains([' ', ',', '"', '='])) {
        let allowed = "a word without spaces, commas, quotes and `=`";
        return Err(super::ParamError::new("tag", wrong, allowed).into());
    }
    let mut marks = Marks::read(folder)?;
    marks.tags = tags.to_vec();
    marks.write(folder)
}

/// Moves the run in `folder` to the trash beside it and says where it lies now.
///
/// # Errors
/// A process works on the run, or it cannot be moved.
pub fn delete(folder: &Path) -> Result<PathBuf, LabError> {
    let name = folder.file_name().unwrap_or_default();
    if let Some(Owner { host, pid, .. }) = Owner::of(folder) {
        let id = name.to_string_lossy();
        return Err(LabError::Refused(format!("{id}: process {pid} on {host} works on this run; stop it first")));
    }
    let trash = folder.with_file_name(TRASH);
    fs::create_dir_all(&trash).map_err(LabError::io("create", &trash))?;
    let mut target = trash.join(name);
    let mut number = 2;
    while target.exists() {
        target = trash.join(format!("{}-{number}", name.to_string_lossy()));
        number += 1;
    }
    fs::rename(folder, &target).map_err(LabError::io("move to the trash", folder))?;
    Ok(target)
}
