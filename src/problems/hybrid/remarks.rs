//! What a reader should know before believing a figure: the findings that are not in the hybrid's favour among them.

use super::parts::HybridEstimator;
use crate::attention::FeatureMap;
use crate::attention::hybrid::{HybridSpec, Weight, maximum};
use crate::lab::decimal;

/// Remarks on one hybrid at one radius, from theory.
pub(super) fn remarks(estimator: &HybridEstimator, dim: usize, radius: f64) -> Vec<String> {
    let Some(spec) = estimator.spec() else { return Vec::new() };
    let name = estimator.base().name();
    let here = match maximum(spec, dim, radius) {
        Ok(here) => here,
        Err(reason) => return vec![format!("{name}: no theory curve: {reason}")],
    };
    if estimator.base().is_average() {
        let here = decimal(here, 4);
        return vec![format!("{name}, R={radius}: largest relative MSE {here}; exact at neither end")];
    }
    let mut remarks = Vec::new();
    let ends = spec.weight == Weight::ANGLE && spec.n > 0;
    let at_ends = if ends {
        "exact at angle 0 and π: all signs agree or all differ there, and the part that counts is exact"
    } else {
        "not exact at both ends: only (a, b) = (0, 1) is"
    };
    remarks.push(format!("{name}, R={radius}: largest relative MSE {}; {at_ends}", decimal(here, 4)));
    remarks.extend(average(spec, name, dim, radius, here));
    remarks.extend(fewer_signs(spec, name, dim, radius, here));
    if let Some(single) = single(spec, dim, radius) {
        let verdict = if single < here { "below the hybrid's: it is no free win" } else { "above the hybrid's" };
        remarks.push(format!(
            "R={radius}: trigonometric features alone, with as many features ({}), have a largest relative MSE of {}, {verdict}",
            spec.features(),
            decimal(single, 4)
        ));
    }
    remarks
}

/// The plain average of both parts with as many features.
fn average(spec: &HybridSpec, name: &str, dim: usize, radius: f64, here: f64) -> Option<String> {
    let plain = HybridSpec { n: 0, weight: Weight { a: 0.5, b: 0.0 }, ..scaled(spec, spec.features()) };
    let average = maximum(&plain, dim, radius).ok()?;
    let verdict = if average < here { "smaller: the plain average wins, but for the ends" } else { "larger" };
    Some(format!(
        "{name}, R={radius}: the plain average of both parts with as many features has a largest relative MSE of {}, {verdict}",
        decimal(average, 4)
    ))
}

/// The same number of features spent on fewer signs and more projections.
fn fewer_signs(spec: &HybridSpec, name: &str, dim: usize, radius: f64, here: f64) -> Option<String> {
    let tries = [1, 2, 4].into_iter().filter(|n| *n < spec.n).filter_map(|n| {
        let fewer = HybridSpec { n, ..scaled(spec, spec.features() / (n + 1)) };
        Some((n, maximum(&fewer, dim, radius).ok()?))
    });
    let (n, value) = tries.min_by(|a, b| a.1.total_cmp(&b.1))?;
    (value < here).then(|| {
        format!(
            "{name}, R={radius}: {} sign features are too many: {n} with as many features in all reach {}",
            spec.n,
            decimal(value, 4)
        )
    })
}

/// Trigonometric features alone, with as many features as the hybrid.
fn single(spec: &HybridSpec, dim: usize, radius: f64) -> Option<f64> {
    let m2 = spec.features() / FeatureMap::Trigonometric.features_per_projection();
    let alone = HybridSpec { m2, n: 0, shared: false, weight: Weight { a: 0.0, b: 0.0 }, ..spec.clone() };
    maximum(&alone, dim, radius).ok()
}

/// The parts with `features` features together, in the same proportion.
fn scaled(spec: &HybridSpec, features: usize) -> HybridSpec {
    let factor = features as f64 / spec.part_features() as f64;
    let scale = |m: usize| ((m as f64 * factor).round() as usize).max(1);
    HybridSpec { m1: scale(spec.m1), m2: scale(spec.m2), ..spec.clone() }
}
