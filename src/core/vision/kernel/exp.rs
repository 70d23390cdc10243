//! e(u) = u, so that f = exp: no approximation of softmax, but a kernel of its own, Σ_l exp(q_l + k_l).

use crate::vision::fused::feature_map::{Exponential, Head, LogFeature};
use crate::vision::kernel::linear::{LinearKernel, MapParameters, Mapped};
use candle_core::{Result, Tensor};
use pulp::Simd;

/// The exponential map.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct Exp;

impl LogFeature for Exp {
    fn forward<S: Simd>(&self, _: S, _: Head<'_>, u: &[f32], exponents: &mut [f32]) {
        exponents.copy_from_slice(u);
    }

    fn backward<S: Simd>(&self, _: S, _: Head<'_>, _: &[f32], gradient: &[f32], u_gradient: &mut [f32], _: &mut [f32]) {
        u_gradient.copy_from_slice(gradient);
    }
}

impl LinearKernel for Exp {
    type Fused = Exponential<Self>;
    const FUSED: Exponential<Self> = Exponential(Self);

    fn composed(x: &Tensor, _: &MapParameters<'_>) -> Result<Mapped> {
        Ok(Mapped::Logarithms(x.clone()))
    }
}
