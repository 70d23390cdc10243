//! Softmax estimated by random features inside the transformer: training, redrawing, testing with other draws, masks.

#[path = "support/answers.rs"]
mod answers;
#[path = "support/killed.rs"]
mod killed;
#[path = "support/program.rs"]
mod program;
#[path = "support/results.rs"]
mod results;
#[path = "support/small.rs"]
mod small;

use answers::{call, json};
use attnlab::attention::hybrid::{HybridSpec, Weight};
use attnlab::attention::{FeatureMap, Projection, RandomFeatures, Sketch};
use attnlab::random::generator;
use attnlab::vision::composed::AttentionInputs;
use attnlab::vision::{
    Attention, AttentionKernel, Checkpoint, FavorEstimator, FavorMap, Parameters, Precision, VitConfig, composed,
};
use candle_core::{DType, Device, Tensor};
use killed::killed;
use ndarray::{Array2, Axis};
use rand_distr::{Distribution, StandardNormal};
use results::timeless;
use serde_json::Value;
use small::digits_config;

const QUICK: &[&str] =
    &["attention=favor", "dim=16", "depth=1", "heads=2", "train_images=256", "test_images=128", "threads=1", "lr=0.01"];

fn train<'a>(settings: &[&'a str]) -> Vec<&'a str> {
    let settings = QUICK.iter().chain(settings).flat_map(|setting| ["--set", *setting]);
    ["run", "vit", "--json"].into_iter().chain(settings).collect()
}

fn config(attention: Attention) -> VitConfig {
    digits_config(attention, 2)
}

fn favor(estimator: FavorEstimator, projection: Projection, m: usize) -> Attention {
    Attention::Favor(FavorMap::new(estimator, projection, m).unwrap())
}

#[test]
fn estimates_come_near_softmax_as_projections_grow() {
    let patches: Vec<f64> = (0..16 * 4).map(|i| f64::from(i * 7 % 11) / 5.0 - 1.0).collect();
    let patches = Tensor::from_vec(patches, (1, 16, 4), &Device::Cpu).unwrap();
    let logits = |attention: Attention, mask_dim: usize, draw: u64| -> Vec<f64> {
        let config = VitConfig { mask_dim, ..config(attention) };
        let parameters = Parameters::new(&config, 3).unwrap();
        parameters.redraw(&config, 3, draw).unwrap();
        let theta = parameters.theta().as_tensor().to_dtype(DType::F64).unwrap();
        let logits = composed::logits(&config, parameters.layout(), &theta, &patches).unwrap();
        logits.flatten_all().unwrap().to_vec1().unwrap()
    };
    for (estimator, mask_dim) in [
        (FavorEstimator::Positive, 0),
        (FavorEstimator::Hyperbolic, 0),
        (FavorEstimator::Trigonometric, 0),
        (FavorEstimator::Gerf { a: -0.05 }, 0),
        (FavorEstimator::Positive, 2),
        (FavorEstimator::Hyperbolic, 2),
    ] {
        let exact = logits(AttentionKernel::Softmax.into(), mask_dim, 0);
        let error = |m: usize| {
            let squares = (0..10).map(|draw| {
                let found = logits(favor(estimator, Projection::Orthogonal, m), mask_dim, draw);
                found.iter().zip(&exact).map(|(a, b)| (a - b).powi(2)).sum::<f64>()
            });
            (squares.sum::<f64>() / 10.0).sqrt()
        };
        // The error falls with the root of the number of projections.
        let [few, many] = [error(24), error(1536)];
        assert!(many < few / 4.0 && many > few / 20.0, "{estimator:?} with mask {mask_dim}: {few} {many}");
    }
}

/// The attention matrix by the definition: the estimate of [`attnlab::attention`], whose mean and mean squared error are held
/// against closed forms, with each row divided by its sum.
fn by_rows(matrix: Array2<f64>) -> Array2<f64> {
    let sums = matrix.sum_axis(Axis(1)).insert_axis(Axis(1));
    matrix / sums
}

/// Queries and keys `[tokens, d]` of one head, and the same scaled.
fn inputs(tokens: usize, d: usize) -> ([Array2<f64>; 2], [Array2<f64>; 2]) {
    let mut random = generator(7, "queries and keys", 0);
    let given = [0, 1].map(|_| Array2::from_shape_fn((tokens, d), |_| StandardNormal.sample(&mut random)));
    let scaled = given.clone().map(|side: Array2<f64>| side / (d as f64).powf(0.25));
    (given, scaled)
}

fn tensor(matrix: &Array2<f64>) -> Tensor {
    let (rows, width) = matrix.dim();
    Tensor::from_iter(matrix.iter().copied(), &Device::Cpu).unwrap().reshape((1, 1, rows, width)).unwrap()
}

fn largest_difference(found: &Tensor, expected: &Array2<f64>) -> f64 {
    let found: Vec<f64> = found.flatten_all().unwrap().to_vec1().unwrap();
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn estimates_are_those_of_the_estimators_that_closed_forms_are_known_of() {
    let (d, m) = (8, 24);
    let ([q, k], [x, y]) = inputs(12, d);
    let weight = Weight { a: 0.1, b: 0.7 };
    let hybrid = |hyperbolic| FavorEstimator::Hybrid { hyperbolic, signs: 3, weight };
    let family = |map: FeatureMap| {
        let projections = Projection::Orthogonal.draw(m, d, &mut generator(5, "draw", 0)).unwrap();
        RandomFeatures { map, projections }.matrix(x.view(), y.view()).unwrap()
    };
    let both = |first: FeatureMap| {
        let spec = HybridSpec { first, projection: Projection::Orthogonal, m1: m, m2: m, n: 3, weight, shared: false };
        spec.draw(d, &mut generator(5, "draw", 0)).unwrap().matrix(x.view(), y.view()).unwrap()
    };
    for (estimator, matrix) in [
        (FavorEstimator::Positive, family(FeatureMap::Positive)),
        (FavorEstimator::Hyperbolic, family(FeatureMap::Hyperbolic)),
        (FavorEstimator::Trigonometric, family(FeatureMap::Trigonometric)),
        (FavorEstimator::Gerf { a: -0.07 }, family(FeatureMap::Gerf { a: -0.07 })),
        (hybrid(true), both(FeatureMap::Hyperbolic)),
        (hybrid(false), both(FeatureMap::Positive)),
    ] {
        let map = FavorMap::new(estimator, Projection::Orthogonal, m).unwrap();
        let drawn = map.draw(d, &mut generator(5, "draw", 0)).unwrap();
        let drawn = Tensor::new(drawn, &Device::Cpu).unwrap().unsqueeze(0).unwrap().to_dtype(DType::F64).unwrap();
        let found = composed::weights(Attention::Favor(map), Some(&drawn), &tensor(&q), &tensor(&k)).unwrap();
        // What is drawn is kept in single precision, and rows that cancel enlarge that.
        let bound = if map.is_positive() { 1e-5 } else { 1e-3 };
        let error = largest_difference(&found, &by_rows(matrix));
        assert!(error < bound, "{estimator:?}: {error:e}");
    }
}

#[test]
fn masked_estimates_are_stratified_with_the_constant_as_one_more_coordinate() {
    let (d, m, mask_dim) = (8, 22, 3);
    let ([q, k], [x, y]) = inputs(12, d);
    let mut random = generator(8, "masks", 0);
    let mut mask =
        || Array2::from_shape_fn((12, mask_dim), |_| StandardNormal.sample(&mut random)).mapv(|a: f64| a.max(0.0));
    let [a, b] = [mask(), mask()];
    let map = FavorMap::new(FavorEstimator::Positive, Projection::Gaussian, m).unwrap();
    let w = Projection::Gaussian.draw(m, d, &mut generator(5, "draw", 0)).unwrap();
    // 22 projections for 4 coordinates: 6, 6, 5, 5.
    let mut expected = Array2::<f64>::zeros((12, 12));
    let mut first = 0;
    for (coordinate, count) in [6, 6, 5, 5].into_iter().enumerate() {
        let projections = w.slice(ndarray::s![first..first + count, ..]).to_owned();
        let kernel = RandomFeatures { map: FeatureMap::Positive, projections }.matrix(x.view(), y.view()).unwrap();
        let masks = if coordinate == mask_dim {
            Array2::from_elem((12, 12), 1e-3)
        } else {
            let column = |side: &Array2<f64>| side.column(coordinate).insert_axis(Axis(1)).to_owned();
            column(&a).dot(&column(&b).t())
        };
        expected += &(kernel * masks);
        first += count;
    }
    let drawn = map.draw(d, &mut generator(5, "draw", 0)).unwrap();
    let drawn = Tensor::new(drawn, &Device::Cpu).unwrap().unsqueeze(0).unwrap().to_dtype(DType::F64).unwrap();
    let [queries, keys] = [&q, &k].map(tensor);
    let inputs = AttentionInputs {
        values: keys.clone(),
        queries,
        keys,
        masks: Some([&a, &b].map(tensor)),
        precision: Precision::F32,
    };
    let error = largest_difference(&inputs.weights(Attention::Favor(map), Some(&drawn)).unwrap(), &by_rows(expected));
    assert!(error < 1e-5, "{error:e}");
    // Softmax takes the masks exactly.
    let exact = x.dot(&y.t()).mapv(f64::exp) * (a.dot(&b.t()) + 1e-3);
    let softmax = inputs.weights(AttentionKernel::Softmax.into(), None).unwrap();
    assert!(largest_difference(&softmax, &by_rows(exact)) < 1e-12);
}

#[test]
fn draws_are_named_and_learned_parameters_are_not_drawn() {
    let config = config(favor(FavorEstimator::Positive, Projection::Orthogonal, 24));
    let fresh = Parameters::new(&config, 5).unwrap();
    let values = fresh.values().unwrap();
    fresh.redraw(&config, 5, 0).unwrap();
    assert_eq!(fresh.values().unwrap(), values, "draw 0 is the one a model starts with");
    fresh.redraw(&config, 5, 1).unwrap();
    let other = fresh.values().unwrap();
    for entry in fresh.layout().entries() {
        assert_eq!(values[entry.range()] != other[entry.range()], entry.is_drawn(), "{}", entry.name);
    }
    // Two heads and two blocks have draws of their own.
    let entry = |block: usize| fresh.layout().entry(&format!("blocks.{block}.attention.feature"));
    let [first, second] = [entry(0), entry(1)].map(|entry| &other[entry.range()]);
    assert_ne!(first, second);
    assert_ne!(first[..first.len() / 2], first[first.len() / 2..]);
    let learned = fresh.layout().learned();
    assert_eq!(fresh.layout().len() - learned, 2 * 2 * 24 * (8 + 1));
}

#[test]
fn training_with_random_features_learns_and_is_tested_with_fresh_draws() {
    let desk = tempfile::tempdir().unwrap();
    let document = json(desk.path(), &train(&["m=32", "epochs=20", "eval_m=8,64", "eval_draws=3"]));
    let rows = document["rows"].as_array().unwrap();
    let values = |key: &str| rows.iter().map(|row| row[key].clone()).collect::<Vec<_>>();
    assert_eq!(values("eval_m"), [Value::Null, 8.into(), 64.into()]);
    assert_eq!(values("m"), [32, 32, 32]);
    assert_eq!(values("estimator"), ["positive"; 3]);
    assert_eq!(values("projection"), ["orthogonal"; 3]);
    assert_eq!(values("redraw"), ["never"; 3]);
    let accuracy: Vec<f64> = rows.iter().map(|row| row["test_accuracy"].as_f64().unwrap()).collect();
    assert!(accuracy[0] > 0.4 && accuracy[2] > accuracy[1], "{accuracy:?}");
    assert!(rows[0]["accuracy_error"].is_null() && rows[1]["accuracy_error"].as_f64().unwrap() > 0.0);
    // What is saved is the model as it was trained, its projections with it.
    let folder = desk.path().join("logs").join(document["id"].as_str().unwrap());
    let checkpoint = Checkpoint::load(&folder.join("checkpoint.safetensors")).unwrap();
    let map = checkpoint.config.attention.favor().unwrap();
    assert_eq!((map.m(), map.projection(), map.estimator()), (32, Projection::Orthogonal, FavorEstimator::Positive));
    // The queries and keys of such a model can be looked at.
    let id = format!("checkpoint={}", document["id"].as_str().unwrap());
    let settings = ["--set", "inputs=checkpoint", "--set", &id, "--set", "m=8", "--set", "trials=2"];
    json(desk.path(), &[&["run", "random-features", "--json"][..], &settings].concat());
}

#[test]
fn every_estimator_trains_and_is_read_back() {
    let desk = tempfile::tempdir().unwrap();
    for settings in [
        &["estimator=hyperbolic", "m=12"][..],
        &["estimator=gerf", "m=12", "gerf_a=-0.1"],
        &["estimator=hybrid", "projection=gaussian", "m=16", "hybrid_n=2", "hybrid_first=positive"],
        &["estimator=custom", "f=[exp(p - n/2), exp(-p - n/2)]", "m=12"],
        &["estimator=positive", "m=12", "mask=relu", "mask_dim=3", "redraw=epoch"],
        &["attention=softmax", "mask=relu", "mask_dim=2"],
        &["estimator=hyperbolic", "m=9", "kernels=composed"],
    ] {
        let document = json(desk.path(), &train(&[settings, &["epochs=2"]].concat()));
        let first = format!("init={}", document["id"].as_str().unwrap());
        // Starting from its weights under the same attention takes them all.
        let again = json(desk.path(), &train(&[settings, &["epochs=1", &first]].concat()));
        assert_eq!(again["rows"][0]["initial_accuracy"], document["rows"][0]["test_accuracy"], "{settings:?}");
    }
}

#[test]
fn redrawing_is_named_and_resumes_to_the_bit() {
    let desk = tempfile::tempdir().unwrap();
    let of = |redraw: &str, threads: &str| {
        let (redraw, threads) = (format!("redraw={redraw}"), format!("threads={threads}"));
        json(desk.path(), &train(&["m=8", "epochs=2", &redraw, &threads]))
    };
    let [never, epoch, steps] = ["never", "epoch", "5"].map(|redraw| of(redraw, "1")["rows"][0]["test_loss"].clone());
    assert!(never != epoch && epoch != steps, "{never} {epoch} {steps}");
    assert_eq!(of("5", "2")["rows"][0]["test_loss"], steps, "threads change nothing");

    let long = train(&["m=8", "redraw=7", "epochs=40", "eval_m=16", "eval_draws=2"]);
    let whole = json(desk.path(), &long);
    let stopped = tempfile::tempdir().unwrap();
    let id = killed(stopped.path(), &long, "p", 4);
    let resumed = json(stopped.path(), &["resume", &id, "--json"]);
    assert_eq!(timeless(&whole), timeless(&resumed));
}

#[test]
fn what_cannot_be_trained_is_said_in_one_line() {
    let desk = tempfile::tempdir().unwrap();
    for (settings, said) in [
        (&["estimator=trigonometric"][..], "denominators of trigonometric features change sign"),
        (&["estimator=sderf"], "sderf is fitted to queries and keys, which change in training"),
        (&["estimator=gerf", "projection=rademacher"], "projection: found `rademacher with estimator=gerf`"),
        (&["estimator=custom", "f=relu(u)"], "p in place of u"),
        (&["estimator=custom", "f=exp(n)"], "a function of p"),
        (&["m=0"], "m: found `0`"),
        (&["m=65536", "dim=4096", "heads=1", "depth=128", "batch=65536"], "GiB of memory"),
        (&["projection=simplex", "heads=16"], "simplex has no rows of length 1"),
        (&["mask=relu", "mask_dim=8", "m=8"], "m: found `8`, allowed: at least 9 with mask_dim=8"),
        (&["mask=relu", "estimator=hybrid", "projection=gaussian"], "a learned mask goes with softmax"),
        (
            &["attention=relu", "mask=relu"],
            "mask: found `relu`, allowed: only with attention=softmax or attention=favor",
        ),
        (&["attention=relu", "m=8"], "m: found `8`, allowed: only with attention=favor"),
        (&["attention=softmax", "estimator=custom", "f=exp(p)"], "only with attention=custom or estimator=custom"),
        (&["redraw=0"], "redraw: found `0`, allowed: a whole number from 1 to 1000000000, or `never` or `epoch`"),
    ] {
        let (status, out, error) = call(desk.path(), &train(settings));
        assert_eq!((status, out.as_str()), (2, ""), "{settings:?}: {error}");
        assert!(error.contains(said) && error.trim().lines().count() <= 2, "{said}: {error}");
    }
}
