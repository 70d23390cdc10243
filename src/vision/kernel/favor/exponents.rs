//! The exponents e of positive features over registers: e = z − |x|²/2, or of both signs (z − |x|²/2, −z − |x|²/2), with
//! z = Wx + b, and with a learned mask + ln a_j for the coordinate j that a feature belongs to.

use super::map::scale;
use crate::attention::masked::largest_remainder;
use crate::vision::fused::feature_map::{Head, HeadSize};
use crate::vision::fused::register::{load, multiply_add, padded, store, vectorize};
use crate::vision::kernel::affine::{project, project_back_rows};
use pulp::Simd;

/// Stands for the logarithm of 0: far below every exponent, and finite, so that differences are.
const LOWEST: f32 = -1e30;

/// x = u/d^¼.
pub(super) fn scaled<S: Simd>(simd: S, dim: usize, u: &[f32]) -> Vec<f32> {
    let mut x = u.to_vec();
    rescale(simd, dim, &mut x);
    x
}

/// Multiplies by d^(−1/4), in place.
pub(super) fn rescale<S: Simd>(simd: S, dim: usize, values: &mut [f32]) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            let factor = simd.splat_f32s(scale(dim));
            for part in values.chunks_exact_mut(S::F32_LANES) {
                store(simd, part, simd.mul_f32s(load(simd, part), factor));
            }
        },
    );
}

/// |x|²/2 for each row of `x` `[tokens, width]`.
pub(super) fn half_squares<S: Simd>(simd: S, size: HeadSize, x: &[f32]) -> Vec<f32> {
    let mut halves = vec![0.0; size.tokens];
    vectorize(
        simd,
        #[inline(always)]
        || {
            for (row, half) in x.chunks_exact(size.width).zip(halves.iter_mut()) {
                let mut sum = simd.splat_f32s(0.0);
                for part in row.chunks_exact(S::F32_LANES) {
                    sum = multiply_add(simd, load(simd, part), load(simd, part), sum);
                }
                *half = 0.5 * simd.reduce_sum_f32s(sum);
            }
        },
    );
    halves
}

/// Adds `factor`·x to each row of `into`, with a factor for each row.
pub(super) fn add_rows<S: Simd>(simd: S, width: usize, factors: &[f32], x: &[f32], into: &mut [f32]) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            for ((x, factor), into) in x.chunks_exact(width).zip(factors).zip(into.chunks_exact_mut(width)) {
                let factor = simd.splat_f32s(*factor);
                for (x, into) in x.chunks_exact(S::F32_LANES).zip(into.chunks_exact_mut(S::F32_LANES)) {
                    store(simd, into, multiply_add(simd, factor, load(simd, x), load(simd, into)));
                }
            }
        },
    );
}

/// Which of a mask's coordinates each projection belongs to, the constant one last, and what its exponent is moved by.
pub(super) struct Strata {
    coordinates: Vec<usize>,
    moves: Vec<f32>,
}

/// The exponents of one head.
pub(super) struct Exponents<'a> {
    pub head: Head<'a>,
    pub both_signs: bool,
    /// None without a mask.
    pub strata: Option<&'a Strata>,
}

impl Exponents<'_> {
    fn projections(&self) -> usize {
        self.head.size.features / if self.both_signs { 2 } else { 1 }
    }

    /// Writes e for the rows of `x`, which are scaled, with their masks `[tokens, mask_width]`.
    pub fn forward<S: Simd>(&self, simd: S, x: &[f32], mask: &[f32], exponents: &mut [f32]) {
        let HeadSize { feature_width, .. } = self.head.size;
        let (m, halves) = (self.projections(), half_squares(simd, self.head.size, x));
        let z = project(simd, self.head.size, self.head.parameters, x);
        let z_width = padded(m);
        vectorize(
            simd,
            #[inline(always)]
            || {
                let rows = z.chunks_exact(z_width).zip(exponents.chunks_exact_mut(feature_width)).zip(&halves);
                for ((z, e), half) in rows {
                    if self.both_signs {
                        for (at, z) in z[..m].iter().enumerate() {
                            e[at] = z - half;
                            e[m + at] = -z - half;
                        }
                        e[2 * m..].fill(0.0);
                    } else {
                        let half = simd.splat_f32s(*half);
                        for (z, e) in z.chunks_exact(S::F32_LANES).zip(e.chunks_exact_mut(S::F32_LANES)) {
                            store(simd, e, simd.sub_f32s(load(simd, z), half));
                        }
                    }
                }
            },
        );
        if let Some(strata) = self.strata {
            self.add_logarithms(strata, mask, exponents);
        }
    }

    fn add_logarithms(&self, strata: &Strata, mask: &[f32], exponents: &mut [f32]) {
        let HeadSize { feature_width, mask_width, mask_dim, .. } = self.head.size;
        let mut logarithms = vec![0.0; mask_dim + 1];
        for (mask, e) in mask.chunks_exact(mask_width).zip(exponents.chunks_exact_mut(feature_width)) {
            for (logarithm, value) in logarithms.iter_mut().zip(&mask[..mask_dim]) {
                *logarithm = if *value > 0.0 { value.ln() } else { LOWEST };
            }
            for part in e[..self.head.size.features].chunks_exact_mut(strata.coordinates.len()) {
                for ((e, coordinate), moved) in part.iter_mut().zip(&strata.coordinates).zip(&strata.moves) {
                    *e += logarithms[*coordinate] + moved;
                }
            }
        }
    }

    /// Writes the gradient of the scaled rows `x` and that of their masks, given that of e.
    pub fn backward<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        mask: &[f32],
        gradient: &[f32],
        x_gradient: &mut [f32],
        mask_gradient: &mut [f32],
    ) {
        let HeadSize { tokens, width, feature_width, mask_width, mask_dim, .. } = self.head.size;
        let m = self.projections();
        let z_width = padded(m);
        let mut sums = vec![0.0; tokens];
        let mut z_gradient = vec![0.0; tokens * z_width];
        let rows = gradient.chunks_exact(feature_width).zip(z_gradient.chunks_exact_mut(z_width)).zip(&mut sums);
        if self.both_signs {
            for ((g, z), sum) in rows {
                let (plus, minus) = g[..2 * m].split_at(m);
                for ((z, plus), minus) in z.iter_mut().zip(plus).zip(minus) {
                    *z = plus - minus;
                    *sum -= plus + minus;
                }
            }
        } else {
            vectorize(
                simd,
                #[inline(always)]
                || {
                    for (g, sum) in gradient.chunks_exact(feature_width).zip(&mut sums) {
                        let mut all = simd.splat_f32s(0.0);
                        for g in g.chunks_exact(S::F32_LANES) {
                            all = simd.add_f32s(all, load(simd, g));
                        }
                        *sum = -simd.reduce_sum_f32s(all);
                    }
                },
            );
        }
        let z_gradient = if self.both_signs { &z_gradient } else { gradient };
        project_back_rows(simd, self.head.size, self.head.parameters, z_gradient, x_gradient);
        add_rows(simd, width, &sums, x, x_gradient);
        let Some(strata) = self.strata else { return };
        mask_gradient.fill(0.0);
        let rows = gradient.chunks_exact(feature_width).zip(mask.chunks_exact(mask_width));
        for ((g, mask), into) in rows.zip(mask_gradient.chunks_exact_mut(mask_width)) {
            for part in g[..self.head.size.features].chunks_exact(strata.coordinates.len()) {
                for (g, coordinate) in part.iter().zip(&strata.coordinates) {
                    if *coordinate < mask_dim && mask[*coordinate] > 0.0 {
                        into[*coordinate] += g / mask[*coordinate];
                    }
                }
            }
        }
    }
}

impl Strata {
    /// Equal shares of `m` projections for `mask_dim` coordinates and the constant one, whose product of masks is `constant`.
    pub fn new(m: usize, mask_dim: usize, constant: f32) -> Self {
        let counts = largest_remainder(&vec![1.0; mask_dim + 1], m);
        let (mut coordinates, mut moves) = (Vec::with_capacity(m), Vec::with_capacity(m));
        for (coordinate, count) in counts.into_iter().enumerate() {
            // Query and key share the factor 1/count, and the constant coordinate's mask.
            let constant = if coordinate == mask_dim { constant.ln() } else { 0.0 };
            let moved = 0.5 * (constant - (count as f32).ln());
            coordinates.extend(std::iter::repeat_n(coordinate, count));
            moves.extend(std::iter::repeat_n(moved, count));
        }
        Self { coordinates, moves }
    }

    /// The coordinate of each projection.
    pub fn coordinates(&self) -> &[usize] {
        &self.coordinates
    }

    /// What the exponent of each projection is moved by.
    pub fn moves(&self) -> &[f32] {
        &self.moves
    }
}
