//! The opening page of a problem's tab: the runs at work elsewhere, the newest and the best ones.

use crate::console::widget::sparkline::thinned;
use crate::lab::journal::Tail;
use crate::lab::{Problem, Progress, RunState, RunSummary, RunView};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most runs at work on the page, and most of the newest ones.
const MOST: usize = 5;

/// Most of the best runs on the page.
const BEST: usize = 3;

/// Most values of a curve on the page.
const VALUES: usize = 48;

/// Why a run is on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HomePart {
    /// Another process works on it, on any problem.
    AtWork,
    /// It is one of the newest of the problem.
    Newest,
    /// It is one of the best of the problem.
    Best,
}

/// What the page shows of a run's journal.
#[derive(Clone, Debug, Default)]
pub struct RunGlance {
    /// The values of the curve that says most.
    pub curve: Vec<f64>,
    /// The newest progress of a run at work.
    pub progress: Option<Progress>,
}

/// A run at work, as far as its journal has been read.
struct ReadSoFar {
    view: RunView,
    tail: Tail,
}

/// The opening pages of every tab.
#[derive(Default)]
pub struct Home {
    /// The runs of each problem's page.
    pages: Vec<Vec<(HomePart, Arc<RunSummary>)>>,
    /// Index of the chosen run of each page.
    chosen: Vec<usize>,
    /// The number of runs that other processes work on.
    pub(super) elsewhere: usize,
    glances: HashMap<String, RunGlance>,
    reading: HashMap<String, ReadSoFar>,
    /// Whether a task reads journals.
    is_reading: bool,
    /// Whether such a task has failed: no other is started then.
    has_failed: bool,
}

impl Home {
    /// Takes the runs that there are, the newest first; those in `own` are this process's.
    pub(super) fn take(&mut self, all: &[Arc<RunSummary>], problems: &[&'static dyn Problem], own: &HashSet<String>) {
        let is_open = |run: &&Arc<RunSummary>| !run.state.is_final() && run.damage.is_none();
        let at_work: Vec<_> = all.iter().filter(is_open).filter(|run| !own.contains(&run.id)).cloned().collect();
        let at_work: Vec<_> =
            at_work.into_iter().filter(|run| problems.iter().any(|known| known.name() == run.problem)).collect();
        self.elsewhere = at_work.len();
        let page = |problem: &&'static dyn Problem| {
            let over = || all.iter().filter(|run| run.problem == problem.name() && run.state.is_final());
            let mut best: Vec<_> =
                over().filter(|run| run.state == RunState::Finished && run.headline.is_some()).collect();
            let sign = if problem.prefers_large() { -1.0 } else { 1.0 };
            let rank = |run: &RunSummary| sign * run.headline.unwrap_or(f64::NAN);
            best.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
            // Those of this problem first: they are what one comes back to.
            let (here, other): (Vec<_>, Vec<_>) = at_work.iter().partition(|run| run.problem == problem.name());
            let at_work = here.into_iter().chain(other).take(MOST).map(|run| (HomePart::AtWork, Arc::clone(run)));
            let newest = over().take(MOST).map(|run| (HomePart::Newest, Arc::clone(run)));
            let best = best.into_iter().take(BEST).map(|run| (HomePart::Best, Arc::clone(run)));
            at_work.chain(newest).chain(best).collect::<Vec<_>>()
        };
        self.pages = problems.iter().map(page).collect();
        self.chosen.resize(self.pages.len(), 0);
        for (chosen, page) in self.chosen.iter_mut().zip(&self.pages) {
            *chosen = (*chosen).min(page.len().saturating_sub(1));
        }
        let open: HashSet<&str> = at_work.iter().map(|run| run.id.as_str()).collect();
        // What has ended since is read once more, to its end.
        let ended: Vec<String> = self.reading.keys().filter(|id| !open.contains(id.as_str())).cloned().collect();
        for id in ended {
            self.reading.remove(&id);
            self.glances.remove(&id);
        }
    }

    /// The runs on the page of problem `index`.
    #[must_use]
    pub fn page(&self, index: usize) -> &[(HomePart, Arc<RunSummary>)] {
        self.pages.get(index).map_or(&[], Vec::as_slice)
    }

    /// Index of the chosen run of the page of problem `index`.
    #[must_use]
    pub fn chosen(&self, index: usize) -> usize {
        self.chosen.get(index).copied().unwrap_or(0)
    }

    /// Chooses the run `by` further down the page of problem `index`.
    pub(super) fn go(&mut self, index: usize, by: isize) {
        let last = self.page(index).len().saturating_sub(1);
        if let Some(chosen) = self.chosen.get_mut(index) {
            *chosen = chosen.saturating_add_signed(by).min(last);
        }
    }

    /// What is known of the run called `id`.
    #[must_use]
    pub fn glance(&self, id: &str) -> Option<&RunGlance> {
        self.glances.get(id)
    }

    /// Gives what a task needs to read the journals of the page of problem `index`: of runs at work always, of others once.
    /// Nothing is given while another task reads, and where there is nothing to read.
    pub(super) fn begin_read(&mut self, index: usize, logs: &Path) -> Option<HomeReader> {
        if self.is_reading || self.has_failed {
            return None;
        }
        let unread = |run: &&Arc<RunSummary>| !run.state.is_final() || !self.glances.contains_key(&run.id);
        let mut runs: Vec<_> = self.page(index).iter().map(|(_, run)| run).filter(unread).cloned().collect();
        runs.dedup_by(|a, b| a.id == b.id);
        if runs.is_empty() {
            return None;
        }
        self.is_reading = true;
        let entry = |run: Arc<RunSummary>| {
            let so_far = self.reading.remove(&run.id);
            (run.id.clone(), run.folder(logs), run.problem.clone(), so_far)
        };
        Some(HomeReader { runs: runs.into_iter().map(entry).collect() })
    }

    /// Takes what a task has read; none if it has failed.
    pub(super) fn end_read(&mut self, read: Option<HomeRead>) {
        self.is_reading = false;
        self.has_failed |= read.is_none();
        for (id, glance, so_far) in read.into_iter().flat_map(|read| read.runs) {
            if let Some(so_far) = so_far {
                self.reading.insert(id.clone(), so_far);
            }
            self.glances.insert(id, glance);
        }
    }
}

/// The journals that a task reads.
pub(super) struct HomeReader {
    runs: Vec<(String, PathBuf, String, Option<ReadSoFar>)>,
}

/// What a task has read.
pub(super) struct HomeRead {
    runs: Vec<(String, RunGlance, Option<ReadSoFar>)>,
}

impl HomeReader {
    /// Reads on in the journals. A journal that cannot be read has no curve.
    pub(super) fn read(self, problems: &[&'static dyn Problem]) -> HomeRead {
        let read = |(id, folder, problem, so_far): (String, PathBuf, String, Option<ReadSoFar>)| {
            let new = || ReadSoFar { view: RunView::default(), tail: Tail::new(&folder) };
            let mut so_far = so_far.unwrap_or_else(new);
            if so_far.view.follow(&folder, &mut so_far.tail).is_err() {
                return (id, RunGlance::default(), None);
            }
            let live = problems.iter().find(|known| known.name() == problem).and_then(|problem| problem.live());
            let glance = RunGlance { curve: curve(&so_far.view, live), progress: so_far.view.progress.clone() };
            let is_open = !so_far.view.state.is_final();
            (id, glance, is_open.then_some(so_far))
        };
        HomeRead { runs: self.runs.into_iter().map(read).collect() }
    }
}

/// The values of the series called `live`, or of the first one that is a curve where there is no such.
fn curve(view: &RunView, live: Option<&str>) -> Vec<f64> {
    let is_curve = |series: &&crate::lab::SeriesView| series.points.len() > 1;
    let named = view.series.iter().filter(is_curve).find(|series| Some(series.series.id.as_str()) == live);
    let series = named.or_else(|| view.series.iter().find(is_curve));
    let values: Vec<f64> = series
        .map_or_else(Vec::new, |series| series.points.iter().map(|point| point.y).filter(|y| y.is_finite()).collect());
    thinned(&values, VALUES)
}
