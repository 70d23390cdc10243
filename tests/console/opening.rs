//! What one meets first: the opening page, messages, the command line, the bar of a sweep.

use super::{Desk, PROBLEMS};
use attnlab::console::app::{App, HomePart, Overlay};
use attnlab::console::keymap::{Keymap, Place};
use attnlab::console::theme::Theme;
use attnlab::lab::{Queue, RunState};

/// Another console over the same runs.
fn another(desk: &Desk) -> Desk {
    let queue = Queue::new(desk.app.places().clone(), 1).unwrap();
    let app = App::new(PROBLEMS, queue, Theme::default(), Keymap::default());
    let mut other = Desk { app, home: tempfile::tempdir().unwrap() };
    other.settle();
    other
}

fn finish(desk: &mut Desk, keys: &str) {
    let run = desk.app.tabs()[0].runs.len();
    desk.press(keys);
    desk.wait("a run", |app| app.tabs()[0].runs.get(run).is_some_and(|run| run.view.state == RunState::Finished));
}

#[test]
fn the_first_time_one_line_says_what_a_run_does_and_how_long() {
    let screen = Desk::new().screen((80, 24));
    assert!(screen.contains("r  runs softmax, about 4.0 s"), "{screen}");
    let mut desk = Desk::over(attnlab::problems::ALL, Theme::default(), Keymap::default());
    let screen = desk.screen((120, 36));
    assert!(screen.contains("r  trains softmax on digits, 20 epochs, about "), "{screen}");
}

#[test]
fn runs_from_before_are_on_the_opening_page_and_open_with_their_parameters() {
    let mut desk = Desk::new();
    finish(&mut desk, "r");
    finish(&mut desk, "right r");
    let mut later = another(&desk);
    for size in [(80, 24), (120, 36), (200, 60)] {
        let screen = later.screen(size);
        for words in ["Newest", "Best by accuracy", "✔ relu", "✔ softmax", "▁", "0.912"] {
            assert!(screen.contains(words), "{words}:\n{screen}");
        }
    }
    let parts: Vec<HomePart> = later.app.home().page(0).iter().map(|(part, _)| *part).collect();
    assert_eq!(parts, [HomePart::Newest, HomePart::Newest, HomePart::Best, HomePart::Best]);
    later.press("tab");
    assert_eq!(later.app.place(), Place::Home);
    // The newest was made with relu.
    later.press("up enter");
    assert_eq!(later.app.tabs()[0].runs.len(), 1);
    let kind = |desk: &Desk| desk.app.tabs()[0].form.draft().text("kind").to_owned();
    assert_eq!(kind(&later), "relu");
    later.press("u");
    assert_eq!(kind(&later), "softmax");
}

#[test]
fn runs_of_one_name_are_told_apart_on_the_opening_page() {
    let mut desk = Desk::new();
    finish(&mut desk, "down r");
    finish(&mut desk, "right r");
    let screen = another(&desk).screen((120, 36));
    assert!(screen.contains("softmax · depth=4") && screen.contains("softmax · depth=5"), "{screen}");
}

#[test]
fn work_of_another_process_is_on_the_opening_page_without_a_key() {
    let mut desk = Desk::new();
    desk.start_work();
    let mut other = another(&desk);
    let screen = other.screen((120, 36));
    for words in ["At work elsewhere", "● softmax", "● 1 elsewhere"] {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
    other.press("O");
    other.wait("the run on screen", |app| !app.tabs()[0].runs.is_empty());
    other.press("x");
    desk.wait("the stop", |app| app.tabs()[0].runs[0].view.state == RunState::Stopped);
    other.wait("the header", |app| app.elsewhere() == 0);
}

#[test]
fn a_message_leaves_the_keys_in_the_footer_and_goes() {
    let mut desk = Desk::new();
    desk.press("u");
    let screen = desk.screen((120, 36));
    assert!(screen.contains("nothing has replaced what the form holds") && screen.contains("r run"), "{screen}");
    desk.press("down");
    assert!(desk.app.message().is_some(), "movement leaves it");
    assert!(desk.app.message_left().unwrap() <= std::time::Duration::from_secs(6));
    desk.press("right");
    desk.press("backspace");
    assert!(desk.app.message().is_none());
    desk.press("u");
    desk.wait("the end of the message", |app| app.message().is_none());
}

#[test]
fn everything_is_done_by_name_too() {
    let mut desk = Desk::new();
    desk.press(":");
    assert_eq!(desk.app.place(), Place::Search);
    desk.type_text("pres");
    let screen = desk.screen((120, 36));
    assert!(screen.contains("choose from the figures that are ready to run"), "{screen}");
    desk.press("tab enter");
    assert!(matches!(desk.app.overlay(), Some(Overlay::Presets { .. })));
    desk.press("esc :");
    desk.type_text("runs");
    desk.press("enter");
    assert!(desk.app.on_runs());
    desk.press(":");
    desk.type_text("what cannot be done");
    desk.press("enter");
    assert!(desk.screen((120, 36)).contains("nothing that can be done here"));
    desk.press("esc");
    assert_eq!(desk.app.place(), Place::Runs);
}

#[test]
fn a_sweep_has_one_bar() {
    let mut desk = Desk::new();
    desk.press("s enter down down down down down right r");
    desk.wait("the points", |app| match app.overlay() {
        Some(Overlay::Sweep(dialog)) => dialog.planned().is_some(),
        _ => false,
    });
    desk.press("enter");
    desk.wait("a run", |app| app.tabs()[0].runs.iter().any(|run| run.view.state == RunState::Running));
    let screen = desk.screen((120, 36));
    assert!(screen.contains("● 0 of 3 runs "), "{screen}");
    desk.press("x");
    desk.wait("the end of one", |app| app.tabs()[0].runs.iter().any(|run| run.view.state == RunState::Stopped));
    let screen = desk.screen((120, 36));
    assert!(screen.contains("1 of 3 runs "), "{screen}");
    desk.press("X");
    desk.wait("the end", |app| app.tabs()[0].runs.iter().all(|run| run.view.state.is_final()));
    assert!(!desk.screen((120, 36)).contains("of 3 runs "));
}

#[test]
fn presets_of_the_problem_come_first_the_cheapest_first_with_their_time() {
    let mut desk = Desk::over(attnlab::problems::ALL, Theme::default(), Keymap::default());
    let second = desk.app.tabs()[1].problem.name();
    desk.press("2 p");
    let Some(Overlay::Presets { list: Some(list), seconds, .. }) = desk.app.overlay() else { panic!("no list") };
    let problems: Vec<&str> =
        list.iter().filter_map(|(_, preset)| Some(preset.as_ref().ok()?.sweep.problem.name())).collect();
    let here = problems.iter().take_while(|problem| **problem == second).count();
    assert!(here > 3 && problems[here..].iter().all(|problem| *problem != second), "{problems:?}");
    let known: Vec<f64> = seconds[..here].iter().map_while(|seconds| *seconds).collect();
    assert!(known.len() > 3 && known.is_sorted(), "{seconds:?}");
    let screen = desk.screen((120, 36));
    assert!(screen.lines().any(|line| line.contains("▸features-") && line.contains('~')), "{screen}");
}
