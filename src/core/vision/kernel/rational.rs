//! f(u) = s(z) + 1e-3 with z = P(u)/(1 + |A(u)|), s(x) = ln(1 + eˣ), P of degree 5 and A of degree 4 without a constant: a
//! safe Padé unit (Molina, Schramowski, Kersting 2020) made positive.
//!
//! With D = 1 + |A| and σ = s′: f′ = σ(z)·(P′ − z·sign(A)·A′)/D, ∂f/∂p_i = σ(z)·uⁱ/D, ∂f/∂a_i = −σ(z)·z·sign(A)·uⁱ/D.

use crate::vision::composed::primitives::{RELU_EPSILON, softplus};
use crate::vision::fused::feature_map::{EPSILON, Each, Elementwise, MOST_CONSTANTS};
use crate::vision::fused::register::{multiply_add, softplus_and_logistic};
use crate::vision::kernel::linear::{LinearKernel, MapParameters, Mapped};
use candle_core::{Result, Tensor};
use pulp::Simd;

/// Coefficients of P, from the constant up.
const ABOVE: usize = 6;
/// Coefficients of A, from the linear up.
const BELOW: usize = 4;

/// The rational map.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct Rational;

/// P, P′, A and A′.
#[inline(always)]
fn polynomials<S: Simd>(simd: S, constants: &[f32; MOST_CONSTANTS], u: S::f32s) -> [S::f32s; 4] {
    let constant = |index: usize| simd.splat_f32s(constants[index]);
    let (mut above, mut above_slope) = (constant(ABOVE - 1), simd.splat_f32s(0.0));
    for index in (0..ABOVE - 1).rev() {
        above_slope = multiply_add(simd, above_slope, u, above);
        above = multiply_add(simd, above, u, constant(index));
    }
    let (mut below, mut below_slope) = (constant(ABOVE + BELOW - 1), simd.splat_f32s(0.0));
    for index in (ABOVE..ABOVE + BELOW - 1).rev() {
        below_slope = multiply_add(simd, below_slope, u, below);
        below = multiply_add(simd, below, u, constant(index));
    }
    below_slope = multiply_add(simd, below_slope, u, below);
    [above, above_slope, simd.mul_f32s(below, u), below_slope]
}

impl Elementwise for Rational {
    fn constants(&self, parameters: &[f32]) -> [f32; MOST_CONSTANTS] {
        let mut constants = [0.0; MOST_CONSTANTS];
        constants[..ABOVE + BELOW].copy_from_slice(parameters);
        constants
    }

    #[inline(always)]
    fn value<S: Simd>(&self, simd: S, constants: &[f32; MOST_CONSTANTS], u: S::f32s) -> S::f32s {
        let [above, _, below, _] = polynomials(simd, constants, u);
        let divisor = simd.add_f32s(simd.splat_f32s(1.0), simd.abs_f32s(below));
        let (value, _) = softplus_and_logistic(simd, simd.div_f32s(above, divisor));
        simd.add_f32s(value, simd.splat_f32s(EPSILON))
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
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        let [above, above_slope, below, below_slope] = polynomials(simd, constants, u);
        let inverse = simd.div_f32s(one, simd.add_f32s(one, simd.abs_f32s(below)));
        let z = simd.mul_f32s(above, inverse);
        let (_, logistic) = softplus_and_logistic(simd, z);
        let shared = simd.mul_f32s(simd.mul_f32s(g, logistic), inverse);
        let negative = simd.less_than_f32s(below, zero);
        let turned = simd.select_f32s(negative, z, simd.neg_f32s(z));
        let mut power = shared;
        for (index, sum) in sums[..ABOVE].iter_mut().enumerate() {
            if index > 0 {
                power = simd.mul_f32s(power, u);
            }
            *sum = simd.add_f32s(*sum, power);
        }
        let mut power = simd.mul_f32s(shared, turned);
        for sum in &mut sums[ABOVE..ABOVE + BELOW] {
            power = simd.mul_f32s(power, u);
            *sum = simd.add_f32s(*sum, power);
        }
        simd.mul_f32s(shared, multiply_add(simd, turned, below_slope, above_slope))
    }

    fn parameters_gradient(
        &self,
        _: &[f32],
        _: &[f32; MOST_CONSTANTS],
        sums: &[f32; MOST_CONSTANTS],
        gradient: &mut [f32],
    ) {
        for (gradient, sum) in gradient.iter_mut().zip(sums) {
            *gradient += sum;
        }
    }
}

impl LinearKernel for Rational {
    type Fused = Each<Self>;
    const FUSED: Each<Self> = Each(Self);

    fn start(_: usize) -> Vec<f32> {
        // A begins off zero, where its absolute value has no slope.
        vec![0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.02, 0.0, 0.0]
    }

    fn composed(u: &Tensor, parameters: &MapParameters<'_>) -> Result<Mapped> {
        // Horner's rule from the highest coefficient down.
        let polynomial = |coefficients: std::ops::Range<usize>| {
            let mut sum = u.zeros_like()?;
            for index in coefficients.rev() {
                sum = (sum * u)?.broadcast_add(&parameters.scalar(index)?)?;
            }
            Ok::<_, candle_core::Error>(sum)
        };
        let below = ((polynomial(ABOVE..ABOVE + BELOW)? * u)?.abs()? + 1.0)?;
        Ok(Mapped::Features((softplus(&(polynomial(0..ABOVE)? / below)?)? + RELU_EPSILON)?))
    }
}
