//! Sweeps on a real Slurm of this machine: `ATTNLAB_SLURM` names a folder with `start-local-slurm DIR [--nodes N]` and
//! `stop-local-slurm DIR`, which start and end one on the loopback. Without it these tests say that they skip.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// A running Slurm, ended when dropped.
struct Cluster {
    folder: tempfile::TempDir,
    scripts: PathBuf,
}

impl Cluster {
    fn start() -> Option<Self> {
        let Some(scripts) = env::var_os("ATTNLAB_SLURM").map(PathBuf::from) else {
            eprintln!("skipped: set ATTNLAB_SLURM to a folder with start-local-slurm and stop-local-slurm");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("slurm");
        let started =
            Command::new(scripts.join("start-local-slurm")).arg(&place).args(["--nodes", "3"]).output().unwrap();
        if !started.status.success() {
            eprintln!("skipped: no Slurm can be started here: {}", String::from_utf8_lossy(&started.stderr));
            return None;
        }
        Some(Self { folder, scripts })
    }

    fn place(&self) -> PathBuf {
        self.folder.path().join("slurm")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env("SLURM_CONF", self.place().join("slurm.conf"));
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        self.command(program).args(arguments).output().unwrap()
    }

    fn attnlab(&self, arguments: &[&str]) -> Output {
        self.run(env!("CARGO_BIN_EXE_attnlab"), arguments)
    }

    /// What a command that must succeed prints.
    fn say(&self, arguments: &[&str]) -> String {
        let output = self.attnlab(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The rows of a sweep once it is complete.
    fn rows(&self, sweep: &str) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let output = self.attnlab(&["sweep", "results", sweep, "--json"]);
            if output.status.success() {
                return rows(&String::from_utf8(output.stdout).unwrap());
            }
            let status = self.say(&["sweep", "status", sweep]);
            assert!(began.elapsed() < Duration::from_secs(150), "not complete: {status}");
            thread::sleep(Duration::from_millis(300));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        Command::new(self.scripts.join("stop-local-slurm")).arg(self.place()).output().ok();
    }
}

/// Rows without what differs from one measurement to the next.
fn rows(text: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(text).unwrap();
    let mut rows = document["rows"].as_array().unwrap().clone();
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        row.retain(|key, _| !key.contains("second"));
    }
    rows
}

#[test]
fn sweeps_finish_with_the_rows_of_a_local_run_whatever_happens_to_elements() {
    let Some(cluster) = Cluster::start() else { return };

    // A sweep of small points: packed, finished, the same rows.
    let settings = ["--set", "seed=0..7 +1", "--set", "trials=200", "--set", "angles=3"];
    let small =
        [&["sweep", "hybrid", "--slurm", "--max-parallel", "4", "--title", "small"], settings.as_slice()].concat();
    let told = cluster.say(&small);
    assert!(told.contains("8 points in 4 elements"), "{told}");
    let local = [&["run", "hybrid", "--json", "--quiet", "--logs", "local"], settings.as_slice()].concat();
    assert_eq!(cluster.rows("small"), rows(&cluster.say(&local)));
    assert!(cluster.say(&["sweep", "status", "small"]).contains("8 points: 8 finished"));
    // What is finished is not submitted again.
    assert!(cluster.say(&small).contains("every point of the sweep has a finished run"));

    // A training that goes back into the queue on the way: it goes on from its checkpoint, bit for bit.
    let settings = ["--set", "epochs=40", "--set", "dim=32", "--set", "depth=2", "--set", "seed=3,4"];
    let training =
        [&["sweep", "vit", "--slurm", "--title", "training", "--max-parallel", "2"], settings.as_slice()].concat();
    let job = cluster.say(&training).split([' ', ':']).nth(1).unwrap().to_owned();
    let logs = cluster.folder.path().join("logs");
    let has_points = |folder: &Path| {
        fs::read_to_string(folder.join("events.jsonl")).is_ok_and(|text| text.matches("\"e\":\"p\"").count() > 20)
    };
    let began = Instant::now();
    while !fs::read_dir(&logs)
        .unwrap()
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().contains("-vit-") && has_points(&entry.path()))
    {
        assert!(began.elapsed() < Duration::from_secs(60), "the training does not begin");
        thread::sleep(Duration::from_millis(50));
    }
    let requeued = cluster.run("scontrol", &["requeue", &format!("{job}_0")]);
    assert!(requeued.status.success(), "{}", String::from_utf8_lossy(&requeued.stderr));
    let local = [&["run", "vit", "--json", "--quiet", "--logs", "local"], settings.as_slice()].concat();
    assert_eq!(cluster.rows("training"), rows(&cluster.say(&local)));

    // Cancelled, then resumed: only what is missing is submitted.
    let settings = ["--set", "epochs=2000", "--set", "seed=5..7 +1", "--set", "dim=16"];
    let long = [&["sweep", "vit", "--slurm", "--title", "long"], settings.as_slice()].concat();
    cluster.say(&long);
    cluster.say(&["sweep", "cancel", "long"]);
    let began = Instant::now();
    let resumed = loop {
        let told = cluster.say(&["sweep", "resume", "long"]);
        if told.contains("elements") {
            break told;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{told}");
        thread::sleep(Duration::from_millis(300));
    };
    assert!(resumed.contains("elements 0"), "{resumed}");
    cluster.say(&["sweep", "cancel", "long"]);
    let incomplete = cluster.attnlab(&["sweep", "results", "long"]);
    assert_eq!(incomplete.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&incomplete.stderr).contains("0 of 3 points are finished"));

    // What Slurm refuses is told in its own words.
    let refused = cluster.attnlab(&["sweep", "hybrid", "--slurm", "-p", "nowhere", "--set", "seed=90,91"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("nowhere")
            || String::from_utf8_lossy(&refused.stderr).contains("partition")
    );
}

#[test]
fn without_slurm_the_way_out_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let attnlab = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_attnlab"))
            .args(arguments)
            .current_dir(folder.path())
            .env("PATH", "")
            .output()
            .unwrap()
    };
    let refused = attnlab(&["sweep", "hybrid", "--slurm"]);
    assert_eq!(refused.status.code(), Some(2));
    let line = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(line.contains("not in the path") && line.contains("--commands"), "{line}");

    // One self-contained command a point, whose results are found by the next sweep.
    let settings = ["--set", "seed=0,1", "--set", "trials=20", "--set", "angles=3"];
    let listed = attnlab(&[&["sweep", "hybrid", "--commands"], settings.as_slice()].concat());
    let commands = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(commands.lines().count(), 2);
    for line in commands.lines() {
        let done = Command::new("/bin/sh").args(["-c", line]).current_dir("/").output().unwrap();
        assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    }
    let left = attnlab(&[&["sweep", "hybrid", "--commands"], settings.as_slice()].concat());
    assert!(left.stdout.is_empty(), "nothing is left to do");
    // The script alone, on a machine without Slurm.
    let dry = attnlab(&["sweep", "hybrid", "--slurm", "--dry-run", "--set", "seed=7,8", "--time", "1:00", "-c", "2"]);
    let script = String::from_utf8(dry.stdout).unwrap();
    for part in ["#SBATCH --array=0-1", "--time=\"1:00\"", "--cpus-per-task=2", "--signal=B:USR1@120", "exec ./attnlab"]
    {
        assert!(script.contains(part), "{part}: {script}");
    }
}
