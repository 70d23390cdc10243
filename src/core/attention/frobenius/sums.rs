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
    for (((exact, estimate), factors), difference) in
        exact.rows().into_iter().zip(estimate.rows()).zip(factors).zip(&mut differences)
    {
        let (Some(exact), Some(estimate)) = (exact.to_slice(), estimate.to_slice()) else {
            unreachable!("rows of a tile are contiguous")
        };
        let [squares, normalized, cross, nonpositive] = row_sums(exact, estimate, *factors);
        sums.difference += squares;
        sums.normalized += normalized;
        sums.cross += cross;
        sums.nonpositive += nonpositive;
        *difference += squares;
    }
}

/// The four sums of one row.
fn row_sums<T: Float>(exact: &[T], estimate: &[T], factors: [T; 4]) -> [f64; 4] {
    let [scale, exact_scale, of_estimate, of_row] = factors;
    let zero = T::default();
    let (wide, rest) = exact.as_chunks::<LANES>();
    let (wide_estimate, rest_estimate) = estimate.as_chunks::<LANES>();
    // Entries of 0 behind the end add nothing but to the count, from which they are taken off.
    let (mut last, mut last_estimate) = ([zero; LANES], [zero; LANES]);
    last[..rest.len()].copy_from_slice(rest);
    last_estimate[..rest.len()].copy_from_slice(rest_estimate);
    let ends = usize::from(!rest.is_empty());
    let mut sums = [0.0; 4];
    vectorized!({
        let mut lanes = [[zero; LANES]; 4];
        let [squares, normalized, cross, nonpositive] = &mut lanes;
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
        for (sum, lanes) in sums.iter_mut().zip(&lanes) {
            *sum = lanes.iter().map(|lane| lane.to()).sum::<f64>();
        }
    });
    sums[3] -= (ends * (LANES - rest.len())) as f64;
    sums
}

/// sums ← sums + factor·numbers, in f64.
pub(super) fn add_scaled<T: Float>(sums: &mut [f64], numbers: &[T], factor: f64) {
    vectorized!({
        for (sum, number) in sums.iter_mut().zip(numbers) {
            *sum += number.to() * factor;
        }
    });
}
