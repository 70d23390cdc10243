//! The program on queries, keys and values of several layers and heads: rows, advice and files.

#[path = "support/measured.rs"]
mod measured;
#[path = "support/program.rs"]
mod program;

use attnlab::random::generator;
use measured::forget_measured;
use ndarray::{Array4, ArrayD};
use program::program;
use rand::Rng;
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

/// A model of 2 layers with 4 heads of queries, 2 of keys and values, 24 tokens and head dimension 4.
fn model() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = generator(1, "model", 0);
    let mut write = |name: &str, heads: usize, size: f64| {
        let array = Array4::from_shape_simple_fn((2, heads, 24, 4), || (rng.random::<f64>() - 0.5) * size);
        ndarray_npy::write_npy(folder.path().join(name), &array).unwrap();
    };
    write("q.npy", 4, 2.0);
    write("k.npy", 2, 2.0);
    write("v.npy", 2, 1.0);
    folder
}

fn call(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = program(folder, arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let (status, out, err) = call(folder, arguments);
    assert_eq!(status, Some(0), "{err}");
    serde_json::from_str(&out).unwrap()
}

const FILES: [&str; 8] =
    ["--set", "inputs=file", "--set", "queries=q.npy", "--set", "keys=k.npy", "--set", "values=v.npy"];

fn features<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["run", "random-features", "--json", "--quiet"];
    arguments.extend(FILES);
    for setting in more {
        arguments.extend(["--set", setting]);
    }
    arguments
}

#[test]
fn every_head_has_rows_of_its_own() {
    let folder = model();
    let arguments = features(&["layer=all", "head=0,3", "causal=yes", "m=8,16", "trials=3", "projection=gaussian"]);
    let document = json(folder.path(), &arguments);
    let rows = document["rows"].as_array().unwrap();
    let places: Vec<_> =
        rows.iter().map(|row| (row["layer"].as_u64(), row["head"].as_u64(), row["m"].as_u64())).collect();
    let expected: Vec<_> = [0, 1]
        .iter()
        .flat_map(|layer| [0, 3].map(|head| (layer, head)))
        .flat_map(|(layer, head)| [8, 16].map(|m| (Some(*layer), Some(head), Some(m))))
        .collect();
    assert_eq!(places, expected);
    for row in rows {
        assert_eq!((row["source"].as_str(), row["causal"].as_bool()), (Some("q.npy"), Some(true)));
        assert_eq!((row["length"].as_u64(), row["dim"].as_u64()), (Some(24), Some(4)), "the shape is the file's");
        for key in ["output_rel_error_median", "output_norm", "entropy", "effective_keys", "window_output_rel_error"] {
            assert!(row[key].as_f64().is_some_and(|number| number > 0.0), "{key}: {row}");
        }
        assert_eq!(row["precision"], "log");
    }
    // Heads 0 and 3 of the queries have heads 0 and 1 of the keys.
    assert_ne!(rows[0]["entropy"], rows[2]["entropy"]);
    assert!(document["notes"].as_array().is_some_and(|notes| !notes.is_empty()));
    assert!(document["label"].as_str().unwrap().contains("L=24"), "{}", document["label"]);

    let one =
        json(folder.path(), &features(&["layer=1", "head=3", "causal=yes", "m=16", "trials=3", "projection=gaussian"]));
    let timeless = |row: &Value| {
        let mut row = row.as_object().unwrap().clone();
        forget_measured(&mut row);
        row
    };
    assert_eq!(timeless(&one["rows"][0]), timeless(&rows[7]), "a head alone gives what it gives among others");
}

#[test]
fn heads_that_are_not_there_and_shapes_that_do_not_fit_are_named() {
    let folder = model();
    for (settings, said) in [
        (["layer=2", "head=0"], "layer: found `2`, allowed: a whole number from 0 to 1, or all"),
        (["layer=0", "head=0,4"], "head: found `4`, allowed: a whole number from 0 to 3, or all"),
        (
            ["layer=0", "values=q.npy#[:, :, 0:20]"],
            "values: q.npy#[:, :, 0:20]: has 20 tokens, allowed: 24, as the keys have",
        ),
        (
            ["layer=0", "keys=k.npy#[..., 0:2]"],
            "keys: k.npy#[..., 0:2]: has 2 coordinates a token, allowed: 4, as the queries have",
        ),
        (["layer=0", "queries="], "queries: found `nothing`, allowed: a file"),
        (["layer=0", "precision=f32"], "precision: found `f32 with values`, allowed: auto or log"),
    ] {
        let mut arguments = features(&settings);
        arguments.extend(["--set", "trials=1"]);
        let (status, _, err) = call(folder.path(), &arguments);
        assert_eq!(status, Some(2), "{settings:?}: {err}");
        assert!(err.contains(said), "{settings:?}: {err}");
        assert_eq!(err.trim().lines().count(), 1, "{err}");
    }
}

#[test]
fn an_estimator_that_does_not_fit_says_why_in_its_row() {
    let folder = model();
    let more = ["estimator=positive,gerf", "projection=gaussian,rademacher", "m=8", "trials=2"];
    let document = json(folder.path(), &features(&more));
    let rows = document["rows"].as_array().unwrap();
    let reasons: Vec<bool> = rows.iter().map(|row| row["reason"].is_string()).collect();
    assert_eq!(reasons, [false, false, false, true]);
    assert!(rows[3]["rel_frobenius_median"].is_null() && rows[3]["reason"].as_str().unwrap().contains("Gaussian"));
}

#[test]
fn a_recommendation_holds_what_it_promises() {
    let folder = model();
    let inputs = ["--queries", "q.npy", "--keys", "k.npy", "--values", "v.npy"];
    let mut arguments = vec!["recommend", "--json", "--error", "0.3", "--features", "512", "--causal"];
    arguments.extend(inputs);
    arguments.extend(["--write-output", "estimated", "--estimators", "positive,hyperbolic,gerf"]);
    arguments.extend(["--projections", "gaussian,rademacher"]);
    let answer = json(folder.path(), &arguments);
    assert_eq!((&answer["schema"], &answer["measure"], &answer["causal"]), (&1.into(), &"output".into(), &true.into()));
    assert_eq!(answer["shape"], serde_json::json!([2, 4, 24, 4]));
    let heads = answer["heads"].as_array().unwrap();
    assert_eq!(heads.len(), 8);
    for head in heads {
        let ranking = head["ranking"].as_array().unwrap();
        assert_eq!(ranking.len(), 6);
        let best = &ranking[0];
        assert_eq!(best["reached"], true, "{best}");
        assert!(best["error"].as_f64().unwrap() <= 0.3 && best["seconds_per_token"].as_f64().unwrap() > 0.0);
        assert_eq!(head["features_for_target"], best["features"]);
        let reached = ranking.iter().filter(|ranked| ranked["reached"] == true);
        let sizes: Vec<u64> = reached.map(|ranked| ranked["features"].as_u64().unwrap()).collect();
        assert!(sizes.is_sorted(), "{sizes:?}");
        assert!(ranking.iter().any(|ranked| ranked["estimator"] == "gerf" && ranked["reason"].is_string()));
        assert!(head["window"]["width"].as_u64().is_some() && head["entropy"].as_f64().is_some());
    }
    assert_eq!((&answer["summary"]["reached"], &answer["summary"]["of"]), (&8.into(), &8.into()));
    let most = answer["summary"]["m_for_90_percent"].as_u64().unwrap();
    let above = heads.iter().filter(|head| head["features_for_target"].as_u64().unwrap() > most).count();
    assert_eq!(answer["summary"]["keep_exact"].as_array().unwrap().len(), above);

    let outputs: ArrayD<f32> = ndarray_npy::read_npy(folder.path().join("estimated/outputs.npy")).unwrap();
    assert_eq!(outputs.shape(), [2, 4, 24, 4]);
    let w: ndarray::Array2<f64> = ndarray_npy::read_npy(folder.path().join("estimated/w-layer1-head2.npy")).unwrap();
    let best = &heads[6]["ranking"][0];
    assert_eq!(w.dim(), (best["m"].as_u64().unwrap() as usize, 4));

    // The closed form decides un-normalised errors: one projection fewer is not enough.
    let mut arguments =
        vec!["recommend", "--json", "--measure", "frobenius", "--error", "0.5", "--layer", "0", "--head", "0"];
    arguments.extend(inputs);
    arguments.extend(["--estimators", "positive", "--projections", "gaussian", "--features", "4096"]);
    let answer = json(folder.path(), &arguments);
    let best = &answer["heads"][0]["ranking"][0];
    let m = best["m"].as_u64().unwrap();
    assert_eq!((&best["reached"], &best["from_theory"]), (&true.into(), &true.into()));
    let sizes = format!("m={},{m}", m - 1);
    let document = json(folder.path(), &features(&[&sizes, "trials=1", "projection=gaussian"]));
    let theory: Vec<f64> =
        document["rows"].as_array().unwrap().iter().map(|row| row["rel_mse_theory"].as_f64().unwrap().sqrt()).collect();
    assert!(theory[0] > 0.5 && theory[1] <= 0.5, "{theory:?}");
    assert!((best["error"].as_f64().unwrap() - theory[1]).abs() < 1e-9);
}

#[test]
fn questions_without_an_answer_are_refused_in_one_line() {
    let folder = model();
    for (arguments, said) in [
        (
            vec!["--queries", "q.npy", "--keys", "k.npy", "--error", "1.5"],
            "--error: found `1.5`, allowed: a number above 0",
        ),
        (
            vec!["--queries", "q.npy", "--keys", "k.npy", "--measure", "output"],
            "values: found nothing, allowed: a file of values",
        ),
        (vec!["--queries", "q.npy"], "keys: found `nothing`, allowed: a file"),
        (vec!["--queries", "none.npy", "--keys", "k.npy"], "queries: none.npy: "),
        (vec!["--queries", "q.npy", "--keys", "k.npy", "--estimators", "postive"], "estimator: found `postive`"),
    ] {
        let (status, _, err) = call(folder.path(), &[&["recommend"], arguments.as_slice()].concat());
        assert_eq!(status, Some(2), "{err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
}
