//! Tokens and masks: drawn, or from files.

use super::choices::{MaskKind, TokenSource};
use crate::attention::Inputs;
use crate::attention::inputs::InputParameters;
use crate::lab::{Params, RunContext, RunError};
use crate::memory;
use crate::problems::limits::failure;
use crate::problems::matrices;
use crate::random::Generator;
use ndarray::Array2;
use rand::Rng;
use rand_distr::{Distribution as _, StandardNormal};

/// Queries and keys with their masks.
pub(super) struct MaskedInputs {
    /// The mask's name.
    pub name: String,
    /// Scaled tokens.
    pub tokens: Inputs,
    /// relu(v_q), L×d_v.
    pub queries: Array2<f64>,
    /// relu(v_k), L×d_v.
    pub keys: Array2<f64>,
}

/// Tokens of `length` (files have their own) and masks of the kind `mask`.
///
/// # Errors
/// A file cannot be read, the shapes do not fit each other, or no query meets a key.
pub(super) fn draw(
    mask: MaskKind,
    length: usize,
    params: &Params,
    context: &RunContext,
) -> Result<MaskedInputs, RunError> {
    let tokens = tokens(length, params, context)?;
    let (rows, others) = (tokens.queries.nrows(), tokens.keys.nrows());
    let (queries, keys) = if mask == MaskKind::File {
        let read = |key: &str| matrices::matrix(key, params.text(key)).map(|masks| masks.mapv(|value| value.max(0.0)));
        (read("mask_queries")?, read("mask_keys")?)
    } else {
        let mut rng = context.generator(&format!("mask {mask} {length}"), 0);
        let width = params.size("mask_dim");
        (vectors(mask, rows, width, &mut rng)?, vectors(mask, others, width, &mut rng)?)
    };
    for (key, found, expected) in [("mask_queries", queries.nrows(), rows), ("mask_keys", keys.nrows(), others)] {
        if found != expected {
            return Err(RunError::Input(format!("{key}: found {found} rows, allowed: {expected}, one a token")));
        }
    }
    if queries.ncols() != keys.ncols() {
        let (found, expected) = (keys.ncols(), queries.ncols());
        return Err(RunError::Input(format!("mask_keys: found {found} columns, allowed: {expected}, as mask_queries")));
    }
    if (queries.sum_axis(ndarray::Axis(0)) * keys.sum_axis(ndarray::Axis(0))).sum() == 0.0 {
        return Err(RunError::Input(format!("mask: `{mask}` lets no query meet a key: every entry is 0")));
    }
    Ok(MaskedInputs { name: mask.name().to_owned(), tokens, queries, keys })
}

fn tokens(length: usize, params: &Params, context: &RunContext) -> Result<Inputs, RunError> {
    let dim = params.size("dim");
    let parameters = InputParameters {
        sigma: params.float("sigma"),
        scale: (dim as f64).powf(-0.25),
        radius: Some(params.float("radius")),
        cosine: 0.9,
        centres: 8,
        ..InputParameters::default()
    };
    let distribution = match params.choice("inputs") {
        TokenSource::File => {
            let read = |key: &str| matrices::matrix(key, params.text(key));
            let inputs = Inputs::new(read("queries")?, read("keys")?);
            return Ok(inputs.map_err(|error| RunError::Input(format!("queries, keys: {error}")))?.scaled());
        }
        TokenSource::Drawn(kind) => kind.with(parameters),
    };
    distribution.draw(length, dim, &mut context.generator(&format!("inputs {length} {dim}"), 0)).map_err(failure)
}

/// `count` non-negative vectors of length `width`.
fn vectors(kind: MaskKind, count: usize, width: usize, rng: &mut Generator) -> Result<Array2<f64>, RunError> {
    let mut vectors = memory::array((count, width), 0.0, "the masks").map_err(failure)?;
    for mut vector in vectors.rows_mut() {
        match kind {
            MaskKind::OneHot => vector[rng.random_range(0..width)] = 1.0,
            MaskKind::Flat => vector.fill(1.0),
            MaskKind::ReluNormal | MaskKind::HalfNormal | MaskKind::File => {
                for value in &mut vector {
                    let g: f64 = StandardNormal.sample(rng);
                    *value = if kind == MaskKind::HalfNormal { g.abs() } else { g.max(0.0) };
                }
            }
        }
    }
    Ok(vectors)
}
