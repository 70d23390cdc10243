//! How runs get into a queue: new ones, and those that go on.

use super::Queue;
use crate::lab::LabError;
use crate::lab::event::{Event, RunState, Stamped};
use crate::lab::param::ParamError;
use crate::lab::plan::{Preset, RunSpec, Sweep};
use crate::lab::record::checkpoint;
use crate::lab::record::folder::{self, RunRecord};
use crate::lab::record::journal::Journal;
use crate::lab::record::lease::Lease;
use crate::lab::run::describe;
use crate::lab::run::handle::RunHandle;
use crate::lab::run::problem::Problem;
use crate::lab::run::resumed::Resumed;
use crate::lab::run::view::RunView;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// How a run goes on.
#[derive(Clone, Debug, Default)]
pub struct Resumption {
    /// Whether it works from its beginning, without its checkpoint, and keeps what it has emitted.
    pub restart: bool,
    /// Where it is held, as [`Queue::submit_until`] says.
    pub hold: Option<f64>,
    /// New texts of parameters that results do not depend on, by key. They are written into the run's record.
    pub changes: Vec<(String, String)>,
}

impl Resumption {
    /// Makes the changes to the one run of `sweep`.
    fn change(&self, sweep: &mut Sweep) -> Result<(), ParamError> {
        let schema = sweep.problem.schema();
        for (key, text) in &self.changes {
            if schema.require(key)?.determines_result {
                let free: Vec<_> =
                    schema.iter().filter(|param| !param.determines_result).map(|param| param.key).collect();
                let allowed =
                    format!("only what results do not depend on may change in a run that goes on: {}", free.join(", "));
                return Err(ParamError::new(key, text, allowed));
            }
            sweep.draft.set(&schema, key, text)?;
        }
        Ok(())
    }
}

impl Queue {
    /// Makes the run's folder and queues the run.
    ///
    /// # Errors
    /// The folder cannot be made, or the queue is shut down.
    pub fn submit(&self, spec: RunSpec) -> Result<Arc<RunHandle>, LabError> {
        self.submit_until(spec, None)
    }

    /// As [`Queue::submit`]; with `hold` the run is held there, on the axis of its problem's live series, as stopped.
    ///
    /// # Errors
    /// As [`Queue::submit`].
    pub fn submit_until(&self, spec: RunSpec, hold: Option<f64>) -> Result<Arc<RunHandle>, LabError> {
        self.shared.refuse_if_shut()?;
        let describe = |id, now| describe::record(&spec, id, now);
        let name = spec.problem.name();
        let (folder, record, lease, end) = folder::create(&self.shared.places.logs, name, &spec.label(), describe)?;
        let before = (RunView::default(), end);
        Ok(self.enqueue(RunHandle::new(spec, record, folder, lease, before, (None, hold))))
    }

    /// Queues the run in `folder` to go on from its last checkpoint, in the same folder: one that was stopped, failed
    /// or diverged, or whose process is gone.
    ///
    /// # Errors
    /// [`LabError::Busy`] when a process works on the run, [`LabError::Finished`] when nothing is left to do,
    /// [`LabError::Checkpoint`] when its checkpoint is damaged or another run's; its files cannot be read, or its
    /// parameters were changed since it began.
    pub fn resume(&self, folder: &Path, problems: &[&'static dyn Problem]) -> Result<Arc<RunHandle>, LabError> {
        self.go_on(folder, problems, &Resumption::default())
    }

    /// As [`Queue::resume`], in the way that `how` says.
    ///
    /// # Errors
    /// As [`Queue::resume`], but for the checkpoint where it is left aside; [`LabError::Param`] for a change that is not allowed.
    pub fn go_on(
        &self,
        folder: &Path,
        problems: &[&'static dyn Problem],
        how: &Resumption,
    ) -> Result<Arc<RunHandle>, LabError> {
        self.shared.refuse_if_shut()?;
        let mut record = RunRecord::read(folder)?;
        let path = folder.join(folder::RECORD);
        let mut sweep = Preset::read(&path, problems)?.sweep.allowing_unread();
        how.change(&mut sweep)?;
        sweep.warn_of_unread();
        let specs = sweep.specs()?;
        let [mut spec] = <[RunSpec; 1]>::try_from(specs)
            .map_err(|specs| LabError::content(&path, None, format!("stands for {} runs, not for one", specs.len())))?;
        spec.title = Some(record.title.clone()).filter(|title| !title.is_empty());
        describe::refuse_if_changed(&spec, &record, &path)?;
        let lease = Lease::take(folder)?;
        if lease.from_afar {
            Journal::part_from_others(folder)?;
        }
        checkpoint::clear(folder);
        if how.restart {
            checkpoint::discard(folder);
        }
        let (mut view, resumed) = Resumed::read(folder, spec.problem.columns(), &record.run.point)?;
        if view.state == RunState::Finished {
            return Err(LabError::Finished { id: record.run.id });
        }
        if !how.changes.is_empty() {
            describe::change(&spec, &mut record);
            record.write(folder)?;
        }
        let queued = Stamped { t: view.seconds, event: Event::state(RunState::Queued, "") };
        let mut journal = Journal::open(folder)?;
        journal.append(&queued)?;
        view.fold(&queued);
        // The results of the part before are not those of the run any more.
        fs::remove_file(folder.join(folder::SUMMARY)).ok();
        let before = (view, journal.end());
        Ok(self.enqueue(RunHandle::new(spec, record, folder.to_owned(), lease, before, (Some(resumed), how.hold))))
    }

    fn enqueue(&self, handle: RunHandle) -> Arc<RunHandle> {
        let handle = Arc::new(handle);
        let shared = Arc::downgrade(&self.shared);
        handle.control().on_request(move || {
            if let Some(shared) = shared.upgrade() {
                shared.start_what_can();
            }
        });
        let mut runs = self.shared.runs();
        // A run that goes on takes the place of its handle from before.
        runs.handles.retain(|known| known.id() != handle.id());
        runs.handles.push(Arc::clone(&handle));
        runs.waiting.push_back(Arc::clone(&handle));
        drop(runs);
        self.shared.start_what_can();
        handle
    }
}
