//! Random features against their closed forms: known values, identities, and fresh draws.

#[path = "support/kept.rs"]
mod kept;
#[path = "support/measured.rs"]
mod measured;

use attnlab::attention::frobenius::{DrawErrors, ErrorMeasure, FrobeniusEngine, Precision};
use attnlab::attention::inputs::Distribution;
use attnlab::attention::kernel::exact;
use attnlab::attention::spikiness::Exact;
use attnlab::attention::theory::{Moments, Theory, expectation, optimal};
use attnlab::attention::{Family, FeatureMap, Inputs, Projection, RandomFeatures, Sketch};
use attnlab::lab::{Control, Event, Params, Problem, Row, RunContext, RunError};
use attnlab::named::Named;
use attnlab::problems;
use attnlab::random::generator;
use candle_core::Device;
use kept::Kept;
use measured::forget_measured;
use ndarray::{Array2, Axis, array};
use rayon::prelude::*;
use std::sync::Arc;

fn first_pair() -> (Array2<f64>, Array2<f64>) {
    (array![[0.5, -0.2, 0.3, 0.1]], array![[0.2, 0.4, 0.1, -0.3]])
}

fn second_pair() -> (Array2<f64>, Array2<f64>) {
    (array![[1.2, 0.1, -0.1, 0.2, 0.0, 0.1, -0.2, 0.1]], array![[0.4, -0.1, 0.1, 0.1, 0.2, 0.0, -0.1, 0.1]])
}

fn gerf_star(x: &Array2<f64>, y: &Array2<f64>) -> FeatureMap {
    let z = x + y;
    FeatureMap::Gerf { a: optimal::gerf_a(x.ncols(), z.iter().map(|z| z * z).sum()) }
}

fn moments(map: &FeatureMap, projection: Projection, x: &Array2<f64>, y: &Array2<f64>) -> (Moments, usize, f64) {
    let theory = Theory::new(map, projection, x.ncols()).unwrap();
    let kernel = x.row(0).dot(&y.row(0)).exp();
    (theory.pair(x.row(0), y.row(0)), theory.block(), kernel)
}

#[track_caller]
fn close(found: f64, expected: f64, what: &str) {
    assert!((found / expected - 1.0).abs() < 6e-9, "{what}: {found} for {expected}");
}

fn never() -> bool {
    false
}

const POSITIVE: FeatureMap = FeatureMap::Positive;
const HYPERBOLIC: FeatureMap = FeatureMap::Hyperbolic;
const TRIGONOMETRIC: FeatureMap = FeatureMap::Trigonometric;

#[test]
fn closed_forms_have_their_known_values() {
    use Projection::*;
    let (x, y) = first_pair();
    let gerf = gerf_star(&x, &y);
    for (map, projection, mean, at_4, at_10) in [
        (&POSITIVE, Gaussian, 1.02020134, 2.79738870e-01, 1.11895548e-01),
        (&POSITIVE, Orthogonal, 1.02020134, 2.50850506e-01, 1.01880915e-01),
        (&POSITIVE, OrthogonalFixed, 1.00015649, 1.49201753e-01, 6.11945179e-02),
        (&POSITIVE, Simplex, 1.02020134, 1.16753030e-01, 5.53937902e-02),
        (&POSITIVE, Rademacher, 0.99995986, 1.72008749e-01, 6.90493302e-02),
        (&POSITIVE, Hadamard, 0.99995986, 1.48582208e-01, 6.09281293e-02),
        (&HYPERBOLIC, Gaussian, 1.02020134, 7.24650968e-02, 2.89860387e-02),
        (&HYPERBOLIC, Orthogonal, 1.02020134, 4.35767328e-02, 1.89714059e-02),
        (&HYPERBOLIC, OrthogonalFixed, 1.00015649, 5.27726213e-04, 1.72490725e-03),
        (&HYPERBOLIC, Simplex, 1.02020134, 5.63220346e-02, 2.33897772e-02),
        (&HYPERBOLIC, Rademacher, 0.99995986, 2.39162770e-02, 9.81234131e-03),
        (&HYPERBOLIC, Hadamard, 0.99995986, 4.89735906e-04, 1.69114041e-03),
        (&TRIGONOMETRIC, Gaussian, 1.02020134, 5.69306067e-02, 2.27722427e-02),
        (&TRIGONOMETRIC, Orthogonal, 1.02020134, 2.46020292e-02, 1.15650025e-02),
        (&TRIGONOMETRIC, OrthogonalFixed, 1.00019983, 5.98758046e-04, 2.49320250e-03),
        (&TRIGONOMETRIC, Simplex, 1.02020134, 3.88767451e-02, 1.65135706e-02),
        (&TRIGONOMETRIC, Rademacher, 1.00499180, 4.47713684e-02, 1.80473454e-02),
        (&TRIGONOMETRIC, Hadamard, 1.00499180, 5.63590901e-04, 2.72198255e-03),
        (&gerf, Gaussian, 1.02020134, 1.97926285e-01, 7.91705138e-02),
        (&gerf, Orthogonal, 1.02020134, 1.69037921e-01, 6.91558810e-02),
        (&gerf, Simplex, 1.02020134, 3.49404450e-02, 2.26687561e-02),
    ] {
        let (moments, block, kernel) = moments(map, projection, &x, &y);
        let what = format!("{map:?} on {}", projection.name());
        close(moments.mean_ratio * kernel, mean, &what);
        close(moments.relative_mse(4, block) * kernel * kernel, at_4, &what);
        close(moments.relative_mse(10, block) * kernel * kernel, at_10, &what);
    }
    let (x, y) = second_pair();
    let gerf = gerf_star(&x, &y);
    for (map, projection, m, mse) in [
        (&POSITIVE, Gaussian, 8, 5.52748356),
        (&POSITIVE, Rademacher, 8, 0.468116193),
        (&POSITIVE, Rademacher, 20, 0.321931637),
        (&POSITIVE, Orthogonal, 8, 4.93706555),
        (&gerf, Orthogonal, 8, 1.34627540),
        (&HYPERBOLIC, Orthogonal, 8, 2.01022748),
        (&TRIGONOMETRIC, Orthogonal, 8, 2.78377048e-02),
    ] {
        let (moments, block, kernel) = moments(map, projection, &x, &y);
        close(moments.relative_mse(m, block) * kernel * kernel, mse, &format!("{map:?} on {}", projection.name()));
    }
    for (map, mean) in [(&POSITIVE, 1.19150299), (&TRIGONOMETRIC, 1.59708464)] {
        let (moments, _, kernel) = moments(map, Rademacher, &x, &y);
        close(moments.mean_ratio * kernel, mean, "mean of ±1 rows");
    }
}

#[test]
fn optimal_generalised_features_have_their_known_error() {
    for (d, s, expected) in [(4, 1.0, 1.06635435), (16, 4.0, 17.2313654), (64, 16.0, 110477.250)] {
        let map = FeatureMap::Gerf { a: optimal::gerf_a(d, s) };
        close(Theory::new(&map, Projection::Gaussian, d).unwrap().radial(s).relative_mse(1, 1), expected, "gerf");
    }
}

#[test]
fn error_of_fixed_norms_is_monotone_on_whole_blocks_only() {
    let (x, y) = first_pair();
    let (moments, block, kernel) = moments(&HYPERBOLIC, Projection::OrthogonalFixed, &x, &y);
    let expected = [5.28e-4, 4.32e-3, 4.02e-3, 2.42e-3, 4.65e-4];
    for (m, expected) in (4..=8).zip(expected) {
        let found = moments.relative_mse(m, block) * kernel * kernel;
        assert!((found / expected - 1.0).abs() < 2e-3, "m = {m}: {found}");
    }
    for &projection in Projection::ALL {
        for map in [&POSITIVE, &HYPERBOLIC, &TRIGONOMETRIC] {
            let Ok(theory) = Theory::new(map, projection, 4) else { continue };
            let moments = theory.pair(x.row(0), y.row(0));
            let errors: Vec<f64> = (1..20).map(|blocks| moments.relative_mse(4 * blocks, theory.block())).collect();
            assert!(errors.windows(2).all(|pair| pair[1] < pair[0]), "{map:?} on {}", projection.name());
        }
    }
}

fn small_matrix() -> Inputs {
    Inputs::new(
        array![[0.5, -0.2, 0.3, 0.1], [0.1, 0.6, -0.4, 0.2]],
        array![[0.2, 0.4, 0.1, -0.3], [-0.5, 0.1, 0.2, 0.3], [0.6, 0.0, 0.1, 0.4]],
    )
    .unwrap()
}

fn expected_error(inputs: &Inputs, map: &FeatureMap, projection: Projection, m: usize) -> f64 {
    let survey = Exact::survey(inputs, &never).unwrap();
    let theory = Theory::new(map, projection, inputs.dim()).unwrap();
    expectation(&theory, inputs, &survey, &[m], 1, &never).unwrap()[0].relative_mse
}

#[test]
fn a_small_matrix_has_its_known_errors_and_spikiness() {
    let inputs = small_matrix();
    let survey = Exact::survey(&inputs, &never).unwrap();
    close(survey.norm_squared * (2.0 * survey.peak).exp(), 7.41315181, "norm");
    close(survey.spikiness.n90, 5.0 / 6.0, "N90");
    close(survey.spikiness.participation_ratio, 0.888194875, "participation ratio");
    close(survey.spikiness.max_over_median, 1.36233510, "max/median");
    use Projection::{Gaussian, Orthogonal, Rademacher};
    let gerf = FeatureMap::Gerf { a: -0.05 };
    for (map, projection, expected) in [
        (&POSITIVE, Gaussian, 0.309405130),
        (&POSITIVE, Orthogonal, 0.275585981),
        (&POSITIVE, Rademacher, 0.120433384),
        (&HYPERBOLIC, Gaussian, 0.113222780),
        (&HYPERBOLIC, Orthogonal, 0.0794036298),
        (&HYPERBOLIC, Rademacher, 0.0268567646),
        (&TRIGONOMETRIC, Gaussian, 0.0340366343),
        (&TRIGONOMETRIC, Orthogonal, 0.0141753996),
        (&TRIGONOMETRIC, Rademacher, 0.0269978668),
        (&gerf, Gaussian, 0.192297339),
        (&gerf, Orthogonal, 0.158478189),
    ] {
        let found = expected_error(&inputs, map, projection, 8);
        close(found, expected, &format!("{map:?} on {}", projection.name()));
    }
}

#[test]
fn binned_and_sorted_surveys_agree() {
    // The same matrix once sorted, once with its tokens repeated so often that the survey bins it.
    let inputs =
        Distribution::Planted { radius: 1.5, cosine: 0.9 }.draw(120, 16, &mut generator(5, "inputs", 0)).unwrap();
    let repeat = |tokens: &Array2<f64>| ndarray::concatenate(Axis(0), &[tokens.view(); 20]).unwrap();
    let many = Inputs::new(repeat(&inputs.queries), repeat(&inputs.keys)).unwrap();
    let (one, other) = (Exact::survey(&inputs, &never).unwrap(), Exact::survey(&many, &never).unwrap());
    assert!((one.norm_squared * 400.0 / other.norm_squared - 1.0).abs() < 1e-10);
    assert!((one.spikiness.n90 / other.spikiness.n90 - 1.0).abs() < 1e-2);
    assert!((one.spikiness.max_over_median / other.spikiness.max_over_median - 1.0).abs() < 2e-3);
    for map in [&POSITIVE, &TRIGONOMETRIC] {
        for projection in [Projection::Gaussian, Projection::Orthogonal] {
            let (a, b) = (expected_error(&inputs, map, projection, 16), expected_error(&many, map, projection, 16));
            assert!((a / b - 1.0).abs() < 1e-5, "{map:?}: {a} {b}");
        }
    }
    assert!((one.centre - other.centre).iter().all(|v| v.abs() < 1e-10));
}

/// From fresh draws: mean ratio to K, its standard error, relative mean squared error, its standard error.
fn sample(
    map: &FeatureMap,
    projection: Projection,
    x: &Array2<f64>,
    y: &Array2<f64>,
    m: usize,
    draws: u64,
) -> [f64; 4] {
    const CHUNK: u64 = 1000;
    let kernel = x.row(0).dot(&y.row(0)).exp();
    let purpose = format!("{map:?} {}", projection.name());
    let sums: Vec<[f64; 4]> = (0..draws / CHUNK)
        .into_par_iter()
        .map(|chunk| {
            let mut rng = generator(2024, &purpose, chunk);
            let mut sums = [0.0; 4];
            for _ in 0..CHUNK {
                let projections = projection.draw(m, x.ncols(), &mut rng).unwrap();
                let sketch = RandomFeatures { map: map.clone(), projections };
                let ratio = sketch.matrix(x.view(), y.view()).unwrap()[[0, 0]] / kernel;
                let square = (ratio - 1.0).powi(2);
                for (sum, value) in sums.iter_mut().zip([ratio, ratio * ratio, square, square * square]) {
                    *sum += value;
                }
            }
            sums
        })
        .collect();
    let n = draws as f64;
    let [a, aa, b, bb] = sums.iter().fold([0.0; 4], |all, one| std::array::from_fn(|i| all[i] + one[i] / n));
    [a, ((aa - a * a) / n).sqrt(), b, ((bb - b * b) / n).sqrt()]
}

#[test]
fn fresh_draws_meet_their_closed_forms() {
    let (x, y) = first_pair();
    let gerf = gerf_star(&x, &y);
    let sderf = optimal::sderf(
        array![[1.0, 0.3, -0.2, 0.1], [-0.8, 0.2, 0.1, 0.0]].view(),
        array![[0.7, -0.4, 0.1, 0.1], [0.2, 0.3, 0.1, -0.1]].view(),
    );
    for map in [&POSITIVE, &HYPERBOLIC, &TRIGONOMETRIC, &gerf, &sderf] {
        for &projection in Projection::ALL {
            for (m, draws) in [(4, 100_000), (10, 50_000)] {
                let Ok(theory) = Theory::new(map, projection, 4) else { continue };
                let moments = theory.pair(x.row(0), y.row(0));
                let [mean, mean_error, mse, mse_error] = sample(map, projection, &x, &y, m, draws);
                let what = format!("{map:?} on {}, m = {m}", projection.name());
                let z = (mean - moments.mean_ratio) / mean_error;
                assert!(z.abs() < 4.5, "{what}: mean {mean}, expected {}, z = {z}", moments.mean_ratio);
                let expected = moments.relative_mse(m, theory.block());
                let allowed = (4.5 * mse_error).max(0.03 * expected);
                assert!((mse - expected).abs() < allowed, "{what}: MSE {mse} ± {mse_error}, expected {expected}");
            }
        }
    }
}

#[test]
fn three_hadamard_blocks_meet_the_enumeration_of_their_signs() {
    let (x, y) = first_pair();
    let kernel = x.row(0).dot(&y.row(0)).exp();
    for (map, mean, mse) in [
        (&POSITIVE, 1.0000813717, 1.487804130e-01),
        (&HYPERBOLIC, 1.0000813717, 4.648711919e-04),
        (&TRIGONOMETRIC, 1.0013240224, 6.459065073e-04),
    ] {
        let [found, error, square, square_error] = sample(map, Projection::Hadamard3, &x, &y, 4, 60_000);
        assert!((found - mean / kernel).abs() < 4.5 * error, "{map:?}: {found} for {}", mean / kernel);
        let expected = mse / (kernel * kernel);
        assert!((square - expected).abs() < (4.5 * square_error).max(0.03 * expected), "{map:?}: {square} {expected}");
        assert!(Theory::new(map, Projection::Hadamard3, 4).is_err());
    }
}

#[test]
fn orthogonal_rows_have_no_sign_bias() {
    // A QR without the sign of its diagonal shows 0.81 here for positive features, 1.16 along the last axis.
    for z in [[0.5; 4], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]] {
        let half = Array2::from_shape_fn((1, 4), |(_, l)| z[l] / 2.0);
        let [mean, error, ..] = sample(&POSITIVE, Projection::Orthogonal, &half, &half, 4, 40_000);
        assert!((mean - 1.0).abs() < 4.5 * error, "{z:?}: {mean} ± {error}");
    }
}

#[test]
fn sobol_rows_are_unbiased_and_more_even() {
    let (x, y) = first_pair();
    let gerf = gerf_star(&x, &y);
    let sderf = optimal::sderf(x.view(), y.view());
    for map in [&POSITIVE, &HYPERBOLIC, &TRIGONOMETRIC, &gerf, &sderf] {
        // A power of two, and a number that cuts the sequence.
        for m in [16, 10] {
            let [mean, error, mse, _] = sample(map, Projection::Sobol, &x, &y, m, 20_000);
            assert!((mean - 1.0).abs() < 4.0 * error, "{map:?}, m = {m}: {mean} ± {error}");
            let independent = Theory::new(map, Projection::Gaussian, 4).unwrap();
            let independent = independent.pair(x.row(0), y.row(0)).relative_mse(m, 1);
            assert!(mse < independent, "{map:?}, m = {m}: {mse} against {independent} of independent rows");
        }
        let reason = Theory::new(map, Projection::Sobol, 4).unwrap_err();
        assert!(reason.contains("no closed form for sobol"), "{reason}");
    }
}

#[test]
fn exact_identities_hold_for_every_draw() {
    let mut rng = generator(1, "identity", 0);
    let (x, _) = first_pair();
    for &projection in Projection::ALL {
        let w = projection.draw(6, 4, &mut rng).unwrap();
        let at = |map: FeatureMap, y: &Array2<f64>| {
            RandomFeatures { map, projections: w.clone() }.matrix(x.view(), y.view()).unwrap()[[0, 0]]
        };
        let square: f64 = x.iter().map(|x| x * x).sum();
        assert!((at(TRIGONOMETRIC, &x) - square.exp()).abs() < 1e-12);
        assert!((at(POSITIVE, &-&x) - (-square).exp()).abs() < 1e-12);
        assert!((at(HYPERBOLIC, &-&x) - (-square).exp()).abs() < 1e-12);
    }
}

#[test]
fn wrong_combinations_are_refused_with_the_reason() {
    for family in [Family::Gerf, Family::Sderf] {
        for &projection in Projection::ALL {
            assert_eq!(family.check(projection).is_ok(), projection.is_gaussian());
        }
        let text = family.check(Projection::Rademacher).unwrap_err().to_string();
        assert!(text.contains("rademacher") && text.contains("Gaussian"), "{text}");
    }
    let inputs = small_matrix();
    let refused = Family::Gerf.fit(&inputs, |_| "0.2").unwrap_err().to_string();
    assert_eq!(refused, "gerf_a: found `0.2`, allowed: auto, or a number below 0.125");
    for &family in Family::ALL {
        assert_eq!(Family::parse(family.name()), Ok(family));
        assert!([3, 6].contains(&family.fit(&inputs, |_| "auto").unwrap().features(3)), "{family}");
    }
}

/// The measure computed plainly, with both matrices stored.
fn plain(inputs: &Inputs, draw: &RandomFeatures) -> ErrorMeasure {
    let a = exact(inputs).unwrap();
    let shift = inputs.row_exponents.mapv(f64::exp).insert_axis(Axis(1));
    let estimate = draw.matrix(inputs.queries.view(), inputs.keys.view()).unwrap() * &shift;
    let square = |m: &Array2<f64>| m.iter().map(|v| v * v).sum::<f64>();
    let normalized = |m: &Array2<f64>| m / &m.sum_axis(Axis(1)).insert_axis(Axis(1));
    let (d, e) = (normalized(&a), normalized(&estimate));
    let share = |values: Vec<f64>| values.iter().filter(|v| **v <= 0.0).count() as f64 / values.len() as f64;
    let relative_squared = square(&(&estimate - &a)) / square(&a);
    ErrorMeasure {
        relative: relative_squared.sqrt(),
        relative_squared,
        output_squared: None,
        normalized_squared: square(&(&e - &d)) / square(&d),
        ratio: (&estimate * &a).sum() / square(&a),
        nonpositive_entries: share(estimate.iter().copied().collect()),
        nonpositive_rows: share(estimate.sum_axis(Axis(1)).to_vec()),
    }
}

/// The engine on the processor, and by tensor operations, agrees with matrices that are stored.
fn engine_agrees(inputs: &Inputs, map: &FeatureMap, precision: Precision, tolerance: f64) {
    let survey = Exact::survey(inputs, &never).unwrap();
    let engine = FrobeniusEngine::new(inputs, &survey, precision).unwrap();
    for engine in [engine.clone(), engine.on(&Device::Cpu)] {
        one_engine_agrees(&engine, inputs, (map, precision), tolerance);
    }
}

fn one_engine_agrees(
    engine: &FrobeniusEngine<'_>,
    inputs: &Inputs,
    (map, precision): (&FeatureMap, Precision),
    tolerance: f64,
) {
    let ms = [5, 16, 40];
    let projections = Projection::Orthogonal.draw(40, inputs.dim(), &mut generator(3, "projection", 0)).unwrap();
    let draw = RandomFeatures { map: map.clone(), projections };
    let DrawErrors { measures, precision: used, rows } = engine.measure(&draw, &ms, &never).unwrap();
    assert_eq!(used, precision);
    for ((m, found), rows) in ms.into_iter().zip(measures).zip(rows.columns()) {
        assert!((rows.sum() / found.relative_squared - 1.0).abs() < 1e-9, "rows add up to the matrix");
        let prefix = draw.projections.slice(ndarray::s![..m, ..]).to_owned();
        let expected = plain(inputs, &RandomFeatures { map: map.clone(), projections: prefix });
        for (found, expected) in [
            (found.relative_squared, expected.relative_squared),
            (found.ratio, expected.ratio),
            (found.nonpositive_entries + 1.0, expected.nonpositive_entries + 1.0),
        ] {
            assert!((found / expected - 1.0).abs() < tolerance, "{map:?} m = {m}: {found} for {expected}");
        }
        // Row sums near 0 make the row-normalised error of trigonometric features ill-conditioned.
        let slack = if *map == TRIGONOMETRIC { 50.0 } else { 1.0 };
        let off = found.normalized_squared / expected.normalized_squared - 1.0;
        assert!(off.abs() < slack * tolerance, "{map:?} m = {m}: normalised off by {off}");
        assert_eq!(found.nonpositive_rows, expected.nonpositive_rows);
    }
}

#[test]
fn the_streamed_engine_agrees_with_stored_matrices() {
    let inputs = Distribution::Gauss { sigma: 0.8, scale: 0.5 }.draw(700, 16, &mut generator(8, "inputs", 0)).unwrap();
    let recentred = inputs.clone().recentred(inputs.mean_shift().view());
    let maps = [POSITIVE, HYPERBOLIC, TRIGONOMETRIC, FeatureMap::Gerf { a: -0.05 }];
    for map in maps.iter().chain([&optimal::sderf(inputs.queries.view(), inputs.keys.view())]) {
        engine_agrees(&inputs, map, Precision::Double, 1e-10);
        engine_agrees(&inputs, map, Precision::Single, 2e-4);
        engine_agrees(&recentred, map, Precision::Double, 1e-10);
    }
}

#[test]
fn tensor_operations_agree_over_the_edges_of_their_tiles() {
    let draw =
        |rows, name| Distribution::Gauss { sigma: 0.9, scale: 0.7 }.draw(rows, 4, &mut generator(8, name, 0)).unwrap();
    let inputs = Inputs::new(draw(2100, "queries").queries, draw(4300, "keys").keys).unwrap();
    let survey = Exact::survey(&inputs, &never).unwrap();
    let projections = Projection::Gaussian.draw(9, 4, &mut generator(8, "projection", 0)).unwrap();
    let draw = RandomFeatures { map: TRIGONOMETRIC, projections };
    let engine = FrobeniusEngine::new(&inputs, &survey, Precision::Double).unwrap();
    let here = engine.measure(&draw, &[4, 9], &never).unwrap();
    let there = engine.on(&Device::Cpu).measure(&draw, &[4, 9], &never).unwrap();
    for (here, there) in here.measures.iter().zip(&there.measures) {
        assert!((here.relative_squared / there.relative_squared - 1.0).abs() < 1e-10, "{here:?} {there:?}");
        assert!((here.normalized_squared / there.normalized_squared - 1.0).abs() < 1e-7, "{here:?} {there:?}");
        assert!((here.ratio - there.ratio).abs() < 1e-10);
        assert_eq!(
            (here.nonpositive_entries, here.nonpositive_rows),
            (there.nonpositive_entries, there.nonpositive_rows)
        );
    }
    for (here, there) in here.rows.iter().zip(&there.rows) {
        assert!((here - there).abs() < 1e-12);
    }
}

/// ‖A−Φ_qΦ_kᵀ‖²/‖A‖² by the Gram identity ‖A‖² − 2 tr(Φ_qᵀAΦ_k) + tr(Φ_qᵀΦ_q·Φ_kᵀΦ_k), in f64.
fn relative_squared_by_gram(exact: &Array2<f64>, phi: &Array2<f64>, psi: &Array2<f64>) -> f64 {
    let norm: f64 = exact.iter().map(|value| value * value).sum();
    let cross = (phi.t().dot(exact).dot(psi)).diag().sum();
    let own = phi.t().dot(phi).dot(&psi.t().dot(psi)).diag().sum();
    (norm - 2.0 * cross + own) / norm
}

#[test]
fn the_gram_identity_gives_the_direct_residual() {
    let inputs = Distribution::Sphere { radius: 1.0 }.draw(60, 8, &mut generator(4, "inputs", 0)).unwrap();
    let survey = Exact::survey(&inputs, &never).unwrap();
    let projections = Projection::Gaussian.draw(32, 8, &mut generator(4, "projection", 0)).unwrap();
    let draw = RandomFeatures { map: POSITIVE, projections };
    let direct = FrobeniusEngine::new(&inputs, &survey, Precision::Double)
        .unwrap()
        .measure(&draw, &[32], &never)
        .unwrap()
        .measures[0];
    let (phi, psi) = (draw.queries(inputs.queries.view()).unwrap(), draw.keys(inputs.keys.view()).unwrap());
    let gram = relative_squared_by_gram(&exact(&inputs).unwrap(), &phi, &psi);
    assert!((gram / direct.relative_squared - 1.0).abs() < 1e-9, "{gram} {direct:?}");
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let inputs = Distribution::Hub { radius: 1.2, hub: 2.0 }.draw(900, 16, &mut generator(6, "inputs", 0)).unwrap();
    let projections = Projection::Simplex.draw(32, 16, &mut generator(6, "projection", 0)).unwrap();
    let draw = RandomFeatures { map: HYPERBOLIC, projections };
    let run = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let survey = Exact::survey(&inputs, &never).unwrap();
            let measures = FrobeniusEngine::new(&inputs, &survey, Precision::Auto)
                .unwrap()
                .measure(&draw, &[16, 32], &never)
                .unwrap();
            (survey.norm_squared, survey.spikiness, measures)
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn exponents_beyond_f32_go_to_f64_or_name_the_token() {
    let mut inputs =
        Distribution::Gauss { sigma: 0.5, scale: 0.5 }.draw(30, 16, &mut generator(7, "inputs", 0)).unwrap();
    inputs.queries.row_mut(17).fill(3.0);
    let survey = Exact::survey(&inputs, &never).unwrap();
    let projections = Projection::Gaussian.draw(8, 16, &mut generator(7, "projection", 0)).unwrap();
    let draw = RandomFeatures { map: TRIGONOMETRIC, projections };
    let refused =
        FrobeniusEngine::new(&inputs, &survey, Precision::Single).unwrap().measure(&draw, &[8], &never).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("query 17") && text.contains("f32") && text.contains("precision=f64"), "{text}");
    let DrawErrors { measures, precision: used, .. } =
        FrobeniusEngine::new(&inputs, &survey, Precision::Auto).unwrap().measure(&draw, &[8], &never).unwrap();
    assert_eq!(used, Precision::Double);
    assert!((measures[0].relative_squared / plain(&inputs, &draw).relative_squared - 1.0).abs() < 1e-9);
}

#[test]
fn ensembles_meet_their_closed_forms() {
    // Gauss σ = 0.5, d = 16, as L grows.
    let inputs = Distribution::Gauss { sigma: 0.5, scale: 0.5 }.draw(1500, 16, &mut generator(9, "inputs", 0)).unwrap();
    for (map, expected) in [(&POSITIVE, 13.75789056), (&TRIGONOMETRIC, 2.83399063)] {
        let found = expected_error(&inputs, map, Projection::Gaussian, 1);
        assert!((found / expected - 1.0).abs() < 0.05, "{map:?}: {found} for {expected}");
    }
    // Sphere R = 1, d = 16.
    let inputs = Distribution::Sphere { radius: 1.0 }.draw(1500, 16, &mut generator(9, "inputs", 1)).unwrap();
    for (map, expected) in [(&POSITIVE, 9.62083310), (&HYPERBOLIC, 4.37018405), (&TRIGONOMETRIC, 2.36045847)] {
        let found = expected_error(&inputs, map, Projection::Gaussian, 1);
        assert!((found / expected - 1.0).abs() < 0.01, "{map:?}: {found} for {expected}");
    }
}

#[test]
fn published_comparisons_come_out() {
    // Trigonometric against positive features at equal m on the unit sphere (Choromanski et al. 2021, figure 2).
    let ratio = |angle: f64| {
        let (s, t) = (4.0 * (angle / 2.0).cos().powi(2), 4.0 * (angle / 2.0).sin().powi(2));
        let mse = |map: &FeatureMap, v| Theory::new(map, Projection::Gaussian, 2).unwrap().radial(v).relative_mse(1, 1);
        mse(&TRIGONOMETRIC, t) / mse(&POSITIVE, s)
    };
    use std::f64::consts::PI;
    for (angle, expected) in [(0.25, 0.0060), (0.5, 0.432), (2.0 / 3.0, 5.28), (0.75, 17.9), (5.0 / 6.0, 64.7)] {
        assert!((ratio(PI * angle) / expected - 1.0).abs() < 0.01, "{angle}: {}", ratio(PI * angle));
    }
    assert!((ratio(PI * 0.5547) - 1.0).abs() < 2e-3);
    // Regularised softmax kernel (ibid., theorem 1): ratios at s = 4.
    for (d, expected) in [(64, 0.945), (256, 0.985)] {
        let found = Theory::new(&POSITIVE, Projection::OrthogonalFixed, d).unwrap().radial(4.0).mean_ratio;
        assert!((found - expected).abs() < 1e-3, "{d}: {found}");
    }
    let at = |map: &FeatureMap, projection, d, s| {
        let theory = Theory::new(map, projection, d).unwrap();
        theory.radial(s).relative_mse(d, theory.block())
    };
    // Theorem 2 (ibid.): at m ≤ d orthogonal rows save at least 2(m−1)/(m(d+2)) (K−Λ)²; over K², with K = Λ e^{s/2}.
    for d in [2, 4, 16, 64] {
        for s in [0.01, 0.5, 1.0, 4.0, 9.0] {
            let saved = at(&POSITIVE, Projection::Gaussian, d, s) - at(&POSITIVE, Projection::Orthogonal, d, s);
            let m = d as f64;
            let bound = 2.0 * (m - 1.0) / (m * (m + 2.0)) * f64::exp_m1(-s / 2.0).powi(2);
            assert!(saved >= bound * (1.0 - 1e-9), "{d} {s}");
        }
    }
    // Simplex below orthogonal below independent rows for positive features (Reid et al. 2023).
    let [simplex, orthogonal, independent] = [Projection::Simplex, Projection::Orthogonal, Projection::Gaussian]
        .map(|projection| at(&POSITIVE, projection, 64, 0.5));
    assert!((simplex / independent - 0.064).abs() < 1e-3, "{}", simplex / independent);
    assert!((orthogonal / independent - 0.819).abs() < 1e-3, "{}", orthogonal / independent);
    assert!(at(&HYPERBOLIC, Projection::Simplex, 64, 0.5) > at(&HYPERBOLIC, Projection::Orthogonal, 64, 0.5));
}

fn problem() -> &'static dyn Problem {
    problems::find("random-features").unwrap()
}

/// Runs the problem: how it ended, its rows and its notes.
fn run(changes: &[(&str, &str)]) -> (Result<(), RunError>, Vec<Row>, Vec<String>) {
    let (end, events) = told(changes);
    let (mut rows, mut notes) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            Event::Row { row } => rows.push(row),
            Event::Note { text } => notes.push(text),
            _ => {}
        }
    }
    (end, rows, notes)
}

/// Runs the problem: how it ended and what it told.
fn told(changes: &[(&str, &str)]) -> (Result<(), RunError>, Vec<Event>) {
    let params = Params::with(&problem().schema(), changes).unwrap();
    problem().check(&params).unwrap();
    let (kept, folder) = (Kept::default(), tempfile::tempdir().unwrap());
    let seed = u64::try_from(params.int("seed")).unwrap();
    let mut context = RunContext::new(seed, folder.path(), Arc::new(Control::default()), vec![Box::new(kept.clone())])
        .with_columns(problem().columns());
    let end = problem().run(&params, &mut context);
    let events = kept.0.lock().unwrap().drain(..).collect();
    (end, events)
}

const SMALL: [(&str, &str); 3] = [("length", "40"), ("dim", "8"), ("trials", "12")];

#[test]
fn a_sample_of_rows_says_how_far_it_may_lie_from_all_rows() {
    let mut deviations = Vec::new();
    for seed in 0..60 {
        let seed = seed.to_string();
        let of = |estimator: &str, rows: &str| {
            let mut changes = vec![("length", "400"), ("dim", "8"), ("trials", "2"), ("m", "16"), ("sigma", "0.3")];
            changes.extend([
                ("projection", "gaussian"),
                ("estimator", estimator),
                ("sample_rows", rows),
                ("seed", &seed),
            ]);
            let (end, rows, _) = run(&changes);
            assert!(end.is_ok(), "{end:?}");
            rows[0].clone()
        };
        let estimator = if seed == "59" { "hybrid" } else { "positive" };
        // The draws of W are the same in both runs: only the rows differ.
        let (all, some) = (of(estimator, "0"), of(estimator, "80"));
        assert!(all["sampled_rows"].is_null() && all["rel_mse_rows_sem"].is_null());
        assert_eq!((some["sampled_rows"].as_u64(), some["length"].as_u64()), (Some(80), Some(400)));
        let number = |row: &Row, key: &str| row[key].as_f64().unwrap();
        let error = number(&some, "rel_mse_rows_sem");
        deviations.push((number(&some, "rel_mse_mean") - number(&all, "rel_mse_mean")) / error);
        assert_eq!(of(estimator, "400")["rel_mse_mean"], all["rel_mse_mean"], "a sample of all rows is all rows");
    }
    let within = deviations.iter().filter(|deviation| deviation.abs() < 2.0).count();
    assert!(within >= 52, "{within} of 60 within two standard errors: {deviations:?}");
    let mean = deviations.iter().sum::<f64>() / 60.0;
    assert!(mean.abs() < 4.0 * 1.2 / 60.0_f64.sqrt(), "{mean}");
    // Long queries carry the error then, and a sample may have none of them.
    let spiky = [("length", "400"), ("dim", "8"), ("trials", "2"), ("m", "16"), ("sigma", "1"), ("sample_rows", "80")];
    let (_, _, notes) = run(&spiky);
    assert!(
        notes.iter().any(|note| note.contains("comes from about") && note.contains("raise sample_rows")),
        "{notes:?}"
    );
    let refused = |key, value| {
        let params = Params::with(&problem().schema(), &[("sample_rows", "9"), (key, value)]).unwrap();
        problem().check(&params).unwrap_err().to_string()
    };
    assert!(
        refused("causal", "yes").contains("sample_rows: found `9 with causal=yes`"),
        "{}",
        refused("causal", "yes")
    );
    assert!(refused("baselines", "svd").contains("baselines") && refused("precision", "log").contains("log"));
}

#[test]
fn a_run_tells_every_point_of_its_grid() {
    let mut changes = SMALL.to_vec();
    changes.extend([
        ("inputs", "gauss,planted"),
        ("estimator", "positive,trigonometric"),
        ("projection", "gaussian,hadamard3"),
        ("m", "16,8"),
    ]);
    let (end, rows, notes) = run(&changes);
    assert!(end.is_ok(), "{end:?}");
    assert_eq!(rows.len(), 16);
    for row in &rows {
        for column in problem().columns() {
            assert!(row.contains_key(column.key), "{}", column.key);
        }
        let m = row["m"].as_u64().unwrap();
        let width = if row["estimator"] == "positive" { 1 } else { 2 };
        assert_eq!(row["features"].as_u64(), Some(m * width));
        assert_eq!(row["rel_mse_theory"].is_null(), row["projection"] == "hadamard3");
    }
    assert!(notes.iter().any(|note| note.contains("no theory curve for hadamard3")), "{notes:?}");
}

#[test]
fn points_meet_theory_and_do_not_depend_on_threads() {
    let with = |threads, nested| {
        let changes = [
            ("length", "24"),
            ("dim", "8"),
            ("trials", "4000"),
            ("m", "8,16"),
            ("projection", "orthogonal,rademacher"),
            ("threads", threads),
            ("nested", nested),
        ];
        let (end, mut rows, _) = run(&changes);
        assert!(end.is_ok(), "{end:?}");
        for row in &mut rows {
            forget_measured(row);
        }
        rows
    };
    let rows = with("1", "no");
    assert_eq!(rows, with("3", "no"));
    for row in rows.iter().chain(&with("2", "yes")) {
        let number = |key: &str| row[key].as_f64().unwrap();
        let off = number("rel_mse_mean") - number("rel_mse_theory");
        let allowed = (4.5 * number("rel_mse_sem")).max(0.03 * number("rel_mse_theory"));
        assert!(off.abs() < allowed, "{row:?}");
        let off = number("mean_ratio") - number("mean_ratio_theory");
        assert!(off.abs() < 4.5 * number("mean_ratio_sem"), "{row:?}");
        let whole = number("squared_bias_theory") + number("variance_theory");
        assert!((whole / number("rel_mse_theory") - 1.0).abs() < 1e-12);
    }
}

#[test]
fn heavy_tails_biases_and_padding_are_told() {
    let mut changes = SMALL.to_vec();
    changes.extend([("sigma", "2"), ("m", "16")]);
    let (_, _, notes) = run(&changes);
    assert!(notes.iter().any(|note| note.contains("not observable at this budget")), "{notes:?}");
    let (_, _, notes) = run(&[("length", "20"), ("dim", "6"), ("m", "8"), ("projection", "hadamard"), ("trials", "2")]);
    assert!(notes.iter().any(|note| note.contains("zero-padded to 8")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("biased")), "{notes:?}");
    let (_, _, notes) = run(&[("nested", "yes"), ("trials", "2"), ("length", "20")]);
    assert!(notes.iter().any(|note| note.contains("correlated")), "{notes:?}");
}

/// The points of a series: y and its interval.
fn points(events: &[Event], series: &str) -> Vec<(f64, Option<(f64, f64)>)> {
    let of = |event: &Event| match event {
        Event::Point(point) if point.series == series => Some((point.y, point.lo.zip(point.hi))),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

#[test]
fn the_mean_stands_beside_theory_and_projections_beside_gaussian_rows() {
    let (end, events) =
        told(&[("length", "20"), ("dim", "4"), ("m", "8,16"), ("trials", "60"), ("estimator", "trigonometric")]);
    assert!(end.is_ok(), "{end:?}");
    let rows: Vec<&Row> =
        events.iter().filter_map(|event| if let Event::Row { row } = event { Some(row) } else { None }).collect();
    let number = |row: &Row, key: &str| row[key].as_f64().unwrap();
    for event in &events {
        if let Event::Series(series) = event
            && series.id.ends_with("/theory")
        {
            assert_eq!(series.plot, "mean", "medians have no theory");
        }
    }
    for (index, projection) in ["gaussian", "orthogonal"].into_iter().enumerate() {
        let [medians, means, theory] =
            ["", "/mean", "/theory"].map(|suffix| points(&events, &format!("trigonometric {projection}{suffix}")));
        for place in 0..2 {
            let row = rows[2 * index + place];
            assert_eq!(medians[place].0, number(row, "rel_frobenius_median"));
            assert_eq!(means[place].0, number(row, "rel_mse_mean").sqrt());
            assert!((theory[place].0 - number(row, "rel_mse_theory").sqrt()).abs() < 1e-12);
            let (low, high) = means[place].1.unwrap();
            assert!(low < means[place].0 && means[place].0 < high);
            if index == 0 {
                assert!(row["mse_minus_gaussian"].is_null());
                continue;
            }
            let difference = number(row, "rel_mse_mean") - number(rows[place], "rel_mse_mean");
            assert_eq!(number(row, "mse_minus_gaussian"), difference);
            let errors = [row, rows[place]].map(|row| number(row, "rel_mse_sem").powi(2)).iter().sum::<f64>().sqrt();
            let interval = number(row, "mse_minus_gaussian_interval");
            assert!((1.95..2.1).contains(&(interval / errors)), "{interval} {errors}");
        }
    }
    let said =
        |event: &Event| matches!(event, Event::Note { text } if text.contains("orthogonal minus that of gaussian"));
    assert_eq!(events.iter().filter(|event| said(event)).count(), 1);
}

#[test]
fn every_length_has_draws_of_its_own_and_the_first_those_it_has_alone() {
    let at = |length: &str| {
        let (end, mut rows, _) =
            run(&[("length", length), ("dim", "4"), ("m", "8"), ("trials", "3"), ("projection", "gaussian")]);
        assert!(end.is_ok(), "{end:?}");
        rows.iter_mut().for_each(forget_measured);
        rows
    };
    let (both, first, second) = (at("12,20"), at("12"), at("20"));
    assert_eq!(both[0], first[0]);
    assert_eq!(both[1]["n90"], second[0]["n90"], "the inputs are the same");
    assert_ne!(both[1]["rel_mse_mean"], second[0]["rel_mse_mean"]);
}

#[test]
fn what_draws_cannot_show_has_no_standard_error() {
    let changes = [
        ("length", "20"),
        ("dim", "8"),
        ("trials", "12"),
        ("m", "16"),
        ("sigma", "2"),
        ("estimator", "positive,trigonometric"),
    ];
    let (end, events) = told(&changes);
    assert!(end.is_ok(), "{end:?}");
    for event in &events {
        let Event::Row { row } = event else { continue };
        let hidden = row["observable"] == false;
        assert_eq!(hidden, row["estimator"] == "positive", "{row:?}");
        assert_eq!(row["rel_mse_sem"].is_null(), hidden);
        assert_eq!(row["mean_ratio_sem"].is_null(), hidden);
        let name = format!("{} {}", row["estimator"].as_str().unwrap(), row["projection"].as_str().unwrap());
        for series in ["mean", "bias"] {
            assert_eq!(points(&events, &format!("{name}/{series}"))[0].1.is_none(), hidden, "{name} {series}");
        }
        assert!(points(&events, &name)[0].1.is_some(), "quartiles of what was drawn stay");
    }
}

#[test]
fn recentring_takes_variance_away_from_hubs() {
    let error = |recentre| {
        let changes = [("inputs", "hub"), ("length", "100"), ("m", "16"), ("recentre", recentre), ("trials", "2")];
        run(&changes).1[0]["rel_mse_theory"].as_f64().unwrap()
    };
    assert!(
        error("weighted") < error("mean") && error("mean") < error("none"),
        "{} {}",
        error("weighted"),
        error("mean")
    );
}

#[test]
fn files_are_read_and_bad_ones_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (queries, keys, bad) = (path("q.npy"), path("k.npy"), path("bad.npy"));
    let inputs = small_matrix();
    ndarray_npy::write_npy(&queries, &inputs.queries).unwrap();
    ndarray_npy::write_npy(&keys, &inputs.keys).unwrap();
    ndarray_npy::write_npy(&bad, &array![[1.0, 2.0, 3.0]]).unwrap();
    let file = |queries: &str, keys: &str| {
        run(&[("inputs", "file"), ("scale", "none"), ("queries", queries), ("keys", keys), ("m", "8"), ("trials", "3")])
    };
    let (end, rows, _) = file(&queries, &keys);
    assert!(end.is_ok(), "{end:?}");
    let number = |key: &str| rows[0][key].as_f64().unwrap();
    assert_eq!((rows[0]["length"].as_u64(), rows[0]["dim"].as_u64()), (Some(2), Some(4)));
    close(number("rel_mse_theory"), 0.309405130, "theory of a file");
    close(number("n90"), 5.0 / 6.0, "N90 of a file");
    let text = file(&queries, &bad).0.unwrap_err().to_string();
    assert!(text.starts_with("keys: ") && text.contains("has 3 coordinates a token, allowed: 4"), "{text}");
    let text = file(&queries, &path("none.npy")).0.unwrap_err().to_string();
    assert!(text.starts_with("keys: ") && text.contains("none.npy"), "{text}");
}

#[test]
fn impossible_requests_are_refused_before_a_run() {
    let check = |changes: &[(&str, &str)]| {
        let params = Params::with(&problem().schema(), changes)?;
        problem().check(&params)
    };
    for (changes, key) in [
        (&[("estimator", "gerf"), ("projection", "rademacher")][..], "projection"),
        (&[("inputs", "file")], "queries"),
        (&[("inputs", "checkpoint")], "checkpoint"),
        (&[("m", "0")], "m"),
        (&[("dim", "0")], "dim"),
        (&[("gerf_a", "0.2")], "gerf_a"),
        (&[("m", "1048576"), ("length", "1048576")], "m"),
        (&[("dim", "1"), ("projection", "simplex")], "dim"),
        (&[("dim", "257"), ("projection", "sobol")], "dim"),
    ] {
        assert_eq!(check(changes).unwrap_err().key, key, "{changes:?}");
    }
    let (end, ..) = run(&[("precision", "f32"), ("sigma", "8"), ("length", "30"), ("m", "4"), ("trials", "1")]);
    let text = end.unwrap_err().to_string();
    assert!(text.contains("query") && text.contains("f32"), "{text}");
}
