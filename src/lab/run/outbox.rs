//! Events on their way to the observers of a run, in order; they wait here while they cannot be kept.

use crate::lab::LabError;
use crate::lab::event::Stamped;
use std::collections::VecDeque;

/// Sees every event of a run, in order: journal, console, progress bar.
pub trait Observer: Send {
    /// Takes one event. Must not wait for anybody.
    ///
    /// # Errors
    /// Why the event could not be kept (a full disk): it is offered again, and no later event and no later observer sees
    /// anything before it is kept.
    fn observe(&mut self, event: &Stamped) -> Result<(), LabError>;

    /// Shows a notice that stands outside the order of events and is not kept: that the run waits until events can
    /// be kept again.
    fn on_blocked(&mut self, _notice: &Stamped) {}
}

/// The observers of a run and the events that not all of them have taken.
pub(super) struct Outbox {
    observers: Vec<Box<dyn Observer>>,
    /// Events with the first observer that has not taken them: only while one of them cannot.
    waiting: VecDeque<(Stamped, usize)>,
    /// Why the first of them could not be taken.
    trouble: String,
}

impl Outbox {
    pub fn new(observers: Vec<Box<dyn Observer>>) -> Self {
        Self { observers, waiting: VecDeque::new(), trouble: String::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn trouble(&self) -> &str {
        &self.trouble
    }

    /// Offers `event` to every observer, after those that wait.
    pub fn send(&mut self, event: Stamped) {
        self.waiting.push_back((event, 0));
        self.deliver();
    }

    /// Offers the waiting events in order. Returns whether every observer has taken all of them.
    pub fn deliver(&mut self) -> bool {
        while let Some((stamped, next)) = self.waiting.front_mut() {
            while let Some(observer) = self.observers.get_mut(*next) {
                if let Err(trouble) = observer.observe(stamped) {
                    self.trouble = trouble.to_string();
                    return false;
                }
                *next += 1;
            }
            self.waiting.pop_front();
        }
        true
    }

    /// Shows every observer a notice that is not kept.
    pub fn notify(&mut self, notice: &Stamped) {
        self.observers.iter_mut().for_each(|observer| observer.on_blocked(notice));
    }
}
