//! The queue: submitted runs wait for their turn, run on threads of their own and leave folders behind.
//!
//! Small runs (under [`SMALL_SECONDS`] by their problem's estimate) run beside each other; a large one runs alone and
//! has every core to itself. A paused run does not count: the next may start.

use super::handle::Recorder;
use super::{
    Event, Journal, LabError, Observer, Places, RunContext, RunError, RunHandle, RunSpec, RunState, Stamped, files,
    folder,
};
use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

/// Runs estimated to take less run beside each other.
pub const SMALL_SECONDS: f64 = 5.0;

/// Runs submitted runs.
#[derive(Clone)]
pub struct Queue {
    shared: Arc<Shared>,
}

struct Shared {
    places: Places,
    workers: usize,
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
    /// A queue that keeps its runs in `places.logs` and runs up to `workers` small runs at a time (0: one a core).
    ///
    /// # Errors
    /// The directory of runs cannot be written.
    pub fn new(places: Places, workers: usize) -> Result<Self, LabError> {
        places.prepare()?;
        let workers = if workers > 0 { workers } else { thread::available_parallelism().map_or(1, usize::from) };
        let shared = Shared { places, workers, runs: Mutex::default(), changed: Condvar::new() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Where things lie.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.shared.places
    }

    /// Makes the run's folder and queues the run.
    ///
    /// # Errors
    /// The folder cannot be made, or the queue is shut down.
    pub fn submit(&self, spec: RunSpec) -> Result<Arc<RunHandle>, LabError> {
        if self.shared.runs().closed {
            return Err(LabError::Refused("no run is taken any more: the program is ending".to_owned()));
        }
        let (folder, record) = folder::create(&self.shared.places.logs, &spec)?;
        let handle = Arc::new(RunHandle::new(spec, record, folder));
        let shared = Arc::downgrade(&self.shared);
        handle.control().on_request(move || {
            if let Some(shared) = shared.upgrade() {
                shared.start_what_can();
            }
        });
        let mut runs = self.shared.runs();
        runs.handles.push(Arc::clone(&handle));
        runs.waiting.push_back(Arc::clone(&handle));
        drop(runs);
        self.shared.start_what_can();
        Ok(handle)
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

    /// Starts the runs at the head of the queue that may run now.
    fn start_what_can(self: &Arc<Self>) {
        let mut runs = self.runs();
        while let Some((index, alone)) = self.next(&runs) {
            let Some(handle) = runs.waiting.remove(index) else { break };
            runs.running.push(Arc::clone(&handle));
            let (shared, run) = (Arc::clone(self), Arc::clone(&handle));
            let begun = thread::Builder::new().name(format!("run {}", handle.id())).spawn(move || {
                shared.work(&run, alone);
                shared.leave(&run);
            });
            if let Err(error) = begun {
                handle.fail(format!("no thread can be started: {error}"));
                runs.running.retain(|run| !Arc::ptr_eq(run, &handle));
                self.changed.notify_all();
            }
        }
    }

    /// Which of the waiting runs may begin now, and whether it has the machine to itself.
    fn next(&self, runs: &Runs) -> Option<(usize, bool)> {
        // One that is stopped before its turn needs no turn to end.
        if let Some(index) = runs.waiting.iter().position(|run| run.control().is_stopping()) {
            return Some((index, false));
        }
        let next = runs.waiting.front()?;
        let busy: Vec<_> = runs.running.iter().filter(|run| run.state() != RunState::Paused).collect();
        let small = next.is_small() && busy.iter().all(|run| run.is_small());
        (busy.is_empty() || (small && busy.len() < self.workers)).then_some((0, !next.is_small()))
    }

    /// Takes a run that is over out of those that run.
    fn leave(self: &Arc<Self>, handle: &Arc<RunHandle>) {
        self.runs().running.retain(|run| !Arc::ptr_eq(run, handle));
        self.changed.notify_all();
        self.start_what_can();
    }

    /// Does one run from its first to its last event.
    fn work(self: &Arc<Self>, handle: &Arc<RunHandle>, alone: bool) {
        let journal = match Journal::open(handle.folder()) {
            Ok(journal) => journal,
            Err(error) => {
                let error = LabError::io("write the journal in", handle.folder())(error);
                return handle.fail(error.to_string());
            }
        };
        let recorder = Recorder::new(Arc::clone(handle), journal);
        let spec = handle.spec();
        let observers: Vec<Box<dyn Observer>> = vec![Box::new(recorder), Box::new(Turn(Arc::downgrade(self)))];
        let mut context = RunContext::new(spec.seed(), handle.folder(), Arc::clone(handle.control()), observers)
            .with_data(&self.places.data)
            .with_threads(usize::from(!alone));
        let outcome = if handle.control().is_stopping() {
            Err(RunError::Stopped)
        } else {
            context.emit(Event::state(RunState::Running, ""));
            // The job's own state is dropped with it; what outlives it is only told through locks that forgive.
            catch_unwind(AssertUnwindSafe(|| spec.problem.run(&spec.params, &mut context)))
                .unwrap_or_else(|payload| Err(RunError::Failed(format!("panicked: {}", said(payload.as_ref())))))
        };
        let (state, message) = match outcome {
            Ok(()) => (RunState::Finished, String::new()),
            Err(RunError::Stopped) => (RunState::Stopped, String::new()),
            Err(RunError::Diverged(what)) => (RunState::Diverged, what),
            Err(error) => (RunState::Failed, error.to_string()),
        };
        // Rows that wait for room belong to the summary.
        context.hold();
        let mut document = folder::document(spec, handle.record(), handle.rows());
        document.state = state;
        document.message.clone_from(&message);
        document.seconds = context.seconds();
        let path = handle.folder().join("summary.json");
        if let Ok(text) = serde_json::to_string_pretty(&document) {
            context.keep(|| {
                files::replace(&path, text.as_bytes(), false)
                    .map_err(|error| LabError::io("write", &path)(error).to_string())
            });
        }
        context.end(state, &message);
    }
}

/// Gives a paused run's turn to the next.
struct Turn(Weak<Shared>);

impl Observer for Turn {
    fn observe(&mut self, stamped: &Stamped) -> Result<(), String> {
        if let (Event::State { state: RunState::Paused, .. }, Some(shared)) = (&stamped.event, self.0.upgrade()) {
            shared.start_what_can();
        }
        Ok(())
    }
}

/// What a panic said.
fn said(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a word")
}
