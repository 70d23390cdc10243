//! f(u) = max(u, 0) + 1e-3, f′(u) = 1 for u > 0 (Performer-ReLU, Choromanski et al. 2021).

use super::{EPSILON, Elementwise, MOST_CONSTANTS};
use pulp::Simd;

/// max(u, 0) + 1e-3.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Relu;

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
