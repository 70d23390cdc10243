//! The largest entries of each row, kept exactly; the others are 0.

use crate::attention::frobenius::ErrorMeasure;
use crate::attention::{AttentionError, Inputs};
use ndarray::Axis;
use rayon::prelude::*;

/// What one row adds to the errors of one m.
#[derive(Clone, Copy, Default)]
struct RowTail {
    /// Σ A² over entries that are not kept.
    left: f64,
    /// The same of the row-normalised difference.
    normalized: f64,
}

/// The errors with the m largest entries of every row kept, for every m of `ms`, from sorted rows: O(L² log L) time and O(L) memory
/// a thread. `peak` is the largest exponent of the matrix.
///
/// # Errors
/// An end that was asked for.
pub fn largest_entries(
    inputs: &Inputs,
    peak: f64,
    ms: &[usize],
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<ErrorMeasure>, AttentionError> {
    let rows: Vec<(f64, f64, Vec<RowTail>)> = inputs
        .queries
        .axis_iter(Axis(0))
        .into_par_iter()
        .zip(inputs.row_exponents.as_slice().unwrap_or_default())
        .map(|(query, exponent)| {
            if stop() {
                return Err(AttentionError::Stopped);
            }
            let mut exponents = inputs.keys.dot(&query).to_vec();
            exponents.sort_unstable_by(|a, b| b.total_cmp(a));
            Ok(of_row(&exponents, exponent - peak, ms))
        })
        .collect::<Result<_, _>>()?;
    let (mut norm, mut normalized_norm, mut tails) = (0.0, 0.0, vec![RowTail::default(); ms.len()]);
    for (of_row, normalized, of_ms) in rows {
        norm += of_row;
        normalized_norm += normalized;
        for (all, tail) in tails.iter_mut().zip(of_ms) {
            all.left += tail.left;
            all.normalized += tail.normalized;
        }
    }
    let keys = inputs.keys.nrows();
    let measure = |(tail, &m): (RowTail, &usize)| {
        let relative_squared = tail.left / norm;
        ErrorMeasure {
            relative: relative_squared.sqrt(),
            relative_squared,
            normalized_squared: tail.normalized / normalized_norm,
            ratio: 1.0 - relative_squared,
            nonpositive_entries: keys.saturating_sub(m) as f64 / keys as f64,
            nonpositive_rows: 0.0,
            output_squared: None,
        }
    };
    Ok(tails.into_iter().zip(ms).map(measure).collect())
}

/// Σ A² of a row whose exponents fall, Σ (A/row sum)², and what is left out for every m. `shift` is added to every exponent.
fn of_row(exponents: &[f64], shift: f64, ms: &[usize]) -> (f64, f64, Vec<RowTail>) {
    let top = exponents[0];
    // At the row's own scale, so that a row far below the others has a row sum too.
    let entries: Vec<f64> = exponents.iter().map(|exponent| (exponent - top).exp()).collect();
    let scale = (2.0 * (top + shift)).exp();
    // Sums from the smallest entry up, of entries and of squares: those of entry j and all after it.
    let mut sums = vec![(0.0, 0.0); entries.len() + 1];
    for (j, entry) in entries.iter().enumerate().rev() {
        let (sum, squares): (f64, f64) = sums[j + 1];
        sums[j] = (sum + entry, squares + entry * entry);
    }
    let (sum, squares) = sums[0];
    let tail = |&m: &usize| {
        let m = m.min(entries.len());
        let (left, squares_left) = sums[m];
        let kept = sum - left;
        // Kept entries grow by 1/kept − 1/sum, the others lose 1/sum.
        let growth = if m == 0 { 0.0 } else { left / (kept * sum) };
        RowTail {
            left: squares_left * scale,
            normalized: (squares - squares_left) * growth * growth + squares_left / (sum * sum),
        }
    };
    (squares * scale, squares / (sum * sum), ms.iter().map(tail).collect())
}
