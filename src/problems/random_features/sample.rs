//! Errors of a sample of rows, for matrices that are too large to be looked at whole: which rows, and how far their error may lie
//! from that of the whole matrix.

use crate::attention::Inputs;
use crate::lab::Params;
use crate::problems::inputs::HeadPlace;
use crate::random::generator;
use ndarray::{Array1, ArrayView1, Axis};
use rand::seq::index;

/// The rows looked at, out of all.
pub(super) struct RowSample {
    /// Rows of the whole matrix.
    pub of: usize,
    /// The part that each row of the sample has in ‖A‖² of the sample.
    pub shares: Array1<f64>,
}

/// Rows that are looked at of a matrix with so many queries.
pub(super) fn measured_rows(params: &Params, queries: usize) -> usize {
    match params.size("sample_rows") {
        0 => queries,
        rows => rows.min(queries),
    }
}

/// Multiply-adds of one trial at `place` with so many features.
pub(super) fn trial_products(params: &Params, place: &HeadPlace, features: usize) -> f64 {
    measured_rows(params, place.queries) as f64 * place.keys as f64 * (features + place.dim) as f64
}

/// The inputs of the rows that are looked at, drawn without replacement by the run's seed and in their order. Keys stay as they are, so
/// that every row is measured whole.
pub(super) fn sampled(inputs: Inputs, params: &Params) -> Inputs {
    let count = inputs.queries.nrows();
    let rows = measured_rows(params, count);
    if rows == count {
        return inputs;
    }
    let mut rng = generator(params.int("seed").unsigned_abs(), "sampled rows", count as u64);
    let mut chosen = index::sample(&mut rng, count, rows).into_vec();
    chosen.sort_unstable();
    Inputs {
        queries: inputs.queries.select(Axis(0), &chosen),
        keys: inputs.keys,
        row_exponents: inputs.row_exponents.select(Axis(0), &chosen),
    }
}

impl RowSample {
    /// The standard error that ‖Â−A‖²/‖A‖² of the sample has as an estimate of that of the whole matrix, where `parts` are the rows' parts
    /// in it: that of a ratio of means over a simple random sample (Cochran 1977, equation 6.13), with the correction for a
    /// sample that is a large part of the whole. None for one row.
    pub fn standard_error(&self, parts: ArrayView1<'_, f64>) -> Option<f64> {
        let rows = parts.len() as f64;
        if rows < 2.0 {
            return None;
        }
        let ratio = parts.sum() / self.shares.sum();
        let residuals = parts.iter().zip(&self.shares).map(|(part, share)| (part - ratio * share).powi(2)).sum::<f64>();
        let left_out = 1.0 - rows / self.of as f64;
        Some((left_out * rows / (rows - 1.0) * residuals).sqrt() / self.shares.sum())
    }
}

/// From how many rows, of equal parts, a sum of these `parts` could come: (Σ e)²/Σ e².
pub(super) fn effective_rows(parts: ArrayView1<'_, f64>) -> f64 {
    parts.sum().powi(2) / parts.dot(&parts)
}

/// Where the error comes from fewer rows than this, its standard error is too small: rows like the few that count may be missing.
pub(super) const FEW_ROWS: f64 = 50.0;

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_sample_of_equal_ratios_has_no_error() {
        let sample = RowSample { of: 100, shares: array![0.2, 0.3, 0.5] };
        assert!(sample.standard_error(array![0.02, 0.03, 0.05].view()).unwrap() < 1e-15);
        // Residuals ±0.01 about a ratio of 0.1: √(0.97·3/2·2·10⁻⁴).
        let found = sample.standard_error(array![0.03, 0.02, 0.05].view()).unwrap();
        assert!((found - (0.97_f64 * 1.5 * 2e-4).sqrt()).abs() < 1e-12, "{found}");
        assert!((effective_rows(array![0.03, 0.03, 0.0].view()) - 2.0).abs() < 1e-12);
        assert_eq!(RowSample { of: 9, shares: array![1.0] }.standard_error(array![0.1].view()), None);
    }
}
