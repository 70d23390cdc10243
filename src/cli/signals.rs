//! Ctrl-C and its kin while runs are under way.

use super::failure::Failure;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A second signal that comes sooner is the first, sent twice: `timeout` sends one to its child and to the child's group.
const DOUBLED: Duration = Duration::from_millis(500);

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// An end, keeping what there is: SIGINT, SIGTERM.
    Stop,
    /// The same, because a time limit is near: SIGUSR1.
    Notice,
}

/// Hears SIGINT and SIGTERM until it is dropped; SIGHUP is heard and not followed, so that work outlives its terminal.
pub struct Listener {
    stops: Receiver<Heard>,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Begins to listen. [`Listener::wait`] reports the first signal; a second one, half a second later or more, ends
    /// the process as it would have without the listener.
    pub fn start() -> Result<Self, Failure> {
        Self::hear(&[SIGINT, SIGTERM, SIGHUP])
    }

    /// As [`Listener::start`], with the notice that a batch system gives before a time limit.
    pub fn with_notice() -> Result<Self, Failure> {
        Self::hear(&[SIGINT, SIGTERM, SIGHUP, SIGUSR1])
    }

    fn hear(signals: &[i32]) -> Result<Self, Failure> {
        let refuse = |error| Failure::failed(format!("cannot listen for signals: {error}"));
        let mut signals = Signals::new(signals).map_err(refuse)?;
        let handle = signals.handle();
        let (tell, stops) = mpsc::channel();
        let listen = move || {
            let mut asked: Option<Instant> = None;
            for signal in signals.forever().filter(|signal| *signal != SIGHUP) {
                let heard = if signal == SIGUSR1 { Heard::Notice } else { Heard::Stop };
                if heard == Heard::Stop {
                    match asked {
                        Some(when) if when.elapsed() < DOUBLED => continue,
                        Some(_) => drop(emulate_default_handler(signal)),
                        None => asked = Some(Instant::now()),
                    }
                }
                let _ = tell.send(heard);
            }
        };
        let thread = thread::Builder::new().name("signals".to_owned()).spawn(listen).map_err(refuse)?;
        Ok(Self { stops, handle, thread: Some(thread) })
    }

    /// Waits for `time`; true when the user wants an end.
    pub fn wait(&self, time: Duration) -> bool {
        self.stops.recv_timeout(time).is_ok()
    }

    /// What was heard since the last call, if anything.
    pub fn heard(&self) -> Option<Heard> {
        self.stops.try_recv().ok()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
