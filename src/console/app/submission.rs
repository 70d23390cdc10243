//! Many runs on their way into the queue, on a thread of their own: each makes a folder, and the screen does not wait.

use super::ShownRun;
use crate::lab::slurm::JobArray;
use crate::lab::store::Plan;
use crate::lab::{LabError, Problem, Queue, RunSpec, Sweep};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

/// A sweep that is being handed to a cluster.
pub struct Submitting {
    /// Index of the problem's tab.
    pub tab: usize,
    /// What is swept.
    pub sweep: Sweep,
    /// Finished runs of its points.
    pub finished: HashSet<String>,
    /// What the cluster answers.
    pub answer: JoinHandle<Result<JobArray, LabError>>,
}

/// What is to run.
pub enum Points {
    /// Every point, finished or not.
    All(Sweep),
    /// What is not finished; what is comes on screen.
    Missing(Plan),
}

/// Runs on their way.
pub struct Submission {
    /// Index of the problem's tab.
    pub tab: usize,
    /// Runs that are not in the queue yet.
    pub left: usize,
    /// Runs that were put into the queue.
    pub queued: usize,
    receiver: Receiver<Result<ShownRun, LabError>>,
    stop: Arc<AtomicBool>,
}

/// What has come of a submission.
#[derive(Default)]
pub struct Arrived {
    /// Runs for the screen.
    pub runs: Vec<ShownRun>,
    /// Why no more will come.
    pub error: Option<LabError>,
    /// Whether that was all.
    pub over: bool,
}

impl Submission {
    /// Begins to submit.
    #[must_use]
    pub fn start(tab: usize, count: usize, points: Points, queue: &Queue, problems: Vec<&'static dyn Problem>) -> Self {
        let (sender, receiver) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (queue, halt) = (queue.clone(), Arc::clone(&stop));
        std::thread::spawn(move || {
            if let Err(error) = submit(points, &queue, &problems, &sender, &halt) {
                sender.send(Err(error)).ok();
            }
        });
        Self { tab, left: count, queued: 0, receiver, stop }
    }

    /// Takes what has come.
    pub fn arrived(&mut self) -> Arrived {
        let mut arrived = Arrived::default();
        loop {
            match self.receiver.try_recv() {
                Ok(Ok(run)) => {
                    if run.is_at_work() {
                        self.left = self.left.saturating_sub(1);
                        self.queued += 1;
                    }
                    arrived.runs.push(run);
                }
                Ok(Err(error)) => arrived.error = Some(error),
                Err(TryRecvError::Empty) => return arrived,
                Err(TryRecvError::Disconnected) => {
                    arrived.over = true;
                    return arrived;
                }
            }
        }
    }

    /// Submits no more.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn submit(
    points: Points,
    queue: &Queue,
    problems: &[&'static dyn Problem],
    sender: &Sender<Result<ShownRun, LabError>>,
    halt: &AtomicBool,
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
    // Nothing more is submitted once the screen has closed its end of the channel.
    let show = |run: ShownRun| sender.send(Ok(run)).is_ok() && !halt.load(Ordering::Relaxed);
    for run in early {
        let handle = queue.resume(&run.folder(logs), problems)?;
        if !show(ShownRun::live(handle)) {
            return Ok(());
        }
    }
    for spec in fresh {
        let handle = queue.submit(spec)?;
        if !show(ShownRun::live(handle)) {
            return Ok(());
        }
    }
    for run in &known {
        if !show(ShownRun::stored(logs, run, run.label.clone())?) {
            return Ok(());
        }
    }
    Ok(())
}
