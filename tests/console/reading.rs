//! What is read: remarks, details, numbers so far and final ones, the small words.

use super::{Desk, SIZES, snapshots};
use attnlab::console::app::Pane;
use attnlab::console::keymap::Action;
use attnlab::lab::{RunState, RunView, Style};

/// A run that has much to say.
fn remark(desk: &mut Desk) {
    let edit = |view: &mut RunView| {
        view.notes = (1..=30).map(|number| format!("remark {number}: {}", "word ".repeat(12).trim_end())).collect();
    };
    desk.put_with("1", "softmax", 40, RunState::Finished, &[], edit);
}

#[test]
fn remarks_are_read_to_their_end() {
    let mut desk = Desk::new();
    remark(&mut desk);
    let screen = desk.screen((80, 24));
    assert!(screen.contains("more lines of remarks: Tab") && !screen.contains("remark 30"), "{screen}");
    desk.press("tab tab tab");
    assert_eq!(desk.app.tabs()[0].pane, Pane::Remarks);
    assert!(desk.screen((80, 24)).contains("Remarks: softmax"));
    desk.press("end");
    assert!(desk.screen((80, 24)).contains("remark 30"), "{}", desk.screen((80, 24)));
    // From the end a single key leads back, however often the end was asked for.
    desk.press("down down up");
    assert!(!desk.screen((80, 24)).contains("59 to"), "{}", desk.screen((80, 24)));
    desk.press("home z");
    let whole = desk.screen((80, 24));
    assert!(whole.contains("remark 9") && !whole.contains("Parameters"), "{whole}");
    desk.press("esc esc");
    assert_eq!(desk.app.tabs()[0].pane, Pane::Results);
    // The results take the whole screen as well.
    desk.press("z");
    assert!(!desk.screen((80, 24)).contains("Parameters"));
}

#[test]
fn remarks_have_a_pane() {
    snapshots("remarks", |desk| {
        remark(desk);
        desk.press("tab tab tab down");
    });
}

#[test]
fn details_of_a_run_begin_with_what_was_changed_and_scroll() {
    let mut desk = Desk::new();
    desk.press("down right r");
    desk.wait("the run", |app| app.tabs()[0].runs.first().is_some_and(|run| run.view.state == RunState::Finished));
    desk.press("2");
    desk.wait("the list", |app| app.runs().listed.len() == 1);
    assert!(!desk.screen((80, 24)).contains("as by default"), "there is no room for both");
    desk.press("tab");
    let screen = desk.screen((80, 24));
    let at = |word: &str| screen.find(word).unwrap_or_else(|| panic!("{word}: {screen}"));
    assert!(at("changed") < at("depth") && at("depth") < at("as by default"), "{screen}");
    assert!(at("as by default") < at("kind "), "{screen}");
    desk.press("end");
    let low = desk.screen((80, 14));
    assert!(low.contains("seed") && low.contains(" of "), "{low}");
    desk.press("tab");
    assert!(desk.screen((80, 24)).contains("Runs: 1 of 1"));
    let both = desk.screen((120, 36));
    assert!(both.contains("Runs: 1 of 1") && both.contains("as by default"), "{both}");
    desk.press("z");
    assert!(!desk.screen((120, 36)).contains("Runs: 1 of 1"));
    desk.press("z esc");
    assert!(desk.screen((120, 36)).contains("Runs: 1 of 1"));
}

/// Two kinds at three depths with two seeds each; one is at work, one has failed.
fn half_done(desk: &mut Desk) {
    for (kind, best) in [("softmax", 0.9), ("relu", 0.8)] {
        for depth in ["2", "4", "8"] {
            for seed in ["0", "1"] {
                let state = match (kind, depth, seed) {
                    ("relu", "8", "1") => RunState::Running,
                    ("softmax", "4", "1") => RunState::Failed,
                    _ => RunState::Finished,
                };
                let edit = |view: &mut RunView| match state {
                    RunState::Finished => {
                        view.rows.iter_mut().for_each(|row| drop(row.insert("accuracy".into(), best.into())));
                    }
                    _ => view.rows.clear(),
                };
                let steps = if state == RunState::Finished { 40 } else { 10 };
                desk.put_with(
                    &format!("{kind}{depth}{seed}"),
                    kind,
                    steps,
                    state,
                    &[("depth", depth), ("seed", seed)],
                    edit,
                );
            }
        }
    }
}

#[test]
fn what_is_reached_so_far_enters_no_mean() {
    let mut desk = Desk::new();
    half_done(&mut desk);
    let sweep = desk.app.tabs()[0].study.sweep.clone().unwrap();
    let labels: Vec<&str> = sweep.curves.iter().map(|curve| curve.label.as_str()).collect();
    assert_eq!(labels, ["softmax", "relu", "softmax so far (validation)", "relu so far (validation)"]);
    let relu = sweep.curves[1].points.last().unwrap();
    assert_eq!((relu.x, relu.y, relu.lo), (8.0, 0.8, None), "one finished run has no interval");
    let so_far = &sweep.curves[3];
    assert_eq!((so_far.style, so_far.ink, so_far.points.len()), (Style::Points, Some(1), 1));
    assert!(so_far.points[0].x == 8.0 && so_far.points[0].y != 0.8);
    // The best of a sweep stands in its legend, not the last.
    desk.press("n n n z");
    let screen = desk.screen((120, 36));
    assert!(screen.contains("legend: highest") && screen.contains("so far (validation)"), "{screen}");
}

#[test]
fn a_variant_wears_its_worst_state() {
    let mut desk = Desk::new();
    half_done(&mut desk);
    desk.press("i tab tab home");
    let screen = desk.screen((120, 36));
    let line = |words: &str| screen.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{screen}"));
    assert!(line("softmax depth=4 ×2").contains("✘ 1/2"), "{screen}");
    assert!(line("softmax depth=2 ×2").contains('✔'), "{screen}");
    desk.press("z end");
    let screen = desk.screen((120, 36));
    let line = screen.lines().find(|line| line.contains("relu depth=8 ×2")).unwrap();
    assert!(line.contains('●') && line.contains("1 of 2"), "{screen}");
}

#[test]
fn unfinished_variants_are_drawn_apart() {
    for size in SIZES {
        let mut desk = Desk::new();
        half_done(&mut desk);
        desk.press("n n n i");
        insta::assert_snapshot!(format!("so_far_{}x{}", size.0, size.1), desk.screen(size));
    }
}

#[test]
fn small_words_say_what_is_the_case() {
    let mut desk = Desk::new();
    desk.put("1", "softmax", 40, RunState::Running);
    assert!(!desk.screen((120, 36)).contains("0.0 s left"), "everything is done but the end");
    let mut desk = Desk::new();
    desk.press("X");
    assert!(desk.screen((80, 24)).contains("nothing is at work here"));
    desk.put("1", "softmax", 10, RunState::Paused);
    desk.press("down");
    let screen = desk.screen((120, 36));
    assert!(screen.contains("Space go on") && !screen.contains("Space pause"), "{screen}");
    desk.press("3");
    assert!(desk.screen((80, 24)).contains("E error  W warning  I info"));
    desk.press("1 ?");
    desk.press("end");
    assert!(desk.screen((80, 24)).contains("draw everything anew"), "{}", desk.screen((80, 24)));
}

#[test]
fn the_list_is_filtered_while_one_types() {
    let mut desk = Desk::new();
    desk.press("r");
    desk.wait("the run", |app| app.tabs()[0].runs.first().is_some_and(|run| run.view.state == RunState::Finished));
    desk.press("2");
    desk.wait("the list", |app| app.runs().listed.len() == 1);
    desk.press("/");
    desk.type_text("accuracy>0.95");
    assert_eq!(desk.app.runs().listed.len(), 0, "before it is taken");
    desk.press("esc");
    assert_eq!((desk.app.runs().listed.len(), desk.app.runs().filter_text.as_str()), (1, ""));
    desk.press("/");
    desk.type_text("prob");
    assert!(desk.screen((80, 24)).contains("problem"), "{}", desk.screen((80, 24)));
    desk.press("tab");
    desk.type_text("=demo acc");
    desk.press("tab");
    desk.type_text(">0.99");
    desk.press("enter");
    assert_eq!((desk.app.runs().filter_text.as_str(), desk.app.runs().listed.len()), ("problem=demo accuracy>0.99", 0));
    desk.press("esc");
    assert_eq!(desk.app.runs().listed.len(), 1);
}

/// The cell at which `words` begin on the screen.
fn cell_of(screen: &str, words: &str) -> (u16, u16) {
    let row = screen.lines().position(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {screen}"));
    let line = screen.lines().nth(row).unwrap();
    // Each line stands in quotes.
    (line[..line.find(words).unwrap()].chars().count() as u16 - 1, row as u16)
}

#[test]
fn what_is_clicked_is_chosen_and_the_wheel_moves_what_is_under_it() {
    let mut desk = Desk::new();
    desk.put("1", "softmax", 40, RunState::Finished);
    desk.put("2", "relu", 40, RunState::Finished);
    let size = (200, 60);
    let screen = desk.screen(size);
    let (column, row) = cell_of(&screen, "✔   ● ★ softmax");
    desk.app.click(column, row);
    assert_eq!((desk.app.tabs()[0].results.line, desk.app.tabs()[0].pane), (0, Pane::Results));
    let (column, row) = cell_of(&screen, "Accuracy");
    desk.app.click(column, row + 2);
    assert_eq!((desk.app.tabs()[0].figure, desk.app.tabs()[0].pane), (1, Pane::Figures));
    let (column, row) = cell_of(&screen, "learning rate");
    desk.app.scroll(column, row, Action::Down);
    let tab = &desk.app.tabs()[0];
    assert_eq!((tab.pane, tab.form.selected().unwrap().key, tab.figure), (Pane::Form, "depth", 1));
    // A key of the footer.
    let screen = desk.screen(size);
    let (column, row) = cell_of(&screen, "presets");
    desk.app.click(column, row);
    desk.settle();
    assert!(desk.screen(size).contains("Presets"));
    desk.press("esc");
}
