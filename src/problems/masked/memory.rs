//! The peak memory of a run, in bytes, with every factor.

use super::choices::{MaskKind, MaskedTask};
use super::mask_files::MaskFiles;
use crate::attention::Projection;
use crate::attention::linear::linear_bytes;
use crate::attention::masked::MaskedMethod;
use crate::lab::Params;
use crate::problems::inputs::params::{CHECKPOINT, DIM, FILE, LENGTH};
use crate::problems::inputs::{HeadPlace, places};
use crate::problems::limits::{BUFFERS, largest, threads};

/// The parameters whose values the peak grows with.
pub(super) const KEYS: &[&str] = &["features", "length", "dim", "mask_dim", "m", "value_dim"];

/// Sizes of one matrix.
struct Sizes {
    queries: f64,
    keys: f64,
    dim: f64,
    mask_dim: f64,
    value_dim: f64,
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

/// Whether queries and keys are drawn.
pub(super) fn is_drawn(params: &Params) -> bool {
    !params.texts("inputs").iter().any(|inputs| [FILE, CHECKPOINT].contains(inputs))
}

/// The length of a value: its own where values come with the tokens, `drawn` otherwise.
pub(super) const fn value_dim(place: &HeadPlace, drawn: usize) -> usize {
    if place.value_dim > 0 { place.value_dim } else { drawn }
}

/// The largest matrix of a run with the largest mask vectors, where `size` gives the largest value of each of [`KEYS`]; none
/// where a file cannot be read, which the run says when it opens it.
fn largest_matrix(params: &Params, size: &dyn Fn(&str) -> usize) -> Option<Sizes> {
    let kinds: Vec<MaskKind> = params.choices("mask");
    let own = if kinds.contains(&MaskKind::File) { MaskFiles::open(params).ok()?.dim() } else { 0 };
    let drawn = if kinds.iter().any(|kind| *kind != MaskKind::File) { size("mask_dim") } else { 0 };
    let mask_dim = own.max(drawn) as f64;
    if is_drawn(params) {
        let (length, dim) = (size(LENGTH.key) as f64, size(DIM.key) as f64);
        return Some(Sizes { queries: length, keys: length, dim, mask_dim, value_dim: size("value_dim") as f64 });
    }
    // All heads of a file or a model have one shape.
    let place = *places(params, None).ok()?.first()?;
    Some(Sizes {
        queries: place.queries as f64,
        keys: place.keys as f64,
        dim: place.dim as f64,
        mask_dim,
        value_dim: value_dim(&place, size("value_dim")) as f64,
    })
}

/// The peak of a run of `params` in bytes, where `size` gives the largest value of each of [`KEYS`].
pub(super) fn peak(params: &Params, size: &dyn Fn(&str) -> usize) -> f64 {
    let Some(sizes) = largest_matrix(params, size) else { return BUFFERS };
    let workers = threads(params, work(&sizes, params, size));
    let projections: Vec<Projection> = params.choices("projection");
    let mut peak: f64 = 0.0;
    for &projection in &projections {
        for method in params.choices("method") {
            let drawn = drawn(method, projection, &sizes, size);
            peak = peak.max(if params.choice::<MaskedTask>("task") == MaskedTask::Attention {
                of_attention(&sizes, &drawn, params.flag("causal"), workers)
            } else {
                of_estimate(&sizes, &drawn, params.size("trials"), workers)
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
fn of_estimate(sizes: &Sizes, drawn: &DrawSize, trials: usize, workers: usize) -> f64 {
    let Sizes { queries, keys, dim, mask_dim, .. } = *sizes;
    let rows = queries + keys;
    let inputs = 2.0 * rows * (dim + mask_dim);
    let entries = queries * keys;
    let features = rows * drawn.features + entries.max(queries.max(keys) * drawn.scratch);
    let at_once = trials.min((2 * workers).max(4)).min(workers) as f64;
    // The exact matrix is a product of two, of which one is dropped, and its squares are added.
    8.0 * (inputs + (2.0 * entries).max(entries + at_once * (drawn.projections + features)))
}

/// Task `attention`: tokens and masks in 64 and in 32 bits, values and outputs, one draw in both formats or in 32 bits with
/// the buffers of the product.
fn of_attention(sizes: &Sizes, drawn: &DrawSize, causal: bool, workers: usize) -> f64 {
    let Sizes { queries, keys, dim, mask_dim, value_dim: width } = *sizes;
    let tokens = (queries + keys) * (dim + mask_dim);
    let outputs = 4.0 * (keys + queries) * width;
    let product = linear_bytes(
        (queries as usize, keys as usize),
        (drawn.features as usize, width as usize),
        (128.0 * drawn.scratch) as usize,
        causal,
        workers,
    );
    let draw = 8.0 * drawn.projections + 4.0 * drawn.projections;
    12.0 * tokens + outputs + draw.max(4.0 * drawn.projections + product as f64)
}

/// Pieces of work that are worth a thread of their own: about a million multiplications each.
pub(super) fn pieces(params: &Params, place: Option<&HeadPlace>) -> usize {
    let size = |key: &str| largest(params, key);
    let Some(place) = place else { return 1 };
    let sizes = Sizes {
        queries: place.queries as f64,
        keys: place.keys as f64,
        dim: place.dim as f64,
        mask_dim: 0.0,
        value_dim: value_dim(place, size("value_dim")) as f64,
    };
    work(&sizes, params, &size)
}

fn work(sizes: &Sizes, params: &Params, size: &dyn Fn(&str) -> usize) -> usize {
    let features = size("features") as f64;
    let work = if params.choice::<MaskedTask>("task") == MaskedTask::Attention {
        sizes.queries * (sizes.keys.min(params.size("exact_limit") as f64) + features) * sizes.value_dim
    } else {
        sizes.queries * sizes.keys * (features + sizes.dim) * (params.size("trials") as f64).min(8.0)
    };
    ((work / f64::from(1 << 20)) as usize).max(1)
}
