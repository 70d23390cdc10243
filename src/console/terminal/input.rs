//! What reaches the console from outside: keys, size, signals, the end of the line.

use ratatui::crossterm::event::{self, Event};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long the decoder may look for a key that the terminal has announced. Its `poll` finds nothing when given no time.
const MOMENT: Duration = Duration::from_millis(1);

/// Something from outside.
#[derive(Clone, Debug)]
pub enum Message {
    /// A key, a click, pasted text.
    Input(Event),
    /// The terminal has another size.
    Resized,
    /// The terminal is gone.
    HungUp,
    /// The process is asked to end (SIGTERM, SIGINT).
    Terminate,
    /// The process goes on after a stop.
    Continued,
    /// A task of the console has something to be taken in.
    News,
}

/// Listens on threads of its own.
pub struct Input {
    /// What has come.
    pub messages: Receiver<Message>,
    sender: Sender<Message>,
    wake: UnixStream,
    keys: Option<JoinHandle<()>>,
}

impl Input {
    /// Another way for messages to come.
    pub fn sender(&self) -> Sender<Message> {
        self.sender.clone()
    }

    /// Begins to listen.
    ///
    /// # Errors
    /// Signals cannot be caught, or there is no room for threads.
    pub fn start() -> io::Result<Self> {
        let (sender, messages) = channel();
        let mut signals = Signals::new([SIGHUP, SIGTERM, SIGINT, SIGWINCH, SIGCONT])?;
        let told = sender.clone();
        let (wake, woken) = UnixStream::pair()?;
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                let message = match signal {
                    SIGHUP => Message::HungUp,
                    SIGWINCH => Message::Resized,
                    SIGCONT => Message::Continued,
                    _ => Message::Terminate,
                };
                if told.send(message).is_err() {
                    return;
                }
            }
        })?;
        let told = sender.clone();
        let keys = thread::Builder::new().name("keys".to_owned()).spawn(move || read_keys(&told, woken))?;
        Ok(Self { messages, sender, wake, keys: Some(keys) })
    }

    /// Stops reading keys: from a background process the terminal must not be read.
    pub fn stop_keys(&mut self) {
        let _ = self.wake.write_all(b"e");
        if let Some(keys) = self.keys.take() {
            let _ = keys.join();
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.stop_keys();
    }
}

/// Waits for the terminal with `poll`, which tells a hang-up; the key decoder alone would read the end of the file
/// again and again, taking a core.
///
/// The decoder must be the one that polls (crossterm's `use-dev-tty`): the other is told once of a key, and forgets it
/// when a new size comes at the same moment.
fn read_keys(sender: &Sender<Message>, woken: UnixStream) {
    let terminal = rustix::stdio::stdin();
    loop {
        let mut both = [PollFd::new(&terminal, PollFlags::IN), PollFd::new(&woken, PollFlags::IN)];
        match poll(&mut both, None::<&Timespec>) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => break,
        }
        let (keys, wakes) = (both[0].revents(), both[1].revents());
        if !wakes.is_empty() {
            return;
        }
        if keys.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            break;
        }
        while event::poll(MOMENT).unwrap_or(false) {
            match event::read() {
                // Sizes come by signal as well, and at once.
                Ok(Event::Resize(..)) => {}
                Ok(input) => {
                    if sender.send(Message::Input(input)).is_err() {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }
    let _ = sender.send(Message::HungUp);
}
