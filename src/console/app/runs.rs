//! The Runs tab: every run there is, from this process and from others.

use crate::lab::{Filter, FilterError, LabError, Problem, RunSummary, Store, slurm, store};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

/// What the list can be sorted by: the key, its word, and whether the largest come first.
pub const ORDERS: [(&str, &str, bool); 4] = [
    ("started", "newest", true),
    ("problem", "problem", false),
    ("headline", "headline", true),
    ("seconds", "longest", true),
];

type Looked = (Store, Result<Vec<Arc<RunSummary>>, LabError>, usize);

/// The state of the Runs tab.
pub struct RunsTab {
    /// What the list is filtered by, as typed.
    pub filter_text: String,
    /// The runs that the filter admits, sorted.
    pub shown: Vec<Arc<RunSummary>>,
    /// Index of the chosen one.
    pub chosen: usize,
    /// Columns scrolled away.
    pub skip: usize,
    /// Index into [`ORDERS`].
    pub order: usize,
    /// The run whose deletion was asked for once.
    pub doomed: Option<String>,
    /// Why there is no list.
    pub trouble: Option<String>,
    /// Whether the directory has been looked through once.
    pub known: bool,
    /// Number of sweeps on a cluster.
    pub sweeps: usize,
    logs: PathBuf,
    filter: Filter,
    all: Vec<Arc<RunSummary>>,
    store: Option<Store>,
    looking: Option<JoinHandle<Looked>>,
}

impl RunsTab {
    /// A list of the runs in `logs`, not looked through yet.
    #[must_use]
    pub fn new(logs: &Path) -> Self {
        Self {
            filter_text: String::new(),
            shown: Vec::new(),
            chosen: 0,
            skip: 0,
            order: 0,
            doomed: None,
            trouble: None,
            known: false,
            sweeps: 0,
            logs: logs.to_owned(),
            filter: Filter::default(),
            all: Vec::new(),
            store: Some(Store::open(logs)),
            looking: None,
        }
    }

    /// Begins to look through the directory, on a thread of its own.
    pub fn look(&mut self) {
        let Some(mut store) = self.store.take() else { return };
        let logs = self.logs.clone();
        self.looking = Some(std::thread::spawn(move || {
            let runs = store.refresh();
            (store, runs, slurm::folders(&logs).len())
        }));
    }

    /// Whether a look is under way.
    #[must_use]
    pub const fn is_looking(&self) -> bool {
        self.looking.is_some()
    }

    /// Takes a look that has ended; whether the list has changed.
    pub fn follow(&mut self) -> bool {
        if !self.looking.as_ref().is_some_and(JoinHandle::is_finished) {
            return false;
        }
        let Some(Ok((store, runs, sweeps))) = self.looking.take().map(JoinHandle::join) else { return false };
        self.store = Some(store);
        let first = !std::mem::replace(&mut self.known, true) | (std::mem::replace(&mut self.sweeps, sweeps) != sweeps);
        match runs {
            Ok(runs) if runs == self.all && self.trouble.is_none() => first,
            Ok(runs) => {
                self.trouble = None;
                self.all = runs;
                self.sift();
                true
            }
            Err(error) => self.trouble.replace(error.to_string()).is_none(),
        }
    }

    /// Sets what the list is filtered by.
    ///
    /// # Errors
    /// Says where the filter cannot be read; the old one stays.
    pub fn set_filter(&mut self, text: &str, problems: &[&'static dyn Problem]) -> Result<(), FilterError> {
        self.filter = Filter::parse(text, problems)?;
        text.trim().clone_into(&mut self.filter_text);
        self.sift();
        Ok(())
    }

    /// Sorts by the next order.
    pub fn next_order(&mut self) {
        self.order = (self.order + 1) % ORDERS.len();
        self.sift();
    }

    /// Chooses the run `by` further down.
    pub fn go(&mut self, by: isize) {
        self.chosen = self.chosen.saturating_add_signed(by).min(self.shown.len().saturating_sub(1));
        self.doomed = None;
    }

    /// The chosen run.
    #[must_use]
    pub fn chosen(&self) -> Option<&RunSummary> {
        self.shown.get(self.chosen).map(Arc::as_ref)
    }

    /// How many runs there are in all.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.all.len()
    }

    fn sift(&mut self) {
        let chosen = self.chosen().map(|run| run.id.clone());
        self.shown = self.all.iter().filter(|run| self.filter.admits(run)).cloned().collect();
        let (key, _, descending) = ORDERS[self.order];
        store::sort(&mut self.shown, key, descending);
        let at = chosen.and_then(|id| self.shown.iter().position(|run| run.id == id));
        self.chosen = at.unwrap_or(self.chosen).min(self.shown.len().saturating_sub(1));
    }
}
