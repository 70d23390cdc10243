//! f(u) = max(u, 0)² + 1e-3, f′(u) = 2 max(u, 0): squared ReLU (So et al. 2021) as a feature map.

use crate::vision::composed::primitives::RELU_EPSILON;
use crate::vision::fused::feature_map::{EPSILON, Each, Elementwise, MOST_CONSTANTS};
use crate::vision::fused::register::multiply_add;
use crate::vision::kernel::linear::{LinearKernel, MapParameters, Mapped};
use candle_core::{Result, Tensor};
use pulp::Simd;

/// max(u, 0)² + 1e-3.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct ReluSquared;

impl Elementwise for ReluSquared {
    #[inline(always)]
    fn value<S: Simd>(&self, simd: S, _: &[f32; MOST_CONSTANTS], u: S::f32s) -> S::f32s {
        let positive = simd.max_f32s(simd.splat_f32s(0.0), u);
        multiply_add(simd, positive, positive, simd.splat_f32s(EPSILON))
    }

    #[inline(always)]
    fn derivative<S: Simd>(
        &self,
        simd: S,
        _: &[f32; MOST_CONSTANTS],
        u: S::f32s,
        g: S::f32s,
        _: &mut [S::f32s; MOST_CONSTANTS],
    ) -> S::f32s {
        let zero = simd.splat_f32s(0.0);
        let twice = simd.mul_f32s(g, simd.add_f32s(u, u));
        simd.select_f32s(simd.greater_than_f32s(u, zero), twice, zero)
    }
}

impl LinearKernel for ReluSquared {
    type Fused = Each<Self>;
    const FUSED: Each<Self> = Each(Self);

    fn composed(x: &Tensor, _: &MapParameters<'_>) -> Result<Mapped> {
        Ok(Mapped::Features((x.relu()?.sqr()? + RELU_EPSILON)?))
    }
}
