//! A program in a pseudo-terminal: keys in, a screen out, and waiting for words instead of for time.

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Generous: the machine may be busy with something else.
const PATIENCE: Duration = Duration::from_secs(120);

/// A program in a pseudo-terminal.
pub struct Session {
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    closing: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    screen: Arc<Mutex<vt100::Parser>>,
    bytes: Arc<Mutex<Vec<u8>>>,
}

fn size((columns, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal without cells")
}

impl Session {
    /// Starts `command` in a terminal of so many columns and rows.
    pub fn start(command: CommandBuilder, columns_rows: (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(size(columns_rows)).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(columns_rows.1), cells(columns_rows.0), 0)));
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (shown, kept) = (Arc::clone(&screen), Arc::clone(&bytes));
        let closing = Arc::new(AtomicBool::new(false));
        let closed = Arc::clone(&closing);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if closed.load(Ordering::Relaxed) {
                    return;
                }
                shown.lock().unwrap().process(&buffer[..count]);
                kept.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        let keys = Some(pair.master.take_writer().unwrap());
        Self { child, master: Some(pair.master), keys, closing, reader: Some(reader), screen, bytes }
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// What the screen shows.
    pub fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Looks at the screen.
    pub fn look<T>(&self, at: impl FnOnce(&vt100::Screen) -> T) -> T {
        at(self.screen.lock().unwrap().screen())
    }

    /// Everything that was written to the terminal.
    pub fn written(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        let writer = self.keys.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Presses keys that the program may not take any more.
    pub fn try_press(&mut self, keys: &str) {
        let writer = self.keys.as_mut().unwrap();
        let _ = writer.write_all(keys.as_bytes()).and_then(|()| writer.flush());
    }

    /// How the program has ended, if it has.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits until the screen is as `done` wants it, or the program has ended.
    pub fn wait_until_or_end(&mut self, what: &str, done: impl Fn(&str) -> bool) {
        let began = Instant::now();
        while self.status().is_none() && !done(&self.text()) {
            assert!(began.elapsed() < PATIENCE, "waited too long for {what}; the screen is\n{}", self.text());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, columns_rows: (u16, u16)) {
        self.screen.lock().unwrap().screen_mut().set_size(cells(columns_rows.1), cells(columns_rows.0));
        self.master.as_ref().unwrap().resize(size(columns_rows)).unwrap();
    }

    /// Waits until the screen is as `done` wants it.
    pub fn wait_until(&self, what: &str, done: impl Fn(&str) -> bool) {
        let began = Instant::now();
        while !done(&self.text()) {
            assert!(began.elapsed() < PATIENCE, "waited too long for {what}; the screen is\n{}", self.text());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the screen shows `words`.
    pub fn wait_for(&self, words: &str) {
        self.wait_until(words, |screen| screen.contains(words));
    }

    /// Waits for the program's end, and until everything is read that it has written.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.read_to_the_end();
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "the program does not end; the screen is\n{}", self.text());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the reader, which ends once nobody holds the other side of the terminal. A process that was left running may
    /// still hold it, so the wait is short.
    fn read_to_the_end(&self) {
        let began = Instant::now();
        let is_reading = || self.reader.as_ref().is_some_and(|reader| !reader.is_finished());
        while is_reading() && began.elapsed() < Duration::from_secs(3) {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Closes the terminal, as a connection that drops does.
    pub fn hang_up(&mut self) {
        // The reader holds the terminal too: another size makes the program draw, and the reader let go.
        self.closing.store(true, Ordering::Relaxed);
        self.master.as_ref().unwrap().resize(size((121, 37))).unwrap();
        self.reader.take().unwrap().join().unwrap();
        self.keys = None;
        self.master = None;
    }

    /// Whether the terminal is as a shell wants it: main screen, visible cursor, lines edited and echoed.
    pub fn assert_restored(&self) {
        self.look(|screen| assert!(!screen.alternate_screen() && !screen.hide_cursor(), "the screen is not restored"));
        let modes = format!("{:?}", self.master.as_ref().unwrap().get_termios().unwrap().local_flags);
        assert!(modes.contains("ICANON") && modes.contains("ECHO"), "the line is still raw: {modes}");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// Processor seconds that process `pid` has taken.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
