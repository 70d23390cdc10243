//! The exponents e of positive features over registers: e = z − |x|²/2, or of both signs (z − |x|²/2, −z − |x|²/2), with
//! z = Wx + b, and with a learned mask + ln a_j for the coordinate j that a feature belongs to.

use super::map::scale;
use crate::attention::masked::largest_remainder;
use crate::vision::fused::feature_map::{Head, HeadSize};
use crate::vision::fused::register::{load, padded, store, vectorize};
use crate::vision::kernel::affine::{project, project_back_rows};
use crate::vision::kernel::norms::{add_rows, negative_sums, squared_norms, subtract_halves};
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
        let (m, norms) = (self.projections(), squared_norms(simd, self.head.size, x));
        let z = project(simd, self.head.size, self.head.parameters, x);
        if self.both_signs {
            let rows = z.chunks_exact(padded(m)).zip(exponents.chunks_exact_mut(feature_width));
            for ((z, e), norm) in rows.zip(&norms) {
                let half = 0.5 * norm;
                for (at, z) in z[..m].iter().enumerate() {
                    e[at] = z - half;
                    e[m + at] = -z - half;
                }
                e[2 * m..].fill(0.0);
            }
        } else {
            exponents.copy_from_slice(&z);
            subtract_halves(simd, feature_width, &norms, exponents);
        }
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
        let HeadSize { tokens, feature_width, mask_width, mask_dim, .. } = self.head.size;
        let (m, parameters) = (self.projections(), self.head.parameters);
        let sums = if self.both_signs {
            let z_width = padded(m);
            let (mut sums, mut z_gradient) = (vec![0.0; tokens], vec![0.0; tokens * z_width]);
            let rows = gradient.chunks_exact(feature_width).zip(z_gradient.chunks_exact_mut(z_width));
            for ((g, z), sum) in rows.zip(&mut sums) {
                let (plus, minus) = g[..2 * m].split_at(m);
                for ((z, plus), minus) in z.iter_mut().zip(plus).zip(minus) {
                    *z = plus - minus;
                    *sum -= plus + minus;
                }
            }
            project_back_rows(simd, self.head.size, parameters, &z_gradient, x_gradient);
            sums
        } else {
            project_back_rows(simd, self.head.size, parameters, gradient, x_gradient);
            negative_sums(simd, feature_width, gradient)
        };
        add_rows(simd, self.head.size, &sums, x, x_gradient);
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
