//! A word on a run that is over.

use crate::lab::LabError;
use crate::lab::event::{Event, Stamped};
use crate::lab::record::folder::{Document, SUMMARY};
use crate::lab::record::journal::Journal;
use crate::lab::record::lease::Lease;
use crate::lab::record::{checkpoint, files};
use std::path::Path;

/// Says in the run's folder why a run that is over is in the state it is in, unless that is said there already.
///
/// # Errors
/// A process works on the run, it is not over, or its files cannot be written.
pub fn say_why(folder: &Path, message: &str) -> Result<(), LabError> {
    let lease = Lease::take(folder)?;
    let outcome = write(folder, message, lease.from_afar);
    lease.release();
    outcome
}

fn write(folder: &Path, message: &str, from_afar: bool) -> Result<(), LabError> {
    let mut document = Document::read(folder)?;
    if document.message == message {
        return Ok(());
    }
    if from_afar {
        Journal::part_from_others(folder)?;
    }
    checkpoint::clear(folder);
    message.clone_into(&mut document.message);
    let event = Event::state(document.state, message);
    Journal::open(folder)?.append(&Stamped { t: document.seconds, event })?;
    let path = folder.join(SUMMARY);
    let text = serde_json::to_vec_pretty(&document).unwrap_or_default();
    files::replace(&path, &text, false).map_err(LabError::io("write", path))
}
