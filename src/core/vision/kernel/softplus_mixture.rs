//! f(u) = Σ_k a_k s(b_k u + c_k)/b_k + 1e-3 over k < 3, s(x) = ln(1 + eˣ), a and b the softplus of their parameters.
//!
//! With σ = s′ the logistic function: f′(u) = Σ_k a_k σ_k, ∂f/∂a_k = s_k/b_k, ∂f/∂b_k = a_k (u σ_k/b_k − s_k/b_k²),
//! ∂f/∂c_k = a_k σ_k/b_k, so that the sums of g·s_k, g·u·σ_k and g·σ_k give all.

use crate::vision::composed::primitives::{RELU_EPSILON, softplus as composed_softplus};
use crate::vision::fused::feature_map::{EPSILON, Each, Elementwise, MOST_CONSTANTS};
use crate::vision::fused::register::{logistic, multiply_add, softplus, softplus_and_logistic};
use crate::vision::kernel::linear::{LinearKernel, MapParameters, Mapped, inverse_softplus};
use candle_core::{Result, Tensor};
use pulp::Simd;

/// Kinks.
const K: usize = 3;

/// The mixture.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct SoftplusMixture;

impl Elementwise for SoftplusMixture {
    /// a, b, c, and 1/b where there is room.
    fn constants(&self, parameters: &[f32]) -> [f32; MOST_CONSTANTS] {
        let mut constants = [0.0; MOST_CONSTANTS];
        for k in 0..K {
            constants[k] = softplus(parameters[k]);
            constants[K + k] = softplus(parameters[K + k]);
            constants[2 * K + k] = parameters[2 * K + k];
            constants[3 * K + k] = constants[k] / constants[K + k];
        }
        constants
    }

    #[inline(always)]
    fn value<S: Simd>(&self, simd: S, constants: &[f32; MOST_CONSTANTS], u: S::f32s) -> S::f32s {
        let constant = |index: usize| simd.splat_f32s(constants[index]);
        let mut sum = simd.splat_f32s(EPSILON);
        for k in 0..K {
            let (value, _) = softplus_and_logistic(simd, multiply_add(simd, constant(K + k), u, constant(2 * K + k)));
            sum = multiply_add(simd, constant(3 * K + k), value, sum);
        }
        sum
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
        let constant = |index: usize| simd.splat_f32s(constants[index]);
        let mut slope = simd.splat_f32s(0.0);
        for k in 0..K {
            let inside = multiply_add(simd, constant(K + k), u, constant(2 * K + k));
            let (value, logistic) = softplus_and_logistic(simd, inside);
            slope = multiply_add(simd, constant(k), logistic, slope);
            let weighted = simd.mul_f32s(g, logistic);
            sums[k] = multiply_add(simd, g, value, sums[k]);
            sums[K + k] = multiply_add(simd, weighted, u, sums[K + k]);
            sums[2 * K + k] = simd.add_f32s(sums[2 * K + k], weighted);
        }
        simd.mul_f32s(g, slope)
    }

    fn parameters_gradient(
        &self,
        parameters: &[f32],
        constants: &[f32; MOST_CONSTANTS],
        sums: &[f32; MOST_CONSTANTS],
        gradient: &mut [f32],
    ) {
        for k in 0..K {
            let (b, ratio) = (constants[K + k], constants[3 * K + k]);
            gradient[k] += logistic(parameters[k]) * sums[k] / b;
            gradient[K + k] += logistic(parameters[K + k]) * ratio * (sums[K + k] - sums[k] / b);
            gradient[2 * K + k] += ratio * sums[2 * K + k];
        }
    }
}

impl LinearKernel for SoftplusMixture {
    type Fused = Each<Self>;
    const FUSED: Each<Self> = Each(Self);

    fn start(_: usize) -> Vec<f32> {
        let third = inverse_softplus(1.0 / 3.0);
        let [one, two, four] = [1.0, 2.0, 4.0].map(inverse_softplus);
        vec![third, third, third, one, two, four, 0.0, 0.0, 0.0]
    }

    fn composed(u: &Tensor, parameters: &MapParameters<'_>) -> Result<Mapped> {
        let mut sum = (u.zeros_like()? + RELU_EPSILON)?;
        for k in 0..K {
            let (a, b) = (parameters.positive(k)?, parameters.positive(K + k)?);
            let inside = u.broadcast_mul(&b)?.broadcast_add(&parameters.scalar(2 * K + k)?)?;
            sum = (sum + composed_softplus(&inside)?.broadcast_mul(&(a / b)?)?)?;
        }
        Ok(Mapped::Features(sum))
    }
}
