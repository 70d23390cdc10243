//! The queue: submitted runs wait for their turn, run on threads of their own and leave folders behind.
//!
//! Small runs (under [`SMALL_SECONDS`](crate::lab::SMALL_SECONDS) by their problem's estimate) run beside each other; a
//! large one runs alone and has every core to itself, unless it asks for fewer threads, or runs like it work beside each other, each on a
//! GPU. A paused run does not count: the next may start.

use crate::lab::LabError;
use crate::lab::event::{Event, RunState, Stamped};
use crate::lab::record::folder;
use crate::lab::record::journal::Journal;
use crate::lab::record::lease;
use crate::lab::record::places::Places;
use crate::lab::record::run_log::Working;
use crate::lab::record::{checkpoint, files};
use crate::lab::run::context::{RunContext, Writing};
use crate::lab::run::error::RunError;
use crate::lab::run::handle::RunHandle;
use crate::lab::run::outbox::Observer;
use crate::lab::run::peak::PeakMeter;
use crate::lab::run::recorder::Recorder;
use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

mod opening;
mod taking;

pub use taking::Resumption;

/// Runs submitted runs.
#[derive(Clone)]
pub struct Queue {
    shared: Arc<Shared>,
}

struct Shared {
    places: Places,
    workers: usize,
    /// Threads that a run which has the machine to itself may take; 0 for every core.
    cores: usize,
    /// Whether files can be written into the directory of runs, as far as is known.
    is_proven: AtomicBool,
    /// How many runs have begun to work.
    begun: Arc<AtomicUsize>,
    runs: Mutex<Runs>,
    changed: Condvar,
}

#[derive(Default)]
struct Runs {
    handles: Vec<Arc<RunHandle>>,
    waiting: VecDeque<Arc<RunHandle>>,
    running: Vec<Arc<RunHandle>>,
    closed: bool,
}

impl Queue {
    /// Where things lie.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.shared.places
    }

    /// Every run submitted, in order.
    #[must_use]
    pub fn handles(&self) -> Vec<Arc<RunHandle>> {
        self.shared.runs().handles.clone()
    }

    /// Takes no more runs and waits until every run is over; with `stop` they are asked to end at their next step,
    /// and those that wait for their turn never begin.
    pub fn shutdown(&self, stop: bool) {
        let left: Vec<_> = {
            let mut runs = self.shared.runs();
            runs.closed = true;
            runs.waiting.iter().chain(&runs.running).map(Arc::clone).collect()
        };
        if stop {
            left.iter().for_each(|handle| handle.control().stop());
        }
        let mut runs = self.shared.runs();
        while !(runs.waiting.is_empty() && runs.running.is_empty()) {
            runs = self.shared.changed.wait(runs).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Shared {
    fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses runs where the queue is shut down, or nothing can be written into the directory of runs still.
    fn refuse_if_shut(&self) -> Result<(), LabError> {
        if self.runs().closed {
            return Err(LabError::Refused("no run is taken any more: the program is ending".to_owned()));
        }
        if !self.is_proven.load(Ordering::Relaxed) {
            self.places.prepare()?;
            self.is_proven.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Starts the runs at the head of the queue that may run now.
    fn start_what_can(self: &Arc<Self>) {
        let mut runs = self.runs();
        while let Some((index, alone)) = self.next(&runs) {
            let Some(handle) = runs.waiting.remove(index) else { break };
            let place = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
            let peak_place = Some(place).filter(|_| runs.running.is_empty());
            runs.running.push(Arc::clone(&handle));
            let (shared, run) = (Arc::clone(self), Arc::clone(&handle));
            let begun = thread::Builder::new().name(format!("run {}", handle.id())).spawn(move || {
                shared.work(&run, alone, peak_place);
                shared.leave(&run);
            });
            if let Err(error) = begun {
                handle.fail(&LabError::System { what: "start a thread", source: error }.to_string());
                runs.running.retain(|run| !Arc::ptr_eq(run, &handle));
                self.changed.notify_all();
            }
        }
    }

    /// Which of the waiting runs may begin now, and whether it has the machine to itself.
    fn next(&self, runs: &Runs) -> Option<(usize, bool)> {
        // A run that was stopped while it waited ends at once.
        if let Some(index) = runs.waiting.iter().position(|run| run.control().is_stopping()) {
            return Some((index, false));
        }
        let next = runs.waiting.front()?;
        let busy: Vec<_> = runs.running.iter().filter(|run| run.state() != RunState::Paused).collect();
        let taken = busy.iter().map(|run| run.cores()).fold(0, usize::saturating_add);
        let fits = taken.saturating_add(next.cores()) <= self.workers;
        let side = next.side_by_side();
        let apart = side > busy.len() && busy.iter().all(|run| run.side_by_side() > 1);
        // A small run with nobody beside it and nobody behind it has the machine to itself as well.
        let alone = busy.is_empty() && (!next.is_small() || runs.waiting.len() == 1);
        (busy.is_empty() || apart || fits).then_some((0, alone))
    }

    /// Takes a run that is over out of those that run.
    fn leave(self: &Arc<Self>, handle: &Arc<RunHandle>) {
        self.runs().running.retain(|run| !Arc::ptr_eq(run, handle));
        self.changed.notify_all();
        self.start_what_can();
    }

    /// Does one run from its first to its last event. One with a `peak_place` is the only one that works now, and the so many-th
    /// that has begun.
    fn work(self: &Arc<Self>, handle: &Arc<RunHandle>, alone: bool, peak_place: Option<usize>) {
        if handle.release_if_lost() {
            return;
        }
        // Opened only now: as many files may not be open as runs may wait.
        let journal = match Journal::open(handle.folder()) {
            Ok(journal) => journal,
            Err(error) => return handle.fail(&error.to_string()),
        };
        let working = Working::on(handle.folder());
        log::info!(target: "run", "{}: {}", handle.id(), handle.record().run.command);
        let recorder = Recorder::new(Arc::clone(handle), journal);
        let spec = handle.spec();
        let observers: Vec<Box<dyn Observer>> = vec![Box::new(recorder), Box::new(Turn(Arc::downgrade(self)))];
        let mut context = RunContext::new(spec.seed(), handle.folder(), Arc::clone(handle.control()), observers)
            .with_data(&self.places.data)
            .with_columns(spec.problem.columns())
            .with_point(&handle.record().run.point)
            .with_fence({
                let handle = Arc::clone(handle);
                Box::new(move || handle.fence())
            })
            .with_hold(handle.hold())
            .with_memory(peak_place.and_then(|place| PeakMeter::begin(&self.begun, place)), handle.estimated_bytes())
            .with_threads(if alone { self.cores } else { 1 });
        let resumed = handle.take_resumed();
        let goes_on = resumed.is_some();
        let message = match &resumed {
            None => "",
            Some(resumed) if resumed.lost_events => "begins again: lines of its journal are lost",
            Some(_) => "goes on",
        };
        if let Some(resumed) = resumed {
            context = context.with_resumed(resumed);
        }
        let outcome = if handle.control().is_stopping() {
            Err(RunError::Stopped)
        } else {
            context.emit(Event::state(RunState::Running, message));
            let version = &handle.record().run.version;
            if goes_on && version != env!("CARGO_PKG_VERSION") {
                context.note(format!("begun by version {version}, continued by {}", env!("CARGO_PKG_VERSION")));
            }
            // A panic may leave the job's own state broken, which is dropped with it; every lock that outlives the job
            // recovers from being poisoned.
            catch_unwind(AssertUnwindSafe(|| spec.problem.run(&spec.params, &mut context))).unwrap_or_else(|payload| {
                Err(RunError::Failed(format!("panicked: {}", panic_message(payload.as_ref()))))
            })
        };
        if outcome.as_ref().is_err_and(RunError::is_bad_input) {
            handle.refuse();
        }
        let (mut state, mut message) = match outcome {
            Ok(()) => (RunState::Finished, String::new()),
            Err(RunError::Stopped) => (RunState::Stopped, String::new()),
            Err(RunError::Held(how_far)) => (RunState::Stopped, how_far),
            Err(RunError::Diverged(what)) => (RunState::Diverged, what),
            Err(error) => (RunState::Failed, error.to_string()),
        };
        // Rows that wait for room belong to the summary.
        context.hold();
        if !handle.holds(Duration::ZERO) {
            // Logged by the program, not in the log of a run that is another process's.
            drop(working);
            handle.release_if_lost();
            return;
        }
        let mut document = handle.document();
        document.state = state;
        document.message.clone_from(&message);
        document.seconds = context.seconds();
        let seconds = document.seconds;
        let path = handle.folder().join(folder::SUMMARY);
        let text = serde_json::to_vec_pretty(&document).unwrap_or_default();
        let write = |_: &checkpoint::Fence| files::replace(&path, &text, false).map_err(LabError::io("write", &path));
        if let Writing::Refused(error) = context.keep(write) {
            (state, message) = (RunState::Failed, error.to_string());
        }
        let why = if message.is_empty() { String::new() } else { format!(": {message}") };
        log::log!(target: "run", level_of(state), "{}: {}{why}", handle.id(), state.name());
        context.end(state, &message, seconds);
        drop(working);
        handle.release_if_lost();
    }
}

/// How often requests of other processes are looked for.
const GLANCE: Duration = Duration::from_millis(250);

/// Shows other processes that the queue's runs are worked on, and grants their requests, until the queue is gone.
fn watch(shared: &Weak<Shared>) {
    let [mut waiting_at, mut beat_at, mut waiting_beat_at] = [Instant::now(); 3];
    loop {
        thread::sleep(GLANCE);
        let Some(shared) = shared.upgrade() else { return };
        let (running, waiting) = {
            let runs = shared.runs();
            (runs.running.clone(), runs.waiting.iter().map(Arc::clone).collect::<Vec<_>>())
        };
        running.iter().for_each(|run| run.grant_request());
        // Thousands may wait for their turn: they are looked at less often.
        if waiting_at.elapsed() > GLANCE * 12 {
            waiting_at = Instant::now();
            waiting.iter().for_each(|run| run.grant_request());
        }
        if beat_at.elapsed() > lease::BEAT {
            beat_at = Instant::now();
            running.iter().for_each(|run| run.beat());
        }
        if waiting_beat_at.elapsed() > lease::BEAT_OF_WAITING {
            waiting_beat_at = Instant::now();
            waiting.iter().for_each(|run| run.beat());
        }
    }
}

/// Gives a paused run's turn to the next.
struct Turn(Weak<Shared>);

impl Observer for Turn {
    fn observe(&mut self, stamped: &Stamped) -> Result<(), LabError> {
        if let (Event::State { state: RunState::Paused, .. }, Some(shared)) = (&stamped.event, self.0.upgrade()) {
            shared.start_what_can();
        }
        Ok(())
    }
}

/// How loudly the end of a run is logged.
const fn level_of(state: RunState) -> log::Level {
    match state {
        RunState::Failed => log::Level::Error,
        RunState::Diverged => log::Level::Warn,
        _ => log::Level::Info,
    }
}

/// The message of a panic.
fn panic_message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
