//! Kinds of terminals: what they can show, the colour of their paper, the mouse, what they copy.

use super::home::{Home, PROGRAM};
use super::pty::Session;
use std::path::Path;

fn written(session: &Session) -> String {
    String::from_utf8_lossy(&session.written()).into_owned()
}

fn over(home: &Home, variables: &[(&str, &str)]) -> Session {
    let mut command = home.command(PROGRAM);
    variables.iter().for_each(|(name, value)| command.env(name, value));
    Session::start(command, (100, 30))
}

#[test]
fn what_cannot_be_shown_or_read_is_refused_in_one_line() {
    let home = Home::new();
    for (name, value, words) in [
        ("TERM", "dumb", "TERM is `dumb`; `attnlab run` does the same jobs"),
        ("ATTNLAB_THEME", "pink", "allowed: auto, light, dark, ansi"),
        ("ATTNLAB_MOUSE", "2", "ATTNLAB_MOUSE: found `2`, allowed: 0, 1"),
    ] {
        let mut session = over(&home, &[(name, value)]);
        assert_eq!(session.wait_for_end().exit_code(), 2, "{name}={value}");
        let said = written(&session);
        assert!(said.replace("\r\n", " ").contains(words) && !said.contains("\x1b[?1049h"), "{said}");
    }
}

#[test]
fn an_answer_about_the_paper_is_no_key_and_changes_the_colours() {
    let home = Home::new();
    let mut session = over(&home, &[]);
    session.wait_for("Parameters");
    assert!(written(&session).contains("\x1b]11;?\x07"));
    assert!(
        written(&session).contains("38;5;74;") && !written(&session).contains("38;5;24;"),
        "colours for dark paper"
    );
    // With keys of its own around it; the `r` in it starts nothing.
    session.press("2");
    session.press("\x1b]11;rgb:ffff/ffff/ffff\x1b\\");
    session.press("?");
    session.wait_for("start a run with these parameters");
    session.wait_until("the colours for light paper", |_| written(&session).contains("38;5;24;"));
    session.press("\x1b");
    session.wait_until("the help's end", |screen| !screen.contains("start a run with these"));
    assert!(!home.path().join("logs").read_dir().is_ok_and(|mut runs| runs.next().is_some()), "no run was started");
    session.press("q");
    assert!(session.wait_for_end().success());
}

#[test]
fn only_terminals_that_understand_it_are_asked_about_their_paper() {
    let home = Home::new();
    for variables in
        [&[("TERM", "linux")], &[("COLORFGBG", "15;0")], &[("ATTNLAB_THEME", "light")], &[("TERM", "vt100")]]
    {
        let mut session = over(&home, variables);
        session.wait_for("Parameters");
        session.press("q");
        assert!(session.wait_for_end().success());
        assert!(!written(&session).contains("\x1b]11"), "{variables:?}");
    }
}

#[test]
fn the_mouse_is_left_to_the_terminal_and_taken_back() {
    let home = Home::new();
    let mut session = over(&home, &[("ATTNLAB_MOUSE", "0")]);
    session.wait_for("Parameters");
    assert!(!written(&session).contains("\x1b[?1000h"));
    session.press("\x14");
    session.wait_for("the mouse is the console's");
    assert!(written(&session).contains("\x1b[?1000h"));
    session.press("\x14");
    session.wait_for("it selects text");
    session.press("q");
    assert!(session.wait_for_end().success());
    session.assert_restored();
}

#[test]
fn the_command_is_copied_by_the_terminal() {
    let home = Home::new();
    let mut session = over(&home, &[]);
    session.wait_for("Parameters");
    session.press("C");
    session.wait_for("attnlab run vit");
    // `attnlab run vit` in base64.
    session.wait_until("the copy", |_| written(&session).contains("\x1b]52;c;YXR0bmxhYiBydW4gdml0\x07"));
    session.press("\x1b");
    session.wait_until("the end of the command", |screen| !screen.contains("attnlab run vit"));
    session.press("q");
    assert!(session.wait_for_end().success());
}

#[test]
fn a_relative_place_for_settings_counts_as_none() {
    let home = Home::new();
    let keys = |folder: &Path, text: &str| {
        std::fs::create_dir_all(folder.join("attnlab")).unwrap();
        std::fs::write(folder.join("attnlab/keys.toml"), text).unwrap();
    };
    keys(&home.path().join("relative"), "run = 5");
    keys(&home.path().join(".config"), "presets = \"f7\"");
    for place in ["relative", ""] {
        let mut session = over(&home, &[("XDG_CONFIG_HOME", place)]);
        session.wait_for("Parameters");
        session.wait_for("F7 presets");
        session.press("q");
        assert!(session.wait_for_end().success());
    }
}
