//! Runs that are killed at random moments, whose journal is cut anywhere or damaged, and on a full disk: what goes on
//! afterwards has told what a run left alone tells, nothing missing and nothing twice.
//!
//! `ATTNLAB_KILLS=400 cargo test --release --test survival -- --nocapture` kills 400 times in all and cuts journals at
//! every line; without the variable there are 20 kills and as many cuts as take a few seconds.

mod cuts;
#[path = "../support/measured.rs"]
mod measured;
#[path = "../support/program.rs"]
mod program;
mod told;

use measured::forget_measured;
use program::program;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use told::Told;

/// What is killed. The random features are a sweep of several runs; the others are one run each.
const COMMANDS: [(&str, &[&str]); 6] = [
    // A training that saves checkpoints on its way.
    ("run", &["vit", "dataset=digits", "dim=32", "depth=2", "epochs=8"]),
    ("sweep", &["features-length", "length=256,512,1024,2048", "m=16,32,64", "seed=0..3 +1", "trials=3"]),
    ("run", &["random-features", "inputs=gauss,hub", "estimator=positive,trigonometric", "trials=40"]),
    ("run", &["masked", "method=tensor-sketch,tensor,coordinate", "features=64,256", "trials=20"]),
    ("run", &["masked", "task=attention", "length=512,1024,2048,4096", "exact_limit=1024", "features=256"]),
    ("run", &["hybrid", "radius=0.5,1,1.5", "trials=2000"]),
];

/// `attnlab COMMAND NAME --set …`.
fn arguments((command, settings): (&str, &[&'static str])) -> Vec<String> {
    let mut arguments = vec![command.to_owned(), settings[0].to_owned()];
    if command == "run" {
        arguments.push("--resume".to_owned());
    }
    settings[1..].iter().for_each(|setting| arguments.extend(["--set".to_owned(), (*setting).to_owned()]));
    arguments
}

/// A directory to call the program from.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, arguments: &[String]) -> Command {
        let mut command = program(self.0.path(), arguments);
        command.args(["--json", "--quiet"]);
        command
    }

    fn start(&self, arguments: &[String]) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The rows that a command prints, which must succeed.
    fn rows(&self, arguments: &[String]) -> Vec<Value> {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", complaint(&output));
        rows(&serde_json::from_slice(&output.stdout).unwrap())
    }

    /// How the work goes on after a kill: by the same command, or for a single run by its name.
    fn next(&self, arguments: &[String], random: &mut StdRng) -> Vec<String> {
        match self.folders().as_slice() {
            [folder] if arguments[0] == "run" && !folder.join("summary.json").is_file() && random.random() => {
                vec!["resume".to_owned(), folder.file_name().unwrap().to_string_lossy().into_owned()]
            }
            _ => arguments.to_vec(),
        }
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
        forget_measured(row);
    }
    rows.sort_by_key(Value::to_string);
    rows
}

/// Kills in all; more than 100 is a long test that leaves nothing out.
fn kills() -> usize {
    std::env::var("ATTNLAB_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

/// What every run of `desk` has told, by what determines its result.
fn told(desk: &Desk) -> BTreeMap<String, Told> {
    let point = |folder: &Path| {
        let record = fs::read_to_string(folder.join("run.toml")).unwrap();
        record.lines().find(|line| line.starts_with("point = ")).unwrap().to_owned()
    };
    desk.folders().iter().map(|folder| (point(folder), Told::read(folder, told::problem_of(folder)))).collect()
}

/// Kills each command at random moments, and again what goes on by the same command or by `attnlab resume`; then
/// everything told must be what the command left alone tells, and every line told before must still be there.
#[test]
fn killed_commands_go_on_as_if_nothing_had_been() {
    let mut random = StdRng::seed_from_u64(1);
    for (number, command) in COMMANDS.into_iter().enumerate() {
        let arguments = arguments(command);
        let whole = Desk::new();
        let since = Instant::now();
        let (want_rows, want) = (whole.rows(&arguments), told(&whole));
        let time = since.elapsed();
        let share = kills() / COMMANDS.len() + usize::from(number < kills() % COMMANDS.len());
        let (mut killed, mut on_the_way, mut saved) = (0, 0, 0);
        while killed < share {
            let desk = Desk::new();
            let mut lines = Vec::new();
            loop {
                let mut child = desk.start(&desk.next(&arguments, &mut random));
                std::thread::sleep(time.mul_f64(random.random()));
                child.kill().unwrap();
                child.wait().unwrap();
                killed += 1;
                assert_kept(&lines, &desk);
                lines = desk.journals();
                let has = |name: &str| desk.folders().iter().any(|folder| folder.join(name).is_file());
                on_the_way += usize::from(!desk.folders().iter().all(|folder| folder.join("summary.json").is_file()));
                saved += usize::from(has("checkpoint.json"));
                if killed >= share || random.random() {
                    break;
                }
            }
            assert_eq!(desk.rows(&arguments), want_rows, "{arguments:?}");
            assert_kept(&lines, &desk);
            assert_eq!(told(&desk), want, "{arguments:?}");
            for entry in fs::read_dir(desk.0.path().join("logs")).unwrap() {
                let path = entry.unwrap().path();
                assert!(path.join("run.toml").is_file() || !path.is_dir(), "{} is left behind", path.display());
            }
        }
        println!("{}: killed {killed} times, {on_the_way} on the way, {saved} with a checkpoint", arguments[1]);
    }
}

/// Nothing that was told is missing.
fn assert_kept(told: &[(PathBuf, String)], desk: &Desk) {
    let now = desk.journals();
    for (folder, text) in told {
        let kept = now.iter().any(|(path, now)| path == folder && now.starts_with(text.as_str()));
        assert!(kept, "{}: lines are missing", folder.display());
    }
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
    let training = arguments(("run", &["vit", "dataset=digits", "dim=16", "depth=1", "epochs=4"]));
    let want = desk.rows(&training);
    let mut command = desk.command(&[training, vec!["--logs".to_owned(), "disk/logs".to_owned()]].concat());
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
