//! Training that stops before its last epoch: patience, the best weights, a target, going on after an interruption.

#[path = "support/program.rs"]
mod program;
#[path = "support/results.rs"]
mod results;

use attnlab::lab::{Document, Draft, Places, Queue, RunHandle, RunState, RunView, Sweep};
use attnlab::problems;
use attnlab::vision::dataset::{Normalisation, Only, Options, Patcher, Split, load};
use attnlab::vision::{Checkpoint, Kernels, Samples, Vit, evaluate};
use program::program;
use results::{run_folders, timeless};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A model and a data set small enough for a test; 24 of 120 images are held out.
const SMALL: &[(&str, &str)] = &[
    ("dim", "8"),
    ("depth", "1"),
    ("heads", "2"),
    ("train_images", "96"),
    ("validation", "0.25"),
    ("test_images", "24"),
    ("epochs", "16"),
    ("batch", "32"),
    ("threads", "1"),
];

fn queue(folder: &Path) -> Queue {
    let places = Places { logs: folder.join("logs"), data: folder.join("data"), presets: folder.join("presets") };
    Queue::new(places, 1).unwrap()
}

fn submit(queue: &Queue, changes: &[(&str, &str)]) -> Arc<RunHandle> {
    let problem = problems::find("vit").unwrap();
    let schema = problem.schema();
    let mut draft = Draft::new(&schema);
    for (key, text) in SMALL.iter().chain(changes) {
        draft.set(&schema, key, text).unwrap();
    }
    queue.submit(Sweep::new(problem, draft).first().unwrap()).unwrap()
}

fn run(changes: &[(&str, &str)]) -> (tempfile::TempDir, Arc<RunHandle>) {
    let folder = tempfile::tempdir().unwrap();
    let queue = queue(folder.path());
    let handle = submit(&queue, changes);
    assert_eq!(handle.wait(), RunState::Finished, "{}", handle.message());
    queue.shutdown(false);
    (folder, handle)
}

/// The points of a series.
fn series(view: &RunView, id: &str) -> Vec<(f64, f64)> {
    let series = view.series.iter().find(|view| view.series.id == id).unwrap();
    series.points.iter().map(|point| (point.x, point.y)).collect()
}

/// The remarks, without that on what else the machine did, which is another thing each time.
fn notes(handle: &RunHandle) -> String {
    let of_it = |note: &&String| !note.contains("the machine was busy");
    handle.with_view(|view| view.notes.iter().filter(of_it).cloned().collect::<Vec<_>>().join("\n"))
}

#[test]
fn evaluations_that_bring_nothing_better_end_the_training() {
    // Nothing is learned, so that every evaluation is as good as the first.
    let (_folder, handle) = run(&[("lr", "0"), ("patience", "3")]);
    let accuracy = handle.with_view(|view| series(view, "validation_accuracy"));
    assert_eq!(accuracy.len(), 4, "the best one and three more");
    let row = &handle.rows()[0];
    assert_eq!(
        (row["trained_epochs"].as_f64(), row["best_epoch"].as_f64()),
        (Some(accuracy[3].0), Some(accuracy[0].0))
    );
    assert_eq!(row["validation_accuracy"].as_f64(), Some(accuracy[0].1));
    assert!(row["steps_to_target"].is_null() && row["seconds_to_target"].is_null());
    let notes = notes(&handle);
    assert!(notes.contains("stopped after 2.00 of 16 epochs: 3 evaluations brought no better validation"), "{notes}");
    assert!(notes.contains("the weights of epoch 0.67 are tested"), "{notes}");
}

#[test]
fn the_weights_of_the_best_evaluation_are_tested_and_saved() {
    // A rate at which training is lost soon.
    let (_folder, handle) = run(&[("lr", "0.3"), ("warmup", "0.9"), ("patience", "8")]);
    let accuracy = handle.with_view(|view| series(view, "validation_accuracy"));
    let best = accuracy.iter().map(|(_, accuracy)| *accuracy).fold(0.0, f64::max);
    assert!(best > accuracy.last().unwrap().1, "{accuracy:?}");
    let row = &handle.rows()[0];
    assert_eq!(row["validation_accuracy"].as_f64(), Some(best));
    let at = accuracy.iter().filter(|(x, _)| Some(*x) <= row["best_epoch"].as_f64()).map(|(_, y)| *y).next_back();
    assert_eq!(at, Some(best));

    let checkpoint = Checkpoint::load(&handle.folder().join("checkpoint.safetensors")).unwrap();
    assert!(checkpoint.best.is_none(), "they are the weights of the model");
    let options =
        Options { image_size: None, folder: None, cache: None, only: Some(Only { train: 120, test: 24, seed: 0 }) };
    let dataset = load("digits", Path::new(""), &options).unwrap();
    let model = Vit::new(checkpoint.config.clone(), checkpoint.parameters, Kernels::Fused, 1).unwrap();
    let normalisation: &Normalisation = &checkpoint.normalisation;
    let patcher = Patcher::new(checkpoint.config.patch, normalisation);
    let split = Split::new(dataset.train.count(), 24, 96, 0);
    let samples = Samples { images: &dataset.train, indices: &split.validation, patcher: &patcher };
    assert_eq!(evaluate(&model, &samples, 32).unwrap().accuracy, best);
}

#[test]
fn a_target_ends_the_training_or_is_passed_and_told() {
    let (_folder, free) = run(&[("lr", "0.02")]);
    let reached = free.with_view(|view| series(view, "validation_accuracy"));
    let highest = reached.iter().map(|(_, accuracy)| *accuracy).fold(0.0, f64::max);
    let target = highest.to_string();
    let (_folder, whole) = run(&[("lr", "0.02"), ("target_accuracy", &target), ("past_target", "yes")]);
    let accuracy = whole.with_view(|view| series(view, "validation_accuracy"));
    assert_eq!(accuracy, reached, "watching changes nothing");
    let first = accuracy.iter().find(|(_, accuracy)| *accuracy >= highest).expect("it is reached").0;
    let told = whole.rows()[0].clone();
    assert_eq!(told["steps_to_target"].as_f64(), Some(first * 3.0), "three steps an epoch");
    let seconds = told["seconds_to_target"].as_f64().unwrap();
    assert!(seconds > 0.0 && seconds < told["train_seconds"].as_f64().unwrap() + 1e-9);
    assert_eq!(told["trained_epochs"].as_f64(), Some(16.0));

    let (_folder, early) = run(&[("lr", "0.02"), ("target_accuracy", &target)]);
    let row = &early.rows()[0];
    assert_eq!((row["trained_epochs"].as_f64(), &row["steps_to_target"]), (Some(first), &told["steps_to_target"]));
    let notes = notes(&early);
    assert!(notes.contains("validation accuracy reached the target, 0."), "{notes}");
    // What comes before the target is the same training.
    let accuracy_early = early.with_view(|view| series(view, "validation_accuracy"));
    assert_eq!(accuracy_early[..], accuracy[..accuracy_early.len()]);

    let (_folder, never) = run(&[("target_accuracy", "1"), ("epochs", "2")]);
    assert!(never.rows()[0]["steps_to_target"].is_null());
}

#[test]
fn a_run_that_goes_on_stops_where_it_would_have_with_the_same_weights() {
    let changes =
        [("lr", "0.3"), ("warmup", "0.9"), ("patience", "8"), ("target_accuracy", "0.3"), ("past_target", "yes")];
    let (_whole, whole) = run(&changes);
    let weights = |handle: &RunHandle| {
        Checkpoint::load(&handle.folder().join("checkpoint.safetensors")).unwrap().parameters.values().unwrap()
    };
    let evaluations = whole.with_view(|view| series(view, "validation_accuracy"));
    for stop in [2, evaluations.len() - 4] {
        let folder = tempfile::tempdir().unwrap();
        let queue = queue(folder.path());
        let mut handle = submit(&queue, &changes);
        let seen = |handle: &RunHandle| {
            handle.with_view(|view| {
                view.series.iter().find(|one| one.series.id == "validation_accuracy").map_or(0, |one| one.points.len())
            })
        };
        while seen(&handle) < stop && !handle.state().is_final() {
            std::thread::sleep(Duration::from_millis(1));
        }
        handle.control().stop();
        if handle.wait() == RunState::Stopped {
            handle = queue.resume(handle.folder(), problems::ALL).unwrap();
            assert_eq!(handle.wait(), RunState::Finished, "{}", handle.message());
        }
        let rows = |handle: &RunHandle| timeless(&serde_json::to_value(handle.document()).unwrap());
        assert_eq!(rows(&handle), rows(&whole), "after {stop} evaluations");
        assert_eq!(
            handle.with_view(|view| series(view, "validation_loss")),
            whole.with_view(|view| series(view, "validation_loss"))
        );
        assert_eq!(notes(&handle), notes(&whole));
        assert!(weights(&handle) == weights(&whole), "after {stop} evaluations");
        queue.shutdown(false);
    }
    let document: Document = whole.document();
    assert_eq!(document.state, RunState::Finished);
}

#[test]
fn a_rule_without_images_held_out_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for (changes, said) in [
        (&["patience=3", "validation=0"][..], "patience: found `3`, allowed: off with validation=0"),
        (&["target_accuracy=0.9", "validation=0"], "target_accuracy: found `0.9`, allowed: none with validation=0"),
        (&["past_target=yes"], "past_target: found `yes`, allowed: no without a target_accuracy"),
        (&["patience=-1"], "patience: found `-1`, allowed: a whole number from 0 to 100000"),
        (&["target_accuracy=1.5"], "target_accuracy: found `1.5`, allowed: a number from 0 to 1"),
        (
            &["patience=1", "train_images=4", "validation=0.1", "test_images=4"],
            "validation: found `0.1`, allowed: a share",
        ),
    ] {
        let settings = changes.iter().flat_map(|change| ["--set", change]);
        let output = program(folder.path(), ["run", "vit", "--quiet"].into_iter().chain(settings)).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), complaint.lines().count()), (Some(2), 1), "{complaint}");
        assert!(complaint.contains(said), "{complaint}");
    }
    assert_eq!(run_folders(folder.path()).len(), 1, "only the last is found out in its run");
}
