//! Baselines of the attention matrix against known answers, and the rows and curves of a run with them.

#[path = "support/kept.rs"]
mod kept;
#[path = "support/measured.rs"]
mod measured;

use attnlab::attention::baseline::{NystromFeatures, Spectrum, k_means, largest_entries, random_tokens};
use attnlab::attention::frobenius::{FrobeniusEngine, Precision};
use attnlab::attention::inputs::Distribution;
use attnlab::attention::kernel::exact;
use attnlab::attention::spikiness::Exact;
use attnlab::attention::{FeatureMap, Inputs, Projection, RandomFeatures, Sketch};
use attnlab::lab::{Control, Event, Params, Problem, Row, RunContext};
use attnlab::problems;
use attnlab::random::generator;
use kept::Kept;
use measured::forget_measured;
use ndarray::{Array2, Axis, concatenate};
use std::sync::Arc;

fn never() -> bool {
    false
}

/// Queries and keys of independent normal coordinates.
fn normal(queries: usize, keys: usize, dim: usize, sigma: f64) -> Inputs {
    let draw = |count, seed| {
        let tokens = Projection::Gaussian.draw(count, dim, &mut generator(seed, "tokens", 0)).unwrap();
        tokens * sigma
    };
    Inputs::new(draw(queries, 1), draw(keys, 2)).unwrap()
}

/// The peak exponent and the error of an estimate that is stored whole.
fn error_of(inputs: &Inputs, estimate: &Array2<f64>) -> f64 {
    let a = exact(inputs).unwrap();
    let norm = |m: &Array2<f64>| m.iter().map(|value| value * value).sum::<f64>();
    (norm(&(estimate - &a)) / norm(&a)).sqrt()
}

#[track_caller]
fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} for {expected}");
}

#[test]
fn matrices_of_rank_one_have_no_error_from_one_feature_on() {
    // x·y = 0 everywhere, with a factor for each row: A_ij = exp(r_i).
    let mut inputs = normal(7, 5, 3, 1.0);
    inputs.keys.fill(0.0);
    inputs.row_exponents = (0..7).map(|i| f64::from(i) * 0.3).collect();
    let spectrum = Spectrum::of(&inputs, 1.8).unwrap();
    near(spectrum.relative_squared(0), 1.0, 0.0);
    for m in 1..6 {
        near(spectrum.relative_squared(m), 0.0, 1e-28);
    }
    assert_eq!(spectrum.relative_squared(5), 0.0);
    assert_eq!(spectrum.relative_squared(500), 0.0);
}

#[test]
fn a_diagonal_matrix_loses_its_smallest_entries() {
    // Orthogonal tokens, so long that what is off the diagonal is nothing beside it: exp(30 − i) on it, 1 off it.
    let n = 6;
    let tokens = Array2::from_shape_fn((n, n), |(i, j)| if i == j { (30.0 - i as f64).sqrt() } else { 0.0 });
    let inputs = Inputs::new(tokens.clone(), tokens).unwrap();
    let spectrum = Spectrum::of(&inputs, 30.0).unwrap();
    let squares: Vec<f64> = (0..n).map(|i| (2.0 * (30.0 - i as f64)).exp()).collect();
    let total: f64 = squares.iter().sum();
    let errors = largest_entries(&inputs, 30.0, &[0, 1, n], &never).unwrap();
    for m in 0..n {
        near(spectrum.relative_squared(m) / (squares[m..].iter().sum::<f64>() / total), 1.0, 1e-8);
    }
    // One entry a row is nearly all of it.
    near(errors[0].relative, 1.0, 1e-12);
    assert!(errors[1].relative < 1e-10, "{errors:?}");
    assert_eq!((errors[2].relative, errors[2].normalized_squared), (0.0, 0.0));
    assert_eq!(errors[1].nonpositive_entries, 5.0 / 6.0);
}

#[test]
fn the_limit_is_the_tail_of_the_squared_singular_values() {
    // The eigenvalues of AᵀA by its trace and determinant, for two keys.
    let inputs = normal(9, 2, 4, 0.7);
    let a = exact(&inputs).unwrap();
    let gram = a.t().dot(&a);
    let (trace, determinant) = (gram[[0, 0]] + gram[[1, 1]], gram[[0, 0]] * gram[[1, 1]] - gram[[0, 1]].powi(2));
    let smallest = trace / 2.0 - (trace * trace / 4.0 - determinant).sqrt();
    let spectrum = Spectrum::of(&inputs, 0.0).unwrap();
    near(spectrum.relative_squared(1) / (smallest / trace), 1.0, 1e-9);
    near(spectrum.measure(1).ratio, 1.0 - smallest / trace, 1e-12);
}

#[test]
fn landmarks_that_hold_every_key_or_every_query_are_exact() {
    let inputs = normal(10, 14, 6, 0.8);
    for landmarks in [inputs.keys.clone(), inputs.queries.clone()] {
        let estimate =
            NystromFeatures::new(landmarks).unwrap().matrix(inputs.queries.view(), inputs.keys.view()).unwrap();
        assert!(error_of(&inputs, &estimate) < 1e-8);
    }
    // All tokens are drawn where as many are asked for, or more; a token that stands twice does no harm.
    let rng = &mut generator(3, "landmarks", 0);
    for m in [24, 50] {
        let drawn = random_tokens(&inputs, m, rng);
        assert_eq!(drawn.nrows(), 24);
        let twice = concatenate(Axis(0), &[drawn.view(), drawn.view()]).unwrap();
        for landmarks in [drawn, twice] {
            let features = NystromFeatures::new(landmarks).unwrap();
            let estimate = features.matrix(inputs.queries.view(), inputs.keys.view()).unwrap();
            assert!(error_of(&inputs, &estimate) < 1e-8, "{m}");
        }
    }
    let one = NystromFeatures::new(inputs.keys.slice(ndarray::s![..1, ..]).to_owned()).unwrap();
    let estimate = one.matrix(inputs.queries.view(), inputs.keys.view()).unwrap();
    // K(x, z) K(z, y)/K(z, z) for the one landmark z.
    let z = inputs.keys.row(0);
    let expected = (inputs.queries.row(3).dot(&z) + z.dot(&inputs.keys.row(7)) - z.dot(&z)).exp();
    near(estimate[[3, 7]] / expected, 1.0, 1e-12);
}

#[test]
fn k_means_finds_centres_that_are_far_apart() {
    let centres = [[4.0, 0.0], [0.0, 4.0], [-4.0, -4.0]];
    let tokens = Array2::from_shape_fn((30, 2), |(i, j)| centres[i % 3][j] + 0.01 * (i as f64 - 15.0));
    let inputs = Inputs::new(tokens.clone(), tokens).unwrap();
    let close = |found: &Array2<f64>| {
        centres.iter().all(|c| found.rows().into_iter().any(|row| (row[0] - c[0]).hypot(row[1] - c[1]) < 0.2))
    };
    // Lloyd's rounds may end in a poor place; of ten beginnings some do not.
    let found =
        (0..10).filter(|&trial| close(&k_means(&inputs, 3, &mut generator(5, "centres", trial), &never).unwrap()));
    assert!(found.count() >= 2);
    assert!(k_means(&inputs, 3, &mut generator(5, "centres", 0), &|| true).is_err());
}

#[test]
fn kept_entries_have_the_error_of_what_is_dropped() {
    let inputs = normal(8, 12, 5, 0.9);
    let a = exact(&inputs).unwrap();
    let peak = a.iter().copied().fold(0.0, f64::max).ln();
    let ms = [0, 1, 5, 12, 40];
    for (found, m) in largest_entries(&inputs, peak, &ms, &never).unwrap().iter().zip(ms) {
        let mut kept = a.clone();
        for mut row in kept.rows_mut() {
            let mut sorted = row.to_vec();
            sorted.sort_by(|a, b| b.total_cmp(a));
            let least = if m == 0 { f64::INFINITY } else { sorted[m.min(12) - 1] };
            row.mapv_inplace(|value| if value >= least { value } else { 0.0 });
        }
        near(found.relative, error_of(&inputs, &kept), 1e-12);
        let share = |m: &Array2<f64>| {
            let sums = m.sum_axis(Axis(1)).mapv(|sum| if sum > 0.0 { sum } else { 1.0 });
            m / &sums.insert_axis(Axis(1))
        };
        let (left, right) = (share(&kept), share(&a));
        let norm = |m: Array2<f64>| m.iter().map(|value| value * value).sum::<f64>();
        near(found.normalized_squared, norm(&left - &right) / norm(right.clone()), 1e-12);
    }
}

#[test]
fn nothing_of_rank_m_is_below_the_limit() {
    let inputs = normal(40, 32, 6, 0.8);
    let survey = Exact::survey(&inputs, &never).unwrap();
    let engine = FrobeniusEngine::new(&inputs, &survey, Precision::Double).unwrap();
    let spectrum = Spectrum::of(&inputs, survey.peak).unwrap();
    let mut before = 1.0;
    for m in [1, 2, 4, 8, 16, 31] {
        let limit = spectrum.relative_squared(m).sqrt();
        assert!(limit < before);
        before = limit;
        let rng = &mut generator(9, "landmarks", m as u64);
        let random = NystromFeatures::new(random_tokens(&inputs, m, rng)).unwrap();
        let centres = NystromFeatures::new(k_means(&inputs, m, rng, &never).unwrap()).unwrap();
        let projections = Projection::Orthogonal.draw(m, 6, rng).unwrap();
        let features = RandomFeatures { map: FeatureMap::Positive, projections };
        let of = |sketch: &dyn Fn() -> f64| sketch();
        for error in [
            of(&|| engine.measure_sketch(&random, &never).unwrap().measures[0].relative),
            of(&|| engine.measure_sketch(&centres, &never).unwrap().measures[0].relative),
            of(&|| engine.measure_sketch(&features, &never).unwrap().measures[0].relative),
        ] {
            assert!(limit <= error, "m = {m}: {error} below {limit}");
        }
    }
}

/// Runs Random features on small drawn inputs: its rows, notes and series by plot.
fn run(changes: &[(&str, &str)]) -> (Vec<Row>, Vec<String>, Vec<(String, String)>) {
    let problem: &'static dyn Problem = problems::find("random-features").unwrap();
    let small = [("length", "40"), ("dim", "8"), ("trials", "4"), ("m", "4,16"), ("projection", "gaussian")];
    let params = Params::with(&problem.schema(), &[&small[..], changes].concat()).unwrap();
    problem.check(&params).unwrap();
    let (kept, folder) = (Kept::default(), tempfile::tempdir().unwrap());
    let mut context = RunContext::new(7, folder.path(), Arc::new(Control::default()), vec![Box::new(kept.clone())]);
    problem.run(&params, &mut context).unwrap();
    let (mut rows, mut notes, mut series) = (Vec::new(), Vec::new(), Vec::new());
    for event in kept.0.lock().unwrap().drain(..) {
        match event {
            Event::Row { row } => rows.push(row),
            Event::Note { text } => notes.push(text),
            Event::Series(one) => series.push((one.plot, one.id)),
            _ => {}
        }
    }
    assert_eq!(problem.estimate(&params).rows, rows.len());
    (rows, notes, series)
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].as_f64().unwrap_or(f64::NAN)
}

#[test]
fn a_run_has_rows_and_curves_of_its_baselines() {
    let all = [("baselines", "svd,nystrom,nystrom-k-means,top-k"), ("estimator", "positive,trigonometric")];
    let (rows, notes, series) = run(&all);
    // Ranks 4, 8, 16, 32: the features of both estimators.
    assert_eq!(rows.len(), 4 * 4 + 2 * 2, "{notes:?}");
    for row in &rows {
        let limit =
            rows.iter().find(|limit| limit["estimator"] == "svd" && limit["features"] == row["features"]).unwrap();
        let error = number(row, "rel_frobenius_median");
        if row["estimator"] != "top-k" {
            assert!(number(limit, "rel_frobenius_median") <= error, "{row:?}");
        }
        assert!(error.is_finite() && number(row, "estimate_bytes") > 0.0, "{row:?}");
        assert!(row["reason"].is_null());
    }
    assert_eq!(rows.last().unwrap()["estimator"], "trigonometric", "the last row is one of an estimator");
    assert_eq!(number(&rows[0], "estimate_bytes"), 8.0 * 4.0 * 80.0);
    let has = |plot: &str, id: &str| series.contains(&(plot.to_owned(), id.to_owned()));
    assert!(
        has("error", "svd") && has("time", "nystrom/time") && has("memory", "positive gaussian/memory"),
        "{series:?}"
    );
    assert!(has("normalized", "top-k/normalized") && !has("normalized", "svd/normalized"), "{series:?}");
    // The rows of the estimators are what they are without baselines, but for the time they took.
    let (alone, _, _) = run(&all[1..]);
    for (with, mut without) in rows[16..].iter().zip(alone) {
        forget_measured(&mut without);
        for (key, value) in &without {
            assert_eq!(&with[key], value, "{key}");
        }
    }
}

#[test]
fn what_is_too_large_for_a_baseline_is_said() {
    let (rows, notes, _) = run(&[("baselines", "svd"), ("m", "8"), ("length", "1040"), ("trials", "1")]);
    assert_eq!(rows.len(), 2);
    let reason = rows[0]["reason"].as_str().unwrap();
    assert!(reason.contains("up to 1048576 entries are looked at (L = 1024)"), "{reason}");
    assert!(notes.iter().any(|note| note.contains(reason)), "{notes:?}");
    let (rows, notes, _) = run(&[("baselines", "svd"), ("length", "3")]);
    assert_eq!(rows.len(), 2);
    assert!(notes.iter().any(|note| note.contains("no baselines")), "{notes:?}");
}

#[test]
fn the_curve_of_sorted_entries_knows_how_spiky_a_matrix_is() {
    // Sorted logarithms and their histogram.
    for length in [40, 2100] {
        let inputs = normal(length, length, 4, 0.8);
        let survey = Exact::survey(&inputs, &never).unwrap();
        let energy = &survey.energy;
        assert!(energy.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1 + 1e-12), "{energy:?}");
        assert_eq!(energy.last(), Some(&(1.0, 1.0)));
        let n90 = survey.spikiness.n90;
        let place = energy.iter().position(|(_, held)| *held >= 0.9).unwrap();
        assert!(energy[place].0 >= n90 * 0.999 && energy[place - 1].0 <= n90 * 1.001, "{n90}: {energy:?}");
    }
}

#[test]
fn planted_matches_can_be_as_spiky_as_one_likes() {
    let inputs =
        Distribution::Planted { radius: 3.0, cosine: 0.95 }.draw(512, 64, &mut generator(0, "inputs", 0)).unwrap();
    let spikiness = Exact::survey(&inputs, &never).unwrap().spikiness;
    assert!(spikiness.n90 < 0.002 && spikiness.max_over_median > 4000.0, "{spikiness:?}");
}
