//! Scrambled Sobol points through the normal quantile: rows that fill the space more evenly than independent ones.
//!
//! Direction numbers are those of Joe & Kuo 2008 (new-joe-kuo-6). Points are scrambled by nested uniform scrambling
//! (Owen 1995): in every dimension each interval of length 2^−k swaps its halves or not, at random. Each point alone is
//! then uniform, so each row is N(0, I) and every family that is unbiased on normal rows is unbiased here, at any m; for
//! smooth functions the error falls faster than 1/√m, most at powers of two (Owen 1997).

use super::record::{ClosedForm, Record};
use crate::memory::{self, OutOfMemory};
use crate::random::Generator;
use ndarray::{ArrayViewMut2, Axis};
use rand::Rng;
use sobol_burley::{NUM_DIMENSIONS, parts::sobol_rev};
use statrs::function::erf::erfc_inv;

/// The longest sequence there are direction numbers for; further rows begin a new one, with scrambles of its own.
const POINTS: usize = 1 << 16;

pub(super) static SOBOL: Record = Record {
    dims: (1, NUM_DIMENSIONS as usize),
    closed_form: ClosedForm::None("there is no closed form for sobol: all rows are one scrambled sequence"),
    caveat: Some("sobol: rows are one scrambled sequence, most even at powers of two; unbiased, without a closed form"),
    // Half a number for each interval of one dimension, and as much again while they are halved.
    workspace: |_| POINTS,
    ..Record::new(fill)
};

fn fill(mut rows: ArrayViewMut2<'_, f64>, rng: &mut Generator) -> Result<(), OutOfMemory> {
    for mut points in rows.axis_chunks_iter_mut(Axis(0), POINTS) {
        // The first 2^bits points lie in different intervals of length 2^−bits, in every dimension; below that length the
        // scramble of each point is a random number of its own.
        let bits = points.nrows().next_power_of_two().trailing_zeros();
        for (dimension, mut column) in (0..).zip(points.columns_mut()) {
            let scrambled = scrambled_intervals(bits, rng)?;
            for (index, value) in (0..).zip(&mut column) {
                let point = u64::from(sobol_rev(u32::reverse_bits(index), dimension).reverse_bits());
                let interval = u64::from(scrambled[(point >> (32 - bits)) as usize]);
                let below = rng.random::<u64>() >> bits;
                *value = normal_quantile(interval.rotate_right(bits) | below);
            }
        }
    }
    Ok(())
}

/// Where nested uniform scrambling takes each of the 2^`bits` intervals of length 2^−`bits`.
fn scrambled_intervals(bits: u32, rng: &mut Generator) -> Result<Vec<u32>, OutOfMemory> {
    let mut intervals = vec![0];
    for level in 1..=bits {
        let mut halves = memory::vec(1 << level, 0, "the intervals of a scramble")?;
        for (pair, interval) in halves.chunks_exact_mut(2).zip(&intervals) {
            let swap = u32::from(rng.random::<bool>());
            pair.copy_from_slice(&[2 * interval + swap, 2 * interval + 1 - swap]);
        }
        intervals = halves;
    }
    Ok(intervals)
}

/// Φ⁻¹((place + ½)/2⁶⁴), each half from its own tail, so that neither loses digits.
fn normal_quantile(place: u64) -> f64 {
    let lower = |place: u64| -std::f64::consts::SQRT_2 * erfc_inv((place as f64 + 0.5) / 2.0_f64.powi(63));
    if place >> 63 == 0 { lower(place) } else { -lower(!place) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attention::Projection;
    use crate::random::generator;
    use statrs::distribution::{ContinuousCDF, Normal};

    #[test]
    fn quantiles_are_those_of_the_normal_law() {
        // From tables of the normal distribution (scipy.stats.norm.ppf).
        for (probability, expected) in [
            (0.5, 0.0),
            (0.975, 1.959963984540054),
            (0.025, -1.959963984540054),
            (1e-3, -3.090232306167813),
            (1e-9, -5.997807015007686),
        ] {
            let place = (probability * 2.0_f64.powi(64)) as u64;
            let found = normal_quantile(place);
            assert!((found - expected).abs() < 1e-9 * (1.0 + f64::abs(expected)), "{probability}: {found}");
        }
        assert_eq!(normal_quantile(u64::MAX), -normal_quantile(0));
        assert!(normal_quantile(0).is_finite());
    }

    #[test]
    fn every_interval_of_a_dimension_holds_one_point() {
        let (m, d) = (256, 9);
        let w = Projection::Sobol.draw(m, d, &mut generator(3, "sobol", 0)).unwrap();
        let cell = |value: f64, cells: f64| (Normal::standard().cdf(value) * cells) as usize;
        for column in w.columns() {
            let mut cells: Vec<_> = column.iter().map(|value| cell(*value, m as f64)).collect();
            cells.sort_unstable();
            assert_eq!(cells, (0..m).collect::<Vec<_>>());
        }
        // Each of the 16 × 16 squares of the first two dimensions holds one of the 256 points.
        let mut squares: Vec<_> = w.rows().into_iter().map(|row| [cell(row[0], 16.0), cell(row[1], 16.0)]).collect();
        squares.sort_unstable();
        squares.dedup();
        assert_eq!(squares.len(), 256);
    }
}
