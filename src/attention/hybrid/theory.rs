//! The mean squared error of a hybrid in closed form.
//!
//! MSE = (λ² + v) V₁ + ((1 − λ)² + v) V₂ + 2(λ(1 − λ) − v) C, with λ = a + b·p, v = b² p(1 − p)/n, V₁ and V₂ the parts'
//! own errors and C their covariance: 0 for independent projections, K²(cos(|x|² − |y|²) − 1)/m for shared independent
//! Gaussian rows. Everything here is relative to K².

use super::{HybridSpec, Weight};
use crate::attention::theory::Theory;
use crate::attention::{FeatureMap, Projection};
use ndarray::{Array1, ArrayView1};
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

/// The parts of the pair (x, y).
///
/// # Errors
/// Says why there is no closed form: a projection without one, or shared rows that are coupled or not Gaussian.
pub fn pair_parts(spec: &HybridSpec, x: ArrayView1<'_, f64>, y: ArrayView1<'_, f64>) -> Result<Parts, &'static str> {
    if spec.shared && spec.projection != Projection::Gaussian {
        return Err("shared projections have a closed form for independent Gaussian rows only");
    }
    if !spec.projection.is_gaussian() {
        return Err("a hybrid of biased parts has no closed form here");
    }
    let d = x.len();
    let part = |map: &FeatureMap, m: usize| -> Result<f64, &'static str> {
        let theory = Theory::new(map, spec.projection, d)?;
        Ok(theory.pair(x, y).relative_mse(m, theory.block()))
    };
    let (xx, yy) = (x.dot(&x), y.dot(&y));
    let norms = (xx * yy).sqrt();
    let cosine = if norms > 0.0 { (x.dot(&y) / norms).clamp(-1.0, 1.0) } else { 1.0 };
    let covariance = if spec.shared { ((xx - yy).cos() - 1.0) / spec.m1 as f64 } else { 0.0 };
    Ok(Parts {
        p: cosine.acos() / PI,
        first: part(&spec.first, spec.m1)?,
        second: part(&FeatureMap::Trigonometric, spec.m2)?,
        covariance,
    })
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

/// The largest relative error over the angle on the sphere of `radius`, on a fine grid.
///
/// # Errors
/// As [`pair_parts`].
pub fn maximum(spec: &HybridSpec, d: usize, radius: f64) -> Result<f64, &'static str> {
    let parts = sphere(spec, d, radius, super::optimum::ANGLES)?;
    Ok(super::optimum::largest(&parts, spec.weight, spec.n as f64))
}
