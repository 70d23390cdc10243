//! Sums over one row of an estimate and of the exact matrix.

/// Independent sums of an inner loop: one wide register of f32.
const LANES: usize = 16;

/// Σ (a·S − b·E)², Σ a·S·b·E and the number of S ≤ 0 over a row.
pub(super) fn compare(estimate: &[f32], exact: &[f32], [a, b]: [f32; 2]) -> [f64; 3] {
    sums(estimate, exact, |guess, truth| {
        let (guess, truth) = (a * guess, b * truth);
        let difference = guess - truth;
        [difference * difference, guess * truth, if guess > 0.0 { 0.0 } else { 1.0 }]
    })
}

/// Σ S, Σ |S| over a row.
pub(super) fn totals(estimate: &[f32]) -> [f64; 2] {
    sums(estimate, estimate, |guess, _| [guess, guess.abs()])
}

/// Σ (S·scale − P)² over a row.
pub(super) fn normalized_difference(estimate: &[f32], normalized: &[f32], scale: f32) -> f64 {
    let [sum] = sums(estimate, normalized, |guess, truth| {
        let difference = guess * scale - truth;
        [difference * difference]
    });
    sum
}

/// Adds up `terms` over pairs of entries, in 32 bits over groups of entries and in 64 bits over groups.
#[inline(always)]
fn sums<const N: usize>(one: &[f32], other: &[f32], terms: impl Fn(f32, f32) -> [f32; N]) -> [f64; N] {
    /// Entries that one lane adds up in 32 bits.
    const DEPTH: usize = 64;
    pulp::Arch::new().dispatch(|| {
        let mut total = [0.0; N];
        for (one, other) in one.chunks(DEPTH * LANES).zip(other.chunks(DEPTH * LANES)) {
            let mut lanes = [[0.0_f32; LANES]; N];
            let (wide, rest) = one.as_chunks::<LANES>();
            let (wide_other, rest_other) = other.as_chunks::<LANES>();
            for (one, other) in wide.iter().zip(wide_other) {
                for l in 0..LANES {
                    let found = terms(one[l], other[l]);
                    for (lane, found) in lanes.iter_mut().zip(found) {
                        lane[l] += found;
                    }
                }
            }
            for (l, (one, other)) in rest.iter().zip(rest_other).enumerate() {
                let found = terms(*one, *other);
                for (lane, found) in lanes.iter_mut().zip(found) {
                    lane[l] += found;
                }
            }
            for (total, lanes) in total.iter_mut().zip(lanes) {
                *total += lanes.iter().map(|lane| f64::from(*lane)).sum::<f64>();
            }
        }
        total
    })
}
