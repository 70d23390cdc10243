//! Sums over one row of an estimate and of the exact matrix.

use crate::vectorized::vectorized;

/// Independent sums of an inner loop: one wide register of f32, or two.
const LANES: usize = 16;

/// Entries that one lane adds up in 32 bits before its sum goes on in 64.
const DEPTH: usize = 64;

type Lanes = [f32; LANES];

/// Σ (a·S − b·E)², Σ a·S·b·E and the number of S ≤ 0 over a row.
pub(super) fn compare(estimate: &[f32], exact: &[f32], [a, b]: [f32; 2]) -> [f64; 3] {
    sums(estimate, exact, |estimate, exact| {
        let mut found = [[0.0; LANES]; 3];
        for l in 0..LANES {
            let (guess, truth) = (a * estimate[l], b * exact[l]);
            let difference = guess - truth;
            found[0][l] = difference * difference;
            found[1][l] = guess * truth;
            // The sign is that of the entry itself: scaled to an exact row far above it, it may be 0.
            found[2][l] = if estimate[l] > 0.0 { 0.0 } else { 1.0 };
        }
        found
    })
}

/// Σ S, Σ |S| over a row.
pub(super) fn totals(estimate: &[f32]) -> [f64; 2] {
    sums(estimate, estimate, |estimate, _| [*estimate, estimate.map(f32::abs)])
}

/// Σ (S·scale − P)² over a row.
pub(super) fn normalized_difference(estimate: &[f32], normalized: &[f32], scale: f32) -> f64 {
    let [sum] = sums(estimate, normalized, |estimate, normalized| {
        let mut found = [[0.0; LANES]];
        for l in 0..LANES {
            let difference = estimate[l] * scale - normalized[l];
            found[0][l] = difference * difference;
        }
        found
    });
    sum
}

/// Adds up `terms` over pairs of entries, in 32 bits over groups of entries and in 64 bits over groups.
#[inline(always)]
fn sums<const N: usize>(one: &[f32], other: &[f32], terms: impl Fn(&Lanes, &Lanes) -> [Lanes; N]) -> [f64; N] {
    vectorized!({
        let mut total = [0.0; N];
        for (one, other) in one.chunks(DEPTH * LANES).zip(other.chunks(DEPTH * LANES)) {
            let mut lanes = [[0.0_f32; LANES]; N];
            let (wide, rest) = one.as_chunks::<LANES>();
            let (wide_other, rest_other) = other.as_chunks::<LANES>();
            for (one, other) in wide.iter().zip(wide_other) {
                let found = terms(one, other);
                for n in 0..N {
                    for l in 0..LANES {
                        lanes[n][l] += found[n][l];
                    }
                }
            }
            if !rest.is_empty() {
                let (mut last, mut last_other) = ([0.0; LANES], [0.0; LANES]);
                last[..rest.len()].copy_from_slice(rest);
                last_other[..rest.len()].copy_from_slice(rest_other);
                let found = terms(&last, &last_other);
                for n in 0..N {
                    for l in 0..rest.len() {
                        lanes[n][l] += found[n][l];
                    }
                }
            }
            for (total, lanes) in total.iter_mut().zip(lanes) {
                *total += lanes.iter().map(|lane| f64::from(*lane)).sum::<f64>();
            }
        }
        total
    })
}
