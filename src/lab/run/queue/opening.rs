//! How a queue begins.

use super::{Queue, Runs, Shared, watch};
use crate::lab::LabError;
use crate::lab::record::places::Places;
use crate::threads;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

impl Queue {
    /// A queue that keeps its runs in `places.logs` and runs up to `workers` small runs at a time (0: one a core).
    ///
    /// # Errors
    /// The directory of runs cannot be written.
    pub fn new(places: Places, workers: usize) -> Result<Self, LabError> {
        places.prepare()?;
        Self::begin(places, threads::or_default(workers), 0, true)
    }

    /// A queue that keeps within `cores` cores: the share of an allocation on a machine that others use.
    ///
    /// # Errors
    /// As [`Queue::new`].
    pub fn within(places: Places, cores: usize) -> Result<Self, LabError> {
        places.prepare()?;
        Self::begin(places, cores, cores, true)
    }

    /// As [`Queue::new`] with one small run a core, but the queue begins even where nothing can be written, for looking at
    /// runs; it is then returned with the reason. Each run that is submitted tries again.
    ///
    /// # Errors
    /// The system starts no thread.
    pub fn for_looking(places: Places) -> Result<(Self, Option<LabError>), LabError> {
        let trouble = places.prepare().err();
        let queue = Self::begin(places, threads::or_default(0), 0, trouble.is_none())?;
        Ok((queue, trouble))
    }

    fn begin(places: Places, workers: usize, cores: usize, is_proven: bool) -> Result<Self, LabError> {
        let is_proven = AtomicBool::new(is_proven);
        let (runs, changed) = (Mutex::new(Runs::default()), Condvar::new());
        let shared = Arc::new(Shared { places, workers, cores, is_proven, begun: Arc::default(), runs, changed });
        let watched = Arc::downgrade(&shared);
        let watch = thread::Builder::new().name("watch over runs".to_owned()).spawn(move || watch(&watched));
        watch.map_err(|source| LabError::System { what: "start a thread", source })?;
        Ok(Self { shared })
    }
}
