//! Queries and keys in the number format of the engine, and tiles of the exact matrix.

use crate::attention::kernel::{Float, exp_shifted};
use crate::attention::{AttentionError, Inputs};
use crate::memory;
use crate::product::product;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};
use std::sync::Arc;

/// Inputs in the number format of the engine.
#[derive(Clone, Debug)]
pub(super) struct Cast<T> {
    pub queries: Array2<T>,
    /// Keys as columns (d×L_k).
    pub keys: Array2<T>,
    /// A/exp(peak), if it is kept.
    pub exact: Option<Arc<Array2<T>>>,
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
    pub fn tile(&self, inputs: &Inputs, peak: f64, (start, start_col): (usize, usize), mut tile: ArrayViewMut2<'_, T>) {
        let (rows, cols) = tile.dim();
        let queries = self.queries.slice(s![start..start + rows, ..]);
        let keys = self.keys.slice(s![.., start_col..start_col + cols]);
        product(queries, keys, tile.view_mut(), T::default());
        for (mut row, exponent) in tile.rows_mut().into_iter().zip(inputs.row_exponents.slice(s![start..])) {
            exp_shifted(row.as_slice_mut().unwrap_or_default(), T::of(exponent - peak));
        }
    }
}
