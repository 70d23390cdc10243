//! What is not lost by a slip: presets, the form, runs; and several runs at once.

use super::{Desk, PROBLEMS};
use attnlab::console::app::{Exit, Overlay, Wanted};
use attnlab::lab::{Preset, RunState};
use std::path::PathBuf;

/// Some small runs that are finished, in the list of runs.
fn listed(desk: &mut Desk, count: usize) {
    for number in 0..count {
        desk.press("r");
        desk.wait("the run", |app| {
            let runs = &app.tabs()[0].runs;
            runs.len() == number + 1 && runs.iter().all(|run| run.view.state == RunState::Finished)
        });
    }
    desk.press("2");
    desk.wait("the list", |app| app.runs().listed.len() == count);
}

fn trash(desk: &Desk) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(desk.home.path().join("logs/.trash")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn kind_of(desk: &Desk, name: &str) -> String {
    let path = desk.home.path().join("presets").join(format!("{name}.toml"));
    Preset::read(&path, PROBLEMS).unwrap().sweep.draft.text("kind").to_owned()
}

#[test]
fn turns_and_halving_of_a_preset_pass_through_the_form() {
    let mut desk = Desk::new();
    let folder = desk.home.path().join("presets");
    std::fs::create_dir_all(&folder).unwrap();
    let order = "[sweep]\ninterleave = true\nhalve = [\"kind\"]\n";
    let text = format!(
        "schema = 1\nproblem = \"demo\"\ntitle = \"Turns\"\nrepeats = 2\n\n[params]\nkind = [\"relu\", \"exp\"]\n\n{order}"
    );
    std::fs::write(folder.join("turns.toml"), text).unwrap();
    desk.press("p");
    let Some(Overlay::Presets { list: Some(list), chosen, .. }) = desk.app.overlay() else { panic!("no list") };
    let (at, chosen) = (list.iter().position(|(name, _)| name == "turns").unwrap(), *chosen);
    for _ in 0..at.abs_diff(chosen) {
        desk.press(if at > chosen { "down" } else { "up" });
    }
    desk.press("enter");
    assert!(desk.screen((120, 36)).contains("every point to its end"), "{}", desk.screen((120, 36)));
    let sweep = desk.app.tabs()[0].sweep();
    let seeds: Vec<u64> = sweep.specs().unwrap().iter().map(attnlab::lab::RunSpec::seed).collect();
    assert_eq!(seeds, [0, 0, 1, 1], "every point with one seed, then with the next");
    desk.press("w");
    desk.type_text("kept");
    desk.press("enter");
    let kept = std::fs::read_to_string(folder.join("kept.toml")).unwrap();
    assert!(kept.ends_with(order), "{kept}");
    // What no longer goes together is not kept.
    desk.press("u");
    assert!(!desk.app.tabs()[0].sweep().interleaved);
}

#[test]
fn a_preset_takes_the_place_of_another_only_when_asked_for_twice() {
    let mut desk = Desk::new();
    desk.press("right w");
    desk.type_text("mine");
    desk.press("enter");
    assert_eq!(kind_of(&desk, "mine"), "relu");
    desk.press("right w");
    desk.type_text("mine");
    desk.press("enter");
    let screen = desk.screen((120, 36));
    assert!(screen.contains("Enter once more replaces your preset of that name"), "{screen}");
    assert_eq!(kind_of(&desk, "mine"), "relu");
    desk.press("esc w");
    desk.type_text("mine");
    desk.press("enter");
    assert_eq!(kind_of(&desk, "mine"), "relu", "another field asks again");
    desk.press("enter");
    assert_eq!(kind_of(&desk, "mine"), "exp");
    // A shipped one is not replaced without a word either.
    desk.press("w");
    desk.type_text("vision-digits");
    desk.press("enter");
    assert!(desk.screen((120, 36)).contains("the shipped preset of that name"), "{}", desk.screen((120, 36)));
    desk.press("esc p");
    let screen = desk.screen((120, 36));
    assert!(screen.lines().any(|line| line.contains("mine") && line.contains("yours: mine")), "{screen}");
    assert!(!desk.home.path().join("presets/vision-digits.toml").exists());
}

#[test]
fn what_replaced_the_form_is_undone_and_done_again() {
    let mut desk = Desk::new();
    let depth = |desk: &Desk| desk.app.tabs()[0].form.draft().text("depth").to_owned();
    desk.press("u");
    assert!(desk.screen((80, 24)).contains("nothing has replaced"));
    desk.put_with("1", "relu", 40, RunState::Finished, &[("depth", "9")], |_| {});
    desk.press("down enter ctrl-u");
    desk.type_text("7");
    desk.press("enter + tab tab enter");
    assert_eq!(depth(&desk), "9");
    desk.press("u");
    assert_eq!((depth(&desk), desk.app.tabs()[0].repeats), ("7".to_owned(), 2));
    desk.press("u");
    assert_eq!(depth(&desk), "9");
}

#[test]
fn marked_runs_are_deleted_together_and_put_back() {
    let mut desk = Desk::new();
    listed(&mut desk, 3);
    // Fewer than five keys for any number of runs.
    desk.press("M D");
    assert!(desk.screen((120, 36)).contains("D once more moves 3 runs to the trash"));
    assert_eq!(trash(&desk).len(), 0);
    desk.press("D");
    desk.wait("the trash", |app| app.runs().listed.is_empty());
    assert_eq!((trash(&desk).len(), desk.app.runs().marked.len()), (3, 0));
    desk.press("T");
    let screen = desk.screen((80, 24));
    assert!(screen.contains("puts the run back") && screen.contains("demo"), "{screen}");
    desk.press("down enter");
    desk.wait("the run", |app| app.runs().listed.len() == 1);
    assert_eq!(trash(&desk).len(), 2);
    desk.press("T esc");
    assert!(desk.app.overlay().is_none());
}

#[test]
fn marked_runs_are_tagged_and_overlaid_together() {
    let mut desk = Desk::new();
    listed(&mut desk, 3);
    desk.press("t");
    desk.type_text("first");
    desk.press("enter");
    desk.wait("the tag", |app| app.runs().listed[0].tags == ["first"]);
    desk.press("m m");
    assert_eq!((desk.app.runs().marked.len(), desk.app.runs().chosen), (2, 2));
    let screen = desk.screen((80, 24));
    assert!(screen.contains("2 marked") && screen.contains("✔*"), "{screen}");
    desk.press("t");
    desk.type_text("both first");
    desk.press("enter");
    desk.wait("the tags", |app| app.runs().listed[1].tags == ["both", "first"]);
    assert_eq!(desk.app.runs().listed[0].tags, ["first", "both"], "its own tag stays, and none comes twice");
    assert!(desk.app.runs().listed[2].tags.is_empty());
    desk.press("1 tab tab d d d d");
    assert!(desk.app.tabs()[0].runs.is_empty());
    desk.press("2 c");
    desk.wait("the runs", |app| app.tabs()[0].runs.len() == 2);
    assert_eq!(desk.app.tab_index(), 0);
    desk.press("2 esc");
    assert!(desk.app.runs().marked.is_empty());
}

#[test]
fn the_command_of_the_form_is_shown_and_copied() {
    let mut desk = Desk::new();
    desk.press("down enter ctrl-u");
    desk.type_text("2,4");
    desk.press("enter + C");
    let line = "attnlab run demo --set depth=2,4 --repeats 2";
    assert!(desk.screen((80, 24)).contains(line), "{}", desk.screen((80, 24)));
    assert_eq!(desk.app.take_wanted(), Some(Wanted::Copy(line.to_owned())));
    desk.press("esc");
    assert!(desk.app.overlay().is_none());
}

#[test]
fn the_question_about_work_ends_with_the_work() {
    let mut desk = Desk::new();
    desk.start_work();
    desk.press("q");
    assert_eq!(desk.app.exit(), None);
    desk.app.queue().handles()[0].control().stop();
    desk.wait("the end", |app| app.exit().is_some());
    assert_eq!((desk.app.exit(), desk.app.overlay().is_none()), (Some(Exit::Idle), true));
}
