//! The list of the runs in a directory.

use crate::lab::LabError;
use crate::lab::event::RunState;
use crate::lab::record::Owner;
use crate::lab::record::folder::SWEEP_PREFIX;
use crate::lab::store::index::{self, IndexEntry};
use crate::lab::store::summary::RunSummary;
use rayon::prelude::*;
use serde_json::Value;
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The runs in a directory, known from one look to the next.
#[derive(Debug)]
pub struct Store {
    logs: PathBuf,
    entries: HashMap<String, IndexEntry>,
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
    pub fn refresh(&mut self) -> Result<Vec<Arc<RunSummary>>, LabError> {
        let names = match folders(&self.logs) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            names => names.map_err(LabError::io("read the directory of runs", &self.logs))?,
        };
        let settled = self.entries.values().filter(|entry| entry.is_settled()).count();
        let known = std::mem::take(&mut self.entries);
        let looked: Vec<(IndexEntry, bool)> = names
            .into_par_iter()
            .filter_map(|name| {
                let folder = self.logs.join(&name);
                // Gone meanwhile: no run any more.
                let changed = index::changed(&fs::metadata(&folder).ok()?);
                match known.get(&name) {
                    Some(entry) if entry.holds(changed) => Some((entry.clone(), false)),
                    _ => Some((IndexEntry::read(&folder, changed), true)),
                }
            })
            .collect();
        let looked = self.doubt_the_lost(looked);
        // The index has settled entries only: it is written when these have become others.
        let kept = looked.iter().filter(|(_, new)| !new).count();
        let news = looked.iter().any(|(entry, new)| *new && entry.is_settled());
        self.entries = looked.into_iter().map(|(entry, _)| (entry.run.id.clone(), entry)).collect();
        if news || kept != settled {
            index::save(&self.logs, self.entries.values());
        }
        let mut runs: Vec<_> = self.entries.values().map(|entry| Arc::clone(&entry.run)).collect();
        runs.sort_by(|a: &Arc<RunSummary>, b| (&b.started, &b.id).cmp(&(&a.started, &a.id)));
        Ok(runs)
    }
}

impl Store {
    /// Reads the runs again that were read as lost just now and whose process, on another machine with another clock, turns
    /// out to live.
    fn doubt_the_lost(&self, mut looked: Vec<(IndexEntry, bool)>) -> Vec<(IndexEntry, bool)> {
        let lost = looked.iter_mut().filter(|(entry, new)| *new && entry.run.state == RunState::Lost);
        let mut lost: Vec<_> = lost.map(|(entry, _)| (entry.run.folder(&self.logs), entry)).collect();
        let folders: Vec<_> = lost.iter().map(|(folder, _)| folder.clone()).collect();
        let alive = Owner::watch_briefly(folders.iter().map(PathBuf::as_path));
        for (folder, entry) in lost.iter_mut().filter(|(folder, _)| alive.contains(&folder.as_path())) {
            **entry = IndexEntry::read(folder, 0);
        }
        looked
    }
}

/// The names of the folders in `logs`, without hidden ones and sweeps.
fn folders(logs: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(logs)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !name.starts_with(SWEEP_PREFIX) && entry.file_type()?.is_dir() {
            names.push(name);
        }
    }
    Ok(names)
}

/// Every run in `logs`, the newest first.
///
/// # Errors
/// As [`Store::refresh`].
pub fn list(logs: &Path) -> Result<Vec<Arc<RunSummary>>, LabError> {
    Store::open(logs).refresh()
}

/// Sorts runs by what stands under `key`, numbers by size and before text by letters; those without it come last.
pub fn sort<R: Borrow<RunSummary>>(runs: &mut [R], key: &str, descending: bool) {
    let order = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.to_string().cmp(&b.to_string()),
    };
    runs.sort_by(|a, b| match (a.borrow().get(key), b.borrow().get(key)) {
        (Some(a), Some(b)) if descending => order(&b, &a),
        (Some(a), Some(b)) => order(&a, &b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
}
