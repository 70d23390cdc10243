//! The Runs tab: every run there is, from this process and from others.

use super::scroll::Scroll;
use crate::lab::{Filter, FilterError, Problem, RunSummary, Schema, Store, StoredParams, VariedColumns, slurm, store};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the list can be sorted by: the key, the word for it on screen, and whether the largest values come first.
pub const ORDERS: [(&str, &str, bool); 4] = [
    ("started", "newest", true),
    ("problem", "problem", false),
    ("headline", "headline", true),
    ("seconds", "longest", true),
];

/// The state of the Runs tab.
pub struct RunsTab {
    /// What the list is filtered by, as typed.
    pub filter_text: String,
    /// The runs that the filter admits, sorted.
    pub listed: Vec<Arc<RunSummary>>,
    /// Index of the chosen one.
    pub chosen: usize,
    /// Columns scrolled away.
    pub skip: usize,
    /// Whether keys go to the details of the chosen run rather than to the list.
    pub in_details: bool,
    /// Whether the details have the whole screen.
    pub zoom: bool,
    /// How far the details are scrolled.
    pub details: Scroll,
    /// Index into [`ORDERS`].
    pub order: usize,
    /// The runs that the next press of the key deletes, because the user has asked for it once.
    pub to_delete: Vec<String>,
    /// The marked runs.
    pub marked: BTreeSet<String>,
    /// Why there is no list.
    pub trouble: Option<String>,
    /// Whether the directory has been looked through once.
    pub is_listed: bool,
    /// Number of sweeps on a cluster.
    pub sweeps: usize,
    /// The parameters that vary among the listed runs.
    pub varied: VariedColumns,
    schemas: Vec<(&'static str, Schema)>,
    logs: PathBuf,
    filter: Filter,
    all: Vec<Arc<RunSummary>>,
    /// The runs that have been read so far. A task that looks through the directory takes the store with it.
    store: Option<Store>,
    /// Whether the directory has to be looked through again as soon as that task is done.
    is_outdated: bool,
}

impl RunsTab {
    /// A list of the runs in `logs`, not looked through yet.
    #[must_use]
    pub fn new(logs: &Path, problems: &[&'static dyn Problem]) -> Self {
        Self {
            filter_text: String::new(),
            listed: Vec::new(),
            chosen: 0,
            skip: 0,
            in_details: false,
            zoom: false,
            details: Scroll::default(),
            order: 0,
            to_delete: Vec::new(),
            marked: BTreeSet::new(),
            trouble: None,
            is_listed: false,
            sweeps: 0,
            varied: VariedColumns::default(),
            schemas: problems.iter().map(|problem| (problem.name(), problem.schema())).collect(),
            logs: logs.to_owned(),
            filter: Filter::default(),
            all: Vec::new(),
            store: Some(Store::open(logs)),
            is_outdated: false,
        }
    }

    /// Gives what a task needs to look through the directory of runs. While another task looks, nothing is given; the
    /// list is then marked as outdated, so that another look follows.
    pub(super) fn begin_look(&mut self) -> Option<RunsLook> {
        let store = self.store.take();
        self.is_outdated |= store.is_none();
        Some(RunsLook { store: store?, logs: self.logs.clone() })
    }

    /// Takes what a task has found in the directory. Returns whether the list has changed.
    ///
    /// # Errors
    /// Says why there is no list, and whether the reason is another than at the last look.
    pub(super) fn end_look(&mut self, read: Result<RunsRead, String>) -> Result<bool, (String, bool)> {
        let found = match read {
            Ok(RunsRead { store, found, sweeps }) => {
                self.store = Some(store);
                found.map(|found| self.take(found, sweeps))
            }
            Err(reason) => {
                // The task had the store. It is lost with the task, so everything is read again.
                self.store = Some(Store::open(&self.logs));
                Err(reason)
            }
        };
        found.map_err(|reason| {
            let before = self.trouble.replace(reason.clone());
            let is_new = before.as_ref() != Some(&reason);
            (reason, is_new)
        })
    }

    /// Returns whether another look was asked for while the last one was under way, and forgets that it was.
    pub(super) fn take_outdated(&mut self) -> bool {
        std::mem::take(&mut self.is_outdated)
    }

    /// Takes the runs and the number of sweeps that are in the directory. Returns whether the list has changed.
    fn take(&mut self, found: Vec<Arc<RunSummary>>, sweeps: usize) -> bool {
        let first =
            !std::mem::replace(&mut self.is_listed, true) | (std::mem::replace(&mut self.sweeps, sweeps) != sweeps);
        if found == self.all && self.trouble.is_none() {
            return first;
        }
        self.trouble = None;
        self.all = found;
        let there: BTreeSet<&str> = self.all.iter().map(|run| run.id.as_str()).collect();
        self.marked.retain(|id| there.contains(id.as_str()));
        self.sift();
        true
    }

    /// Sets what the list is filtered by.
    ///
    /// # Errors
    /// Says where the filter cannot be read. The list keeps its old filter then.
    pub fn set_filter(&mut self, text: &str, problems: &[&'static dyn Problem]) -> Result<(), FilterError> {
        self.filter = Filter::parse(text, problems)?;
        text.trim().clone_into(&mut self.filter_text);
        self.sift();
        Ok(())
    }

    /// Shows every run again.
    pub fn clear_filter(&mut self) {
        (self.filter, self.filter_text) = (Filter::default(), String::new());
        self.sift();
    }

    /// Sorts by the next order.
    pub fn next_order(&mut self) {
        self.order = (self.order + 1) % ORDERS.len();
        self.sift();
    }

    /// Chooses the run `by` further down.
    pub fn go(&mut self, by: isize) {
        self.chosen = self.chosen.saturating_add_signed(by).min(self.listed.len().saturating_sub(1));
        self.to_delete.clear();
        self.details.to_start();
    }

    /// The chosen run.
    #[must_use]
    pub fn chosen(&self) -> Option<&RunSummary> {
        self.listed.get(self.chosen).map(Arc::as_ref)
    }

    /// The marked runs in the order of the list, those that the filter hides last; the chosen one where none is marked.
    #[must_use]
    pub fn meant(&self) -> Vec<Arc<RunSummary>> {
        let is_marked = |run: &&Arc<RunSummary>| self.marked.contains(&run.id);
        let hidden = |run: &&Arc<RunSummary>| self.listed.iter().all(|listed| listed.id != run.id);
        let shown = self.listed.iter().filter(is_marked);
        let marked: Vec<_> = shown.chain(self.all.iter().filter(is_marked).filter(hidden)).cloned().collect();
        if marked.is_empty() { self.listed.get(self.chosen).cloned().into_iter().collect() } else { marked }
    }

    /// Marks the chosen run, or takes its mark away, and goes on to the next.
    pub fn mark(&mut self) {
        let Some(id) = self.chosen().map(|run| run.id.clone()) else { return };
        if !self.marked.remove(&id) {
            self.marked.insert(id);
        }
        self.go(1);
    }

    /// Marks every run of the list, or none where every one is marked.
    pub fn mark_all(&mut self) {
        let all: BTreeSet<String> = self.listed.iter().map(|run| run.id.clone()).collect();
        self.marked = if all.is_subset(&self.marked) { BTreeSet::new() } else { all };
        self.to_delete.clear();
    }

    /// Every run there is, the newest first.
    #[must_use]
    pub fn all(&self) -> &[Arc<RunSummary>] {
        &self.all
    }

    /// How many runs there are in all.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.all.len()
    }

    fn sift(&mut self) {
        let chosen = self.chosen().map(|run| run.id.clone());
        self.listed = self.all.iter().filter(|run| self.filter.admits(run)).cloned().collect();
        let (key, _, descending) = ORDERS[self.order];
        store::sort(&mut self.listed, key, descending);
        let named: Vec<(&str, &StoredParams)> =
            self.listed.iter().map(|run| (run.problem.as_str(), &run.params)).collect();
        let schema = |name: &str| self.schemas.iter().find(|(known, _)| *known == name).map(|(_, schema)| *schema);
        self.varied = VariedColumns::of(&named, schema);
        let at = chosen.and_then(|id| self.listed.iter().position(|run| run.id == id));
        self.chosen = at.unwrap_or(self.chosen).min(self.listed.len().saturating_sub(1));
    }
}

/// What a look through the directory of runs needs.
pub(super) struct RunsLook {
    store: Store,
    logs: PathBuf,
}

/// What a look through the directory of runs has found.
pub(super) struct RunsRead {
    store: Store,
    found: Result<Vec<Arc<RunSummary>>, String>,
    /// Number of sweeps on a cluster.
    sweeps: usize,
}

impl RunsLook {
    /// Looks through the directory. This reads files, so a task calls it.
    pub(super) fn read(mut self) -> RunsRead {
        let found = self.store.refresh().map_err(|error| error.to_string());
        RunsRead { store: self.store, found, sweeps: slurm::folders(&self.logs).len() }
    }
}
