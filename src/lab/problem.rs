//! The contract between a problem and the engine: a problem says what one run does; the engine owns everything else.

use super::{Event, Param, ParamError, Params, RunState, Schema, Stamped};
use crate::random::{Generator, generator};
use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// A column of a problem's result table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The key in rows.
    pub key: &'static str,
    /// The heading.
    pub label: &'static str,
    /// The unit in the heading; empty for none.
    pub unit: &'static str,
    /// Digits after the point; numbers are shown in scientific notation where that says more.
    pub digits: usize,
    /// Whether the compact table on screen shows it (the full one and `--json` have every column).
    pub brief: bool,
}

/// What a run will cost, told before it starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Rows it will make.
    pub rows: usize,
    /// Seconds it will take on this machine, roughly.
    pub seconds: Option<f64>,
    /// Peak memory in bytes, roughly.
    pub bytes: Option<u64>,
}

/// One of the problems: parameters and what one run does.
pub trait Problem: Sync {
    /// The name on the command line and in files.
    fn name(&self) -> &'static str;
    /// The name of its tab.
    fn title(&self) -> &'static str;
    /// One line saying what it shows.
    fn about(&self) -> &'static str;
    /// Its parameters.
    fn schema(&self) -> Schema;
    /// The columns of its result table.
    fn columns(&self) -> &'static [Column];
    /// The column that one number of a run is taken from, in lists and sweeps.
    fn headline(&self) -> &'static str;
    /// A few words that tell this run from others of the problem: `relu mnist`.
    fn label(&self, params: &Params) -> String;
    /// Checks what no single parameter can: combinations, shapes, memory.
    ///
    /// # Errors
    /// Names the parameter to change.
    fn check(&self, params: &Params) -> Result<(), ParamError>;
    /// What a run with these parameters will cost.
    fn estimate(&self, params: &Params) -> Estimate;
    /// The best values of some parameters, found from theory with the others as they are: (key, text) to be set.
    /// None where the problem has nothing to optimise.
    fn optimise(&self, _params: &Params) -> Option<Vec<(&'static str, String)>> {
        None
    }
    /// Does the work. Emits what happened, calls [`RunContext::breathe`] at every step.
    ///
    /// # Errors
    /// See [`RunError`].
    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError>;
}

/// Why a run ended without being finished.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RunError {
    /// The user stopped it; what was done is kept.
    #[error("stopped")]
    Stopped,
    /// A loss or an error is not finite.
    #[error("diverged: {0}")]
    Diverged(String),
    /// The input is bad (a file, a combination of parameters).
    #[error("{0}")]
    Input(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl From<ParamError> for RunError {
    fn from(error: ParamError) -> Self {
        Self::Input(error.to_string())
    }
}

/// Sees every event of a run, in order: journal, console, progress bar.
pub trait Observer: Send {
    /// Takes one event. Must not wait for anybody.
    ///
    /// # Errors
    /// A text for the user when the event could not be kept (a full disk): it is offered again, and no later event
    /// and no later observer sees anything before it is kept.
    fn observe(&mut self, event: &Stamped) -> Result<(), String>;

    /// Shows a notice that stands outside the order of events and is not kept: that the run waits until events can
    /// be kept again.
    fn hindered(&mut self, _notice: &Stamped) {}
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Work,
    Pause,
    Stop,
}

/// The hand on a running job: pause, go on, stop. Shared by faces, signals and the job itself.
pub struct Control {
    request: Mutex<Request>,
    changed: Condvar,
    /// Told of every request, so that a run that waits for its turn can be stopped too.
    hook: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Default for Control {
    fn default() -> Self {
        Self { request: Mutex::new(Request::Work), changed: Condvar::new(), hook: OnceLock::new() }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Control").field(&*self.lock()).finish()
    }
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, Request> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, request: Request) {
        let mut now = self.lock();
        if *now != Request::Stop {
            *now = request;
        }
        drop(now);
        self.changed.notify_all();
        if let Some(hook) = self.hook.get() {
            hook();
        }
    }

    /// Sets what is told of every request; once only.
    pub(super) fn on_request(&self, hook: impl Fn() + Send + Sync + 'static) {
        self.hook.set(Box::new(hook)).ok();
    }

    /// Asks the job to hold still at its next step.
    pub fn pause(&self) {
        self.set(Request::Pause);
    }

    /// Lets a paused job go on.
    pub fn proceed(&self) {
        self.set(Request::Work);
    }

    /// Asks the job to end at its next step, keeping what it has; final.
    pub fn stop(&self) {
        self.set(Request::Stop);
    }

    /// Whether the job should end: for inner loops that have no [`RunContext`].
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.lock() == Request::Stop
    }

    /// Waits while the job should hold still.
    fn wait_while_paused(&self) {
        let mut request = self.lock();
        while *request == Request::Pause {
            request = self.changed.wait(request).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for `time` or until the job should end; whether it should.
    fn wait_for_stop(&self, time: Duration) -> bool {
        let running = |request: &mut Request| *request != Request::Stop;
        let waited = self.changed.wait_timeout_while(self.lock(), time, running);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == Request::Stop
    }

    /// Whether the job should hold still.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        *self.lock() == Request::Pause
    }
}

/// How long a run waits before it tries again to keep what there was no room for.
const RETRY: Duration = Duration::from_millis(500);

/// What a job sees of the world: it emits events, draws named randomness and asks whether to go on.
pub struct RunContext {
    seed: u64,
    folder: PathBuf,
    data: PathBuf,
    share: usize,
    control: Arc<Control>,
    observers: Vec<Box<dyn Observer>>,
    began: Instant,
    idle: Duration,
    /// Events not yet taken by every observer, with the first observer that has not: only while one has trouble.
    waiting: VecDeque<(Stamped, usize)>,
    trouble: String,
}

impl RunContext {
    /// A context for one run that writes its files into `folder`.
    #[must_use]
    pub fn new(
        seed: u64,
        folder: impl Into<PathBuf>,
        control: Arc<Control>,
        observers: Vec<Box<dyn Observer>>,
    ) -> Self {
        Self {
            seed,
            folder: folder.into(),
            data: PathBuf::from("data"),
            share: 0,
            control,
            observers,
            began: Instant::now(),
            idle: Duration::ZERO,
            waiting: VecDeque::new(),
            trouble: String::new(),
        }
    }

    /// The run's folder, for files of its own (checkpoint, learned shapes).
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sets the data directory; `data` in the working directory without this.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<PathBuf>) -> Self {
        self.data = data.into();
        self
    }

    /// Where data sets lie.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Sets how many threads a run takes that does not ask for a number: 0, the default, for every core.
    #[must_use]
    pub const fn with_threads(mut self, share: usize) -> Self {
        self.share = share;
        self
    }

    /// The threads to work with when the parameters ask for `asked`, where 0 leaves it to the engine: every core for
    /// a run that has the machine to itself, one for a small run beside others.
    #[must_use]
    pub fn threads(&self, asked: usize) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        [asked, self.share].into_iter().find(|count| *count > 0).unwrap_or_else(cores)
    }

    /// The run's seed.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The hand on this job, for inner loops on other threads.
    #[must_use]
    pub fn control(&self) -> Arc<Control> {
        Arc::clone(&self.control)
    }

    /// The generator named (`purpose`, `index`) of this run.
    #[must_use]
    pub fn generator(&self, purpose: &str, index: u64) -> Generator {
        generator(self.seed, purpose, index)
    }

    /// Seconds of work since the run began; pauses do not count.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        (self.began.elapsed() - self.idle).as_secs_f64()
    }

    /// Tells every observer. An event that cannot be kept now waits, and with it the run at its next
    /// [`RunContext::breathe`].
    pub fn emit(&mut self, event: Event) {
        self.waiting.push_back((Stamped { t: self.seconds(), event }, 0));
        self.deliver();
    }

    /// Offers the waiting events in order; whether every observer has taken all.
    fn deliver(&mut self) -> bool {
        while let Some((stamped, next)) = self.waiting.front_mut() {
            while let Some(observer) = self.observers.get_mut(*next) {
                if let Err(trouble) = observer.observe(stamped) {
                    self.trouble = trouble;
                    return false;
                }
                *next += 1;
            }
            self.waiting.pop_front();
        }
        true
    }

    /// Holds still while events cannot be kept, trying again until they can; whether it held. A stop ends the wait.
    pub(super) fn hold(&mut self) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        let since = Instant::now();
        while !self.deliver() {
            let message = format!("waiting, goes on by itself: {}", self.trouble);
            self.notify(RunState::Paused, message);
            if self.control.wait_for_stop(RETRY) {
                self.deliver();
                break;
            }
        }
        self.idle += since.elapsed();
        true
    }

    fn notify(&mut self, state: RunState, message: String) {
        let notice = Stamped { t: self.seconds(), event: Event::state(state, message) };
        for observer in &mut self.observers {
            observer.hindered(&notice);
        }
    }

    /// Emits a remark.
    pub fn note(&mut self, text: impl Into<String>) {
        self.emit(Event::Note { text: text.into() });
    }

    /// To be called at every step: waits while paused.
    ///
    /// # Errors
    /// [`RunError::Stopped`] when the user wants an end.
    pub fn breathe(&mut self) -> Result<(), RunError> {
        let mut held = self.hold();
        if self.control.is_paused() {
            held = true;
            self.emit(Event::state(RunState::Paused, ""));
            let since = Instant::now();
            self.control.wait_while_paused();
            self.idle += since.elapsed();
        }
        if self.control.is_stopping() {
            return Err(RunError::Stopped);
        }
        if held {
            self.emit(Event::state(RunState::Running, ""));
        }
        Ok(())
    }

    /// Writes a file of the run, trying again while there is no room; whether it is written. A stop ends the wait.
    pub(super) fn keep(&mut self, mut write: impl FnMut() -> Result<(), String>) -> bool {
        let since = Instant::now();
        self.hold();
        let written = loop {
            match write() {
                Ok(()) => break true,
                Err(trouble) => self.notify(RunState::Paused, format!("waiting, goes on by itself: {trouble}")),
            }
            if self.control.wait_for_stop(RETRY) {
                break write().is_ok();
            }
        };
        if since.elapsed() >= RETRY {
            self.idle += since.elapsed();
            self.emit(Event::state(RunState::Running, ""));
        }
        written
    }

    /// Emits the last state of the run and sees that everything is kept, waiting for room if need be.
    pub(super) fn end(&mut self, state: RunState, message: &str) {
        self.emit(Event::state(state, message));
        self.hold();
        if !self.waiting.is_empty() {
            // Stopped while there was no room: nobody waits for the rest, but the faces must learn of the end.
            self.notify(state, format!("not everything is kept: {}", self.trouble));
        }
    }
}

/// Parameters that every problem has; a schema repeats them by naming these constants.
pub mod common {
    use super::Param;

    /// The seed of every random draw of a run.
    pub const SEED: Param = Param::int("seed", "seed", 0, i64::MAX, "0")
        .help("seed of every random draw; the same parameters and seed give the same numbers")
        .steps(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
        .group("run");

    /// The number of worker threads.
    pub const THREADS: Param = Param::int("threads", "threads", 0, 4096, "0")
        .help("threads of this run; 0 takes every core")
        .steps(&["0", "1", "2", "4", "8", "16"])
        .group("run")
        .free_of_result();
}
