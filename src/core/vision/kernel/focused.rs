//! f(x) = |r|·r^p/|r^p| with r = max(x, 0) + 1e-3 and p = 1 + ln(1 + e^θ): the norm stays, the direction is sharpened (Han et
//! al. 2023). With t = r/max r, which cancels, s = t^p, n = |r| and ŝ = s/|s| = f/n:
//!
//! ∂L/∂r_l = γ r_l/n + p f_l (g_l − γ ŝ_l)/r_l with γ = g·ŝ, and ∂L/∂p = Σ_l f_l (g_l − γ ŝ_l) ln t_l.

use crate::vision::composed::primitives::RELU_EPSILON;
use crate::vision::fused::feature_map::{EPSILON, Head, HeadMap, MapGradient, QueriesKeys, QueriesKeysMut};
use crate::vision::fused::register::{exp, keep_first, ln, load, logistic, multiply_add, softplus, store, vectorize};
use crate::vision::kernel::linear::{LinearKernel, MapParameters, Mapped, inverse_softplus};
use candle_core::{D, Result, Tensor};
use pulp::Simd;

/// The focused map.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct Focused;

/// r of the register that starts at column `start`, zero after the end of the row.
#[inline(always)]
fn positive<S: Simd>(simd: S, row: &[f32], start: usize, dim: usize) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    let r = simd.add_f32s(simd.max_f32s(zero, load(simd, &row[start..])), simd.splat_f32s(EPSILON));
    keep_first(simd, dim.saturating_sub(start).min(S::F32_LANES), r, zero)
}

/// |r|² and the largest r of a row.
#[inline(always)]
fn measure<S: Simd>(simd: S, row: &[f32], dim: usize) -> (f32, f32) {
    let zero = simd.splat_f32s(0.0);
    let (mut squares, mut top) = (zero, zero);
    for start in (0..row.len()).step_by(S::F32_LANES) {
        let r = positive(simd, row, start, dim);
        squares = multiply_add(simd, r, r, squares);
        top = simd.max_f32s(top, r);
    }
    (simd.reduce_sum_f32s(squares), simd.reduce_max_f32s(top))
}

/// ln t of a register, zero after the end of the row.
#[inline(always)]
fn log_share<S: Simd>(simd: S, r: S::f32s, inverse_top: S::f32s, valid: usize) -> S::f32s {
    keep_first(simd, valid, ln(simd, simd.mul_f32s(r, inverse_top)), simd.splat_f32s(0.0))
}

impl HeadMap for Focused {
    fn forward<S: Simd>(&self, simd: S, head: Head<'_>, u: QueriesKeys<'_>, features: QueriesKeysMut<'_>) {
        let power = 1.0 + softplus(head.parameters[0]);
        vectorize(
            simd,
            #[inline(always)]
            || {
                let (lanes, width, dim) = (S::F32_LANES, head.size.width, head.size.dim);
                let zero = simd.splat_f32s(0.0);
                let power = simd.splat_f32s(power);
                for (u, features) in [(u.q, &mut *features.q), (u.k, &mut *features.k)] {
                    for (u, f) in u.chunks_exact(width).zip(features.chunks_exact_mut(width)) {
                        let (squares, top) = measure(simd, u, dim);
                        let inverse_top = simd.splat_f32s(1.0 / top);
                        let mut sum = zero;
                        for start in (0..width).step_by(lanes) {
                            let valid = dim.saturating_sub(start).min(lanes);
                            let log = log_share(simd, positive(simd, u, start, dim), inverse_top, valid);
                            let sharp = keep_first(simd, valid, exp(simd, simd.mul_f32s(power, log)), zero);
                            store(simd, &mut f[start..], sharp);
                            sum = multiply_add(simd, sharp, sharp, sum);
                        }
                        let factor = simd.splat_f32s((squares / simd.reduce_sum_f32s(sum)).sqrt());
                        for part in f.chunks_exact_mut(lanes) {
                            store(simd, part, simd.mul_f32s(load(simd, part), factor));
                        }
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
        features: QueriesKeys<'_>,
        gradient: MapGradient<'_>,
    ) {
        let theta = head.parameters[0];
        let power = 1.0 + softplus(theta);
        let MapGradient { features: g, u: into, parameters, .. } = gradient;
        let sum = vectorize(
            simd,
            #[inline(always)]
            || {
                let (lanes, width, dim) = (S::F32_LANES, head.size.width, head.size.dim);
                let zero = simd.splat_f32s(0.0);
                let power = simd.splat_f32s(power);
                let mut power_sum = zero;
                let queries = (u.q, features.q, &*g.q, &mut *into.q);
                for (u, f, g, into) in [queries, (u.k, features.k, &*g.k, &mut *into.k)] {
                    let rows = u.chunks_exact(width).zip(f.chunks_exact(width)).zip(g.chunks_exact(width));
                    for (((u, f), g), into) in rows.zip(into.chunks_exact_mut(width)) {
                        let (squares, top) = measure(simd, u, dim);
                        let inverse_top = simd.splat_f32s(1.0 / top);
                        let mut product = zero;
                        for (f, g) in f.chunks_exact(lanes).zip(g.chunks_exact(lanes)) {
                            product = multiply_add(simd, load(simd, f), load(simd, g), product);
                        }
                        // γ/n, which times r or f is γ r/n and γ ŝ.
                        let share = simd.splat_f32s(simd.reduce_sum_f32s(product) / squares);
                        for start in (0..width).step_by(lanes) {
                            let valid = dim.saturating_sub(start).min(lanes);
                            let r = positive(simd, u, start, dim);
                            let (f, g) = (load(simd, &f[start..]), load(simd, &g[start..]));
                            let across = simd.mul_f32s(f, simd.sub_f32s(g, simd.mul_f32s(share, f)));
                            let log = log_share(simd, r, inverse_top, valid);
                            power_sum = multiply_add(simd, across, log, power_sum);
                            let along = simd.mul_f32s(share, r);
                            let change = multiply_add(simd, power, simd.div_f32s(across, r), along);
                            let live = simd.greater_than_f32s(load(simd, &u[start..]), zero);
                            store(simd, &mut into[start..], simd.select_f32s(live, change, zero));
                        }
                    }
                }
                simd.reduce_sum_f32s(power_sum)
            },
        );
        parameters[0] += logistic(theta) * sum;
    }
}

impl LinearKernel for Focused {
    type Fused = Self;
    const FUSED: Self = Self;
    // A power that keeps the norm changes nothing along an axis where the other coordinates are zero.
    const REST: f32 = 1.0;

    fn start(_: usize) -> Vec<f32> {
        vec![inverse_softplus(2.0)]
    }

    /// r is divided by its largest coordinate before the power, which cancels.
    fn composed(x: &Tensor, parameters: &MapParameters<'_>) -> Result<Mapped> {
        let r = (x.relu()? + RELU_EPSILON)?;
        let length = r.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
        let relative = r.broadcast_div(&r.max_keepdim(D::Minus1)?.detach())?;
        let power = (parameters.positive(0)? + 1.0)?;
        let sharp = relative.log()?.broadcast_mul(&power)?.exp()?;
        let sharp_length = sharp.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
        Ok(Mapped::Features(sharp.broadcast_mul(&length.broadcast_div(&sharp_length)?)?))
    }
}
