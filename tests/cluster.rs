//! Sweeps on a real Slurm of this machine, on the loopback. Where there is none (`scripts/local_slurm install`), the tests
//! say that they skip.

#[path = "support/measured.rs"]
mod measured;
use measured::forget_measured;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// A running Slurm of three nodes with four CPUs each, ended when dropped.
struct Cluster {
    folder: tempfile::TempDir,
}

/// What starts it, stops it, and starts what has died of it.
fn local_slurm(action: &str, place: &Path) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/local_slurm");
    Command::new(script).arg(action).arg(place).output().unwrap()
}

impl Cluster {
    fn start() -> Option<Self> {
        let cluster = Self { folder: tempfile::tempdir().unwrap() };
        let started = local_slurm("start", &cluster.place());
        let said = String::from_utf8_lossy(&started.stderr).into_owned();
        if started.status.code() == Some(3) {
            // Past the test harness, which keeps what a test that passes prints.
            std::io::stderr().write_all(format!("cluster: {}\n", said.trim()).as_bytes()).unwrap();
            return None;
        }
        assert!(started.status.success(), "{said}");
        Some(cluster)
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

    /// What a command of Slurm prints that must succeed.
    fn slurm(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, arguments);
        assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Submits a sweep and gives the number of its job.
    fn submit(&self, arguments: &[&str]) -> String {
        let told = self.say(&[&["sweep"], arguments, &["--slurm"]].concat());
        told.split([' ', ':']).nth(1).unwrap().to_owned()
    }

    /// Kills a daemon the hard way.
    fn kill(&self, daemon: &str) {
        let text = fs::read_to_string(self.place().join("pid").join(daemon)).unwrap();
        let pid = Pid::from_raw(text.split(' ').next().unwrap().parse().unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
    }

    /// Waits until `status` of a sweep says `word`, and gives all it says.
    fn until_said(&self, sweep: &str, word: &str) -> String {
        let began = Instant::now();
        loop {
            let said = self.say(&["sweep", "status", sweep]);
            if said.contains(word) {
                return said;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{word}: {said}");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits until `count` trainings have told a few points.
    fn until_training(&self, count: usize) {
        let logs = self.folder.path().join("logs");
        let trains = |folder: &Path| {
            fs::read_to_string(folder.join("events.jsonl")).is_ok_and(|text| text.matches("\"e\":\"p\"").count() > 20)
        };
        let began = Instant::now();
        let training = || {
            let entries = fs::read_dir(&logs).into_iter().flatten().flatten();
            let runs = entries.filter(|entry| entry.file_name().to_string_lossy().contains("-vit-"));
            runs.filter(|entry| trains(&entry.path())).count()
        };
        while training() < count {
            assert!(began.elapsed() < Duration::from_secs(60), "the trainings do not begin");
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn sweep(&self, title: &str) -> PathBuf {
        let entries = fs::read_dir(self.folder.path().join("logs")).unwrap().flatten().map(|entry| entry.path());
        let mut sweeps =
            entries.filter(|path| path.join("sweep.toml").is_file() && path.to_string_lossy().ends_with(title));
        sweeps.next().unwrap()
    }

    /// The rows of the same settings without Slurm.
    fn local(&self, problem: &str, settings: &[&str]) -> Vec<Value> {
        rows(&self.say(&[&["run", problem, "--json", "--quiet", "--logs", "local"], settings].concat()))
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
        local_slurm("stop", &self.place());
    }
}

/// Rows without what differs from one measurement to the next.
fn rows(text: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(text).unwrap();
    let mut rows = document["rows"].as_array().unwrap().clone();
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        forget_measured(row);
    }
    rows
}

#[test]
fn sweeps_finish_with_the_rows_of_a_local_run() {
    let Some(cluster) = Cluster::start() else { return };

    // A sweep of small points: packed, finished, the same rows.
    let settings = ["--set", "seed=0..7 +1", "--set", "trials=200", "--set", "angles=3"];
    let small =
        [&["sweep", "hybrid", "--slurm", "--max-parallel", "4", "--title", "small"], settings.as_slice()].concat();
    let told = cluster.say(&small);
    assert!(told.contains("8 points in 4 elements"), "{told}");
    assert_eq!(cluster.rows("small"), cluster.local("hybrid", &settings));
    assert!(cluster.say(&["sweep", "status", "small"]).contains("8 points: 8 finished"));
    // What is finished is not submitted again.
    assert!(cluster.say(&small).contains("every point of the sweep has a finished run"));

    // More points than an array may have elements.
    let settings = ["--set", "seed=1000..2499 +1", "--set", "trials=5", "--set", "angles=3"];
    cluster.submit(&[&["hybrid", "--title", "many"], settings.as_slice()].concat());
    let rows = cluster.rows("many");
    let runs: Value = serde_json::from_str(&cluster.say(&["sweep", "results", "many", "--json"])).unwrap();
    let seeds: BTreeSet<_> = runs["runs"].as_array().unwrap().iter().map(|run| run["seed"].as_u64().unwrap()).collect();
    assert!(seeds.into_iter().eq(1000..2500) && rows.len() == 1500 * 3 * 3, "{} rows", rows.len());

    // Cancelled, then resumed: only what is missing is submitted.
    let settings = ["--set", "epochs=2000", "--set", "seed=5..7 +1", "--set", "dim=16"];
    let job = cluster.submit(&[&["vit", "--title", "long"], settings.as_slice()].concat());
    cluster.say(&["sweep", "cancel", "long"]);
    let began = Instant::now();
    while !cluster.slurm("squeue", &["-h", "-j", &job]).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "the cancelled job does not end");
        thread::sleep(Duration::from_millis(100));
    }
    let resumed = cluster.say(&["sweep", "resume", "long"]);
    assert!(resumed.contains("elements 0-2"), "{resumed}");
    cluster.say(&["sweep", "cancel", "long"]);
    let incomplete = cluster.attnlab(&["sweep", "results", "long"]);
    assert_eq!(incomplete.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&incomplete.stderr).contains("0 of 3 points are finished"));
}

#[test]
fn a_training_outlives_its_node_its_limit_and_its_turn() {
    let Some(cluster) = Cluster::start() else { return };
    // One element a node.
    let settings = ["--set", "epochs=30", "--set", "dim=32", "--set", "depth=2", "--set", "seed=1..3 +1"];
    let job = cluster
        .submit(&[&["vit", "--title", "training", "--max-parallel", "3", "-c", "4"], settings.as_slice()].concat());
    cluster.until_training(3);
    let element = |node: &str| {
        let said = cluster.slurm("squeue", &["-h", "-r", "-j", &job, "-w", node, "-o", "%K"]);
        format!("{job}_{}", said.trim())
    };
    // The time limit is near on one node, one goes down, and one loses its daemon: what ran there goes on for nobody.
    cluster.slurm("scancel", &["--batch", "--signal=USR1", &element("n3")]);
    cluster.slurm("scontrol", &["update", "nodename=n2", "state=down", "reason=test"]);
    cluster.kill("slurmd-n1");
    let lost = Instant::now();
    let said = cluster.until_said("training", "PENDING");
    assert!(said.contains("3 points"), "{said}");
    // Unless it has come back of its own.
    cluster.run("scontrol", &["update", "nodename=n2", "state=resume"]);
    let got = cluster.rows("training");
    let time = lost.elapsed().as_secs();
    assert_eq!(got, cluster.local("vit", &settings));
    let runs = fs::read_dir(cluster.folder.path().join("logs")).unwrap().flatten();
    let journals = runs.filter_map(|run| fs::read_to_string(run.path().join("events.jsonl")).ok());
    let resumed = journals.filter(|text| text.contains("\"goes on\"")).count();
    println!("complete {time} s after what happened to them, {resumed} of 3 trainings went on from a checkpoint");
    assert!(resumed > 0);
}

#[test]
fn a_halving_decides_on_a_cluster_as_it_does_here() {
    let Some(cluster) = Cluster::start() else { return };
    let settings = ["attention=relu", "lr=0.0001,0.01,0.05,0.3", "dim=8", "depth=1", "heads=2", "train_images=64"];
    let more = ["validation=0.5", "test_images=16", "epochs=8", "batch=8", "threads=1"];
    let settings: Vec<&str> = settings.iter().chain(&more).flat_map(|setting| ["--set", *setting]).collect();
    let halve = [&["sweep", "vit", "--halve", "--json", "--title", "halves"], settings.as_slice()].concat();
    let here = cluster.say(&[&halve[..], &["--quiet", "--logs", "local"]].concat());
    let there = [&halve[..], &["--slurm", "--max-parallel", "2"]].concat();

    // The command is interrupted once its first array is there: the array is found again, at work or done.
    let mut first = cluster.command(env!("CARGO_BIN_EXE_attnlab"));
    let first = first.args(&there).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    let logs = cluster.folder.path().join("logs");
    let arrays = || {
        let entries = fs::read_dir(&logs).into_iter().flatten().flatten();
        entries.filter(|entry| entry.path().join("sweep.toml").is_file()).count()
    };
    while arrays() == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "no array is submitted");
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(500));
    kill_process(Pid::from_child(&first), Signal::INT).unwrap();
    let interrupted = first.wait_with_output().unwrap();
    let output = cluster.attnlab(&there);
    let said = [&interrupted, &output].map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).concat();
    assert!(output.status.success(), "{said}");
    // Four runs, two, one: an array each.
    assert_eq!(arrays(), 3, "{said}");
    assert!(said.contains("1/4 of the budget: 4 runs, job "), "{said}");
    assert_eq!(rows(&String::from_utf8(output.stdout).unwrap()), rows(&here));
    let decided = |logs: &str| {
        let entries = fs::read_dir(cluster.folder.path().join(logs)).unwrap().flatten();
        let files = entries.map(|entry| entry.path().join("halving.json")).filter(|path| path.is_file());
        files.map(|file| fs::read_to_string(file).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(decided("logs"), decided("local"));
    let status = cluster.say(&["sweep", "status", "1-4"]);
    assert!(status.contains("4 points: ") && status.contains("held at their share"), "{status}");
    // Once more there is nothing to do.
    let again = cluster.attnlab(&there);
    assert!(again.status.success() && arrays() == 3, "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn what_goes_wrong_is_told_and_mended() {
    let Some(cluster) = Cluster::start() else { return };
    // What Slurm refuses is told in its own words.
    let refused = cluster.attnlab(&["sweep", "hybrid", "--slurm", "-p", "nowhere", "--set", "seed=90,91"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("invalid partition specified: nowhere"), "{said}");

    // A program for another processor dies of its first instruction.
    let settings = ["--set", "trials=20", "--set", "angles=3", "--sbatch-arg=--hold"];
    let job = cluster.submit(&[&["hybrid", "--title", "foreign", "--set", "seed=1"], settings.as_slice()].concat());
    let program = cluster.sweep("foreign").join("attnlab");
    let ours = fs::read(&program).unwrap();
    fs::write(&program, "#!/bin/sh\nkill -ILL $$\n").unwrap();
    cluster.slurm("scontrol", &["release", &job]);
    cluster.until_said("foreign", "built for another processor");
    fs::write(&program, ours).unwrap();
    cluster.until_said("foreign", "FAILED");

    // A folder that the nodes do not see.
    let job = cluster.submit(&[&["hybrid", "--title", "unseen", "--set", "seed=2"], settings.as_slice()].concat());
    let (logs, away) = (cluster.folder.path().join("logs"), cluster.folder.path().join("away"));
    fs::rename(&logs, &away).unwrap();
    cluster.slurm("scontrol", &["release", &job]);
    let began = Instant::now();
    while !cluster.slurm("squeue", &["-h", "-t", "all", "-j", &job, "-o", "%T"]).contains("FAILED") {
        assert!(began.elapsed() < Duration::from_secs(30), "the element does not fail");
        thread::sleep(Duration::from_millis(100));
    }
    fs::rename(&away, &logs).unwrap();
    cluster.until_said("unseen", "is it on a disk that the nodes see?");

    // What failed is submitted again.
    for sweep in ["foreign", "unseen"] {
        let again = cluster.say(&["sweep", "resume", sweep]);
        let job = again.split([' ', ':']).nth(1).unwrap();
        cluster.slurm("scontrol", &["release", job]);
        assert!(!cluster.rows(sweep).is_empty());
    }

    // The controller does not answer: what lies on the disk is told, and that.
    let held = ["hybrid", "--title", "held", "--set", "seed=3,4", "--max-parallel", "2"];
    let job = cluster.submit(&[held.as_slice(), &settings].concat());
    cluster.say(&["sweep", "throttle", "held", "1"]);
    assert!(cluster.slurm("scontrol", &["show", "job", &job]).contains("ArrayTaskThrottle=1"));
    cluster.kill("slurmctld");
    let began = Instant::now();
    let said = cluster.say(&["sweep", "status", "held"]);
    let waited = began.elapsed();
    assert!(said.contains("2 points") && said.contains("Slurm: "), "{said}");
    assert!(waited < Duration::from_secs(15), "{waited:?}");
    println!("without a controller, after {:.1} s: {said}", waited.as_secs_f64());
    assert!(!cluster.attnlab(&["sweep", "resume", "held"]).status.success());
    assert!(local_slurm("start", &cluster.place()).status.success());
    assert!(!cluster.say(&["sweep", "status", "held"]).contains("Slurm: "));
}

/// How long a sweep of points of about a second takes beside as many `sleep 1`; `ATTNLAB_TRIALS` makes them longer or
/// shorter: `cargo test --release --test cluster -- --ignored --nocapture`.
#[test]
#[ignore = "measures: wants the machine for itself"]
fn measure_a_sweep_beside_sleep() {
    let Some(cluster) = Cluster::start() else { return };
    let began = Instant::now();
    let wrap = ["--parsable", "--array=0-63%8", "-o", "/dev/null", "--wrap", "sleep 1"];
    let job = cluster.slurm("sbatch", &wrap).trim().to_owned();
    while !cluster.slurm("squeue", &["-h", "-j", &job]).is_empty() {
        thread::sleep(Duration::from_millis(50));
    }
    let sleep = began.elapsed().as_secs_f64();
    let trials = env::var("ATTNLAB_TRIALS").unwrap_or_else(|_| "4500".to_owned());
    let (trials, began) = (format!("trials={trials}"), Instant::now());
    let settings = ["hybrid", "--title", "measured", "--max-parallel", "8", "--set", "seed=0..63 +1", "--set", &trials];
    cluster.submit(&settings);
    while !cluster.say(&["sweep", "status", "measured"]).contains("64 points: 64 finished") {
        thread::sleep(Duration::from_millis(50));
    }
    let sweep = began.elapsed().as_secs_f64();
    let seconds = |run: &fs::DirEntry| {
        let text = fs::read_to_string(run.path().join("summary.json")).ok()?;
        serde_json::from_str::<Value>(&text).ok()?["seconds"].as_f64()
    };
    let runs = fs::read_dir(cluster.folder.path().join("logs")).unwrap().flatten();
    let points: f64 = runs.filter_map(|run| seconds(&run)).sum();
    println!(
        "64 × sleep 1 on 8 slots: {sleep:.1} s; 64 points of {:.2} s: {sweep:.1} s; ratio {:.2}",
        points / 64.0,
        sweep / sleep
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
    let dry =
        attnlab(&["sweep", "hybrid", "--slurm", "--dry-run", "--set", "seed=7,8", "--time", "1:00:00", "-c", "2"]);
    let script = String::from_utf8(dry.stdout).unwrap();
    for part in
        ["#SBATCH --array=0-1", "--time=\"1:00:00\"", "--cpus-per-task=2", "--signal=B:USR1@120", "exec ./attnlab"]
    {
        assert!(script.contains(part), "{part}: {script}");
    }
}

/// Slurm's commands as scripts: each writes its arguments into `said`, one line a call, and answers as it is told.
struct StandIn {
    folder: tempfile::TempDir,
}

impl StandIn {
    /// `sbatch` is a piece of a shell script: what it prints, and how it ends.
    fn new(sbatch: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let said = folder.path().join("said");
        for (name, rest) in [("sbatch", sbatch), ("squeue", ""), ("sacct", ""), ("scancel", ""), ("scontrol", "")] {
            let script = format!(
                "#!/bin/sh\necho \"{name} $* clusters=$SLURM_CLUSTERS job=$SLURM_JOB_ID\" >> '{}'\n{rest}\n",
                said.display()
            );
            let path = folder.path().join("bin").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { folder }
    }

    fn attnlab(&self, arguments: &[&str]) -> Output {
        let path = format!("{}:/usr/bin:/bin", self.folder.path().join("bin").display());
        Command::new(env!("CARGO_BIN_EXE_attnlab"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("SLURM_CLUSTERS", "gpu2")
            .env("SLURM_JOB_ID", "7")
            .output()
            .unwrap()
    }

    /// The last call of a command of Slurm.
    fn last(&self, name: &str) -> String {
        let said = fs::read_to_string(self.folder.path().join("said")).unwrap();
        said.lines().rfind(|line| line.starts_with(name)).unwrap_or_default().to_owned()
    }

    /// The folders of sweeps in `logs`.
    fn sweeps(&self, logs: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path().join(logs)).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.join("sweep.toml").is_file()).collect()
    }
}

const SMALL: [&str; 4] = ["--set", "trials=20", "--set", "angles=3"];

#[test]
fn a_job_on_another_cluster_is_asked_for_there() {
    let slurm = StandIn::new("echo 'site: quota is fine'; echo '424242;gpu2'; echo 'site: bye'");
    let submitted = slurm.attnlab(&[&["sweep", "hybrid", "--slurm", "--set", "seed=1,2"], SMALL.as_slice()].concat());
    let said = String::from_utf8_lossy(&submitted.stdout).into_owned();
    assert!(said.starts_with("job 424242;gpu2: 2 points"), "{said}{}", String::from_utf8_lossy(&submitted.stderr));
    let folder = slurm.sweeps("logs").remove(0);
    assert!(fs::read_to_string(folder.join("sweep.toml")).unwrap().contains("jobs = [\"424242;gpu2\"]"));
    // How large an array may be is asked there too.
    assert!(slurm.last("scontrol").starts_with("scontrol -M gpu2 show config "), "{}", slurm.last("scontrol"));
    // What says which cluster is meant is handed on, what belongs to the job around us is not.
    assert!(slurm.last("sbatch").ends_with("clusters=gpu2 job="), "{}", slurm.last("sbatch"));
    for (arguments, command, expected) in [
        (["sweep", "status", "last"].as_slice(), "squeue", "squeue -M gpu2 -h -r -a -t all -j 424242 "),
        (&["sweep", "throttle", "last", "3"], "scontrol", "scontrol -M gpu2 update JobId=424242 ArrayTaskThrottle=3 "),
        (&["sweep", "cancel", "last"], "scancel", "scancel -M gpu2 424242 "),
        (&["sweep", "resume", "last"], "sbatch", "sbatch -M gpu2 --parsable --array="),
    ] {
        let output = slurm.attnlab(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(slurm.last(command).starts_with(expected), "{}", slurm.last(command));
    }
}

#[test]
fn the_number_of_a_job_is_found_wherever_sbatch_says_it() {
    for (answer, job) in [
        ("424242", "424242"),
        ("424242;gpu2", "424242;gpu2"),
        ("Submitted batch job 424242 on cluster gpu2", "424242;gpu2"),
        ("7 jobs of yours wait\n424242;gpu2\nsee https://status", "424242;gpu2"),
        ("\n  424242  \n\n", "424242"),
    ] {
        let slurm = StandIn::new(&format!("printf '%s\\n' '{answer}'"));
        let output = slurm.attnlab(&[&["sweep", "hybrid", "--slurm"], SMALL.as_slice()].concat());
        assert!(output.status.success(), "{answer}: {}", String::from_utf8_lossy(&output.stderr));
        let plan = fs::read_to_string(slurm.sweeps("logs").remove(0).join("sweep.toml")).unwrap();
        assert!(plan.contains(&format!("jobs = [\"{job}\"]")), "{answer}: {plan}");
    }
}

#[test]
fn a_folder_is_removed_only_where_there_is_no_job() {
    let sweep = [&["sweep", "hybrid", "--slurm"], SMALL.as_slice()].concat();
    let silent = StandIn::new("echo 'your job is on its way'");
    let output = silent.attnlab(&sweep);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("no job number") && said.contains("is kept"), "{said}");
    assert_eq!(silent.sweeps("logs").len(), 1);
    let refusing = StandIn::new("echo 'sbatch: error: Invalid account' >&2; exit 1");
    let output = refusing.attnlab(&sweep);
    assert!(String::from_utf8_lossy(&output.stderr).contains("Invalid account"));
    assert!(refusing.sweeps("logs").is_empty());
}

#[test]
fn a_path_is_a_path_to_the_shell_and_to_the_batch_system() {
    // The stand-in does what Slurm does: reads the header, and runs the script as the first element.
    let slurm = StandIn::new("for script; do :; done; SLURM_ARRAY_TASK_ID=0 bash \"$script\" >&2 && echo 5");
    let logs = "it's $(touch hacked) `touch hacked` \"q\" %A \\ ~#";
    let sweep = [&["sweep", "hybrid", "--slurm", "--logs", logs], SMALL.as_slice()].concat();
    let output = slurm.attnlab(&sweep);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = slurm.sweeps(logs).remove(0);
    assert!(folder.join("seen/0").is_file() && folder.join("points/0").is_file());
    let results = slurm.attnlab(&["sweep", "results", "last", "--logs", logs]);
    assert!(results.status.success(), "{}", String::from_utf8_lossy(&results.stderr));
    assert!(!slurm.folder.path().join("hacked").exists() && !folder.join("hacked").exists());
    let script = fs::read_to_string(folder.join("sweep.sbatch")).unwrap();
    let place = script.lines().find(|line| line.starts_with("#SBATCH --chdir=")).unwrap();
    assert!(place.contains(r#"\"q\" %A \\ ~#"#), "{place}");
    // What no header can hold is refused, before anything is written.
    for logs in ["a\nb", "a\rb"] {
        let output = slurm.attnlab(&["sweep", "hybrid", "--slurm", "--logs", logs]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("without control characters"), "{said}");
        assert!(!slurm.folder.path().join(logs).exists());
    }
}

#[test]
fn a_command_a_line_stays_a_command_a_line() {
    let slurm = StandIn::new("");
    let queries = "queries=$(touch hacked)`touch hacked`';~ # \"x";
    let random = ["sweep", "random-features", "--commands", "--set", "inputs=file", "--set", "keys=k.npy", "--set"];
    let listed = slurm.attnlab(&[random.as_slice(), &[queries]].concat());
    let line = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(line.lines().count(), 1, "{}", String::from_utf8_lossy(&listed.stderr));
    let output = Command::new("sh").args(["-c", &line]).current_dir(slurm.folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("$(touch hacked)`touch hacked`';~ # \"x"), "the file is looked for by its name: {said}");
    assert!(!slurm.folder.path().join("hacked").exists());
    let refused = slurm.attnlab(&[random.as_slice(), &["queries=a\ntouch hacked"]].concat());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{said}");
    assert!(said.contains("line feed"), "{said}");
}

#[test]
fn a_plan_from_a_stranger_is_checked_before_it_is_believed() {
    let slurm = StandIn::new("echo 5");
    let output = slurm.attnlab(&[&["sweep", "hybrid", "--slurm", "--set", "seed=1,2"], SMALL.as_slice()].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = slurm.sweeps("logs").remove(0);
    let plan = fs::read_to_string(folder.join("sweep.toml")).unwrap();
    for (old, new, word) in [
        ("\npoints = 2", "\npoints = 9223372036854775807", "points: found `9223372036854775807`"),
        ("\npoints = 2", "\npoints = 2000000000", "allowed: a whole number from 1 to 100000"),
        ("\npoints = 2", "\npoints = 0", "points: found `0`"),
        ("\nelement_points = ", "\nelement_points = 0 # ", "element_points: found `0`"),
        ("schema = 1", "schema = 2", "reads up to form 1"),
        ("jobs = [\"5\"]", "jobs = [\"--help\"]", "allowed: a job number"),
    ] {
        assert!(plan.contains(old), "{old}: {plan}");
        fs::write(folder.join("sweep.toml"), plan.replace(old, new)).unwrap();
        for command in ["status", "results", "resume"] {
            let output = slurm.attnlab(&["sweep", command, "last"]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{command} {new}: {said}");
            assert!(said.contains("sweep.toml") && said.contains(word), "{new}: {said}");
        }
    }
    fs::write(folder.join("sweep.toml"), &plan).unwrap();
    // The name of a run is the name of a folder among the runs, and nothing else.
    fs::create_dir(slurm.folder.path().join("elsewhere")).unwrap();
    for name in ["../elsewhere", "/", ".", "a/b"] {
        fs::write(folder.join("points/0"), name).unwrap();
        let status = slurm.attnlab(&["sweep", "status", "last"]);
        let said = String::from_utf8_lossy(&status.stdout).into_owned();
        assert!(said.contains("2 not begun"), "{name}: {said}");
    }
    fs::remove_file(folder.join("points/0")).unwrap();
    // One line too many, and lines out of order.
    let points = fs::read_to_string(folder.join("points.jsonl")).unwrap();
    for (text, word) in [
        (points.repeat(2), "here is one more"),
        (points.lines().rev().collect::<Vec<_>>().join("\n"), "allowed: point 0"),
        (String::new(), "0 points, and the plan has 2"),
    ] {
        fs::write(folder.join("points.jsonl"), text).unwrap();
        let output = slurm.attnlab(&["sweep", "element", folder.to_str().unwrap(), "0"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(word), "{said}");
    }
}
