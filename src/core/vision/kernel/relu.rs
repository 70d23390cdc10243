//! f(u) = max(u, 0) + 1e-3, f′(u) = 1 for u > 0 (Performer-ReLU, Choromanski et al. 2021).

use crate::vision::composed::primitives::RELU_EPSILON;
use crate::vision::fused::feature_map::{EPSILON, Each, Elementwise, MOST_CONSTANTS};
use crate::vision::kernel::linear::{LinearKernel, MapParameters, Mapped};
use candle_core::{Result, Tensor};
use pulp::Simd;

/// max(u, 0) + 1e-3.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct Relu;

impl Elementwise for Relu {
    #[inline(always)]
    fn value<S: Simd>(&self, simd: S, _: &[f32; MOST_CONSTANTS], u: S::f32s) -> S::f32s {
        simd.add_f32s(simd.max_f32s(simd.splat_f32s(0.0), u), simd.splat_f32s(EPSILON))
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
        simd.select_f32s(simd.greater_than_f32s(u, zero), g, zero)
    }
}

impl LinearKernel for Relu {
    type Fused = Each<Self>;
    const FUSED: Each<Self> = Each(Self);

    fn composed(x: &Tensor, _: &MapParameters<'_>) -> Result<Mapped> {
        Ok(Mapped::Features((x.relu()? + RELU_EPSILON)?))
    }
}
