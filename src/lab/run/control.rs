//! What is asked of a running job.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intent {
    Work,
    Pause,
    Stop,
}

/// What is asked of a running job: to pause, to go on, to stop. Shared by faces, signals and the job itself.
pub struct Control {
    intent: Mutex<Intent>,
    changed: Condvar,
    /// Called at every request, so that a run that waits for its turn can be stopped too.
    hook: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Default for Control {
    fn default() -> Self {
        Self { intent: Mutex::new(Intent::Work), changed: Condvar::new(), hook: OnceLock::new() }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Control").field(&*self.lock()).finish()
    }
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, Intent> {
        self.intent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, intent: Intent) {
        let mut now = self.lock();
        if *now != Intent::Stop {
            *now = intent;
        }
        drop(now);
        self.changed.notify_all();
        if let Some(hook) = self.hook.get() {
            hook();
        }
    }

    /// Sets what is called at every request; once only.
    pub(in crate::lab) fn on_request(&self, hook: impl Fn() + Send + Sync + 'static) {
        self.hook.set(Box::new(hook)).ok();
    }

    /// Asks the job to hold still at its next step.
    pub fn pause(&self) {
        self.set(Intent::Pause);
    }

    /// Lets a paused job go on.
    pub fn proceed(&self) {
        self.set(Intent::Work);
    }

    /// Asks the job to end at its next step, keeping what it has; final.
    pub fn stop(&self) {
        self.set(Intent::Stop);
    }

    /// Whether the job should end: for inner loops that have no [`RunContext`](crate::lab::RunContext).
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.lock() == Intent::Stop
    }

    /// Waits while the job should hold still.
    pub(in crate::lab) fn wait_while_paused(&self) {
        let mut intent = self.lock();
        while *intent == Intent::Pause {
            intent = self.changed.wait(intent).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for `time` or until the job should end. Returns whether it should.
    pub(in crate::lab) fn wait_for_stop(&self, time: Duration) -> bool {
        let running = |intent: &mut Intent| *intent != Intent::Stop;
        let waited = self.changed.wait_timeout_while(self.lock(), time, running);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == Intent::Stop
    }

    /// Whether the job should hold still.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        *self.lock() == Intent::Pause
    }
}
