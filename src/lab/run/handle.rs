//! A submitted run as the faces hold it.

use crate::lab::LabError;
use crate::lab::event::{Event, Row, RunState, Stamped};
use crate::lab::plan::RunSpec;
use crate::lab::record::folder::{Document, RunRecord};
use crate::lab::record::journal;
use crate::lab::record::lease::{Lease, Request, Standing};
use crate::lab::run::control::Control;
use crate::lab::run::describe;
use crate::lab::run::resumed::Resumed;
use crate::lab::run::view::RunView;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Events kept for a face that does not drain; what is beyond is read from the journal again.
const WAITING: usize = 1 << 16;

/// Why a run ends here that another process works on.
const TAKEN_OVER: &str = "another process has taken this run over";

/// Why a run ends whose folder is gone.
const GONE: &str = "the run's folder was removed while it was worked on";

/// A run of this process.
pub struct RunHandle {
    spec: RunSpec,
    record: RunRecord,
    folder: PathBuf,
    small: bool,
    estimated_bytes: Option<u64>,
    /// How many such large runs may work beside each other.
    side_by_side: usize,
    control: Arc<Control>,
    lease: Lease,
    /// Set once this process has lost the run: another has taken it over, or its folder is gone.
    lost: AtomicBool,
    resumed: Mutex<Option<Resumed>>,
    /// Where it is to be held for now.
    hold: Option<f64>,
    live: Mutex<Live>,
    changed: Condvar,
}

struct Live {
    /// Everything the run has said.
    view: RunView,
    /// Whether it failed for what it was given.
    refused: bool,
    /// Where in the journal the newest event ends.
    end: u64,
    /// What has come since a face drained last; none before the first time, when the view has it all.
    pending: Option<Pending>,
}

#[derive(Default)]
struct Pending {
    events: VecDeque<Stamped>,
    /// The newest progress.
    progress: Option<Stamped>,
    /// Where in the journal the events begin that had no room above.
    behind: Option<u64>,
}

impl RunHandle {
    /// A run whose folder this process has just made or taken over. `before` is what its journal says and `end` where
    /// that ends; `resumed` is there if the run has something behind it, and
    /// `hold` where it is to be held for now.
    pub(super) fn new(
        spec: RunSpec,
        record: RunRecord,
        folder: PathBuf,
        lease: Lease,
        (before, end): (RunView, u64),
        (resumed, hold): (Option<Resumed>, Option<f64>),
    ) -> Self {
        let estimate = spec.estimate();
        Self {
            small: estimate.is_small(),
            estimated_bytes: estimate.bytes,
            side_by_side: spec.problem.side_by_side(&spec.params),
            spec,
            record,
            folder,
            control: Arc::default(),
            lease,
            lost: AtomicBool::new(false),
            resumed: Mutex::new(resumed),
            hold,
            live: Mutex::new(Live { view: before, refused: false, end, pending: None }),
            changed: Condvar::new(),
        }
    }

    /// Its folder's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.record.run.id
    }

    /// What is run.
    #[must_use]
    pub const fn spec(&self) -> &RunSpec {
        &self.spec
    }

    /// What `run.toml` says.
    #[must_use]
    pub const fn record(&self) -> &RunRecord {
        &self.record
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Pause, proceed, stop.
    #[must_use]
    pub const fn control(&self) -> &Arc<Control> {
        &self.control
    }

    /// What `look` finds in everything the run has said so far. The run waits meanwhile: look briefly.
    pub fn with_view<T>(&self, look: impl FnOnce(&RunView) -> T) -> T {
        look(&self.live().view)
    }

    /// How far it is.
    #[must_use]
    pub fn state(&self) -> RunState {
        self.live().view.state
    }

    /// Why it is in that state, where that needs saying.
    #[must_use]
    pub fn message(&self) -> String {
        self.with_view(|view| view.message.clone())
    }

    /// The rows of the result table so far.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.with_view(|view| view.rows.clone())
    }

    /// What has come out so far, as `summary.json` says it in the end.
    #[must_use]
    pub fn document(&self) -> Document {
        self.with_view(|view| describe::document(&self.spec, &self.record, view))
    }

    /// Whether it failed for what it was given (a file, a combination of parameters) and not for what it did.
    #[must_use]
    pub fn refused(&self) -> bool {
        self.live().refused
    }

    /// Says that what it was given is bad.
    pub(super) fn refuse(&self) {
        self.live().refused = true;
    }

    /// What has come since the last call, at the first call everything there is; of several progresses only the newest.
    /// Bursts come as the events they hold. Never waits for the worker.
    #[must_use]
    pub fn drain(&self) -> Vec<Stamped> {
        let (mut events, missing, progress) = {
            let mut live = self.live();
            let end = live.end;
            let Some(pending) = live.pending.replace(Pending::default()) else { return live.view.to_events() };
            (Vec::from(pending.events), pending.behind.map(|start| (start, end)), pending.progress)
        };
        if let Some((start, end)) = missing {
            events.extend(journal::between(&self.folder, start, end));
        }
        events.extend(progress);
        events
    }

    /// Waits until nothing more will come.
    pub fn wait(&self) -> RunState {
        let mut live = self.live();
        while !live.view.state.is_final() {
            live = self.changed.wait(live).unwrap_or_else(PoisonError::into_inner);
        }
        live.view.state
    }

    /// Whether it may run beside others.
    pub(super) const fn is_small(&self) -> bool {
        self.small
    }

    /// The peak memory that its problem expects.
    pub(super) const fn estimated_bytes(&self) -> Option<u64> {
        self.estimated_bytes
    }

    /// The cores it takes beside other runs: one for a small run, as many as the threads that a large one asks for, or all.
    pub(super) fn cores(&self) -> usize {
        if self.small { 1 } else { self.spec.threads().unwrap_or(usize::MAX) }
    }

    /// How many large runs like it may work beside each other.
    pub(super) const fn side_by_side(&self) -> usize {
        self.side_by_side
    }

    /// Shows other processes that this one works on the run.
    pub(super) fn beat(&self) {
        if self.holds(Duration::ZERO) && !self.state().is_final() {
            self.lease.beat();
        }
    }

    /// Whether the run is this process's, as seen at most `within` ago. Once it is not, it is asked to end, and nothing
    /// of it may be written any more.
    pub(super) fn holds(&self, within: Duration) -> bool {
        if !self.lost.load(Ordering::SeqCst)
            && self.lease.standing(within) != Standing::Held
            && !self.lost.swap(true, Ordering::SeqCst)
        {
            self.control.stop();
        }
        !self.lost.load(Ordering::SeqCst)
    }

    /// Where the journal ends.
    ///
    /// # Errors
    /// The run is not this process's any more.
    pub(super) fn fence(&self) -> Result<u64, LabError> {
        if self.holds(Duration::ZERO) {
            return Ok(self.live().end);
        }
        Err(LabError::Lost(self.why_lost()))
    }

    fn why_lost(&self) -> &'static str {
        if self.lease.standing(Duration::ZERO) == Standing::Gone { GONE } else { TAKEN_OVER }
    }

    /// Ends the run here, without a word in its folder, if this process has lost it. Returns whether it
    /// has.
    pub(super) fn release_if_lost(&self) -> bool {
        if self.holds(Duration::ZERO) {
            return false;
        }
        let why = self.why_lost();
        self.end(RunState::Lost, why);
        log::warn!(target: "lease", "{}: {why}", self.id());
        true
    }

    /// Grants what another process asks for.
    pub(super) fn grant_request(&self) {
        if !Request::is_pending(&self.folder) || !self.holds(Duration::ZERO) {
            return;
        }
        match Request::take(&self.folder) {
            Some(Request::Pause) => self.control.pause(),
            Some(Request::Proceed) => self.control.proceed(),
            Some(Request::Stop) => self.control.stop(),
            None => {}
        }
    }

    /// Where the run is to be held for now.
    pub(super) const fn hold(&self) -> Option<f64> {
        self.hold
    }

    /// What the run has behind it; for the worker, once.
    pub(super) fn take_resumed(&self) -> Option<Resumed> {
        lock(&self.resumed).take()
    }

    /// Ends it without a journal to say so in.
    pub(super) fn fail(&self, message: &str) {
        self.end(RunState::Failed, message);
    }

    fn end(&self, state: RunState, message: &str) {
        self.lease.release();
        self.publish(&Stamped { t: 0.0, event: Event::state(state, message) }, None);
    }

    /// Lets other processes take the run, which is over.
    pub(super) fn release(&self) {
        self.lease.release();
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        lock(&self.live)
    }

    /// Makes an event visible that the journal has from byte `start` to `end`, or that is not kept (`None`).
    pub(super) fn publish(&self, stamped: &Stamped, kept: Option<(u64, u64)>) {
        let mut live = self.live();
        live.view.fold(stamped);
        if live.view.state.is_final() {
            self.changed.notify_all();
        }
        if let Some((_, end)) = kept {
            live.end = end;
        }
        let Some(pending) = &mut live.pending else { return };
        let is_progress = |part: &Stamped| matches!(part.event, Event::Progress(_));
        let (progress, others): (Vec<_>, Vec<_>) = stamped.clone().into_parts().into_iter().partition(is_progress);
        if let Some(newest) = progress.into_iter().next_back() {
            pending.progress = Some(newest);
        }
        if others.is_empty() {
            return;
        }
        if pending.behind.is_none() && pending.events.len() < WAITING {
            pending.events.extend(others);
        } else if let (None, Some((start, _))) = (pending.behind, kept) {
            pending.behind = Some(start);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
