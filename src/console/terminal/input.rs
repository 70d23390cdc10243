//! What reaches the console from outside: keys, sizes, signals, the loss of the terminal.

use super::rescue;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long the decoder may look for a key that the terminal has announced. Its `poll` finds nothing when given no
/// time.
const MOMENT: Duration = Duration::from_millis(1);

/// How long the thread that draws has time to answer a second Ctrl-C before the program is ended without it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Exit code of that end, as a shell counts SIGINT.
const INTERRUPTED: i32 = 130;

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
    /// A task of the console has sent a change.
    News,
}

/// Listens on threads of its own.
pub struct Input {
    /// What has come.
    pub messages: Receiver<Message>,
    sender: Sender<Message>,
    interrupts: Arc<AtomicU32>,
    wake: UnixStream,
    keys: Option<JoinHandle<()>>,
}

impl Input {
    /// Notes that the thread that draws has taken all keys so far.
    pub fn answered(&self) {
        self.interrupts.store(0, Ordering::Relaxed);
    }

    /// A sender of further messages to the event loop.
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
        let interrupts = Arc::new(AtomicU32::new(0));
        let (told, counted) = (sender.clone(), Arc::clone(&interrupts));
        let keys = thread::Builder::new().name("keys".to_owned()).spawn(move || read_keys(&told, &counted, woken))?;
        Ok(Self { messages, sender, interrupts, wake, keys: Some(keys) })
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
/// The decoder must be the one that polls (crossterm's feature `use-dev-tty`). The other one hears only once of a key
/// and forgets it when a new size comes at the same moment.
///
/// It also counts in `interrupts` how often Ctrl-C was pressed since the thread that draws last took a key: where that
/// does not answer the second one, the program is ended from here, with the terminal given back.
fn read_keys(sender: &Sender<Message>, interrupts: &AtomicU32, woken: UnixStream) {
    let terminal = rustix::stdio::stdin();
    let mut ignored_since = None::<Instant>;
    loop {
        let ignored = interrupts.load(Ordering::Relaxed) >= 2;
        ignored_since = ignored_since.filter(|_| ignored).or_else(|| ignored.then(Instant::now));
        let left = ignored_since.map(|since| PATIENCE.saturating_sub(since.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            rescue::give_back();
            signal_hook::low_level::exit(INTERRUPTED);
        }
        let wait = left.map(|left| Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) });
        let mut both = [PollFd::new(&terminal, PollFlags::IN), PollFd::new(&woken, PollFlags::IN)];
        match poll(&mut both, wait.as_ref()) {
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
                // New sizes are reported by a signal already.
                Ok(Event::Resize(..)) => {}
                Ok(input) => {
                    if matches!(&input, Event::Key(key) if is_interrupt(key)) {
                        interrupts.fetch_add(1, Ordering::Relaxed);
                    }
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

/// Whether a key is Ctrl-C, whatever a user's key file says.
fn is_interrupt(key: &KeyEvent) -> bool {
    key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL)
}
