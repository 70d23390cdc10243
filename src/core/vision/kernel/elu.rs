//! f(u) = elu(u) + 1: eᵘ for u ≤ 0 and 1 + u above, positive everywhere (Katharopoulos et al. 2020).
//!
//! It is computed from e(u) = ln f(u) = u for u ≤ 0 and ln(1 + u) above, e′(u) = 1 and 1/(1 + u): far below zero the value is
//! eᵘ itself, which (eᵘ − 1) + 1 would round to 0, and it is stabilised exactly as `exp` is.

use crate::vision::fused::feature_map::{Elementwise, Exponential, LogEach, MOST_CONSTANTS};
use crate::vision::fused::register::ln;
use crate::vision::kernel::linear::{LinearKernel, MapParameters, Mapped};
use candle_core::{Result, Tensor};
use pulp::Simd;

/// The map elu + 1.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct Elu;

impl Elementwise for Elu {
    #[inline(always)]
    fn value<S: Simd>(&self, simd: S, _: &[f32; MOST_CONSTANTS], u: S::f32s) -> S::f32s {
        let above = ln(simd, simd.add_f32s(simd.splat_f32s(1.0), u));
        simd.select_f32s(simd.greater_than_f32s(u, simd.splat_f32s(0.0)), above, u)
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
        let above = simd.div_f32s(g, simd.add_f32s(simd.splat_f32s(1.0), u));
        simd.select_f32s(simd.greater_than_f32s(u, simd.splat_f32s(0.0)), above, g)
    }
}

impl LinearKernel for Elu {
    type Fused = Exponential<LogEach<Self>>;
    const FUSED: Self::Fused = Exponential(LogEach(Self));

    fn composed(x: &Tensor, _: &MapParameters<'_>) -> Result<Mapped> {
        let above = x.relu()?;
        Ok(Mapped::Logarithms(((x - &above)? + (above + 1.0)?.log()?)?))
    }
}
