//! The terminal while the console has it: raw, on its alternate screen; given back whatever happens.

use super::rescue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::style::Print;
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute, queue};
use std::io::{self, BufWriter, Stdout, Write};
use std::thread;

/// Reports clicks and the wheel, but no movements, which would flood a slow connection.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

/// The terminal, held.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    held: bool,
    /// Whether clicks and the wheel are reported.
    mouse: bool,
}

impl Screen {
    /// Takes the terminal; with `mouse` it reports clicks and the wheel.
    ///
    /// # Errors
    /// There is none, or it cannot be set up; it is as before then.
    pub fn take(mouse: bool) -> io::Result<Self> {
        enter(mouse)?;
        let backend = CrosstermBackend::new(BufWriter::with_capacity(1 << 16, io::stdout()));
        match Terminal::new(backend) {
            Ok(terminal) => Ok(Self { terminal, held: true, mouse }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Draws a frame; terminals that can show it as one update do.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn draw(&mut self, view: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        let drawn = self.terminal.draw(view).map(drop);
        queue!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        self.terminal.backend_mut().flush()?;
        drawn
    }

    /// Asks the terminal to copy `text` (OSC 52); one that cannot, or may not, ignores it.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), Print(format!("\x1b]52;c;{}\x07", STANDARD.encode(text))))?;
        self.terminal.backend_mut().flush()
    }

    /// Leaves clicks and the wheel to the terminal, which then selects text with them, or takes them again. Returns whether
    /// they are reported now.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn turn_mouse(&mut self) -> io::Result<bool> {
        self.mouse = !self.mouse;
        queue!(self.terminal.backend_mut(), Print(if self.mouse { MOUSE_ON } else { MOUSE_OFF }))?;
        self.terminal.backend_mut().flush()?;
        Ok(self.mouse)
    }

    /// Asks the terminal for the colour of its paper (OSC 11). The answer comes among the keys, or never.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn ask_for_paper(&mut self) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), Print("\x1b]11;?\x07"))?;
        self.terminal.backend_mut().flush()
    }

    /// Gives the terminal back to the shell.
    pub fn leave(&mut self) {
        if std::mem::take(&mut self.held) {
            give_back();
        }
    }

    /// Takes the terminal again after [`Screen::leave`].
    ///
    /// # Errors
    /// As [`Screen::take`].
    pub fn take_again(&mut self) -> io::Result<()> {
        enter(self.mouse)?;
        self.held = true;
        self.redraw()
    }

    /// Makes the next frame draw every cell.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn redraw(&mut self) -> io::Result<()> {
        // Not `clear`: that asks the terminal for the cursor and waits for an answer which the thread of keys takes.
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
    }
}

fn enter(mouse: bool) -> io::Result<()> {
    rescue::prepare()?;
    enable_raw_mode()?;
    rescue::hold(true);
    let mouse = if mouse { MOUSE_ON } else { "" };
    let entered = execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Print(mouse), cursor::Hide);
    if entered.is_err() {
        give_back();
    }
    entered
}

/// Undoes everything. A failure means that the terminal is gone, and then nothing is left to undo.
fn give_back() {
    let mut out = io::stdout();
    let _ = execute!(out, Print(MOUSE_OFF), DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    let _ = disable_raw_mode();
    rescue::hold(false);
}

/// Makes a panic of this thread give the terminal back before it is reported. Panics of other threads (runs, which
/// end as failed) leave the screen alone and go into the log.
pub fn guard_against_panics() {
    let screen_thread = thread::current().id();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if thread::current().id() == screen_thread {
            give_back();
            before(panic);
        } else {
            log::error!(target: "panic", "{}: {panic}", thread::current().name().unwrap_or("a thread"));
        }
    }));
}
