//! The work of one element of the array: it runs its points, each in a run folder, and resumes those that an earlier try
//! has begun.

use super::array::JobArray;
use crate::lab::{
    LabError, Owner, Places, Problem, Queue, Request, Resumption, RunHandle, RunSpec, RunState, RunSummary, came_to,
};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait for the process of an earlier try after it was asked to stop. The process of a node that is gone
/// updates its lock no more, and seems dead after a minute.
const ORPHAN: Duration = Duration::from_secs(90);

/// How an element's work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every point has a finished run, or one that came as far as the array goes.
    Complete,
    /// It was told to end; the next try resumes the runs from their checkpoints.
    Stopped,
    /// Some runs failed, and why is in their folders.
    Failed {
        /// How many.
        runs: usize,
    },
}

/// Works on element `element` of the sweep with `cores` cores, until `stop` says otherwise.
///
/// # Errors
/// The sweep's files cannot be read, or runs cannot be written.
pub fn work(
    sweep: &JobArray,
    element: usize,
    cores: usize,
    problems: &[&'static dyn Problem],
    stop: &mut dyn FnMut() -> bool,
) -> Result<Ending, LabError> {
    let plan = sweep.plan_ref();
    let specs = sweep.specs(problems)?;
    let first = element * plan.element_points;
    if first >= specs.len() {
        let allowed = format!("0 to {}", plan.elements() - 1);
        return Err(crate::lab::ParamError::new("element", element.to_string(), allowed).into());
    }
    let places = Places { logs: plan.logs.clone(), data: plan.data.clone(), ..Places::default() };
    let queue = Queue::within(places, cores)?;
    let (mut handles, mut refused) = (Vec::new(), 0);
    let last = (first + plan.element_points).min(specs.len());
    for (index, spec) in specs.into_iter().enumerate().take(last).skip(first) {
        spec.warn_of_unread();
        match begin(sweep, index, spec, &queue, problems) {
            Ok(handle) => handles.extend(handle),
            // One point that cannot be worked on does not keep the others from being done.
            Err(error) => {
                log::error!(target: "sweep", "point {index}: {error}");
                refused += 1;
            }
        }
    }
    let mut stopping = false;
    while handles.iter().any(|handle| !handle.state().is_final()) {
        if !stopping && stop() {
            stopping = true;
            handles.iter().for_each(|handle| handle.control().stop());
        }
        thread::sleep(Duration::from_millis(20));
    }
    queue.shutdown(false);
    let (mut failed, mut complete) = (refused, true);
    for handle in &handles {
        let is_done = came_to(handle.state(), handle.folder(), plan.hold())?;
        failed += usize::from(!is_done && handle.state() != RunState::Stopped);
        complete &= is_done;
    }
    Ok(match (failed, complete) {
        (0, true) => Ending::Complete,
        (0, false) => Ending::Stopped,
        _ => Ending::Failed { runs: failed },
    })
}

/// Begins point `index` or goes on with it; nothing where it is finished, or came as far as the array goes.
fn begin(
    sweep: &JobArray,
    index: usize,
    spec: RunSpec,
    queue: &Queue,
    problems: &[&'static dyn Problem],
) -> Result<Option<Arc<RunHandle>>, LabError> {
    let hold = sweep.plan_ref().hold();
    let held_at = hold.map(|hold| hold.x);
    if let Some(folder) = sweep.run(index) {
        let is_done = || came_to(RunSummary::read(&folder).state, &folder, hold);
        if is_done()? {
            return Ok(None);
        }
        release(&folder)?;
        // The process of the earlier try may have finished the run while it was waited for.
        if is_done()? {
            return Ok(None);
        }
        let how = Resumption { hold: held_at, ..Resumption::default() };
        return queue.go_on(&folder, problems, &how).map(Some);
    }
    let handle = queue.submit_until(spec, held_at)?;
    sweep.set_run(index, handle.id())?;
    Ok(Some(handle))
}

/// Waits until the process of an earlier try has stopped at a checkpoint, if one still works on the run in `folder`: two
/// processes must never write into one folder.
fn release(folder: &Path) -> Result<(), LabError> {
    let began = Instant::now();
    while let Some(owner) = Owner::of(folder) {
        if began.elapsed() > ORPHAN {
            let id = folder.file_name().unwrap_or_default().to_string_lossy();
            let Owner { host, pid, .. } = owner;
            return Err(LabError::Refused(format!(
                "{id}: process {pid} on {host} works on this run and does not stop"
            )));
        }
        // This fails where the process has just ended, which is what is wanted.
        Request::Stop.send(folder).ok();
        thread::sleep(Duration::from_millis(500));
    }
    Ok(())
}
