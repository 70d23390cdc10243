//! The editor of a function: what is seen while one is typed, and what keys do.

use super::Desk;
use attnlab::console::app::{Overlay, Pane};
use attnlab::console::keymap::{Keymap, Place};
use attnlab::console::theme::{Glyphs, Theme};
use attnlab::console::view;
use attnlab::function::GALLERY;
use attnlab::lab::{Column, Estimate, Param, ParamError, Params, Problem, RunContext, RunError, Schema, list};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

/// A problem whose only parameters are a function and a number.
struct Own;

const PARAMS: &[Param] = &[
    Param::int("depth", "depth", 1, 64, "4").help("number of blocks"),
    Param::function("f", "function f", "relu(u) + 0.001").help("the feature map of a query or key"),
];

impl Problem for Own {
    fn name(&self) -> &'static str {
        "own"
    }
    fn title(&self) -> &'static str {
        "Own"
    }
    fn about(&self) -> &'static str {
        "a function and nothing else"
    }
    fn schema(&self) -> Schema {
        Schema(PARAMS)
    }
    fn columns(&self) -> &'static [Column] {
        &[]
    }
    fn headline(&self) -> &'static str {
        ""
    }
    fn label(&self, params: &Params) -> String {
        params.text("f").to_owned()
    }
    fn check(&self, _: &Params) -> Result<(), ParamError> {
        Ok(())
    }
    fn estimate(&self, _: &Params) -> Estimate {
        Estimate { rows: 1, seconds: None, bytes: None }
    }
    fn run(&self, _: &Params, _: &mut RunContext) -> Result<(), RunError> {
        Ok(())
    }
}

static PROBLEMS: &[&dyn Problem] = &[&Own];

/// A console whose form stands on the function.
fn desk_with(theme: Theme, keymap: Keymap) -> Desk {
    let mut desk = Desk::over(PROBLEMS, theme, keymap);
    desk.press("down");
    desk
}

fn desk() -> Desk {
    desk_with(Theme::default(), Keymap::default())
}

/// A console in whose editor `text` was typed.
fn typed(text: &str) -> Desk {
    let mut desk = desk();
    desk.press("enter ctrl-u");
    desk.app.paste(text);
    desk
}

fn held(desk: &Desk) -> &str {
    desk.app.tabs()[0].form.draft().text("f")
}

fn snapshots(name: &str, prepare: impl Fn() -> Desk) {
    for size in [(80, 24), (120, 36), (200, 60)] {
        insta::assert_snapshot!(format!("function_{name}_{}x{}", size.0, size.1), prepare().screen(size));
    }
}

#[test]
fn the_curve_is_drawn_beside_the_text() {
    snapshots("good", || typed("softplus(a*u + c)/a;  a = 2 > 0;  c = (0.5)"));
}

#[test]
fn a_mistake_is_marked_where_it_is() {
    snapshots("wrong", || {
        let mut desk = typed("softplus(a*u + c)/a; a = 2 > 0; c = 0.5");
        (0..30).for_each(|_| desk.press("left"));
        desk.type_text("(");
        desk
    });
}

#[test]
fn a_list_has_a_curve_for_each_function() {
    snapshots("list", || {
        let mut desk = typed("relu(u) + 0.001 | elu(u) + 1 | [relu(u), relu(-u)]");
        desk.press("pageup");
        desk
    });
}

#[test]
fn ready_functions_stand_beside_the_editor() {
    snapshots("gallery", || {
        let mut desk = typed("elu(u) + 1");
        desk.press("down down down down down down down down down");
        desk
    });
}

#[test]
fn the_document_shows_the_editor() {
    let mut desk = typed("softplus(a*u + c)/a; a = 2 > 0; c = 0.5 | elu(u) + 1");
    desk.press("home");
    let screen = desk.screen((80, 24));
    let lines: Vec<&str> = screen.lines().map(|line| line.trim_matches('"')).collect();
    let shown = lines[1..23].join("\n");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/own-functions.md");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(&shown), "put this screen into docs/own-functions.md:\n{shown}");
}

#[test]
fn keys_of_the_editor_are_told() {
    let mut desk = typed("exp(u)");
    desk.press("f1");
    assert!(matches!(desk.app.overlay(), Some(Overlay::Help { place: Place::Function, .. })));
    let screen = desk.screen((120, 36));
    assert!(screen.contains("choose from ready functions"), "{screen}");
    desk.press("esc down ?");
    assert!(matches!(desk.app.overlay(), Some(Overlay::Help { place: Place::Gallery, .. })));
    desk.press("esc esc");
    assert_eq!(desk.app.place(), Place::Function, "what was typed is still there");
    assert!(desk.screen((80, 24)).contains("✔ exp(u)"));
}

#[test]
fn enter_takes_what_is_good_and_keeps_what_is_not() {
    let mut desk = desk();
    desk.press("enter");
    assert_eq!(desk.app.place(), Place::Function);
    desk.press("ctrl-u");
    desk.type_text("reul(u)");
    desk.press("enter");
    assert_eq!((desk.app.place(), held(&desk)), (Place::Function, "relu(u) + 0.001"));
    let screen = desk.screen((80, 24));
    assert!(screen.contains("\"│ f = reul(u) ") && screen.contains("\"│     ^^^^ "), "{screen}");
    assert!(screen.contains("✘ `reul` is no function, at character 1"), "{screen}");
    assert!(screen.contains("`relu`?"), "the nearest name has room:\n{screen}");
    assert!(screen.contains("last good f and f′"), "{screen}");
    desk.press("ctrl-u");
    desk.type_text("exp( u ) ");
    desk.press("enter");
    assert_eq!((desk.app.place(), held(&desk)), (Place::Form, "exp( u )"));
    // Escape changes nothing.
    desk.press("enter");
    desk.type_text("+1");
    desk.press("esc");
    assert_eq!((desk.app.place(), held(&desk)), (Place::Form, "exp( u )"));
    assert_eq!(desk.app.tabs()[0].pane, Pane::Form);
}

#[test]
fn ready_functions_are_inserted_and_listed() {
    let mut desk = desk();
    desk.press("enter tab down enter");
    assert_eq!(desk.app.place(), Place::Function);
    desk.type_text("*2");
    desk.press("down a esc enter");
    let expected = format!("{}*2 | {}", GALLERY[1].text, GALLERY[0].text);
    assert_eq!(held(&desk), expected);
    assert!(desk.screen((80, 24)).contains("×2"), "the form shows the number of functions");
    // A sweep begins with a list.
    desk.press("backspace s");
    assert_eq!(desk.app.tabs()[0].form.function().unwrap().functions().len(), 4);
    desk.press("enter");
    assert!(held(&desk).starts_with("relu(u) + 0.001 | "), "{}", held(&desk));
}

#[test]
fn a_list_that_is_too_long_is_refused_in_place() {
    let mut desk = typed(&("u|".repeat(list::LIMIT) + "u"));
    desk.press("enter");
    assert_eq!(desk.app.place(), Place::Function);
    let screen = desk.screen((80, 24));
    assert!(screen.contains("✘ f: found `10001 values`, allowed: at most 10000"), "{screen}");
    desk.press("backspace backspace");
    assert!(!desk.screen((80, 24)).contains('✘'));
}

#[test]
fn characters_are_typed_whatever_keys_are_changed() {
    let keymap = Keymap::with_changes(
        "gallery = [\"f2\", \"g\"]\nappend = \"+\"\nedit = \"E\"\nback = \"Q\"\n",
        std::path::Path::new("keys.toml"),
    )
    .unwrap();
    let mut desk = desk_with(Theme::default(), keymap);
    desk.press("E ctrl-u");
    desk.type_text("exp(u)EQg");
    desk.press("backspace backspace backspace");
    assert!(desk.screen((120, 36)).contains("F2 ready functions"));
    desk.press("down");
    assert_eq!(desk.app.place(), Place::Function);
    desk.press("f2 + Q enter");
    assert!(held(&desk).starts_with("exp(u) | "), "{}", held(&desk));
}

#[test]
fn the_height_of_the_curves_is_logarithmic_on_demand() {
    let mut desk = typed("[exp(u), u]");
    desk.app.key(&KeyEvent::new(KeyCode::Char('y'), KeyModifiers::ALT));
    let screen = desk.screen((120, 36));
    assert!(screen.contains("0.01┤") && screen.contains("≤ 0 not shown"), "{screen}");
    desk.press("down y");
    assert!(!desk.screen((120, 36)).contains("0.01┤"));
}

#[test]
fn functions_of_a_list_have_the_colour_of_their_curve() {
    let mut desk = typed("exp(u) | reul(u)");
    desk.press("home");
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| view::draw(frame, &mut desk.app)).unwrap();
    let buffer = terminal.backend().buffer();
    let theme = Theme::default();
    let colour = |column: u16| buffer[(column, 2)].style().fg;
    // The text begins in column 6, under the cursor.
    assert_eq!(colour(7), theme.ink(0).fg);
    assert_eq!(colour(13), Some(Color::Reset));
    assert_eq!((colour(15), colour(18)), (theme.bad().fg, theme.bad().fg));
    assert_eq!(colour(19), theme.ink(1).fg);
}

#[test]
fn a_long_text_says_where_its_mistake_is_out_of_view() {
    let long = format!("{}u", "1 + ".repeat(40));
    let mut desk = typed(&format!("reul(u) + {long}"));
    let screen = desk.screen((80, 24));
    assert!(screen.contains("◂ at character 1 "), "{screen}");
    desk.press("ctrl-u");
    desk.app.paste(&format!("{long} + reul(u)"));
    desk.press("home");
    let screen = desk.screen((80, 24));
    assert!(screen.contains("at character 165 ▸"), "{screen}");
}

#[test]
fn the_editor_draws_at_every_size_and_in_every_theme() {
    for size in [(0, 0), (1, 1), (20, 5), (56, 14), (57, 15), (71, 20), (99, 30), (250, 70)] {
        for theme in [
            Theme::default(),
            Theme { mono: true, glyphs: Glyphs::Ascii, ..Theme::default() },
            Theme { glyphs: Glyphs::Dot, ..Theme::default() },
        ] {
            let mut desk = desk_with(theme, Keymap::default());
            for keys in ["enter", "down", "down a a", "pagedown pagedown enter", "(", "ctrl-u", "esc"] {
                desk.press(keys);
                let screen = desk.screen(size);
                assert!(theme.glyphs != Glyphs::Ascii || screen.is_ascii(), "{screen}");
            }
        }
    }
}

/// Texts and keys as they come while somebody types, and some that nobody would.
fn strokes() -> impl Strategy<Value = Vec<(String, KeyCode)>> {
    let words = prop::sample::select(vec![
        "exp(",
        "relu(u)",
        "|",
        " | ",
        "a*u; a = 1 > 0",
        "[u, p]",
        ")",
        "]",
        "/n",
        "漢字",
        "é",
        "\u{301}",
        "\u{202e}",
        "\u{1b}[2J",
        "^2",
        "sum(",
        ";",
        "=",
        "1e999",
        "softplus",
        "\n",
        "\t",
    ]);
    let text = prop_oneof![words.prop_map(str::to_owned), ".{0,12}", "[-+*/^()\\[\\],;=>|0-9a-z ]{0,24}"];
    let keys = prop::sample::select(vec![
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Down,
        KeyCode::Up,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Enter,
        KeyCode::Tab,
        KeyCode::Char('a'),
        KeyCode::Char('|'),
    ]);
    prop::collection::vec((text, keys), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_is_typed_is_drawn(strokes in strokes()) {
        let mut desk = typed("");
        for (text, key) in strokes {
            if desk.app.place() == Place::Form {
                desk.press("enter");
            }
            desk.app.paste(&text);
            desk.app.key(&KeyEvent::new(key, KeyModifiers::NONE));
            desk.screen((80, 24));
            let form = &desk.app.tabs()[0].form;
            if let Some(editor) = form.function() {
                let count = editor.input().value().chars().count();
                prop_assert!(editor.current() < editor.functions().len());
                let error = editor.error();
                prop_assert!(error.is_none_or(|error| error.place.start <= error.place.end && error.place.end <= count));
            }
        }
    }
}
