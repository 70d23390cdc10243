//! Masked estimators against their closed forms, and masked attention in linear time against the exact product.

use attnlab::attention::linear::{Side, exact, linear};
use attnlab::attention::masked::{
    Budget, MaskedError, MaskedEstimator, MaskedMethod, MaskedPair, MaskedTheory, MaskedTokens, Shares,
};
use attnlab::attention::{Projection, Sketch};
use attnlab::random::generator;
use ndarray::{Array1, Array2, Axis, array, concatenate};
use proptest::prelude::*;

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
