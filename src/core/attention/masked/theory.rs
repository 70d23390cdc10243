//! Closed-form mean squared errors of the masked estimators.
//!
//! With κ = e^{x·y}, s = |x+y|², t = |x−y|², q_j = a_j b_j, Q = Σ q_j², N = |a|²|b|² and, for one projection of the
//! positive features, v = Var X/κ² (e^s − 1 for Gaussian rows) and c = Cov(X_i, X_j)/κ² for two rows of a block:
//!
//! | method | MSE/κ² |
//! |---|---|
//! | tensor, m = M/d_v | (a·b)²·(v/m + P c/m²) |
//! | projection-gaussian | [(1+v)(N + 2(a·b)²) − (a·b)²]/M + (a·b)² P c/M² |
//! | projection-rademacher | [(1+v)(N + 2(a·b)² − 2Q) − (a·b)²]/M + (a·b)² P c/M² |
//! | coordinate | [(1+v) Σ q_j²/p_j − (a·b)²]/M + (a·b)² P c/M² |
//! | stratified | v Σ q_j²/M_j + c Σ_blocks [(Σ u_i)² − Σ u_i²], u_i = q_j/M_j of the coordinate j that row i serves |
//! | tensor-sketch | (a·b)² v/m + [μ(A₂+B₂) + (a·b)²(A₁+B₁) + A₁A₂ + B₁B₂]/M + e(A₁B₂ + B₁A₂)/M² |
//!
//! P counts the ordered pairs of rows that share a block. For the sketch B₁ = 1 − 1/m, A₁ = B₁e^t, μ = 1 + v/m,
//! A₂ = N − Q, B₂ = (a·b)² − Q and e = 2 for even M, 1 for odd; it has no closed form on coupled rows.

use super::estimator::{Gate, MaskedEstimator};
use crate::attention::theory::{Theory, is_visible};
use crate::attention::{FeatureMap, Projection};
use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

/// A query and a key with their masks.
#[derive(Clone, Copy, Debug)]
pub struct MaskedPair<'a> {
    /// State-scaled query token (d).
    pub x: ArrayView1<'a, f64>,
    /// State-scaled key token (d).
    pub y: ArrayView1<'a, f64>,
    /// The query's mask, non-negative (d_v).
    pub a: ArrayView1<'a, f64>,
    /// The key's mask, non-negative (d_v).
    pub b: ArrayView1<'a, f64>,
}

impl MaskedPair<'_> {
    /// ln κ = x·y.
    #[must_use]
    pub fn log_kernel(&self) -> f64 {
        self.x.dot(&self.y)
    }

    /// The exact entry K = e^{x·y}·(a·b).
    #[must_use]
    pub fn kernel(&self) -> f64 {
        self.log_kernel().exp() * self.a.dot(&self.b)
    }
}

/// Closed forms of one estimator.
#[derive(Clone, Debug)]
pub struct MaskedTheory<'a> {
    estimator: &'a MaskedEstimator,
    tokens: Theory,
    /// Ordered pairs of rows that share a block.
    coupled: f64,
    /// For each block of a stratified estimator the coordinates it serves, with how many rows.
    blocks: Vec<Vec<(usize, f64)>>,
}

impl<'a> MaskedTheory<'a> {
    /// The closed forms of `estimator`.
    ///
    /// # Errors
    /// Says why it has none.
    pub fn new(estimator: &'a MaskedEstimator) -> Result<Self, &'static str> {
        if matches!(estimator.gate, Gate::Hashed { .. }) && estimator.projection != Projection::Gaussian {
            return Err("a tensor sketch of coupled projections has no closed form here");
        }
        let tokens = Theory::new(&FeatureMap::Positive, estimator.projection, estimator.dim)?;
        let (m, block) = (estimator.projections(), tokens.block());
        let sizes = (0..m).step_by(block).map(|start| block.min(m - start));
        let coupled = sizes.clone().map(|size| (size * (size - 1)) as f64).sum();
        let mut blocks = Vec::new();
        if let (Gate::Stratified { allocation }, true) = (&estimator.gate, block > 1) {
            let mut serves = allocation.iter().enumerate().flat_map(|(j, count)| std::iter::repeat_n(j, *count));
            for size in sizes {
                let mut counts: Vec<(usize, f64)> = Vec::new();
                for j in serves.by_ref().take(size) {
                    match counts.last_mut() {
                        Some((last, count)) if *last == j => *count += 1.0,
                        _ => counts.push((j, 1.0)),
                    }
                }
                blocks.push(counts);
            }
        }
        Ok(Self { estimator, tokens, coupled, blocks })
    }

    /// E(K̂ − K)² of one entry. The estimators are unbiased, so this is the variance.
    #[must_use]
    pub fn mse(&self, pair: MaskedPair) -> f64 {
        (2.0 * pair.log_kernel()).exp() * self.scaled_mse(pair)
    }

    /// E(K̂ − K)²/κ²: infinite where e^s outgrows 64 bits.
    fn scaled_mse(&self, MaskedPair { x, y, a, b }: MaskedPair) -> f64 {
        let z = &x + &y;
        let moments = self.tokens.radial(z.dot(&z));
        let scale = moments.log_scale.exp();
        // A zero covariance stays zero beside an infinite scale.
        let times_scale = |value: f64| if value == 0.0 { 0.0 } else { value * scale };
        let (v, c) = (times_scale(moments.variance), times_scale(moments.covariance));
        let dot = a.dot(&b);
        let squared = dot * dot;
        let products = || a.iter().zip(b).map(|(a, b)| a * b);
        let squares = || products().map(|q| q * q).sum::<f64>();
        let norms = || a.dot(&a) * b.dot(&b);
        let paired = |second: f64, features: usize| {
            let m = features as f64;
            let spread = if second == 0.0 { 0.0 } else { (1.0 + v) * second };
            (spread - squared) / m + squared * self.coupled * c / (m * m)
        };
        match &self.estimator.gate {
            _ if squared == 0.0 && norms() == 0.0 => 0.0,
            Gate::Tensor { projections } => {
                let m = *projections as f64;
                if squared == 0.0 { 0.0 } else { squared * (v / m + self.coupled * c / (m * m)) }
            }
            Gate::Projection { features, signs } => {
                paired(norms() + 2.0 * squared - if *signs { 2.0 * squares() } else { 0.0 }, *features)
            }
            Gate::Coordinate { features, probabilities } => {
                let shares = products().zip(probabilities);
                paired(shares.map(|(q, p)| if q == 0.0 { 0.0 } else { q * q / p }).sum(), *features)
            }
            Gate::Stratified { allocation } => {
                let shares: Vec<f64> = products()
                    .zip(allocation)
                    .map(|(q, count)| if q == 0.0 { 0.0 } else { q / *count as f64 })
                    .collect();
                let own: f64 = shares.iter().zip(allocation).map(|(u, count)| u * u * *count as f64).sum();
                let across: f64 = self
                    .blocks
                    .iter()
                    .map(|block| {
                        let sum: f64 = block.iter().map(|(j, count)| shares[*j] * count).sum();
                        sum * sum - block.iter().map(|(j, count)| shares[*j].powi(2) * count).sum::<f64>()
                    })
                    .sum();
                if own == 0.0 { 0.0 } else { v * own + c * across }
            }
            Gate::Hashed { projections, buckets } => {
                let (m, buckets_f) = (*projections as f64, *buckets as f64);
                let delta = &x - &y;
                let (b1, mean) = (1.0 - 1.0 / m, 1.0 + v / m);
                let a1 = b1 * delta.dot(&delta).exp();
                let (a2, b2) = (norms() - squares(), squared - squares());
                let even = if buckets.is_multiple_of(2) { 2.0 } else { 1.0 };
                squared * v / m
                    + (mean * (a2 + b2) + squared * (a1 + b1) + a1 * a2 + b1 * b2) / buckets_f
                    + even * (a1 * b2 + b1 * a2) / (buckets_f * buckets_f)
            }
        }
    }

    /// Whether the rare draws that carry the error of this entry can be expected among `trials` draws of the estimator: those
    /// of its positive features, of whose projections it has so many.
    fn is_visible(&self, pair: MaskedPair, trials: usize) -> bool {
        let z = &pair.x + &pair.y;
        is_visible(self.tokens.radial(z.dot(&z)).rarity, (self.estimator.projections() * trials) as f64)
    }

    /// E ‖Â − A‖²/‖A‖² for queries (`x`, `a`) and keys (`y`, `b`), rows alike; not finite where 64 bits do not hold it,
    /// NaN when A is zero.
    #[must_use]
    pub fn relative_mse(
        &self,
        (x, a): (ArrayView2<f64>, ArrayView2<f64>),
        (y, b): (ArrayView2<f64>, ArrayView2<f64>),
    ) -> f64 {
        self.sums((x, a), (y, b), None).0
    }

    /// The same, and whether `trials` draws can be expected to show at least half of it; not known where it is not finite.
    #[must_use]
    pub fn observable(
        &self,
        queries: (ArrayView2<f64>, ArrayView2<f64>),
        keys: (ArrayView2<f64>, ArrayView2<f64>),
        trials: usize,
    ) -> (f64, Option<bool>) {
        let (error, visible) = self.sums(queries, keys, Some(trials));
        let observable = if error > 0.0 { visible >= 0.5 * error } else { true };
        (error, error.is_finite().then_some(observable))
    }

    /// The relative error, and the part of it that `trials` draws show.
    fn sums(
        &self,
        (x, a): (ArrayView2<f64>, ArrayView2<f64>),
        (y, b): (ArrayView2<f64>, ArrayView2<f64>),
        trials: Option<usize>,
    ) -> (f64, f64) {
        let pair = |i: usize, j: usize| MaskedPair { x: x.row(i), y: y.row(j), a: a.row(i), b: b.row(j) };
        // The largest entry sets the scale, so that squares of entries fit.
        let top = largest_log_kernel(x, y);
        let sums: Vec<[f64; 3]> = (0..x.nrows())
            .into_par_iter()
            .map(|i| {
                (0..y.nrows()).fold([0.0; 3], |[error, norm, visible], j| {
                    let pair = pair(i, j);
                    let weight = (2.0 * (pair.log_kernel() - top)).exp();
                    let mse = self.scaled_mse(pair);
                    let mse = if mse == 0.0 { 0.0 } else { weight * mse };
                    let shown = if trials.is_some_and(|trials| self.is_visible(pair, trials)) { mse } else { 0.0 };
                    [error + mse, norm + weight * pair.a.dot(&pair.b).powi(2), visible + shown]
                })
            })
            .collect();
        let [error, norm, visible] = sums.iter().fold([0.0; 3], |sum, part| [0, 1, 2].map(|i| sum[i] + part[i]));
        (error / norm, visible / norm)
    }
}

fn largest_log_kernel(x: ArrayView2<f64>, y: ArrayView2<f64>) -> f64 {
    (0..x.nrows())
        .into_par_iter()
        .map(|i| y.outer_iter().map(|y| x.row(i).dot(&y)).fold(f64::NEG_INFINITY, f64::max))
        .reduce(|| f64::NEG_INFINITY, f64::max)
}
