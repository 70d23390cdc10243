//! Sums over the entries of a tile.

use crate::attention::kernel::Float;
use crate::vectorized::vectorized;
use ndarray::{ArrayView2, ArrayViewMut1};

/// Independent sums of an inner loop: one wide register of f32.
const LANES: usize = 16;

#[derive(Clone, Copy, Default)]
pub(super) struct TileSums {
    pub difference: f64,
    pub normalized: f64,
    pub cross: f64,
    pub nonpositive: f64,
}

/// Adds the rows of a tile, both of one shape with contiguous rows. The factors of a row bring estimate and exact to one scale, then both
/// to rows that add up to 1. Lanes add up in T over the entries of a row, then in f64. `differences` gets what each row adds to the
/// squared difference.
pub(super) fn add_tile<T: Float>(
    sums: &mut TileSums,
    exact: ArrayView2<'_, T>,
    estimate: ArrayView2<'_, T>,
    factors: &[[T; 4]],
    mut differences: ArrayViewMut1<'_, f64>,
) {
    let mut total = [[0.0; LANES]; 4];
    for (((exact, estimate), factors), difference) in
        exact.rows().into_iter().zip(estimate.rows()).zip(factors).zip(&mut differences)
    {
        let (Some(exact), Some(estimate)) = (exact.to_slice(), estimate.to_slice()) else {
            unreachable!("rows of a tile are contiguous")
        };
        *difference += add_row(&mut total, exact, estimate, *factors);
    }
    let [difference, normalized, cross, nonpositive] = total.map(|lanes| lanes.iter().sum::<f64>());
    sums.difference += difference;
    sums.normalized += normalized;
    sums.cross += cross;
    sums.nonpositive += nonpositive;
}

fn add_row<T: Float>(total: &mut [[f64; LANES]; 4], exact: &[T], estimate: &[T], factors: [T; 4]) -> f64 {
    let [scale, exact_scale, of_estimate, of_row] = factors;
    let zero = T::default();
    let (wide, rest) = exact.as_chunks::<LANES>();
    let (wide_estimate, rest_estimate) = estimate.as_chunks::<LANES>();
    // Entries of 0 behind the end add nothing but to the count, from which they are taken off.
    let (mut last, mut last_estimate) = ([zero; LANES], [zero; LANES]);
    last[..rest.len()].copy_from_slice(rest);
    last_estimate[..rest.len()].copy_from_slice(rest_estimate);
    let ends = usize::from(!rest.is_empty());
    let padding = ends * LANES - rest.len();
    let mut difference = 0.0;
    vectorized!({
        let [mut squares, mut normalized, mut cross, mut nonpositive] = [[zero; LANES]; 4];
        let whole = wide.iter().zip(wide_estimate);
        for (exact, estimate) in whole.chain(std::iter::once((&last, &last_estimate)).take(ends)) {
            for l in 0..LANES {
                let (guess, truth) = (estimate[l] * scale, exact[l] * exact_scale);
                let apart = guess - truth;
                let apart_normalized = estimate[l] * of_estimate - exact[l] * of_row;
                squares[l] += apart * apart;
                normalized[l] += apart_normalized * apart_normalized;
                cross[l] += guess * truth;
                nonpositive[l] += if guess > zero { zero } else { T::ONE };
            }
        }
        for l in 0..LANES {
            difference += squares[l].to();
            total[0][l] += squares[l].to();
            total[1][l] += normalized[l].to();
            total[2][l] += cross[l].to();
            total[3][l] += nonpositive[l].to();
        }
    });
    total[3][0] -= padding as f64;
    difference
}

/// The sum of the numbers, in f64.
pub(super) fn total<T: Float>(numbers: &[T]) -> f64 {
    let (wide, rest) = numbers.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    vectorized!({
        for numbers in wide {
            for l in 0..LANES {
                lanes[l] += numbers[l].to();
            }
        }
    });
    lanes.iter().sum::<f64>() + rest.iter().map(|number| number.to()).sum::<f64>()
}

/// sums ← sums + factor·numbers, in f64.
pub(super) fn add_scaled<T: Float>(sums: &mut [f64], numbers: &[T], factor: f64) {
    vectorized!({
        for (sum, number) in sums.iter_mut().zip(numbers) {
            *sum += number.to() * factor;
        }
    });
}
