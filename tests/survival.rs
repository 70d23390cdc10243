//! The real program killed at random moments, and on a full disk: what goes on afterwards is what would have been without.
//!
//! `ATTNLAB_KILLS=60 cargo test --release --test survival -- --nocapture` kills each command sixty times.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A training on digits that saves checkpoints on its way.
const TRAINING: &[&str] = &["run", "vit", "--resume", "--set", "dim=32", "--set", "depth=2", "--set", "epochs=8"];

/// Several estimates in several runs.
const SWEEP: &[&str] = &[
    "sweep",
    "features-length",
    "--set",
    "length=256,512,1024,2048",
    "--set",
    "m=16,32,64",
    "--set",
    "seed=0..3 +1",
    "--set",
    "trials=3",
];

/// A directory to call the program from.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attnlab"));
        command.args(arguments).args(["--json", "--quiet"]).current_dir(self.0.path()).stdin(Stdio::null());
        for name in ["ATTNLAB_LOGS", "ATTNLAB_DATA", "ATTNLAB_PRESETS", "ATTNLAB_LOG"] {
            command.env_remove(name);
        }
        command
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The rows that a command prints, which must succeed.
    fn rows(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", complaint(&output));
        rows(&serde_json::from_slice(&output.stdout).unwrap())
    }

    fn folders(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.0.path().join("logs")).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.join("run.toml").is_file()).collect()
    }

    /// Every journal's whole lines.
    fn journals(&self) -> Vec<(PathBuf, String)> {
        let read = |folder: PathBuf| {
            let text = fs::read_to_string(folder.join("events.jsonl")).unwrap_or_default();
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            (folder, text[..whole].to_owned())
        };
        self.folders().into_iter().map(read).collect()
    }
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The rows of a document without times, in an order of their own: which run ends first is chance.
fn rows(document: &Value) -> Vec<Value> {
    let mut rows = document["rows"].as_array().unwrap().clone();
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        row.retain(|key, _| !key.contains("second"));
    }
    rows.sort_by_key(Value::to_string);
    rows
}

fn kills() -> usize {
    std::env::var("ATTNLAB_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

/// Kills `command` at random moments, and again what goes on by the same command; then the rows must be those of the
/// command left alone, and every line told before must still be there.
fn kill(command: &[&str]) {
    let whole = Desk::new();
    let since = Instant::now();
    let want = whole.rows(command);
    let time = since.elapsed();
    let (mut random, mut killed, mut on_the_way, mut saved) = (StdRng::seed_from_u64(1), 0, 0, 0);
    while killed < kills() {
        let desk = Desk::new();
        let mut told = Vec::new();
        loop {
            let mut child = desk.start(command);
            std::thread::sleep(time.mul_f64(random.random()));
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
            assert_kept(&told, &desk);
            told = desk.journals();
            let has = |name: &str| desk.folders().iter().any(|folder| folder.join(name).is_file());
            on_the_way += usize::from(!desk.folders().iter().all(|folder| folder.join("summary.json").is_file()));
            saved += usize::from(has("checkpoint.json"));
            if killed >= kills() || random.random() {
                break;
            }
        }
        assert_eq!(desk.rows(command), want);
        assert_kept(&told, &desk);
    }
    println!("{}: killed {killed} times, {on_the_way} on the way, {saved} with a checkpoint", command[1]);
}

/// Nothing that was told is missing.
fn assert_kept(told: &[(PathBuf, String)], desk: &Desk) {
    let now = desk.journals();
    for (folder, text) in told {
        let kept = now.iter().any(|(path, now)| path == folder && now.starts_with(text.as_str()));
        assert!(kept, "{}: lines are missing", folder.display());
    }
}

#[test]
fn a_killed_training_goes_on_bit_for_bit() {
    kill(TRAINING);
}

#[test]
fn a_killed_sweep_goes_on_at_the_point() {
    kill(SWEEP);
}

/// A disk of a few kilobytes, taken away when dropped.
struct Disk(PathBuf);

impl Disk {
    fn of(size: &str, place: PathBuf) -> Option<Self> {
        fs::create_dir(&place).unwrap();
        let disk = Self(place);
        disk.mount(&format!("size={size}")).then_some(disk)
    }

    fn mount(&self, options: &str) -> bool {
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&self.0).output();
        mount.is_ok_and(|output| output.status.success())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg(&self.0).output().ok();
    }
}

#[test]
fn a_training_on_a_full_disk_waits_for_room() {
    let desk = Desk::new();
    let Some(disk) = Disk::of("64k", desk.0.path().join("disk")) else {
        // Past the test harness, which keeps what a test that passes prints.
        return std::io::stderr().write_all(b"full disk: skipped: no disk may be mounted here\n").unwrap();
    };
    let training = ["run", "vit", "--set", "dim=16", "--set", "depth=1", "--set", "epochs=4"];
    let want = desk.rows(&training);
    let mut command = desk.command(&[&training, ["--logs", "disk/logs"].as_slice()].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    while !said.contains("waiting, goes on by itself") {
        assert!(stderr.read_line(&mut said).unwrap() > 0, "it ends: {said}");
    }
    assert!(said.contains("No space left on device"), "{said}");
    std::thread::sleep(Duration::from_millis(700));
    assert!(child.try_wait().unwrap().is_none(), "it waits");
    assert!(disk.mount("remount,size=8m"));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(rows(&serde_json::from_slice(&output.stdout).unwrap()), want);
}
