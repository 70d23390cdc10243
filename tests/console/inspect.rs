//! Figures are read: the cursor along points and over cells, parts of an axis, clicks, the wheel.

use super::{Desk, snapshots};
use attnlab::console::app::Pane;
use attnlab::console::keymap::{Action, Keymap};
use attnlab::console::theme::Theme;
use attnlab::lab::{Matrix, RunState, RunView, Sample};
use attnlab::problems;

const SIZE: (u16, u16) = (120, 36);
const WIDE: (u16, u16) = (200, 60);

/// Two finished runs, with the figures in the keys' pane: loss, accuracy, error, matrices.
fn desk() -> Desk {
    let mut desk = Desk::new();
    desk.put("1", "softmax", 40, RunState::Finished);
    desk.put("2", "relu", 40, RunState::Finished);
    desk.press("tab");
    desk
}

/// The cell at which `words` begin on the screen, their first place.
fn cell_of(screen: &str, words: &str) -> (u16, u16) {
    let row = screen.lines().position(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {screen}"));
    let line = screen.lines().nth(row).unwrap();
    // Each line stands in quotes.
    (line[..line.find(words).unwrap()].chars().count() as u16 - 1, row as u16)
}

#[test]
fn the_cursor_goes_from_point_to_point() {
    let mut desk = desk();
    desk.press("n n");
    for (key, at) in
        [("right", "16"), ("right", "32"), ("end", "1024"), ("left", "512"), ("home", "16"), ("left", "16")]
    {
        desk.press(key);
        let screen = desk.screen(SIZE);
        assert!(screen.contains(&format!("features = {at} ")), "{key} {at}: {screen}");
    }
    desk.press("esc");
    assert!(!desk.screen(SIZE).contains("features ="));
    desk.press("left");
    assert!(desk.screen(SIZE).contains("features = 1024 "), "without a cursor the last point is the first to the left");
    // Points that stand closer than columns of the screen are passed over with Shift.
    let mut dense = Desk::new();
    let edit = |view: &mut RunView| {
        let points = (0..4000).map(|x| Sample { x: f64::from(x) / 100.0, y: 1.0, lo: None, hi: None });
        view.series[0].points = points.collect();
    };
    dense.put_with("1", "softmax", 40, RunState::Finished, &[], edit);
    dense.press("tab home");
    dense.screen(SIZE);
    dense.press("right");
    assert!(dense.screen(SIZE).contains("images = 0.01 "), "{}", dense.screen(SIZE));
    dense.press("shift-right");
    let screen = dense.screen(SIZE);
    assert!(!screen.contains("images = 0.02 ") && screen.contains("images = 0."), "{screen}");
    dense.press("shift-left");
    assert!(dense.screen(SIZE).contains("images = 0.0"), "{}", dense.screen(SIZE));
}

#[test]
fn a_value_of_an_open_curve_is_read_with_four_keys() {
    let mut desk = Desk::over(problems::ALL, Theme::default(), Keymap::default());
    let tab = problems::ALL.iter().position(|problem| problem.name() == "random-features").unwrap();
    desk.press(&(tab + 1).to_string());
    for (key, text) in [("length", "8"), ("dim", "2"), ("m", "16,32,64,128,256,512,1024"), ("trials", "1")] {
        (0..60).for_each(|_| desk.press("up"));
        for _ in 0..60 {
            if desk.app.tabs()[tab].form.selected().unwrap().key != key {
                desk.press("down");
            }
        }
        desk.press("enter ctrl-u");
        desk.type_text(text);
        desk.press("enter");
        assert_eq!(desk.app.tabs()[tab].form.draft().text(key), text);
    }
    desk.press("r");
    desk.wait("the run", |app| app.tabs()[tab].runs.first().is_some_and(|run| run.view.state.is_final()));
    assert_eq!(desk.app.tabs()[tab].runs[0].view.state, RunState::Finished);
    desk.screen(SIZE);
    let keys = "tab end left left";
    assert!(keys.split(' ').count() <= 4);
    desk.press(keys);
    let screen = desk.screen(SIZE);
    assert!(screen.contains("= 256 "), "{screen}");
    let view = &desk.app.tabs()[tab].runs[0].view;
    let read = view.series[0].points.iter().find(|point| point.x == 256.0).unwrap();
    let digits = format!("{:.3}", read.y);
    assert!(screen.contains(&digits[..digits.len() - 1]), "{digits}: {screen}");
}

#[test]
fn figures_over_one_axis_have_one_cursor() {
    let mut desk = desk();
    desk.press("home right right right");
    let screen = desk.screen(WIDE);
    assert!(screen.contains("images = 3 "), "{screen}");
    // Accuracy has a point at every tenth image: its readings say at which.
    assert!(screen.contains("images = 0 "), "{screen}");
    assert!(!screen.contains("features = "), "another axis has its own: {screen}");
    desk.press("n home right");
    let screen = desk.screen(WIDE);
    assert_eq!(screen.matches("images = 10 ").count(), 2, "{screen}");
}

#[test]
fn a_click_puts_the_cursor_at_the_point_under_it() {
    let mut desk = desk();
    desk.press("n n");
    let screen = desk.screen(SIZE);
    let (column, row) = cell_of(&screen, "┬");
    desk.app.click(column, row - 3);
    let first = desk.screen(SIZE);
    assert!(first.contains("features = "), "{first}");
    let (column, row) = cell_of(&first, "1000");
    desk.app.click(column + 1, row - 4);
    let screen = desk.screen(SIZE);
    assert!(screen.contains("features = 1024 "), "{screen}");
    assert_eq!(desk.app.tabs()[0].pane, Pane::Figures);
}

#[test]
fn a_part_of_the_axis_is_shown_and_moved() {
    let mut desk = desk();
    desk.press("home right right right right right right right right right right z");
    assert!(!desk.screen(SIZE).contains(", part"));
    desk.press(".");
    let screen = desk.screen(SIZE);
    assert!(screen.contains("images, part") && screen.contains("images = 10 "), "{screen}");
    desk.press(".");
    desk.screen(SIZE);
    let range = |desk: &Desk| desk.app.tabs()[0].looks("loss").range.unwrap();
    let (low, high) = range(&desk);
    assert!((high - low - 10.0).abs() < 0.5 && low <= 10.0 && high >= 10.0, "{low} {high}");
    desk.press(">");
    desk.screen(SIZE);
    assert!(range(&desk).0 > low && (range(&desk).1 - range(&desk).0 - (high - low)).abs() < 1e-9);
    desk.press("< < < < < < <");
    desk.screen(SIZE);
    // Each key needs to know what the one before has drawn.
    for _ in 0..6 {
        desk.press("<");
        desk.screen(SIZE);
    }
    assert_eq!(range(&desk).0, 0.0, "not further than the axis");
    // A cursor that leaves the part takes it along.
    desk.press("end");
    desk.screen(SIZE);
    assert!(range(&desk).1 >= 40.0 - 1e-9 && desk.screen(SIZE).contains("images = 40 "), "{:?}", range(&desk));
    desk.press(",");
    desk.screen(SIZE);
    desk.press("0");
    assert_eq!(desk.app.tabs()[0].looks("loss").range, None);
    // The wheel, around the pointer.
    let screen = desk.screen(SIZE);
    let (column, row) = cell_of(&screen, "┬");
    desk.app.scroll(column, row - 3, Action::Up);
    desk.screen(SIZE);
    let (low, high) = range(&desk);
    assert!(low.abs() < 1.0 && (30.0..35.0).contains(&high), "{low} {high}");
    desk.app.scroll(column, row - 3, Action::Down);
    assert_eq!(desk.app.tabs()[0].looks("loss").range, None);
}

#[test]
fn heights_over_decades_are_logarithmic_until_a_key_says_otherwise() {
    let mut desk = Desk::new();
    let edit = |view: &mut RunView| {
        view.series[0].points.iter_mut().for_each(|point| point.y = 2.0 * (-point.x / 5.0).exp());
    };
    desk.put_with("1", "softmax", 40, RunState::Finished, &[], edit);
    let loss = |desk: &mut Desk| desk.screen(SIZE).lines().find(|line| line.contains("Loss")).unwrap().to_owned();
    assert!(loss(&mut desk).contains(" log "), "{}", loss(&mut desk));
    desk.press("y");
    assert!(!loss(&mut desk).contains(" log "), "{}", loss(&mut desk));
    desk.press("y");
    assert!(loss(&mut desk).contains(" log "));
    // Less than two decades are linear.
    let mut desk = Desk::new();
    desk.put("1", "softmax", 40, RunState::Finished);
    assert!(!loss(&mut desk).contains(" log "));
}

#[test]
fn points_far_off_are_cut_until_a_key_shows_them() {
    let mut desk = Desk::new();
    let edit = |view: &mut RunView| view.series[0].points[17].y = 9000.0;
    desk.put_with("1", "softmax", 40, RunState::Finished, &[], edit);
    desk.press("tab y y");
    desk.put_with("2", "softmax", 40, RunState::Finished, &[], |_| {});
    desk.put_with("3", "softmax", 40, RunState::Finished, &[], |_| {});
    desk.press("y");
    let screen = desk.screen(SIZE);
    assert!(screen.contains("1 point far off not shown"), "{screen}");
    desk.press("A");
    let screen = desk.screen(SIZE);
    assert!(!screen.contains("far off not shown") && screen.contains("every point is drawn"), "{screen}");
}

#[test]
fn cells_of_matrices_are_walked_and_read() {
    let mut desk = Desk::new();
    let edit = |view: &mut RunView| {
        for matrix in &mut view.matrices {
            (matrix.row_word, matrix.col_word) = ("query".to_owned(), "key".to_owned());
        }
    };
    desk.put_with("1", "softmax", 40, RunState::Finished, &[], edit);
    desk.press("tab n n n");
    assert!(!desk.screen(SIZE).contains("query 0"));
    desk.press("right right right down");
    let screen = desk.screen(SIZE);
    // Both matrices of the group are read at the same place.
    assert_eq!(screen.matches("query 1, key 2: ").count(), 2, "{screen}");
    desk.press("end down");
    assert!(desk.screen(SIZE).contains("query 2, key 15: "));
    // From the last column to the first of the matrix beside it.
    desk.press("right");
    assert!(desk.screen(SIZE).contains("query 2, key 0: "));
    desk.press("up up up up z");
    let screen = desk.screen(SIZE);
    assert!(screen.contains("query 0, key 0: 1") && !screen.contains("Parameters"), "{screen}");
    // A click chooses a cell.
    let (column, row) = cell_of(&screen, "▾");
    desk.app.click(column, row + 8);
    assert!(!desk.screen(SIZE).contains("query 0, key 0"), "{}", desk.screen(SIZE));
    desk.press("esc");
    let screen = desk.screen(SIZE);
    assert!(!screen.contains("key 0: ") && !screen.contains("Parameters"), "the cursor goes before the zoom");
    desk.press("esc up");
    assert!(desk.screen(SIZE).contains("Parameters"));
}

#[test]
fn a_zoomed_matrix_and_a_part_of_a_curve_are_drawn() {
    snapshots("matrix_zoom", |desk| {
        let edit = |view: &mut RunView| {
            let classes = || ["Coat", "Bag", "Ankle boot", "Shirt"].map(str::to_owned).to_vec();
            let [id, group, title, row_word, col_word, unit] =
                ["confusion", "confusion", "Confusion", "true", "found", "images"].map(str::to_owned);
            view.matrices = vec![Matrix {
                values: (0..16).map(|at| if at % 5 == 0 { 90.0 } else { (at % 4) as f32 }).collect(),
                row_names: classes(),
                col_names: classes(),
                caption: "rows: true class, columns: class found".to_owned(),
                ..Matrix { id, group, title, rows: 4, cols: 4, row_word, col_word, unit, ..Matrix::default() }
            }];
        };
        desk.put_with("1", "softmax", 40, RunState::Finished, &[], edit);
        desk.press("tab n n n z right down right");
    });
    snapshots("part_of_axis", |desk| {
        desk.put("1", "softmax", 40, RunState::Finished);
        desk.put("2", "relu", 40, RunState::Finished);
        desk.press("tab end z");
        for key in [".", ".", "left"] {
            desk.screen(SIZE);
            desk.press(key);
        }
    });
}

#[test]
fn what_is_to_be_compared_has_one_scale() {
    let mut desk = Desk::new();
    let edit = |view: &mut RunView| {
        let matrix = |id: &str, scale: &str, largest: f32| Matrix {
            id: id.into(),
            group: "attention".into(),
            title: id.into(),
            rows: 2,
            cols: 2,
            values: vec![0.0, 0.25 * largest, 0.5 * largest, largest],
            scale: scale.into(),
            ..Matrix::default()
        };
        view.matrices =
            vec![matrix("exact", "kernel", 1.0), matrix("estimate", "kernel", 50.0), matrix("difference", "", 0.5)];
    };
    desk.put_with("1", "softmax", 40, RunState::Finished, &[], edit);
    desk.press("tab n n n z");
    let screen = desk.screen(SIZE);
    let scales = screen.lines().find(|line| line.contains("▄▄")).unwrap();
    assert_eq!(scales.matches("▄ 50").count(), 2, "{screen}");
    assert_eq!(scales.matches("▄ 0.5").count(), 1, "{screen}");
}

#[test]
fn a_click_on_a_curve_of_the_legend_chooses_its_run() {
    let mut desk = desk();
    let screen = desk.screen(WIDE);
    let line = screen.lines().find(|line| line.contains("─●") || line.contains("─▲")).unwrap();
    assert!(line.contains("softmax") || line.contains("relu"), "{screen}");
    assert_eq!(desk.app.tabs()[0].target(), Some(1));
    let (column, row) = cell_of(&screen, "softmax training");
    desk.app.click(column, row);
    assert_eq!(desk.app.tabs()[0].target(), Some(0));
    assert_eq!((desk.app.tabs()[0].figure, desk.app.tabs()[0].pane), (0, Pane::Figures));
}

#[test]
fn a_click_on_a_parameter_selects_it() {
    let mut desk = desk();
    let screen = desk.screen(SIZE);
    for (words, key) in [("learning rate", "rate"), ("depth  ", "depth"), ("matrices ", "matrices"), ("seed ", "seed")]
    {
        let (column, row) = cell_of(&screen, words);
        desk.app.click(column, row);
        let tab = &desk.app.tabs()[0];
        assert_eq!((tab.form.selected().unwrap().key, tab.pane), (key, Pane::Form), "{words}");
    }
}

#[test]
fn a_click_chooses_an_entry_of_a_list_and_a_second_takes_it() {
    let mut desk = Desk::new();
    for name in ["one", "two"] {
        desk.press("right w");
        desk.type_text(name);
        desk.press("enter");
    }
    desk.press("right p");
    let screen = desk.screen(WIDE);
    let (column, row) = cell_of(&screen, "yours: two");
    desk.app.click(column, row);
    let screen = desk.screen(WIDE);
    assert!(screen.contains("Demo: two"), "{screen}");
    desk.app.click(column, row);
    desk.settle();
    assert!(desk.app.overlay().is_none());
    assert_eq!(desk.app.tabs()[0].form.draft().text("kind"), "exp");
    // What lies below the list takes no click.
    desk.press("p");
    let screen = desk.screen(WIDE);
    let (column, row) = cell_of(&screen, "2 Runs");
    desk.app.click(column, row);
    assert!(desk.app.overlay().is_some() && desk.app.tab_index() == 0);
}
