//! Folders of runs that an earlier version wrote: they open, list, go on bit for bit and export as they did.
//!
//! `tests/fixtures/runs-0.1` holds them, with what that version itself made of them; its README says how.

#[path = "support/folders.rs"]
mod folders;
#[path = "support/measured.rs"]
mod measured;
#[path = "support/program.rs"]
mod program;

use folders::copy;
use measured::forget_measured;
use program::program;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/runs-0.1")
}

fn json_of(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A directory to call the program from, with a copy of the runs of one kind.
struct Desk(TempDir);

impl Desk {
    fn with(kind: &str) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        copy(&fixtures().join(kind), &desk.path("logs"));
        let old = SystemTime::now() - Duration::from_secs(2 * 86_400);
        for lock in desk.runs().iter().map(|run| desk.path("logs").join(run).join("lock")) {
            // A lock of another machine holds for a minute after its last change; a copy is new.
            if lock.is_file() {
                File::options().write(true).open(lock).unwrap().set_modified(old).unwrap();
            }
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Calls the program and expects success; what stood on standard output.
    fn say(&self, arguments: &[&str]) -> String {
        let output = program(self.0.path(), arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The names of the runs.
    fn runs(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("logs")).unwrap().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        names
    }
}

/// The events of a journal by kind, without times.
#[derive(Default, PartialEq, Debug)]
struct Told {
    rows: Vec<Value>,
    /// Every point, in an order of their own, and how often it was told.
    points: BTreeMap<String, usize>,
    plots_and_series: BTreeSet<String>,
    notes: BTreeSet<String>,
    /// The last matrix or curve of each name.
    pictures: BTreeMap<String, String>,
}

impl Told {
    fn read(journal: &Path) -> Self {
        let (mut told, mut timings, mut lines) = (Self::default(), Vec::new(), Vec::new());
        for line in fs::read_to_string(journal).unwrap().lines() {
            let event: Map<String, Value> = serde_json::from_str(line).unwrap();
            // What is kept together or not at all stands in one line.
            let burst = event.get("events").and_then(Value::as_array).cloned();
            lines.extend(
                burst.map_or_else(
                    || vec![event],
                    |all| all.iter().map(|one| one.as_object().unwrap().clone()).collect(),
                ),
            );
        }
        for mut event in lines {
            // Not `remove`, which would move the last key to this place.
            event.shift_remove("t");
            let name = |key: &str| event.get(key).map(Value::to_string).unwrap_or_default();
            match event["e"].as_str().unwrap() {
                "row" => {
                    let mut row = event["row"].as_object().unwrap().clone();
                    forget_measured(&mut row);
                    told.rows.push(row.into());
                }
                // A point that measures time is another each time.
                "p" if timings.contains(&event["s"]) => {}
                "p" => *told.points.entry(Value::from(event).to_string()).or_default() += 1,
                "plot" | "series" => {
                    if ["time", "speed"].map(Value::from).iter().any(|plot| event.get("plot") == Some(plot)) {
                        timings.push(event["id"].clone());
                    }
                    // A later version says how many steps the unit of an axis is.
                    if let Some(axis) = event.get_mut("x").and_then(Value::as_object_mut) {
                        axis.shift_remove("steps");
                    }
                    told.plots_and_series.insert(Value::from(event).to_string());
                }
                // What else the machine does is another thing each time.
                "note" if name("text").contains("the machine was busy") => {}
                "note" => drop(told.notes.insert(name("text"))),
                "matrix" => drop(told.pictures.insert(name("id"), Value::from(event).to_string())),
                "curve" => drop(told.pictures.insert(name("series"), Value::from(event).to_string())),
                _ => {}
            }
        }
        told
    }
}

/// Results are the same to the last bit on processors with the same vector instructions; on others sums round otherwise.
fn is_of_the_same_kind() -> bool {
    let wanted = fs::read_to_string(fixtures().join("instructions.txt")).unwrap();
    let here = attnlab::vision::fused::Instructions::available();
    wanted.trim() == format!("{:?}", here[0])
}

/// Says that a comparison to the bit is left out, past the test harness, which keeps what a test that passes prints.
fn skip() {
    use std::io::Write;
    std::io::stderr().write_all(b"old runs, bits: skipped: other vector instructions than the fixtures'\n").unwrap();
}

#[test]
fn they_are_listed_shown_and_exported_as_before() {
    let desk = Desk::with("finished");
    assert_eq!(desk.runs().len(), 5);
    let expected = fixtures().join("expected");
    // As for snapshots: what is expected is written anew, and then looked at.
    let is_written = std::env::var("INSTA_UPDATE").is_ok_and(|value| value == "always");
    let same = |name: &str, text: String| {
        let path = expected.join(name);
        if is_written {
            fs::write(&path, &text).unwrap();
        }
        let want = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(text, want, "{name}");
    };
    same("list.txt", desk.say(&["list"]));
    same("list.json", desk.say(&["list", "--json"]));
    for run in desk.runs() {
        same(&format!("{run}/show.txt"), desk.say(&["show", &run, "--wide"]));
        same(&format!("{run}/show.json"), desk.say(&["show", &run, "--json"]));
        let formats = ["--csv", "--svg", "--markdown", "--tensorboard"];
        let written = desk.say(&[&["export", &run, "-o", "out"], &formats[..]].concat());
        same(&format!("{run}/files.txt"), written.clone());
        for file in written.lines().map(|line| desk.path(line)) {
            let name = file.strip_prefix(desk.path("out")).unwrap().to_string_lossy().into_owned();
            let name = name.trim_start_matches(&run).trim_start_matches(['/', '-', '.']);
            let kept = expected.join(&run).join("out").join(name);
            let is_compared = kept.exists() || kept.extension().is_none_or(|ending| ending != "svg");
            if is_compared && is_written {
                fs::copy(&file, &kept).unwrap();
            }
            if is_compared {
                let same = fs::read(&file).unwrap() == fs::read(&kept).unwrap();
                assert!(same, "{} is another than {}", file.display(), kept.display());
            }
        }
    }
}

#[test]
fn those_that_ended_early_are_listed_so() {
    for (kind, state) in [("stopped", "stopped"), ("killed", "lost")] {
        let desk = Desk::with(kind);
        assert_eq!(desk.runs().len(), 5);
        let list: Value = serde_json::from_str(&desk.say(&["list", "--json"])).unwrap();
        for run in list["runs"].as_array().unwrap() {
            assert_eq!(run["state"], state, "{run}");
            assert_eq!(run["damage"], Value::Null, "{run}");
        }
        for run in desk.runs() {
            assert!(desk.say(&["show", &run]).contains(state), "{run}");
        }
    }
}

/// `rows` with the columns that the rows of `whole` have: a later version has columns more.
fn known(rows: &[Value], whole: &[Value]) -> Vec<Value> {
    let only = |(row, whole): (&Value, &Value)| {
        let mut row = row.as_object().unwrap().clone();
        row.retain(|key, _| whole.get(key).is_some());
        row.into()
    };
    rows.iter().zip(whole).map(only).collect()
}

/// `pictures` with the words that those of `whole` have: a later version says more about rows and columns.
fn known_words(pictures: &BTreeMap<String, String>, whole: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let read = |text: &String| serde_json::from_str::<Value>(text).unwrap();
    let only = |(name, text): (&String, &String)| {
        let (mut picture, kept) = (read(text), whole.get(name).map(read));
        picture.as_object_mut().unwrap().retain(|key, _| kept.as_ref().is_none_or(|kept| kept.get(key).is_some()));
        (name.clone(), picture.to_string())
    };
    pictures.iter().map(only).collect()
}

/// Goes on with every run in `desk`; each must then be what it would have been without an end.
fn go_on(desk: &Desk) {
    let bits = is_of_the_same_kind();
    for run in desk.runs() {
        desk.say(&["resume", &run, "--quiet"]);
        let folder = desk.path("logs").join(&run);
        let told = Told::read(&folder.join("events.jsonl"));
        let whole = Told::read(&fixtures().join("expected").join(&run).join("events.jsonl"));
        assert_eq!(told.rows.len(), whole.rows.len(), "{run}: every row, and each once");
        assert_eq!(told.plots_and_series, whole.plots_and_series, "{run}");
        let summary = json_of(&folder.join("summary.json"));
        assert_eq!(
            (&summary["state"], summary["rows"].as_array().unwrap().len()),
            (&json!("finished"), whole.rows.len())
        );
        for name in ["lock", "request"] {
            assert!(!folder.join(name).exists(), "{run}: {name} is left");
        }
        if bits {
            assert_eq!(known(&told.rows, &whole.rows), whole.rows, "{run}");
            assert_eq!(told.points, whole.points, "{run}");
            assert_eq!(told.notes, whole.notes, "{run}");
            assert_eq!(known_words(&told.pictures, &whole.pictures), whole.pictures, "{run}");
        } else {
            skip();
        }
    }
}

#[test]
fn stopped_ones_go_on_bit_for_bit() {
    go_on(&Desk::with("stopped"));
}

#[test]
fn killed_ones_go_on_bit_for_bit() {
    // The lock of a process of this machine that is gone, and of another machine that has been silent for two days.
    for host in [attnlab::lab::Machine::here().host.as_str(), "elsewhere"] {
        let desk = Desk::with("killed");
        for run in desk.runs() {
            let lock = desk.path("logs").join(&run).join("lock");
            let mut owner = json_of(&lock);
            owner["host"] = host.into();
            fs::write(&lock, owner.to_string()).unwrap();
            let old = SystemTime::now() - Duration::from_secs(3600);
            File::options().write(true).open(&lock).unwrap().set_modified(old).unwrap();
        }
        go_on(&desk);
    }
}
