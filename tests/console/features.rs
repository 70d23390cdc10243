//! The tab of random features: maps of heads, parameters that are not read, the search for the best estimator.

use super::Desk;
use attnlab::console::keymap::Keymap;
use attnlab::console::theme::{Glyphs, Theme};
use attnlab::console::view;
use attnlab::lab::{Matrix, RunState, RunView};
use attnlab::problems;
use ndarray::{Array4, ArrayView4, s};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Modifier;

const PROBLEM: &str = "random-features";

/// The console on the tab of random features.
fn desk() -> Desk {
    let mut desk = Desk::over(problems::ALL, Theme::default(), Keymap::default());
    let at = problems::ALL.iter().position(|problem| problem.name() == PROBLEM).unwrap();
    desk.press(&(at + 1).to_string());
    desk
}

/// Types `text` into the field `key`.
fn set(desk: &mut Desk, key: &str, text: &str) {
    desk.press("/");
    desk.type_text(key);
    desk.press("enter");
    desk.press("enter ctrl-u");
    desk.type_text(text);
    desk.press("enter");
    assert_eq!(text_of(desk, key), text);
}

fn text_of(desk: &Desk, key: &str) -> String {
    let tab = desk.app.tabs().iter().find(|tab| tab.problem.name() == PROBLEM).unwrap();
    tab.form.draft().text(key).to_owned()
}

/// A map of 8 layers × 5 heads whose best estimators are A, B and C.
fn heads() -> Matrix {
    let texts = |count: usize| (0..count).map(|index| index.to_string()).collect();
    Matrix {
        id: "heads".into(),
        group: "heads".into(),
        title: "layers × heads: smallest error of the output".into(),
        rows: 8,
        cols: 5,
        values: (0..40).map(|index| if index == 17 { f32::NAN } else { (index * 7 % 40) as f32 / 40.0 }).collect(),
        letters: (0..40)
            .map(|index| if index == 17 { "" } else { ["A", "B", "C"][index * 7 % 3] }.to_owned())
            .collect(),
        row_names: texts(8),
        col_names: texts(5),
        caption: "0 to 0.95; A positive, B hyperbolic, C gerf".into(),
        ..Matrix::default()
    }
}

#[test]
fn a_map_of_heads_shows_letters_and_numbers() {
    for glyphs in [Glyphs::Braille, Glyphs::Ascii] {
        for (width, height) in [(80, 24), (120, 36)] {
            for zoom in [false, true] {
                let mut desk = Desk::with(Theme { glyphs, ..Theme::default() }, Keymap::default());
                let edit = |view: &mut RunView| view.matrices = vec![heads()];
                desk.put_with("1", "softmax", 40, RunState::Finished, &[], edit);
                desk.press(if zoom { "n n n z" } else { "n n n" });
                let name = format!("heads_{glyphs:?}{}_{width}x{height}", if zoom { "_zoom" } else { "" });
                insta::assert_snapshot!(name.to_lowercase(), desk.screen((width, height)));
            }
        }
    }
}

#[test]
fn what_is_not_read_is_dim_in_the_form_and_named_at_the_start() {
    let mut desk = desk();
    for (key, text) in [("inputs", "hub"), ("length", "8"), ("dim", "2"), ("m", "2"), ("trials", "1")] {
        set(&mut desk, key, text);
    }
    set(&mut desk, "sigma", "2");
    let screen = desk.screen((120, 36));
    assert!(screen.contains("not read: only with inputs=gauss or"), "{screen}");

    let mut terminal = Terminal::new(TestBackend::new(120, 36)).unwrap();
    desk.press("down");
    terminal.draw(|frame| view::draw(frame, &mut desk.app)).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |label: &str| {
        let starts = |y: u16| (0..20).map(|x| buffer[(x, y)].symbol()).collect::<String>().contains(label);
        (0..36).find(|y| starts(*y)).unwrap()
    };
    let value = |label: &str, value: &str| {
        let y = line(label);
        let x = (0..38).find(|x| buffer[(*x, y)].symbol() == value).unwrap();
        buffer[(x, y)].style()
    };
    let theme = Theme::default();
    assert_eq!(value("sigma", "2").fg, theme.dim().fg);
    assert!(!value("sigma", "2").add_modifier.contains(Modifier::BOLD));
    assert!(value("length L", "8").add_modifier.contains(Modifier::BOLD), "what is read and changed stands out");

    desk.press("r");
    let screen = desk.screen((160, 40));
    assert!(
        screen.contains("sigma is not read: only with inputs=gauss or inputs=outlier, here inputs=hub"),
        "{screen}"
    );
    let tab = desk.app.tabs().iter().position(|tab| tab.problem.name() == PROBLEM).unwrap();
    desk.wait("the run", |app| app.tabs()[tab].runs.iter().all(|run| run.view.state == RunState::Finished));
    assert_eq!(desk.app.tabs()[tab].runs.len(), 1);
}

/// Writes queries and keys of 2 layers × 2 heads; returns the names for the form.
fn files(desk: &Desk, entry: impl Fn([usize; 4]) -> f64) -> (String, String) {
    let shape = (2, 2, 24, 3);
    let tokens = Array4::from_shape_fn(shape, |(layer, head, token, at)| entry([layer, head, token, at]));
    let write = |name: &str, array: ArrayView4<'_, f64>| {
        let path = desk.home.path().join(name);
        ndarray_npy::write_npy(&path, &array.to_owned()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    (write("q.npy", tokens.view()), write("k.npy", tokens.slice(s![.., .., ..;-1, ..])))
}

fn asked(entry: impl Fn([usize; 4]) -> f64) -> Desk {
    let mut desk = desk();
    let (queries, keys) = files(&desk, entry);
    for (key, text) in [
        ("inputs", "file"),
        ("queries", &queries),
        ("keys", &keys),
        ("layer", "all"),
        ("head", "0,1"),
        ("transpose", "no"),
    ] {
        set(&mut desk, key, text);
    }
    desk.press("o");
    desk
}

#[test]
fn the_best_estimator_for_a_file_is_set() {
    let mut desk = asked(|[layer, head, token, at]| 0.5 * ((layer + 2 * head + 3 * token + 5 * at) as f64).sin());
    let screen = desk.screen((200, 60));
    assert!(screen.contains("normalized error 0.1: reached on 4 of 4 heads by estimator="), "{screen}");
    let (estimator, m) = (text_of(&desk, "estimator"), text_of(&desk, "m"));
    assert!(!estimator.contains(',') && !text_of(&desk, "projection").contains(','), "one of each");
    assert!((1..=24).contains(&m.parse::<usize>().unwrap()), "{m}");
    assert!(screen.contains(&format!("estimator={estimator} projection={} m={m}", text_of(&desk, "projection"))));
}

#[test]
fn that_nothing_reaches_the_error_is_said() {
    let mut desk =
        asked(|[layer, head, token, at]| 9.0 * ((layer + 2 * head + 3 * token * token + 5 * at) as f64).sin());
    let screen = desk.screen((200, 60));
    assert!(
        screen.contains("nothing reaches the normalized error 0.1 on any of 4 heads with up to 24 features"),
        "{screen}"
    );
    assert_eq!((text_of(&desk, "m"), text_of(&desk, "estimator")), ("16,32,64,128,256".into(), "positive".into()));
    // Drawn inputs have no search.
    set(&mut desk, "inputs", "gauss");
    desk.press("o");
    assert!(desk.screen((200, 60)).contains("nothing is known to be best for these parameters"));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let mut desk = desk();
    set(&mut desk, "inputs", "file");
    set(&mut desk, "queries", "nowhere.npy");
    set(&mut desk, "keys", "nowhere.npy");
    desk.press("o");
    let screen = desk.screen((200, 60));
    assert!(screen.contains("nowhere.npy"), "{screen}");
}
