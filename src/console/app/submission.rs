//! Many runs on their way into the queue, by a task: each makes a folder, and the screen does not wait.

use super::task::{Origin, Outbox};
use super::{App, ShownRun, Tone};
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
    pub tab: usize,
    /// Runs that are not in the queue yet.
    pub left: usize,
    /// Runs that were put into the queue.
    queued: usize,
    /// Runs that have come and are not on screen yet: they are put there together.
    arrived: Vec<ShownRun>,
    stop: Arc<AtomicBool>,
}

impl Submission {
    /// Submits no more.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl App {
    /// Begins to put `count` runs into the queue and on the screen of tab `tab`.
    pub(super) fn submit(&mut self, tab: usize, count: usize, points: Points) {
        let number = self.submitted;
        self.submitted += 1;
        let stop = Arc::new(AtomicBool::new(false));
        let (queue, halt) = (self.queue.clone(), Arc::clone(&stop));
        let problems: Vec<_> = self.tabs.iter().map(|tab| tab.problem).collect();
        let work = move |outbox: &Outbox<Self>| {
            let show = |run| outbox.send(move |app: &mut Self| app.take_submitted(number, run));
            put(points, &queue, &problems, &halt, show).map_err(|error| error.to_string())
        };
        let arrived = Vec::new();
        self.submissions.push(Submission { number, tab, left: count, queued: 0, arrived, stop });
        self.tasks.start(format!("queueing {count} runs"), Origin::User, work, move |app: &mut Self, outcome| {
            app.show_submitted();
            app.stale = true;
            let at = app.submissions.iter().position(|submission| submission.number == number);
            let queued = at.map_or(0, |at| app.submissions.remove(at).queued);
            match outcome {
                Err(reason) => app.say(reason, Tone::Bad),
                Ok(()) if queued == 0 => app.say("every point is finished: their runs are on screen", Tone::Good),
                Ok(()) => app.say(format!("{queued} runs queued"), Tone::Good),
            }
        });
    }

    /// Takes a run that was submitted, or that was finished already.
    fn take_submitted(&mut self, number: usize, run: ShownRun) {
        let Some(submission) = self.submissions.iter_mut().find(|submission| submission.number == number) else {
            return;
        };
        if run.is_at_work() {
            submission.left = submission.left.saturating_sub(1);
            submission.queued += 1;
        }
        submission.arrived.push(run);
    }

    /// Puts the runs on screen that have come.
    pub(super) fn show_submitted(&mut self) {
        for submission in self.submissions.iter_mut().filter(|submission| !submission.arrived.is_empty()) {
            self.tabs[submission.tab].show_all(std::mem::take(&mut submission.arrived));
            self.stale = true;
        }
    }

    /// Asks every run of this process to stop, and submits no more.
    pub fn stop_all(&self) {
        self.submissions.iter().for_each(Submission::stop);
        self.queue.handles().iter().for_each(|handle| handle.control().stop());
    }
}

/// Puts runs into the queue until all are there or `halt` is set, and hands each to `show`; then those that are not to
/// run again.
fn put(
    points: Points,
    queue: &Queue,
    problems: &[&'static dyn Problem],
    halt: &AtomicBool,
    show: impl Fn(ShownRun),
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
        show(ShownRun::live(queue.resume(&run.folder(logs), problems)?));
    }
    for spec in fresh {
        if halted() {
            return Ok(());
        }
        show(ShownRun::live(queue.submit(spec)?));
    }
    for run in known {
        if halted() {
            return Ok(());
        }
        show(ShownRun::stored(logs, &run, run.label.clone())?);
    }
    Ok(())
}
