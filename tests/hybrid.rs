//! The hybrid estimator against its closed form, its definition and its exact ends.

#[path = "support/kept.rs"]
mod kept;
#[path = "support/said.rs"]
mod said;

use attnlab::attention::frobenius::{FrobeniusEngine, Precision};
use attnlab::attention::hybrid::{
    HybridSketch, HybridSpec, HybridTheory, Weight, best, maximum, pair_parts, pairs, sphere_pair,
};
use attnlab::attention::inputs::Distribution;
use attnlab::attention::kernel;
use attnlab::attention::linear::linear;
use attnlab::attention::spikiness::Exact;
use attnlab::attention::{FeatureMap, Inputs, Projection, Sketch};
use attnlab::lab::{Control, Event, Params, Row, RunContext};
use attnlab::problems;
use attnlab::random::generator;
use kept::Kept;
use ndarray::{Array1, Array2, Array4, Axis, array, s};
use proptest::prelude::*;
use rand::Rng;
use said::said;
use std::f64::consts::PI;
use std::path::Path;
use std::sync::Arc;

fn spec(first: FeatureMap, weight: (f64, f64)) -> HybridSpec {
    HybridSpec {
        first,
        projection: Projection::Gaussian,
        m1: 8,
        m2: 8,
        n: 4,
        weight: Weight { a: weight.0, b: weight.1 },
        shared: false,
    }
}

/// The mean squared error of exp(x·y) in closed form.
fn mse(spec: &HybridSpec, x: &Array1<f64>, y: &Array1<f64>) -> f64 {
    let parts = pair_parts(spec, x.view(), y.view()).unwrap();
    parts.relative_mse(spec.weight, spec.n as f64) * (2.0 * x.dot(y)).exp()
}

#[test]
fn closed_forms_have_their_known_values() {
    let e1 = array![1.0, 0.0, 0.0, 0.0];
    let at_60 = array![0.5, 0.75_f64.sqrt(), 0.0, 0.0];
    let at_150 = array![(5.0 * PI / 6.0).cos(), (5.0 * PI / 6.0).sin(), 0.0, 0.0] * 0.8;
    let cases = [
        (FeatureMap::Positive, (0.0, 1.0), e1.clone(), at_60.clone(), 1.17309598),
        (FeatureMap::Hyperbolic, (0.0, 1.0), e1.clone(), at_60.clone(), 0.605774989),
        (FeatureMap::Positive, (0.1, 0.8), e1.clone(), at_60.clone(), 1.18302564),
        (FeatureMap::Hyperbolic, (0.1, 0.8), e1.clone(), at_60, 0.604358232),
        (FeatureMap::Positive, (0.1, 0.8), e1.clone(), e1.clone(), 0.495049672),
        (FeatureMap::Hyperbolic, (0.1, 0.8), e1.clone(), e1.clone(), 0.242991260),
        (FeatureMap::Positive, (0.0, 1.0), &e1 * 0.8, at_150.clone(), 0.0172167099),
        (FeatureMap::Hyperbolic, (0.0, 1.0), &e1 * 0.8, at_150.clone(), 0.0120325914),
        (FeatureMap::Hyperbolic, (0.1, 0.8), &e1 * 0.8, at_150, 0.0145870030),
        (FeatureMap::Hyperbolic, (0.0, 1.0), e1.clone(), &e1 * 1.3, 6.82061943e-3),
        // The roles of the parts swapped: unbiased, and worst where it should be best.
        (FeatureMap::Hyperbolic, (1.0, -1.0), e1.clone(), e1, 24.2991260),
    ];
    for (first, weight, x, y, expected) in cases {
        let found = mse(&spec(first.clone(), weight), &x, &y);
        assert!((found / expected - 1.0).abs() < 1e-7, "{first:?} {weight:?} {y}: {found} against {expected}");
    }
}

#[test]
fn sharing_projections_is_free_on_a_sphere() {
    let (x, y) = sphere_pair(4, 1.0, PI / 3.0);
    for first in [FeatureMap::Positive, FeatureMap::Hyperbolic] {
        let apart = spec(first, (0.0, 1.0));
        let shared = HybridSpec { shared: true, ..apart.clone() };
        assert_eq!(mse(&apart, &x, &y), mse(&shared, &x, &y));
    }
}

#[test]
fn low_rank_forms_are_the_definition() {
    let mut rng = generator(5, "test", 0);
    let x = Projection::Gaussian.draw(6, 5, &mut rng).unwrap() * 0.5;
    let y = Projection::Gaussian.draw(6, 5, &mut rng).unwrap() * 0.5;
    for first in [FeatureMap::Positive, FeatureMap::Hyperbolic] {
        for (weight, shared, n) in [((0.0, 1.0), false, 3), ((0.3, -0.7), true, 4), ((1.2, 0.4), false, 0)] {
            let spec = HybridSpec { shared, n, ..spec(first.clone(), weight) };
            let drawn = spec.draw(5, &mut rng).unwrap();
            assert_eq!(drawn.features(), spec.features());
            let defined = drawn.pairs(x.view(), y.view()).unwrap();
            let close = |found: Array1<f64>| (&found - &defined).iter().all(|off| off.abs() < 1e-12);
            assert!(close(pairs(&drawn, x.view(), y.view()).unwrap()), "{weight:?}");
            assert!(close(drawn.matrix(x.view(), y.view()).unwrap().diag().to_owned()), "{weight:?}");
        }
    }
}

/// Relative errors of `trials` fresh draws for one pair.
fn errors(spec: &HybridSpec, x: &Array1<f64>, y: &Array1<f64>, trials: u64) -> Vec<f64> {
    let (x, y) = (x.view().insert_axis(Axis(0)), y.view().insert_axis(Axis(0)));
    let exact = (&x * &y).sum().exp();
    (0..trials)
        .map(|trial| {
            spec.draw(x.ncols(), &mut generator(11, "hybrid test", trial)).unwrap().pairs(x, y).unwrap()[0] / exact
                - 1.0
        })
        .collect()
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

#[test]
fn fresh_draws_agree_with_theory() {
    for (first, weight, shared, projection) in [
        (FeatureMap::Positive, (0.0, 1.0), false, Projection::Gaussian),
        (FeatureMap::Hyperbolic, (0.1, 0.8), false, Projection::Gaussian),
        (FeatureMap::Hyperbolic, (0.0, 1.0), true, Projection::Gaussian),
        (FeatureMap::Hyperbolic, (0.0, 1.0), false, Projection::Orthogonal),
    ] {
        for angle in [0.4, 1.6, 2.6] {
            let (x, mut y) = sphere_pair(4, 0.7, angle);
            // Off the sphere as well, where shared projections have a covariance.
            y *= 0.9;
            let spec = HybridSpec { shared, projection, ..spec(first.clone(), weight) };
            let errors = errors(&spec, &x, &y, 40_000);
            let (bias, bias_error) = mean_and_error(&errors);
            assert!(bias.abs() < 4.5 * bias_error, "{first:?} {angle}: bias {bias} ± {bias_error}");
            let squares: Vec<_> = errors.iter().map(|error| error * error).collect();
            let (found, found_error) = mean_and_error(&squares);
            let theory = pair_parts(&spec, x.view(), y.view()).unwrap().relative_mse(spec.weight, 4.0);
            let allowed = (4.5 * found_error).max(0.03 * theory);
            assert!(
                (found - theory).abs() < allowed,
                "{first:?} {projection:?} {angle}: {found} ± {found_error}, theory {theory}"
            );
        }
    }
}

#[test]
fn both_ends_are_exact_with_the_angle_as_weight() {
    for first in [FeatureMap::Positive, FeatureMap::Hyperbolic] {
        for (angle, shared, n) in [(0.0, false, 1), (PI, false, 1), (0.0, true, 4), (PI, true, 4)] {
            let (x, y) = sphere_pair(8, 1.5, angle);
            let spec = HybridSpec { shared, n, ..spec(first.clone(), (0.0, 1.0)) };
            assert!(errors(&spec, &x, &y, 200).iter().all(|error| error.abs() < 1e-12), "{first:?} at {angle}");
            assert_eq!(mse(&spec, &x, &y), 0.0);
        }
    }
}

#[test]
fn the_best_weight_and_the_maxima_are_the_known_ones() {
    // m·relMSE with as good as infinitely many sign features: (radius, trig alone, (0,1), best b, best).
    for (radius, alone, angle, b, reached) in
        [(0.5, 0.543, 0.0638, 0.46, 0.0638), (1.0, 26.3, 1.38, 0.92, 1.38), (1.5, 4051.0, 70.1, 1.21, 44.3)]
    {
        let spec = HybridSpec { n: 1_000_000_000, ..spec(FeatureMap::Hyperbolic, (0.0, 1.0)) };
        let m = 8.0;
        let near = |found: f64, expected: f64, tolerance: f64| (found / expected - 1.0).abs() < tolerance;
        let single = HybridSpec { weight: Weight { a: 0.0, b: 0.0 }, ..spec.clone() };
        let found = maximum(&single, 16, radius).unwrap() * m;
        assert!(near(found, alone, 5e-3), "R={radius}: trigonometric alone {found}");
        let found = maximum(&spec, 16, radius).unwrap() * m;
        assert!(near(found, angle, 1e-2), "R={radius}: (0,1) {found}");
        let best = best(&spec, 16, radius, None).unwrap();
        assert!(near(best.maximum * m, reached, 1e-2), "R={radius}: best {best:?}");
        // The two parts are mirror images, so is the best weight; below R = 1 many b reach the same.
        if radius > 1.1 {
            assert!((best.weight.b - b).abs() < 0.02, "R={radius}: {best:?}");
            assert!((best.weight.a - (0.5 - best.weight.b / 2.0)).abs() < 0.01, "R={radius}: {best:?}");
        }
    }
}

/// Angular hybrid random features have a smaller largest error than either part at equal m (Choromanski et al. 2022).
#[test]
fn the_largest_error_is_below_that_of_both_parts() {
    for (n, factor) in [(1, 7.0), (4, 14.0), (16, 17.0)] {
        let hybrid = HybridSpec { n, ..spec(FeatureMap::Hyperbolic, (0.0, 1.0)) };
        let part = |a: f64| {
            let alone = HybridSpec { weight: Weight { a, b: 0.0 }, ..hybrid.clone() };
            maximum(&alone, 16, 1.0).unwrap()
        };
        let smaller = part(0.0).min(part(1.0));
        assert!(maximum(&hybrid, 16, 1.0).unwrap() * factor < smaller, "n={n}");
    }
}

/// `docs/proof-hybrid.md`, theorem 6, and that it is about small spheres.
#[test]
fn the_plain_average_has_the_smaller_largest_error_on_small_spheres() {
    let largest = |weight, projections: usize, n, radius: f64| {
        let spec = HybridSpec { m1: projections, m2: projections, n, ..spec(FeatureMap::Hyperbolic, weight) };
        maximum(&spec, 16, radius).unwrap()
    };
    for n in [1, 2, 4, 8] {
        let average = |radius: f64| largest((0.5, 0.0), 8 * (n + 1), n, radius);
        let hybrid = |radius: f64| largest((0.0, 1.0), 8, n, radius);
        for radius in [0.3_f64, 0.6, 0.9] {
            let bound = ((n + 1) * (n + 1)) as f64 / (2 * n) as f64;
            assert!((radius * radius).cosh().powi(2) <= bound);
            assert!(average(radius) <= hybrid(radius), "n={n}, R={radius}");
            let closed = (2.0 * radius * radius).sinh().powi(2) / (2 * (n + 1) * 8) as f64;
            assert!((average(radius) / closed - 1.0).abs() < 1e-3, "n={n}, R={radius}: {}", average(radius));
        }
        assert!(average(1.75) > hybrid(1.75), "n={n}");
    }
}

fn cluster() -> Inputs {
    Distribution::Cluster { radius: 0.8, centres: 3 }.draw(14, 6, &mut generator(2, "hybrid inputs", 0)).unwrap()
}

#[test]
fn a_hybrid_is_measured_on_a_whole_matrix_as_theory_expects() {
    let inputs = cluster();
    let matrix = kernel::exact(&inputs).unwrap();
    let norm = (&matrix * &matrix).sum();
    let exact = Exact::survey(&inputs, &|| false).unwrap();
    let engine = FrobeniusEngine::new(&inputs, &exact, Precision::Auto).unwrap();
    for projection in [Projection::Gaussian, Projection::Orthogonal] {
        let spec = HybridSpec { projection, ..spec(FeatureMap::Hyperbolic, (0.0, 1.0)) };
        let measured: Vec<f64> = (0..4000)
            .map(|trial| {
                let sketch = spec.draw(6, &mut generator(4, "matrix", trial)).unwrap();
                let measure = engine.measure_sketch(&sketch, &|| false).unwrap().measures[0];
                if trial < 3 {
                    let estimate = sketch.matrix(inputs.queries.view(), inputs.keys.view()).unwrap();
                    let direct = (&estimate - &matrix).mapv(|off| off * off).sum() / norm;
                    assert!((measure.relative_squared / direct - 1.0).abs() < 1e-9);
                    assert!((measure.ratio - (&estimate * &matrix).sum() / norm).abs() < 1e-9);
                }
                measure.relative_squared
            })
            .collect();
        let (found, error) = mean_and_error(&measured);
        let theory = HybridTheory::new(&spec, 6).unwrap().relative_mse(&inputs, &|| false).unwrap();
        let allowed = (4.5 * error).max(0.03 * theory);
        assert!((found - theory).abs() < allowed, "{projection:?}: {found} ± {error}, theory {theory}");
    }
}

#[test]
fn linear_attention_takes_a_hybrid_like_any_other_features() {
    let inputs = cluster();
    let values = Projection::Gaussian.draw(14, 3, &mut generator(7, "values", 0)).unwrap();
    let sketch = HybridSpec { n: 2, m1: 400, m2: 400, ..spec(FeatureMap::Positive, (0.0, 1.0)) }
        .draw(6, &mut generator(7, "hybrid", 0))
        .unwrap();
    let single = |matrix: Array2<f64>| matrix.mapv(|value| value as f32);
    let (queries, keys) =
        (single(sketch.queries(inputs.queries.view()).unwrap()), single(sketch.keys(inputs.keys.view()).unwrap()));
    let output = linear(&queries.view(), &keys.view(), single(values.clone()).view(), false).unwrap();
    let matrix = sketch.matrix(inputs.queries.view(), inputs.keys.view()).unwrap();
    let expected = matrix.dot(&values) / matrix.sum_axis(Axis(1)).insert_axis(Axis(1));
    for (found, expected) in output.values.iter().zip(&expected) {
        assert!((f64::from(*found) - expected).abs() < 1e-3, "{found} {expected}");
    }
}

#[test]
fn random_features_offers_the_hybrid() {
    let problem = problems::find("random-features").unwrap();
    let with = |changes: &[(&str, &str)]| Params::with(&problem.schema(), changes).unwrap();
    let changes = [
        ("estimator", "trigonometric,hybrid"),
        ("projection", "gaussian,orthogonal"),
        ("m", "4,8"),
        ("length", "30"),
        ("dim", "6"),
        ("trials", "10"),
        ("hybrid_n", "3"),
    ];
    let params = with(&changes);
    problem.check(&params).unwrap();
    let (kept, folder) = (Kept::default(), tempfile::tempdir().unwrap());
    let mut context = RunContext::new(0, folder.path(), Arc::new(Control::default()), vec![Box::new(kept.clone())]);
    problem.run(&params, &mut context).unwrap();
    let rows: Vec<Row> = kept
        .0
        .lock()
        .unwrap()
        .iter()
        .filter_map(|event| match event {
            Event::Row { row } => Some(row.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(rows.len(), 8);
    for row in rows.iter().filter(|row| row["estimator"] == "hybrid") {
        // (n + 1)(2m + 2m) columns.
        assert_eq!(row["features"].as_u64().unwrap(), 16 * row["m"].as_u64().unwrap());
        assert!(row["rel_mse_theory"].as_f64().unwrap() > 0.0);
        assert_eq!(row["precision"], "f64");
    }
    for (key, value) in [("projection", "rademacher"), ("nested", "yes"), ("precision", "f32")] {
        let refused = problem.check(&with(&[("estimator", "hybrid"), (key, value)])).unwrap_err();
        assert_eq!(refused.key, key);
    }
}

/// The rows of a run of the problem with these settings; `@` stands for the folder of the files.
fn rows_of(settings: &[(&str, &str)], folder: &Path) -> Vec<Row> {
    let events = said("hybrid", settings, folder);
    let rows = events.iter().filter_map(|event| match event {
        Event::Row { row } => Some(row.clone()),
        _ => None,
    });
    rows.collect()
}

#[test]
fn plain_averages_have_the_error_of_both_parts_over_four() {
    let folder = tempfile::tempdir().unwrap();
    for (shared, budget) in [("no", "projections"), ("yes", "projections"), ("no", "features")] {
        let settings = [
            ("base", "hyperbolic,trigonometric,average-hyperbolic,hybrid-hyperbolic"),
            ("radius", "0.4"),
            ("angles", "3"),
            ("dim", "4"),
            ("m1", "6"),
            ("m2", "6"),
            ("n", "2"),
            ("trials", "20000"),
            ("shared", shared),
            ("budget", budget),
        ];
        let rows = rows_of(&settings, folder.path());
        let number = |row: &Row, key: &str| row[key].as_f64().unwrap();
        let of = |base: &str| rows.iter().filter(move |row| row["base"] == base).collect::<Vec<_>>();
        let [first, second, average, hybrid] =
            ["hyperbolic", "trigonometric", "average-hyperbolic", "hybrid-hyperbolic"].map(of);
        let equal_features = budget == "features";
        for place in 0..3 {
            let (mine, theory) = (average[place], number(average[place], "rel_mse_theory"));
            // Errors of equal lengths have no covariance; single estimators have the features of the whole hybrid, twice those of a part.
            let parts = number(first[place], "rel_mse_theory") + number(second[place], "rel_mse_theory");
            let expected = if equal_features { 2.0 * parts / 4.0 } else { parts / 4.0 };
            assert!((theory - expected).abs() < 1e-9 * expected.max(1e-3), "{theory} for {expected}");
            let (found, error) = (number(mine, "rel_mse_mean"), number(mine, "rel_mse_sem"));
            assert!((found - theory).abs() < (4.5 * error).max(0.03 * theory), "{found} ± {error} for {theory}");
            assert!((number(mine, "mean_ratio") - 1.0).abs() < 4.5 * number(mine, "mean_ratio_sem") + 1e-12);
            assert_eq!((number(mine, "a"), number(mine, "b"), mine["n"].as_u64()), (0.5, 0.0, Some(0)));
            let features = if equal_features { hybrid[place]["features"].as_u64() } else { Some(24) };
            assert_eq!(mine["features"].as_u64(), features);
            assert!(number(mine, "estimate_bytes") > 0.0 && number(mine, "seconds_per_trial") > 0.0);
        }
    }
}

#[test]
fn queries_are_paired_with_the_keys_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = generator(3, "files", 0);
    let mut array = |heads| Array4::from_shape_simple_fn((2, heads, 10, 4), || rng.random::<f64>() - 0.5);
    let (queries, keys) = (array(4), array(2));
    let write = |name: &str, array: &Array4<f64>| ndarray_npy::write_npy(folder.path().join(name), array).unwrap();
    write("q.npy", &queries);
    write("k.npy", &keys);
    let files = [("inputs", "file"), ("queries", "@/q.npy"), ("keys", "@/k.npy"), ("layer", "1"), ("head", "3")];
    let some = [("pairs", "6"), ("trials", "20"), ("base", "hyperbolic")];
    let rows = rows_of(&[&files[..], &some].concat(), folder.path());
    assert_eq!(rows.len(), 6);
    // Heads 2 and 3 share the second head of the keys.
    let head = |array: &Array4<f64>, head: usize| array.slice(s![1, head, ..6, ..]).to_owned();
    let (x, y) = (head(&queries, 3), head(&keys, 1));
    for (row, (x, y)) in rows.iter().zip(x.rows().into_iter().zip(y.rows())) {
        assert_eq!((&row["layer"], &row["head"], &row["dim"]), (&1.into(), &3.into(), &4.into()));
        assert!(row["source"].as_str().unwrap().ends_with("q.npy"));
        let angle = (x.dot(&y) / (x.dot(&x) * y.dot(&y)).sqrt()).acos();
        assert!((row["angle"].as_f64().unwrap() - angle).abs() < 1e-12);
    }
    // The same pairs given directly, scaled by hand: theory is the same.
    for (name, side) in [("x.npy", &x), ("y.npy", &y)] {
        ndarray_npy::write_npy(folder.path().join(name), &(side / 4_f64.powf(0.25))).unwrap();
    }
    let direct = [("inputs", "file"), ("x", "@/x.npy"), ("y", "@/y.npy"), ("trials", "20"), ("base", "hyperbolic")];
    let theory = |row: &Row| row["rel_mse_theory"].as_f64().unwrap();
    for (row, direct) in rows.iter().zip(rows_of(&direct, folder.path())) {
        assert!((theory(row) / theory(&direct) - 1.0).abs() < 1e-9);
        assert!(direct["source"].as_str().unwrap().ends_with("x.npy") && direct["layer"].is_null());
    }
    let unscaled = rows_of(&[&files[..], &some, &[("scale", "none")]].concat(), folder.path());
    assert!(theory(&unscaled[0]) != theory(&rows[0]));
}

#[test]
fn what_draws_cannot_show_has_no_standard_error() {
    let folder = tempfile::tempdir().unwrap();
    let some = [("trials", "100"), ("angles", "3"), ("base", "hyperbolic,trigonometric,hybrid-hyperbolic")];
    for (radius, expected) in [("0.5", [true; 9]), ("3", [false, false, true, true, true, true, true, true, true])] {
        let rows = rows_of(&[&some[..], &[("radius", radius)]].concat(), folder.path());
        for (row, expected) in rows.iter().zip(expected) {
            // At an angle of 0 the hybrid is exact; elsewhere it has as heavy a tail as its first part.
            let is_hybrid = row["base"] == "hybrid-hyperbolic";
            if !is_hybrid {
                assert_eq!(row["observable"], expected, "{row:?}");
            }
            let hidden = row["observable"] == false;
            assert_eq!(
                [&row["rel_mse_sem"], &row["mean_ratio_sem"]].map(|error| error.is_null()),
                [hidden; 2],
                "{row:?}"
            );
        }
        assert_eq!(rows[6]["observable"], true);
    }
}

#[test]
fn every_distribution_gives_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let some = [("pairs", "5"), ("length", "9"), ("trials", "10"), ("dim", "6"), ("base", "positive")];
    for inputs in ["gauss", "sphere", "lognorm", "planted", "cluster", "hub", "outlier", "band"] {
        let rows = rows_of(&[&some[..], &[("inputs", inputs)]].concat(), folder.path());
        assert_eq!(rows.len(), 5, "{inputs}");
    }
    let rows = rows_of(&[&some[..], &[("inputs", "sphere"), ("radius", "0.5,1")]].concat(), folder.path());
    assert_eq!(rows.iter().filter(|row| row["radius"] == 0.5).count(), 5);
    assert_eq!(rows.len(), 10);
    let problem = problems::find("hybrid").unwrap();
    for (settings, key) in [
        (&[("inputs", "gauss"), ("pairs", "65")][..], "pairs"),
        (&[("inputs", "gauss"), ("a", "auto")], "a"),
        (&[("inputs", "file")], "queries"),
        (&[("inputs", "file"), ("x", "x.npy")], "y"),
        (&[("inputs", "file"), ("x", "x.npy"), ("y", "y.npy"), ("keys", "k.npy")], "keys"),
        (&[("inputs", "file"), ("x", "x.npy"), ("y", "y.npy"), ("pairs", "3")], "pairs"),
    ] {
        let refused = problem.check(&Params::with(&problem.schema(), settings).unwrap()).unwrap_err();
        assert_eq!(refused.key, key, "{settings:?}");
    }
}

proptest! {
    #[test]
    fn theory_is_never_negative(angle in 0.0..PI, radius in 0.05..2.0, a in -1.0..1.5, b in -1.5..1.5, n in 0_usize..9) {
        let (x, y) = sphere_pair(6, radius, angle);
        for first in [FeatureMap::Positive, FeatureMap::Hyperbolic] {
            let spec = HybridSpec { n, ..spec(first, (a, b)) };
            let parts = pair_parts(&spec, x.view(), y.view()).unwrap();
            prop_assert!(parts.relative_mse(spec.weight, n as f64) >= 0.0);
        }
    }

    #[test]
    fn rows_do_not_see_each_other(seed in 0_u64..1000) {
        let mut rng = generator(seed, "rows", 0);
        let x = Projection::Gaussian.draw(3, 4, &mut rng).unwrap();
        let y = Projection::Gaussian.draw(3, 4, &mut rng).unwrap();
        let drawn: HybridSketch = spec(FeatureMap::Positive, (0.0, 1.0)).draw(4, &mut rng).unwrap();
        let together: Array2<f64> = drawn.queries(x.view()).unwrap();
        let alone = drawn.queries(x.slice(ndarray::s![1..2, ..])).unwrap();
        let same = together.row(1).iter().zip(alone.row(0)).all(|(a, b)| (a - b).abs() < 1e-12 * (1.0 + a.abs()));
        prop_assert!(same);
        prop_assert_eq!(drawn.pairs(x.view(), y.view()).unwrap().len(), 3);
    }
}
