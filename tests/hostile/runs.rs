//! Folders of runs: files that say what they should not, or that are none.

use super::{Desk, copy, here, inputs, name};
use rustix::fs::{CWD, Mode, OFlags, mkfifoat, open};
use serde_json::Value;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Runs of the fixtures that were stopped: without a checkpoint, and with one.
pub const PLAIN: &str = "20260101-000000-masked-estimate-stopped";
pub const TRAINING: &str = "20260101-000000-vit-stopped";

/// Puts the run `base` of the fixtures into the desk under the name `run`.
pub fn put(desk: &Desk, base: &str, run: &str) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/runs-0.1/stopped");
    copy(&fixtures.join(base), &desk.path("logs").join(run));
}

/// Everything that reads a run's folder, with a healthy run beside it.
pub fn read_all(desk: &Desk, fault: &str) {
    put(desk, PLAIN, "healthy");
    let list = desk.call(fault, &["list", "--json"]);
    assert_eq!(list.code, Some(0), "{fault}: {}", list.err);
    let list: Value = serde_json::from_str(&list.out).unwrap();
    let run = |id: &str| list["runs"].as_array().unwrap().iter().find(|run| run["id"] == id).cloned();
    assert_eq!(run("healthy").unwrap()["state"], "stopped", "{fault}");
    assert_eq!(run("healthy").unwrap()["damage"], Value::Null, "{fault}");
    desk.call(fault, &["list"]);
    desk.call(fault, &["list", "damage", "seconds>0", "--sort", "headline"]);
    desk.call(fault, &["show", "bad"]);
    desk.call(fault, &["show", "bad", "--json"]);
    let formats = ["--csv", "--svg", "--png", "--markdown", "--tensorboard", "-o", "out"];
    desk.call(fault, &[&["export", "bad", "healthy"], &formats[..]].concat());
    desk.call(fault, &["report", "bad", "-o", "out"]);
    desk.call(fault, &["compare", "--by", "seed"]);
    desk.call(fault, &["run", "logs/bad/run.toml", "--dry-run"]);
    desk.call(fault, &["tag", "bad", "word", "--title", "name"]);
    desk.call(fault, &["resume", "bad", "--quiet"]);
    desk.call(fault, &["delete", "bad"]);
    // One bad run keeps no other from being gone on with.
    let go_on = desk.call(fault, &["resume", "healthy", "--quiet"]);
    assert_eq!(go_on.code, Some(0), "{fault}: {}", go_on.err);
}

#[test]
fn folders_with_one_fault() {
    for input in inputs("runs") {
        let desk = Desk::new();
        let fault = name(&input);
        let base = if fault.starts_with("checkpoint") { TRAINING } else { PLAIN };
        put(&desk, base, "bad");
        if fault.starts_with("journal") || fault.starts_with("lock") || fault.starts_with("record") {
            // Without the summary these are read more closely.
            fs::remove_file(desk.path("logs/bad/summary.json")).unwrap();
        }
        copy(&input, &desk.path("logs/bad"));
        read_all(&desk, &fault);
    }
}

/// The files of a run.
const FILES: [&str; 8] = [
    "run.toml",
    "events.jsonl",
    "summary.json",
    "marks.json",
    "checkpoint.json",
    "checkpoint.safetensors",
    "lock",
    "log.txt",
];

#[test]
fn pipes_and_folders_in_place_of_files() {
    for file in FILES.iter().chain(&["request"]) {
        for pipe in [true, false] {
            let desk = Desk::new();
            put(&desk, TRAINING, "bad");
            let path = desk.path("logs/bad").join(file);
            fs::remove_file(&path).ok();
            if *file != "summary.json" {
                fs::remove_file(desk.path("logs/bad/summary.json")).unwrap();
            }
            if pipe {
                mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
            } else {
                fs::create_dir(&path).unwrap();
            }
            read_all(&desk, &format!("{file} is a {}", if pipe { "pipe" } else { "folder" }));
        }
    }
    for pipe in [true, false] {
        let desk = Desk::new();
        put(&desk, PLAIN, "bad");
        let path = desk.path("logs/.index.jsonl");
        if pipe {
            mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap()
        } else {
            fs::create_dir(&path).unwrap()
        }
        read_all(&desk, "the index is no file");
    }
}

#[test]
fn files_that_are_far_too_large() {
    for file in ["run.toml", "events.jsonl", "summary.json", "marks.json", "checkpoint.json", "lock", "request"] {
        let desk = Desk::new();
        put(&desk, TRAINING, "bad");
        if file != "summary.json" {
            fs::remove_file(desk.path("logs/bad/summary.json")).unwrap();
        }
        let path = desk.path("logs/bad").join(file);
        let hole = open(&path, OFlags::CREATE | OFlags::WRONLY, Mode::RUSR | Mode::WUSR).unwrap();
        // A journal is read to its end, however long.
        let size = if file == "events.jsonl" { 1 << 30 } else { 20_000_000_000 };
        rustix::fs::ftruncate(&hole, size).unwrap();
        read_all(&desk, &format!("{file} is of {size} bytes"));
    }
}

#[test]
fn a_lock_from_the_future_holds_nobody_up() {
    let desk = Desk::new();
    put(&desk, PLAIN, "bad");
    let lock = desk.path("logs/bad/lock");
    fs::write(&lock, r#"{"host":"elsewhere","pid":17,"began":1,"token":1}"#).unwrap();
    let later = SystemTime::now() + Duration::from_secs(100 * 365 * 86_400);
    File::options().write(true).open(&lock).unwrap().set_modified(later).unwrap();
    let ended = desk.call("a lock from the future", &["resume", "bad", "--quiet"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
}

#[test]
fn an_index_that_lies_is_not_believed() {
    let desk = Desk::new();
    put(&desk, PLAIN, "run");
    let old = SystemTime::now() - Duration::from_secs(3600);
    File::open(desk.path("logs/run")).unwrap().set_modified(old).unwrap();
    let honest = desk.call("an index", &["list", "--json"]).out;
    let index = desk.path("logs/.index.jsonl");
    let text = fs::read_to_string(&index).unwrap();
    for (from, to) in [("\"stopped\"", "\"finished\""), ("\"masked\"", "\"vit\""), ("\"trials\":", "\"trials\":1")] {
        assert!(text.contains(from), "{text}");
        fs::write(&index, text.replacen(from, to, 1)).unwrap();
        assert_eq!(desk.call("an index that lies", &["list", "--json"]).out, honest, "{from} → {to}");
    }
}

#[test]
fn an_empty_name_is_no_run() {
    let desk = Desk::new();
    put(&desk, PLAIN, "one");
    for arguments in [&["delete", ""][..], &["show", ""], &["export", ""], &["tag", "", "x"], &["resume", ""]] {
        desk.refused("an empty name", arguments, "an empty name");
    }
    assert!(desk.path("logs/one/run.toml").is_file());
    assert!(here().join("runs").is_dir());
}
