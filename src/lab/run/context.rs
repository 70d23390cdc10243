//! What a job sees of the world.
//!
//! # Going on after an end
//!
//! A run that was stopped, killed or lost is continued in its own folder, with the same parameters and seed. The job
//! asks at its beginning what it has behind it, and says now and then from where it could go on:
//!
//! ```ignore
//! let mut training = match context.resume_state::<Position>()? {
//!     Some(position) => Training::load(context.resume_file(), position)?,
//!     None => Training::new(params),
//! };
//! while !training.is_done() {
//!     training.step();
//!     if context.checkpoint_due() {
//!         context.save_checkpoint(&training.position(), |path| training.write(path))?;
//!     }
//!     context.check_cancelled()?;
//! }
//! ```
//!
//! A job of many independent points needs no checkpoint: it skips the points whose rows
//! [`RunContext::finished_rows`] has.
//!
//! What the job tells again between its checkpoint and where it was ended is already in the journal and is not told
//! twice: since a run is a function of its parameters, the second telling is the same as the first.

use crate::lab::record::checkpoint::{self, Fence, Resumed, Write};
use crate::lab::{Control, Event, Row, RunError, RunState, Stamped};
use crate::random::{Generator, generator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Seconds of work that are lost at most when a run is killed, unless saving is slow.
const CHECKPOINT: f64 = 10.0;

/// A younger run loses this share of its work at most, but for the time below.
const SHARE: f64 = 0.1;

/// Seconds between two checkpoints at least.
const SHORTEST: f64 = 0.25;

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
    fn on_blocked(&mut self, _notice: &Stamped) {}
}

/// How long a run waits before it tries again to keep what there was no room for.
const RETRY: Duration = Duration::from_millis(500);

fn waiting(trouble: &str) -> String {
    format!("waiting, goes on by itself: {trouble}")
}

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
    /// What a run that is continued has behind it.
    resumed: Option<Resumed>,
    saved: Instant,
    save_cost: Duration,
    /// Events not yet taken by every observer, with the first observer that has not: only while one has trouble.
    waiting: VecDeque<(Stamped, usize)>,
    trouble: String,
    fence: Box<Fence>,
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
            resumed: None,
            saved: Instant::now(),
            save_cost: Duration::ZERO,
            waiting: VecDeque::new(),
            trouble: String::new(),
            fence: Box::new(|| Ok(0)),
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

    /// Seconds of work since the run began; pauses do not count, and a continued run counts on.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        let before = self.resumed.as_ref().map_or(0.0, |resumed| resumed.seconds);
        before + self.began.elapsed().saturating_sub(self.idle).as_secs_f64()
    }

    /// Continues the run whose folder this is.
    pub(in crate::lab) fn with_resumed(mut self, resumed: Resumed) -> Self {
        self.resumed = Some(resumed);
        self
    }

    /// Sets what is asked before a file of the run is written: the number of this process's hold on the run, or why
    /// nothing may be written any more.
    pub(in crate::lab) fn with_fence(mut self, fence: Box<Fence>) -> Self {
        self.fence = fence;
        self
    }

    /// The state saved last by [`RunContext::save_checkpoint`], for a run that is continued; none for one that begins
    /// (or that was ended before it saved any): then it works from the beginning.
    ///
    /// # Errors
    /// The state is of another form: the run was made by another version.
    pub fn resume_state<T: DeserializeOwned>(&self) -> Result<Option<T>, RunError> {
        let Some(state) = self.resumed.as_ref().and_then(|resumed| resumed.state.as_ref()) else { return Ok(None) };
        T::deserialize(state).map(Some).map_err(|error| {
            let path = self.folder.join(checkpoint::STATE);
            RunError::Input(format!("{}: saved by another version of attnlab: {error}", path.display()))
        })
    }

    /// The file that belongs to [`RunContext::resume_state`], if one was saved with it.
    #[must_use]
    pub fn resume_file(&self) -> Option<PathBuf> {
        self.resumed.as_ref().filter(|resumed| resumed.has_file).map(|_| self.folder.join(checkpoint::FILE))
    }

    /// The rows a continued run has already told, in order: a run over many points skips these points instead of
    /// telling them again. With a checkpoint, those told before it.
    #[must_use]
    pub fn finished_rows(&self) -> &[Row] {
        self.resumed.as_ref().map_or(&[], Resumed::finished_rows)
    }

    /// Whether a checkpoint should be saved before the next [`RunContext::check_cancelled`]: some time has passed since the
    /// last (a tenth of the work so far up to ten seconds, and fifty times what saving took), or the user wants a pause
    /// or an end.
    #[must_use]
    pub fn checkpoint_due(&self) -> bool {
        let wait = Duration::from_secs_f64((self.seconds() * SHARE).clamp(SHORTEST, CHECKPOINT));
        self.saved.elapsed() >= wait.max(self.save_cost * 50) || self.control.is_stopping() || self.control.is_paused()
    }

    /// Saves what is needed to go on from here: a small `state`, and with it the file that `write` makes at the path
    /// it is given (`checkpoint.safetensors` in the run's folder afterwards). Both are on the disk, together, before
    /// this returns; being killed at any moment leaves the last pair or this one.
    ///
    /// # Errors
    /// [`RunError::Stopped`] when there is no room and the user wants an end.
    pub fn save_checkpoint(
        &mut self,
        state: &impl Serialize,
        mut write: impl FnMut(&Path) -> Result<(), String>,
    ) -> Result<(), RunError> {
        self.save(state, Some(&mut write))
    }

    /// As [`RunContext::save_checkpoint`], without a file.
    ///
    /// # Errors
    /// As [`RunContext::save_checkpoint`].
    pub fn save_state(&mut self, state: &impl Serialize) -> Result<(), RunError> {
        self.save(state, None)
    }

    fn save(&mut self, state: &impl Serialize, mut write: Option<&mut Write<'_>>) -> Result<(), RunError> {
        let since = Instant::now();
        let state = serde_json::to_value(state).map_err(|error| RunError::Failed(error.to_string()))?;
        let ahead = self.resumed.as_ref().map(Resumed::ahead).unwrap_or_default();
        let (seconds, folder) = (self.seconds(), self.folder.clone());
        let saved = self.keep(|fence| match &mut write {
            Some(write) => checkpoint::save(&folder, fence, seconds, &state, &ahead, Some(*write)),
            None => checkpoint::save(&folder, fence, seconds, &state, &ahead, None),
        });
        self.saved = Instant::now();
        self.save_cost = since.elapsed();
        if saved { Ok(()) } else { Err(RunError::Stopped) }
    }

    /// Tells every observer. An event that cannot be kept now waits, and with it the run at its next
    /// [`RunContext::check_cancelled`].
    pub fn emit(&mut self, event: Event) {
        if self.resumed.as_mut().is_some_and(|resumed| resumed.is_replayed(&event)) {
            return;
        }
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
    pub(in crate::lab) fn hold(&mut self) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        let (since, mut warned) = (Instant::now(), false);
        while !self.deliver() {
            if !std::mem::replace(&mut warned, true) {
                self.warn(&self.trouble);
            }
            let message = waiting(&self.trouble);
            self.notify(RunState::Paused, message);
            if self.control.wait_for_stop(RETRY) {
                self.deliver();
                break;
            }
        }
        self.idle += since.elapsed();
        true
    }

    /// Logs that the run waits, and why.
    fn warn(&self, trouble: &str) {
        let id = self.folder.file_name().unwrap_or_default().to_string_lossy();
        log::warn!(target: "room", "{id}: {}", waiting(trouble));
    }

    fn notify(&mut self, state: RunState, message: String) {
        let notice = Stamped { t: self.seconds(), event: Event::state(state, message) };
        for observer in &mut self.observers {
            observer.on_blocked(&notice);
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
    pub fn check_cancelled(&mut self) -> Result<(), RunError> {
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

    /// Writes a file of the run, trying again while there is no room; whether it is written. A stop ends the wait, and
    /// so does another process that has taken the run over.
    pub(in crate::lab) fn keep(&mut self, mut write: impl FnMut(&Fence) -> Result<(), String>) -> bool {
        self.hold();
        let mut write = |context: &Self| (context.fence)().and_then(|_| write(&*context.fence));
        let Err(mut trouble) = write(self) else { return true };
        if (self.fence)().is_err() {
            return false;
        }
        let since = Instant::now();
        self.warn(&trouble);
        let written = loop {
            self.notify(RunState::Paused, waiting(&trouble));
            let stop = self.control.wait_for_stop(RETRY);
            match write(self) {
                Ok(()) => break true,
                Err(_) if stop => break false,
                Err(again) => trouble = again,
            }
        };
        self.idle += since.elapsed();
        if written {
            self.emit(Event::state(RunState::Running, ""));
        }
        written
    }

    /// Emits the last state of the run and sees that everything is kept, waiting for room if need be.
    pub(in crate::lab) fn end(&mut self, state: RunState, message: &str) {
        self.emit(Event::state(state, message));
        self.hold();
        if !self.waiting.is_empty() {
            // Stopped while there was no room: nobody waits for the rest, but the faces must learn of the end.
            self.notify(state, format!("not everything is kept: {}", self.trouble));
        }
    }
}
