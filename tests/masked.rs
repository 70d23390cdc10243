//! Masked estimators against their closed forms, and masked attention in linear time against the exact product.

#[path = "support/kept.rs"]
mod kept;
#[path = "support/measured.rs"]
mod measured;
#[path = "support/said.rs"]
mod said;

use attnlab::attention::linear::{Side, exact, linear};
use attnlab::attention::masked::{
    Budget, MaskedError, MaskedEstimator, MaskedMethod, MaskedPair, MaskedTheory, MaskedTokens, Shares,
};
use attnlab::attention::{Projection, Sketch};
use attnlab::lab::{Event, Params, Row};
use attnlab::problems;
use attnlab::random::generator;
use measured::forget_measured;
use ndarray::{Array, Array1, Array2, Axis, Dimension, ShapeBuilder, array, concatenate, s};
use proptest::prelude::*;
use rand::Rng;
use said::said;
use std::path::Path;

/// The pair whose values are known: tokens and non-negative masks.
fn known() -> [Array1<f64>; 4] {
    [
        array![0.5, -0.2, 0.3, 0.1],
        array![0.2, 0.4, 0.1, -0.3],
        array![0.7, 0.0, 1.2, 0.4, 0.3],
        array![0.2, 0.9, 0.8, 0.0, 0.6],
    ]
}

fn row(vector: &Array1<f64>) -> Array2<f64> {
    vector.clone().insert_axis(Axis(0))
}

fn estimator(
    method: MaskedMethod,
    projection: Projection,
    features: usize,
    inner: usize,
    list: Option<Vec<f64>>,
) -> Result<MaskedEstimator, MaskedError> {
    let [x, _, a, b] = known();
    let shares = list.map_or(Shares::Uniform, Shares::List);
    let budget = Budget { features, inner, probabilities: &shares, allocation: &shares };
    MaskedEstimator::new(method, projection, x.len(), (row(&a).view(), row(&b).view()), budget)
}

fn cases() -> Vec<(MaskedEstimator, f64)> {
    let make = |method, features, inner, list: Option<Vec<f64>>| {
        estimator(method, Projection::Gaussian, features, inner, list).unwrap()
    };
    vec![
        (make(MaskedMethod::Tensor, 20, 0, None), 0.458324164),
        (make(MaskedMethod::ProjectionGaussian, 20, 0, None), 0.704109749),
        (make(MaskedMethod::ProjectionRademacher, 20, 0, None), 0.493834907),
        (make(MaskedMethod::Coordinate, 20, 0, None), 0.440423888),
        (make(MaskedMethod::Coordinate, 20, 0, Some(vec![0.3, 0.1, 0.4, 0.1, 0.1])), 0.205585304),
        (make(MaskedMethod::Stratified, 20, 0, None), 0.272353764),
        (make(MaskedMethod::Stratified, 20, 0, Some(vec![3.0, 1.0, 14.0, 1.0, 1.0])), 0.117223907),
        (make(MaskedMethod::TensorSketch, 20, 80, None), 0.822408194),
        (make(MaskedMethod::TensorSketch, 21, 10, None), 0.901097561),
    ]
}

#[test]
fn closed_forms_have_their_known_values() {
    let [x, y, a, b] = known();
    let pair = MaskedPair { x: x.view(), y: y.view(), a: a.view(), b: b.view() };
    assert!((pair.kernel() - 1.3058577152).abs() < 1e-10);
    for (estimator, expected) in cases() {
        let found = MaskedTheory::new(&estimator).unwrap().mse(pair);
        assert!((found / expected - 1.0).abs() < 1e-8, "{estimator:?}: {found} against {expected}");
    }
}

/// Mean of (K̂ − K) and of its square over fresh draws, each with its standard error.
fn sampled(estimator: &MaskedEstimator, draws: u64) -> [(f64, f64); 2] {
    let [x, y, a, b] = known();
    let pair = MaskedPair { x: x.view(), y: y.view(), a: a.view(), b: b.view() };
    let (query, key) = (concatenate![Axis(0), x, a], concatenate![Axis(0), y, b]);
    let errors: Vec<f64> = (0..draws)
        .map(|draw| {
            let sketch = estimator.draw(&mut generator(3, "masked test", draw)).unwrap();
            sketch.matrix(row(&query).view(), row(&key).view()).unwrap()[[0, 0]] - pair.kernel()
        })
        .collect();
    let with_error = |values: Vec<f64>| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, (variance / n).sqrt())
    };
    [with_error(errors.clone()), with_error(errors.into_iter().map(|error| error * error).collect())]
}

#[test]
fn fresh_draws_agree_with_theory() {
    let [x, y, a, b] = known();
    let pair = MaskedPair { x: x.view(), y: y.view(), a: a.view(), b: b.view() };
    let orthogonal =
        [MaskedMethod::Tensor, MaskedMethod::ProjectionRademacher, MaskedMethod::Coordinate, MaskedMethod::Stratified]
            .map(|method| estimator(method, Projection::Orthogonal, 20, 0, None).unwrap());
    for estimator in cases().into_iter().map(|(estimator, _)| estimator).chain(orthogonal) {
        let theory = MaskedTheory::new(&estimator).unwrap().mse(pair);
        let [(bias, bias_error), (mse, mse_error)] = sampled(&estimator, 40_000);
        assert!(bias.abs() < 4.5 * bias_error, "{estimator:?}: bias {bias} ± {bias_error}");
        let allowed = (4.5 * mse_error).max(0.03 * theory);
        assert!((mse - theory).abs() < allowed, "{estimator:?}: {mse} ± {mse_error} against {theory}");
    }
}

#[test]
fn what_is_said_to_be_non_negative_is() {
    for &method in MaskedMethod::ALL {
        let estimator = estimator(method, Projection::Gaussian, 20, 40, None).unwrap();
        let mut rng = generator(9, "masks", 0);
        let tokens = Projection::Gaussian.draw(40, 4, &mut rng).unwrap() * 0.5;
        let masks = Projection::Gaussian.draw(40, 5, &mut rng).unwrap().mapv(|value| value.max(0.0));
        let rows = concatenate![Axis(1), tokens, masks];
        let matrix = estimator.draw(&mut rng).unwrap().matrix(rows.view(), rows.view()).unwrap();
        assert_eq!(matrix.iter().all(|entry| *entry >= 0.0), method.is_non_negative(), "{}", method.name());
    }
}

#[test]
fn what_would_bias_or_cannot_be_is_refused() {
    let said = |method, features, list: Option<Vec<f64>>| {
        estimator(method, Projection::Gaussian, features, 10, list).unwrap_err().to_string()
    };
    let text = said(MaskedMethod::Stratified, 20, Some(vec![3.0, 1.0, 16.0, 0.0, 0.0]));
    assert!(text.contains("coordinate 5") && text.contains("biased"), "{text}");
    let text = said(MaskedMethod::Coordinate, 20, Some(vec![0.5, 0.0, 0.5, 0.0, 0.0]));
    assert!(text.contains("coordinate 5"), "{text}");
    let text = said(MaskedMethod::Coordinate, 20, Some(vec![0.5, 0.1, 0.5, 0.1, 0.1]));
    assert!(text.contains("sum to"), "{text}");
    let text = said(MaskedMethod::Stratified, 20, Some(vec![1.0; 5]));
    assert!(text.contains("sums to 5"), "{text}");
    let text = said(MaskedMethod::Tensor, 3, None);
    assert!(text.contains("at least 5 features"), "{text}");
    let text = said(MaskedMethod::Coordinate, 20, Some(vec![1.0]));
    assert!(text.contains("expected 5"), "{text}");
    let biased = estimator(MaskedMethod::Tensor, Projection::Rademacher, 20, 0, None).unwrap_err();
    assert!(biased.to_string().contains("biased"), "{biased}");
    // Coordinate 4 meets no key: nothing need be spent on it.
    assert!(
        estimator(MaskedMethod::Stratified, Projection::Gaussian, 20, 0, Some(vec![3.0, 1.0, 14.0, 0.0, 2.0])).is_ok()
    );
}

/// Tokens, masks and values of a sequence in 32 bits.
fn sequence(length: usize, seed: u64) -> [Array2<f32>; 5] {
    let mut rng = generator(seed, "sequence", 0);
    let mut normal = |cols: usize, scale: f64| {
        (Projection::Gaussian.draw(length, cols, &mut rng).unwrap() * scale).mapv(|v| v as f32)
    };
    let [tokens, keys] = [normal(4, 0.4), normal(4, 0.4)];
    let [mut queries_masks, keys_masks] = [normal(5, 1.0), normal(5, 1.0)].map(|mask| mask.mapv(|v| v.max(0.0)));
    // A query that nothing meets: its row is defined as 0.
    queries_masks.row_mut(length / 2).fill(0.0);
    [tokens, keys, queries_masks, keys_masks, normal(3, 1.0)]
}

#[test]
fn linear_attention_is_the_quadratic_one_of_the_estimated_matrix() {
    for (length, causal) in [(1, true), (7, false), (300, true), (300, false), (129, true)] {
        let [tokens, keys, query_masks, key_masks, values] = sequence(length, 4);
        let drawn = estimator(MaskedMethod::Stratified, Projection::Gaussian, 40, 0, None).unwrap();
        let sketch = drawn.draw(&mut generator(1, "draw", 0)).unwrap().to_f32().unwrap();
        let side = |tokens, masks| MaskedTokens { sketch: &sketch, tokens, masks };
        let output = linear(
            &side(tokens.view(), query_masks.view()),
            &side(keys.view(), key_masks.view()),
            values.view(),
            causal,
        )
        .unwrap();
        let matrix = sketch
            .map(tokens.view(), query_masks.view())
            .unwrap()
            .dot(&sketch.map(keys.view(), key_masks.view()).unwrap().t());
        for i in 0..length {
            let seen = if causal { i + 1 } else { length };
            let weights: Vec<f64> = (0..seen).map(|j| f64::from(matrix[[i, j]])).collect();
            let sum: f64 = weights.iter().sum();
            for l in 0..3 {
                let expected = if sum == 0.0 {
                    0.0
                } else {
                    weights.iter().enumerate().map(|(j, w)| w * f64::from(values[[j, l]])).sum::<f64>() / sum
                };
                let found = f64::from(output.values[[i, l]]);
                assert!(
                    (found - expected).abs() < 2e-4 * (1.0 + expected.abs()),
                    "L={length} {causal} {i} {l}: {found} {expected}"
                );
            }
        }
        assert!(output.empty_rows >= 1);
        assert_eq!(output.negative_rows, 0);
    }
}

#[test]
fn the_exact_product_is_its_definition_and_estimates_approach_it() {
    let length = 300;
    let [tokens, keys, query_masks, key_masks, values] = sequence(length, 6);
    for causal in [false, true] {
        let queries = Side { tokens: tokens.view(), masks: query_masks.view() };
        let output =
            exact(queries, Side { tokens: keys.view(), masks: key_masks.view() }, values.view(), causal).unwrap();
        let wide = |matrix: &Array2<f32>| matrix.mapv(f64::from);
        let kernel = wide(&tokens).dot(&wide(&keys).t()).mapv(f64::exp) * wide(&query_masks).dot(&wide(&key_masks).t());
        for i in 0..length {
            let seen = if causal { i + 1 } else { length };
            let sum: f64 = (0..seen).map(|j| kernel[[i, j]]).sum();
            for l in 0..3 {
                let top: f64 = (0..seen).map(|j| kernel[[i, j]] * f64::from(values[[j, l]])).sum();
                let expected = if sum == 0.0 { 0.0 } else { top / sum };
                assert!((f64::from(output.values[[i, l]]) - expected).abs() < 1e-5 * (1.0 + expected.abs()));
            }
        }
        let error = |features: usize| {
            let drawn = estimator(MaskedMethod::Stratified, Projection::Orthogonal, features, 0, None).unwrap();
            let sketch = drawn.draw(&mut generator(8, "draw", 0)).unwrap().to_f32().unwrap();
            let side = |tokens, masks| MaskedTokens { sketch: &sketch, tokens, masks };
            let (queries, keys) = (side(tokens.view(), query_masks.view()), side(keys.view(), key_masks.view()));
            let found = linear(&queries, &keys, values.view(), causal).unwrap().values;
            (&found - &output.values).mapv(|off| off * off).sum().sqrt()
        };
        assert!(error(2000) < 0.5 * error(50), "more features, smaller error");
    }
}

#[test]
fn tokens_too_long_for_32_bits_are_refused_or_fade_but_never_clamp() {
    let drawn = estimator(MaskedMethod::Stratified, Projection::Gaussian, 40, 0, None).unwrap();
    let sketch = drawn.draw(&mut generator(1, "draw", 0)).unwrap();
    let mask = Array2::ones((1, 5));
    for scale in [1.0, 30.0, 400.0] {
        let token = row(&array![0.5, -0.2, 0.3, 0.1]) * scale;
        let wide = sketch.map(token.view(), mask.view()).unwrap();
        let single = sketch.to_f32().unwrap();
        let single = single.map(token.mapv(|v| v as f32).view(), mask.mapv(|v| v as f32).view()).unwrap();
        for (wide, single) in wide.iter().zip(&single) {
            let single = f64::from(*single);
            assert!((single - wide).abs() <= 1e-3 * wide + 1e-37, "scale {scale}: {single} for {wide}");
        }
    }
}

#[test]
fn results_do_not_depend_on_threads() {
    let [tokens, keys, query_masks, key_masks, values] = sequence(1000, 2);
    let drawn = estimator(MaskedMethod::TensorSketch, Projection::Gaussian, 33, 50, None).unwrap();
    let sketch = drawn.draw(&mut generator(1, "draw", 0)).unwrap().to_f32().unwrap();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let side = |tokens, masks| MaskedTokens { sketch: &sketch, tokens, masks };
        let (queries, keys) = (side(tokens.view(), query_masks.view()), side(keys.view(), key_masks.view()));
        pool.install(|| linear(&queries, &keys, values.view(), true).unwrap().values)
    };
    assert_eq!(with(1), with(3));
}

/// Writes an array of numbers between -1 and 1 below `folder` and returns it.
fn written<S: ShapeBuilder>(folder: &Path, name: &str, shape: S) -> Array<f64, S::Dim>
where
    S::Dim: Dimension,
{
    let mut rng = generator(11, name, 0);
    let numbers = Array::from_shape_simple_fn(shape, || 2.0 * rng.random::<f64>() - 1.0);
    ndarray_npy::write_npy(folder.join(name), &numbers).unwrap();
    numbers
}

/// The rows, without times.
fn rows(events: &[Event]) -> Vec<Row> {
    let rows = events.iter().filter_map(|event| match event {
        Event::Row { row } => Some(row.clone()),
        _ => None,
    });
    rows.map(|mut row| {
        forget_measured(&mut row);
        row
    })
    .collect()
}

fn notes(events: &[Event]) -> String {
    let notes = events.iter().filter_map(|event| match event {
        Event::Note { text } => Some(text.as_str()),
        _ => None,
    });
    notes.collect::<Vec<_>>().join("\n")
}

const FILES: [(&str, &str); 3] = [("inputs", "file"), ("queries", "@/q.npy"), ("keys", "@/k.npy")];

#[test]
fn a_file_has_its_own_length_in_every_row_point_and_remark() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), "q.npy", (64, 8));
    written(folder.path(), "k.npy", (64, 8));
    let rest = [("length", "1024..8192 x2"), ("features", "64"), ("method", "tensor")];
    let events = said("masked", &[&FILES[..], &rest, &[("task", "attention")]].concat(), folder.path());
    let rows = rows(&events);
    assert_eq!(rows.len(), 1, "one file is one sequence");
    assert_eq!((&rows[0]["length"], &rows[0]["dim"]), (&64.into(), &8.into()));
    let is_there = |event: &Event| matches!(event, Event::Point(point) if point.x == 64.0);
    assert!(events.iter().any(is_there));
    assert!(events.iter().all(|event| !matches!(event, Event::Point(_)) || is_there(event)));
    assert!(!notes(&events).contains("grows"), "no slope from one length: {}", notes(&events));
    // Names say the file's length too.
    let rest = [("features", "64"), ("trials", "2"), ("mask", "relu-normal,flat"), ("method", "tensor")];
    let events = said("masked", &[&FILES[..], &rest].concat(), folder.path());
    assert!(notes(&events).contains("L=64") && !notes(&events).contains("256"), "{}", notes(&events));
    let problem = problems::find("masked").unwrap();
    let named = |key: &str| folder.path().join(key).display().to_string();
    let (queries, keys) = (named("q.npy"), named("k.npy"));
    let params = [("inputs", "file"), ("queries", &queries), ("keys", &keys)];
    let label = problem.label(&Params::with(&problem.schema(), &params).unwrap());
    assert!(label.contains("L=64 layer=0 head=0"), "{label}");
}

#[test]
fn a_slope_needs_three_lengths() {
    let folder = tempfile::tempdir().unwrap();
    let slopes = |length: &str, mask: &str| {
        let events = said(
            "masked",
            &[
                ("task", "attention"),
                ("length", length),
                ("mask", mask),
                ("method", "tensor"),
                ("features", "16"),
                ("mask_dim", "4"),
                ("exact_limit", "0"),
                ("dim", "4"),
                ("value_dim", "2"),
            ],
            folder.path(),
        );
        notes(&events).matches("time grows as").count()
    };
    assert_eq!(slopes("1024,2048", "flat,half-normal"), 0, "four points, two lengths");
    assert_eq!(slopes("1024,1536,2048", "flat"), 1);
}

#[test]
fn the_memory_of_a_file_is_that_of_drawn_inputs_of_its_length() {
    let folder = tempfile::tempdir().unwrap();
    let problem = problems::find("masked").unwrap();
    let bytes = |settings: &[(&str, &str)]| {
        problem.estimate(&Params::with(&problem.schema(), settings).unwrap()).bytes.unwrap()
    };
    let array = Array2::<f32>::zeros((3000, 8));
    let file = folder.path().join("q.npy").display().to_string();
    ndarray_npy::write_npy(&file, &array).unwrap();
    let masks = folder.path().join("m.npy").display().to_string();
    ndarray_npy::write_npy(&masks, &Array2::<f32>::ones((3000, 40))).unwrap();
    for task in ["estimate", "attention"] {
        let drawn = [("task", task), ("length", "3000"), ("dim", "8"), ("mask_dim", "40")];
        let read = [("task", task), ("inputs", "file"), ("queries", &file), ("keys", &file)];
        let read = [&read[..], &[("mask", "file"), ("mask_queries", &masks), ("mask_keys", &masks)]].concat();
        assert_eq!(bytes(&read), bytes(&drawn), "{task}");
    }
    let long = folder.path().join("long.npy").display().to_string();
    ndarray_npy::write_npy(&long, &Array2::<f32>::zeros((1_000_000, 1))).unwrap();
    let settings = [("inputs", "file"), ("queries", long.as_str()), ("keys", &long)];
    let refused = problem.check(&Params::with(&problem.schema(), &settings).unwrap()).unwrap_err();
    assert_eq!(refused.key, "queries");
    assert!(refused.to_string().contains("fewer tokens"), "{refused}");
}

#[test]
fn every_head_is_measured_as_if_it_were_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let queries = written(path, "q.npy", (2, 4, 20, 8));
    // Two heads of the queries share one of the keys, values and masks.
    let keys = written(path, "k.npy", (2, 2, 20, 8));
    let values = written(path, "v.npy", (2, 2, 20, 3));
    let query_masks = written(path, "mq.npy", (2, 4, 20, 5));
    let key_masks = written(path, "mk.npy", (2, 2, 20, 5));
    let masks = [("mask", "file"), ("mask_queries", "@/mq.npy"), ("mask_keys", "@/mk.npy")];
    let heads = [("layer", "all"), ("head", "1,2")];
    let some = [("features", "40"), ("method", "stratified"), ("threads", "1")];
    let estimate = [&FILES[..], &masks, &heads, &some, &[("trials", "3")]].concat();
    let attention = [&FILES[..], &masks, &heads, &some, &[("task", "attention"), ("values", "@/v.npy")]].concat();
    let (estimated, attended) = (rows(&said("masked", &estimate, path)), rows(&said("masked", &attention, path)));
    let places = |rows: &[Row]| {
        rows.iter().map(|row| (row["layer"].as_u64().unwrap(), row["head"].as_u64().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(places(&estimated), [(0, 1), (0, 2), (1, 1), (1, 2)]);
    assert_eq!(places(&attended), places(&estimated));
    assert!(estimated[0]["source"].as_str().unwrap().ends_with("q.npy"));
    // The same matrices in files of their own, whose exact output is known.
    let (layer, head) = (1, 2);
    let write = |name: &str, matrix: Array2<f64>| ndarray_npy::write_npy(path.join(name), &matrix).unwrap();
    let single = |array: &ndarray::Array4<f64>, head: usize| array.slice(s![layer, head, .., ..]).to_owned();
    write("q1.npy", single(&queries, head));
    write("k1.npy", single(&keys, head / 2));
    write("v1.npy", single(&values, head / 2));
    write("mq1.npy", single(&query_masks, head));
    write("mk1.npy", single(&key_masks, head / 2));
    let alone = [
        ("inputs", "file"),
        ("queries", "@/q1.npy"),
        ("keys", "@/k1.npy"),
        ("mask", "file"),
        ("mask_queries", "@/mq1.npy"),
        ("mask_keys", "@/mk1.npy"),
    ];
    // So many features that draws hardly matter: errors of the same matrices agree, those of others do not.
    let many = [("features", "40000"), ("method", "stratified"), ("task", "attention")];
    let one = rows(&said("masked", &[&alone[..], &many, &[("values", "@/v1.npy")]].concat(), path));
    let all = [&FILES[..], &masks, &[("layer", "1"), ("head", "2"), ("values", "@/v.npy")], &many].concat();
    let same = rows(&said("masked", &all, path));
    let error = |row: &Row| row["output_rel_error"].as_f64().unwrap();
    assert!(error(&one[0]) < 0.1 && error(&same[0]) < 0.1, "{one:?} {same:?}");
    // A head's numbers do not depend on which others are asked for.
    let only = [&FILES[..], &masks, &[("layer", "1"), ("head", "2")], &some, &[("trials", "3")]].concat();
    assert_eq!(rows(&said("masked", &only, path))[0], estimated[3]);
    assert_ne!(estimated[2]["rel_mse_mean"], estimated[3]["rel_mse_mean"]);
    // One matrix of masks is that of all heads.
    write("all.npy", single(&query_masks, 0));
    let shared = [("mask", "file"), ("mask_queries", "@/all.npy"), ("mask_keys", "@/all.npy")];
    let rows = rows(&said("masked", &[&FILES[..], &shared, &heads, &some, &[("trials", "2")]].concat(), path));
    assert_eq!((rows.len(), &rows[0]["mask_dim"]), (4, &5.into()));
}

#[test]
fn values_of_the_file_are_attended_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    written(path, "q.npy", (30, 6));
    written(path, "k.npy", (30, 6));
    // Where all values are one vector, attention with positive features is exact, whatever is drawn.
    let values = Array2::from_shape_fn((30, 4), |(_, column)| 1.0 + column as f64);
    ndarray_npy::write_npy(path.join("v.npy"), &values).unwrap();
    let some = [("task", "attention"), ("features", "64"), ("method", "tensor"), ("mask", "half-normal")];
    let error = |more: &[(&str, &str)]| {
        rows(&said("masked", &[&FILES[..], &some, more].concat(), path))[0]["output_rel_error"].as_f64().unwrap()
    };
    let (own, drawn) = (error(&[("values", "@/v.npy")]), error(&[]));
    assert!(own < 1e-5 && drawn > 0.01, "{own} {drawn}");
    let problem = problems::find("masked").unwrap();
    let settings = [("inputs", "file"), ("queries", "q"), ("keys", "k"), ("values", "v")];
    let refused = problem.check(&Params::with(&problem.schema(), &settings).unwrap()).unwrap_err();
    assert_eq!(refused.key, "values");
}

#[test]
fn what_draws_cannot_show_has_no_standard_error() {
    let folder = tempfile::tempdir().unwrap();
    let some = [("length", "16"), ("dim", "6"), ("features", "64"), ("trials", "20"), ("method", "tensor,stratified")];
    for (sigma, observable) in [("0.2", true), ("2", false)] {
        let told = said("masked", &[&some[..], &[("sigma", sigma)]].concat(), folder.path());
        for row in rows(&told) {
            assert_eq!(row["observable"], observable, "{row:?}");
            assert_eq!([&row["rel_mse_sem"], &row["mean_ratio_sem"]].map(|error| error.is_null()), [!observable; 2]);
        }
        for event in &told {
            match event {
                Event::Point(point) if point.series.ends_with("/mean") || point.series.ends_with("/bias") => {
                    assert_eq!(point.lo.is_some(), observable, "{point:?}");
                }
                Event::Series(series) if series.id.ends_with("/theory") => assert_eq!(series.plot, "mean"),
                _ => {}
            }
        }
    }
}

#[test]
fn every_distribution_is_offered_with_its_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let some = [("length", "24"), ("dim", "6"), ("features", "32"), ("method", "coordinate"), ("trials", "2")];
    let ratio = |more: &[(&str, &str)]| rows(&said("masked", &[&some[..], more].concat(), folder.path()))[0].clone();
    for inputs in ["gauss", "sphere", "lognorm", "planted", "cluster", "hub", "outlier", "band"] {
        let row = ratio(&[("inputs", inputs)]);
        assert_eq!(row["inputs"], inputs);
        assert!(row["layer"].is_null() && row["head"].is_null() && row["source"].is_null(), "{row:?}");
    }
    let theory = |more: &[(&str, &str)]| ratio(more)["rel_mse_theory"].as_f64().unwrap();
    for (inputs, key, text) in [
        ("planted", "match", "0.1"),
        ("cluster", "clusters", "2"),
        ("hub", "hub", "0.5"),
        ("lognorm", "spread", "0.1"),
        ("outlier", "outlier", "0.5"),
        ("gauss", "scale", "none"),
        ("band", "radius", "0.3"),
    ] {
        let (default, other) = (theory(&[("inputs", inputs)]), theory(&[("inputs", inputs), (key, text)]));
        assert!(default != other, "{inputs} does not read {key}");
    }
    // Tokens of length 0: the kernel is the mask alone.
    let row = ratio(&[("inputs", "sphere"), ("radius", "0"), ("mask", "flat"), ("mask_dim", "1")]);
    assert!(row["rel_mse_mean"].as_f64().unwrap() < 1e-20, "{row:?}");
}

proptest! {
    /// Never share one projection set across coordinates, and never sample what can be stratified.
    #[test]
    fn stratified_is_never_worse(
        a in proptest::collection::vec(0.0..2.0_f64, 5),
        b in proptest::collection::vec(0.0..2.0_f64, 5),
        scale in 0.0..1.5_f64,
    ) {
        let [x, y, ..] = known();
        let (x, y, a, b) = (x * scale, y * scale, Array1::from(a), Array1::from(b));
        let pair = MaskedPair { x: x.view(), y: y.view(), a: a.view(), b: b.view() };
        let mse = |method| {
            let estimator = estimator(method, Projection::Gaussian, 20, 0, None).unwrap();
            MaskedTheory::new(&estimator).unwrap().mse(pair)
        };
        let stratified = mse(MaskedMethod::Stratified);
        prop_assert!(stratified <= mse(MaskedMethod::Tensor) * (1.0 + 1e-9) + 1e-15);
        prop_assert!(stratified <= mse(MaskedMethod::Coordinate) * (1.0 + 1e-9) + 1e-15);
    }

    #[test]
    fn shares_are_read_or_refused(text in ".{0,30}") {
        if let Some(Shares::List(list)) = Shares::from_text(&text) {
            prop_assert!(list.iter().all(|share| share.is_finite()));
        }
    }
}
