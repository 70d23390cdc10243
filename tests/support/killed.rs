//! Runs that are killed while they train.

use super::program::program;
use super::results::run_folders;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Starts the program and kills it once its run has told some points; returns the run's id.
pub fn killed_while_training(desk: &Path, arguments: &[&str]) -> String {
    let before = run_folders(desk).len();
    let mut child = program(desk, arguments).stdout(Stdio::null()).spawn().unwrap();
    let since = Instant::now();
    let trains = || {
        let journal = run_folders(desk).get(before).map(|run| fs::read_to_string(run.join("events.jsonl")));
        journal.is_some_and(|journal| journal.unwrap_or_default().matches("\"e\":\"p\"").count() > 3)
    };
    while !trains() && since.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    run_folders(desk)[before].file_name().unwrap().to_str().unwrap().to_owned()
}
