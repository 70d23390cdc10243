//! Who works on a run, seen from another container and from a machine with another clock; and how many threads it takes.

#[path = "support/program.rs"]
mod program;
#[path = "support/results.rs"]
mod results;

use program::program;
use results::{run_folders, timeless};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

const SMALL: &[&str] = &["run", "--quiet", "hybrid", "--set", "trials=20", "--set", "angles=3"];
const TRAINING: &[&str] =
    &["run", "vit", "--set", "dim=16", "--set", "depth=1", "--set", "heads=2", "--set", "epochs=100000"];

/// A process that is killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn call(desk: &TempDir, arguments: &[&str]) -> Output {
    program(desk.path(), arguments).output().unwrap()
}

/// What a call says on standard error, which must fail.
fn complaint(desk: &TempDir, arguments: &[&str]) -> String {
    let output = call(desk, arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The state that `list` tells of the only run.
fn listed(desk: &TempDir) -> String {
    let output = call(desk, &["list", "--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["runs"][0]["state"].as_str().unwrap().to_owned()
}

/// The folder of the only run, once it trains.
fn trained(desk: &TempDir) -> PathBuf {
    let since = Instant::now();
    loop {
        if let Some(run) = run_folders(desk.path()).pop()
            && fs::read_to_string(run.join("events.jsonl")).unwrap_or_default().contains("\"e\":\"p\"")
        {
            return run;
        }
        assert!(since.elapsed() < Duration::from_secs(120), "it does not train");
        thread::sleep(Duration::from_millis(20));
    }
}

fn name(run: &Path) -> &str {
    run.file_name().unwrap().to_str().unwrap()
}

fn rows(run: &Path) -> Vec<Value> {
    let document: Value = serde_json::from_str(&fs::read_to_string(run.join("summary.json")).unwrap()).unwrap();
    assert_eq!(document["state"], "finished");
    timeless(&document)
}

/// A finished run, made one that the process named in `lock` left at its beginning.
fn left_by(desk: &TempDir, lock: &Value) -> (PathBuf, Vec<Value>) {
    assert!(call(desk, SMALL).status.success());
    let run = run_folders(desk.path()).pop().unwrap();
    let want = rows(&run);
    fs::remove_file(run.join("summary.json")).unwrap();
    let journal = fs::read_to_string(run.join("events.jsonl")).unwrap();
    fs::write(run.join("events.jsonl"), format!("{}\n", journal.lines().next().unwrap())).unwrap();
    fs::write(run.join("lock"), lock.to_string()).unwrap();
    (run, want)
}

/// Makes the sign of life in a run's folder so old.
fn age(run: &Path, seconds: u64) {
    let then = SystemTime::now() - Duration::from_secs(seconds);
    File::options().write(true).open(run.join("lock")).unwrap().set_modified(then).unwrap();
}

fn skip(why: &str) {
    // Past the test harness, which keeps what a test that passes prints.
    std::io::stderr().write_all(format!("alive: skipped, {why}\n").as_bytes()).unwrap();
}

/// A command in a process namespace of its own, as in a container; none where the system allows no such thing.
fn contained(program: &Command) -> Option<Command> {
    let options = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"];
    let allowed =
        Command::new("unshare").args(options).arg("true").output().is_ok_and(|output| output.status.success());
    let words = [program.get_program()].into_iter().chain(program.get_args());
    allowed.then(|| {
        let mut command = Command::new("unshare");
        command.args(options).args(words).current_dir(program.get_current_dir().unwrap());
        command
    })
}

#[test]
fn a_run_in_another_container_is_let_live() {
    let desk = tempfile::tempdir().unwrap();
    let Some(mut command) = contained(&program(desk.path(), TRAINING)) else {
        return skip("no process namespace may be made here");
    };
    let running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let run = trained(&desk);
    let lock: Value = serde_json::from_str(&fs::read_to_string(run.join("lock")).unwrap()).unwrap();
    let here = fs::read_link("/proc/self/ns/pid").unwrap();
    assert_ne!(lock["namespace"].as_str().map(OsStr::new), Some(here.as_os_str()), "{lock}");
    // Its number means another process here, or none.
    assert_eq!(listed(&desk), "running");
    for command in [&["resume", name(&run)][..], &["delete", name(&run)]] {
        let said = complaint(&desk, command);
        assert!(said.contains("works on"), "{said}");
    }
    let points = || fs::read_to_string(run.join("events.jsonl")).unwrap().matches("\"e\":\"p\"").count();
    let before = points();
    let since = Instant::now();
    while points() == before {
        assert!(since.elapsed() < Duration::from_secs(60), "it was stopped");
        thread::sleep(Duration::from_millis(50));
    }
    // Without a sign of life for days it is gone.
    drop(running);
    age(&run, 2 * 86_400);
    assert_eq!(listed(&desk), "lost");
}

#[test]
fn after_a_start_of_the_machine_the_number_of_a_process_says_nothing() {
    let desk = tempfile::tempdir().unwrap();
    // This process, but of another start of the machine.
    let mut lock = serde_json::to_value(attnlab::lab::Owner::me()).unwrap();
    let (run, want) = left_by(&desk, &lock);
    assert_eq!(listed(&desk), "queued");
    lock["boot"] = json!("00000000-0000-0000-0000-000000000000");
    fs::write(run.join("lock"), lock.to_string()).unwrap();
    assert_eq!(listed(&desk), "queued", "its last sign of life is new");
    age(&run, 2 * 86_400);
    assert_eq!(listed(&desk), "lost");
    let journal = fs::metadata(run.join("events.jsonl")).unwrap().ino();
    assert!(call(&desk, &["resume", "--quiet", name(&run)]).status.success());
    assert_eq!(rows(&run), want);
    assert_ne!(fs::metadata(run.join("events.jsonl")).unwrap().ino(), journal, "the journal is another file");
}

#[test]
fn a_process_whose_clock_is_slow_lives_as_long_as_it_beats() {
    let desk = tempfile::tempdir().unwrap();
    // As a version wrote it that knew nothing of containers.
    let (run, want) = left_by(&desk, &json!({"host": "elsewhere", "pid": 1, "began": 5, "token": 7}));
    age(&run, 90);
    let beats = AtomicBool::new(true);
    thread::scope(|scope| {
        scope.spawn(|| {
            while beats.load(Ordering::SeqCst) {
                age(&run, 90);
                thread::sleep(Duration::from_millis(500));
            }
        });
        let told = [
            listed(&desk),
            complaint(&desk, &["resume", name(&run)]),
            complaint(&desk, &["delete", name(&run)]),
            listed(&desk),
        ];
        beats.store(false, Ordering::SeqCst);
        assert_eq!((told[0].as_str(), told[3].as_str()), ("queued", "queued"));
        assert!(told[1].contains("elsewhere") && told[2].contains("elsewhere"), "{told:?}");
    });
    assert_eq!(listed(&desk), "lost");
    // Taken over only after it was watched for half a minute.
    let journal = fs::metadata(run.join("events.jsonl")).unwrap().ino();
    let output = call(&desk, &["resume", "--quiet", name(&run)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(rows(&run), want);
    assert_ne!(fs::metadata(run.join("events.jsonl")).unwrap().ino(), journal, "the journal is another file");
}

/// The threads of the fused kernels that a process has made.
fn kernel_threads(child: &Child) -> usize {
    let tasks = fs::read_dir(format!("/proc/{}/task", child.id())).unwrap().flatten();
    let names = tasks.map(|task| fs::read_to_string(task.path().join("comm")).unwrap_or_default());
    names.filter(|name| name.starts_with("fused-")).count()
}

#[test]
fn threads_keep_to_the_variables_that_limit_them() {
    let cores = thread::available_parallelism().unwrap().get();
    // One thread needs no others beside that of the run.
    let made = |threads: usize| if threads == 1 { 0 } else { threads };
    for (variables, threads) in [
        (&[][..], cores),
        (&[("OMP_NUM_THREADS", "1")], 1),
        (&[("OMP_NUM_THREADS", "1,4"), ("RAYON_NUM_THREADS", "1000")], 1),
        (&[("RAYON_NUM_THREADS", "1")], 1),
        (&[("OMP_NUM_THREADS", "0"), ("RAYON_NUM_THREADS", "many")], cores),
    ] {
        let desk = tempfile::tempdir().unwrap();
        let mut command = program(desk.path(), TRAINING);
        command.env_remove("OMP_NUM_THREADS").env_remove("RAYON_NUM_THREADS").envs(variables.iter().copied());
        let running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        trained(&desk);
        assert_eq!(kernel_threads(&running.0), made(threads), "{variables:?}");
    }
    // A number that was asked for stands, and a forecast counts on what will be taken.
    let desk = tempfile::tempdir().unwrap();
    let about = |arguments: &[&str], variable: &str| {
        let mut command = program(desk.path(), [&["run", "vit", "--dry-run"], arguments].concat());
        let said = command.env("OMP_NUM_THREADS", variable).output().unwrap();
        String::from_utf8(said.stdout).unwrap().lines().last().unwrap().to_owned()
    };
    assert_eq!(about(&[], "1"), about(&["--set", "threads=1"], "1000"));
    assert_eq!(about(&["--set", "threads=2"], "1"), about(&["--set", "threads=2"], "1000"));
}

#[test]
fn threads_keep_to_the_quota_of_the_control_group() {
    let names = ["cpu", "unified", "."];
    let group =
        names.into_iter().map(|name| Path::new("/sys/fs/cgroup").join(name).join("attnlab-test")).find(|path| {
            let quota = [("cpu.max", "100000 100000"), ("cpu.cfs_quota_us", "100000")];
            // The directory of a group comes with its files, where there are such groups and this user may make them.
            fs::create_dir(path).is_ok() && {
                let set = quota.iter().any(|(file, text)| {
                    let path = path.join(file);
                    path.exists() && fs::write(path, text).is_ok()
                });
                set || {
                    fs::remove_dir(path).ok();
                    false
                }
            }
        });
    let Some(group) = group else { return skip("no control group may be made here") };
    let desk = tempfile::tempdir().unwrap();
    let line = format!(
        "echo $$ > {}/cgroup.procs && exec {} {}",
        group.display(),
        env!("CARGO_BIN_EXE_attnlab"),
        SMALL.join(" ")
    );
    let output = Command::new("sh").args(["-c", &line]).current_dir(desk.path()).output().unwrap();
    // An empty group takes a moment to be one.
    for _ in 0..50 {
        if fs::remove_dir(&group).is_ok() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = run_folders(desk.path()).pop().unwrap();
    let record: toml::Table = fs::read_to_string(run.join("run.toml")).unwrap().parse().unwrap();
    assert_eq!(record["run"]["machine"]["cores"].as_integer(), Some(1), "{record}");
}
