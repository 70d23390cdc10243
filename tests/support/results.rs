//! What runs have left.

#[path = "measured.rs"]
mod measured;

use measured::forget_measured;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The folders of the runs in `folder`/logs, by name: the oldest first.
pub fn run_folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("logs")).into_iter().flatten();
    let mut runs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    runs.retain(|path| path.join("run.toml").is_file());
    runs.sort();
    runs
}

/// The rows of a document without what a clock says.
pub fn timeless(document: &Value) -> Vec<Value> {
    let mut rows = document["rows"].as_array().unwrap().clone();
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        forget_measured(row);
    }
    rows
}
