//! The peak memory of a run, in bytes, with every factor.

use super::choices::{MaskKind, MaskedTask, TokenSource};
use crate::attention::Projection;
use crate::attention::linear::linear_bytes;
use crate::attention::masked::MaskedMethod;
use crate::lab::Params;
use crate::problems::limits::{BUFFERS, largest, threads};
use crate::problems::matrices;

/// The parameters whose values the peak grows with.
pub(super) const KEYS: &[&str] = &["features", "length", "dim", "mask_dim", "m", "value_dim"];

/// Sizes of one matrix.
struct Sizes {
    queries: f64,
    keys: f64,
    dim: f64,
    mask_dim: f64,
}

/// What one drawn estimator needs.
struct DrawSize {
    /// Numbers of the projections, of tokens and of masks.
    projections: f64,
    /// Columns of Φ.
    features: f64,
    /// Numbers a token that writing features takes beside them.
    scratch: f64,
}

/// The peak of a run of `params` in bytes, where `size` gives the largest value of each of [`KEYS`].
pub(super) fn peak(params: &Params, size: &dyn Fn(&str) -> usize) -> f64 {
    let mut sizes = Sizes {
        queries: size("length") as f64,
        keys: size("length") as f64,
        dim: size("dim") as f64,
        mask_dim: size("mask_dim") as f64,
    };
    if params.choice::<TokenSource>("inputs") == TokenSource::File
        && let Some(((queries, dim), (keys, _))) =
            matrices::shape(params.text("queries")).zip(matrices::shape(params.text("keys")))
    {
        (sizes.queries, sizes.keys, sizes.dim) = (queries as f64, keys as f64, dim as f64);
    }
    if params.choices::<MaskKind>("mask").contains(&MaskKind::File)
        && let Some((_, width)) = matrices::shape(params.text("mask_queries"))
    {
        sizes.mask_dim = sizes.mask_dim.max(width as f64);
    }
    let projections: Vec<Projection> = params.choices("projection");
    let mut peak: f64 = 0.0;
    for &projection in &projections {
        for method in params.choices("method") {
            let drawn = drawn(method, projection, &sizes, size);
            peak = peak.max(if params.choice::<MaskedTask>("task") == MaskedTask::Attention {
                of_attention(&sizes, &drawn, params, size)
            } else {
                of_estimate(&sizes, &drawn, params)
            });
        }
    }
    BUFFERS + peak
}

fn drawn(method: MaskedMethod, projection: Projection, sizes: &Sizes, size: &dyn Fn(&str) -> usize) -> DrawSize {
    let budget = size("features");
    let m = match method {
        MaskedMethod::Tensor => (budget as f64 / sizes.mask_dim).floor().max(1.0),
        MaskedMethod::TensorSketch if size("m") == 0 => 4.0 * budget as f64,
        MaskedMethod::TensorSketch => size("m") as f64,
        _ => budget as f64,
    };
    let features = budget as f64;
    let (mask, scratch) = match method {
        MaskedMethod::Tensor => (0.0, m),
        MaskedMethod::ProjectionGaussian | MaskedMethod::ProjectionRademacher => (features * sizes.mask_dim, features),
        MaskedMethod::Coordinate | MaskedMethod::Stratified => (2.0 * features, 0.0),
        MaskedMethod::TensorSketch => (2.0 * (m + sizes.mask_dim), m),
    };
    let projections = projection.draw_bytes(m as usize, sizes.dim as usize) as f64 / 8.0 + mask;
    DrawSize { projections, features, scratch }
}

/// Task `estimate`: tokens, masks, both side by side, the exact matrix; for every trial at once its projections, features
/// of both sides and the estimated matrix.
fn of_estimate(sizes: &Sizes, drawn: &DrawSize, params: &Params) -> f64 {
    let Sizes { queries, keys, dim, mask_dim } = *sizes;
    let rows = queries + keys;
    let inputs = 2.0 * rows * (dim + mask_dim);
    let entries = queries * keys;
    let features = rows * drawn.features + entries.max(queries.max(keys) * drawn.scratch);
    let workers = threads(params, pieces(params));
    let at_once = params.size("trials").min((2 * workers).max(4)).min(workers) as f64;
    // The exact matrix is a product of two, of which one is dropped, and its squares are added.
    8.0 * (inputs + (2.0 * entries).max(entries + at_once * (drawn.projections + features)))
}

/// Task `attention`: tokens and masks in 64 and in 32 bits, values and outputs, one draw in both formats or in 32 bits with
/// the buffers of the product.
fn of_attention(sizes: &Sizes, drawn: &DrawSize, params: &Params, size: &dyn Fn(&str) -> usize) -> f64 {
    let Sizes { queries, keys, dim, mask_dim } = *sizes;
    let width = size("value_dim") as f64;
    let tokens = (queries + keys) * (dim + mask_dim);
    let outputs = 4.0 * (keys + queries) * width;
    let product = linear_bytes(
        (queries as usize, keys as usize),
        (drawn.features as usize, width as usize),
        (128.0 * drawn.scratch) as usize,
        params.flag("causal"),
        threads(params, pieces(params)),
    );
    let draw = 8.0 * drawn.projections + 4.0 * drawn.projections;
    12.0 * tokens + outputs + draw.max(4.0 * drawn.projections + product as f64)
}

/// Pieces of work that are worth a thread of their own: about a million multiplications each.
pub(super) fn pieces(params: &Params) -> usize {
    let (rows, features) = (largest(params, "length") as f64, largest(params, "features") as f64);
    let columns = features + largest(params, "dim") as f64;
    let work = if params.choice::<MaskedTask>("task") == MaskedTask::Attention {
        rows * (rows.min(params.size("exact_limit") as f64) + features) * params.size("value_dim") as f64
    } else {
        rows * rows * columns * (params.size("trials") as f64).min(8.0)
    };
    ((work / f64::from(1 << 20)) as usize).max(1)
}
