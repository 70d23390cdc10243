//! The form explains itself: words for special values, folds, search, ticks, what is being typed.

use super::Desk;
use attnlab::console::keymap::{Keymap, Place};
use attnlab::console::theme::Theme;
use attnlab::problems;

/// A desk with the problem called `name` on screen.
fn desk_of(name: &str) -> Desk {
    let mut desk = Desk::over(problems::ALL, Theme::default(), Keymap::default());
    let at = desk.app.tabs().iter().position(|tab| tab.problem.name() == name).unwrap();
    desk.press(&(at + 1).to_string());
    desk
}

/// Goes to the field called `name`.
fn go_to(desk: &mut Desk, name: &str) {
    desk.press("/");
    desk.type_text(name);
    desk.press("enter");
}

fn text_of(desk: &Desk, key: &str) -> String {
    desk.app.problem().unwrap().form.draft().text(key).to_owned()
}

#[test]
fn values_that_stand_for_something_else_say_for_what() {
    let mut desk = desk_of("vit");
    let screen = desk.screen((200, 60));
    for words in ["auto (2 px)", "native (8 px)", "train images          all", "fresh weights", "every core"] {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
    go_to(&mut desk, "test images");
    desk.press("enter ctrl-u");
    desk.type_text("500");
    desk.press("enter");
    assert!(desk.screen((200, 60)).contains("test images           ◂ 500 ▸"));
    desk.press("enter ctrl-u");
    desk.type_text("all");
    desk.press("enter");
    let tab = desk.app.problem().unwrap();
    assert_eq!(tab.sweep().first().unwrap().params.int("test_images"), 0);
    go_to(&mut desk, "data set");
    desk.press("enter ctrl-u");
    desk.type_text("cifar-10");
    desk.press("enter");
    assert!(desk.screen((200, 60)).contains("auto (4 px)"));
}

#[test]
fn fields_that_do_not_apply_are_folded_away() {
    let mut desk = desk_of("random-features");
    let folded = desk.screen((120, 60));
    assert!(folded.contains("fields do not apply: f") && !folded.contains("hub length"), "{folded}");
    desk.press("f");
    assert!(desk.screen((120, 60)).contains("hub length"));
    desk.press("f");
    assert!(!desk.screen((120, 60)).contains("hub length"));
    go_to(&mut desk, "hub length");
    desk.press("right");
    go_to(&mut desk, "trials");
    let screen = desk.screen((120, 60));
    let line = screen.lines().find(|line| line.contains("hub length")).expect("a changed field stays");
    assert!(line.contains("not read"), "{line}");
}

#[test]
fn every_field_is_reached_by_its_letters() {
    let mut desk = desk_of("random-features");
    desk.press("/");
    assert_eq!(desk.app.place(), Place::Search);
    desk.type_text("orth");
    desk.press("esc");
    let before = desk.app.problem().unwrap().form.selected().unwrap().key;
    desk.press("/ z z z z");
    let screen = desk.screen((120, 36));
    assert!(screen.contains("no field has these letters"), "{screen}");
    desk.press("enter");
    assert_eq!(desk.app.problem().unwrap().form.selected().unwrap().key, before);
    for param in desk.app.problem().unwrap().problem.schema().iter() {
        go_to(&mut desk, param.key);
        assert_eq!(desk.app.problem().unwrap().form.selected().unwrap().key, param.key);
    }
}

#[test]
fn choices_are_ticked() {
    let mut desk = Desk::new();
    desk.press("s");
    assert_eq!(desk.app.place(), Place::Ticks);
    let screen = desk.screen((80, 24));
    assert!(screen.contains("[x] softmax") && screen.contains("[x] exp"), "{screen}");
    desk.press("a enter");
    assert!(desk.screen((120, 36)).contains("nothing: at least one choice"));
    desk.press("down space enter");
    assert_eq!(text_of(&desk, "kind"), "relu");
    desk.press("s up up space enter");
    assert_eq!(text_of(&desk, "kind"), "relu,exp");
    desk.press("s tab");
    desk.type_text(",softmax");
    desk.press("enter");
    assert_eq!(text_of(&desk, "kind"), "relu,exp,softmax");
    desk.press("s esc");
    assert_eq!(text_of(&desk, "kind"), "relu,exp,softmax");
}

#[test]
fn a_range_shows_its_values_and_cost_while_it_is_typed() {
    let mut desk = Desk::new();
    desk.press("down enter ctrl-u");
    desk.type_text("1..64 x");
    desk.press("2");
    let screen = desk.screen((120, 36));
    for words in ["1, 2, 4, … 64: 7 values", "7 runs · ~", "log(1e-4..1e-2, 5)", "random(8,"] {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
    desk.press("esc");
    assert!(desk.screen((120, 36)).contains("1 run · ~4.0 s"));
}
