//! Expectations over a matrix whose closed forms are more than 64 bits hold, or whose entries are: every sum is a
//! logarithm, and every entry counts.

use super::Theory;
use super::expected::{DrawBudget, Expectation, is_visible};
use super::moments::Moments;
use crate::attention::spikiness::Exact;
use crate::attention::{AttentionError, Inputs};
use rayon::prelude::*;

/// The largest width of a bin of |x±y|², relative to which a closed form that grows as exp(|x±y|²) is good to 1e-6.
const FINE: f64 = 4e-3;
/// Entries further below the peak than this have weights that 64 bits do not hold beside it.
const DEEP: f64 = 300.0;
/// Moments between nodes of a table are interpolated; their number.
const NODES: usize = 1 << 14;

/// Entries of a matrix that are summed one by one, at most: some seconds' work.
const ENTRIES: usize = 1 << 26;

/// Whether [`by_entry`] ends within seconds for this matrix.
pub(super) fn are_possible(inputs: &Inputs) -> bool {
    inputs.queries.nrows().saturating_mul(inputs.keys.nrows()) <= ENTRIES
}

/// Whether sums in 64 bits could miss part of the expectation of this matrix.
pub(super) fn are_needed(theory: &Theory, exact: &Exact) -> bool {
    let coarse = exact.bin_width.is_some_and(|width| width > FINE);
    exact.peak - exact.lowest > DEEP || (theory.is_radial() && coarse)
}

/// Sums of one row or of all, divided by exp(`scale`).
struct LogSums {
    scale: f64,
    /// Squared bias, variance, and what is visible of both, for every m.
    of_m: Vec<[f64; 3]>,
    /// Not scaled.
    ratio: f64,
}

impl LogSums {
    fn new(count: usize) -> Self {
        Self { scale: f64::NEG_INFINITY, of_m: vec![[0.0; 3]; count], ratio: 0.0 }
    }

    /// Brings the sums to a larger scale.
    fn raise(&mut self, scale: f64) {
        if scale > self.scale {
            let factor = (self.scale - scale).exp();
            self.of_m.iter_mut().flatten().for_each(|sum| *sum *= factor);
            self.scale = scale;
        }
    }

    fn add(&mut self, log_weight: f64, moments: &Moments, budgets: &[(usize, f64)], block: usize) {
        let scale = log_weight + moments.log_scale;
        self.raise(scale);
        let factor = (scale - self.scale).exp();
        self.ratio += log_weight.exp() * moments.mean_ratio;
        for ([bias, variance, visible], &(m, draws)) in self.of_m.iter_mut().zip(budgets) {
            let (of_bias, of_variance) = moments.split(m, block);
            *bias += factor * of_bias;
            *variance += factor * of_variance;
            if is_visible(moments.rarity, draws) {
                *visible += factor * (of_bias + of_variance);
            }
        }
    }

    fn join(mut self, other: &Self) -> Self {
        self.raise(other.scale);
        let factor = if other.scale == f64::NEG_INFINITY { 0.0 } else { (other.scale - self.scale).exp() };
        for (sum, other) in self.of_m.iter_mut().flatten().zip(other.of_m.iter().flatten()) {
            *sum += factor * other;
        }
        self.ratio += other.ratio;
        self
    }

    fn expectations(self) -> Vec<Expectation> {
        let of = |[bias, variance, visible]: [f64; 3]| {
            let total = bias + variance;
            let log = total.ln() + self.scale;
            Expectation {
                relative_mse: log.exp(),
                log10_relative_mse: log / std::f64::consts::LN_10,
                squared_bias: (bias.ln() + self.scale).exp(),
                variance: (variance.ln() + self.scale).exp(),
                mean_ratio: self.ratio,
                visible: if total > 0.0 { visible / total } else { 1.0 },
            }
        };
        self.of_m.into_iter().map(of).collect()
    }
}

/// As [`super::expectation`], entry by entry in the logarithmic domain.
pub(super) fn by_entry(
    theory: &Theory,
    inputs: &Inputs,
    exact: &Exact,
    ms: &[usize],
    draws: DrawBudget,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<Expectation>, AttentionError> {
    let squares: Vec<f64> = inputs.keys.rows().into_iter().map(|key| key.dot(&key)).collect();
    let table = theory.is_radial().then(|| {
        let longest = |tokens: &ndarray::Array2<f64>| {
            tokens.rows().into_iter().map(|row| row.dot(&row)).fold(0.0, f64::max).sqrt()
        };
        MomentTable::new(theory, (longest(&inputs.queries) + longest(&inputs.keys)).powi(2))
    });
    let norm = 2.0 * exact.peak + exact.norm_squared.ln();
    let budgets: Vec<(usize, f64)> = ms.iter().map(|&m| (m, (m * draws.trials) as f64)).collect();
    let rows: Vec<LogSums> = (0..inputs.queries.nrows())
        .into_par_iter()
        .map(|i| {
            if stop() {
                return Err(AttentionError::Stopped);
            }
            let query = inputs.queries.row(i);
            let own = query.dot(&query);
            let products = inputs.keys.dot(&query);
            let mut sums = LogSums::new(ms.len());
            for (j, &dot) in products.iter().enumerate() {
                let moments = match &table {
                    Some(table) => {
                        let cross = if theory.of_difference() { -2.0 * dot } else { 2.0 * dot };
                        table.at((own + squares[j] + cross).max(0.0))
                    }
                    None => theory.pair(query, inputs.keys.row(j)),
                };
                let log_weight = 2.0 * (dot + inputs.row_exponents[i]) - norm;
                sums.add(log_weight, &moments, &budgets, draws.block);
            }
            Ok(sums)
        })
        .collect::<Result<_, _>>()?;
    Ok(rows.iter().fold(LogSums::new(ms.len()), LogSums::join).expectations())
}

/// The moments of a radial closed form at equal steps, interpolated between them by cubic polynomials.
pub(in crate::attention) struct MomentTable {
    step: f64,
    nodes: Vec<Moments>,
}

impl MomentTable {
    /// A table from 0 to `most`.
    pub(in crate::attention) fn new(theory: &Theory, most: f64) -> Self {
        let step = (most * (1.0 + 1e-9) / (NODES - 4) as f64).max(1e-9);
        // One node below 0 would be no square: the first interval takes the nodes above.
        let nodes = (0..NODES).into_par_iter().map(|node| theory.radial(node as f64 * step)).collect();
        Self { step, nodes }
    }

    /// The moments at |x±y|² = `value`.
    pub(in crate::attention) fn at(&self, value: f64) -> Moments {
        let place = value / self.step;
        let first = (place as usize).saturating_sub(1).min(self.nodes.len() - 4);
        let t = place - first as f64;
        // Lagrange's polynomials on the nodes 0, 1, 2, 3.
        let weights = [
            -(t - 1.0) * (t - 2.0) * (t - 3.0) / 6.0,
            t * (t - 2.0) * (t - 3.0) / 2.0,
            -t * (t - 1.0) * (t - 3.0) / 2.0,
            t * (t - 1.0) * (t - 2.0) / 6.0,
        ];
        let nodes = &self.nodes[first..first + 4];
        let mix = |of: fn(&Moments) -> f64| -> f64 {
            nodes.iter().zip(weights).map(|(node, weight)| of(node) * weight).sum()
        };
        let rarity =
            if nodes.iter().all(|node| node.rarity.is_finite()) { mix(|node| node.rarity) } else { f64::INFINITY };
        Moments {
            mean_ratio: mix(|node| node.mean_ratio),
            log_scale: mix(|node| node.log_scale),
            squared_bias: mix(|node| node.squared_bias).max(0.0),
            variance: mix(|node| node.variance).max(0.0),
            covariance: mix(|node| node.covariance),
            rarity,
        }
    }
}
