//! The real program in a pseudo-terminal: what a person does, and what happens to the line.

mod cluster;
mod ends;
mod figures;
mod home;
mod hostile;
mod keys;
mod kinds;
mod measure;
mod monkey;
#[path = "../support/pty.rs"]
mod pty;
mod sweeps;

use home::{Home, PROGRAM, choose_preset, runs_key, wait_for_progress, wait_until};
use pty::{Session, cpu_seconds};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const LEFT: &str = "\x1b[D";
const RIGHT: &str = "\x1b[C";
const DOWN: &str = "\x1b[B";

/// The best test accuracy in the results on screen.
fn accuracy(home: &Home) -> Vec<f64> {
    let folders = std::fs::read_dir(home.path().join("logs")).unwrap().flatten();
    let read = |folder: PathBuf| {
        let text = std::fs::read_to_string(folder.join("summary.json")).ok()?;
        let summary: serde_json::Value = serde_json::from_str(&text).ok()?;
        summary["rows"][0]["test_accuracy"].as_f64()
    };
    folders.filter_map(|entry| read(entry.path())).collect()
}

#[test]
fn a_person_trains_compares_looks_around_and_leaves() {
    let home = Home::new();
    let mut session = home.ready(40);
    session.press("r");
    session.wait_for("softmax digits");
    session.wait_until("the first row", |_| home.states() == ["finished"]);
    session.press(RIGHT);
    session.wait_for("relu");
    session.press("r");
    session.wait_until("the second row", |_| home.states().len() == 2);
    session.wait_until("its line", |screen| screen.lines().any(|line| line.contains('✔') && line.contains(" relu")));
    assert!(accuracy(&home).iter().all(|accuracy| *accuracy > 0.9), "{:?}", accuracy(&home));
    session.press("?");
    session.wait_for("start a run with these parameters");
    session.press("\x1b");
    session.wait_until("the help's end", |screen| !screen.contains("start a run with these"));
    session.press("[");
    session.wait_for("Targets");
    session.wait_for("finished");
    session.press("[");
    session.wait_for("Runs: 2 of 2");
    session.resize((20, 5));
    session.wait_for("too small");
    session.resize((80, 24));
    session.wait_for("Runs: 2 of 2");
    session.press("q");
    assert!(session.wait_for_end().success());
    session.assert_restored();
}

#[test]
fn hang_up_while_training_completes_the_run_and_ends_the_process() {
    let home = Home::new();
    let mut session = home.ready(12);
    session.press("r");
    session.wait_for("1 running");
    wait_for_progress(&session);
    session.hang_up();
    session.wait_for_end();
    assert_eq!(home.states(), ["finished"]);
    let run = std::fs::read_dir(home.path().join("logs"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.is_dir());
    for file in ["run.toml", "events.jsonl", "summary.json", "checkpoint.safetensors", "log.txt"] {
        let size = run.as_ref().unwrap().join(file).metadata().map_or(0, |data| data.len());
        assert!(size > 0, "{file} is missing or empty");
    }
}

#[test]
fn hang_up_while_a_run_is_paused_takes_no_processor() {
    let home = Home::new();
    let mut session = home.ready(5000);
    session.press("r");
    wait_for_progress(&session);
    session.press(" ");
    session.wait_for("paused");
    let pid = session.pid();
    session.hang_up();
    thread::sleep(Duration::from_millis(300));
    let before = cpu_seconds(pid);
    thread::sleep(Duration::from_secs(2));
    let spent = cpu_seconds(pid) - before;
    assert!(spent < 0.2, "{spent} s of 2 s");
    Command::new("kill").arg(pid.to_string()).status().unwrap();
    session.wait_for_end();
    assert_eq!(home.states(), ["stopped"]);
}

#[test]
fn hang_up_without_work_ends_at_once() {
    let home = Home::new();
    let mut session = home.console((80, 24));
    session.hang_up();
    session.wait_for_end();
}

#[test]
fn sigterm_stops_runs_with_what_they_have_and_restores_the_terminal() {
    let home = Home::new();
    let mut session = home.ready(5000);
    session.press("r");
    wait_for_progress(&session);
    Command::new("kill").arg(session.pid().to_string()).status().unwrap();
    assert_eq!(session.wait_for_end().exit_code(), 130);
    assert_eq!(home.states(), ["stopped"]);
    session.assert_restored();
}

#[test]
fn ctrl_c_twice_gets_out_of_training() {
    let home = Home::new();
    let mut session = home.ready(5000);
    session.press("r");
    wait_for_progress(&session);
    session.press("\x03");
    session.wait_for("again leaves at once");
    session.press("\x03");
    assert_eq!(session.wait_for_end().exit_code(), 130);
    session.assert_restored();
}

#[test]
fn without_a_terminal_a_clear_line_says_so() {
    let home = Home::new();
    let output = Command::new(PROGRAM)
        .envs(home.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("attnlab run") && said.lines().count() == 1, "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn no_color_means_attributes_only() {
    let home = Home::new();
    let mut command = home.command(PROGRAM);
    command.env("NO_COLOR", "1");
    let mut session = Session::start(command, (80, 24));
    session.wait_for("Parameters");
    let written = String::from_utf8_lossy(&session.written()).into_owned();
    assert!(!written.contains("[38;") && !written.contains("[48;"), "a colour was written");
    session.look(|screen| {
        let column = screen.rows(0, 80).next().unwrap().find("Vision").unwrap() as u16;
        let inverse = (0..80).filter(|column| screen.cell(0, *column).is_some_and(vt100::Cell::inverse)).count();
        assert!(inverse > 4 && column < 80, "the tab on screen is not marked");
    });
    session.press("q");
    assert!(session.wait_for_end().success());
}

#[test]
fn the_first_frame_is_quick_and_idling_costs_nothing() {
    let home = Home::new();
    let began = Instant::now();
    let mut session = home.console((120, 36));
    let first = began.elapsed();
    assert!(first < Duration::from_secs(2), "first frame after {first:?}");
    thread::sleep(Duration::from_millis(300));
    let (before, written) = (cpu_seconds(session.pid()), session.written().len());
    thread::sleep(Duration::from_secs(2));
    let spent = cpu_seconds(session.pid()) - before;
    assert!(spent < 0.1, "{spent} s of 2 s while nothing happens");
    assert_eq!(session.written().len(), written, "nothing changes and yet something is drawn");
    let pressed = Instant::now();
    session.press(DOWN);
    session.press(LEFT);
    session.press("?");
    session.wait_for("start a run");
    assert!(pressed.elapsed() < Duration::from_secs(1), "{:?} from key to screen", pressed.elapsed());
    session.press("\x1bq");
    println!("first frame {first:?}, idle {spent} s of 2 s");
}

#[test]
fn a_bad_key_file_is_told_in_one_line() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("config/attnlab")).unwrap();
    std::fs::write(home.path().join("config/attnlab/keys.toml"), "run = \"x\"\n").unwrap();
    let mut session = Session::start(home.command(PROGRAM), (120, 36));
    assert_eq!(session.wait_for_end().exit_code(), 2);
    session.wait_for("the key x has two actions");
}

#[test]
fn a_console_without_a_place_for_runs_opens_and_says_why_none_starts() {
    let home = Home::new();
    std::fs::write(home.path().join("logs"), "a file").unwrap();
    let mut session = home.console((120, 36));
    session.wait_for("none can start");
    session.press("r");
    session.wait_until("why none starts", |screen| {
        screen.contains("cannot create the directory of runs") && !screen.contains("none can start")
    });
    // The place is there after all: no new console is needed.
    std::fs::remove_file(home.path().join("logs")).unwrap();
    session.press(":prese\r");
    session.wait_for("vision-digits");
    session.press("\x1b");
    session.wait_until("the list's end", |screen| !screen.contains("vision-digits"));
    session.press("q");
    assert!(session.wait_for_end().success());
}

#[test]
fn a_console_over_runs_that_cannot_be_written_opens_for_looking() {
    let home = Home::new();
    let quick = ["run", "hybrid", "--set", "trials=4", "--set", "angles=3"];
    let made = Command::new(PROGRAM).args(quick).envs(home.environment()).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    // Root writes wherever the permissions say no, but not where the file system says so.
    let script = "mount --bind logs logs && mount -o remount,ro,bind logs";
    let unshare = |script: &str| {
        let mut command = home.command("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", script]);
        command
    };
    let mut tried = Command::new("unshare");
    tried
        .args(["--map-root-user", "--mount", "sh", "-c", &format!("{script} && ! touch logs/a")])
        .current_dir(home.path());
    if !tried.output().is_ok_and(|output| output.status.success()) {
        println!("skipped: nothing may be mounted here");
        return;
    }
    let mut session = Session::start(unshare(&format!("{script} && exec {PROGRAM}")), (120, 36));
    session.wait_for("runs can be looked at, none can start");
    let tab = attnlab::problems::ALL.iter().position(|problem| problem.name() == "hybrid").unwrap() + 1;
    session.press(&tab.to_string());
    session.wait_for("Newest");
    session.press("O");
    session.wait_for("Results");
    session.press("r");
    session.wait_for("cannot write runs into");
    session.press(&runs_key());
    session.wait_for("Runs: 1 of 1");
    session.press("q");
    assert!(session.wait_for_end().success());
    assert_eq!(home.states(), ["finished"]);
}

/// An interactive shell with job control in the terminal; none where there is no bash.
fn shell(home: &Home) -> Option<Session> {
    let bash = ["/bin/bash", "/usr/bin/bash"].into_iter().find(|path| Path::new(path).exists());
    let Some(bash) = bash else {
        println!("skipped: no bash for job control");
        return None;
    };
    let mut command = home.command(bash);
    command.args(["--norc", "--noprofile", "-i"]);
    command.env("PS1", "ready> ");
    let session = Session::start(command, (120, 36));
    session.wait_for("ready>");
    Some(session)
}

#[test]
fn ctrl_z_goes_to_the_shell_and_fg_comes_back() {
    let home = Home::new();
    let Some(mut session) = shell(&home) else { return };
    session.press(&format!("{PROGRAM}\r"));
    session.wait_for("Parameters");
    session.press("\x1a");
    session.wait_for("Stopped");
    session.look(|screen| assert!(!screen.alternate_screen() && !screen.hide_cursor()));
    session.press("fg\r");
    session.wait_for("Parameters");
    session.press("q");
    session.wait_until("the shell", |screen| !screen.contains("Parameters"));
    session.press("echo end $?\r");
    session.wait_for("end 0");
    session.press("exit\r");
}

#[test]
fn work_goes_on_in_the_background_when_it_is_left_running() {
    let home = Home::new();
    let Some(mut session) = shell(&home) else { return };
    home.quick_preset(30);
    session.press(&format!("{PROGRAM}\r"));
    session.wait_for("Parameters");
    choose_preset(&mut session, "aaa-quick");
    session.press("r");
    wait_for_progress(&session);
    session.press("q");
    session.wait_for("leave it running");
    session.press("l");
    session.wait_for("at work in process");
    session.press("echo shell is $((40 + 2))\r");
    session.wait_for("shell is 42");
    wait_until("the end of the run", || home.states() == ["finished"]);
    session.press("exit\r");
}
