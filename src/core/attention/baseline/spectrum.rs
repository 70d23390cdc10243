//! The singular values of the exact matrix: how well any matrix of rank m can do.

use crate::attention::frobenius::ErrorMeasure;
use crate::attention::kernel::exact;
use crate::attention::{AttentionError, Inputs};
use crate::memory;
use nalgebra::DMatrix;

/// The squared singular values of A/exp(peak), as sums from each one to the smallest.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// Σ_{i ≥ m} σ_i² for m = 0, 1, …, with σ falling; the last is 0.
    tails: Vec<f64>,
}

impl Spectrum {
    /// The spectrum of the matrix of `inputs`, whose largest exponent is `peak`: O(L³) time on one thread, 24 bytes an entry.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn of(inputs: &Inputs, peak: f64) -> Result<Self, AttentionError> {
        let scaled = Inputs {
            row_exponents: &inputs.row_exponents - peak,
            queries: inputs.queries.clone(),
            keys: inputs.keys.clone(),
        };
        let matrix = exact(&scaled)?;
        memory::probe::<f64>(matrix.dim(), "the matrix to be decomposed")?;
        let columns = DMatrix::from_row_iterator(matrix.nrows(), matrix.ncols(), matrix.iter().copied());
        let mut squares: Vec<f64> = columns.singular_values().iter().map(|value| value * value).collect();
        squares.sort_unstable_by(f64::total_cmp);
        let mut tails = vec![0.0];
        for square in squares {
            tails.push(tails[tails.len() - 1] + square);
        }
        tails.reverse();
        Ok(Self { tails })
    }

    /// Σ_{i ≥ m} σ_i²/Σ_i σ_i², the squared relative error of the best matrix of rank m (Eckart & Young 1936).
    #[must_use]
    pub fn relative_squared(&self, m: usize) -> f64 {
        self.tails.get(m).map_or(0.0, |tail| tail / self.tails[0])
    }

    /// The error of the best matrix of rank m. What its entries are is not looked at: no row-normalised error.
    #[must_use]
    pub fn measure(&self, m: usize) -> ErrorMeasure {
        let relative_squared = self.relative_squared(m);
        ErrorMeasure {
            relative: relative_squared.sqrt(),
            relative_squared,
            // ⟨A_m, A⟩ = ‖A_m‖² = ‖A‖² − ‖A − A_m‖².
            ratio: 1.0 - relative_squared,
            normalized_squared: f64::NAN,
            nonpositive_entries: f64::NAN,
            nonpositive_rows: f64::NAN,
            output_squared: None,
        }
    }
}
