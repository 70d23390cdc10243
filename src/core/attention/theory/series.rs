//! Hermite series of many pairs: the coefficients of the rows of both sides, and sums over k for several keys at once.

use super::hermite::{HermiteRow, STRIDE};
use super::quadrature::Integrand;
use crate::attention::{AttentionError, Inputs};
use crate::vectorized::vectorized;
use rayon::prelude::*;

/// Keys whose series are summed side by side.
pub(super) const LANES: usize = 8;
/// The least terms where series end late; with them, what correlations leave of the rest is below [`FAINT`].
const FEW: usize = 64;
const FAINT: f64 = 1e-12;
/// Bins of the size of correlations.
const BINS: usize = 1024;

/// Coefficients of the rows of one side.
pub(super) struct SideRows {
    /// The row of coefficients of each token.
    pub of_token: Vec<usize>,
    pub rows: Vec<HermiteRow>,
    pub squares: Vec<f64>,
}

impl SideRows {
    /// The first `terms` coefficients of rows of these squared lengths.
    ///
    /// # Errors
    /// There are none, or an end was asked for.
    pub fn new(
        integrand: &Integrand<'_>,
        squares: &[f64],
        terms: usize,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Self, AttentionError> {
        // Lengths that agree to 1e-12 share their coefficients.
        let rounded: Vec<u64> = squares.iter().map(|square| (square.to_bits() + (1 << 11)) >> 12).collect();
        let mut unique = rounded.clone();
        unique.sort_unstable();
        unique.dedup();
        let rows = unique
            .par_iter()
            .map(|bits| {
                if stop() {
                    return Err(AttentionError::Stopped);
                }
                HermiteRow::new(integrand, f64::from_bits(bits << 12), terms).map_err(AttentionError::Quadrature)
            })
            .collect::<Result<_, _>>()?;
        let place = |bits: &u64| unique.binary_search(bits).unwrap_or_else(|_| unreachable!("every length has a row"));
        Ok(Self { of_token: rounded.iter().map(place).collect(), rows, squares: squares.to_vec() })
    }
}

/// c/√(ab); 0 where a vector is 0.
pub(super) fn correlation(a: f64, b: f64, c: f64) -> f64 {
    let root = (a * b).sqrt();
    if root > 0.0 { (c / root).clamp(-1.0, 1.0) } else { 0.0 }
}

/// The terms, `most` at most, after which the rest of all but a few pairs is faint, whatever the function.
pub(super) fn terms_of_correlations(
    inputs: &Inputs,
    [queries, keys]: &[Vec<f64>; 2],
    (few, most): (usize, usize),
) -> usize {
    let count = |mut bins: Vec<usize>, i: usize| {
        let products = inputs.keys.dot(&inputs.queries.row(i));
        for (product, square) in products.iter().zip(keys) {
            let size = correlation(queries[i], *square, *product).abs();
            bins[((size * BINS as f64) as usize).min(BINS - 1)] += 1;
        }
        bins
    };
    let join = |bins: Vec<usize>, other: Vec<usize>| bins.iter().zip(&other).map(|(a, b)| a + b).collect();
    let bins = (0..queries.len()).into_par_iter().fold(|| vec![0; BINS], count).reduce(|| vec![0; BINS], join);
    let mut above = 0;
    let last = (0..BINS).rev().find(|bin| {
        above += bins[*bin];
        above > few
    });
    let size = (last.unwrap_or(0) + 1) as f64 / BINS as f64;
    let terms = if size < 1.0 { (FAINT.ln() / size.ln()).ceil() as usize } else { most };
    terms.next_multiple_of(STRIDE).clamp(FEW, most)
}

/// Coefficients of keys side by side.
pub(super) struct KeyBlocks {
    factors: usize,
    terms: usize,
    /// By block, factor and k.
    coefficients: Vec<[f64; LANES]>,
    /// By block, factor and stride.
    tails: Vec<[f64; LANES]>,
}

impl KeyBlocks {
    pub fn new(keys: &SideRows, factors: usize, terms: usize) -> Self {
        let (mut coefficients, mut tails) = (Vec::new(), Vec::new());
        for block in keys.of_token.chunks(LANES) {
            for factor in 0..factors {
                let of = |values: &dyn Fn(&HermiteRow) -> f64| {
                    let mut lanes = [0.0; LANES];
                    lanes.iter_mut().zip(block).for_each(|(lane, row)| *lane = values(&keys.rows[*row]));
                    lanes
                };
                coefficients.extend((0..terms).map(|k| of(&|row| row.coefficients[factor][k])));
                tails.extend((0..terms / STRIDE).map(|stride| of(&|row| row.tails[factor][stride])));
            }
        }
        Self { factors, terms, coefficients, tails }
    }

    /// Σ ρ^k α_k α_k of a query and the keys of a block, with the error of each: what was left out of the terms that are
    /// there, and rounding.
    pub fn series(&self, block: usize, factor: usize, query: &HermiteRow, rho: &[f64; LANES]) -> [[f64; 2]; LANES] {
        let place = block * self.factors + factor;
        let coefficients = &self.coefficients[place * self.terms..(place + 1) * self.terms];
        let tails = &self.tails[place * (self.terms / STRIDE)..];
        let (own, own_tails) = (&query.coefficients[factor], &query.tails[factor]);
        let (mut powers, mut sums, mut sizes) = ([1.0; LANES], [0.0; LANES], [0.0; LANES]);
        let mut left = [0.0; LANES];
        vectorized!({
            for (stride, chunk) in coefficients.chunks_exact(STRIDE).enumerate() {
                let mut done = true;
                for l in 0..LANES {
                    left[l] = f64::abs(powers[l]) * own_tails[stride] * tails[stride][l];
                    done &= left[l] <= 1e-16 * sizes[l];
                }
                if done {
                    return;
                }
                for (own, key) in own[stride * STRIDE..].iter().zip(chunk) {
                    for l in 0..LANES {
                        let term = powers[l] * own * key[l];
                        sums[l] += term;
                        sizes[l] += f64::abs(term);
                        powers[l] *= rho[l];
                    }
                }
            }
            left = [0.0; LANES];
        });
        let mut found = [[0.0; 2]; LANES];
        for l in 0..LANES {
            found[l] = [sums[l], left[l] + 1e-15 * sizes[l]];
        }
        found
    }
}
