//! How far a run has come.

use crate::lab::{Event, Progress, RunContext};
use std::time::{Duration, Instant};

/// The shortest time between two reports of one stage.
const INTERVAL: Duration = Duration::from_millis(50);

/// Counts units of work and reports them.
pub(in crate::problems) struct Meter {
    done: u64,
    total: u64,
    unit: &'static str,
    /// Units that an earlier part of the run has done.
    found: u64,
    began: Instant,
    reported: Option<(Instant, String)>,
}

impl Meter {
    /// A meter for `total` units of work, called `unit` in the plural.
    pub fn new(total: usize, unit: &'static str) -> Self {
        Self { done: 0, total: total as u64, unit, found: 0, began: Instant::now(), reported: None }
    }

    /// Counts units that an earlier part of the run has done: they say nothing about the speed.
    pub fn skip(&mut self, units: usize) {
        self.done += units as u64;
        self.found += units as u64;
    }

    /// Counts units done just now, and reports when a stage begins, when everything is done, and in between from time to
    /// time.
    pub fn advance(&mut self, units: usize, stage: &str, context: &mut RunContext) {
        self.done += units as u64;
        let due = match &self.reported {
            Some((at, before)) => before != stage || at.elapsed() >= INTERVAL || self.done >= self.total,
            None => true,
        };
        if due {
            self.reported = Some((Instant::now(), stage.to_owned()));
            context.emit(Event::Progress(Progress {
                done: self.done,
                total: self.total,
                unit: self.unit.to_owned(),
                rate: (self.done - self.found) as f64 / self.began.elapsed().as_secs_f64().max(1e-9),
                stage: stage.to_owned(),
            }));
        }
    }
}
