//! The comparison of estimate and exact matrix on the processor, tile by tile.

use super::cast::Cast;
use super::side::SideFeatures;
use super::sums::{TileSums, add_row};
use crate::attention::kernel::Float;
use crate::attention::spikiness::Exact;
use crate::attention::{AttentionError, Inputs};
use crate::product::product;
use ndarray::{Array2, s};
use rayon::prelude::*;

/// A tile's estimate (f32) and its rows of features stay in the second-level cache.
pub(super) const ROWS: usize = 128;
const COLS: usize = 512;

/// What a comparison needs beside the place of a tile.
pub(super) struct Comparison<'a, T> {
    pub inputs: &'a Inputs,
    pub exact: &'a Exact,
    pub cast: &'a Cast<T>,
    pub queries: &'a SideFeatures<T>,
    pub keys: &'a SideFeatures<T>,
    /// The values of m, rising.
    pub ms: &'a [usize],
    /// Features of one projection.
    pub width: usize,
    /// What products of features are multiplied with, beside 1/m.
    pub rest: f64,
    /// What entries of A/exp(peak) are multiplied with.
    pub row_scale: f64,
    /// ‖A‖² at that scale.
    pub norm: f64,
    /// Row sums of the estimate, a value of m a column.
    pub estimated_rows: &'a Array2<f64>,
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// What neighbouring rows come to.
pub(super) struct RowBlock {
    /// For every value of m.
    pub sums: Vec<TileSums>,
    /// Each row's part in the relative squared error, a value of m a column.
    pub rows: Array2<f64>,
}

impl<T: Float> Comparison<'_, T> {
    /// The factors of row `row` for the `size`-th value of m: of products of features, of entries of A/exp(peak), and those that make
    /// either add up to 1.
    pub fn factors(&self, row: usize, size: usize) -> [f64; 4] {
        let scale = self.rest / self.ms[size] as f64;
        let of_estimate = inverse(self.estimated_rows[[row, size]]);
        [scale, self.row_scale, of_estimate * scale, 1.0 / self.exact.row_sums[row]]
    }

    /// All rows, in blocks that are spread over rayon's pool.
    pub fn on_processor(&self) -> Result<Vec<RowBlock>, AttentionError> {
        let count = self.cast.queries.nrows();
        (0..count.div_ceil(ROWS)).into_par_iter().map(|block| self.block(block * ROWS, count)).collect()
    }

    fn block(&self, start: usize, count: usize) -> Result<RowBlock, AttentionError> {
        let Self { cast, ms, .. } = self;
        let rows = start..(start + ROWS).min(count);
        let phi = self.queries.features.slice(s![.., rows.clone()]);
        let mut sums = vec![TileSums::default(); ms.len()];
        let mut of_rows = Array2::zeros((rows.len(), ms.len()));
        let mut estimate = Array2::from_elem((rows.len(), COLS), T::default());
        let mut own = None;
        for start_col in (0..cast.keys.ncols()).step_by(COLS) {
            if (self.stop)() {
                return Err(AttentionError::Stopped);
            }
            let end_col = (start_col + COLS).min(cast.keys.ncols());
            let cols = end_col - start_col;
            let tile = match &cast.exact {
                Some(exact) => exact.slice(s![rows.clone(), start_col..end_col]),
                None => {
                    let own = own.get_or_insert_with(|| estimate.clone());
                    cast.tile(self.inputs, self.exact.peak, (start, start_col), own.slice_mut(s![.., ..cols]));
                    own.slice(s![.., ..cols])
                }
            };
            let mut estimate = estimate.slice_mut(s![.., ..cols]);
            let mut from = 0;
            for (size, (&m, sums)) in ms.iter().zip(&mut sums).enumerate() {
                let to = m * self.width;
                let psi = self.keys.features.slice(s![from..to, start_col..end_col]);
                let keep = if from == 0 { T::default() } else { T::ONE };
                product(phi.slice(s![from..to, ..]).t(), psi, estimate.view_mut(), keep);
                from = to;
                for (i, (exact_row, row)) in tile.rows().into_iter().zip(estimate.rows()).enumerate() {
                    let factors = self.factors(start + i, size).map(T::of);
                    of_rows[[i, size]] += add_row(sums, exact_row, row, factors) / self.norm;
                }
            }
        }
        Ok(RowBlock { sums, rows: of_rows })
    }
}

/// 1/sum; 0 where the sum is 0.
fn inverse(sum: f64) -> f64 {
    if sum == 0.0 { 0.0 } else { sum.recip() }
}
