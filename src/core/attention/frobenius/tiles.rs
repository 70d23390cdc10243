//! The comparison of estimate and exact matrix on the processor, tile by tile.

use super::cast::Cast;
use super::grid::{COLS, block_rows, pieces};
use super::side::SideFeatures;
use super::sums::{TileSums, add_tile};
use crate::attention::kernel::Float;
use crate::attention::spikiness::Exact;
use crate::attention::{AttentionError, Inputs};
use crate::product::product;
use ndarray::{Array2, s};
use rayon::prelude::*;
use std::ops::Range;

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
        let rows = block_rows(count);
        let block = |block: usize| self.block(block * rows..((block + 1) * rows).min(count));
        (0..count.div_ceil(rows)).into_par_iter().map(block).collect()
    }

    fn block(&self, rows: Range<usize>) -> Result<RowBlock, AttentionError> {
        let Self { cast, ms, .. } = self;
        let factors = |size: usize| rows.clone().map(move |row| self.factors(row, size).map(T::of)).collect();
        let factors: Vec<Vec<[T; 4]>> = (0..ms.len()).map(factors).collect();
        let phi = self.queries.features.slice(s![.., rows.clone()]);
        let mut sums = vec![TileSums::default(); ms.len()];
        let mut of_rows = Array2::zeros((rows.len(), ms.len()));
        let mut estimate = Array2::from_elem((rows.len(), COLS.min(cast.keys.ncols())), T::default());
        let mut own = None;
        for (start_col, cols) in pieces(cast.keys.ncols(), COLS) {
            if (self.stop)() {
                return Err(AttentionError::Stopped);
            }
            let end_col = start_col + cols;
            let tile = match cast.kept_tile(rows.clone(), (start_col, cols)) {
                Some(tile) => tile,
                None => {
                    let own = own.get_or_insert_with(|| estimate.clone());
                    let tile = own.slice_mut(s![.., ..cols]);
                    cast.fill_tile(self.inputs, self.exact.peak, (rows.start, start_col), tile);
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
                add_tile(sums, tile, estimate.view(), &factors[size], of_rows.column_mut(size));
            }
        }
        Ok(RowBlock { sums, rows: of_rows / self.norm })
    }
}

/// 1/sum; 0 where the sum is 0.
fn inverse(sum: f64) -> f64 {
    if sum == 0.0 { 0.0 } else { sum.recip() }
}
