//! f(u) = elu(u) + 1: eᵘ for u ≤ 0 and 1 + u above, positive everywhere (Katharopoulos et al. 2020).
//!
//! It is computed from e(u) = ln f(u) = u for u ≤ 0 and ln(1 + u) above, e′(u) = 1 and 1/(1 + u): far below zero the value is
//! eᵘ itself, which (eᵘ − 1) + 1 would round to 0, and it is stabilised exactly as `exp` is.

use crate::vision::fused::feature_map::{Exponential, Head, LogFeature};
use crate::vision::fused::register::{ln, load, store, vectorize};
use crate::vision::kernel::linear::{LinearKernel, MapParameters, Mapped};
use candle_core::{Result, Tensor};
use pulp::Simd;

/// The map elu + 1.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct Elu;

impl LogFeature for Elu {
    fn forward<S: Simd>(&self, simd: S, _: Head<'_>, u: &[f32], exponents: &mut [f32]) {
        vectorize(
            simd,
            #[inline(always)]
            || {
                let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
                for (u, e) in u.chunks_exact(S::F32_LANES).zip(exponents.chunks_exact_mut(S::F32_LANES)) {
                    let u = load(simd, u);
                    let above = ln(simd, simd.add_f32s(one, u));
                    store(simd, e, simd.select_f32s(simd.greater_than_f32s(u, zero), above, u));
                }
            },
        );
    }

    fn backward<S: Simd>(
        &self,
        simd: S,
        _: Head<'_>,
        u: &[f32],
        gradient: &[f32],
        u_gradient: &mut [f32],
        _: &mut [f32],
    ) {
        vectorize(
            simd,
            #[inline(always)]
            || {
                let (zero, one, lanes) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0), S::F32_LANES);
                let parts = u.chunks_exact(lanes).zip(gradient.chunks_exact(lanes));
                for ((u, g), into) in parts.zip(u_gradient.chunks_exact_mut(lanes)) {
                    let (u, g) = (load(simd, u), load(simd, g));
                    let above = simd.div_f32s(g, simd.add_f32s(one, u));
                    store(simd, into, simd.select_f32s(simd.greater_than_f32s(u, zero), above, g));
                }
            },
        );
    }
}

impl LinearKernel for Elu {
    type Fused = Exponential<Self>;
    const FUSED: Exponential<Self> = Exponential(Self);

    fn composed(x: &Tensor, _: &MapParameters<'_>) -> Result<Mapped> {
        let above = x.relu()?;
        Ok(Mapped::Logarithms(((x - &above)? + (above + 1.0)?.log()?)?))
    }
}
