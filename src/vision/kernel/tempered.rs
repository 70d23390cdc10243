//! e(u) = a u − c² u², so that f(u) = exp(a u − c² u²); e′(u) = a − 2c² u, ∂e/∂a = u, ∂e/∂c = −2c u².

use crate::vision::fused::feature_map::{Exponential, Head, LogFeature};
use crate::vision::fused::register::{load, multiply_add, store, vectorize};
use crate::vision::kernel::linear::{LinearKernel, MapParameters, Mapped};
use candle_core::{Result, Tensor};
use pulp::Simd;

/// The tempered exponential.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct Tempered;

impl LogFeature for Tempered {
    fn forward<S: Simd>(&self, simd: S, head: Head<'_>, u: &[f32], exponents: &mut [f32]) {
        let [a, c] = [head.parameters[0], head.parameters[1]];
        vectorize(
            simd,
            #[inline(always)]
            || {
                let (a, bend) = (simd.splat_f32s(a), simd.splat_f32s(-c * c));
                for (u, e) in u.chunks_exact(S::F32_LANES).zip(exponents.chunks_exact_mut(S::F32_LANES)) {
                    let u = load(simd, u);
                    store(simd, e, simd.mul_f32s(u, multiply_add(simd, bend, u, a)));
                }
            },
        );
    }

    fn backward<S: Simd>(
        &self,
        simd: S,
        head: Head<'_>,
        u: &[f32],
        gradient: &[f32],
        u_gradient: &mut [f32],
        parameters_gradient: &mut [f32],
    ) {
        let [a, c] = [head.parameters[0], head.parameters[1]];
        let (first, second) = vectorize(
            simd,
            #[inline(always)]
            || {
                let lanes = S::F32_LANES;
                let (slope, bend) = (simd.splat_f32s(a), simd.splat_f32s(-2.0 * c * c));
                let (mut first, mut second) = (simd.splat_f32s(0.0), simd.splat_f32s(0.0));
                let parts = u.chunks_exact(lanes).zip(gradient.chunks_exact(lanes));
                for ((u, g), into) in parts.zip(u_gradient.chunks_exact_mut(lanes)) {
                    let (u, g) = (load(simd, u), load(simd, g));
                    let product = simd.mul_f32s(g, u);
                    first = simd.add_f32s(first, product);
                    second = multiply_add(simd, product, u, second);
                    store(simd, into, simd.mul_f32s(g, multiply_add(simd, bend, u, slope)));
                }
                (simd.reduce_sum_f32s(first), simd.reduce_sum_f32s(second))
            },
        );
        parameters_gradient[0] += first;
        parameters_gradient[1] -= 2.0 * c * second;
    }
}

impl LinearKernel for Tempered {
    type Fused = Exponential<Self>;
    const FUSED: Exponential<Self> = Exponential(Self);

    fn start(_: usize) -> Vec<f32> {
        vec![1.0, 0.1]
    }

    fn composed(u: &Tensor, parameters: &MapParameters<'_>) -> Result<Mapped> {
        let bend = u.sqr()?.broadcast_mul(&parameters.scalar(1)?.sqr()?)?;
        Ok(Mapped::Logarithms((u.broadcast_mul(&parameters.scalar(0)?)? - bend)?))
    }
}
