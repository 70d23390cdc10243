//! Keeps what a run says.

use crate::lab::LabError;
use crate::lab::event::{Event, Stamped};
use crate::lab::record::journal::Journal;
use crate::lab::run::handle::RunHandle;
use crate::lab::run::outbox::Observer;
use std::sync::Arc;
use std::time::Duration;

/// How long a look at the lock counts while events are written: a process that was cut off was so for longer.
const SURE: Duration = Duration::from_secs(1);

/// Seconds between two reports of progress in the journal.
const PROGRESS: f64 = 0.5;

/// Writes every event of a run into its journal and only then shows it to the handle.
///
/// Progress is journaled at most twice a second: it is for the eye, and a fast loop would fill the disk with it.
pub(super) struct Recorder {
    handle: Arc<RunHandle>,
    journal: Journal,
    progress_at: f64,
}

impl Recorder {
    pub fn new(handle: Arc<RunHandle>, journal: Journal) -> Self {
        Self { handle, journal, progress_at: f64::NEG_INFINITY }
    }
}

impl Observer for Recorder {
    fn observe(&mut self, stamped: &Stamped) -> Result<(), LabError> {
        if let Event::Progress(progress) = &stamped.event {
            if stamped.t - self.progress_at < PROGRESS && progress.done < progress.total {
                self.handle.publish(stamped, None);
                return Ok(());
            }
            self.progress_at = stamped.t;
        }
        if !self.handle.holds(SURE) {
            // The run is another process's now, and what it says is for that process to keep.
            return Ok(());
        }
        let start = self.journal.end();
        self.journal.append(stamped)?;
        if matches!(stamped.event, Event::State { state, .. } if state.is_final()) {
            // Whoever learns of the end may take the run over.
            self.handle.release();
        }
        self.handle.publish(stamped, Some((start, self.journal.end())));
        Ok(())
    }

    fn on_blocked(&mut self, notice: &Stamped) {
        self.handle.publish(notice, None);
    }
}
