//! The event loop: it takes keys and news and draws frames, from taking the terminal to every way to leave.

use super::input::{Input, Message};
use super::paper::PaperAnswer;
use super::screen::{self, Screen};
use crate::console::app::{App, Exit, Tone, Wanted};
use crate::console::keymap::{Action, Keymap};
use crate::console::theme::Theme;
use crate::console::{logging, view};
use crate::lab::slurm::Slurm;
use crate::lab::{Places, Problem, Queue};
use ratatui::crossterm::event::{Event, KeyEventKind, MouseButton, MouseEventKind};
use ratatui::crossterm::style::force_color_output;
use rustix::process::{Signal, getpid, kill_process};
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// The least time between two frames, and between two looks for news.
const BEAT: Duration = Duration::from_millis(100);
/// How long a forced end waits for runs to write what they have.
const PATIENCE: Duration = Duration::from_secs(2);
/// Exit code for bad input: no terminal, a key file that cannot be read.
const BAD_INPUT: u8 = 2;
/// Exit code after the user has stopped runs.
const STOPPED: u8 = 130;

/// Opens the console over `problems` and stays until the user leaves; says on standard error why where it cannot.
#[must_use]
pub fn run(places: Places, problems: &[&'static dyn Problem]) -> ExitCode {
    match open(places, problems) {
        Ok(code) => code,
        Err(reason) => {
            eprintln!("attnlab: {reason}");
            ExitCode::from(BAD_INPUT)
        }
    }
}

fn open(places: Places, problems: &[&'static dyn Problem]) -> Result<ExitCode, String> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Err("the console needs a terminal; without one, `attnlab run` does the same jobs \
                    (see `attnlab run --help`)"
            .to_owned());
    }
    let read = |name: &str| std::env::var(name).ok();
    let theme = Theme::from_environment(read)?;
    let keymap = keymap()?;
    let (queue, trouble) = Queue::for_looking(places).map_err(|error| error.to_string())?;
    // Without colour there are only attributes; the terminal library would wipe them out at each change of colour.
    force_color_output(true);
    logging::start();
    let mut app = App::new(problems, queue, theme, keymap);
    app.set_has_cluster(Slurm.is_here());
    if let Some(trouble) = trouble {
        app.say(format!("{trouble}; runs can be looked at, none can start"), Tone::Bad);
    }
    let terminal = |error: io::Error| format!("cannot set up the terminal: {error}");
    screen::guard_against_panics();
    let mut input = Input::start().map_err(terminal)?;
    let sender = input.sender();
    app.wake_with(move || {
        // Sending fails only when the program ends, and then nobody needs the message.
        let _ = sender.send(Message::News);
    });
    let mut screen = Screen::take(mouse(read)?).map_err(terminal)?;
    if theme.asks_for_paper(read) {
        screen.ask_for_paper().map_err(terminal)?;
    }
    let end = live(&mut app, &mut screen, &input);
    input.stop_keys();
    screen.leave();
    Ok(leave(&mut app, &input, end))
}

/// Whether clicks and the wheel are for the console, as `ATTNLAB_MOUSE` says: 1, the default, or 0.
fn mouse(read: impl Fn(&str) -> Option<String>) -> Result<bool, String> {
    match read("ATTNLAB_MOUSE").as_deref() {
        None | Some("" | "1") => Ok(true),
        Some("0") => Ok(false),
        Some(other) => Err(format!("ATTNLAB_MOUSE: found `{other}`, allowed: 0, 1")),
    }
}

/// The keys, with the changes in `$ATTNLAB_KEYS` or `~/.config/attnlab/keys.toml`.
fn keymap() -> Result<Keymap, String> {
    let named = std::env::var_os("ATTNLAB_KEYS").map(PathBuf::from);
    // Empty or relative it counts as not set, as the XDG Base Directory Specification says.
    let config = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|config| config.is_absolute())
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let file = named.clone().or_else(|| config.map(|config| config.join("attnlab").join("keys.toml")));
    let Some(file) = file else { return Ok(Keymap::default()) };
    match std::fs::read_to_string(&file) {
        Ok(text) => Keymap::with_changes(&text, &file),
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => Ok(Keymap::default()),
        Err(error) => Err(format!("{}: cannot read the keys: {error}", file.display())),
    }
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The user wants it so.
    User(Exit),
    /// The terminal is gone.
    HungUp,
    /// The process is asked to end.
    Terminated,
}

/// Takes keys and news and draws frames, until the end. It sleeps while nothing happens, and draws at most once in a
/// [`BEAT`] and only if something has changed.
fn live(app: &mut App, screen: &mut Screen, input: &Input) -> End {
    let (mut stale, mut drawn, mut followed) = (true, None::<Instant>, Instant::now());
    let mut answer = PaperAnswer::default();
    loop {
        let due = |last: Option<Instant>| last.map_or(Duration::ZERO, |last| BEAT.saturating_sub(last.elapsed()));
        if stale && due(drawn).is_zero() {
            if screen.draw(|frame| view::draw(frame, app)).is_err() {
                return End::HungUp;
            }
            (stale, drawn) = (false, Some(Instant::now()));
        }
        let rest = match (stale, app.is_lively()) {
            (true, _) => due(drawn),
            (false, true) => due(Some(followed)).max(Duration::from_millis(1)),
            (false, false) => app.calm(),
        };
        let rest = app.message_left().map_or(rest, |left| rest.min(left.max(due(Some(followed)))));
        let mut has_news = false;
        let mut news = match input.messages.recv_timeout(rest) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return End::HungUp,
        };
        while let Some(message) = news {
            match message {
                Message::Input(event) if answer.takes(&event) => {
                    if let Some(paper) = answer.paper() {
                        app.set_paper(paper);
                        stale = true;
                    }
                }
                Message::Input(event) => stale |= take(app, event),
                // A terminal that shrank and grew again between two frames has the old size and has lost its cells.
                Message::Resized => match screen.redraw() {
                    Ok(()) => stale = true,
                    Err(_) => return End::HungUp,
                },
                Message::News => has_news = true,
                // Stopped and continued from outside: the shell has had the terminal.
                Message::Continued => match screen.take_again() {
                    Ok(()) => stale = true,
                    Err(_) => return End::HungUp,
                },
                Message::HungUp => return End::HungUp,
                Message::Terminate => return End::Terminated,
            }
            news = input.messages.try_recv().ok();
        }
        input.answered();
        if has_news {
            stale |= app.take_news();
        }
        if followed.elapsed() >= BEAT {
            stale |= app.follow();
            followed = Instant::now();
        }
        if let Some(exit) = app.exit() {
            return End::User(exit);
        }
        let done = match app.take_wanted() {
            Some(Wanted::Suspend) => suspend(screen, input),
            Some(Wanted::Redraw) => screen.redraw(),
            Some(Wanted::Copy(text)) => screen.copy(&text),
            Some(Wanted::TurnMouse) => screen.turn_mouse().map(|on| app.say_mouse(on)),
            None => continue,
        };
        stale = true;
        if done.is_err() {
            return End::HungUp;
        }
    }
}

/// Gives an event to the console. Returns whether something may have changed.
fn take(app: &mut App, event: Event) -> bool {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => app.key(&key),
        Event::Paste(text) => app.paste(&text),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => app.click(mouse.column, mouse.row),
            MouseEventKind::ScrollUp => app.scroll(mouse.column, mouse.row, Action::Up),
            MouseEventKind::ScrollDown => app.scroll(mouse.column, mouse.row, Action::Down),
            _ => return false,
        },
        _ => return false,
    }
    true
}

/// Ctrl-Z: back to the shell until `fg`.
fn suspend(screen: &mut Screen, input: &Input) -> io::Result<()> {
    screen.leave();
    kill_process(getpid(), Signal::TSTP)?;
    // The stop may take a moment. Without a shell that could continue the process, no stop comes.
    let _ = input.messages.recv_timeout(Duration::from_millis(300));
    screen.take_again()
}

/// Ends the work as the user wants it, without a screen.
fn leave(app: &mut App, input: &Input, end: End) -> ExitCode {
    let (running, queued) = app.busy();
    let count = running + queued;
    let runs = if count == 1 { "1 run".to_owned() } else { format!("{count} runs") };
    match end {
        End::User(Exit::Idle) => {}
        End::User(Exit::LeaveRunning) => {
            println!("{runs} at work in process {0}; `attnlab` shows them, `kill {0}` stops them.", std::process::id());
            go_to_background();
        }
        End::HungUp => {}
        End::User(Exit::Stop | Exit::Force) | End::Terminated => {
            if count > 0 {
                // The terminal may be gone by now, so a failure to write is no matter.
                let _ = io::Write::write_all(&mut io::stdout(), format!("stopping {runs}…\n").as_bytes());
            }
            app.stop_all();
        }
    }
    let hurry = matches!(end, End::User(Exit::Force));
    let began = Instant::now();
    let mut asked = !matches!(end, End::User(Exit::LeaveRunning) | End::HungUp);
    while app.is_unfinished() && !(hurry && began.elapsed() > PATIENCE) {
        match input.messages.recv_timeout(BEAT) {
            // The second request to end is obeyed at once.
            Ok(Message::Terminate) if asked => return ExitCode::from(STOPPED),
            Ok(Message::Terminate) => {
                asked = true;
                app.stop_all();
            }
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(BEAT),
        }
        app.take_news();
        if asked {
            // Runs that have come into the queue since are stopped as well.
            app.stop_all();
        }
    }
    if asked && count > 0 { ExitCode::from(STOPPED) } else { ExitCode::SUCCESS }
}

/// Hands the terminal back to the shell while this process works on: it stops itself, as Ctrl-Z does, and a helper
/// lets it go on in the background a second later. Where no shell controls jobs it simply stays in the foreground.
fn go_to_background() {
    let line = format!("sleep 1; kill -CONT {}", std::process::id());
    let quiet =
        Command::new("sh").args(["-c", &line]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if quiet.is_ok() {
        let _ = kill_process(getpid(), Signal::TSTP);
    }
}
