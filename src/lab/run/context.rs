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
//! A job of many independent pieces of work needs no checkpoint: it skips a piece whose row is among
//! [`RunContext::finished_rows`], and takes from that row what its conclusions need. It emits each piece with
//! [`RunContext::emit_burst`], so that a row is never in the journal without what belongs to it.
//!
//! What the job emits again is already in the journal and is not emitted twice: a job emits everything it comes by, without
//! asking whether it has been emitted before. How events are recognised is said in the module `replay`.

mod saving;

pub(super) use saving::Writing;

use crate::lab::event::{Event, Row, Stamped};
use crate::lab::record::checkpoint::{Fence, Saved};
use crate::lab::run::column::Column;
use crate::lab::run::control::Control;
use crate::lab::run::outbox::{Observer, Outbox};
use crate::lab::run::peak::PeakMeter;
use crate::lab::run::replay::{Replay, RowIdentity};
use crate::lab::run::resumed::Resumed;
use crate::random::{Generator, generator};
use crate::threads;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    /// What determines the run's result, as checkpoints say it; empty for a run that no queue does.
    point: String,
    /// The checkpoint to work from.
    checkpoint: Option<Saved>,
    /// Damaged lines of the journal, which are no reason not to work from the checkpoints saved from now on.
    damaged: usize,
    identity: RowIdentity,
    /// Every row emitted by any part of the run.
    rows: Vec<Row>,
    /// How many of them earlier parts have emitted.
    rows_before: usize,
    replay: Replay,
    saved: Instant,
    save_cost: Duration,
    fence: Box<Fence>,
    /// Where the run is to be held for now.
    hold: Option<f64>,
    /// Whether rows say what memory the run took.
    tells_memory: bool,
    peak: Option<PeakMeter>,
    estimated_bytes: Option<u64>,
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
            point: String::new(),
            checkpoint: None,
            damaged: 0,
            identity: RowIdentity::default(),
            rows: Vec::new(),
            rows_before: 0,
            replay: Replay::default(),
            saved: Instant::now(),
            save_cost: Duration::ZERO,
            fence: Box::new(|| Ok(0)),
            hold: None,
            tells_memory: false,
            peak: None,
            estimated_bytes: None,
        }
    }

    /// Sets the columns of the result table, which say by what rows are told apart.
    #[must_use]
    pub fn with_columns(mut self, columns: &[Column]) -> Self {
        self.identity = RowIdentity::of(columns);
        self.tells_memory = columns.iter().any(|column| column.key == Column::PEAK_BYTES.key);
        self
    }

    /// Sets what tells the peak memory of the run, and what its problem expects of it.
    pub(super) fn with_memory(mut self, peak: Option<PeakMeter>, estimated: Option<u64>) -> Self {
        self.peak = peak;
        self.estimated_bytes = estimated;
        self
    }

    /// Sets the data directory; `data` in the working directory without this.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<PathBuf>) -> Self {
        self.data = data.into();
        self
    }

    /// Sets how many threads a run takes that does not ask for a number: 0, the default, for every core.
    #[must_use]
    pub const fn with_threads(mut self, share: usize) -> Self {
        self.share = share;
        self
    }

    /// Sets what determines the run's result, so that its checkpoints can be told from those of other runs.
    pub(in crate::lab) fn with_point(mut self, point: &str) -> Self {
        point.clone_into(&mut self.point);
        self
    }

    /// Continues the run whose folder this is.
    pub(in crate::lab) fn with_resumed(mut self, resumed: Resumed) -> Self {
        self.seconds_before = resumed.seconds;
        self.checkpoint = resumed.checkpoint;
        self.damaged = resumed.damaged;
        self.replay = resumed.replay;
        self.rows_before = resumed.rows.len();
        self.rows = resumed.rows;
        self
    }

    /// Sets what is asked before a file of the run is written: where its journal ends, or why nothing may be
    /// written any more.
    pub(in crate::lab) fn with_fence(mut self, fence: Box<Fence>) -> Self {
        self.fence = fence;
        self
    }

    /// Sets where the run is to be held for now, on the axis of its problem's [live](crate::lab::Problem::live) series.
    pub(in crate::lab) const fn with_hold(mut self, hold: Option<f64>) -> Self {
        self.hold = hold;
        self
    }

    /// Whether the run is to be held at `x`, where its newest evaluation stands: it then saves a checkpoint and ends with
    /// [`RunError::Held`](crate::lab::RunError::Held).
    #[must_use]
    pub fn is_held_at(&self, x: f64) -> bool {
        self.hold.is_some_and(|hold| x >= hold)
    }

    /// The run's folder, for files of its own (checkpoint, learned shapes).
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where data sets lie.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The threads to work with when the parameters ask for `asked`, where 0 leaves it to the engine: every core for
    /// a run that has the machine to itself, one for a small run beside others.
    #[must_use]
    pub fn threads(&self, asked: usize) -> usize {
        threads::or_default(if asked > 0 { asked } else { self.share })
    }

    /// The run's seed.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// What the user asks of this job (pause, stop), for inner loops on other threads.
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

    /// Every row of the result table emitted so far, in order, by this part of the run or an earlier one.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows that earlier parts of a continued run have emitted, in order.
    #[must_use]
    pub fn finished_rows(&self) -> &[Row] {
        &self.rows[..self.rows_before]
    }

    /// Gives an event to every observer, unless an earlier part of the run has emitted it. An event that cannot be kept
    /// now waits, and with it the run at its next [`RunContext::check_cancelled`].
    pub fn emit(&mut self, event: Event) {
        if let Event::Burst { events } = event {
            return self.emit_burst(events);
        }
        if let Some(event) = self.taken(event) {
            self.send(event);
        }
    }

    /// Emits what one finished piece of work has to say as one line of the journal: being killed at any moment leaves
    /// all of it or nothing. Of a piece that an earlier part has emitted in part, the rest is emitted.
    pub fn emit_burst(&mut self, events: impl IntoIterator<Item = Event>) {
        let parts = events.into_iter().flat_map(Event::into_parts);
        let mut new: Vec<Event> = parts.filter_map(|event| self.taken(event)).collect();
        match new.len() {
            0 => {}
            1 => self.send(new.remove(0)),
            _ => self.send(Event::Burst { events: new }),
        }
    }

    /// Emits a remark.
    pub fn note(&mut self, text: impl Into<String>) {
        self.emit(Event::Note { text: text.into() });
    }

    /// `event` as it is to be emitted; none where an earlier part has emitted it. A new row says what memory the run has taken so
    /// far, beside what was expected, and is remembered.
    fn taken(&mut self, mut event: Event) -> Option<Event> {
        if self.replay.is_replayed(&event, &self.identity) {
            return None;
        }
        if let Event::Row { row } = &mut event {
            if self.tells_memory {
                let estimated = || self.estimated_bytes.into();
                row.entry(Column::ESTIMATED_PEAK_BYTES.key).or_insert_with(estimated);
                row.insert(Column::PEAK_BYTES.key.to_owned(), self.peak.as_ref().and_then(PeakMeter::bytes).into());
            }
            self.rows.push(row.clone());
        }
        Some(event)
    }

    fn send(&mut self, event: Event) {
        let t = self.seconds();
        self.outbox.send(Stamped { t, event });
    }
}
