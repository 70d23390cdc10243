//! The exact masked matrix, which estimates are compared with.

use super::inputs::MaskedInputs;
use crate::attention::kernel::exact;
use crate::attention::masked::MaskedEstimator;
use crate::attention::{AttentionError, Sketch};
use crate::lab::RunError;
use crate::problems::limits::failure;
use crate::random::Generator;
use ndarray::{Array2, Axis, concatenate};
use std::time::Instant;

/// The exact matrix with the rows that features are made of.
pub(super) struct ExactMatrix {
    /// Queries with their masks: tokens and masks side by side, L × (d + d_v).
    pub queries: Array2<f64>,
    /// Keys with their masks.
    pub keys: Array2<f64>,
    /// The matrix, L × L.
    pub matrix: Array2<f64>,
    /// The sum of its squared entries.
    norm: f64,
}

/// What one draw of an estimator gave.
pub(super) struct MatrixTrial {
    /// ‖Â−A‖²/‖A‖².
    pub square: f64,
    /// ⟨Â,A⟩/‖A‖².
    pub ratio: f64,
    /// The share of entries below 0.
    pub negative_entries: f64,
    /// The share of row sums below 0.
    pub negative_row_sums: f64,
    /// Seconds for the draw and the estimate.
    pub seconds: f64,
}

impl ExactMatrix {
    /// The matrix of `masks`.
    ///
    /// # Errors
    /// An entry is too large for 64 bits; the message says which tokens are too long.
    pub fn new(masks: &MaskedInputs) -> Result<Self, RunError> {
        let join = |tokens: &Array2<f64>, masks: &Array2<f64>| {
            concatenate(Axis(1), &[tokens.view(), masks.view()])
                .unwrap_or_else(|_| unreachable!("masks have a row a token"))
        };
        let matrix = exact(&masks.tokens).map_err(failure)? * masks.queries.dot(&masks.keys.t());
        let norm = (&matrix * &matrix).sum();
        if !norm.is_finite() {
            let longest =
                |tokens: &Array2<f64>| tokens.rows().into_iter().map(|row| row.dot(&row).sqrt()).fold(0.0, f64::max);
            let (q, k) = (longest(&masks.tokens.queries), longest(&masks.tokens.keys));
            return Err(RunError::Input(format!(
                "inputs: entries outgrow 64 bits: the longest query has length {q:.1}, the longest key {k:.1}"
            )));
        }
        Ok(Self {
            queries: join(&masks.tokens.queries, &masks.queries),
            keys: join(&masks.tokens.keys, &masks.keys),
            matrix,
            norm,
        })
    }

    /// One estimate of the whole matrix, compared with it.
    pub fn trial(&self, estimator: &MaskedEstimator, rng: &mut Generator) -> Result<MatrixTrial, AttentionError> {
        let began = Instant::now();
        let sketch = estimator.draw(rng)?;
        let estimate = sketch.matrix(self.queries.view(), self.keys.view())?;
        let seconds = began.elapsed().as_secs_f64();
        let (mut square, mut product, mut negative) = (0.0, 0.0, 0_usize);
        for (found, known) in estimate.iter().zip(&self.matrix) {
            square += (found - known) * (found - known);
            product += found * known;
            // Rounding makes zeros of sketches slightly negative; those are no negative entries.
            negative += usize::from(*found < -1e-12 * known.abs().max(1e-300));
        }
        let sums = estimate.sum_axis(Axis(1));
        Ok(MatrixTrial {
            square: square / self.norm,
            ratio: product / self.norm,
            negative_entries: negative as f64 / estimate.len() as f64,
            negative_row_sums: sums.iter().filter(|sum| **sum < 0.0).count() as f64 / sums.len() as f64,
            seconds,
        })
    }
}
