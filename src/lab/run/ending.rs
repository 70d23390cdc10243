//! The end of a run, told after the process that worked on it: why it is over, or that it is.

use super::describe;
use super::view::RunView;
use crate::lab::LabError;
use crate::lab::event::{Event, RunState, Stamped};
use crate::lab::plan::RunSpec;
use crate::lab::record::folder::{Document, RunRecord, SUMMARY};
use crate::lab::record::journal::Journal;
use crate::lab::record::lease::Lease;
use crate::lab::record::{checkpoint, files};
use std::path::Path;

/// Says in the run's folder why a run that is over is in the state it is in, unless that is said there already.
///
/// # Errors
/// A process works on the run, it is not over, or its files cannot be written.
pub fn say_why(folder: &Path, message: &str) -> Result<(), LabError> {
    end(folder, || {
        let mut document = Document::read(folder)?;
        if document.message == message {
            return Ok(None);
        }
        message.clone_into(&mut document.message);
        let event = Event::state(document.state, message);
        Ok(Some((Stamped { t: document.seconds, event }, document)))
    })
}

/// Ends a run that came as far as it was to come in a process that is gone before it could say so: it counts as stopped from
/// now on. `spec` is what the run works on.
///
/// # Errors
/// A process works on the run, or its files cannot be read or written.
pub fn end_lost(folder: &Path, spec: &RunSpec) -> Result<(), LabError> {
    end(folder, || {
        let (record, mut view) = (RunRecord::read(folder)?, RunView::read(folder)?);
        let stopped = Stamped { t: view.seconds, event: Event::state(RunState::Stopped, "") };
        view.fold(&stopped);
        Ok(Some((stopped, describe::document(spec, &record, &view))))
    })
}

/// Writes the last word of a run and its summary, which `say` gives once the run is this process's; nothing where it gives none.
fn end(folder: &Path, say: impl FnOnce() -> Result<Option<(Stamped, Document)>, LabError>) -> Result<(), LabError> {
    let lease = Lease::take(folder)?;
    let write = |(word, document): (Stamped, Document)| {
        if lease.from_afar {
            Journal::part_from_others(folder)?;
        }
        checkpoint::clear(folder);
        Journal::open(folder)?.append(&word)?;
        let path = folder.join(SUMMARY);
        let text = serde_json::to_vec_pretty(&document).unwrap_or_default();
        files::replace(&path, &text, false).map_err(LabError::io("write", path))
    };
    let outcome = say().and_then(|told| told.map_or(Ok(()), write));
    lease.release();
    outcome
}
