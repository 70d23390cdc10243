//! The mean squared error of a hybrid in closed form.
//!
//! MSE = (λ² + v) V₁ + ((1 − λ)² + v) V₂ + 2(λ(1 − λ) − v) C, with λ = a + b·p, v = b² p(1 − p)/n, V₁ and V₂ the parts'
//! own errors and C their covariance: 0 for independent projections, K²(cos(|x|² − |y|²) − 1)/m for shared independent
//! Gaussian rows. Everything here is relative to K².

use super::spec::{HybridSpec, Weight};
use crate::attention::theory::Theory;
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

    /// E ‖Â − A‖²/‖A‖² over every entry of the matrix of `inputs`; not finite where 64 bits do not hold it.
    ///
    /// # Errors
    /// [`AttentionError::Stopped`] when `stop` says so.
    pub fn relative_mse(&self, inputs: &Inputs, stop: &(dyn Fn() -> bool + Sync)) -> Result<f64, AttentionError> {
        let exponents = |i: usize| {
            let row = inputs.queries.row(i);
            inputs.keys.rows().into_iter().map(move |key| row.dot(&key) + inputs.row_exponents[i])
        };
        let rows = 0..inputs.queries.nrows();
        // The largest entry sets the scale, so that squares of entries fit.
        let top = rows.clone().into_par_iter().map(|i| exponents(i).fold(f64::NEG_INFINITY, f64::max));
        let top = top.reduce(|| f64::NEG_INFINITY, f64::max);
        let sums: Vec<(f64, f64)> = rows
            .into_par_iter()
            .map(|i| {
                if stop() {
                    return Err(AttentionError::Stopped);
                }
                let row = inputs.queries.row(i);
                Ok(exponents(i).zip(inputs.keys.rows()).fold((0.0, 0.0), |(error, norm), (exponent, key)| {
                    let weight = (2.0 * (exponent - top)).exp();
                    let mse = self.parts(row, key).relative_mse(self.spec.weight, self.spec.n as f64);
                    (error + weight * mse, norm + weight)
                }))
            })
            .collect::<Result<_, _>>()?;
        let (error, norm) = sums.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
        Ok(error / norm)
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
