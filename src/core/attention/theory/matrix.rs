//! Expectations over a whole matrix: E relF² = Σ_ij MSE(x_i, y_j)/Σ_ij K_ij².

use super::expected::{DrawBudget, Expectation, is_visible};
use super::moments::Moments;
use super::{Theory, logs};
use crate::attention::spikiness::Exact;
use crate::attention::{AttentionError, FeatureMap, Inputs};
use ndarray::{Array2, Axis};
use rayon::prelude::*;

/// Sums of weighted moments, from which any m follows.
#[derive(Clone, Copy, Default)]
struct MomentSums {
    bias: f64,
    variance: f64,
    visible: f64,
    ratio: f64,
}

impl MomentSums {
    fn add(mut self, weight: f64, moments: &Moments, m: usize, draws: DrawBudget) -> Self {
        let scale = weight * moments.log_scale.exp();
        let (bias, variance) = moments.split(m, draws.block);
        self.bias += scale * bias;
        self.variance += scale * variance;
        self.ratio += weight * moments.mean_ratio;
        if is_visible(moments.rarity, (m * draws.trials) as f64) {
            self.visible += scale * (bias + variance);
        }
        self
    }

    fn join(self, other: Self) -> Self {
        Self {
            bias: self.bias + other.bias,
            variance: self.variance + other.variance,
            visible: self.visible + other.visible,
            ratio: self.ratio + other.ratio,
        }
    }
}

/// The expectation for each of `ms`; `exact` is the survey of `inputs`, `trials` how often each is drawn.
///
/// Moments that depend on |x±y|² alone are summed over its profile; direction-dependent ones over every entry, in
/// O(L²d) time (times ln d for Hadamard blocks).
///
/// # Errors
/// An end that was asked for.
pub fn expectation(
    theory: &Theory,
    inputs: &Inputs,
    exact: &Exact,
    ms: &[usize],
    trials: usize,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<Expectation>, AttentionError> {
    let draws = DrawBudget { block: theory.block(), trials };
    if logs::are_possible(inputs) && logs::are_needed(theory, exact) {
        return logs::by_entry(theory, inputs, exact, ms, draws, stop);
    }
    let mut sums = vec![MomentSums::default(); ms.len()];
    if theory.is_radial() {
        let profile = if theory.of_difference() { &exact.differences } else { &exact.sums };
        for &(value, weight) in &profile.0 {
            let moments = theory.radial(value);
            for (sums, &m) in sums.iter_mut().zip(ms) {
                *sums = sums.add(weight, &moments, m, draws);
            }
        }
    } else {
        let rows: Vec<Vec<MomentSums>> = match theory.map() {
            FeatureMap::Sderf { .. } => by_entry(inputs, exact, ms, stop, draws, || {
                |i: usize, j: usize, _| theory.pair(inputs.queries.row(i), inputs.keys.row(j))
            })?,
            _ => {
                let factors = Factors::new(theory, inputs);
                by_entry(inputs, exact, ms, stop, draws, || {
                    let mut scratch = [vec![0.0; inputs.dim()], vec![0.0; inputs.dim()], vec![0.0; inputs.dim()]];
                    let factors = &factors;
                    move |i: usize, j: usize, dot| factors.moments(theory, i, j, dot, &mut scratch)
                })?
            }
        };
        for row in rows {
            for (sums, of_row) in sums.iter_mut().zip(row) {
                *sums = sums.join(of_row);
            }
        }
    }
    if logs::are_possible(inputs) && sums.iter().any(|sums| !(sums.bias + sums.variance).is_finite()) {
        return logs::by_entry(theory, inputs, exact, ms, draws, stop);
    }
    Ok(sums
        .into_iter()
        .map(|sums| {
            let relative_mse = sums.bias + sums.variance;
            let visible = if relative_mse > 0.0 { sums.visible / relative_mse } else { 1.0 };
            Expectation {
                relative_mse,
                log10_relative_mse: relative_mse.log10(),
                squared_bias: sums.bias,
                variance: sums.variance,
                mean_ratio: sums.ratio,
                visible,
            }
        })
        .collect())
}

/// Sums over the entries of every row, rows in parallel.
fn by_entry<F: FnMut(usize, usize, f64) -> Moments>(
    inputs: &Inputs,
    exact: &Exact,
    ms: &[usize],
    stop: &(dyn Fn() -> bool + Sync),
    draws: DrawBudget,
    start: impl Fn() -> F + Sync,
) -> Result<Vec<Vec<MomentSums>>, AttentionError> {
    (0..inputs.queries.nrows())
        .into_par_iter()
        .map(|i| {
            if stop() {
                return Err(AttentionError::Stopped);
            }
            let mut moments_of = start();
            let products = inputs.keys.dot(&inputs.queries.row(i));
            let mut sums = vec![MomentSums::default(); ms.len()];
            for (j, &dot) in products.iter().enumerate() {
                let exponent = dot + inputs.row_exponents[i] - exact.peak;
                let weight = (2.0 * exponent).exp() / exact.norm_squared;
                let moments = moments_of(i, j, dot);
                for (sums, &m) in sums.iter_mut().zip(ms) {
                    *sums = sums.add(weight, &moments, m, draws);
                }
            }
            Ok(sums)
        })
        .collect()
}

/// Queries and keys as factors of cosh(k(x+y)) = ½(e^{kx}e^{ky} + e^{−kx}e^{−ky}) or
/// cos(k(x−y)) = cos kx cos ky + sin kx sin ky, k = 1, 2, 4: no transcendental function an entry and coordinate.
struct Factors {
    queries: [[Array2<f64>; 2]; 3],
    keys: [[Array2<f64>; 2]; 3],
    of_queries: Vec<f64>,
    of_keys: Vec<f64>,
    difference: bool,
}

impl Factors {
    fn new(theory: &Theory, inputs: &Inputs) -> Self {
        let difference = theory.of_difference();
        let factors = |x: &Array2<f64>, half: f64| {
            [1.0, 2.0, 4.0].map(|k| {
                if difference {
                    [x.mapv(|x| (k * x).cos()), x.mapv(|x| (k * x).sin())]
                } else {
                    [x.mapv(|x| half * (k * x).exp()), x.mapv(|x| half * (-k * x).exp())]
                }
            })
        };
        let squares = |x: &Array2<f64>| x.axis_iter(Axis(0)).map(|row| row.dot(&row)).collect();
        Self {
            queries: factors(&inputs.queries, 0.5),
            keys: factors(&inputs.keys, 1.0),
            of_queries: squares(&inputs.queries),
            of_keys: squares(&inputs.keys),
            difference,
        }
    }

    /// The moments of the pair (i, j) with inner product `dot`.
    fn moments(&self, theory: &Theory, i: usize, j: usize, dot: f64, terms: &mut [Vec<f64>; 3]) -> Moments {
        for ((terms, queries), keys) in terms.iter_mut().zip(&self.queries).zip(&self.keys) {
            let ([a, b], [c, e]) = ([0, 1].map(|part| queries[part].row(i)), [0, 1].map(|part| keys[part].row(j)));
            for (l, term) in terms.iter_mut().enumerate() {
                *term = a[l] * c[l] + b[l] * e[l];
            }
        }
        let cross = if self.difference { -2.0 * dot } else { 2.0 * dot };
        let square = (self.of_queries[i] + self.of_keys[j] + cross).max(0.0);
        theory.signs(square, [&terms[0], &terms[1], &terms[2]])
    }
}
