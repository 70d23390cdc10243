//! What a run says, kept for a look afterwards.

use attnlab::lab::{Event, LabError, Observer, Stamped};
use std::sync::{Arc, Mutex};

/// Keeps every event, those of a burst one by one.
#[derive(Clone, Default)]
pub struct Kept(pub Arc<Mutex<Vec<Event>>>);

impl Observer for Kept {
    fn observe(&mut self, event: &Stamped) -> Result<(), LabError> {
        self.0.lock().unwrap().extend(event.event.clone().into_parts());
        Ok(())
    }
}
