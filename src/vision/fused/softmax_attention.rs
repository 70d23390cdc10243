//! Softmax attention over one head: o_i = Σ_j p_ij v_j with p_ij = e_ij / Σ_j e_ij, e_ij = exp(q_i·k_j/√d − m_i) and m_i
//! the largest score of row i (Vaswani et al. 2017).
//!
//! e is not divided by its sum s_i: the output is, which is smaller. Backward, with g_i = ∂L/∂o_i / s_i and
//! δ_i = g_i·o_i: ∂L/∂v_j = Σ_i e_ij g_i and, for the scores t_ij, ∂L/∂t_ij = e_ij (g_i·v_j − δ_i).
//!
//! Rows of queries are taken in bands that stay in the first-level cache. Where e of all layers would not fit the
//! second-level cache either, only m_i is kept and backward computes e again (Dao et al. 2022).

use super::head::{HeadAttention, HeadGradient, carve};
use super::register::{exp, keep_first, load, padded, store, transpose, vectorize};
use super::tile::{Into, Left, Size, multiply};
use pulp::Simd;

/// Softmax attention.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct SoftmaxAttention {
    tokens: usize,
    dim: usize,
    width: usize,
    /// Scores of a query with zeros after the last token.
    row: usize,
    /// Queries a band.
    band: usize,
    /// Whether e is kept for backward.
    keep: bool,
}

/// Scores of a band: a third of a first-level cache of 32 KiB.
const BAND_FLOATS: usize = 4096;

/// Longest sequence whose e is kept.
const KEEP_TOKENS: usize = 256;

impl SoftmaxAttention {
    pub fn new(tokens: usize, dim: usize) -> Self {
        let row = padded(tokens);
        let band = (BAND_FLOATS / row / 8 * 8).clamp(8, tokens.next_multiple_of(8));
        Self { tokens, dim, width: padded(dim), row, band, keep: tokens <= KEEP_TOKENS }
    }

    /// Lengths of what is kept: q, k, v, 1/s, m, e.
    fn kept(&self) -> [usize; 6] {
        let rows = self.tokens * self.width;
        [rows, rows, rows, self.tokens, self.tokens, if self.keep { self.tokens * self.row } else { 0 }]
    }

    /// Lengths of what both passes need: Kᵀ, Vᵀ, e of a band and its gradient.
    fn scratch_lengths(&self) -> [usize; 4] {
        [self.width * self.row, self.width * self.row, self.band * self.row, self.band * self.row]
    }

    fn scale(&self) -> f32 {
        1.0 / (self.dim as f32).sqrt()
    }

    /// Turns rows of scores into e and writes their inverse sums; the largest score is found first unless it is known.
    #[inline(always)]
    fn exponentials<S: Simd>(&self, simd: S, scores: &mut [f32], largest: &mut [f32], inverse: Option<&mut [f32]>) {
        let lanes = S::F32_LANES;
        let zero = simd.splat_f32s(0.0);
        let lowest = simd.splat_f32s(f32::MIN);
        let whole = self.tokens / lanes * lanes;
        let rest = self.tokens - whole;
        let known = inverse.is_none();
        let mut inverses = inverse.map(|inverse| inverse.iter_mut());
        for (row, largest) in scores.chunks_exact_mut(self.row).zip(largest) {
            if !known {
                let mut top = lowest;
                for part in row[..whole].chunks_exact(lanes) {
                    top = simd.max_f32s(top, load(simd, part));
                }
                if rest > 0 {
                    top = simd.max_f32s(top, keep_first(simd, rest, load(simd, &row[whole..]), lowest));
                }
                *largest = simd.reduce_max_f32s(top);
            }
            let top = simd.splat_f32s(*largest);
            let mut sum = zero;
            for part in row[..whole].chunks_exact_mut(lanes) {
                let value = exp(simd, simd.sub_f32s(load(simd, part), top));
                store(simd, part, value);
                sum = simd.add_f32s(sum, value);
            }
            if rest > 0 {
                let value = exp(simd, simd.sub_f32s(load(simd, &row[whole..]), top));
                let value = keep_first(simd, rest, value, zero);
                store(simd, &mut row[whole..], value);
                sum = simd.add_f32s(sum, value);
            }
            if let Some(inverse) = inverses.as_mut().and_then(Iterator::next) {
                *inverse = 1.0 / simd.reduce_sum_f32s(sum);
            }
        }
    }
}

impl HeadAttention for SoftmaxAttention {
    fn kept_len(&self) -> usize {
        self.kept().iter().sum()
    }

    fn scratch_len(&self) -> usize {
        self.scratch_lengths().iter().sum()
    }

    fn forward<S: Simd>(&self, simd: S, _: &[f32], kept: &mut [f32], scratch: &mut [f32], out: &mut [f32]) {
        let [q, k, v, inverse, largest, e] = carve(kept, self.kept());
        let [k_turned, _, band, _] = carve(scratch, self.scratch_lengths());
        vectorize(
            simd,
            #[inline(always)]
            || {
                let lanes = S::F32_LANES;
                let scale = simd.splat_f32s(self.scale());
                for part in q.chunks_exact_mut(lanes) {
                    store(simd, part, simd.mul_f32s(load(simd, part), scale));
                }
                transpose(k, self.tokens, self.width, self.width, k_turned, self.row);
                for start in (0..self.tokens).step_by(self.band) {
                    let rows = self.band.min(self.tokens - start);
                    let queries = start * self.width..(start + rows) * self.width;
                    let e = if self.keep { &mut e[start * self.row..] } else { &mut *band };
                    let e = &mut e[..rows * self.row];
                    let size = Size { rows, depth: self.dim, columns: self.row };
                    multiply(simd, size, Left::rows(&q[queries.clone()], self.width), k_turned, e, Into::Overwrite);
                    let inverse = &mut inverse[start..start + rows];
                    self.exponentials(simd, e, &mut largest[start..start + rows], Some(inverse));
                    let size = Size { rows, depth: self.tokens, columns: self.width };
                    let out = &mut out[queries];
                    multiply(simd, size, Left::rows(e, self.row), v, out, Into::Overwrite);
                    for (row, inverse) in out.chunks_exact_mut(self.width).zip(inverse) {
                        let inverse = simd.splat_f32s(*inverse);
                        for part in row.chunks_exact_mut(lanes) {
                            store(simd, part, simd.mul_f32s(load(simd, part), inverse));
                        }
                    }
                }
            },
        );
    }

    fn backward<S: Simd>(
        &self,
        simd: S,
        _: &[f32],
        kept: &mut [f32],
        scratch: &mut [f32],
        gradient: HeadGradient<'_>,
        _: &mut [f32],
    ) {
        let [q, k, v, inverse, largest, e] = carve(kept, self.kept());
        let [k_turned, v_turned, band, band_gradient] = carve(scratch, self.scratch_lengths());
        let HeadGradient { out, products, q: into_q, k: into_k, v: into_v } = gradient;
        vectorize(
            simd,
            #[inline(always)]
            || {
                let lanes = S::F32_LANES;
                let scale = simd.splat_f32s(self.scale());
                if !self.keep {
                    transpose(k, self.tokens, self.width, self.width, k_turned, self.row);
                }
                transpose(v, self.tokens, self.width, self.width, v_turned, self.row);
                for ((row, product), inverse) in
                    out.chunks_exact_mut(self.width).zip(products.iter_mut()).zip(inverse.iter())
                {
                    let factor = simd.splat_f32s(*inverse);
                    for part in row.chunks_exact_mut(lanes) {
                        store(simd, part, simd.mul_f32s(load(simd, part), factor));
                    }
                    *product *= *inverse;
                }
                for start in (0..self.tokens).step_by(self.band) {
                    let rows = self.band.min(self.tokens - start);
                    let queries = start * self.width..(start + rows) * self.width;
                    let band_size = Size { rows, depth: self.dim, columns: self.row };
                    let left = Left::rows(&q[queries.clone()], self.width);
                    let e: &[f32] = if self.keep {
                        &e[start * self.row..(start + rows) * self.row]
                    } else {
                        let band = &mut band[..rows * self.row];
                        multiply(simd, band_size, left, k_turned, band, Into::Overwrite);
                        self.exponentials(simd, band, &mut largest[start..start + rows], None);
                        band
                    };
                    let scaled = &out[queries.clone()];
                    let scores = &mut band_gradient[..rows * self.row];
                    multiply(simd, band_size, Left::rows(scaled, self.width), v_turned, scores, Into::Overwrite);
                    let all = scores.chunks_exact_mut(self.row).zip(e.chunks_exact(self.row));
                    for ((scores, e), product) in all.zip(&products[start..start + rows]) {
                        let product = simd.splat_f32s(*product);
                        for (score, e) in scores.chunks_exact_mut(lanes).zip(e.chunks_exact(lanes)) {
                            let change = simd.sub_f32s(load(simd, score), product);
                            store(simd, score, simd.mul_f32s(change, load(simd, e)));
                        }
                    }
                    let how = if start == 0 { Into::Overwrite } else { Into::Add };
                    let columns = Size { rows: self.tokens, depth: rows, columns: self.width };
                    multiply(simd, columns, Left::transposed(e, self.row), scaled, into_v, how);
                    multiply(simd, columns, Left::transposed(scores, self.row), &q[queries.clone()], into_k, how);
                    let size = Size { rows, depth: self.tokens, columns: self.width };
                    let into_q = &mut into_q[queries];
                    multiply(simd, size, Left::rows(scores, self.row), k, into_q, Into::Overwrite);
                    for part in into_q.chunks_exact_mut(lanes) {
                        store(simd, part, simd.mul_f32s(load(simd, part), scale));
                    }
                }
            },
        );
    }
}
