//! The peak memory of a run, in bytes, with every factor.
//!
//! While one matrix is looked at, its tokens, their copy in the engine's format and (up to a size) the exact matrix stay;
//! on top comes the largest of the survey, the closed forms, the picture and the trials. A trial holds the projections W,
//! what the family makes of them, and the features of both sides.

use super::baselines;
use super::sample::{measured_rows, trial_products};
use crate::attention::frobenius::{Precision, is_kept};
use crate::attention::projection::RowLaw;
use crate::attention::rowwise::rowwise_bytes;
use crate::attention::theory::typed_bytes;
use crate::attention::{Family, Projection};
use crate::function::Function;
use crate::lab::Params;
use crate::problems::estimators::{FeatureEstimator, estimators};
use crate::problems::inputs::{HeadPlace, InputSource};
use crate::problems::limits::{BUFFERS, largest, threads};

/// Queries and keys of one matrix.
#[derive(Clone, Copy, PartialEq)]
struct Tokens {
    /// Queries that are looked at.
    queries: f64,
    /// Queries that are read and left out.
    left_out: f64,
    keys: f64,
    dim: f64,
    /// Coordinates of a value; 0 without values.
    values: f64,
    /// Whether they come from files or a model.
    stored: bool,
}

impl Tokens {
    /// Whether rows are measured one by one from the start.
    fn are_rowwise(self, params: &Params) -> bool {
        params.flag("causal") || self.values > 0.0 || params.choice::<Precision>("precision") == Precision::Log
    }
}

/// The parameters whose values the peak grows with.
pub(super) const KEYS: &[&str] = &["m", "length", "dim", "hybrid_n"];

/// The peak in bytes of a run of `params` that looks at `places`, where `size` gives the largest value of each of [`KEYS`]. Places
/// of files that cannot be read are missing: the run refuses these when it opens them.
pub(super) fn peak(params: &Params, places: &[HeadPlace], size: &dyn Fn(&str) -> usize) -> f64 {
    let looked_at = |queries: usize| {
        let rows = measured_rows(params, queries);
        (rows as f64, (queries - rows) as f64)
    };
    let (queries, left_out) = looked_at(size("length"));
    let drawn =
        Tokens { queries, left_out, keys: size("length") as f64, dim: size("dim") as f64, values: 0.0, stored: false };
    let is_stored = |kind: &&str| matches!(*kind, "file" | "checkpoint");
    let mut tokens = Vec::new();
    if !params.texts("inputs").iter().all(is_stored) {
        tokens.push(drawn);
    }
    let stored = places.iter().filter(|place| !matches!(place.source, InputSource::Drawn(_)));
    tokens.extend(stored.map(|place| {
        let (queries, left_out) = looked_at(place.queries);
        let [keys, dim, values] = [place.keys, place.dim, place.value_dim].map(|size| size as f64);
        Tokens { queries, left_out, keys, dim, values, stored: true }
    }));
    tokens.dedup();
    let workers = threads(params, pieces(params, places));
    tokens.into_iter().map(|tokens| of_matrix(tokens, params, workers, size)).fold(0.0, f64::max)
}

fn of_matrix(tokens: Tokens, params: &Params, workers: usize, size: &dyn Fn(&str) -> usize) -> f64 {
    let Tokens { queries, left_out, keys, dim, values, stored } = tokens;
    let rowwise = tokens.are_rowwise(params);
    let numbers = (queries + keys) * dim;
    let entries = queries * keys;
    let single = params.choice::<Precision>("precision") != Precision::Double;
    let inputs = 8.0 * numbers;
    let head = if rowwise || stored || entries <= f64::from(1 << 22) {
        rowwise_bytes((queries as usize, keys as usize), values as usize) + 8.0 * keys * values
    } else {
        0.0
    };
    let engine = match single && !rowwise {
        true if is_kept((queries as usize, keys as usize)) => 4.0 * (numbers + entries),
        true => 4.0 * numbers,
        false => 0.0,
    };
    // Logarithms of a small matrix are kept and sorted, those of a large one counted.
    let survey = if entries <= f64::from(1 << 22) { 16.0 * entries } else { 32.0 * 48.0 * f64::from(1 << 14) }
        + if entries <= f64::from(1 << 16) { 64.0 * entries } else { 0.0 };
    let projections: Vec<Projection> = params.choices("projection");
    let signs = projections.iter().any(|projection| projection.law() == RowLaw::Signs);
    // Six factors of every coordinate, where a closed form depends on directions and is summed at all.
    let theory = if signs && entries * dim <= f64::from(1 << 28) * 8.0 { 48.0 * numbers } else { 0.0 };
    // Coefficients of every row.
    let typed = estimators(params).into_iter().map(|estimator| match estimator {
        FeatureEstimator::Custom(function) if projections.contains(&Projection::Gaussian) => {
            typed_bytes(queries + keys, function.components() as f64)
        }
        _ => 0.0,
    });
    let mut rest: f64 = typed.fold(theory, f64::max);
    rest = rest.max(baselines::bytes(params, (queries as usize, keys as usize), dim as usize));
    for estimator in estimators(params) {
        for &projection in &projections {
            rest = rest.max(of_trials(tokens, estimator, projection, params, workers, size));
        }
    }
    // Of a sample of rows, those that are left out lie beside the others for a moment.
    let sampling = 8.0 * dim * left_out;
    BUFFERS + inputs + survey.max(engine + head + rest).max(sampling)
}

/// The trials that run at once, of one estimator on one kind of projection.
fn of_trials(
    tokens: Tokens,
    estimator: FeatureEstimator,
    projection: Projection,
    params: &Params,
    workers: usize,
    size: &dyn Fn(&str) -> usize,
) -> f64 {
    let Tokens { queries, keys, dim, .. } = tokens;
    let m = size("m") as f64;
    let drawn = projection.draw_bytes(size("m"), dim as usize) as f64;
    let double = params.choice::<Precision>("precision") == Precision::Double;
    // The picture is one sketch in 64 bits of at most so many tokens a side.
    let shown = queries.max(keys).min(48.0);
    let (width, one, picture) = match estimator {
        FeatureEstimator::Family(family) => {
            let width = family.features_per_projection() as f64;
            let number = if double { 8.0 } else { 4.0 };
            let cast = if double { 8.0 * (queries + keys) * dim } else { 0.0 };
            let own = 8.0
                * m
                * dim
                * match family {
                    Family::Gerf => 1.0,
                    Family::Sderf => 2.0,
                    _ => 0.0,
                };
            let copy = number * m * dim;
            let features = number * width * m;
            // The keys' side is made while the queries' features lie there.
            let second = (own + copy).max(copy + features * keys);
            let products = if width > 1.0 { m } else { 0.0 };
            let picture = 8.0 * (m * dim + shown * (2.0 * width * m + products)) + own;
            (width * m, cast + drawn.max(8.0 * m * dim + features * queries + second), picture)
        }
        FeatureEstimator::Custom(function) => {
            let width = function.components() as f64;
            let number = if double { 8.0 } else { 4.0 };
            let cast = if double { 8.0 * (queries + keys) * dim } else { 0.0 };
            let steps = block_bytes(function, m) * workers as f64;
            let picture = 8.0 * (m * dim + shown * 2.0 * width * m) + steps;
            (width * m, cast + drawn.max(8.0 * m * dim + number * width * m * (queries + keys) + steps), picture)
        }
        FeatureEstimator::Hybrid => {
            let first = if params.choice::<Family>("hybrid_first") == Family::Positive { 1.0 } else { 2.0 };
            let (signs, part) = (size("hybrid_n") as f64, 2.0 * m);
            let features = (signs + 1.0) * (first + 2.0) * m;
            let sketch = drawn + 8.0 * m * dim + 8.0 * signs * dim;
            // A side is made, then turned into columns; the keys' side while the queries' lies there.
            let made = |rows: f64| 8.0 * rows * (features + (part + m + 2.0 * signs).max(features));
            let sides = made(queries).max(8.0 * queries * features + made(keys));
            let picture = sketch + 8.0 * shown * features + made(shown);
            (features, sketch + 8.0 * (queries + keys) * dim + sides, picture)
        }
    };
    if tokens.are_rowwise(params) {
        // Exponents of both sides in 64 bits, features of the keys in 32, and a tile of rows for every thread.
        let workers = workers as f64;
        let tiles = 64.0 * (8.0 * keys + 4.0 * width) * workers;
        // A typed function has an exponent and a sign for every feature, other families an exponent for every projection.
        let exponents = match estimator {
            FeatureEstimator::Custom(function) => 9.0 * width * (queries + keys) + block_bytes(function, m),
            FeatureEstimator::Family(_) | FeatureEstimator::Hybrid => 8.0 * m * (queries + keys),
        };
        let one = drawn.max(8.0 * m * dim) + 8.0 * m * dim + exponents + 4.0 * width * keys + tiles;
        let parts = if estimator == FeatureEstimator::Hybrid { 2.0 } else { 1.0 };
        let at_once = if queries * keys * width < f64::from(1 << 27) { workers } else { 1.0 };
        return parts * one * at_once;
    }
    let side_by_side = queries * keys * width < f64::from(1 << 24);
    let at_once = params.size("trials").div_ceil(8).min(workers).max(1) as f64;
    picture.max(one * if side_by_side { at_once } else { 1.0 })
}

/// What one block of rows of a typed function takes while it is evaluated: every step, the projections and the result.
fn block_bytes(function: &Function, m: f64) -> f64 {
    let steps = function.features().steps.len() + function.components() + 2;
    8.0 * m.max(f64::from(1 << 13)) * steps as f64
}

/// Pieces of work at `places` that are worth a thread of their own: about a million multiplications each.
pub(super) fn pieces(params: &Params, places: &[HeadPlace]) -> usize {
    let columns = 2 * largest(params, "m");
    let of_place = |place: &HeadPlace| trial_products(params, place, columns);
    let trials = (params.size("trials") as f64).min(8.0);
    ((places.iter().map(of_place).fold(0.0, f64::max) * trials / f64::from(1 << 20)) as usize).max(1)
}
