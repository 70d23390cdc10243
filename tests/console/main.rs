//! The console without a terminal: keys in, characters out.

mod demo;
mod features;
mod form;
mod function;
mod inspect;
mod opening;
mod reading;
mod safety;
mod sweep;
mod variants;

use attnlab::console::app::{App, Exit, NewsSource, Overlay, Pane, ScreenRun};
use attnlab::console::keymap::Keymap;
use attnlab::console::theme::{Glyphs, Theme};
use attnlab::console::view;
use attnlab::lab::{Places, Problem, Queue, RunState, RunView};
use demo::Demo;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::time::{Duration, Instant};
use tempfile::TempDir;

static PROBLEMS: &[&dyn Problem] = &[&Demo];
const SIZES: [(u16, u16); 5] = [(1, 1), (20, 5), (80, 24), (120, 36), (200, 60)];

struct Desk {
    app: App,
    home: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self::with(Theme::default(), Keymap::default())
    }

    fn with(theme: Theme, keymap: Keymap) -> Self {
        Self::over(PROBLEMS, theme, keymap)
    }

    fn over(problems: &[&'static dyn Problem], theme: Theme, keymap: Keymap) -> Self {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let places = Places { logs: at("logs"), data: at("data"), presets: at("presets") };
        let queue = Queue::new(places, 1).unwrap();
        let mut desk = Self { app: App::new(problems, queue, theme, keymap), home };
        desk.settle();
        desk
    }

    /// Waits until everything is done that the console does beside the screen.
    fn settle(&mut self) {
        let began = Instant::now();
        while self.app.has_tasks() {
            assert!(began.elapsed() < Duration::from_secs(20), "the console is at work for too long");
            std::thread::sleep(Duration::from_millis(1));
            self.app.take_news();
        }
    }

    /// Puts a run on screen that says what it says without a clock.
    fn put(&mut self, id: &str, kind: &str, steps: u32, state: RunState) {
        self.put_with(id, kind, steps, state, &[], |_| {});
    }

    /// The same with some parameters of its own, and with a last word about what it says.
    fn put_with(
        &mut self,
        id: &str,
        kind: &str,
        steps: u32,
        state: RunState,
        changes: &[(&str, &str)],
        edit: impl Fn(&mut RunView),
    ) {
        let mut view = RunView::default();
        demo::stamped(kind, steps, state).iter().for_each(|event| view.fold(event));
        edit(&mut view);
        let folder = self.home.path().join("logs").join(id);
        let (label, params) = (kind.to_owned(), demo::params(kind, changes));
        self.app.show(0, ScreenRun { id: id.to_owned(), folder, label, params, view, source: NewsSource::Still });
    }

    fn press(&mut self, keys: &str) {
        for word in keys.split(' ') {
            let (code, modifiers) = match word {
                "enter" => (KeyCode::Enter, KeyModifiers::NONE),
                "esc" => (KeyCode::Esc, KeyModifiers::NONE),
                "tab" => (KeyCode::Tab, KeyModifiers::NONE),
                "backspace" => (KeyCode::Backspace, KeyModifiers::NONE),
                "home" => (KeyCode::Home, KeyModifiers::NONE),
                "end" => (KeyCode::End, KeyModifiers::NONE),
                "pageup" => (KeyCode::PageUp, KeyModifiers::NONE),
                "pagedown" => (KeyCode::PageDown, KeyModifiers::NONE),
                "f1" => (KeyCode::F(1), KeyModifiers::NONE),
                "f2" => (KeyCode::F(2), KeyModifiers::NONE),
                "space" => (KeyCode::Char(' '), KeyModifiers::NONE),
                "up" => (KeyCode::Up, KeyModifiers::NONE),
                "down" => (KeyCode::Down, KeyModifiers::NONE),
                "left" => (KeyCode::Left, KeyModifiers::NONE),
                "right" => (KeyCode::Right, KeyModifiers::NONE),
                "shift-left" => (KeyCode::Left, KeyModifiers::SHIFT),
                "shift-right" => (KeyCode::Right, KeyModifiers::SHIFT),
                "ctrl-c" => (KeyCode::Char('c'), KeyModifiers::CONTROL),
                "ctrl-u" => (KeyCode::Char('u'), KeyModifiers::CONTROL),
                one => (KeyCode::Char(one.chars().next().unwrap()), KeyModifiers::NONE),
            };
            self.app.key(&KeyEvent::new(code, modifiers));
            self.settle();
        }
    }

    fn type_text(&mut self, text: &str) {
        text.chars().for_each(|c| self.app.key(&KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)));
    }

    fn screen(&mut self, (width, height): (u16, u16)) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view::draw(frame, &mut self.app)).unwrap();
        if width == 0 || height == 0 { String::new() } else { terminal.backend().to_string() }
    }

    /// Follows the runs until `done` says so.
    fn wait(&mut self, what: &str, done: impl Fn(&App) -> bool) {
        let began = Instant::now();
        while !done(&self.app) {
            assert!(began.elapsed() < Duration::from_secs(20), "waited too long for {what}");
            std::thread::sleep(Duration::from_millis(5));
            self.app.follow();
        }
    }

    /// Starts a run of the form that works until it is stopped, and waits until it does.
    fn start_work(&mut self) {
        self.press("down down down down down right r");
        self.wait("the run", |app| app.tabs()[0].runs.iter().any(|run| run.view.state == RunState::Running));
    }

    fn state(&self, run: usize) -> RunState {
        self.app.tabs()[0].runs[run].view.state
    }
}

fn snapshots(name: &str, prepare: impl FnMut(&mut Desk)) {
    snapshots_in(Theme::default(), &SIZES, name, prepare);
}

/// The same at these sizes, as a terminal without Unicode shows it.
fn ascii_snapshots(name: &str, prepare: impl FnMut(&mut Desk)) {
    let theme = Theme { mono: true, glyphs: Glyphs::Ascii, ..Theme::default() };
    snapshots_in(theme, &SIZES[2..], &format!("ascii_{name}"), prepare);
}

fn snapshots_in(theme: Theme, sizes: &[(u16, u16)], name: &str, mut prepare: impl FnMut(&mut Desk)) {
    for size in sizes.iter().copied() {
        let mut desk = Desk::with(theme, Keymap::default());
        prepare(&mut desk);
        let home = desk.home.path().display().to_string();
        let screen = desk.screen(size);
        assert!(!screen.contains(&home), "a path of this machine is on screen");
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), screen);
    }
}

#[test]
fn nothing_has_run() {
    snapshots("empty", |_| {});
}

#[test]
fn a_run_is_under_way() {
    snapshots("running", |desk| desk.put("1", "softmax", 23, RunState::Running));
}

#[test]
fn finished_runs_are_compared() {
    snapshots("finished", |desk| {
        desk.put("1", "softmax", 40, RunState::Finished);
        desk.put("2", "relu", 40, RunState::Finished);
        desk.put("3", "relu", 17, RunState::Running);
    });
}

#[test]
fn a_terminal_without_unicode_shows_all_of_it() {
    ascii_snapshots("finished", |desk| {
        desk.put("1", "softmax", 40, RunState::Finished);
        desk.put("2", "relu", 40, RunState::Finished);
        desk.put("3", "relu", 17, RunState::Running);
    });
    ascii_snapshots("zoom", |desk| {
        desk.put("1", "softmax", 40, RunState::Finished);
        desk.press("n n z left y");
    });
    ascii_snapshots("help", |desk| desk.press("?"));
}

#[test]
fn one_figure_fills_the_screen() {
    snapshots("zoom", |desk| {
        desk.put("1", "softmax", 40, RunState::Finished);
        desk.put("2", "relu", 40, RunState::Finished);
        desk.press("n n z left y");
    });
}

#[test]
fn every_key_is_told() {
    snapshots("help", |desk| desk.press("?"));
}

#[test]
fn notes_that_have_no_room_say_that_there_is_more() {
    let mut desk = Desk::new();
    let edit = |view: &mut RunView| view.notes = vec!["word ".repeat(200)];
    desk.put_with("1", "softmax", 40, RunState::Finished, &[], edit);
    let screen = desk.screen((80, 24));
    assert!(screen.lines().any(|line| line.contains("word …") || line.contains("wor…")), "{screen}");
}

#[test]
fn every_place_draws_at_every_size() {
    for (width, height) in [(0, 0), (1, 1), (20, 5), (56, 14), (57, 15), (71, 20), (80, 24), (250, 70)] {
        for theme in [
            Theme::default(),
            Theme { mono: true, glyphs: Glyphs::Ascii, ..Theme::default() },
            Theme { glyphs: Glyphs::Dot, ..Theme::default() },
        ] {
            let mut desk = Desk::with(theme, Keymap::default());
            for keys in
                ["tab", "2", "3", "1", "?", "esc", "p", "esc", "w", "esc", "s", "esc", "z", "z", "v", "m", "tab tab"]
            {
                desk.press(keys);
                desk.screen((width, height));
            }
            for state in [RunState::Queued, RunState::Running, RunState::Finished, RunState::Failed] {
                desk.put(state.name(), "relu", 40, state);
            }
            for keys in ["tab", "right", "n", "n", "v", "z", "esc", "esc", "tab", "down", "right", "c", "2", "3"] {
                desk.press(keys);
                let screen = desk.screen((width, height));
                assert!(theme.glyphs != Glyphs::Ascii || screen.is_ascii(), "{screen}");
            }
        }
    }
}

#[test]
fn r_trains_and_the_results_compare() {
    let mut desk = Desk::new();
    desk.press("r");
    desk.wait("the first run", |app| app.tabs()[0].runs[0].view.state == RunState::Finished);
    desk.press("right r");
    desk.wait("the second run", |app| app.tabs()[0].runs[1].view.state == RunState::Finished);
    let screen = desk.screen((120, 36));
    for words in ["softmax", "relu", "0.912", "0.897", "Loss", "✔"] {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
    desk.press("2");
    desk.wait("the list of runs", |app| app.runs().listed.len() == 2);
    let screen = desk.screen((120, 36));
    assert!(screen.contains("Runs: 2 of 2") && screen.contains("0.912"), "{screen}");
}

#[test]
fn a_list_makes_a_run_for_each_value() {
    let mut desk = Desk::new();
    desk.press("s enter");
    assert!(desk.screen((80, 24)).contains("3 runs"));
    desk.press("+");
    assert!(desk.screen((80, 24)).contains("6 runs, 2 seeds each"));
    desk.press("- r");
    desk.wait("the points", |app| match app.overlay() {
        Some(Overlay::Sweep(dialog)) => dialog.planned().is_some(),
        _ => false,
    });
    desk.press("enter");
    desk.wait("three runs", |app| {
        app.tabs()[0].runs.iter().filter(|run| run.view.state == RunState::Finished).count() == 3
    });
}

#[test]
fn bad_input_is_refused_where_it_is_typed() {
    let mut desk = Desk::new();
    desk.press("down enter ctrl-u");
    desk.type_text("100");
    desk.press("enter");
    let screen = desk.screen((80, 24));
    assert!(screen.contains("✘ 100: a whole number"), "{screen}");
    desk.press("ctrl-u");
    desk.type_text("13");
    desk.press("enter r");
    let screen = desk.screen((120, 36));
    assert!(screen.contains("13: any depth but 13"), "{screen}");
    assert!(desk.app.tabs()[0].runs.is_empty());
}

#[test]
fn a_run_is_paused_let_go_and_stopped() {
    let mut desk = Desk::new();
    desk.start_work();
    desk.press("space");
    desk.wait("the pause", |app| app.tabs()[0].runs[0].view.state == RunState::Paused);
    assert!(desk.screen((80, 24)).contains("paused"));
    desk.press("space");
    desk.wait("the end of the pause", |app| app.tabs()[0].runs[0].view.state == RunState::Running);
    desk.press("q");
    assert!(desk.screen((80, 24)).contains("Work is not done: 1 running"));
    assert_eq!(desk.app.exit(), None);
    desk.press("esc x");
    desk.wait("the stop", |app| app.tabs()[0].runs[0].view.state == RunState::Stopped);
    desk.press("q");
    assert_eq!(desk.app.exit(), Some(Exit::Idle));
}

#[test]
fn ctrl_c_twice_always_gets_out() {
    for before in ["down down down down down right r", "? ?", "p", "down enter", "2 /"] {
        let mut desk = Desk::new();
        desk.press("down down down down down right r up up up up up");
        desk.press(before);
        desk.press("ctrl-c ctrl-c");
        assert_eq!(desk.app.exit(), Some(Exit::Force), "{before}");
        desk.app.queue().shutdown(true);
    }
}

#[test]
fn a_panicking_run_fails_and_the_console_lives_on() {
    let mut desk = Desk::new();
    desk.press("down down down down down left r");
    desk.wait("the panic", |app| app.tabs()[0].runs[0].view.state == RunState::Failed);
    let screen = desk.screen((120, 36));
    assert!(screen.contains("the roof is on fire"), "{screen}");
    desk.press("right r");
    desk.wait("the next run", |app| app.tabs()[0].runs[1].view.state == RunState::Finished);
}

#[test]
fn parameters_are_saved_and_found_again() {
    let mut desk = Desk::new();
    desk.press("right w");
    desk.type_text("a/b");
    desk.press("enter");
    assert!(desk.screen((80, 24)).contains("letters, digits"), "a bad name is refused in place");
    desk.press("ctrl-u");
    desk.type_text("mine");
    desk.press("enter");
    let text = std::fs::read_to_string(desk.home.path().join("presets/mine.toml")).unwrap();
    assert!(text.contains("kind = \"relu\""), "{text}");
    desk.press("right p");
    let Some(Overlay::Presets { list: Some(list), .. }) = desk.app.overlay() else { panic!("no list") };
    let at = list.iter().position(|(name, _)| name == "mine").unwrap();
    let chosen = list.iter().position(|(_, preset)| preset.is_ok()).unwrap();
    assert_eq!(at, chosen, "the cursor is on a preset of this problem");
    desk.press("enter");
    assert_eq!(desk.app.tabs()[0].form.draft().text("kind"), "relu");
}

#[test]
fn a_run_is_opened_named_filtered_run_again_and_thrown_away() {
    let mut desk = Desk::new();
    desk.press("r");
    desk.wait("the run", |app| app.tabs()[0].runs[0].view.state == RunState::Finished);
    let id = desk.app.tabs()[0].runs[0].id.clone();
    desk.press("tab tab d");
    desk.press("2");
    desk.wait("the list", |app| app.runs().listed.len() == 1);
    desk.press("enter");
    assert_eq!((desk.app.tab_index(), desk.state(0)), (0, RunState::Finished));
    desk.press("2 n");
    desk.type_text("first try");
    desk.press("enter");
    desk.wait("the name", |app| app.runs().listed[0].title == "first try");
    desk.press("/");
    desk.type_text("accuracy>0.95");
    desk.press("enter");
    assert!(desk.screen((80, 24)).contains("no run matches `accuracy>0.95`"));
    desk.press("/ ctrl-u");
    desk.type_text("wrong=1");
    desk.press("enter");
    assert!(desk.screen((80, 24)).contains("unknown key `wrong`"));
    desk.press("ctrl-u enter r");
    desk.wait("the second run", |app| {
        app.tabs()[0].runs.len() == 2 && app.tabs()[0].runs[1].view.state == RunState::Finished
    });
    desk.press("2");
    desk.wait("both", |app| app.runs().listed.len() == 2);
    while desk.app.runs().chosen().unwrap().id != id {
        desk.press("down");
    }
    desk.press("D");
    assert!(desk.home.path().join("logs").join(&id).exists(), "asked once more first");
    desk.press("D");
    assert!(!desk.home.path().join("logs").join(&id).exists());
    desk.wait("one left", |app| app.runs().listed.len() == 1);
}

#[test]
fn panes_and_figures_are_reached() {
    let mut desk = Desk::new();
    desk.put("1", "softmax", 40, RunState::Finished);
    desk.press("tab right");
    let screen = desk.screen((120, 36));
    assert!(screen.contains("images = 0 "), "the cursor reads out:\n{screen}");
    desk.press("tab");
    assert_eq!(desk.app.tabs()[0].pane, Pane::Results);
    desk.press("d");
    assert!(desk.app.tabs()[0].runs.is_empty());
}

#[test]
fn colours_are_never_the_only_sign() {
    let theme = Theme { mono: true, ..Theme::default() };
    let mut desk = Desk::with(theme, Keymap::default());
    desk.put("1", "softmax", 40, RunState::Finished);
    desk.put("2", "relu", 40, RunState::Running);
    let mut terminal = Terminal::new(TestBackend::new(120, 36)).unwrap();
    terminal.draw(|frame| view::draw(frame, &mut desk.app)).unwrap();
    let buffer = terminal.backend().buffer();
    assert!(
        buffer
            .content
            .iter()
            .all(|cell| cell.fg == ratatui::style::Color::Reset && cell.bg == ratatui::style::Color::Reset)
    );
    let screen = terminal.backend().to_string();
    assert!(screen.contains('●') && screen.contains('▲') && screen.contains('✔'), "{screen}");
}

#[test]
fn a_changed_key_is_in_force_and_on_screen() {
    let keymap = Keymap::with_changes("run = \"g\"\n", std::path::Path::new("keys.toml")).unwrap();
    let mut desk = Desk::with(Theme::default(), keymap);
    assert!(desk.screen((80, 24)).contains("g run"));
    desk.press("r");
    assert!(desk.app.tabs()[0].runs.is_empty());
    desk.press("g");
    assert_eq!(desk.app.tabs()[0].runs.len(), 1);
    desk.app.queue().shutdown(true);
}
