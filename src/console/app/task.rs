//! Work beside the screen: everything that touches files or other programs, or computes for long.
//!
//! The thread that draws starts a task and goes on. The task works on a thread of its own and sends back changes of the
//! console's state, which the thread that draws makes when it next looks. A task that fails or panics says so in its
//! outcome; nothing that the console needs is lost with it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A task is named on the screen when it takes longer than this.
const NOTICEABLE: Duration = Duration::from_millis(300);

/// A change of the console's state that a task asks for.
pub type Change<S> = Box<dyn FnOnce(&mut S) + Send>;

/// Called when a task has sent something.
type Wake = Arc<dyn Fn() + Send + Sync>;

/// Whether a task was asked for by the user, or belongs to the console's own housekeeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The user asked for it: it is named on the screen while it takes long, and is finished before the program ends.
    User,
    /// The console looks for news: it may be left behind when the program ends.
    Console,
}

/// What a task sends back.
enum TaskMessage<S> {
    /// A change on the way.
    Change(Change<S>),
    /// The last change; the task with this number is over.
    End(u64, Change<S>),
}

/// A task under way.
struct Running {
    number: u64,
    name: String,
    origin: Origin,
    began: Instant,
}

/// The tasks of a state `S`.
pub struct Tasks<S> {
    sender: Sender<TaskMessage<S>>,
    messages: Receiver<TaskMessage<S>>,
    running: Vec<Running>,
    started: u64,
    wake: Option<Wake>,
}

/// Sends changes of the state from a task to the thread that draws.
pub struct ChangeSender<S> {
    sender: Sender<TaskMessage<S>>,
    wake: Option<Wake>,
}

impl<S> ChangeSender<S> {
    /// Asks for a change before the task is over.
    pub fn send(&self, change: impl FnOnce(&mut S) + Send + 'static) {
        self.put(TaskMessage::Change(Box::new(change)));
    }

    fn put(&self, message: TaskMessage<S>) {
        // The state is gone only when the program ends: then nobody needs the message.
        if self.sender.send(message).is_ok()
            && let Some(wake) = &self.wake
        {
            wake();
        }
    }
}

impl<S: 'static> Tasks<S> {
    /// No tasks yet.
    pub fn new() -> Self {
        let (sender, messages) = channel();
        Self { sender, messages, running: Vec::new(), started: 0, wake: None }
    }

    /// Calls `wake` from now on whenever a task has sent something.
    pub fn wake_with(&mut self, wake: impl Fn() + Send + Sync + 'static) {
        self.wake = Some(Arc::new(wake));
    }

    /// Does `work` on a thread of its own, and hands its outcome to `done` on the thread that owns the state. `name`
    /// says what is being done: `exporting 3 runs`. A panic of `work`, or a thread that cannot be started, is an
    /// outcome as well, an error that names the task.
    pub fn start<T: Send + 'static>(
        &mut self,
        name: impl Into<String>,
        origin: Origin,
        work: impl FnOnce(&ChangeSender<S>) -> Result<T, String> + Send + 'static,
        done: impl FnOnce(&mut S, Result<T, String>) + Send + 'static,
    ) {
        let (name, number) = (name.into(), self.started);
        self.started += 1;
        let sender = ChangeSender { sender: self.sender.clone(), wake: self.wake.clone() };
        let doing = name.clone();
        // The closures are kept outside of the thread as well, because the system may refuse to start a thread.
        let parts = Arc::new(Mutex::new(Some((work, done))));
        let taken = Arc::clone(&parts);
        let take = |parts: &Mutex<Option<_>>| parts.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = thread::Builder::new().name("task".to_owned()).spawn(move || {
            let Some((work, done)) = take(&taken) else { return };
            let outcome = catch_unwind(AssertUnwindSafe(|| work(&sender)))
                .unwrap_or_else(|payload| Err(format!("{doing}: the program made a mistake: {}", words(&*payload))));
            sender.put(TaskMessage::End(number, Box::new(move |state| done(state, outcome))));
        });
        if let Err(error) = thread {
            let Some((_, done)) = take(&parts) else { return };
            let outcome = Err(format!("{name}: the system starts no thread: {error}"));
            // The receiver lives in `self`.
            let _ = self.sender.send(TaskMessage::End(number, Box::new(move |state| done(state, outcome))));
        }
        self.running.push(Running { number, name, origin, began: Instant::now() });
    }

    /// The next change that a task has asked for.
    pub fn next_change(&mut self) -> Option<Change<S>> {
        match self.messages.try_recv().ok()? {
            TaskMessage::Change(change) => Some(change),
            TaskMessage::End(number, change) => {
                self.running.retain(|task| task.number != number);
                Some(change)
            }
        }
    }

    /// Whether a task is under way.
    pub fn is_any(&self) -> bool {
        !self.running.is_empty()
    }

    /// Whether something is under way that the user asked for.
    pub fn is_any_asked_for(&self) -> bool {
        self.running.iter().any(|task| task.origin == Origin::User)
    }

    /// The name of the newest task that the user asked for and that takes noticeably long.
    pub fn noticeable(&self) -> Option<&str> {
        let long = |task: &&Running| task.origin == Origin::User && task.began.elapsed() > NOTICEABLE;
        self.running.iter().rev().find(long).map(|task| task.name.as_str())
    }
}

/// What a panic said.
fn words(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("it gave no reason")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes every change until no task is left.
    fn finish(tasks: &mut Tasks<Vec<String>>) -> Vec<String> {
        let mut state = Vec::new();
        while tasks.is_any() {
            match tasks.next_change() {
                Some(change) => change(&mut state),
                None => thread::yield_now(),
            }
        }
        state
    }

    fn note(state: &mut Vec<String>, outcome: Result<u32, String>) {
        state.push(outcome.map_or_else(|error| error, |value| format!("{value}")));
    }

    #[test]
    fn changes_come_in_order_and_the_outcome_last() {
        let mut tasks = Tasks::<Vec<String>>::new();
        let work = |sender: &ChangeSender<Vec<String>>| {
            sender.send(|state| state.push("on the way".to_owned()));
            Ok(7)
        };
        tasks.start("counting", Origin::User, work, note);
        assert!(tasks.is_any_asked_for());
        assert_eq!(finish(&mut tasks), ["on the way", "7"]);
        assert!(!tasks.is_any_asked_for());
    }

    #[test]
    fn a_failure_and_a_panic_are_outcomes_and_later_tasks_work() {
        let mut tasks = Tasks::<Vec<String>>::new();
        tasks.start("failing", Origin::Console, |_| Err("the disk is full".to_owned()), note);
        assert_eq!(finish(&mut tasks), ["the disk is full"]);
        tasks.start("listing the runs", Origin::Console, |_| panic!("index out of bounds"), note);
        assert_eq!(finish(&mut tasks), ["listing the runs: the program made a mistake: index out of bounds"]);
        tasks.start("counting", Origin::Console, |_| Ok(1), note);
        assert_eq!(finish(&mut tasks), ["1"]);
    }

    #[test]
    fn whoever_waits_is_woken() {
        let mut tasks = Tasks::<Vec<String>>::new();
        let (sender, woken) = channel();
        tasks.wake_with(move || {
            let _ = sender.send(());
        });
        tasks.start("counting", Origin::Console, |_| Ok(1), note);
        assert_eq!(woken.recv_timeout(Duration::from_secs(20)), Ok(()));
        assert_eq!(finish(&mut tasks), ["1"]);
    }
}
