//! The exact attention of one head: what estimates are compared with.

use crate::attention::kernel::Float;
use crate::attention::{AttentionError, Inputs};
use crate::memory;
use crate::product::product;
use ndarray::{Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

/// Rows of a tile.
pub(super) const ROWS: usize = 64;

/// Exact matrices of up to this many entries are kept between draws, in 32 bits; larger ones are computed anew for each.
const KEPT: usize = 1 << 26;

/// One head: queries, keys, what a row may see, and with values also the output of attention.
#[derive(Debug)]
pub struct ExactHead<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) causal: bool,
    /// ln max_j A_ij over all keys, L_q.
    pub(super) row_peaks: Vec<f64>,
    /// ln Σ_j A_ij over the keys that the row may see, L_q.
    pub(super) row_log_sums: Vec<f64>,
    /// ln ‖A‖² over all entries.
    pub(super) log_norm_squared: f64,
    /// ‖P‖² for each row of P = D⁻¹A, L_q.
    pub(super) normalized_squares: Vec<f64>,
    /// Values in 32 bits (L_k×d_v), as the products of estimates take them.
    pub(super) values: Option<Array2<f32>>,
    /// The exact output PV (L_q×d_v).
    pub(super) output: Option<Array2<f64>>,
    pub(super) precise_values: Option<&'a Array2<f64>>,
    kept: Option<[Array2<f32>; 2]>,
    entropy: f64,
    effective_keys: f64,
}

/// What one tile of rows adds.
struct Tile {
    /// Peak, ln of the sum over what is seen, ln of the sum of squares over everything, Σ P², entropy.
    rows: Vec<[f64; 5]>,
    output: Option<Array2<f64>>,
}

/// One tile of the exact matrix in 32 bits: A_ij/exp(peak of the row), and P_ij with zeros where the row may not see.
pub(super) struct ExactTile {
    pub relative: Array2<f32>,
    pub normalized: Array2<f32>,
}

impl<'a> ExactHead<'a> {
    /// Surveys the head in O(L_q·L_k·(d + d_v)) time. `values` (L_k×d_v) are needed for errors of the output only. With
    /// `causal`, query i sees keys 0 to i in row-normalised numbers.
    ///
    /// # Errors
    /// Values of another length than keys, causal attention of fewer keys than queries, not enough memory, an end that was asked for.
    pub fn new(
        inputs: &'a Inputs,
        values: Option<&'a Array2<f64>>,
        causal: bool,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Self, AttentionError> {
        let (queries, keys) = (inputs.queries.nrows(), inputs.keys.nrows());
        if let Some(values) = values.filter(|values| values.nrows() != keys) {
            let (rows, columns) = values.dim();
            return Err(AttentionError::Shape(format!(
                "values are {rows}×{columns}, but there are {keys} keys: both need the same number of rows"
            )));
        }
        if causal && queries != keys {
            return Err(AttentionError::Shape(format!(
                "causal attention needs as many keys as queries, found {queries} queries and {keys} keys"
            )));
        }
        let single = |values: &Array2<f64>| -> Result<_, AttentionError> {
            let mut single = memory::array(values.dim(), 0.0_f32, "the values")?;
            single.zip_mut_with(values, |out, value| *out = *value as f32);
            Ok(single)
        };
        let mut head = Self {
            inputs,
            causal,
            row_peaks: Vec::new(),
            row_log_sums: Vec::new(),
            log_norm_squared: 0.0,
            normalized_squares: Vec::new(),
            values: values.map(single).transpose()?,
            output: None,
            precise_values: values,
            kept: None,
            entropy: 0.0,
            effective_keys: 0.0,
        };
        let mut kept = if is_kept(queries, keys) {
            let room = || memory::array((queries, keys), 0.0_f32, "the exact matrix");
            Some([room()?, room()?])
        } else {
            None
        };
        let starts: Vec<usize> = (0..queries).step_by(ROWS).collect();
        let tiles: Vec<Tile> = if let Some([relative, normalized]) = &mut kept {
            let chunks = relative.axis_chunks_iter_mut(Axis(0), ROWS).into_par_iter();
            chunks
                .zip(normalized.axis_chunks_iter_mut(Axis(0), ROWS))
                .zip(starts)
                .map(|((mut relative, mut normalized), start)| {
                    let (tile, survey) = head.survey(start, values, stop)?;
                    relative.assign(&tile.relative);
                    normalized.assign(&tile.normalized);
                    Ok(survey)
                })
                .collect::<Result<_, AttentionError>>()?
        } else {
            let survey = |start| head.survey(start, values, stop).map(|(_, survey)| survey);
            starts.into_par_iter().map(survey).collect::<Result<_, AttentionError>>()?
        };
        head.kept = kept;
        let rows = || tiles.iter().flat_map(|tile| tile.rows.iter());
        head.row_peaks = rows().map(|row| row[0]).collect();
        head.row_log_sums = rows().map(|row| row[1]).collect();
        head.normalized_squares = rows().map(|row| row[3]).collect();
        let top = rows().map(|row| row[2]).fold(f64::NEG_INFINITY, f64::max);
        head.log_norm_squared = top + rows().map(|row| (row[2] - top).exp()).sum::<f64>().ln();
        head.entropy = rows().map(|row| row[4]).sum::<f64>() / queries as f64;
        head.effective_keys = rows().map(|row| row[4].exp()).sum::<f64>() / queries as f64;
        if let Some(values) = values {
            let mut output = memory::array((queries, values.ncols()), 0.0, "the output")?;
            for (tile, mut rows) in tiles.iter().zip(output.axis_chunks_iter_mut(Axis(0), ROWS)) {
                if let Some(part) = &tile.output {
                    rows.assign(part);
                }
            }
            head.output = Some(output);
        }
        Ok(head)
    }

    /// The mean over rows of the entropy −Σ_j P_ij ln P_ij, in nats.
    #[must_use]
    pub const fn entropy(&self) -> f64 {
        self.entropy
    }

    /// The mean over rows of exp(entropy), the number of equally attended keys with that entropy.
    #[must_use]
    pub const fn effective_keys(&self) -> f64 {
        self.effective_keys
    }

    /// The exact output PV (L_q×d_v), where there are values.
    #[must_use]
    pub const fn output(&self) -> Option<&Array2<f64>> {
        self.output.as_ref()
    }

    /// ‖PV‖_F, where there are values.
    #[must_use]
    pub fn output_norm(&self) -> Option<f64> {
        self.output.as_ref().map(|output| output.iter().map(|value| value * value).sum::<f64>().sqrt())
    }

    /// How many keys row `i` may see, from the first on.
    pub(super) fn seen(&self, i: usize) -> usize {
        if self.causal { (i + 1).min(self.inputs.keys.nrows()) } else { self.inputs.keys.nrows() }
    }

    /// The exact tile of the rows from `start` on: `relative` and `normalized`, each rows×L_k.
    pub(super) fn tile<T>(&self, start: usize, work: impl FnOnce(ArrayView2<'_, f32>, ArrayView2<'_, f32>) -> T) -> T {
        let end = (start + ROWS).min(self.inputs.queries.nrows());
        if let Some([relative, normalized]) = &self.kept {
            return work(relative.slice(s![start..end, ..]), normalized.slice(s![start..end, ..]));
        }
        let (tile, _) = self.exact_tile(start, end);
        work(tile.relative.view(), tile.normalized.view())
    }

    fn survey(
        &self,
        start: usize,
        values: Option<&Array2<f64>>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(ExactTile, Tile), AttentionError> {
        if stop() {
            return Err(AttentionError::Stopped);
        }
        let end = (start + ROWS).min(self.inputs.queries.nrows());
        let (tile, precise) = self.exact_tile(start, end);
        let output = values.map(|values| {
            let mut output = Array2::zeros((end - start, values.ncols()));
            product(precise.normalized.view(), values.view(), output.view_mut(), 0.0);
            output
        });
        Ok((tile, Tile { rows: precise.rows, output }))
    }

    /// Rows `start` to `end` in 32 bits, and P with what each row adds in 64 bits.
    fn exact_tile(&self, start: usize, end: usize) -> (ExactTile, PreciseTile) {
        let shape = (end - start, self.inputs.keys.nrows());
        let mut logarithms = Array2::zeros(shape);
        let queries = self.inputs.queries.slice(s![start..end, ..]);
        product(queries, self.inputs.keys.t(), logarithms.view_mut(), 0.0);
        let mut tile = ExactTile { relative: Array2::zeros(shape), normalized: Array2::zeros(shape) };
        let mut rows = Vec::with_capacity(end - start);
        for (place, mut row) in logarithms.rows_mut().into_iter().enumerate() {
            let i = start + place;
            row += self.inputs.row_exponents[i];
            let row = row.into_slice().unwrap_or_default();
            let top = |logs: &[f64]| logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let (seen, peak) = (self.seen(i), top(row));
            let (mut sum, mut squares) = (0.0, 0.0);
            for (log, out) in row.iter().zip(tile.relative.row_mut(place)) {
                let value = Float::exp(log - peak);
                sum += value;
                squares += value * value;
                *out = value as f32;
            }
            let log_sum = if seen == row.len() {
                peak + f64::ln(sum)
            } else {
                let peak_seen = top(&row[..seen]);
                peak_seen + row[..seen].iter().map(|log| Float::exp(log - peak_seen)).sum::<f64>().ln()
            };
            let (mut of_normalized, mut entropy) = (0.0, 0.0);
            let (visible, hidden) = row.split_at_mut(seen);
            for (log, out) in visible.iter_mut().zip(tile.normalized.row_mut(place)) {
                let surprise = *log - log_sum;
                *log = Float::exp(surprise);
                *out = *log as f32;
                of_normalized += *log * *log;
                entropy -= *log * surprise;
            }
            hidden.fill(0.0);
            rows.push([peak, log_sum, 2.0 * peak + f64::ln(squares), of_normalized, f64::max(entropy, 0.0)]);
        }
        (tile, PreciseTile { normalized: logarithms, rows })
    }
}

/// A tile in 64 bits.
struct PreciseTile {
    /// P, with zeros where the row may not see.
    normalized: Array2<f64>,
    /// As [`Tile::rows`].
    rows: Vec<[f64; 5]>,
}

fn is_kept(queries: usize, keys: usize) -> bool {
    queries.checked_mul(keys).is_some_and(|entries| entries <= KEPT)
}

/// Bytes that a [`ExactHead`] of `queries` and `keys` holds beside the inputs: the matrices that are kept, the output and
/// the values of `value_dim` coordinates.
#[must_use]
pub fn rowwise_bytes((queries, keys): (usize, usize), value_dim: usize) -> f64 {
    let kept = if is_kept(queries, keys) { 8.0 * queries as f64 * keys as f64 } else { 0.0 };
    kept + value_dim as f64 * (8.0 * queries as f64 + 4.0 * keys as f64)
}
