//! Hermite coefficients of a function of a normal variable, α_k = E g(√a z) He_k(z)/√k!, z ~ N(0, 1).

use super::quadrature::{Integrand, composite};
use crate::vectorized::vectorized;

/// Panels are halved at most so often.
const HALVINGS: u32 = 6;
/// Coefficients of two steps agree when they differ by less than this share of the integral of sizes.
const SETTLED: f64 = 1e-9;
/// Sums of tails are kept for every so many terms.
pub(super) const STRIDE: usize = 8;

/// The coefficients of every factor of an integrand at one squared length a.
#[derive(Clone, Debug)]
pub(super) struct HermiteRow {
    /// α_k/exp(scale) by factor, then k.
    pub coefficients: Vec<Vec<f64>>,
    /// The logarithm of the scale of each factor.
    pub scales: Vec<f64>,
    /// √Σ_{k ≥ STRIDE·i} α_k² of the terms that are kept, by factor.
    pub tails: Vec<Vec<f64>>,
    /// √ of what Parseval's sum E g² = Σ α_k² lacks, by factor.
    pub rest: Vec<f64>,
}

/// One step of the refinement.
struct Refinement {
    coefficients: Vec<Vec<f64>>,
    /// ∫ of the size of the integrand of each coefficient.
    sizes: Vec<Vec<f64>>,
    scales: Vec<f64>,
    /// E g²/exp(2·scale).
    squares: Vec<f64>,
}

impl HermiteRow {
    /// The first `terms` coefficients (a multiple of [`STRIDE`]) at squared length `square`.
    ///
    /// # Errors
    /// Says why there are none.
    pub fn new(integrand: &Integrand<'_>, square: f64, terms: usize) -> Result<Self, String> {
        let range = integrand.range(square)?;
        let kinks = integrand.kinks(square, range)?;
        // He_k turns about √k/π times in one unit.
        let widest = (11.0 / (terms as f64).sqrt()).min(1.0);
        let refine =
            |halvings: u32| Refinement::new(integrand, square, range, &kinks, widest / f64::from(1 << halvings), terms);
        let mut last = refine(0)?;
        for halvings in 1..=HALVINGS {
            let next = refine(halvings)?;
            if next.agrees(&last) {
                return Ok(next.finished());
            }
            last = next;
        }
        Err("the quadrature does not settle".to_owned())
    }

    /// The fewest terms, a multiple of [`STRIDE`], that leave out less than rounding does; all where there are no such few.
    pub fn needed(&self) -> usize {
        let of_factor = |(tails, rest): (&Vec<f64>, &f64)| {
            let small = |tail: &f64| tail.hypot(*rest) <= 1e-15 * tails[0].hypot(*rest);
            tails.iter().position(small).unwrap_or(tails.len()) * STRIDE
        };
        self.tails.iter().zip(&self.rest).map(of_factor).max().unwrap_or(STRIDE)
    }

    /// Parseval's bound of what is left out of Σ ρ^k α_k(x) α_k(y) of a factor.
    pub fn rest_bound(&self, other: &Self, factor: usize, correlation: f64) -> f64 {
        let terms = self.coefficients[factor].len() as i32;
        self.rest[factor] * other.rest[factor] * correlation.abs().powi(terms)
    }
}

impl Refinement {
    fn new(
        integrand: &Integrand<'_>,
        square: f64,
        range: [f64; 2],
        kinks: &[f64],
        width: f64,
        terms: usize,
    ) -> Result<Self, String> {
        let nodes = composite(range, kinks, width);
        let values = integrand.components(square, nodes.iter().map(|(z, _)| *z))?;
        let mut all = Self { coefficients: Vec::new(), sizes: Vec::new(), scales: Vec::new(), squares: Vec::new() };
        // Weights that take ψ_k = He_k e^{-z²/4}/√k! to the coefficient.
        let mut weights: Vec<Vec<f64>> = Vec::new();
        let density = 1.0 / std::f64::consts::TAU.sqrt();
        for &factor in &integrand.factors {
            let log = |(place, (z, _)): (usize, &(f64, f64))| values.at(place, factor).0 - z * z / 4.0;
            let top = nodes.iter().enumerate().map(log).fold(f64::NEG_INFINITY, f64::max);
            let scale = if top == f64::NEG_INFINITY { 0.0 } else { top };
            let scaled: Vec<f64> = nodes.iter().enumerate().map(|node| (log(node) - scale).exp()).collect();
            all.squares.push(scaled.iter().zip(&nodes).map(|(g, (_, weight))| density * weight * g * g).sum());
            let signed = scaled.iter().zip(&nodes).enumerate();
            weights.push(
                signed.map(|(place, (g, (_, weight)))| density * weight * values.at(place, factor).1 * g).collect(),
            );
            all.scales.push(scale);
        }
        all.coefficients = vec![Vec::with_capacity(terms); weights.len()];
        all.sizes = all.coefficients.clone();
        let mut previous = vec![0.0; nodes.len()];
        let mut here: Vec<f64> = nodes.iter().map(|(z, _)| (-z * z / 4.0).exp()).collect();
        for k in 0..terms {
            for ((coefficients, sizes), weights) in all.coefficients.iter_mut().zip(&mut all.sizes).zip(&weights) {
                let [sum, size] = sums(weights, &here);
                coefficients.push(sum);
                sizes.push(size);
            }
            let (low, high) = ((k as f64).sqrt(), 1.0 / ((k + 1) as f64).sqrt());
            for ((previous, here), (z, _)) in previous.iter_mut().zip(&mut here).zip(&nodes) {
                let next = (z * *here - low * *previous) * high;
                (*previous, *here) = (*here, next);
            }
        }
        Ok(all)
    }

    fn agrees(&self, other: &Self) -> bool {
        (0..self.scales.len()).all(|factor| {
            let to = (other.scales[factor] - self.scales[factor]).exp();
            let near = |here: f64, there: f64, size: f64| (here - there).abs() <= SETTLED * size;
            let pairs = self.coefficients[factor].iter().zip(&other.coefficients[factor]).zip(&self.sizes[factor]);
            let square = self.squares[factor];
            pairs.into_iter().all(|((here, there), size)| near(*here, to * there, *size))
                && near(square, to * to * other.squares[factor], square)
        })
    }

    fn finished(self) -> HermiteRow {
        let (mut tails, mut rest) = (Vec::new(), Vec::new());
        for (coefficients, square) in self.coefficients.iter().zip(&self.squares) {
            let mut sum = 0.0;
            let mut of_factor: Vec<f64> = coefficients
                .rchunks(STRIDE)
                .map(|chunk| {
                    sum += chunk.iter().map(|value| value * value).sum::<f64>();
                    f64::sqrt(sum)
                })
                .collect();
            of_factor.reverse();
            tails.push(of_factor);
            // Neither the integral nor the sum is better than rounding.
            rest.push((square - sum).max(1e-15 * square).sqrt());
        }
        HermiteRow { coefficients: self.coefficients, scales: self.scales, tails, rest }
    }
}

/// Σ weight·value and Σ |weight·value|.
fn sums(weights: &[f64], values: &[f64]) -> [f64; 2] {
    const LANES: usize = 8;
    let (mut sums, mut sizes) = ([0.0; LANES], [0.0; LANES]);
    let (wide, rest) = weights.as_chunks::<LANES>();
    let (wide_values, rest_values) = values.as_chunks::<LANES>();
    vectorized!({
        for (weights, values) in wide.iter().zip(wide_values) {
            for l in 0..LANES {
                let term = weights[l] * values[l];
                sums[l] += term;
                sizes[l] += f64::abs(term);
            }
        }
    });
    let terms = || rest.iter().zip(rest_values).map(|(weight, value)| weight * value);
    [sums.iter().sum::<f64>() + terms().sum::<f64>(), sizes.iter().sum::<f64>() + terms().map(f64::abs).sum::<f64>()]
}
