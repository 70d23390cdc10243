//! Ctrl-C and its kin while runs are under way.

use super::failure::Failure;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};

/// Hears SIGINT and SIGTERM until it is dropped; SIGHUP is heard and not followed, so that work outlives its terminal.
pub struct Listener {
    stops: Receiver<()>,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Begins to listen. The first signal is told by [`Listener::wait`]; the second ends the process as it would have
    /// without us.
    pub fn start() -> Result<Self, Failure> {
        let refuse = |error| Failure::failed(format!("cannot listen for signals: {error}"));
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(refuse)?;
        let handle = signals.handle();
        let (tell, stops) = mpsc::channel();
        let listen = move || {
            let mut asked = false;
            for signal in signals.forever().filter(|signal| *signal != SIGHUP) {
                if asked {
                    let _ = emulate_default_handler(signal);
                }
                asked = true;
                let _ = tell.send(());
            }
        };
        let thread = thread::Builder::new().name("signals".to_owned()).spawn(listen).map_err(refuse)?;
        Ok(Self { stops, handle, thread: Some(thread) })
    }

    /// Waits for `time`; true when the user wants an end.
    pub fn wait(&self, time: std::time::Duration) -> bool {
        self.stops.recv_timeout(time).is_ok()
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
