//! Several runs at a time, several consoles at a time, and every tab.

use super::home::{Home, choose_preset, leave, runs_key, wait_for_progress, wait_until};
use super::pty::Session;

/// Writes a preset that the list begins with.
pub fn write_preset(home: &Home, problem: &str, params: &str) {
    std::fs::create_dir_all(home.path().join("presets")).unwrap();
    let text = format!("schema = 1\nproblem = \"{problem}\"\ntitle = \"aaa small\"\n[params]\n{params}\n");
    std::fs::write(home.path().join("presets/aaa-small.toml"), text).unwrap();
}

/// Puts that preset into the form.
pub fn fill(session: &mut Session) {
    choose_preset(session, "aaa-small");
}

/// A console that has a preset of its own in its form.
fn with_preset(problem: &str, params: &str) -> (Home, Session) {
    let home = Home::new();
    write_preset(&home, problem, params);
    let mut session = home.console((160, 50));
    fill(&mut session);
    (home, session)
}

/// Goes to the field of the form called `label`.
pub fn go_to(session: &mut Session, label: &str) {
    session.press("/");
    session.press(label);
    session.press("\r");
    session.wait_for(&format!("▸{label}"));
}

#[test]
fn a_sweep_is_typed_asked_about_run_and_drawn() {
    let (home, mut session) = with_preset("hybrid", "trials = 60\nangles = 3");
    go_to(&mut session, "dimension d");
    session.press("s");
    session.press("\x15");
    session.press("4..16 x2\r");
    session.wait_for("3 runs");
    session.press("+");
    session.wait_for("2 seeds each");
    session.press("r");
    session.wait_for("Sweep: Hybrid");
    session.wait_for("6 new");
    session.press("l");
    session.wait_for("dim=16 seed=1");
    session.press("l");
    session.wait_for("dimension d  4..16 x2");
    assert!(home.states().is_empty(), "nothing runs before it is asked for");
    session.press("\r");
    session.wait_for("by dimension d");
    wait_until("every point", || home.states().iter().filter(|state| *state == "finished").count() == 6);
    session.wait_for("6 runs queued");
    // The same again: nothing is left to run.
    session.press("r");
    session.wait_for("6 finished");
    session.press("\x1b");
    session.wait_until("the tab", |screen| !screen.contains("Sweep: Hybrid"));
    session.wait_for("mean ± 95 %");
    session.press("i");
    session.wait_for("one line for every run");
    leave(&mut session);
}

#[test]
fn a_second_console_sees_a_run_live_and_stops_it() {
    let home = Home::new();
    let mut first = home.ready(5000);
    first.press("r");
    wait_for_progress(&first);
    let mut second = home.console((120, 36));
    // No key brings it there.
    second.wait_for("At work elsewhere");
    second.wait_for("● 1 elsewhere");
    wait_for_progress(&second);
    second.press(&runs_key());
    second.wait_for("Runs: 1 of 1");
    second.press("\r");
    second.wait_for("Results");
    wait_for_progress(&second);
    // It moves: this is no picture of the past.
    let bar = |session: &Session| session.text().lines().find(|line| line.contains(" left")).map(str::to_owned);
    let before = bar(&second);
    second.wait_until("progress", |_| bar(&second).is_some_and(|now| Some(&now) != before.as_ref()));
    second.press("x");
    second.wait_for("■");
    first.wait_for("■");
    wait_until("the end of the run", || home.states() == ["stopped"]);
    for session in [&mut first, &mut second] {
        session.press("q");
        assert!(session.wait_for_end().success());
    }
}

#[test]
fn after_a_hang_up_the_next_console_takes_the_run_to_its_end() {
    let home = Home::new();
    let mut first = home.ready(12);
    first.press("r");
    wait_for_progress(&first);
    first.press(" ");
    first.wait_for("paused");
    let pid = first.pid();
    first.hang_up();
    let mut second = home.console((120, 36));
    second.press(&runs_key());
    second.wait_for("Runs: 1 of 1");
    second.press("\r");
    second.wait_for("paused");
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists(), "the run waits without a terminal");
    second.press(" ");
    second.wait_until("that it goes on", |screen| !screen.contains("paused"));
    second.wait_for("✔");
    assert_eq!(home.states(), ["finished"]);
    first.wait_for_end();
    second.press("q");
    assert!(second.wait_for_end().success());
}

#[test]
fn random_features_shows_errors_and_pictures() {
    let (home, mut session) = with_preset("random-features", "length = 32\ntrials = 4\nm = [16, 32]");
    session.press("r");
    wait_until("the run", || home.states() == ["finished"]);
    session.wait_for("orthogonal");
    for words in ["✔", "Relative Frobenius", "gaussian"] {
        session.wait_for(words);
    }
    leave(&mut session);
}

#[test]
fn masked_shows_errors_of_every_method() {
    let (home, mut session) = with_preset("masked", "length = 32\ndim = 8\ntrials = 4\nfeatures = [64, 128]");
    session.press("r");
    wait_until("the run", || home.states() == ["finished"]);
    for words in ["✔", "tensor", "stratified", "coordinate"] {
        session.wait_for(words);
    }
    leave(&mut session);
}

#[test]
fn hybrid_takes_the_weight_that_theory_finds_best() {
    let (home, mut session) = with_preset("hybrid", "trials = 60\nangles = 5\nm1 = 8");
    session.press("r");
    wait_until("the run", || home.states() == ["finished"]);
    for words in ["✔", "hyperbolic", "trigonometric"] {
        session.wait_for(words);
    }
    session.press("o");
    session.wait_for("best by theory: ");
    let line = session.text().lines().find(|line| line.contains("best by theory")).unwrap().trim().to_owned();
    let best = line.split("b=").nth(1).unwrap().split([',', ' ']).next().unwrap();
    assert!(best.parse::<f64>().is_ok_and(|b| (0.0..1.0).contains(&b)), "{line}");
    // It stands in the form now.
    let shown: String = best.chars().take(5).collect();
    session.wait_until("the weight in the form", |screen| {
        screen.lines().any(|line| line.contains("weight b") && line.contains(&shown))
    });
    session.press("r");
    wait_until("the second run", || home.states() == ["finished", "finished"]);
    leave(&mut session);
}
