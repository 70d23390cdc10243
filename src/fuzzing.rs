//! What fuzzers call: everything that reads text or bytes from outside, by name. Not part of the interface.
//!
//! Each reader may refuse what it is given; it must neither panic nor take memory or time out of proportion. The names
//! are those of the targets in `fuzz/fuzz_targets` and of the folders in `fuzz/corpus`.

use crate::console::keymap::Keymap;
use crate::lab::export::RunSource;
use crate::lab::run;
use crate::lab::{Column, Draft, Filter, Preset, RunSummary, RunView, Sweep, SweepMode, list, slurm};
use crate::problems;
use crate::problems::fuzzing::in_folder;
pub use crate::problems::fuzzing::{
    array_slices, cifar, class_lists, idx, model_indexes, npy, npz, picture_folders, pictures, safetensors, synsets,
};
use std::path::Path;

/// A reader with its name.
pub struct FuzzTarget {
    /// The name of the fuzz target and of its corpus.
    pub name: &'static str,
    /// Reads the bytes as what the target is about.
    pub read: fn(&[u8]),
}

/// Every reader.
pub const TARGETS: &[FuzzTarget] = &[
    FuzzTarget { name: "parameters", read: parameters },
    FuzzTarget { name: "ranges", read: ranges },
    FuzzTarget { name: "presets", read: presets },
    FuzzTarget { name: "records", read: records },
    FuzzTarget { name: "journals", read: journals },
    FuzzTarget { name: "summaries", read: summaries },
    FuzzTarget { name: "marks", read: marks },
    FuzzTarget { name: "checkpoints", read: checkpoints },
    FuzzTarget { name: "sweeps", read: sweeps },
    FuzzTarget { name: "points", read: points },
    FuzzTarget { name: "npy", read: npy },
    FuzzTarget { name: "npz", read: npz },
    FuzzTarget { name: "safetensors", read: safetensors },
    FuzzTarget { name: "model_indexes", read: model_indexes },
    FuzzTarget { name: "array_slices", read: array_slices },
    FuzzTarget { name: "idx", read: idx },
    FuzzTarget { name: "cifar", read: cifar },
    FuzzTarget { name: "picture_folders", read: picture_folders },
    FuzzTarget { name: "pictures", read: pictures },
    FuzzTarget { name: "class_lists", read: class_lists },
    FuzzTarget { name: "synsets", read: synsets },
    FuzzTarget { name: "filters", read: filters },
    FuzzTarget { name: "keys", read: keys },
];

/// A problem's name in the first line, then a setting a line.
pub fn parameters(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let Some(problem) = problems::find(lines.next().unwrap_or_default()) else { return };
    let schema = problem.schema();
    let mut draft = Draft::new(&schema);
    for (key, value) in lines.filter_map(|line| line.split_once('=')) {
        draft.set(&schema, key, value).ok();
    }
    let sweep = Sweep::new(problem, draft);
    sweep.specs_up_to(64).ok();
    sweep.repeated(2).combined(SweepMode::Zip).count().ok();
}

/// The text of a parameter, as a list or range of each kind of parameter.
pub fn ranges(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for param in problems::ALL.iter().flat_map(|problem| problem.schema().iter()) {
        list::values_seeded(param, &text, 7).ok();
    }
    let _ = list::scale(&text);
}

/// A preset's file.
pub fn presets(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(preset) = Preset::parse(&text, Path::new("preset.toml"), problems::ALL) {
        let _ = preset.to_toml();
    }
}

/// `run.toml` of a run whose end was not written down.
pub fn records(bytes: &[u8]) {
    in_run(&[("run.toml", bytes)], |folder| {
        let _ = RunSummary::read(folder);
        RunSource::read(folder, problems::ALL).ok();
        Preset::read(&folder.join("run.toml"), problems::ALL).ok();
    });
}

/// A run's journal.
pub fn journals(bytes: &[u8]) {
    in_run(&[("events.jsonl", bytes)], |folder| {
        let _ = RunSummary::read(folder);
        RunView::read(folder).ok();
        run::read_resumed(folder, columns()).ok();
    });
}

/// A run's `summary.json`.
pub fn summaries(bytes: &[u8]) {
    in_run(&[("summary.json", bytes)], |folder| drop(RunSummary::read(folder)));
}

/// What a user has added to a run, `marks.json`.
pub fn marks(bytes: &[u8]) {
    in_run(&[("marks.json", bytes)], |folder| drop(RunSummary::read(folder)));
}

/// The state of a checkpoint, `checkpoint.json`.
pub fn checkpoints(bytes: &[u8]) {
    in_run(&[("checkpoint.json", bytes)], |folder| drop(run::read_resumed(folder, columns())));
}

/// The plan of a sweep on a cluster, `sweep.toml`.
pub fn sweeps(bytes: &[u8]) {
    in_sweep(&[("sweep.toml", bytes)]);
}

/// The points of such a sweep, `points.jsonl`.
pub fn points(bytes: &[u8]) {
    in_sweep(&[("points.jsonl", bytes)]);
}

/// A filter of runs.
pub fn filters(bytes: &[u8]) {
    if let Ok(filter) = Filter::parse(&String::from_utf8_lossy(bytes), problems::ALL) {
        in_run(&[], |folder| {
            let _ = filter.admits(&RunSummary::read(folder));
        });
    }
}

/// A file of changed keys.
pub fn keys(bytes: &[u8]) {
    Keymap::with_changes(&String::from_utf8_lossy(bytes), Path::new("keys.toml")).ok();
}

/// The columns of the problem of that record.
fn columns() -> &'static [Column] {
    problems::find("hybrid").map_or(&[], |problem| problem.columns())
}

/// A run's record, the rest of the folder beside the file that is read.
const RECORD: &str = r#"schema = 1
problem = "hybrid"

[params]
trials = 20

[run]
id = "a"
created = "2026-01-01T00:00:00.000000Z"
version = "0.1.0"
command = "attnlab run hybrid"
seed = 0

[run.machine]
"#;

/// The plan of a sweep of two points.
const PLAN: &str = r#"schema = 1
problem = "hybrid"
title = "two"
created = "2026-01-01T00:00:00Z"
version = "0.1.0"
logs = "logs"
data = "data"
points = 2
element_points = 1

[slurm]
"#;

/// Its points.
const POINTS: &str = r#"{"index":0,"point":"00","set":{"seed":"0"}}
{"index":1,"point":"01","set":{"seed":"1"}}
"#;

fn in_run(files: &[(&str, &[u8])], read: impl FnOnce(&Path)) {
    let whole = [("run.toml", RECORD.as_bytes()), ("events.jsonl", b"")];
    in_folder(&[&whole, files].concat(), read);
}

fn in_sweep(files: &[(&str, &[u8])]) {
    let whole = [("sweep.toml", PLAN.as_bytes()), ("points.jsonl", POINTS.as_bytes())];
    in_folder(&[&whole, files].concat(), |folder| {
        let Ok(sweep) = slurm::JobArray::open(folder) else { return };
        sweep.specs(problems::ALL).ok();
        sweep.labels(problems::ALL).ok();
        let _ = slurm::Status::on_disk(&sweep);
    });
}
