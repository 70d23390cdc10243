//! Many runs on their way into the queue, by a task: each makes a folder, and the screen does not wait.

use super::screen_run::ScreenRun;
use crate::lab::store::Plan;
use crate::lab::{LabError, Problem, Queue, RunSpec, Sweep};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is to run.
pub(super) enum Points {
    /// Every point, finished or not.
    All(Sweep),
    /// What is not finished; what is comes on screen.
    Missing(Plan),
}

/// Runs on their way.
pub(super) struct Submission {
    number: usize,
    /// Index of the problem's tab.
    pub(super) tab: usize,
    /// Runs that are not in the queue yet.
    pub(super) left: usize,
    /// Runs that were put into the queue.
    queued: usize,
    /// Runs that have come and are not on screen yet: they are put there together.
    arrived: Vec<ScreenRun>,
    stop: Arc<AtomicBool>,
}

impl Submission {
    /// Submission number `number` of `count` runs, of which none is in the queue yet; and the flag that stops it.
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

    /// Submits no more.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Takes a run that was submitted, or that was finished already.
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
