//! r = max(x, 0) + 1e-3 weighed by place: A_ij = r(q_i)·r(k_j) cos(π(i − j)/(2M)) with M tokens (cosFormer, Qin et al. 2022).
//!
//! cos(a − b) = cos a cos b + sin a sin b, so with a_i = πi/(2M) the features f_i(x) = (r cos a_i, r sin a_i) give it exactly: two
//! of each coordinate. All |a_i − a_j| < π/2, so weights are positive. f′ is that of relu: ∂L/∂x = ∂L/∂(r cos a) cos a +
//! ∂L/∂(r sin a) sin a where x > 0.

use crate::vision::composed::primitives::RELU_EPSILON;
use crate::vision::fused::feature_map::{EPSILON, Head, HeadMap, MapGradient, QueriesKeys, QueriesKeysMut};
use crate::vision::fused::register::{load_some, multiply_add, store_some, vectorize};
use crate::vision::kernel::linear::{LinearKernel, MapParameters, Mapped};
use candle_core::{D, Result, Tensor};
use pulp::Simd;
use std::f64::consts::FRAC_PI_2;

/// relu features with cosines and sines of the place.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct CosFormer;

/// sin and cos of π·`token`/(2·`tokens`).
fn weights(token: usize, tokens: usize) -> (f64, f64) {
    (FRAC_PI_2 * token as f64 / tokens as f64).sin_cos()
}

impl HeadMap for CosFormer {
    fn features(&self, dim: usize) -> usize {
        2 * dim
    }

    fn forward<S: Simd>(&self, simd: S, head: Head<'_>, u: QueriesKeys<'_>, features: QueriesKeysMut<'_>) {
        let size = head.size;
        vectorize(
            simd,
            #[inline(always)]
            || {
                let (lanes, dim) = (S::F32_LANES, size.dim);
                let (zero, epsilon) = (simd.splat_f32s(0.0), simd.splat_f32s(EPSILON));
                for (u, features) in [(u.q, &mut *features.q), (u.k, &mut *features.k)] {
                    let rows = u.chunks_exact(size.width).zip(features.chunks_exact_mut(size.feature_width));
                    for (token, (u, f)) in rows.enumerate() {
                        let (sine, cosine) = weights(token, size.tokens);
                        let (sine, cosine) = (simd.splat_f32s(sine as f32), simd.splat_f32s(cosine as f32));
                        for start in (0..dim).step_by(lanes) {
                            let end = dim.min(start + lanes);
                            let r = simd.add_f32s(simd.max_f32s(zero, load_some(simd, &u[start..end])), epsilon);
                            store_some(simd, &mut f[start..end], simd.mul_f32s(r, cosine));
                            store_some(simd, &mut f[dim + start..dim + end], simd.mul_f32s(r, sine));
                        }
                        f[2 * dim..].fill(0.0);
                    }
                }
            },
        );
    }

    fn backward<S: Simd>(
        &self,
        simd: S,
        head: Head<'_>,
        u: QueriesKeys<'_>,
        _: QueriesKeys<'_>,
        gradient: MapGradient<'_>,
    ) {
        let size = head.size;
        let MapGradient { features: g, u: into, .. } = gradient;
        vectorize(
            simd,
            #[inline(always)]
            || {
                let (lanes, dim) = (S::F32_LANES, size.dim);
                let zero = simd.splat_f32s(0.0);
                for (u, g, into) in [(u.q, &*g.q, &mut *into.q), (u.k, &*g.k, &mut *into.k)] {
                    let rows = u.chunks_exact(size.width).zip(g.chunks_exact(size.feature_width));
                    for (token, ((u, g), into)) in rows.zip(into.chunks_exact_mut(size.width)).enumerate() {
                        let (sine, cosine) = weights(token, size.tokens);
                        let (sine, cosine) = (simd.splat_f32s(sine as f32), simd.splat_f32s(cosine as f32));
                        for start in (0..dim).step_by(lanes) {
                            let end = dim.min(start + lanes);
                            let of_cosine = simd.mul_f32s(load_some(simd, &g[start..end]), cosine);
                            let change =
                                multiply_add(simd, load_some(simd, &g[dim + start..dim + end]), sine, of_cosine);
                            let live = simd.greater_than_f32s(load_some(simd, &u[start..end]), zero);
                            store_some(simd, &mut into[start..end], simd.select_f32s(live, change, zero));
                        }
                        into[dim..].fill(0.0);
                    }
                }
            },
        );
    }
}

impl LinearKernel for CosFormer {
    type Fused = Self;
    const FUSED: Self = Self;

    fn composed(x: &Tensor, _: &MapParameters<'_>) -> Result<Mapped> {
        let tokens = x.dim(D::Minus2)?;
        let (sines, cosines): (Vec<f64>, Vec<f64>) = (0..tokens).map(|token| weights(token, tokens)).unzip();
        let r = (x.relu()? + RELU_EPSILON)?;
        let weighed = |weights: Vec<f64>| {
            let weights = Tensor::from_vec(weights, (1, 1, tokens, 1), x.device())?.to_dtype(x.dtype())?;
            r.broadcast_mul(&weights)
        };
        Ok(Mapped::Features(Tensor::cat(&[weighed(cosines)?, weighed(sines)?], D::Minus1)?))
    }
}
