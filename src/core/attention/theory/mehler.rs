//! Mean and squared error of random features φ_i(x) = h(w_i·x, |x|²)/√m of any function h, for independent Gaussian w_i.
//!
//! With a = |x|², b = |y|², c = x·y, the projections U, V of one w are normal with variances a, b and correlation
//! ρ = c/√(ab), and one projection estimates T = Σ_c h_c(U, a) h_c(V, b). Mehler's formula gives for any two functions
//!
//! E g(U) g(V) = Σ_k ρ^k α_k(a) α_k(b),  α_k(a) = E g(√a z) He_k(z)/√k!,
//!
//! so that E T takes the coefficients of every h_c, and E T² = Σ_{c,c'} E (h_c h_c')(U) (h_c h_c')(V) those of the products.
//! Coefficients are made once for every squared length; a pair costs as many terms as its ρ needs. What is left out is
//! bounded by Parseval's sum, √(tail_x tail_y) |ρ|^K. The pairs that contribute most to that bound (ρ near ±1, for
//! functions with kinks) are integrated in two dimensions instead.

use super::direct::direct;
use super::expected::Expectation;
use super::hermite::{HermiteRow, STRIDE};
use super::quadrature::Integrand;
use super::series::{KeyBlocks, LANES, SideRows, correlation, terms_of_correlations};
use crate::attention::spikiness::Exact;
use crate::attention::{AttentionError, Inputs};
use crate::function::{Function, Variable};
use ndarray::Array2;
use rayon::prelude::*;

/// Terms of a series, at most.
const TERMS: usize = 640;
/// Pairs that are integrated in two dimensions, at most.
const DIRECT: usize = 256;
/// Pairs of a row that are remembered for that.
const OF_ROW: usize = 32;
/// The share of the result that errors may make up.
const TOLERANCE: f64 = 1e-6;
/// Pairs times factors that are summed, at most: some seconds' work.
const WORK: usize = 1 << 27;
/// A relative squared bias below this is rounding.
const NO_BIAS: f64 = 1e-14;

/// Theory of a typed function.
pub struct TypedTheory<'a> {
    function: &'a Function,
    integrand: Integrand<'a>,
}

/// Bytes that the coefficients of so many rows take, at most, for a function of so many components.
#[must_use]
pub fn typed_bytes(rows: f64, components: f64) -> f64 {
    // Those of keys are there twice: as they are made, and side by side.
    2.0 * 8.0 * rows * TERMS as f64 * (components + components * (components + 1.0) / 2.0)
}

/// Sums over pairs: relative to ‖A‖² (the ratio too), for one projection.
#[derive(Clone, Default)]
struct PairSums {
    bias: f64,
    variance: f64,
    ratio: f64,
    bias_error: f64,
    variance_error: f64,
    /// The pairs with the largest errors.
    worst: Vec<WorstPair>,
}

/// A pair whose series left something out.
#[derive(Clone, Copy)]
struct WorstPair {
    query: usize,
    key: usize,
    parts: PairParts,
}

/// What a pair adds to the sums.
#[derive(Clone, Copy, Default)]
struct PairParts {
    bias: f64,
    variance: f64,
    ratio: f64,
    bias_error: f64,
    variance_error: f64,
}

impl PairParts {
    /// From E T, E T² and A of the pair over ‖A‖, with the errors of the first two.
    fn new([mean, mean_error]: [f64; 2], [second, second_error]: [f64; 2], exact: f64) -> Self {
        let off = mean - exact;
        Self {
            bias: off * off,
            variance: (second - mean * mean).max(0.0),
            ratio: mean * exact,
            bias_error: mean_error * (2.0 * off.abs() + mean_error),
            variance_error: second_error + mean_error * (2.0 * mean.abs() + mean_error),
        }
    }

    fn error(&self) -> f64 {
        self.bias_error + self.variance_error
    }
}

impl PairSums {
    fn add(&mut self, parts: &PairParts, sign: f64) {
        self.bias += sign * parts.bias;
        self.variance += sign * parts.variance;
        self.ratio += sign * parts.ratio;
        self.bias_error += sign * parts.bias_error;
        self.variance_error += sign * parts.variance_error;
    }

    fn join(mut self, other: Self) -> Self {
        self.bias += other.bias;
        self.variance += other.variance;
        self.ratio += other.ratio;
        self.bias_error += other.bias_error;
        self.variance_error += other.variance_error;
        self.worst.extend(other.worst);
        self
    }

    /// Whether errors are small against the expected squared error with `m` projections.
    fn is_settled(&self, m: usize) -> bool {
        self.bias_error <= TOLERANCE * (self.bias + self.variance / m as f64) + NO_BIAS
            && self.variance_error <= TOLERANCE * self.variance + NO_BIAS
    }
}

impl<'a> TypedTheory<'a> {
    /// The theory of `function`.
    ///
    /// # Errors
    /// Says why there is none for this function.
    pub fn new(function: &'a Function) -> Result<Self, &'static str> {
        if function.reduces() {
            return Err("f reduces over coordinates, so that features depend on each other");
        }
        if function.uses(Variable::Coordinate) {
            return Err("f is not of p and n alone");
        }
        Ok(Self { function, integrand: Integrand::new(function) })
    }

    /// Why the pairs of a matrix are too many to be summed.
    ///
    /// # Errors
    /// They are.
    pub fn check(&self, pairs: usize) -> Result<(), String> {
        let most = WORK / self.integrand.factors.len();
        if pairs <= most {
            return Ok(());
        }
        Err(format!("its theory is summed pair by pair, {pairs} of them, at most {most}"))
    }

    /// E T and E T² of one pair with squared lengths `a`, `b` and inner product `c`.
    ///
    /// # Errors
    /// The quadrature does not settle.
    pub fn pair(&self, a: f64, b: f64, c: f64) -> Result<[f64; 2], AttentionError> {
        let row = |square: f64| HermiteRow::new(&self.integrand, square, TERMS).map_err(AttentionError::Quadrature);
        let (x, y) = (row(a)?, row(b)?);
        let rho = correlation(a, b, c);
        let mut result = [0.0; 2];
        let mut by_area = None;
        for (place, factor) in self.integrand.factors.iter().enumerate() {
            let (mut power, mut sum, mut size) = (1.0, 0.0, 0.0);
            for (a, b) in x.coefficients[place].iter().zip(&y.coefficients[place]) {
                let term: f64 = power * a * b;
                (sum, size, power) = (sum + term, size + term.abs(), power * rho);
            }
            let mut scale = x.scales[place] + y.scales[place];
            if x.rest_bound(&y, place, rho) + 1e-15 * size > 1e-9 * f64::abs(sum) {
                if by_area.is_none() {
                    by_area = direct(&self.integrand, a, b, rho);
                }
                let unsettled = || AttentionError::Quadrature("the quadrature does not settle".to_owned());
                (sum, scale) = by_area.as_ref().ok_or_else(unsettled)?[place];
            }
            result[usize::from(factor.second.is_some())] += factor.count * sum * scale.exp();
        }
        Ok(result)
    }

    /// The expectation for each of `ms`; `exact` is the survey of `inputs`.
    ///
    /// # Errors
    /// [`AttentionError::Quadrature`] says why there is none; else an end that was asked for.
    pub fn expectation(
        &self,
        inputs: &Inputs,
        exact: &Exact,
        ms: &[usize],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Expectation>, AttentionError> {
        let log_norm = exact.peak + exact.norm_squared.ln() / 2.0;
        let largest = ms.last().copied().unwrap_or(1);
        let squares = |tokens: &Array2<f64>| tokens.rows().into_iter().map(|row| row.dot(&row)).collect::<Vec<f64>>();
        let sides = [squares(&inputs.queries), squares(&inputs.keys)];
        let needed = self.terms(&sides)?;
        // Kinks leave a rest after any number of terms, which small correlations make as small as one likes.
        let terms = if needed < TERMS { needed } else { terms_of_correlations(inputs, &sides, (DIRECT / 2, TERMS)) };
        let sums = self.sums(inputs, &sides, terms, (log_norm, largest), stop)?;
        let sums = if terms < needed && !sums.is_settled(largest) {
            self.sums(inputs, &sides, needed, (log_norm, largest), stop)?
        } else {
            sums
        };
        if !sums.is_settled(largest) {
            return Err(AttentionError::Quadrature("the quadrature does not settle".to_owned()));
        }
        let squared_bias = if sums.bias < NO_BIAS { 0.0 } else { sums.bias };
        Ok(ms
            .iter()
            .map(|&m| {
                let variance = sums.variance / m as f64;
                let relative_mse = squared_bias + variance;
                Expectation {
                    relative_mse,
                    log10_relative_mse: relative_mse.log10(),
                    squared_bias,
                    variance,
                    mean_ratio: sums.ratio,
                    // How heavy the tail is would take moments of the fourth order.
                    visible: f64::NAN,
                }
            })
            .collect())
    }

    /// The sums over all pairs with series of so many terms; `m` is the largest number of projections asked for.
    fn sums(
        &self,
        inputs: &Inputs,
        sides: &[Vec<f64>; 2],
        terms: usize,
        (log_norm, m): (f64, usize),
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<PairSums, AttentionError> {
        let [queries, keys] = sides.each_ref().map(|squares| SideRows::new(&self.integrand, squares, terms, stop));
        let (queries, keys) = (queries?, keys?);
        let blocks = KeyBlocks::new(&keys, self.integrand.factors.len(), terms);
        let rows: Vec<PairSums> = (0..inputs.queries.nrows())
            .into_par_iter()
            .map(|i| {
                if stop() {
                    return Err(AttentionError::Stopped);
                }
                let products = inputs.keys.dot(&inputs.queries.row(i));
                let own = inputs.row_exponents[i] - log_norm;
                Ok(self.row(i, &queries, &keys, &blocks, products.as_slice().unwrap_or_default(), own))
            })
            .collect::<Result<_, _>>()?;
        let mut sums = rows.into_iter().fold(PairSums::default(), PairSums::join);
        self.improve(&mut sums, inputs, [&queries, &keys], log_norm, m, stop)?;
        Ok(sums)
    }

    /// The terms that rows of these squared lengths need, from a few of them.
    fn terms(&self, sides: &[Vec<f64>; 2]) -> Result<usize, AttentionError> {
        let mut all: Vec<f64> = sides.concat();
        all.sort_unstable_by(f64::total_cmp);
        let mut sample: Vec<f64> = [0, 1, 2, 3, 4].map(|part| all[part * (all.len() - 1) / 4]).to_vec();
        sample.dedup();
        let needed = sample
            .into_par_iter()
            .map(|square| HermiteRow::new(&self.integrand, square, TERMS).map(|row| row.needed()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(AttentionError::Quadrature)?;
        let most = needed.into_iter().max().unwrap_or(TERMS);
        Ok((most + 2 * STRIDE).min(TERMS))
    }

    /// What query `i` adds with all keys; `own` is the logarithm of its factor over ‖A‖.
    fn row(
        &self,
        i: usize,
        queries: &SideRows,
        keys: &SideRows,
        blocks: &KeyBlocks,
        products: &[f64],
        own: f64,
    ) -> PairSums {
        let query = &queries.rows[queries.of_token[i]];
        let mut sums = PairSums::default();
        for (block, products) in products.chunks(LANES).enumerate() {
            let first = block * LANES;
            let mut rho = [0.0; LANES];
            for (l, product) in products.iter().enumerate() {
                rho[l] = correlation(queries.squares[i], keys.squares[first + l], *product);
            }
            let mut means = [[0.0; 2]; LANES];
            let mut seconds = [[0.0; 2]; LANES];
            for (place, factor) in self.integrand.factors.iter().enumerate() {
                let found = blocks.series(block, place, query, &rho);
                for l in 0..products.len() {
                    let key = &keys.rows[keys.of_token[first + l]];
                    let scale = query.scales[place] + key.scales[place];
                    let rest = query.rest_bound(key, place, rho[l]);
                    let (log, into) = match factor.second {
                        None => (scale + own, &mut means[l]),
                        Some(_) => (scale + 2.0 * own, &mut seconds[l]),
                    };
                    let weight = factor.count * log.exp();
                    into[0] += weight * found[l][0];
                    into[1] += weight * (found[l][1] + rest);
                }
            }
            for (l, product) in products.iter().enumerate() {
                let parts = PairParts::new(means[l], seconds[l], (product + own).exp());
                sums.add(&parts, 1.0);
                if parts.error() > NO_BIAS {
                    sums.worst.push(WorstPair { query: i, key: first + l, parts });
                }
            }
        }
        keep_worst(&mut sums.worst, OF_ROW);
        sums
    }

    /// Integrates the worst pairs in two dimensions until the sums settle.
    fn improve(
        &self,
        sums: &mut PairSums,
        inputs: &Inputs,
        [queries, keys]: [&SideRows; 2],
        log_norm: f64,
        m: usize,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), AttentionError> {
        keep_worst(&mut sums.worst, DIRECT);
        let worst = std::mem::take(&mut sums.worst);
        for group in worst.chunks(16) {
            if sums.is_settled(m) {
                return Ok(());
            }
            let better = |pair: &WorstPair| {
                if stop() {
                    return Err(AttentionError::Stopped);
                }
                let product = inputs.queries.row(pair.query).dot(&inputs.keys.row(pair.key));
                let (a, b) = (queries.squares[pair.query], keys.squares[pair.key]);
                let own = inputs.row_exponents[pair.query] - log_norm;
                let Some(found) = direct(&self.integrand, a, b, correlation(a, b, product)) else {
                    return Ok(None);
                };
                let (mut mean, mut second) = (0.0, 0.0);
                for ((value, scale), factor) in found.iter().zip(&self.integrand.factors) {
                    let (powers, into) = if factor.second.is_some() { (2.0, &mut second) } else { (1.0, &mut mean) };
                    *into += factor.count * value * (scale + powers * own).exp();
                }
                Ok(Some(PairParts::new([mean, 0.0], [second, 0.0], (product + own).exp())))
            };
            let found: Vec<Option<PairParts>> = group.par_iter().map(better).collect::<Result<_, _>>()?;
            for (pair, better) in group.iter().zip(found) {
                if let Some(better) = better {
                    sums.add(&pair.parts, -1.0);
                    sums.add(&better, 1.0);
                }
            }
        }
        Ok(())
    }

    /// The function.
    #[must_use]
    pub const fn function(&self) -> &Function {
        self.function
    }
}

/// The `most` pairs with the largest errors, the largest first.
fn keep_worst(pairs: &mut Vec<WorstPair>, most: usize) {
    pairs.sort_by(|a, b| b.parts.error().total_cmp(&a.parts.error()));
    pairs.truncate(most);
}
