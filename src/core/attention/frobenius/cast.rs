//! Queries and keys in the number format of the engine, and tiles of the exact matrix.

use super::grid::{COLS, block_rows, pieces};
use crate::attention::kernel::{Float, exp_shifted};
use crate::attention::{AttentionError, Inputs};
use crate::memory;
use crate::product::product;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// Inputs in the number format of the engine.
#[derive(Clone, Debug)]
pub(super) struct Cast<T> {
    pub queries: Array2<T>,
    /// Keys as columns (d×L_k).
    pub keys: Array2<T>,
    /// A/exp(peak), if it is kept: tile by tile in the order in which they are compared, each row by row.
    exact: Option<Arc<Vec<T>>>,
}

impl<T: Float> Cast<T> {
    pub fn new(inputs: &Inputs) -> Result<Self, AttentionError> {
        let cast = |values: ArrayView2<'_, f64>, what| -> Result<Array2<T>, AttentionError> {
            let mut out = memory::array(values.dim(), T::default(), what)?;
            out.zip_mut_with(&values, |out, value| *out = T::of(*value));
            Ok(out)
        };
        let queries = cast(inputs.queries.view(), "the queries")?;
        Ok(Self { queries, keys: cast(inputs.keys.t(), "the keys")?, exact: None })
    }

    /// Rows from `start` on and columns from `start_col` on of A/exp(`peak`), as many as `tile` has.
    pub fn fill_tile(
        &self,
        inputs: &Inputs,
        peak: f64,
        (start, start_col): (usize, usize),
        mut tile: ArrayViewMut2<'_, T>,
    ) {
        let (rows, cols) = tile.dim();
        let queries = self.queries.slice(s![start..start + rows, ..]);
        let keys = self.keys.slice(s![.., start_col..start_col + cols]);
        product(queries, keys, tile.view_mut(), T::default());
        for (mut row, exponent) in tile.rows_mut().into_iter().zip(inputs.row_exponents.slice(s![start..])) {
            exp_shifted(row.as_slice_mut().unwrap_or_default(), T::of(exponent - peak));
        }
    }

    /// Computes the exact matrix and keeps it.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn keep_exact(&mut self, inputs: &Inputs, peak: f64) -> Result<(), AttentionError> {
        let (queries, keys) = (self.queries.nrows(), self.keys.ncols());
        let mut exact = memory::vec(queries * keys, T::default(), "the exact matrix")?;
        let rows = block_rows(queries);
        exact.par_chunks_mut(rows * keys).enumerate().for_each(|(block, mut left)| {
            let rows_here = left.len() / keys;
            for (start_col, cols) in pieces(keys, COLS) {
                let (tile, behind) = left.split_at_mut(rows_here * cols);
                left = behind;
                if let Ok(tile) = ArrayViewMut2::from_shape((rows_here, cols), tile) {
                    self.fill_tile(inputs, peak, (block * rows, start_col), tile);
                }
            }
        });
        self.exact = Some(Arc::new(exact));
        Ok(())
    }

    /// The tile of a block of rows and of so many columns from `start_col` on, if the exact matrix is kept.
    pub fn kept_tile(&self, rows: Range<usize>, (start_col, cols): (usize, usize)) -> Option<ArrayView2<'_, T>> {
        let start = rows.start * self.keys.ncols() + start_col * rows.len();
        let tile = self.exact.as_ref()?.get(start..start + rows.len() * cols)?;
        ArrayView2::from_shape((rows.len(), cols), tile).ok()
    }
}
