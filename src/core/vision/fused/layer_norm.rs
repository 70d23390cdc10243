//! Layer norm without its affine part, which is folded into the linear layer that follows (see `weights`).
//!
//! x̂ = (x − mean x)·s with s = 1/√(variance x + 1e-5) over each row (Ba, Kiros, Hinton 2016). Backward, with g = ∂L/∂x̂:
//! ∂L/∂x = s·(g − mean g − x̂·mean(g·x̂)).

use super::register::{load_some, multiply_add, store_some, vectorize};
use pulp::Simd;

const EPSILON: f32 = 1e-5;

/// Adds `bias` (of the linear layer whose sum with the residual stream x is) to each row of `x`, writes x̂ and s.
pub(super) fn forward<S: Simd>(
    simd: S,
    x: &mut [f32],
    bias: Option<&[f32]>,
    width: usize,
    out: &mut [f32],
    scale: &mut [f32],
) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            let zero = simd.splat_f32s(0.0);
            let count = width as f32;
            for ((x, out), scale) in x.chunks_exact_mut(width).zip(out.chunks_exact_mut(width)).zip(scale.iter_mut()) {
                let mut sum = zero;
                if let Some(bias) = bias {
                    for (x, bias) in x.chunks_mut(S::F32_LANES).zip(bias.chunks(S::F32_LANES)) {
                        let value = simd.add_f32s(load_some(simd, x), load_some(simd, bias));
                        store_some(simd, x, value);
                        sum = simd.add_f32s(sum, value);
                    }
                } else {
                    for x in x.chunks(S::F32_LANES) {
                        sum = simd.add_f32s(sum, load_some(simd, x));
                    }
                }
                let mean = simd.reduce_sum_f32s(sum) / count;
                let mean_register = simd.splat_f32s(mean);
                let mut squares = zero;
                for x in x.chunks(S::F32_LANES) {
                    let centred = simd.sub_f32s(load_some(simd, x), mean_register);
                    squares = multiply_add(simd, centred, centred, squares);
                }
                // The lanes after the end of the last register held (0 − mean)².
                let empty = (width.next_multiple_of(S::F32_LANES) - width) as f32;
                let variance = (simd.reduce_sum_f32s(squares) - empty * mean * mean) / count;
                *scale = 1.0 / (variance + EPSILON).sqrt();
                let scale = simd.splat_f32s(*scale);
                for (x, out) in x.chunks(S::F32_LANES).zip(out.chunks_mut(S::F32_LANES)) {
                    let centred = simd.sub_f32s(load_some(simd, x), mean_register);
                    store_some(simd, out, simd.mul_f32s(centred, scale));
                }
            }
        },
    );
}

/// Adds ∂L/∂x to `x_gradient`, from ∂L/∂x̂, x̂ and s.
pub(super) fn backward<S: Simd>(
    simd: S,
    gradient: &[f32],
    normalised: &[f32],
    scale: &[f32],
    width: usize,
    x_gradient: &mut [f32],
) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            let zero = simd.splat_f32s(0.0);
            let rows = gradient.chunks_exact(width).zip(normalised.chunks_exact(width));
            for (((gradient, normalised), scale), into) in rows.zip(scale).zip(x_gradient.chunks_exact_mut(width)) {
                let (mut sum, mut product) = (zero, zero);
                for (gradient, normalised) in gradient.chunks(S::F32_LANES).zip(normalised.chunks(S::F32_LANES)) {
                    let gradient = load_some(simd, gradient);
                    sum = simd.add_f32s(sum, gradient);
                    product = multiply_add(simd, gradient, load_some(simd, normalised), product);
                }
                let mean = simd.splat_f32s(-simd.reduce_sum_f32s(sum) / width as f32);
                let slope = simd.splat_f32s(-simd.reduce_sum_f32s(product) / width as f32);
                let scale = simd.splat_f32s(*scale);
                let parts = gradient.chunks(S::F32_LANES).zip(normalised.chunks(S::F32_LANES));
                for ((gradient, normalised), into) in parts.zip(into.chunks_mut(S::F32_LANES)) {
                    let centred = simd.add_f32s(load_some(simd, gradient), mean);
                    let value = multiply_add(simd, slope, load_some(simd, normalised), centred);
                    store_some(simd, into, multiply_add(simd, scale, value, load_some(simd, into)));
                }
            }
        },
    );
}
