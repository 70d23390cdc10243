//! Queries, keys and values of trained models: numbers that a correct tool reproduces, and the engine that measures rows one
//! by one, beside the same sums written down plainly in 64 bits.

use attnlab::arrays::{HeadsFile, HeadsLayout};
use attnlab::attention::hybrid::{HybridSpec, Weight};
use attnlab::attention::inputs::Distribution;
use attnlab::attention::rowwise::{ExactHead, HeadEstimate, window_width};
use attnlab::attention::spikiness::Exact;
use attnlab::attention::theory::{Theory, expectation, optimal};
use attnlab::attention::{FeatureMap, Inputs, Projection, RandomFeatures, Sketch};
use attnlab::random::generator;
use ndarray::{Array1, Array2, Axis};
use rand::Rng;
use std::path::PathBuf;

fn never() -> bool {
    false
}

/// The folder of a trained language model's heads; none where the data are absent, which is said.
fn language_model() -> Option<PathBuf> {
    let folder = std::env::var_os("ATTNLAB_DATA").map(|data| PathBuf::from(data).join("tinystories-qk"));
    let folder = folder.filter(|folder| folder.join("golden.json").is_file());
    if folder.is_none() {
        eprintln!("skipped: ATTNLAB_DATA names no folder with tinystories-qk/golden.json");
    }
    folder
}

/// Queries and keys of one head, multiplied by `scale` in 32 bits and then divided by d^¼.
fn head(folder: &std::path::Path, layer: usize, head: usize, scale: f32) -> Inputs {
    let read = |name: &str| {
        let file = HeadsFile::open(&folder.join(name).display().to_string(), HeadsLayout::default()).unwrap();
        file.head(layer, head).unwrap().mapv(|value| f64::from(value as f32 * scale))
    };
    Inputs::new(read("queries.npy"), read("keys.npy")).unwrap().scaled()
}

#[test]
fn golden_numbers_of_a_language_model() {
    let Some(folder) = language_model() else { return };
    let golden: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("golden.json")).unwrap()).unwrap();
    let golden = golden["golden"].as_array().unwrap();
    assert_eq!(golden.len(), 10);
    for number in golden {
        let whole = |key: &str| number[key].as_u64().unwrap() as usize;
        let inputs = head(&folder, whole("layer"), whole("head"), number["scale"].as_f64().unwrap() as f32);
        let exact = Exact::survey(&inputs, &never).unwrap();
        let name = number["name"].as_str().unwrap();
        let expected = || {
            let map = match number["estimator"].as_str().unwrap() {
                "positive" => FeatureMap::Positive,
                "trigonometric" => FeatureMap::Trigonometric,
                "gerf" => optimal::gerf(inputs.queries.view(), inputs.keys.view()),
                "sderf" => optimal::sderf(inputs.queries.view(), inputs.keys.view()),
                other => panic!("an estimator `{other}`"),
            };
            if let (FeatureMap::Gerf { a }, Some(known)) = (&map, number["gerf_a"].as_f64()) {
                assert!((a / known - 1.0).abs() < 1e-9, "A = {a}, {known}");
            }
            let projection =
                if number["projection"] == "orthogonal" { Projection::Orthogonal } else { Projection::Gaussian };
            let theory = Theory::new(&map, projection, inputs.dim()).unwrap();
            expectation(&theory, &inputs, &exact, &[whole("m")], 15, &never).unwrap()[0]
        };
        let found = match name {
            "n90" => exact.spikiness.n90,
            "participation_ratio" => exact.spikiness.participation_ratio,
            "max_over_median" => exact.spikiness.max_over_median,
            "rel_mse" => expected().relative_mse,
            "rel_frobenius" => expected().relative_mse.sqrt(),
            "log10_rel_mse" => {
                assert!(expected().relative_mse.is_infinite(), "64 bits do not hold it");
                expected().log10_relative_mse
            }
            other => panic!("a number `{other}`"),
        };
        let (value, tolerance) = (number["value"].as_f64().unwrap(), number["relative_tolerance"].as_f64().unwrap());
        assert!((found / value - 1.0).abs() <= tolerance, "{name}: found {found}, expected {value}: {number}");
    }
}

/// Attention of an un-normalised matrix, row by row: the row-normalised matrix and the output.
fn attend(matrix: &Array2<f64>, values: &Array2<f64>, causal: bool) -> (Array2<f64>, Array2<f64>) {
    let mut weights = matrix.clone();
    for (i, mut row) in weights.rows_mut().into_iter().enumerate() {
        if causal {
            row.slice_mut(ndarray::s![i + 1..]).fill(0.0);
        }
        let sum = row.sum();
        row /= sum;
    }
    let output = weights.dot(values);
    (weights, output)
}

fn norm(matrix: &Array2<f64>) -> f64 {
    matrix.iter().map(|value| value * value).sum::<f64>().sqrt()
}

fn maps(inputs: &Inputs) -> Vec<FeatureMap> {
    vec![
        FeatureMap::Positive,
        FeatureMap::Hyperbolic,
        FeatureMap::Trigonometric,
        FeatureMap::Gerf { a: -0.1 },
        optimal::sderf(inputs.queries.view(), inputs.keys.view()),
    ]
}

#[test]
fn rows_measured_one_by_one_agree_with_plain_sums() {
    let mut rng = generator(3, "rows", 0);
    // More rows than a tile has.
    let inputs = Distribution::Gauss { sigma: 0.8, scale: 0.6 }.draw(150, 8, &mut rng).unwrap();
    let inputs = inputs.recentred(Array1::from_elem(8, 0.1).view());
    let values = Array2::from_shape_simple_fn((150, 5), || rng.random::<f64>() - 0.3);
    let products = inputs.queries.dot(&inputs.keys.t()) + inputs.row_exponents.clone().insert_axis(Axis(1));
    let exact = products.mapv(f64::exp);
    let factors = inputs.row_exponents.mapv(f64::exp).insert_axis(Axis(1));
    for causal in [false, true] {
        let head = ExactHead::new(&inputs, Some(&values), causal, &never).unwrap();
        let (weights, output) = attend(&exact, &values, causal);
        assert!((head.output_norm().unwrap() / norm(&output) - 1.0).abs() < 1e-12);
        let entropies =
            weights.rows().into_iter().map(|row| -row.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>());
        let entropies: Vec<f64> = entropies.collect();
        assert!((head.entropy() - entropies.iter().sum::<f64>() / 150.0).abs() < 1e-12);
        let effective = entropies.iter().map(|entropy| entropy.exp()).sum::<f64>() / 150.0;
        assert!((head.effective_keys() / effective - 1.0).abs() < 1e-12);

        let hybrid = HybridSpec {
            first: FeatureMap::Hyperbolic,
            projection: Projection::Gaussian,
            m1: 24,
            m2: 24,
            n: 4,
            weight: Weight::ANGLE,
            shared: false,
        };
        let sketch = hybrid.draw(8, &mut rng).unwrap();
        let mut drawn = vec![(
            "hybrid".to_owned(),
            sketch.matrix(inputs.queries.view(), inputs.keys.view()).unwrap(),
            HeadEstimate::of_hybrid(&inputs, &sketch).unwrap(),
        )];
        for map in maps(&inputs) {
            let projections = Projection::Gaussian.draw(24, 8, &mut rng).unwrap();
            let estimate = HeadEstimate::of_features(&inputs, &map, projections.view()).unwrap();
            let features = RandomFeatures { map, projections };
            let matrix = features.matrix(inputs.queries.view(), inputs.keys.view()).unwrap();
            drawn.push((format!("{:?}", features.map), matrix, estimate));
        }
        for (name, matrix, estimate) in drawn {
            let matrix = matrix * &factors;
            let found = head.measure(&estimate, &never).unwrap();
            let (estimated_weights, estimated) = attend(&matrix, &values, causal);
            let agree = |what: &str, found: f64, expected: f64| {
                assert!((found / expected - 1.0).abs() < 2e-4, "{name}, causal {causal}, {what}: {found}, {expected}");
            };
            agree("relative", found.relative, norm(&(&matrix - &exact)) / norm(&exact));
            agree("ratio", found.ratio, (&matrix * &exact).sum() / norm(&exact).powi(2));
            agree(
                "normalized",
                found.normalized_squared.sqrt(),
                norm(&(&estimated_weights - &weights)) / norm(&weights),
            );
            agree("output", found.output_squared.unwrap().sqrt(), norm(&(&estimated - &output)) / norm(&output));
            let negative = matrix.iter().filter(|value| **value <= 0.0).count() as f64 / 22_500.0;
            assert!((found.nonpositive_entries - negative).abs() < 1e-9, "{name}");
            let written = head.estimated_output(&estimate, &never).unwrap();
            assert!((written - estimated).iter().all(|value| value.abs() < 1e-2 * norm(&output)), "{name}");
        }
    }
}

/// ln Σ e^v.
fn log_sum(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = values.clone().fold(f64::NEG_INFINITY, f64::max);
    top + values.map(|value| (value - top).exp()).sum::<f64>().ln()
}

#[test]
fn exponents_that_no_number_format_holds_are_measured() {
    let mut rng = generator(4, "rows", 0);
    let inputs = Distribution::Gauss { sigma: 1.0, scale: 12.0 }.draw(90, 4, &mut rng).unwrap();
    let values = Array2::from_shape_simple_fn((90, 3), || rng.random::<f64>());
    let w = Projection::Gaussian.draw(12, 4, &mut rng).unwrap();
    let estimate = HeadEstimate::of_features(&inputs, &FeatureMap::Positive, w.view()).unwrap();
    let logs = inputs.queries.dot(&inputs.keys.t());
    let spread =
        logs.iter().copied().fold(f64::NEG_INFINITY, f64::max) - logs.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(spread > 1500.0, "{spread}");
    let (of_queries, of_keys) = (inputs.queries.dot(&w.t()), inputs.keys.dot(&w.t()));
    let half = |tokens: &Array2<f64>| tokens.rows().into_iter().map(|row| row.dot(&row) / 2.0).collect::<Vec<_>>();
    let (half_q, half_k) = (half(&inputs.queries), half(&inputs.keys));
    for causal in [false, true] {
        let head = ExactHead::new(&inputs, Some(&values), causal, &never).unwrap();
        let found = head.measure(&estimate, &never).unwrap();
        let (mut errors, mut output_errors, mut norms, mut output_norms) = (0.0, 0.0, 0.0, 0.0);
        for i in 0..90 {
            let seen = if causal { i + 1 } else { 90 };
            let guess: Vec<f64> = (0..seen)
                .map(|j| log_sum((0..12).map(|l| of_queries[[i, l]] + of_keys[[j, l]])) - half_q[i] - half_k[j])
                .collect();
            let truth: Vec<f64> = (0..seen).map(|j| logs[[i, j]]).collect();
            let weights = |logs: &[f64]| {
                let sum = log_sum(logs.iter().copied());
                logs.iter().map(|log| (log - sum).exp()).collect::<Vec<f64>>()
            };
            let (guess, truth) = (weights(&guess), weights(&truth));
            errors += guess.iter().zip(&truth).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
            norms += truth.iter().map(|p| p * p).sum::<f64>();
            for column in 0..3 {
                let average = |weights: &[f64]| {
                    weights.iter().enumerate().map(|(j, weight)| weight * values[[j, column]]).sum::<f64>()
                };
                output_errors += (average(&guess) - average(&truth)).powi(2);
                output_norms += average(&truth).powi(2);
            }
        }
        let agree = |what: &str, found: f64, expected: f64| {
            assert!((found / expected - 1.0).abs() < 1e-4, "causal {causal}, {what}: {found}, {expected}");
        };
        agree("normalized", found.normalized_squared, errors / norms);
        agree("output", found.output_squared.unwrap(), output_errors / output_norms);
        assert_eq!((found.nonpositive_rows, found.nonpositive_entries), (0.0, 0.0));
        assert!(found.relative.is_finite(), "{}", found.relative);
    }
}

#[test]
fn a_window_attends_to_near_keys_alone() {
    let mut rng = generator(5, "rows", 0);
    let inputs = Distribution::Gauss { sigma: 1.0, scale: 1.0 }.draw(40, 4, &mut rng).unwrap();
    let values = Array2::from_shape_simple_fn((40, 2), || rng.random::<f64>());
    let exact = inputs.queries.dot(&inputs.keys.t()).mapv(f64::exp);
    for (causal, width) in [(true, 7), (false, 7), (true, 1), (false, 40)] {
        let head = ExactHead::new(&inputs, Some(&values), causal, &never).unwrap();
        let (weights, output) = attend(&exact, &values, causal);
        let mut near = exact.clone();
        for ((i, j), value) in near.indexed_iter_mut() {
            let first = if causal {
                (i + 1).saturating_sub(width)
            } else {
                (i + 1).saturating_sub(width.div_ceil(2)).min(40 - width)
            };
            if j < first || j >= first + width {
                *value = 0.0;
            }
        }
        let (near_weights, near_output) = attend(&near, &values, causal);
        let found = head.window(width);
        let agree =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-7, "{width}: {found}, {expected}");
        agree(found.output.unwrap(), norm(&(&near_output - &output)) / norm(&output));
        agree(found.normalized, norm(&(&near_weights - &weights)) / norm(&weights));
        let uniform = head.uniform();
        let ones = Array2::from_elem((40, 40), 1.0);
        let (_, average) = attend(&ones, &values, causal);
        agree(uniform.output.unwrap(), norm(&(&average - &output)) / norm(&output));
        assert_eq!(uniform.frobenius, None);
    }
    // 2·64·8 + 2·64·9 multiplications for features, 16 for each key.
    assert_eq!(window_width(64, 64, 8, 8), 136);
    assert_eq!(window_width(1, 1, 64, 64), 2);
}
