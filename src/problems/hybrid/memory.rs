//! The peak memory of a run, in bytes, with every factor.

use super::pairs::{PAIRS, PairPlan, PairShape};
use super::parts::{Base, HybridEstimator};
use crate::attention::hybrid::Weight;
use crate::attention::{FeatureMap, Projection};
use crate::lab::Params;
use crate::problems::limits::{BUFFERS, threads};

/// The trials of one estimator are split into so many batches; after each the run may be paused or stopped.
pub(super) const BATCHES: usize = 40;

/// The parameters whose values the peak grows with.
pub(super) const KEYS: &[&str] = &["m1", "m2", "n", "dim", "angles", PAIRS, "length"];

/// The peak of a run of `params` in bytes, where `size` gives the value of each of [`KEYS`].
pub(super) fn peak(params: &Params, size: &dyn Fn(&str) -> usize) -> f64 {
    // A file that cannot be read is refused when the run opens it.
    let Some(shape) = PairPlan::new(params, None).ok().and_then(|plan| plan.shape(params, size)) else {
        return BUFFERS;
    };
    let PairShape { pairs, dim, radii, read } = shape;
    let vectors = 16.0 * pairs as f64 * dim as f64 * radii as f64 + 8.0 * read as f64;
    let batch = params.size("trials").div_ceil(BATCHES).clamp(1, 4096);
    let workers = batch.min(threads(params, pieces(params, (pairs, dim)))) as f64;
    let projection: Projection = params.choice("projection");
    let sizes = [size("m1"), size("m2"), size("n")];
    let trial = params
        .choices::<Base>("base")
        .into_iter()
        .map(|base| {
            let estimator = HybridEstimator::sized(params, base, Weight::ANGLE, sizes);
            of_trial(&estimator, projection, pairs as f64, dim)
        })
        .fold(0.0, f64::max);
    BUFFERS + vectors + workers * trial + 8.0 * batch as f64 * pairs as f64
}

/// One trial: the projections, and the features of one part for both sides of every pair.
fn of_trial(estimator: &HybridEstimator, projection: Projection, pairs: f64, dim: usize) -> f64 {
    let part = |map: &FeatureMap, m: usize| {
        let (m, features) = (m as f64, map.features(m) as f64);
        // Inner products beside the features, where a projection has two.
        8.0 * pairs * (2.0 * features + if features > m { m } else { 0.0 })
    };
    match estimator {
        HybridEstimator::Single { map, m, .. } => {
            let drawn = projection.draw_bytes(*m, dim) as f64;
            drawn.max(8.0 * *m as f64 * dim as f64 + part(map, *m))
        }
        HybridEstimator::Hybrid { spec, .. } => {
            let both = 8.0 * (spec.m1 + spec.m2) as f64 * dim as f64;
            let drawn = projection.draw_bytes(spec.m1 + spec.m2, dim) as f64;
            let signs = spec.n as f64 * (8.0 * dim as f64 + 16.0 * pairs);
            let parts = part(&spec.first, spec.m1).max(part(&FeatureMap::Trigonometric, spec.m2));
            drawn.max(both + parts) + signs
        }
    }
}

/// Pieces of work that are worth a thread of their own: about a million multiplications each, for so many pairs of so many
/// coordinates.
pub(super) fn pieces(params: &Params, (pairs, dim): (usize, usize)) -> usize {
    let rows = (params.size("m1") + params.size("m2") + params.size("n")) as f64;
    let each = rows * dim as f64 * (pairs as f64 + 4.0);
    ((each * params.size("trials") as f64 / f64::from(1 << 20)) as usize).max(1)
}
