//! What a head attends to without estimating anything: a window of near keys, and the uniform average.

use super::exact::ExactHead;
use crate::attention::kernel::Float;
use ndarray::Axis;
use rayon::prelude::*;

/// Errors of a baseline against exact attention.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BaselineErrors {
    /// ‖Â−A‖/‖A‖ with zeros outside the window; none for the uniform average, which estimates no un-normalised matrix.
    pub frobenius: Option<f64>,
    /// ‖P̂−P‖/‖P‖ of the row-normalised matrices.
    pub normalized: f64,
    /// ‖P̂V−PV‖/‖PV‖, where there are values.
    pub output: Option<f64>,
}

/// The number of keys for which exact attention takes as many multiplications and additions a token as linear attention
/// with `features` features of `m` projections: 2md for the features of a query and a key, 2M(d_v + 1) to add a key and to
/// read a query, against d + d_v for each key of a window.
#[must_use]
pub fn window_width(m: usize, features: usize, dim: usize, value_dim: usize) -> usize {
    let linear = 2.0 * m as f64 * dim as f64 + 2.0 * features as f64 * (value_dim as f64 + 1.0);
    ((linear / (dim + value_dim) as f64).round() as usize).max(1)
}

impl ExactHead<'_> {
    /// Attention to `width` keys alone: the newest ones in causal attention, else the nearest ones around the query's own place.
    #[must_use]
    pub fn window(&self, width: usize) -> BaselineErrors {
        self.baseline(width, false)
    }

    /// The plain average of the values of all keys that a row may see.
    #[must_use]
    pub fn uniform(&self) -> BaselineErrors {
        self.baseline(usize::MAX, true)
    }

    fn baseline(&self, width: usize, uniform: bool) -> BaselineErrors {
        let (queries, keys) = (self.inputs.queries.nrows(), self.inputs.keys.nrows());
        let sums: Vec<[f64; 3]> = (0..queries)
            .into_par_iter()
            .map(|i| {
                let seen = self.seen(i);
                let width = width.min(seen);
                let first = if self.causal {
                    seen - width
                } else {
                    // The query's place among the keys, where there are more or fewer of them.
                    ((i * keys / queries + 1).saturating_sub(width.div_ceil(2))).min(keys - width)
                };
                let window = self.inputs.keys.slice(ndarray::s![first..first + width, ..]);
                let logs = window.dot(&self.inputs.queries.row(i)) + self.inputs.row_exponents[i];
                let exact = logs.mapv(|log| Float::exp(log - self.row_log_sums[i]));
                let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let guess = if uniform {
                    logs.mapv(|_| 1.0 / width as f64)
                } else {
                    let weights = logs.mapv(|log| Float::exp(log - top));
                    let sum = weights.sum();
                    weights / sum
                };
                let kept: f64 = logs.iter().map(|log| (2.0 * log - self.log_norm_squared).exp()).sum();
                let inside: f64 = guess.iter().zip(&exact).map(|(a, b)| (a - b).powi(2) - b * b).sum();
                let output = self.precise_values.zip(self.output.as_ref()).map_or(0.0, |(values, output)| {
                    let values = values.slice(ndarray::s![first..first + width, ..]);
                    let difference = values.t().dot(&guess) - output.index_axis(Axis(0), i);
                    difference.dot(&difference)
                });
                [kept, self.normalized_squares[i] + inside, output]
            })
            .collect();
        let sum = |place: usize| sums.iter().map(|row| row[place]).sum::<f64>();
        let norm: f64 = self.normalized_squares.iter().sum();
        BaselineErrors {
            frobenius: (!uniform).then(|| (1.0 - sum(0)).max(0.0).sqrt()),
            normalized: (sum(1) / norm).max(0.0).sqrt(),
            output: self.output_norm().map(|norm| sum(2).sqrt() / norm),
        }
    }
}
