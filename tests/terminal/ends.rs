//! Ends that the program does not choose: the terminal is given back all the same.

use super::home::{Home, wait_for_progress};
use super::pty::Session;
use super::sweeps::{fill, write_preset};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::fs;
use std::process::Command;

#[test]
fn a_fatal_signal_gives_the_terminal_back_and_says_what_to_do() {
    for signal in ["ABRT", "SEGV", "QUIT", "BUS"] {
        let home = Home::new();
        let mut session = home.ready(5000);
        session.press("r");
        wait_for_progress(&session);
        Command::new("kill").args([format!("-{signal}"), session.pid().to_string()]).status().unwrap();
        assert!(!session.wait_for_end().success(), "{signal}");
        session.wait_for("attnlab resume RUN");
        session.assert_restored();
        let written = String::from_utf8_lossy(&session.written()).into_owned();
        assert!(written.contains("\u{1b}[?1000l") && written.contains("\u{1b}[?2004l"), "{signal}");
    }
}

/// The memory that a process has mapped, in bytes.
fn mapped(session: &Session) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", session.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn where_memory_runs_out_the_terminal_is_given_back() {
    let home = Home::new();
    write_preset(&home, "random-features", "length = 4096\ntrials = 1");
    let mut session = home.console((120, 36));
    fill(&mut session);
    let most = Some(mapped(&session) + (48 << 20));
    let pid = Pid::from_raw(session.pid() as i32);
    prlimit(pid, Resource::As, Rlimit { current: most, maximum: most }).unwrap();
    session.press("r");
    // The run cannot be started, is refused, fails with a message, fits after all, or the program dies of it.
    let told = ["failed", "memory", "thread", "✔"];
    session.wait_until_or_end("what comes of it", |screen| told.iter().any(|word| screen.contains(word)));
    if session.status().is_none() {
        session.press("q");
        session.wait_until_or_end("the end or the question", |screen| screen.contains("stop it"));
        session.try_press("s");
    }
    session.wait_for_end();
    session.assert_restored();
}
