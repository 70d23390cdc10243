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
//! A job of many independent pieces of work needs no checkpoint: it skips a piece whose row [`RunContext::find_row`]
//! finds, and takes from that row what its conclusions need. It tells each piece with [`RunContext::emit_burst`], so that
//! a row is never in the journal without what belongs to it.
//!
//! What the job tells again is already in the journal and is not told twice: a job tells everything it comes by, without
//! asking whether it has been told before. How events are recognised is said in the module `replay`.

use crate::lab::event::{Event, Row, RunState, Stamped};
use crate::lab::record::checkpoint::{self, Fence, Hold, Saved, Write};
use crate::lab::run::control::Control;
use crate::lab::run::outbox::{Observer, Outbox};
use crate::lab::run::problem::{Column, RunError};
use crate::lab::run::replay::{Replay, RowIdentity};
use crate::lab::run::resumed::Resumed;
use crate::random::{Generator, generator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Seconds of work that are lost at most when a run is killed, unless saving is slow.
const CHECKPOINT: f64 = 10.0;

/// A younger run loses this share of its work at most, but for the time below.
const SHARE: f64 = 0.1;

/// Seconds between two checkpoints at least.
const SHORTEST: f64 = 0.25;

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
    outbox: Outbox,
    began: Instant,
    idle: Duration,
    /// Seconds of work of earlier parts of the run.
    seconds_before: f64,
    /// The checkpoint to work from.
    checkpoint: Option<Saved>,
    /// Damaged lines of the journal, which are no reason not to work from the checkpoints saved from now on.
    damaged: usize,
    identity: RowIdentity,
    /// Every row told by any part of the run, and where the row of an identity lies there.
    rows: Vec<Row>,
    known_rows: HashMap<String, usize>,
    /// How many of them earlier parts have told.
    rows_before: usize,
    replay: Replay,
    saved: Instant,
    save_cost: Duration,
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
            outbox: Outbox::new(observers),
            began: Instant::now(),
            idle: Duration::ZERO,
            seconds_before: 0.0,
            checkpoint: None,
            damaged: 0,
            identity: RowIdentity::default(),
            rows: Vec::new(),
            known_rows: HashMap::new(),
            rows_before: 0,
            replay: Replay::default(),
            saved: Instant::now(),
            save_cost: Duration::ZERO,
            fence: Box::new(|| Ok(Hold::default())),
        }
    }

    /// Sets the columns of the result table, which say by what rows are told apart.
    #[must_use]
    pub fn with_columns(mut self, columns: &[Column]) -> Self {
        self.identity = RowIdentity::of(columns);
        self
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
        self.seconds_before + self.began.elapsed().saturating_sub(self.idle).as_secs_f64()
    }

    /// Continues the run whose folder this is. To be called after [`RunContext::with_columns`].
    pub(in crate::lab) fn with_resumed(mut self, resumed: Resumed) -> Self {
        self.seconds_before = resumed.seconds;
        self.checkpoint = resumed.checkpoint;
        self.damaged = resumed.damaged;
        self.replay = resumed.replay;
        self.rows_before = resumed.rows.len();
        resumed.rows.into_iter().for_each(|row| self.remember(row));
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
        let Some(saved) = &self.checkpoint else { return Ok(None) };
        T::deserialize(saved.state()).map(Some).map_err(|error| {
            let path = self.folder.join(checkpoint::STATE);
            RunError::Input(format!("{}: saved by another version of attnlab: {error}", path.display()))
        })
    }

    /// The file that belongs to [`RunContext::resume_state`], if one was saved with it.
    #[must_use]
    pub fn resume_file(&self) -> Option<PathBuf> {
        self.checkpoint.as_ref().filter(|saved| saved.has_file()).map(|_| self.folder.join(checkpoint::FILE))
    }

    /// Every row of the result table told so far, in order, by this part of the run or an earlier one.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row told by this part of the run or an earlier one that has the same values as `row` in the columns that
    /// identify it; `row` need not have any other. A column without a value counts as null.
    #[must_use]
    pub fn find_row(&self, row: &Row) -> Option<&Row> {
        self.known_rows.get(&self.identity.text(row)).map(|place| &self.rows[*place])
    }

    /// The rows that earlier parts of a continued run have told, in order.
    #[must_use]
    pub fn finished_rows(&self) -> &[Row] {
        &self.rows[..self.rows_before]
    }

    fn remember(&mut self, row: Row) {
        self.known_rows.insert(self.identity.text(&row), self.rows.len());
        self.rows.push(row);
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
        let (seconds, folder, damaged) = (self.seconds(), self.folder.clone(), self.damaged);
        let saved = self.keep(|fence| match &mut write {
            Some(write) => checkpoint::save(&folder, fence, seconds, &state, damaged, Some(*write)),
            None => checkpoint::save(&folder, fence, seconds, &state, damaged, None),
        });
        self.saved = Instant::now();
        self.save_cost = since.elapsed();
        if saved { Ok(()) } else { Err(RunError::Stopped) }
    }

    /// Tells every observer, unless an earlier part of the run has told this event. An event that cannot be kept now
    /// waits, and with it the run at its next [`RunContext::check_cancelled`].
    pub fn emit(&mut self, event: Event) {
        if let Event::Burst { events } = event {
            return self.emit_burst(events);
        }
        if self.is_new(&event) {
            self.send(event);
        }
    }

    /// Tells what one finished piece of work has to say as one line of the journal: being killed at any moment leaves
    /// all of it or nothing. Of a piece that an earlier part has told in part, the rest is told.
    pub fn emit_burst(&mut self, events: impl IntoIterator<Item = Event>) {
        let parts = events.into_iter().flat_map(Event::into_parts);
        let mut new: Vec<Event> = parts.filter(|event| self.is_new(event)).collect();
        match new.len() {
            0 => {}
            1 => self.send(new.remove(0)),
            _ => self.send(Event::Burst { events: new }),
        }
    }

    /// Whether `event` must be told; a new row is remembered.
    fn is_new(&mut self, event: &Event) -> bool {
        if self.replay.is_replayed(event, &self.identity) {
            return false;
        }
        if let Event::Row { row } = event {
            self.remember(row.clone());
        }
        true
    }

    fn send(&mut self, event: Event) {
        let t = self.seconds();
        self.outbox.send(Stamped { t, event });
    }

    /// Holds still while events cannot be kept, trying again until they can; whether it held. A stop ends the wait.
    pub(in crate::lab) fn hold(&mut self) -> bool {
        if self.outbox.is_empty() {
            return false;
        }
        let (since, mut warned) = (Instant::now(), false);
        while !self.outbox.deliver() {
            if !std::mem::replace(&mut warned, true) {
                self.warn(self.outbox.trouble());
            }
            let message = waiting(self.outbox.trouble());
            self.notify(RunState::Paused, message);
            if self.control.wait_for_stop(RETRY) {
                self.outbox.deliver();
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
        self.outbox.notify(&notice);
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
        if !self.outbox.is_empty() {
            // Stopped while there was no room: nobody waits for the rest, but the faces must learn of the end.
            self.notify(state, format!("not everything is kept: {}", self.outbox.trouble()));
        }
    }
}
