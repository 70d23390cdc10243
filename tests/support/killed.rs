//! Runs that are killed at work.

use super::program::program;
use super::results::run_folders;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Starts the program and kills it once its run's journal has so many events of this kind; returns the run's id.
pub fn killed(desk: &Path, arguments: &[&str], kind: &str, events: usize) -> String {
    let (before, kind) = (run_folders(desk).len(), format!("\"e\":\"{kind}\""));
    let mut child = program(desk, arguments).stdout(Stdio::null()).spawn().unwrap();
    let since = Instant::now();
    let journal = || fs::read_to_string(run_folders(desk).get(before)?.join("events.jsonl")).ok();
    let is_there = || journal().is_some_and(|journal| journal.matches(&kind).count() >= events);
    while !is_there() && since.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    run_folders(desk)[before].file_name().unwrap().to_str().unwrap().to_owned()
}
