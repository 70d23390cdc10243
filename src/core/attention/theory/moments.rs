//! Moments of one pair.

use super::special::{hyper_1f1, log_hyper_0f1, log_hyper_1f1, simplex_nodes, sphere_cosine};
use crate::attention::projection::{ClosedForm, walsh_hadamard};
use crate::attention::{FeatureMap, Projection};
use ndarray::{Array1, ArrayView1};
use std::f64::consts::LN_2;

/// First and second moments of the one-projection estimate X of K, relative to K, K² and divided by e^`log_scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// E X / K, not scaled.
    pub mean_ratio: f64,
    /// The logarithm of the common scale of the following.
    pub log_scale: f64,
    /// (E X − K)²/K².
    pub squared_bias: f64,
    /// Var X/K².
    pub variance: f64,
    /// Cov(X_i, X_j)/K² of two rows of one block; 0 for independent rows.
    pub covariance: f64,
    /// ½ ln(E X⁴/(E X²)²): about the logarithm of the number of draws it takes before their mean square shows E X². For
    /// exponential features of Gaussian rows it is 2s, the relative entropy of the draws that carry E X² (Chatterjee &
    /// Diaconis 2018, The sample size required in importance sampling).
    pub rarity: f64,
}

impl Moments {
    /// Squared bias and variance of the estimate from `m` projections in blocks of `block`, both relative to K² and
    /// divided by e^`log_scale`.
    #[must_use]
    pub fn split(&self, m: usize, block: usize) -> (f64, f64) {
        let pairs = pairs_in_blocks(m, block);
        let m = m as f64;
        let variance = self.variance / m + pairs / (m * m) * self.covariance;
        (self.squared_bias, variance.max(0.0))
    }

    /// E(K̂ − K)²/K² of the estimate from `m` projections in blocks of `block`.
    #[must_use]
    pub fn relative_mse(&self, m: usize, block: usize) -> f64 {
        let (bias, variance) = self.split(m, block);
        (bias + variance) * self.log_scale.exp()
    }
}

/// Ordered pairs of rows that share a block.
fn pairs_in_blocks(m: usize, block: usize) -> f64 {
    let (full, rest) = ((m / block) as f64, (m % block) as f64);
    full * block as f64 * (block as f64 - 1.0) + rest * (rest - 1.0).max(0.0)
}

/// The closed form of one (feature family, projection) pair in dimension d.
#[derive(Clone, Debug)]
pub struct Theory {
    map: FeatureMap,
    form: ClosedForm,
    block: usize,
    d: usize,
    nodes: Vec<(f64, f64)>,
}

impl Theory {
    /// The closed form for `map` on `projection` in dimension `d`.
    ///
    /// # Errors
    /// Says why there is none.
    pub fn new(map: &FeatureMap, projection: Projection, d: usize) -> Result<Self, &'static str> {
        let form = projection.closed_form();
        match (map, form) {
            (FeatureMap::Custom(_), _) => return Err("a typed function has no closed form"),
            (_, ClosedForm::None(reason)) => return Err(reason),
            (FeatureMap::Gerf { .. } | FeatureMap::Sderf { .. }, _) if !projection.is_gaussian() => {
                return Err("generalised exponential features need Gaussian norms");
            }
            (FeatureMap::Sderf { .. }, ClosedForm::Orthogonal | ClosedForm::Simplex) => {
                return Err(
                    "dense exponential features on coupled rows have no closed form: coordinates are not alike",
                );
            }
            _ => {}
        }
        let nodes = if form == ClosedForm::Simplex { simplex_nodes(d) } else { Vec::new() };
        Ok(Self { map: map.clone(), form, block: projection.block(d), d, nodes })
    }

    /// The feature map.
    #[must_use]
    pub const fn map(&self) -> &FeatureMap {
        &self.map
    }

    /// Rows that are coupled.
    #[must_use]
    pub const fn block(&self) -> usize {
        self.block
    }

    /// Whether moments depend on s = |x+y|² or t = |x−y|² alone.
    #[must_use]
    pub fn is_radial(&self) -> bool {
        !matches!(self.map, FeatureMap::Sderf { .. }) && self.form != ClosedForm::Signs
    }

    /// Whether the argument of [`Theory::radial`] is t = |x−y|² rather than s = |x+y|².
    #[must_use]
    pub const fn of_difference(&self) -> bool {
        matches!(self.map, FeatureMap::Trigonometric)
    }

    /// The moments of the pair (x, y).
    #[must_use]
    pub fn pair(&self, x: ArrayView1<'_, f64>, y: ArrayView1<'_, f64>) -> Moments {
        let z = if self.of_difference() { &x - &y } else { &x + &y };
        if self.is_radial() {
            return self.radial(z.dot(&z));
        }
        if let FeatureMap::Sderf { rotation, a } = &self.map {
            return sderf(&rotation.t().dot(&z), a);
        }
        let terms = [1.0, 2.0, 4.0].map(|k| {
            let even = if self.of_difference() { f64::cos } else { f64::cosh };
            z.iter().map(|z| even(k * z)).collect::<Vec<_>>()
        });
        self.signs(z.dot(&z), [&terms[0], &terms[1], &terms[2]])
    }

    /// The moments of any pair with this squared length of x+y (x−y for trigonometric features).
    ///
    /// # Panics
    /// They depend on more than that (see [`Theory::is_radial`]).
    #[must_use]
    pub fn radial(&self, v: f64) -> Moments {
        match (&self.map, self.form) {
            (FeatureMap::Sderf { .. } | FeatureMap::Custom(_), _) | (_, ClosedForm::Signs) => {
                panic!("moments depend on the direction")
            }
            (FeatureMap::Trigonometric, ClosedForm::FixedNorm) => self.trigonometric_fixed(v),
            (_, ClosedForm::FixedNorm) => self.exponential_fixed(v),
            (FeatureMap::Trigonometric, _) => {
                let low = (-v).exp();
                Moments {
                    mean_ratio: 1.0,
                    log_scale: v,
                    squared_bias: 0.0,
                    variance: (-v).exp_m1().powi(2) / 2.0,
                    covariance: self.conformity(-v).map_or(0.0, |both| both - low),
                    rarity: rarity(
                        (-2.0 * v).exp().ln_1p() - LN_2,
                        (((-8.0 * v).exp() + 4.0 * (-2.0 * v).exp() + 3.0) / 8.0).ln(),
                    ),
                }
            }
            (FeatureMap::Hyperbolic, _) => Moments {
                mean_ratio: 1.0,
                log_scale: v,
                squared_bias: 0.0,
                variance: (-v).exp_m1().powi(2) / 2.0,
                covariance: self.log_conformity(v).map_or(0.0, |both| (both - 2.0 * v).exp() - (-v).exp()),
                rarity: rarity(
                    v + (-2.0 * v).exp().ln_1p() - LN_2,
                    6.0 * v + ((1.0 + 4.0 * (-6.0 * v).exp() + 3.0 * (-8.0 * v).exp()) / 8.0).ln(),
                ),
            },
            (FeatureMap::Positive, _) => self.generalised(v, 0.0),
            (FeatureMap::Gerf { a }, _) => self.generalised(v, *a),
        }
    }

    /// Positive (a = 0) and generalised exponential features on Gaussian rows.
    fn generalised(&self, s: f64, a: f64) -> Moments {
        let d = self.d as f64;
        // ln E Xᵏ/Kᵏ.
        let log_moment = |k: f64| {
            let (b, c) = (1.0 - 4.0 * a, 1.0 - 4.0 * k * a);
            d / 2.0 * k * b.ln() - d / 2.0 * c.ln() + k * s / 2.0 * (k * b / c - 1.0)
        };
        let second = log_moment(2.0);
        Moments {
            mean_ratio: 1.0,
            log_scale: second,
            squared_bias: 0.0,
            variance: -(-second).exp_m1(),
            covariance: self.log_conformity(s).map_or(0.0, |both| (both - s - second).exp() - (-second).exp()),
            // A positive A makes high moments infinite.
            rarity: if 16.0 * a < 1.0 { rarity(second, log_moment(4.0)) } else { f64::INFINITY },
        }
    }

    /// ln E X_iX_j/Λ² for two Gaussian rows of a block; none for independent rows.
    fn log_conformity(&self, s: f64) -> Option<f64> {
        let d = self.d as f64;
        let at = |z: f64| log_hyper_1f1(d, d / 2.0, z);
        match self.form {
            ClosedForm::Orthogonal => Some(at(s / 2.0)),
            ClosedForm::Simplex => {
                let tilt = |sign: f64| {
                    log_sum_exp(
                        self.nodes
                            .iter()
                            .map(|(u, weight)| weight.ln() + at(s / 2.0 * (1.0 + sign * u / (d - 1.0)).max(0.0))),
                    )
                };
                if matches!(self.map, FeatureMap::Hyperbolic) {
                    Some(log_sum_exp([tilt(-1.0), tilt(1.0)]) - LN_2)
                } else {
                    Some(tilt(-1.0))
                }
            }
            _ => None,
        }
    }

    /// E X_iX_j/Λ⁻² of trigonometric features for two Gaussian rows of a block, at s = −t.
    fn conformity(&self, s: f64) -> Option<f64> {
        let d = self.d as f64;
        match self.form {
            ClosedForm::Orthogonal => Some(hyper_1f1(d, s / 2.0)),
            ClosedForm::Simplex => Some(
                self.nodes
                    .iter()
                    .map(|(u, weight)| {
                        let tilt = u / (d - 1.0);
                        weight * 0.5 * (hyper_1f1(d, s / 2.0 * (1.0 - tilt)) + hyper_1f1(d, s / 2.0 * (1.0 + tilt)))
                    })
                    .sum(),
            ),
            _ => None,
        }
    }

    /// Positive and hyperbolic features on orthogonal rows of norm √d.
    fn exponential_fixed(&self, s: f64) -> Moments {
        let d = self.d as f64;
        let at = |z: f64| log_hyper_0f1(d / 2.0, z);
        let mean_ratio = (at(d * s / 4.0) - s / 2.0).exp();
        let second = at(d * s) - s;
        let (second, fourth) = if matches!(self.map, FeatureMap::Hyperbolic) {
            let fourth = log_sum_exp([at(4.0 * d * s), 4.0_f64.ln() + at(d * s), 3.0_f64.ln()]) - 8.0_f64.ln();
            (log_sum_exp([second, -s]) - LN_2, fourth)
        } else {
            (second, at(4.0 * d * s))
        };
        relative(mean_ratio, second, Some(at(d * s / 2.0) - s), fourth - 2.0 * s)
    }

    /// Trigonometric features on orthogonal rows of norm √d.
    fn trigonometric_fixed(&self, t: f64) -> Moments {
        let radius = (self.d as f64 * t).sqrt();
        let at = |factor: f64| sphere_cosine(self.d, factor * radius);
        let (mean, second, both) = (at(1.0), (1.0 + at(2.0)) / 2.0, at(2.0_f64.sqrt()));
        let fourth = (at(4.0) + 4.0 * at(2.0) + 3.0) / 8.0;
        scaled(t, mean, second, Some(both), fourth)
    }

    /// All families on ±1 rows, independent (Rademacher) or in Hadamard blocks, from c_k = cosh(k·z_l) by coordinate, or
    /// cos(k·Δ_l) for trigonometric features, at k = 1, 2, 4. `v` is s or t.
    pub(super) fn signs(&self, v: f64, terms: [&[f64]; 3]) -> Moments {
        let [mean, double, quadruple] = terms.map(log_product);
        let block = self.block();
        let both = (block > 1).then(|| {
            // Products over S_r = {l : H_rl = 1} and over the rest, for every row r > 0 of H: half of the sum over all
            // l, plus or minus half of the Walsh–Hadamard transform, of the logarithms and of the counts of minuses.
            let (mut logs, mut minuses) = (Array1::zeros(block), Array1::zeros(block));
            for (l, &term) in terms[1].iter().enumerate() {
                logs[l] = f64::abs(term).max(f64::MIN_POSITIVE).ln();
                minuses[l] = f64::from(term < 0.0);
            }
            let total = [logs.sum(), minuses.sum()];
            walsh_hadamard(logs.view_mut());
            if total[1] > 0.0 {
                walsh_hadamard(minuses.view_mut());
            }
            // Over Λ⁻² for trigonometric features, over K² for the others.
            let base = if self.of_difference() { 0.0 } else { v };
            let value = |log: f64, minuses: f64| if minuses % 2.0 == 0.0 { log.exp() } else { -log.exp() };
            let sum: f64 = (1..block)
                .map(|r| {
                    value((total[0] + logs[r]) / 2.0 - base, (total[1] + minuses[r]) / 2.0)
                        + value((total[0] - logs[r]) / 2.0 - base, (total[1] - minuses[r]) / 2.0)
                })
                .sum();
            sum / (2.0 * (block as f64 - 1.0))
        });
        let even = |double: (f64, f64)| f64::midpoint(double.1 * double.0.exp(), 1.0);
        if self.of_difference() {
            let fourth = (quadruple.1 * quadruple.0.exp() + 4.0 * double.1 * double.0.exp() + 3.0) / 8.0;
            return scaled(v, mean.1 * mean.0.exp(), even(double), both, fourth);
        }
        let mean_ratio = (mean.0 - v / 2.0).exp();
        let (second, fourth) = if matches!(self.map, FeatureMap::Hyperbolic) {
            let fourth = log_sum_exp([quadruple.0, 4.0_f64.ln() + double.0, 3.0_f64.ln()]) - 8.0_f64.ln();
            (log_sum_exp([double.0, 0.0]) - LN_2, fourth)
        } else {
            (double.0, quadruple.0)
        };
        relative(mean_ratio, second - v, both.map(f64::ln), fourth - 2.0 * v)
    }
}

/// (ln|Π|, sign) of a product, its parts multiplied in chunks that stay within f64.
fn log_product(terms: &[f64]) -> (f64, f64) {
    let (mut log, mut sign) = (0.0, 1.0);
    for chunk in terms.chunks(16) {
        let part: f64 = chunk.iter().product();
        if part.is_finite() && part != 0.0 {
            log += part.abs().ln();
            sign *= part.signum();
        } else {
            for term in chunk {
                log += term.abs().max(f64::MIN_POSITIVE).ln();
                sign *= term.signum();
            }
        }
    }
    (log, sign)
}

/// Moments from logarithms of E X²/K², E X_iX_j/K² and E X⁴/K⁴.
fn relative(mean_ratio: f64, second: f64, both: Option<f64>, fourth: f64) -> Moments {
    let log_scale = second.max(0.0);
    let square = mean_ratio * mean_ratio;
    let shrink = (-log_scale).exp();
    Moments {
        mean_ratio,
        log_scale,
        squared_bias: (mean_ratio - 1.0).powi(2) * shrink,
        variance: ((second - log_scale).exp() - square * shrink).max(0.0),
        covariance: both.map_or(0.0, |both| (both - log_scale).exp() - square * shrink),
        rarity: rarity(second, fourth),
    }
}

/// Moments of trigonometric features from E X, E X², E X_iX_j and E X⁴ over powers of Λ⁻¹.
fn scaled(t: f64, mean: f64, second: f64, both: Option<f64>, fourth: f64) -> Moments {
    Moments {
        mean_ratio: (t / 2.0).exp() * mean,
        log_scale: t,
        squared_bias: (mean - (-t / 2.0).exp()).powi(2),
        variance: (second - mean * mean).max(0.0),
        covariance: both.map_or(0.0, |both| both - mean * mean),
        rarity: rarity(second.max(f64::MIN_POSITIVE).ln(), fourth.max(f64::MIN_POSITIVE).ln()),
    }
}

/// Dense exponential features on independent Gaussian rows, `z` in rotated coordinates.
fn sderf(z: &Array1<f64>, a: &Array1<f64>) -> Moments {
    let log_moment = |k: f64| {
        z.iter()
            .zip(a)
            .map(|(z, a)| {
                let (b, c) = (1.0 - 4.0 * a, 1.0 - 4.0 * k * a);
                k / 2.0 * b.ln() - 0.5 * c.ln() + k * z * z / 2.0 * (k * b / c - 1.0)
            })
            .sum::<f64>()
    };
    let second = log_moment(2.0);
    let finite = a.iter().all(|a| 16.0 * a < 1.0);
    Moments {
        mean_ratio: 1.0,
        log_scale: second,
        squared_bias: 0.0,
        variance: -(-second).exp_m1(),
        covariance: 0.0,
        rarity: if finite { rarity(second, log_moment(4.0)) } else { f64::INFINITY },
    }
}

/// [`Moments::rarity`] from ln E X² and ln E X⁴.
fn rarity(second: f64, fourth: f64) -> f64 {
    (fourth - 2.0 * second) / 2.0
}

/// ln Σ e^v.
pub(super) fn log_sum_exp(values: impl IntoIterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.into_iter().collect();
    let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return top;
    }
    top + values.iter().map(|value| (value - top).exp()).sum::<f64>().ln()
}
