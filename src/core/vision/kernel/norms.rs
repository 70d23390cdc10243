//! Sums over the rows of a head, which feature maps with a norm in their exponent share: |x|², and what its gradient adds.

use crate::vision::fused::feature_map::HeadSize;
use crate::vision::fused::register::{load, multiply_add, store, vectorize};
use pulp::Simd;

/// |x|² of each row of `x` `[tokens, width]`.
pub(super) fn squared_norms<S: Simd>(simd: S, size: HeadSize, x: &[f32]) -> Vec<f32> {
    let mut norms = vec![0.0; size.tokens];
    vectorize(
        simd,
        #[inline(always)]
        || {
            for (row, norm) in x.chunks_exact(size.width).zip(norms.iter_mut()) {
                let mut sum = simd.splat_f32s(0.0);
                for part in row.chunks_exact(S::F32_LANES) {
                    sum = multiply_add(simd, load(simd, part), load(simd, part), sum);
                }
                *norm = simd.reduce_sum_f32s(sum);
            }
        },
    );
    norms
}

/// Subtracts half of each row's norm from that row of `values`, whose rows have `width` numbers.
pub(super) fn subtract_halves<S: Simd>(simd: S, width: usize, norms: &[f32], values: &mut [f32]) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            for (row, norm) in values.chunks_exact_mut(width).zip(norms) {
                let half = simd.splat_f32s(0.5 * norm);
                for part in row.chunks_exact_mut(S::F32_LANES) {
                    store(simd, part, simd.sub_f32s(load(simd, part), half));
                }
            }
        },
    );
}

/// −Σ over each row of `gradient`, whose rows have `width` numbers: the gradient of half of the norm that was subtracted.
pub(super) fn negative_sums<S: Simd>(simd: S, width: usize, gradient: &[f32]) -> Vec<f32> {
    let mut sums = vec![0.0; gradient.len() / width];
    vectorize(
        simd,
        #[inline(always)]
        || {
            for (row, into) in gradient.chunks_exact(width).zip(sums.iter_mut()) {
                let mut sum = simd.splat_f32s(0.0);
                for part in row.chunks_exact(S::F32_LANES) {
                    sum = simd.add_f32s(sum, load(simd, part));
                }
                *into = -simd.reduce_sum_f32s(sum);
            }
        },
    );
    sums
}

/// Adds `factor`·x to each row of `into`, with a factor for each row: what |x|²/2 hands on, since its gradient is x.
pub(super) fn add_rows<S: Simd>(simd: S, size: HeadSize, factors: &[f32], x: &[f32], into: &mut [f32]) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            let rows = x.chunks_exact(size.width).zip(factors).zip(into.chunks_exact_mut(size.width));
            for ((x, factor), into) in rows {
                let factor = simd.splat_f32s(*factor);
                for (x, into) in x.chunks_exact(S::F32_LANES).zip(into.chunks_exact_mut(S::F32_LANES)) {
                    store(simd, into, multiply_add(simd, factor, load(simd, x), load(simd, into)));
                }
            }
        },
    );
}
