//! A submitted run as the faces hold it.

use crate::lab::record::checkpoint::Hold;
use crate::lab::record::folder;
use crate::lab::record::lease::{Lease, Request};
use crate::lab::run::queue::SMALL_SECONDS;
use crate::lab::run::resumed::Resumed;
use crate::lab::{
    Control, Event, Journal, LabError, Observer, Row, RunRecord, RunSpec, RunState, RunSummary, Stamped, journal,
};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Events kept for a face that does not drain; what is beyond is read from the journal again.
const WAITING: usize = 1 << 16;

/// How long a look at the lock counts while events are written: a process that was cut off was so for longer.
const SURE: Duration = Duration::from_secs(1);

/// Why a run ends here that another process works on.
const TAKEN_OVER: &str = "another process has taken this run over";

/// A run of this process.
pub struct RunHandle {
    spec: RunSpec,
    record: RunRecord,
    folder: PathBuf,
    small: bool,
    control: Arc<Control>,
    lease: Mutex<Option<Lease>>,
    /// Set once another process has taken the run over.
    lost: AtomicBool,
    resumed: Mutex<Option<Resumed>>,
    live: Mutex<Live>,
    changed: Condvar,
}

struct Live {
    state: RunState,
    message: String,
    seconds: f64,
    refused: bool,
    rows: Vec<Row>,
    events: VecDeque<Stamped>,
    /// The newest progress that was not drained.
    progress: Option<Stamped>,
    /// Where in the journal the events begin that had no room above.
    behind: Option<u64>,
    /// Where in the journal the newest event ends.
    end: u64,
}

impl RunHandle {
    /// A run whose folder this process has just made or taken over; `resumed` if it has something behind it.
    pub(in crate::lab) fn new(
        spec: RunSpec,
        record: RunRecord,
        folder: PathBuf,
        lease: Lease,
        resumed: Option<Resumed>,
    ) -> Result<Self, LabError> {
        let mut journal = Journal::open(&folder).map_err(LabError::io("write the journal in", &folder))?;
        let t = resumed.as_ref().map_or(0.0, |resumed| resumed.seconds);
        let queued = Stamped { t, event: Event::state(RunState::Queued, "") };
        journal.append(&queued).map_err(LabError::Refused)?;
        let live = Live {
            state: RunState::Queued,
            message: String::new(),
            seconds: t,
            refused: false,
            rows: resumed.as_ref().map(|resumed| resumed.rows.clone()).unwrap_or_default(),
            events: VecDeque::new(),
            progress: None,
            behind: Some(0),
            end: journal.end(),
        };
        Ok(Self {
            small: spec.estimate().seconds.is_some_and(|seconds| seconds < SMALL_SECONDS),
            spec,
            record,
            folder,
            control: Arc::default(),
            lease: Mutex::new(Some(lease)),
            lost: AtomicBool::new(false),
            resumed: Mutex::new(resumed),
            live: Mutex::new(live),
            changed: Condvar::new(),
        })
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

    /// How far it is.
    #[must_use]
    pub fn state(&self) -> RunState {
        self.live().state
    }

    /// Why it is in that state, where that needs saying.
    #[must_use]
    pub fn message(&self) -> String {
        self.live().message.clone()
    }

    /// Whether it failed for what it was given (a file, a combination of parameters) and not for what it did.
    #[must_use]
    pub fn refused(&self) -> bool {
        self.live().refused
    }

    /// Says that what it was given is bad.
    pub(in crate::lab) fn refuse(&self) {
        self.live().refused = true;
    }

    /// The rows of the result table so far.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.live().rows.clone()
    }

    /// The run in short, as the store would list it.
    #[must_use]
    pub fn summary(&self) -> RunSummary {
        let (state, message, seconds, rows) = {
            let live = self.live();
            (live.state, live.message.clone(), live.seconds, live.rows.clone())
        };
        let mut document = folder::document(&self.spec, &self.record, rows);
        (document.state, document.message, document.seconds) = (state, message, seconds);
        document.into()
    }

    /// What has come since the last call; of several progresses only the newest. Never waits for the worker.
    #[must_use]
    pub fn drain(&self) -> Vec<Stamped> {
        let (events, missing, progress) = {
            let mut live = self.live();
            let missing = live.behind.take().map(|start| (start, live.end));
            (std::mem::take(&mut live.events), missing, live.progress.take())
        };
        let mut events = Vec::from(events);
        if let Some((start, end)) = missing {
            events.extend(journal::between(&self.folder, start, end));
        }
        events.extend(progress);
        events
    }

    /// Waits until nothing more will come.
    pub fn wait(&self) -> RunState {
        let mut live = self.live();
        while !live.state.is_final() {
            live = self.changed.wait(live).unwrap_or_else(PoisonError::into_inner);
        }
        live.state
    }

    /// Whether it may run beside others.
    pub(in crate::lab) const fn is_small(&self) -> bool {
        self.small
    }

    /// Shows other processes that this one works on the run.
    pub(in crate::lab) fn beat(&self) {
        if self.holds(Duration::ZERO)
            && let Some(lease) = lock(&self.lease).as_ref()
        {
            lease.beat();
        }
    }

    /// Whether the run is this process's, as seen at most `within` ago. Once another has taken it over, it is asked to
    /// end, and nothing of it may be written any more.
    pub(in crate::lab) fn holds(&self, within: Duration) -> bool {
        let gone = lock(&self.lease).as_mut().is_some_and(|lease| !lease.holds(within));
        if gone && !self.lost.swap(true, Ordering::SeqCst) {
            self.control.stop();
        }
        !self.lost.load(Ordering::SeqCst)
    }

    /// This process's hold on the run, just checked.
    pub(in crate::lab) fn fence(&self) -> Result<Hold, String> {
        if self.holds(Duration::ZERO) {
            let token = lock(&self.lease).as_ref().map_or(0, Lease::token);
            return Ok(Hold { token, journal: self.live().end });
        }
        Err(TAKEN_OVER.to_owned())
    }

    /// Ends the run here, without a word in its folder, if another process has taken it over; whether one has.
    pub(in crate::lab) fn release_if_lost(&self) -> bool {
        if self.holds(Duration::ZERO) {
            return false;
        }
        self.end(RunState::Lost, TAKEN_OVER);
        log::warn!(target: "lease", "{}: {TAKEN_OVER}", self.id());
        true
    }

    /// Grants what another process asks for.
    pub(in crate::lab) fn grant_request(&self) {
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

    /// What the run has behind it; for the worker, once.
    pub(in crate::lab) fn take_resumed(&self) -> Option<Resumed> {
        lock(&self.resumed).take()
    }

    /// Ends it without a journal to say so in.
    pub(in crate::lab) fn fail(&self, message: &str) {
        self.end(RunState::Failed, message);
    }

    fn end(&self, state: RunState, message: &str) {
        lock(&self.lease).take();
        self.publish(&Stamped { t: 0.0, event: Event::state(state, message) }, None);
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        lock(&self.live)
    }

    /// Makes an event visible that the journal has from byte `start` to `end`, or that is not kept (`None`).
    fn publish(&self, stamped: &Stamped, kept: Option<(u64, u64)>) {
        let mut live = self.live();
        live.seconds = live.seconds.max(stamped.t);
        for event in stamped.event.parts() {
            match event {
                Event::State { state, message } => {
                    live.state = *state;
                    live.message.clone_from(message);
                    self.changed.notify_all();
                }
                Event::Row { row } => live.rows.push(row.clone()),
                _ => {}
            }
        }
        if let Some((_, end)) = kept {
            live.end = end;
        }
        if matches!(stamped.event, Event::Progress(_)) {
            live.progress = Some(stamped.clone());
            return;
        }
        if live.behind.is_none() && live.events.len() < WAITING {
            live.events.extend(stamped.clone().into_parts());
        } else if let (None, Some((start, _))) = (live.behind, kept) {
            live.behind = Some(start);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes every event of a run into its journal and only then shows it to the handle.
///
/// Progress is journaled at most twice a second: it is for the eye, and a fast loop would fill the disk with it.
pub(in crate::lab) struct Recorder {
    handle: Arc<RunHandle>,
    journal: Journal,
    progress_at: f64,
}

impl Recorder {
    pub(in crate::lab) fn new(handle: Arc<RunHandle>, journal: Journal) -> Self {
        handle.live().end = journal.end();
        Self { handle, journal, progress_at: f64::NEG_INFINITY }
    }
}

impl Observer for Recorder {
    fn observe(&mut self, stamped: &Stamped) -> Result<(), String> {
        if let Event::Progress(progress) = &stamped.event {
            if stamped.t - self.progress_at < 0.5 && progress.done < progress.total {
                self.handle.publish(stamped, None);
                return Ok(());
            }
            self.progress_at = stamped.t;
        }
        if !self.handle.holds(SURE) {
            // Not kept and not shown: what the run tells now is the other process's to tell.
            return Ok(());
        }
        let start = self.journal.end();
        self.journal.append(stamped)?;
        if matches!(stamped.event, Event::State { state, .. } if state.is_final()) {
            // Whoever learns of the end may take the run over.
            lock(&self.handle.lease).take();
        }
        self.handle.publish(stamped, Some((start, self.journal.end())));
        Ok(())
    }

    fn on_blocked(&mut self, notice: &Stamped) {
        self.handle.publish(notice, None);
    }
}
