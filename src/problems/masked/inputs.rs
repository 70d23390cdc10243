//! Tokens and masks: drawn, from files, or of a trained model.

use super::choices::MaskKind;
use super::mask_files::MaskFiles;
use crate::attention::Inputs;
use crate::lab::{Params, RunContext, RunError};
use crate::memory;
use crate::problems::inputs::params::{LENGTH, RADIUS};
use crate::problems::inputs::{HeadInputs, HeadPlace, InputReader};
use crate::problems::limits::failure;
use crate::random::Generator;
use ndarray::Array2;
use rand::Rng;
use rand_distr::{Distribution as _, StandardNormal};

/// Queries and keys of one head with their masks.
pub(super) struct MaskedInputs {
    /// Where the tokens come from.
    pub place: HeadPlace,
    /// The file of the queries or the checkpoint, as typed; none for drawn inputs.
    pub source: Option<String>,
    /// The mask's name.
    pub name: String,
    /// Scaled tokens.
    pub tokens: Inputs,
    /// relu(v_q), L_q×d_v.
    pub queries: Array2<f64>,
    /// relu(v_k), L_k×d_v.
    pub keys: Array2<f64>,
    /// Values that came with the tokens, L_k×d'.
    pub values: Option<Array2<f64>>,
}

/// Reads or draws tokens and masks, head by head.
pub(super) struct MaskedReader<'a> {
    params: &'a Params,
    tokens: InputReader<'a>,
    files: Option<MaskFiles>,
}

/// What names the draws for `place`: its length, and the layer and head if there are any. For tokens that are not drawn the
/// length is the parameter's, whatever the length of the file: so the numbers of a file's run stay what they always were.
pub(super) fn draws(place: &HeadPlace, params: &Params) -> (usize, String) {
    let length = if place.source.is_drawn() { place.queries } else { params.sizes(LENGTH.key)[0] };
    (length, place.mark())
}

impl<'a> MaskedReader<'a> {
    /// A reader for the run of `context`.
    pub fn of_run(params: &'a Params, context: &RunContext) -> Self {
        let tokens = InputReader::of_run(params, context).with_radius(params.float(RADIUS.key));
        Self { params, tokens, files: None }
    }

    /// The tokens of `place` with masks of the kind `mask`.
    ///
    /// # Errors
    /// A file cannot be read, the shapes do not fit each other, or no query meets a key.
    pub fn read(&mut self, mask: MaskKind, place: &HeadPlace, context: &RunContext) -> Result<MaskedInputs, RunError> {
        let params = self.params;
        let draw = format!("inputs {} {}", place.queries, place.dim);
        let HeadInputs { source, inputs: tokens, values, .. } = self.tokens.read(*place, &draw)?;
        let (rows, others) = (tokens.queries.nrows(), tokens.keys.nrows());
        let [queries, keys] = if mask == MaskKind::File {
            let files = match &self.files {
                Some(files) => files,
                None => self.files.insert(MaskFiles::open(params)?),
            };
            files.read(place, params)?.map(|masks| masks.mapv(|value| value.max(0.0)))
        } else {
            let (length, mark) = draws(place, params);
            let mut rng = context.generator(&format!("mask {mask} {length}{mark}"), 0);
            let width = params.size("mask_dim");
            [vectors(mask, rows, width, &mut rng)?, vectors(mask, others, width, &mut rng)?]
        };
        for (key, found, expected) in [("mask_queries", queries.nrows(), rows), ("mask_keys", keys.nrows(), others)] {
            if found != expected {
                return Err(RunError::Input(format!("{key}: found {found} rows, allowed: {expected}, one a token")));
            }
        }
        if (queries.sum_axis(ndarray::Axis(0)) * keys.sum_axis(ndarray::Axis(0))).sum() == 0.0 {
            return Err(RunError::Input(format!("mask: `{mask}` lets no query meet a key: every entry is 0")));
        }
        Ok(MaskedInputs { place: *place, source, name: mask.name().to_owned(), tokens, queries, keys, values })
    }
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
