//! How a job waits, ends and saves what it needs to go on.

use super::RunContext;
use crate::lab::LabError;
use crate::lab::event::{Event, RunState, Stamped};
use crate::lab::record::checkpoint::{self, Fence, Saved};
use crate::lab::run::error::{Reason, RunError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Seconds of work that are lost at most when a run is killed, unless saving is slow.
const CHECKPOINT: f64 = 10.0;

/// A younger run loses this share of its work at most, but for the time below.
const SHARE: f64 = 0.1;

/// Seconds between two checkpoints at least.
const SHORTEST: f64 = 0.25;

/// How long a run waits before it tries again to keep what there was no room for.
const RETRY: Duration = Duration::from_millis(500);

/// What became of a file that a run wanted to write.
#[derive(Debug)]
pub(in crate::lab::run) enum Writing {
    /// It is written.
    Written,
    /// There was no room until the user wanted an end, or the run is another process's.
    Stopped,
    /// It will never be written.
    Refused(LabError),
}

fn waiting(trouble: &str) -> String {
    format!("waiting, goes on by itself: {trouble}")
}

impl RunContext {
    /// The state saved last by [`RunContext::save_checkpoint`], for a run that is continued; none for one that begins
    /// (or that was ended before it saved any): then it works from the beginning.
    ///
    /// # Errors
    /// The state is of another form: the run was made by another version.
    pub fn resume_state<T: DeserializeOwned>(&self) -> Result<Option<T>, RunError> {
        let Some(saved) = &self.checkpoint else { return Ok(None) };
        T::deserialize(saved.state()).map(Some).map_err(|error| {
            let path = self.folder.join(checkpoint::STATE);
            RunError::input(LabError::content(&path, None, format!("saved by another version of attnlab: {error}")))
        })
    }

    /// The file that belongs to [`RunContext::resume_state`], if one was saved with it.
    #[must_use]
    pub fn resume_file(&self) -> Option<PathBuf> {
        self.checkpoint.as_ref().filter(|saved| saved.has_file()).map(|_| self.folder.join(checkpoint::FILE))
    }

    /// Whether a checkpoint should be saved before the next [`RunContext::check_cancelled`]: some time has passed since
    /// the last (a tenth of the work so far up to ten seconds, and fifty times what saving took), or the user wants a
    /// pause or an end.
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
    /// [`RunError::Stopped`] when there is no room and the user wants an end; why the files can never be written.
    pub fn save_checkpoint<E: Into<Reason>>(
        &mut self,
        state: &impl Serialize,
        mut write: impl FnMut(&Path) -> Result<(), E>,
    ) -> Result<(), RunError> {
        let since = Instant::now();
        let state = serde_json::to_value(state).map_err(RunError::failed)?;
        let mut saved = Saved::new(self.seconds(), state, &self.point, self.damaged);
        let folder = self.folder.clone();
        let kept = self.keep(|fence| {
            checkpoint::save(&folder, fence, &mut saved, &mut |path: &Path| write(path).map_err(Into::into))
        });
        self.saved = Instant::now();
        self.save_cost = since.elapsed();
        match kept {
            Writing::Written => Ok(()),
            Writing::Stopped => Err(RunError::Stopped),
            Writing::Refused(error) => Err(RunError::failed(error)),
        }
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

    /// Holds still while events cannot be kept, trying again until they can; a stop ends the wait. Returns whether it held.
    pub(in crate::lab::run) fn hold(&mut self) -> bool {
        if self.outbox.is_empty() {
            return false;
        }
        let (since, mut warned) = (Instant::now(), false);
        while !self.outbox.deliver() {
            let message = waiting(self.outbox.trouble());
            if !std::mem::replace(&mut warned, true) {
                self.warn(&message);
            }
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
    fn warn(&self, message: &str) {
        let id = self.folder.file_name().unwrap_or_default().to_string_lossy();
        log::warn!(target: "room", "{id}: {message}");
    }

    fn notify(&mut self, state: RunState, message: String) {
        let notice = Stamped { t: self.seconds(), event: Event::state(state, message) };
        self.outbox.notify(&notice);
    }

    /// Writes a file of the run, trying again while there is no room. A stop ends the wait, and so does another process
    /// that has taken the run over; what can never be written is not tried again.
    pub(in crate::lab::run) fn keep(&mut self, mut write: impl FnMut(&Fence) -> Result<(), LabError>) -> Writing {
        self.hold();
        let mut write = |context: &Self| (context.fence)().and_then(|_| write(&*context.fence));
        let Err(mut trouble) = write(self) else { return Writing::Written };
        let (since, mut warned) = (Instant::now(), false);
        let kept = loop {
            if (self.fence)().is_err() {
                break Writing::Stopped;
            }
            if trouble.is_permanent() {
                break Writing::Refused(trouble);
            }
            let message = waiting(&trouble.to_string());
            if !std::mem::replace(&mut warned, true) {
                self.warn(&message);
            }
            self.notify(RunState::Paused, message);
            let stop = self.control.wait_for_stop(RETRY);
            match write(self) {
                Ok(()) => break Writing::Written,
                Err(_) if stop => break Writing::Stopped,
                Err(again) => trouble = again,
            }
        };
        self.idle += since.elapsed();
        if warned && matches!(kept, Writing::Written) {
            self.emit(Event::state(RunState::Running, ""));
        }
        kept
    }

    /// Emits the last state of the run after so many seconds of work, as its summary says, and sees that everything is
    /// kept, waiting for room if need be.
    pub(in crate::lab::run) fn end(&mut self, state: RunState, message: &str, seconds: f64) {
        self.outbox.send(Stamped { t: seconds, event: Event::state(state, message) });
        self.hold();
        if !self.outbox.is_empty() {
            // Stopped while there was no room: nobody waits for the rest, but the faces must learn of the end.
            self.notify(state, format!("not everything is kept: {}", self.outbox.trouble()));
        }
    }
}
