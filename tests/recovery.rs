//! The program itself among runs that are damaged, worked on by others, or ended by signals.

#[path = "support/program.rs"]
mod program;
#[path = "support/results.rs"]
mod results;

use attnlab::lab::Owner;
use md5::{Digest, Md5};
use program::program;
use results::{run_folders, timeless};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Four small runs.
const RUNS: &[&str] = &["hybrid", "--set", "seed=0,1,2,3", "--set", "trials=20", "--set", "angles=3"];

/// A directory to call the program from.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        program(self.0.path(), arguments)
    }

    fn call(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The folders of runs, by seed.
    fn runs(&self) -> Vec<PathBuf> {
        let mut runs = run_folders(self.0.path());
        let seed = |path: &PathBuf| {
            let text = fs::read_to_string(path.join("run.toml")).unwrap();
            text.parse::<toml::Table>().unwrap()["run"]["seed"].as_integer().unwrap()
        };
        runs.sort_by_key(seed);
        runs
    }
}

fn name(folder: &Path) -> &str {
    folder.file_name().unwrap().to_str().unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The rows of a run's result without times.
fn rows(folder: &Path) -> Vec<Value> {
    let document: Value = serde_json::from_str(&fs::read_to_string(folder.join("summary.json")).unwrap()).unwrap();
    assert_eq!(document["state"], "finished");
    timeless(&document)
}

/// Makes a finished run one that a process left at its beginning.
fn lose(folder: &Path) {
    fs::remove_file(folder.join("summary.json")).unwrap();
    let journal = fs::read_to_string(folder.join("events.jsonl")).unwrap();
    let first = journal.lines().next().unwrap();
    fs::write(folder.join("events.jsonl"), format!("{first}\n")).unwrap();
}

#[test]
fn one_damaged_run_is_told_and_the_others_are_done() {
    let desk = Desk::new();
    let run = [&["run"], RUNS].concat();
    let output = desk.call(&run);
    assert!(output.status.success(), "{}", complaint(&output));
    let runs = desk.runs();
    let want: Vec<_> = runs.iter().map(|run| rows(run)).collect();
    let others = |desk: &Desk| {
        for (index, folder) in desk.runs().iter().enumerate().filter(|(index, _)| *index != 1) {
            assert_eq!(rows(folder), want[index]);
        }
        assert!(desk.runs().iter().all(|folder| !folder.join("lock").exists()));
        assert!(!runs[1].join("summary.json").exists());
    };
    let sweep = [&["sweep", "--quiet"], RUNS].concat();
    let resume: Vec<&str> = ["resume", "--quiet"].into_iter().chain(runs.iter().map(|run| name(run))).collect();
    for command in [&sweep, &sweep, &resume] {
        if command == &resume {
            [0, 2, 3].iter().for_each(|index| lose(&runs[*index]));
        } else if runs[1].join("summary.json").exists() {
            runs.iter().for_each(|run| lose(run));
            fs::write(runs[1].join("checkpoint.json"), "{").unwrap();
        }
        let output = desk.call(command);
        let said = complaint(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("attnlab resume --restart {}", name(&runs[1]))), "{said}");
        assert!(said.contains("1 of 4 runs could not be worked on"), "{said}");
        others(&desk);
    }
    let alone = desk.call(&["resume", name(&runs[1])]);
    assert_eq!((alone.status.code(), complaint(&alone).lines().count()), (Some(2), 1), "{}", complaint(&alone));
    let again = desk.call(&["resume", "--restart", name(&runs[1])]);
    assert!(again.status.success(), "{}", complaint(&again));
    assert_eq!(rows(&runs[1]), want[1]);
}

#[test]
fn sweeps_started_together_neither_fail_nor_leave_runs_lost() {
    let desk = Desk::new();
    assert!(desk.call(&[&["run", "--quiet"], RUNS].concat()).status.success());
    let runs = desk.runs();
    let want: Vec<_> = runs.iter().map(|run| rows(run)).collect();
    runs.iter().for_each(|run| lose(run));
    let sweep = [&["sweep", "--quiet"], RUNS].concat();
    let start = || desk.command(&sweep).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let children: Vec<_> = (0..4).map(|_| start()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", complaint(&output));
    }
    assert_eq!(desk.runs(), runs);
    for (folder, want) in runs.iter().zip(&want) {
        assert_eq!(&rows(folder), want);
        let hidden = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let left: Vec<_> = hidden.filter(|name| name == "lock" || name.ends_with(".part")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_signal_that_comes_twice_at_once_counts_once() {
    let desk = Desk::new();
    let training = ["run", "vit", "--set", "dim=16", "--set", "depth=1", "--set", "heads=2", "--set", "epochs=100000"];
    let mut child = desk.command(&training).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let since = Instant::now();
    let trains = || {
        desk.runs()
            .first()
            .is_some_and(|run| fs::read_to_string(run.join("events.jsonl")).unwrap_or_default().contains("\"e\":\"p\""))
    };
    while !trains() {
        assert!(since.elapsed() < Duration::from_secs(120), "it does not train");
        std::thread::sleep(Duration::from_millis(20));
    }
    for _ in 0..3 {
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let text = fs::read_to_string(desk.runs()[0].join("summary.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["state"], "stopped");
}

#[test]
fn an_empty_name_means_no_run() {
    let desk = Desk::new();
    assert!(desk.call(&["run", "--quiet", "hybrid", "--set", "trials=20", "--set", "angles=3"]).status.success());
    for command in ["delete", "show", "resume", "export"] {
        let output = desk.call(&[command, ""]);
        assert_eq!(output.status.code(), Some(2), "{command}: {}", complaint(&output));
        assert!(complaint(&output).contains("found an empty name"), "{command}: {}", complaint(&output));
    }
    assert_eq!(desk.runs().len(), 1);
}

#[test]
fn what_a_killed_command_left_half_written_is_swept_up() {
    let desk = Desk::new();
    assert!(desk.call(&["run", "--quiet", "hybrid", "--set", "trials=20", "--set", "angles=3"]).status.success());
    let run = desk.runs().remove(0);
    // The name says which process wrote the file: machine and container, number and beginning (0 for any).
    let Owner { host, realm, .. } = Owner::me();
    let machine = hex::encode(&Md5::digest(format!("{host}\n{}\n{}", realm.boot, realm.namespace))[..4]);
    let left_by = |process: &str| run.join(format!("marks.json.{machine}-{process}-0123456789abcdef.part"));
    let (gone, alive) = (left_by("1-1"), left_by(&format!("{}-0", std::process::id())));
    for command in [&["tag", name(&run), "kept"][..], &["list"]] {
        [&gone, &alive].into_iter().for_each(|path| fs::write(path, "{").unwrap());
        assert!(desk.call(command).status.success());
        assert!(!gone.exists(), "{command:?}: its process is gone");
        assert!(alive.exists(), "{command:?}: its process may go on");
    }
}

#[test]
fn what_the_system_refuses_is_not_bad_input() {
    let desk = Desk::new();
    let run = ["run", "hybrid", "--set", "trials=20", "--set", "angles=3", "--logs"];
    // Nobody may make a directory there, whatever the user.
    let refused = desk.call(&[&run[..], &["/sys/attnlab"]].concat());
    assert_eq!(refused.status.code(), Some(1), "{}", complaint(&refused));
    fs::write(desk.0.path().join("file"), "").unwrap();
    let wrong = desk.call(&[&run[..], &["file"]].concat());
    assert_eq!(wrong.status.code(), Some(2), "{}", complaint(&wrong));
    for output in [refused, wrong] {
        assert!(complaint(&output).starts_with("attnlab: ") && complaint(&output).lines().count() == 1);
    }
}

#[test]
fn deleted_runs_are_listed_and_put_back() {
    let desk = Desk::new();
    assert!(desk.call(&["run", "--quiet", "hybrid", "--set", "trials=20", "--set", "angles=3"]).status.success());
    let run = desk.runs().remove(0);
    let told = |arguments: &[&str]| {
        let output = desk.call(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", complaint(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    told(&["delete", name(&run)]);
    assert!(desk.runs().is_empty());
    assert!(told(&["trash"]).contains(name(&run)));
    for wrong in ["nobody", "", "..", ".", "../logs", &format!("../{}", name(&run))] {
        let output = desk.call(&["trash", "--restore", wrong]);
        assert_eq!((output.status.code(), complaint(&output).lines().count()), (Some(2), 1), "{wrong}");
    }
    // Another run of that name is not replaced.
    fs::create_dir(&run).unwrap();
    let moved = told(&["trash", "--restore", name(&run)]);
    assert!(moved.trim().ends_with(&format!("{}-2", name(&run))), "{moved}");
    assert_eq!(desk.runs().len(), 1);
    assert!(!told(&["trash"]).contains(name(&run)));
}
