//! Sums over the entries of a tile.

use crate::attention::kernel::Float;
use ndarray::ArrayView1;

/// Independent sums of an inner loop: one wide register of f32.
const LANES: usize = 16;

#[derive(Clone, Copy, Default)]
pub(super) struct TileSums {
    pub difference: f64,
    pub normalized: f64,
    pub cross: f64,
    pub nonpositive: f64,
}

/// Adds one row of a tile. The factors bring estimate and exact to one scale, then both to rows that add up to 1. Lanes add up in T over the entries of the row, then in f64.
/// Returns what the row adds to the squared difference.
pub(super) fn add_row<T: Float>(
    sums: &mut TileSums,
    exact: ArrayView1<'_, T>,
    estimate: ArrayView1<'_, T>,
    factors: [T; 4],
) -> f64 {
    let (Some(exact), Some(estimate)) = (exact.to_slice(), estimate.to_slice()) else {
        unreachable!("rows of a tile are contiguous")
    };
    let [scale, exact_scale, of_estimate, of_row] = factors;
    pulp::Arch::new().dispatch(|| {
        let zero = T::default();
        let mut lanes = [[zero; LANES]; 4];
        let mut add = |l: usize, exact: T, estimate: T| {
            let (guess, truth) = (estimate * scale, exact * exact_scale);
            let difference = guess - truth;
            let normalized = estimate * of_estimate - exact * of_row;
            lanes[0][l] += difference * difference;
            lanes[1][l] += normalized * normalized;
            lanes[2][l] += guess * truth;
            lanes[3][l] += if guess > zero { zero } else { T::ONE };
        };
        let (wide, rest) = exact.as_chunks::<LANES>();
        let (wide_estimate, rest_estimate) = estimate.as_chunks::<LANES>();
        for (exact, estimate) in wide.iter().zip(wide_estimate) {
            for l in 0..LANES {
                add(l, exact[l], estimate[l]);
            }
        }
        for (l, (&exact, &estimate)) in rest.iter().zip(rest_estimate).enumerate() {
            add(l, exact, estimate);
        }
        let [difference, normalized, cross, nonpositive] =
            lanes.map(|lanes| lanes.iter().map(|lane| lane.to()).sum::<f64>());
        sums.difference += difference;
        sums.normalized += normalized;
        sums.cross += cross;
        sums.nonpositive += nonpositive;
        difference
    })
}
