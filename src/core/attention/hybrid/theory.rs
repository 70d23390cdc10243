//! The mean squared error of a hybrid in closed form.
//!
//! MSE = (λ² + v) V₁ + ((1 − λ)² + v) V₂ + 2(λ(1 − λ) − v) C, with λ = a + b·p, v = b² p(1 − p)/n, V₁ and V₂ the parts'
//! own errors and C their covariance: 0 for independent projections, K²(cos(|x|² − |y|²) − 1)/m for shared independent
//! Gaussian rows. Everything here is relative to K².

use super::spec::{HybridSpec, Weight};
use crate::attention::theory::{MomentTable, Moments, Theory, is_visible};
use crate::attention::{AttentionError, FeatureMap, Inputs, Projection};
use ndarray::{Array1, ArrayView1};
use rayon::prelude::*;
use std::f64::consts::PI;

/// What the error of one pair is made of, relative to K².
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    /// angle/π.
    pub p: f64,
    /// The first part's error V₁.
    pub first: f64,
    /// The second part's error V₂.
    pub second: f64,
    /// Their covariance C.
    pub covariance: f64,
}

impl Parts {
    /// The hybrid's error with `weight` and `n` sign features; `f64::INFINITY` of them gives the exact angle.
    #[must_use]
    pub fn relative_mse(&self, weight: Weight, n: f64) -> f64 {
        let lambda = weight.at(self.p);
        let v = weight.b * weight.b * self.p * (1.0 - self.p) / n;
        // Without sign features the weight is a constant, known exactly.
        let (lambda, v) = if n == 0.0 { (weight.at(0.5), 0.0) } else { (lambda, v) };
        (lambda * lambda + v) * self.first
            + ((1.0 - lambda).powi(2) + v) * self.second
            + 2.0 * (lambda * (1.0 - lambda) - v) * self.covariance
    }
}

/// The closed form of a hybrid in dimension d.
#[derive(Clone, Debug)]
pub struct HybridTheory<'a> {
    spec: &'a HybridSpec,
    first: Theory,
    second: Theory,
}

impl<'a> HybridTheory<'a> {
    /// The closed form of `spec` in dimension `d`.
    ///
    /// # Errors
    /// Says why there is none: a projection without one, or shared rows that are coupled or not Gaussian.
    pub fn new(spec: &'a HybridSpec, d: usize) -> Result<Self, &'static str> {
        if spec.shared && spec.projection != Projection::Gaussian {
            return Err("shared projections have a closed form for independent Gaussian rows only");
        }
        if !spec.projection.is_gaussian() {
            return Err("a hybrid of biased parts has no closed form here");
        }
        let part = |map: &FeatureMap| Theory::new(map, spec.projection, d);
        Ok(Self { spec, first: part(&spec.first)?, second: part(&FeatureMap::Trigonometric)? })
    }

    /// The parts of the pair (x, y).
    #[must_use]
    pub fn parts(&self, x: ArrayView1<'_, f64>, y: ArrayView1<'_, f64>) -> Parts {
        let (xx, yy) = (x.dot(&x), y.dot(&y));
        let norms = (xx * yy).sqrt();
        let cosine = if norms > 0.0 { (x.dot(&y) / norms).clamp(-1.0, 1.0) } else { 1.0 };
        let covariance = if self.spec.shared { ((xx - yy).cos() - 1.0) / self.spec.m1 as f64 } else { 0.0 };
        let part = |theory: &Theory, m: usize| theory.pair(x, y).relative_mse(m, theory.block());
        Parts {
            p: cosine.acos() / PI,
            first: part(&self.first, self.spec.m1),
            second: part(&self.second, self.spec.m2),
            covariance,
        }
    }

    /// What `trials` draws of the hybrid can be expected to show of these parts of the pair (x, y): a part whose rare draws
    /// are too rare counts 0.
    fn visible(&self, x: ArrayView1<'_, f64>, y: ArrayView1<'_, f64>, parts: Parts, trials: usize) -> Parts {
        let shows = |theory: &Theory, m: usize| is_visible(theory.pair(x, y).rarity, (m * trials) as f64);
        let (first, second) = (shows(&self.first, self.spec.m1), shows(&self.second, self.spec.m2));
        let kept = |value: f64, kept: bool| if kept { value } else { 0.0 };
        Parts {
            first: kept(parts.first, first),
            second: kept(parts.second, second),
            covariance: kept(parts.covariance, first && second),
            ..parts
        }
    }

    /// The relative error of the pair (x, y), and whether `trials` draws can be expected to show at least half of it.
    #[must_use]
    pub fn observable(&self, x: ArrayView1<'_, f64>, y: ArrayView1<'_, f64>, trials: usize) -> (f64, bool) {
        let parts = self.parts(x, y);
        let [error, visible] = [parts, self.visible(x, y, parts, trials)]
            .map(|parts| parts.relative_mse(self.spec.weight, self.spec.n as f64));
        (error, error == 0.0 || visible >= 0.5 * error)
    }

    /// E ‖Â − A‖²/‖A‖² over every entry of the matrix of `inputs`; not finite where 64 bits do not hold it.
    ///
    /// # Errors
    /// [`AttentionError::Stopped`] when `stop` says so.
    pub fn relative_mse(&self, inputs: &Inputs, stop: &(dyn Fn() -> bool + Sync)) -> Result<f64, AttentionError> {
        self.relative_mse_and_visible(inputs, 1, stop).map(|(error, _)| error)
    }

    /// The same, and the share of it that `trials` draws can be expected to show.
    ///
    /// # Errors
    /// As [`HybridTheory::relative_mse`].
    pub fn relative_mse_and_visible(
        &self,
        inputs: &Inputs,
        trials: usize,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(f64, f64), AttentionError> {
        let exponents = |i: usize| {
            let row = inputs.queries.row(i);
            inputs.keys.rows().into_iter().map(move |key| row.dot(&key) + inputs.row_exponents[i])
        };
        let rows = 0..inputs.queries.nrows();
        // The largest entry sets the scale, so that squares of entries fit.
        let top = rows.clone().into_par_iter().map(|i| exponents(i).fold(f64::NEG_INFINITY, f64::max));
        let top = top.reduce(|| f64::NEG_INFINITY, f64::max);
        let sums: Vec<[f64; 3]> = rows
            .into_par_iter()
            .map(|i| {
                if stop() {
                    return Err(AttentionError::Stopped);
                }
                let row = inputs.queries.row(i);
                Ok(exponents(i).zip(inputs.keys.rows()).fold([0.0; 3], |[error, norm, visible], (exponent, key)| {
                    let weight = (2.0 * (exponent - top)).exp();
                    let parts = self.parts(row, key);
                    let of = |parts: Parts| parts.relative_mse(self.spec.weight, self.spec.n as f64);
                    let shown = of(self.visible(row, key, parts, trials));
                    [error + weight * of(parts), norm + weight, visible + weight * shown]
                }))
            })
            .collect::<Result<_, _>>()?;
        let [error, norm, visible] = sums.iter().fold([0.0; 3], |sum, part| [0, 1, 2].map(|i| sum[i] + part[i]));
        Ok((error / norm, if error > 0.0 { visible / error } else { 1.0 }))
    }
}

/// The error of a hybrid over a whole matrix, for each of several numbers of projections.
impl HybridTheory<'_> {
    /// log₁₀ of E ‖Â − A‖²/‖A‖² over every entry of the matrix of `inputs` with m projections of each part, for every m of
    /// `ms`: from tables of both parts' moments, in the logarithmic domain.
    ///
    /// # Errors
    /// [`AttentionError::Stopped`] when `stop` says so.
    pub fn log10_relative_mse(
        &self,
        inputs: &Inputs,
        ms: &[usize],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<f64>, AttentionError> {
        let squares = |tokens: &ndarray::Array2<f64>| -> Vec<f64> {
            tokens.rows().into_iter().map(|row| row.dot(&row)).collect()
        };
        let (of_queries, of_keys) = (squares(&inputs.queries), squares(&inputs.keys));
        let longest = |squares: &[f64]| squares.iter().copied().fold(0.0, f64::max).sqrt();
        let most = (longest(&of_queries) + longest(&of_keys)).powi(2);
        let tables = [MomentTable::new(&self.first, most), MomentTable::new(&self.second, most)];
        let blocks = [self.first.block(), self.second.block()];
        let rows: Vec<(LogSum, Vec<LogSum>)> = (0..inputs.queries.nrows())
            .into_par_iter()
            .map(|i| {
                if stop() {
                    return Err(AttentionError::Stopped);
                }
                let products = inputs.keys.dot(&inputs.queries.row(i));
                let (mut norm, mut errors) = (LogSum::EMPTY, vec![LogSum::EMPTY; ms.len()]);
                for (j, &dot) in products.iter().enumerate() {
                    let both = of_queries[i] + of_keys[j];
                    let moments = [2.0, -2.0].map(|sign| (both + sign * dot).max(0.0));
                    let [first, second] = [tables[0].at(moments[0]), tables[1].at(moments[1])];
                    let norms = (of_queries[i] * of_keys[j]).sqrt();
                    let cosine = if norms > 0.0 { (dot / norms).clamp(-1.0, 1.0) } else { 1.0 };
                    let top = first.log_scale.max(second.log_scale).max(0.0);
                    let log_weight = 2.0 * (dot + inputs.row_exponents[i]);
                    norm.add(log_weight, 1.0);
                    for (errors, &m) in errors.iter_mut().zip(ms) {
                        let part = |moments: &Moments, block: usize| {
                            let (bias, variance) = moments.split(m, block);
                            (bias + variance) * (moments.log_scale - top).exp()
                        };
                        let shared = if self.spec.shared {
                            ((of_queries[i] - of_keys[j]).cos() - 1.0) / m as f64 * (-top).exp()
                        } else {
                            0.0
                        };
                        let parts = Parts {
                            p: cosine.acos() / PI,
                            first: part(&first, blocks[0]),
                            second: part(&second, blocks[1]),
                            covariance: shared,
                        };
                        errors.add(log_weight + top, parts.relative_mse(self.spec.weight, self.spec.n as f64));
                    }
                }
                Ok((norm, errors))
            })
            .collect::<Result<_, _>>()?;
        let (mut norm, mut errors) = (LogSum::EMPTY, vec![LogSum::EMPTY; ms.len()]);
        for (of_row, errors_of_row) in rows {
            norm.add(of_row.scale, of_row.sum);
            for (errors, of_row) in errors.iter_mut().zip(errors_of_row) {
                errors.add(of_row.scale, of_row.sum);
            }
        }
        Ok(errors.into_iter().map(|errors| (errors.log() - norm.log()) / std::f64::consts::LN_10).collect())
    }
}

/// A sum divided by exp(`scale`).
#[derive(Clone, Copy)]
struct LogSum {
    scale: f64,
    sum: f64,
}

impl LogSum {
    const EMPTY: Self = Self { scale: f64::NEG_INFINITY, sum: 0.0 };

    /// Adds value·exp(scale).
    fn add(&mut self, scale: f64, value: f64) {
        if scale > self.scale {
            self.sum *= (self.scale - scale).exp();
            self.scale = scale;
        }
        self.sum += value * (scale - self.scale).exp();
    }

    fn log(self) -> f64 {
        self.sum.ln() + self.scale
    }
}

/// The parts of the pair (x, y).
///
/// # Errors
/// As [`HybridTheory::new`].
pub fn pair_parts(spec: &HybridSpec, x: ArrayView1<'_, f64>, y: ArrayView1<'_, f64>) -> Result<Parts, &'static str> {
    Ok(HybridTheory::new(spec, x.len())?.parts(x, y))
}

/// Two vectors of length `radius` in dimension `d` ≥ 2 at `angle`. At 0 and π they are exactly equal and opposite.
#[must_use]
pub fn sphere_pair(d: usize, radius: f64, angle: f64) -> (Array1<f64>, Array1<f64>) {
    let mut x = Array1::zeros(d);
    let mut y = Array1::zeros(d);
    x[0] = radius;
    let sine = if angle == PI { 0.0 } else { angle.sin() };
    y[0] = radius * angle.cos();
    y[1] = radius * sine;
    (x, y)
}

/// The parts at `count` angles from 0 to π on the sphere of `radius`.
///
/// # Errors
/// As [`pair_parts`].
pub(super) fn sphere(spec: &HybridSpec, d: usize, radius: f64, count: usize) -> Result<Vec<Parts>, &'static str> {
    (0..count)
        .map(|i| {
            let (x, y) = sphere_pair(d, radius, PI * i as f64 / (count - 1) as f64);
            pair_parts(spec, x.view(), y.view())
        })
        .collect()
}
