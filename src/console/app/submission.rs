//! A task that puts many runs into the queue. Each run makes a folder, and the screen does not wait for that.

use super::screen_run::ScreenRun;
use crate::lab::store::Plan;
use crate::lab::{LabError, Problem, Queue, RunSpec, Sweep};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is to run.
pub(super) enum Points {
    /// Every point, finished or not.
    All(Sweep),
    /// The points without a finished run. The runs of finished points come on screen as well.
    Missing(Plan),
}

/// Runs that a task puts into the queue.
pub(super) struct Submission {
    number: usize,
    /// Index of the problem's tab.
    pub(super) tab: usize,
    /// Runs that are not in the queue yet.
    pub(super) left: usize,
    /// Runs that were put into the queue.
    queued: usize,
    /// Runs that are in the queue but not on screen yet. They are put on screen together.
    arrived: Vec<ScreenRun>,
    stop: Arc<AtomicBool>,
}

impl Submission {
    /// The submission number `number` of `count` runs, and the flag that stops it when it is set.
    pub(super) fn new(number: usize, tab: usize, count: usize) -> (Self, Arc<AtomicBool>) {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        (Self { number, tab, left: count, queued: 0, arrived: Vec::new(), stop }, flag)
    }

    /// Its number among the submissions.
    pub(super) const fn number(&self) -> usize {
        self.number
    }

    /// How many runs were put into the queue.
    pub(super) const fn queued(&self) -> usize {
        self.queued
    }

    /// Asks the task to submit no more runs.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Takes a run that was submitted, or that had finished before.
    pub(super) fn take(&mut self, run: ScreenRun) {
        if run.is_at_work() {
            self.left = self.left.saturating_sub(1);
            self.queued += 1;
        }
        self.arrived.push(run);
    }

    /// The runs that have come since the last call.
    pub(super) fn arrived(&mut self) -> Vec<ScreenRun> {
        std::mem::take(&mut self.arrived)
    }
}

/// Puts runs into the queue until all are there or `halt` is set, and hands each to `show`; then those that are not to
/// run again.
pub(super) fn put(
    points: Points,
    queue: &Queue,
    problems: &[&'static dyn Problem],
    halt: &AtomicBool,
    show: impl Fn(ScreenRun),
) -> Result<(), LabError> {
    let (mut known, mut early) = (Vec::new(), Vec::new());
    let fresh: Vec<RunSpec> = match points {
        Points::All(sweep) => sweep.specs_up_to(Sweep::MOST)?,
        Points::Missing(plan) => {
            known.extend(plan.finished.into_iter().chain(plan.underway));
            early.extend(plan.unfinished.into_iter().map(|(_, run)| run));
            plan.fresh
        }
    };
    let logs = &queue.places().logs;
    let halted = || halt.load(Ordering::Relaxed);
    for run in early {
        if halted() {
            return Ok(());
        }
        show(ScreenRun::live(queue.resume(&run.folder(logs), problems)?));
    }
    for spec in fresh {
        if halted() {
            return Ok(());
        }
        show(ScreenRun::live(queue.submit(spec)?));
    }
    for run in known {
        if halted() {
            return Ok(());
        }
        show(ScreenRun::stored(logs, &run, run.label.clone())?);
    }
    Ok(())
}
