//! `attnlab sweep --halve`: which points go on, what the others say, going on after an interruption, bad input.

#[path = "support/program.rs"]
mod program;
#[path = "support/results.rs"]
mod results;

use attnlab::lab::{Draft, Halving, RunState, RunSummary, RunView, Sweep};
use attnlab::problems;
use program::program;
use results::{run_folders, timeless};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

/// Two kernels at four rates, small enough for a test; evaluations at the ends of 8 epochs and between.
const SWEEP: &[&str] = &[
    "vit",
    "--quiet",
    "--set",
    "attention=relu,exp",
    "--set",
    "lr=0.0001,0.01,0.05,0.3",
    "--set",
    "dim=8",
    "--set",
    "depth=1",
    "--set",
    "heads=2",
    "--set",
    "train_images=64",
    "--set",
    "validation=0.5",
    "--set",
    "test_images=16",
    "--set",
    "epochs=8",
    "--set",
    "batch=8",
    "--set",
    "threads=1",
];

fn halve(folder: &Path, more: &[&str]) -> Output {
    let arguments = [&["sweep"], SWEEP, &["--halve"], more].concat();
    program(folder, arguments).output().unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a run is about: its kernel and its rate.
fn point(summary: &RunSummary) -> (String, String) {
    let text = |key: &str| summary.params.get(key).unwrap().to_json().to_string();
    (text("attention"), text("lr"))
}

fn summaries(folder: &Path) -> Vec<(PathBuf, RunSummary)> {
    run_folders(folder).into_iter().map(|run| (run.clone(), RunSummary::read(&run))).collect()
}

/// The first validation accuracy at `epoch` or later.
fn number(run: &Path, epoch: f64) -> f64 {
    let view = RunView::read(run).unwrap();
    let series = view.series.iter().find(|view| view.series.id == "validation_accuracy").unwrap();
    series.points.iter().find(|point| point.x >= epoch).unwrap().y
}

fn last_epoch(run: &Path) -> f64 {
    let view = RunView::read(run).unwrap();
    let series = view.series.iter().find(|view| view.series.id == "validation_accuracy").unwrap();
    series.points.last().unwrap().x
}

/// The record of the one halving in `folder`, its text and what it says.
fn record(folder: &Path) -> (String, Value) {
    let entries = fs::read_dir(folder.join("logs")).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = entries.map(|path| path.join("halving.json")).filter(|path| path.is_file()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    let text = fs::read_to_string(file).unwrap();
    let told = serde_json::from_str(&text).unwrap();
    (text, told)
}

/// The rows of every run that was trained to its end, without times, by what it is about.
fn rows(folder: &Path) -> BTreeMap<(String, String), Vec<Value>> {
    let finished = summaries(folder).into_iter().filter(|(_, summary)| summary.state == RunState::Finished);
    let row = |(run, summary): (PathBuf, RunSummary)| {
        let text = fs::read_to_string(run.join("summary.json")).unwrap();
        (point(&summary), timeless(&serde_json::from_str(&text).unwrap()))
    };
    finished.map(row).collect()
}

#[test]
fn the_better_half_of_each_group_goes_on_and_an_interrupted_halving_ends_alike() {
    let whole = tempfile::tempdir().unwrap();
    let output = halve(whole.path(), &["--within", "attention"]);
    assert!(output.status.success(), "{}", complaint(&output));
    let runs = summaries(whole.path());
    assert_eq!(runs.len(), 8);
    for kernel in ["\"relu\"", "\"exp\""] {
        let of_it: Vec<_> = runs.iter().filter(|(_, summary)| point(summary).0 == kernel).collect();
        // Four are trained for two epochs of eight, two for four, one for all.
        let mut first: Vec<_> = of_it.iter().map(|(run, _)| (number(run, 2.0), run)).collect();
        first.sort_by(|one, other| other.0.total_cmp(&one.0));
        let trained = |wanted: f64| of_it.iter().filter(|(run, _)| last_epoch(run) == wanted).collect::<Vec<_>>();
        assert_eq!([2.0, 4.0, 8.0].map(|epochs| trained(epochs).len()), [2, 1, 1], "{kernel}");
        let least = trained(4.0).iter().chain(&trained(8.0)).map(|(run, _)| number(run, 2.0)).fold(1.0, f64::min);
        assert!(trained(2.0).iter().all(|(run, _)| number(run, 2.0) <= least), "{kernel}: {first:?}");
        assert!(number(&trained(4.0)[0].0, 4.0) <= number(&trained(8.0)[0].0, 4.0), "{kernel}");
        assert_eq!(trained(8.0)[0].1.state, RunState::Finished);
        for (place, epochs, share) in [(3, 2.0, "1/4"), (2, 4.0, "1/2")] {
            for (_, summary) in trained(epochs) {
                let said = &summary.message;
                assert_eq!(summary.state, RunState::Stopped);
                assert!(said.starts_with("stopped by the halving: rank "), "{said}");
                assert!(said.contains(&format!("at {share} of the budget (validation_accuracy ")), "{place}: {said}");
                assert!(said.contains(&format!("within attention={}", kernel.trim_matches('"'))), "{said}");
            }
        }
    }
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("trained to the end") && printed.contains("stopped at 1/4, rank 4 of 4"), "{printed}");
    let list = program(whole.path(), ["list"]).output().unwrap();
    assert!(String::from_utf8(list.stdout).unwrap().contains("stopped by the halving: rank 4 of 4 within attention="));
    // The winners are the runs that would have been without the others.
    let (_, winner) = runs.iter().find(|(_, summary)| summary.state == RunState::Finished).unwrap();
    let alone = tempfile::tempdir().unwrap();
    let (kernel, rate) = point(winner);
    let settings = [format!("attention={}", kernel.trim_matches('"')), format!("lr={rate}")];
    let settings = ["--set", &settings[0], "--set", &settings[1]];
    assert!(program(alone.path(), [&["run"], SWEEP, &settings].concat()).output().unwrap().status.success());
    assert_eq!(rows(alone.path())[&point(winner)], rows(whole.path())[&point(winner)]);

    // Called again it trains nothing and decides the same.
    let (text, told) = record(whole.path());
    let again = halve(whole.path(), &["--within", "attention"]);
    assert!(again.status.success(), "{}", complaint(&again));
    assert_eq!((record(whole.path()).0, summaries(whole.path()).len()), (text.clone(), 8));
    let messages = |folder: &Path| -> BTreeSet<_> {
        summaries(folder).into_iter().map(|(_, summary)| (point(&summary), summary.message)).collect()
    };
    let said: BTreeSet<_> = runs.iter().map(|(_, summary)| (point(summary), summary.message.clone())).collect();
    assert_eq!(messages(whole.path()), said);
    assert_eq!(told["shares"].as_array().unwrap().len(), 2);

    // Killed again and again, and stopped, it ends with the same rows and decisions.
    let broken = tempfile::tempdir().unwrap();
    let arguments = [&["sweep"], SWEEP, &["--halve", "--within", "attention"]].concat();
    for signal in [Signal::KILL, Signal::INT, Signal::KILL, Signal::KILL] {
        let mut child = program(broken.path(), &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let size = || {
            run_folders(broken.path())
                .iter()
                .map(|run| fs::metadata(run.join("events.jsonl")).map_or(0, |file| file.len()))
                .sum::<u64>()
        };
        let (before, since) = (size(), Instant::now());
        while size() < before + 4000 && child.try_wait().unwrap().is_none() && since.elapsed() < Duration::from_secs(60)
        {
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = kill_process(Pid::from_child(&child), signal);
        child.wait().unwrap();
    }
    let last = halve(broken.path(), &["--within", "attention"]);
    assert!(last.status.success(), "{}", complaint(&last));
    assert_eq!(rows(broken.path()), rows(whole.path()));
    assert_eq!(record(broken.path()).0, text);
    assert_eq!(messages(broken.path()), said);
}

#[test]
fn ranks_are_by_number_within_a_group() {
    let problem = problems::find("vit").unwrap();
    let schema = problem.schema();
    let mut draft = Draft::new(&schema);
    draft.set(&schema, "attention", "relu,exp").unwrap();
    draft.set(&schema, "lr", "0.001,0.002,0.003,0.004,0.005").unwrap();
    let halving = Halving::new(&Sweep::new(problem, draft), &["attention".to_owned()]).unwrap();
    assert_eq!((halving.shares.clone(), halving.runs()), (vec![0.125, 0.25, 0.5, 1.0], vec![10, 6, 4, 2]));
    let all: Vec<usize> = (0..10).collect();
    let relu = [Some(0.5), Some(0.9), None, Some(0.7), Some(0.7)];
    // What the other kernel reaches changes nothing for this one.
    let exp = [Some(f64::NAN), None, Some(1.0), None, Some(0.95)];
    let ranks = halving.decide(&all, &[relu, exp].concat());
    let told: Vec<_> = ranks.iter().map(|rank| (rank.rank, rank.of, rank.kept)).collect();
    let (stays, goes) = (true, false);
    assert_eq!(told[..5], [(4, 5, goes), (1, 5, stays), (5, 5, goes), (2, 5, stays), (3, 5, stays)]);
    assert_eq!(told[5..], [(3, 5, goes), (4, 5, goes), (1, 5, stays), (5, 5, goes), (2, 5, stays)]);
}

#[test]
fn seeds_are_stopped_and_kept_together() {
    let folder = tempfile::tempdir().unwrap();
    let output = halve(folder.path(), &["--set", "attention=relu", "--set", "lr=0.0001,0.02", "--repeats", "2"]);
    assert!(output.status.success(), "{}", complaint(&output));
    let (_, told) = record(folder.path());
    let points = told["shares"][0]["points"].as_array().unwrap();
    assert_eq!((told["shares"].as_array().unwrap().len(), points.len()), (1, 2));
    let runs = summaries(folder.path());
    for (place, rate) in ["lr=0.0001", "lr=0.02"].iter().enumerate() {
        let of_it: Vec<_> = runs.iter().filter(|(_, summary)| format!("lr={}", point(summary).1) == *rate).collect();
        let mean = of_it.iter().map(|(run, _)| number(run, 4.0)).sum::<f64>() / 2.0;
        assert_eq!((points[place]["point"].as_str(), points[place]["number"].as_f64()), (Some(*rate), Some(mean)));
        let kept = points[place]["kept"].as_bool().unwrap();
        let wanted = if kept { RunState::Finished } else { RunState::Stopped };
        assert!(of_it.len() == 2 && of_it.iter().all(|(_, summary)| summary.state == wanted), "{rate}");
    }
}

#[test]
fn bad_input_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for (more, said) in [
        (
            &["--within", "dim"][..],
            "--within: found `dim`, allowed: a swept parameter other than the seed (attention, lr)",
        ),
        (&["--within", "attention,lr"], "--halve: found `1 point a group`, allowed: a sweep with two points or more"),
        (&["--set", "validation=0"], "validation: found `0`, allowed: a share above 0 in a sweep that halves"),
        (&["--set", "patience=2"], "patience: found `2`, allowed: off in a sweep that halves"),
        (&["--set", "target_accuracy=0.5"], "target_accuracy: found `0.5`, allowed: none in a sweep that halves"),
        (&["--set", "epochs=2,4"], "--halve: found `budgets of 2 and 4`, allowed: the same budget for every point"),
        (&["--commands"], "--halve: found `--commands` with it, allowed: here or with --slurm"),
    ] {
        let output = halve(folder.path(), more);
        let complaint = complaint(&output);
        assert_eq!((output.status.code(), complaint.lines().count()), (Some(2), 1), "{more:?}: {complaint}");
        assert!(complaint.contains(said), "{complaint}");
    }
    let other = program(folder.path(), ["sweep", "hybrid", "--set", "radius=1,2", "--halve"]).output().unwrap();
    let said = complaint(&other);
    assert_eq!(other.status.code(), Some(2));
    assert!(said.contains("--halve: found `hybrid`, allowed: a problem whose runs are evaluated"), "{said}");
    let one_seed = program(folder.path(), ["sweep", "vit", "--interleave", "--dry-run"]).output().unwrap();
    assert_eq!(one_seed.status.code(), Some(2));
    assert_eq!(complaint(&one_seed), "attnlab: --interleave: found one seed, allowed: several, as with --repeats 5\n");
    let preset = folder.path().join("rates.toml");
    let text = "schema = 1\nproblem = \"vit\"\n[params]\nlr = [0.001, 0.01]\n[sweep]\nhalve = []\n";
    fs::write(&preset, text).unwrap();
    let of_preset = |command: &str, more: &[&str]| {
        let arguments = [&[command, preset.to_str().unwrap(), "--dry-run"], more].concat();
        let output = program(folder.path(), arguments).output().unwrap();
        (String::from_utf8_lossy(&output.stdout).contains("of the budget"), complaint(&output))
    };
    assert_eq!(of_preset("sweep", &[]), (true, String::new()));
    // A group of which one value is asked for is all there is.
    let groups = text.replace("[params]", "[params]\nattention = [\"relu\", \"exp\"]").replace("[]", "[\"attention\"]");
    fs::write(&preset, groups).unwrap();
    assert_eq!(of_preset("sweep", &["--set", "attention=exp"]), (true, String::new()));
    fs::write(&preset, text).unwrap();
    for (command, more) in [("sweep", &["--no-halve"][..]), ("run", &[])] {
        let (halves, said) = of_preset(command, more);
        assert!(!halves && said.starts_with("every point is done to its end"), "{said}");
    }
    assert!(of_preset("sweep", &["--commands"]).1.contains("--halve: found `--commands` with it"));
    let planned = halve(folder.path(), &["--dry-run"]);
    let page = String::from_utf8(planned.stdout).unwrap();
    assert!(page.contains("# 1/8 of the budget: 8 runs\n") && page.contains("# all of the budget: 1 runs\n"), "{page}");
    assert!(run_folders(folder.path()).is_empty());
}
