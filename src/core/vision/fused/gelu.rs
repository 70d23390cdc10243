//! GELU(h) = h·Φ(h), exact (Hendrycks, Gimpel 2016), and its derivative Φ(h) + h·φ(h).
//!
//! Φ(−z) = e^(−z²/2)·t·P(t) for z ≥ 0 with t = 1/(1 + 0.35z): the shape of Abramowitz and Stegun 26.2.17, with P of degree
//! 8 fitted to the relative error (3e-8), so that the tail is accurate too. The same exponential gives φ.

use super::register::{exp, load_some, multiply_add, polynomial, store_some, vectorize};
use pulp::Simd;

const SLOPE: f32 = 0.35;
const TAIL: [f32; 9] = [
    1.396_215_7e-1,
    1.398_590_8e-1,
    1.198_524_3e-1,
    1.054_329_7e-1,
    -2.293_722e-2,
    1.589_294_1e-1,
    -2.555_046_7e-1,
    1.438_722_9e-1,
    -2.912_587_7e-2,
];

/// Φ(x) and φ(x) of the standard normal distribution.
#[inline(always)]
pub(super) fn normal<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let one = simd.splat_f32s(1.0);
    let bell = exp(simd, simd.mul_f32s(simd.mul_f32s(x, x), simd.splat_f32s(-0.5)));
    let t = simd.div_f32s(one, multiply_add(simd, simd.abs_f32s(x), simd.splat_f32s(SLOPE), one));
    let tail = simd.mul_f32s(simd.mul_f32s(bell, t), polynomial(simd, TAIL, t));
    let below = simd.less_than_f32s(x, simd.splat_f32s(0.0));
    let cumulative = simd.select_f32s(below, tail, simd.sub_f32s(one, tail));
    (cumulative, simd.mul_f32s(bell, simd.splat_f32s(0.398_942_3)))
}

/// Replaces h by GELU(h + bias) in each row, and writes the derivative to `slope` if there is one.
pub(super) fn forward<S: Simd>(simd: S, hidden: &mut [f32], bias: &[f32], mut slope: Option<&mut [f32]>) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            let width = bias.len();
            if let Some(slope) = slope.as_deref_mut() {
                for (hidden, slope) in hidden.chunks_exact_mut(width).zip(slope.chunks_exact_mut(width)) {
                    let parts = hidden.chunks_mut(S::F32_LANES).zip(slope.chunks_mut(S::F32_LANES));
                    for ((hidden, slope), bias) in parts.zip(bias.chunks(S::F32_LANES)) {
                        let x = simd.add_f32s(load_some(simd, hidden), load_some(simd, bias));
                        let (cumulative, density) = normal(simd, x);
                        store_some(simd, hidden, simd.mul_f32s(x, cumulative));
                        store_some(simd, slope, multiply_add(simd, x, density, cumulative));
                    }
                }
            } else {
                for hidden in hidden.chunks_exact_mut(width) {
                    for (hidden, bias) in hidden.chunks_mut(S::F32_LANES).zip(bias.chunks(S::F32_LANES)) {
                        let x = simd.add_f32s(load_some(simd, hidden), load_some(simd, bias));
                        store_some(simd, hidden, simd.mul_f32s(x, normal(simd, x).0));
                    }
                }
            }
        },
    );
}

/// Multiplies `gradient` by the derivative.
pub(super) fn backward<S: Simd>(simd: S, slope: &[f32], gradient: &mut [f32]) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            for (gradient, slope) in gradient.chunks_mut(S::F32_LANES).zip(slope.chunks(S::F32_LANES)) {
                store_some(simd, gradient, simd.mul_f32s(load_some(simd, gradient), load_some(simd, slope)));
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Φ(x) from the series of erf around 0, in f64 (A&S 26.2.10).
    fn cumulative(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / (2.0 * f64::from(n));
            sum += term / f64::from(2 * n + 1);
        }
        0.5 + sum / std::f64::consts::TAU.sqrt()
    }

    #[test]
    fn value_and_derivative() {
        for i in -400..=400 {
            let x = i as f32 * 0.01;
            let (mut value, mut slope) = ([x - 0.5], [0.0]);
            forward(pulp::Scalar::new(), &mut value, &[0.5], Some(&mut slope));
            let x = f64::from(x - 0.5 + 0.5);
            let density = (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
            let expected = x * cumulative(x);
            assert!(
                (f64::from(value[0]) - expected).abs() <= 1e-6 * expected.abs() + 1e-12,
                "{x}: {value:?} {expected}"
            );
            let expected = cumulative(x) + x * density;
            assert!((f64::from(slope[0]) - expected).abs() <= 1e-6, "{x}: {slope:?} {expected}");
        }
    }
}
