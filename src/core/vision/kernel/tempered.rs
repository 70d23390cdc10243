//! e(u) = a u − c² u², so that f(u) = exp(a u − c² u²); e′(u) = a − 2c² u, ∂e/∂a = u, ∂e/∂c = −2c u².

use crate::vision::fused::feature_map::{Elementwise, Exponential, LogEach, MOST_CONSTANTS};
use crate::vision::fused::register::multiply_add;
use crate::vision::kernel::linear::{LinearKernel, MapParameters, Mapped};
use candle_core::{Result, Tensor};
use pulp::Simd;

/// The tempered exponential.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct Tempered;

impl Elementwise for Tempered {
    /// a, −c² and −2c².
    fn constants(&self, parameters: &[f32]) -> [f32; MOST_CONSTANTS] {
        let [a, c] = [parameters[0], parameters[1]];
        let mut constants = [0.0; MOST_CONSTANTS];
        constants[..3].copy_from_slice(&[a, -c * c, -2.0 * c * c]);
        constants
    }

    #[inline(always)]
    fn value<S: Simd>(&self, simd: S, constants: &[f32; MOST_CONSTANTS], u: S::f32s) -> S::f32s {
        let (a, bend) = (simd.splat_f32s(constants[0]), simd.splat_f32s(constants[1]));
        simd.mul_f32s(u, multiply_add(simd, bend, u, a))
    }

    #[inline(always)]
    fn derivative<S: Simd>(
        &self,
        simd: S,
        constants: &[f32; MOST_CONSTANTS],
        u: S::f32s,
        g: S::f32s,
        sums: &mut [S::f32s; MOST_CONSTANTS],
    ) -> S::f32s {
        let product = simd.mul_f32s(g, u);
        sums[0] = simd.add_f32s(sums[0], product);
        sums[1] = multiply_add(simd, product, u, sums[1]);
        let (a, bend) = (simd.splat_f32s(constants[0]), simd.splat_f32s(constants[2]));
        simd.mul_f32s(g, multiply_add(simd, bend, u, a))
    }

    fn parameters_gradient(
        &self,
        parameters: &[f32],
        _: &[f32; MOST_CONSTANTS],
        sums: &[f32; MOST_CONSTANTS],
        gradient: &mut [f32],
    ) {
        gradient[0] += sums[0];
        gradient[1] -= 2.0 * parameters[1] * sums[1];
    }
}

impl LinearKernel for Tempered {
    type Fused = Exponential<LogEach<Self>>;
    const FUSED: Self::Fused = Exponential(LogEach(Self));

    fn start(_: usize) -> Vec<f32> {
        vec![1.0, 0.1]
    }

    fn composed(u: &Tensor, parameters: &MapParameters<'_>) -> Result<Mapped> {
        let bend = u.sqr()?.broadcast_mul(&parameters.scalar(1)?.sqr()?)?;
        Ok(Mapped::Logarithms((u.broadcast_mul(&parameters.scalar(0)?)? - bend)?))
    }
}
