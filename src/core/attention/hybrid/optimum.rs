//! The weight that makes the largest error over the angle smallest.
//!
//! For a fixed angle the error is a convex quadratic in (a, b), and a maximum of convex functions is convex: a search that
//! goes downhill finds the one minimum.

use super::spec::{HybridSpec, Weight};
use super::theory::{Parts, sphere};

/// Angles of the grid on which the maximum is taken.
const ANGLES: usize = 721;

/// The best weight and what it reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// The weight.
    pub weight: Weight,
    /// The largest relative error over the angle with it.
    pub maximum: f64,
}

/// The largest relative error over the parts of all angles.
fn largest(parts: &[Parts], weight: Weight, n: f64) -> f64 {
    parts.iter().map(|parts| parts.relative_mse(weight, n)).fold(0.0, f64::max)
}

/// The largest relative error over the angle on the sphere of `radius`, on a fine grid.
///
/// # Errors
/// As [`super::pair_parts`].
pub fn maximum(spec: &HybridSpec, d: usize, radius: f64) -> Result<f64, &'static str> {
    let parts = sphere(spec, d, radius, ANGLES)?;
    Ok(largest(&parts, spec.weight, spec.n as f64))
}

/// The weight with the smallest maximum over the angle on the sphere of `radius` in dimension `d`; with `a` given, only b
/// is free.
///
/// # Errors
/// There is no closed form, see [`super::pair_parts`].
pub fn best(spec: &HybridSpec, d: usize, radius: f64, a: Option<f64>) -> Result<Best, &'static str> {
    let parts = sphere(spec, d, radius, ANGLES)?;
    let n = spec.n as f64;
    let value = |a: f64, b: f64| largest(&parts, Weight { a, b }, n);
    let inner = |a: f64| golden(|b| value(a, b), -3.0, 5.0);
    // Over a as well: partial minimisation keeps convexity, so two nested searches find the minimum.
    let a = a.unwrap_or_else(|| golden(|a| value(a, inner(a)), -2.0, 2.0));
    let b = inner(a);
    Ok(Best { weight: Weight { a, b }, maximum: value(a, b) })
}

/// As [`best`], with `b` given and only a free.
///
/// # Errors
/// As [`best`].
pub fn best_with_b(spec: &HybridSpec, d: usize, radius: f64, b: f64) -> Result<Best, &'static str> {
    let parts = sphere(spec, d, radius, ANGLES)?;
    let value = |a: f64| largest(&parts, Weight { a, b }, spec.n as f64);
    let a = golden(value, -2.0 - b.abs(), 2.0 + b.abs());
    Ok(Best { weight: Weight { a, b }, maximum: value(a) })
}

/// The minimum of a convex function between `low` and `high`, to about 1e-6, by golden sections (Kiefer 1953).
fn golden(value: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let mut inner = [high - ratio * (high - low), low + ratio * (high - low)];
    let mut values = inner.map(&value);
    while high - low > 1e-6 {
        if values[0] <= values[1] {
            high = inner[1];
            inner = [high - ratio * (high - low), inner[0]];
            values = [value(inner[0]), values[0]];
        } else {
            low = inner[0];
            inner = [inner[1], low + ratio * (high - low)];
            values = [values[1], value(inner[1])];
        }
    }
    f64::midpoint(low, high)
}
