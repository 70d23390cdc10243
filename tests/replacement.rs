//! A trained model whose attention is replaced by estimators.

#[path = "support/answers.rs"]
mod answers;
#[path = "support/killed.rs"]
mod killed;
#[path = "support/program.rs"]
mod program;
#[path = "support/results.rs"]
mod results;

use answers::{call, json};
use killed::killed;
use results::timeless;
use serde_json::Value;
use std::fs;
use std::path::Path;

fn run<'a>(problem: &'a str, settings: &[&'a str]) -> Vec<&'a str> {
    let settings = settings.iter().flat_map(|setting| ["--set", *setting]);
    ["run", problem, "--json"].into_iter().chain(settings).collect()
}

/// Trains a model on the built-in digits; returns its id and test accuracy.
fn trained(desk: &Path, settings: &[&str]) -> (String, f64) {
    let quick =
        ["dim=16", "depth=2", "heads=2", "train_images=400", "test_images=100", "threads=1", "lr=0.01", "epochs=12"];
    let document = json(desk, &run("vit", &[&quick[..], settings].concat()));
    (document["id"].as_str().unwrap().to_owned(), document["rows"][0]["test_accuracy"].as_f64().unwrap())
}

const QUICK: &[&str] = &["test_images=100", "error_images=2", "draws=3"];

#[test]
fn more_features_come_nearer_to_the_exact_model() {
    let desk = tempfile::tempdir().unwrap();
    let (id, accuracy) = trained(desk.path(), &[]);
    let checkpoint = format!("checkpoint={id}");
    let settings = [&checkpoint, "m=4,64,1024", "layers=all,each"];
    let document = json(desk.path(), &run("replacement", &[QUICK, &settings].concat()));
    let rows = document["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3 * 3 * 3);
    let mean = |m: u64, layers: &str, key: &str| {
        let values: Vec<f64> = rows
            .iter()
            .filter(|row| row["m"] == m && row["layers"] == layers)
            .map(|row| row[key].as_f64().unwrap())
            .collect();
        assert_eq!(values.len(), 3);
        values.iter().sum::<f64>() / 3.0
    };
    for layers in ["all", "0", "1"] {
        assert!((mean(4, layers, "exact_accuracy") - accuracy).abs() < 1e-12);
        for key in ["logit_rel_error", "output_rel_error"] {
            let [few, some, many] = [4, 64, 1024].map(|m| mean(m, layers, key));
            assert!(few > some && some > many && many < 0.5 * few, "{layers} {key}: {few} {some} {many}");
        }
        assert!(mean(1024, layers, "agreement") >= mean(4, layers, "agreement"));
        assert!(mean(1024, layers, "accuracy_drop") <= mean(4, layers, "accuracy_drop"));
        assert!(mean(64, layers, "nonpositive_rows").abs() < 1e-12, "positive features");
    }
    // Sets of layers share their draws, and the error of several layers is the mean of their own. Rows are counted.
    let [all, first, second] = ["all", "0", "1"].map(|layers| mean(64, layers, "output_rel_error"));
    assert!((all - (first + second) / 2.0).abs() < 1e-12, "{all} {first} {second}");
    assert_eq!(mean(64, "all", "attention_rows"), 2.0 * mean(64, "1", "attention_rows"));
    assert_eq!(rows[0]["attention_rows"], 100 * 16 * 2 * 2);
    assert_eq!(rows[0]["checkpoint"], id.as_str());
}

#[test]
fn every_estimator_takes_the_place_of_softmax() {
    let desk = tempfile::tempdir().unwrap();
    let (id, _) = trained(desk.path(), &[]);
    let checkpoint = format!("checkpoint={id}");
    let all = "estimator=positive,hyperbolic,trigonometric,gerf,sderf,hybrid,custom";
    let settings = [&checkpoint, all, "projection=gaussian", "m=8,512", "draws=2"];
    let rows = json(desk.path(), &run("replacement", &[QUICK, &settings].concat()))["rows"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 7 * 2 * 2);
    let error = |estimator: &str, m: u64| {
        let of = |row: &&Value| row["estimator"] == estimator && row["m"] == m;
        rows.iter().filter(of).map(|row| row["output_rel_error"].as_f64().unwrap()).sum::<f64>() / 2.0
    };
    for estimator in ["positive", "hyperbolic", "trigonometric", "gerf", "sderf", "hybrid", "custom"] {
        let [few, many] = [8, 512].map(|m| error(estimator, m));
        assert!(many < few, "{estimator}: {few} {many}");
    }
    // The function typed by default is that of positive features, on the same draws.
    assert!((error("custom", 512) - error("positive", 512)).abs() < 1e-5);
    // Few trigonometric features have denominators that are not positive, and they are counted.
    let of = |row: &&Value| row["estimator"] == "trigonometric" && row["m"] == 8;
    let counted: u64 = rows.iter().filter(of).map(|row| row["nonpositive_rows"].as_u64().unwrap()).sum();
    assert!(counted > 0);
}

#[test]
fn threads_and_a_kill_change_nothing() {
    let desk = tempfile::tempdir().unwrap();
    let settings = ["epochs=2", "m=4,16,64,256,512,600", "projection=gaussian,orthogonal", "layers=each"];
    let of = |threads| json(desk.path(), &run("replacement", &[QUICK, &settings, &[threads]].concat()));
    let whole = of("threads=1");
    assert_eq!(timeless(&whole), timeless(&of("threads=2")));
    let other = tempfile::tempdir().unwrap();
    let arguments = run("replacement", &[QUICK, &settings, &["threads=1"]].concat());
    let id = killed(other.path(), &arguments, "row", 1);
    let resumed = json(other.path(), &["resume", &id, "--json"]);
    assert_eq!(timeless(&whole), timeless(&resumed));
}

#[test]
fn models_trained_with_random_features_are_compared_with_softmax_on_their_weights() {
    let desk = tempfile::tempdir().unwrap();
    let replaced = |settings: &[&str]| {
        let (id, accuracy) = trained(desk.path(), &[&["attention=favor", "m=64"], settings].concat());
        let checkpoint = format!("checkpoint={id}");
        (accuracy, json(desk.path(), &run("replacement", &[QUICK, &[&checkpoint, "m=64"]].concat())))
    };
    let value = |row: &Value, key: &str| row[key].as_f64().unwrap();
    // Projections drawn anew at every step: the model has learned to attend by softmax.
    let (accuracy, document) = replaced(&["redraw=1"]);
    assert!((value(&document["rows"][0], "exact_accuracy") - accuracy).abs() < 0.15, "{document}");
    // One draw for the whole training, which is draw 0 under the same seed: the model has learned to use it.
    let (accuracy, document) = replaced(&[]);
    assert!((value(&document["rows"][0], "test_accuracy") - accuracy).abs() < 1e-12, "{document}");
    let journal = desk.path().join("logs").join(document["id"].as_str().unwrap()).join("events.jsonl");
    let said = "was trained with random features (positive orthogonal m=64); exact is softmax attention on the same";
    assert!(fs::read_to_string(journal).unwrap().contains(said));
}

#[test]
fn a_mistake_is_one_line() {
    let desk = tempfile::tempdir().unwrap();
    let (id, _) = trained(desk.path(), &["attention=relu", "epochs=1"]);
    let relu = format!("checkpoint={id}");
    let (masked, _) = trained(desk.path(), &["mask=relu", "epochs=1"]);
    let masked = format!("checkpoint={masked}");
    for (settings, said) in [
        (&[relu.as_str()][..], "attends by relu, which estimates no softmax: only models of softmax or favor"),
        (&["checkpoint=nowhere"], "nowhere: cannot read"),
        (&["layers=2"], "layers: found `2`, allowed: layers from 0 to 1: the model has 2"),
        (&["layers=some"], "layers: found `some`, allowed: all, each, layers counted from 0"),
        (&["estimator=gerf", "projection=hadamard"], "projection: found `hadamard with estimator=gerf`"),
        (&["estimator=custom", "f=relu(u)"], "p in place of u"),
        (&[masked.as_str(), "estimator=trigonometric"], "the model has learned masks"),
        (&[masked.as_str(), "epochs=3"], "epochs: found `3`, allowed: only with no checkpoint"),
    ] {
        let (status, out, error) = call(desk.path(), &run("replacement", settings));
        assert_eq!((status, out.as_str()), (2, ""), "{settings:?}: {error}");
        assert!(error.contains(said) && error.trim().lines().count() <= 2, "{said}: {error}");
    }
    // A masked model takes positive features.
    json(desk.path(), &run("replacement", &[QUICK, &[&masked, "m=16", "draws=1"]].concat()));
}
