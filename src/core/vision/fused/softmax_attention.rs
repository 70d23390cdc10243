//! Softmax attention over one head: o_i = Σ_j p_ij v_j with p_ij = e_ij / Σ_j e_ij, e_ij = exp(q_i·k_j/√d − m_i) and m_i
//! the largest score of row i (Vaswani et al. 2017).
//!
//! e is not divided by its sum s_i: the output is, which is smaller. Backward, with g_i = ∂L/∂o_i / s_i and
//! δ_i = g_i·o_i: ∂L/∂v_j = Σ_i e_ij g_i and, for the scores t_ij, ∂L/∂t_ij = e_ij (g_i·v_j − δ_i).
//!
//! With a learned mask, non-negative coordinates a_i of queries and b_j of keys, e_ij is multiplied by g_ij = a_i·b_j + 0.001;
//! then ∂L/∂g_ij = ∂L/∂t_ij / g_ij, ∂L/∂a_i = Σ_j ∂L/∂g_ij b_j and ∂L/∂b_j = Σ_i ∂L/∂g_ij a_i. Nothing but m_i is kept of e.
//!
//! Rows of queries are taken in bands that stay in the first-level cache. Where e of all layers would not fit the
//! second-level cache either, only m_i is kept and backward computes e again (Dao et al. 2022).

use super::feature_map::{EPSILON, HeadShape};
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
    /// Coordinates of the learned mask; 0 without one.
    mask_dim: usize,
    mask_width: usize,
}

/// Scores of a band: a third of a first-level cache of 32 KiB.
const BAND_FLOATS: usize = 4096;

/// Longest sequence whose e is kept.
const KEEP_TOKENS: usize = 256;

impl SoftmaxAttention {
    pub fn new(shape: HeadShape) -> Self {
        let HeadShape { tokens, dim, mask_dim } = shape;
        let row = padded(tokens);
        let band = (BAND_FLOATS / row / 8 * 8).clamp(8, tokens.next_multiple_of(8));
        let keep = tokens <= KEEP_TOKENS && mask_dim == 0;
        Self { tokens, dim, width: padded(dim), row, band, keep, mask_dim, mask_width: padded(mask_dim) }
    }

    /// Lengths of what is kept: q, k, v, the masks of queries and keys, 1/s, m, e.
    fn kept(&self) -> [usize; 8] {
        let (rows, masks) = (self.tokens * self.width, self.tokens * self.mask_width);
        let e = if self.keep { self.tokens * self.row } else { 0 };
        [rows, rows, rows, masks, masks, self.tokens, self.tokens, e]
    }

    /// Lengths of what both passes need: Kᵀ, Vᵀ, e of a band and its gradient; with a mask, that of keys turned and g of a
    /// band.
    fn scratch_lengths(&self) -> [usize; 6] {
        let (turned, band) = (self.width * self.row, self.band * self.row);
        let masked = |len| if self.mask_dim > 0 { len } else { 0 };
        [turned, turned, band, band, self.mask_width * self.row, masked(band)]
    }

    /// Writes g for `rows` queries with these masks, from the masks of keys turned.
    #[inline(always)]
    fn gates<S: Simd>(&self, simd: S, rows: usize, masks: &[f32], turned: &[f32], gates: &mut [f32]) {
        gates.fill(EPSILON);
        let size = Size { rows, depth: self.mask_dim, columns: self.row };
        multiply(simd, size, Left::rows(masks, self.mask_width), turned, gates, Into::Add);
    }

    fn scale(&self) -> f32 {
        1.0 / (self.dim as f32).sqrt()
    }

    /// Turns rows of scores into e and writes their inverse sums; the largest score is found first unless it is known. `gates`
    /// are g, and empty without a mask.
    #[inline(always)]
    fn exponentials<S: Simd>(
        &self,
        simd: S,
        scores: &mut [f32],
        gates: &[f32],
        largest: &mut [f32],
        inverse: Option<&mut [f32]>,
    ) {
        let lanes = S::F32_LANES;
        let zero = simd.splat_f32s(0.0);
        let lowest = simd.splat_f32s(f32::MIN);
        let whole = self.tokens / lanes * lanes;
        let rest = self.tokens - whole;
        let known = inverse.is_none();
        let mut inverses = inverse.map(|inverse| inverse.iter_mut());
        let mut gates = gates.chunks_exact(self.row);
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
            if let Some(gates) = gates.next() {
                sum = zero;
                for (part, gate) in row.chunks_exact_mut(lanes).zip(gates.chunks_exact(lanes)) {
                    let value = simd.mul_f32s(load(simd, part), load(simd, gate));
                    store(simd, part, value);
                    sum = simd.add_f32s(sum, value);
                }
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
        let [q, k, v, mask_q, mask_k, inverse, largest, e] = carve(kept, self.kept());
        let [k_turned, _, band, _, mask_turned, gates] = carve(scratch, self.scratch_lengths());
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
                transpose(mask_k, self.tokens, self.mask_width, self.mask_width, mask_turned, self.row);
                for start in (0..self.tokens).step_by(self.band) {
                    let rows = self.band.min(self.tokens - start);
                    let queries = start * self.width..(start + rows) * self.width;
                    let e = if self.keep { &mut e[start * self.row..] } else { &mut *band };
                    let e = &mut e[..rows * self.row];
                    let size = Size { rows, depth: self.dim, columns: self.row };
                    multiply(simd, size, Left::rows(&q[queries.clone()], self.width), k_turned, e, Into::Overwrite);
                    let inverse = &mut inverse[start..start + rows];
                    let gates = if self.mask_dim > 0 { &mut gates[..rows * self.row] } else { &mut gates[..0] };
                    if self.mask_dim > 0 {
                        self.gates(simd, rows, &mask_q[start * self.mask_width..], mask_turned, gates);
                    }
                    self.exponentials(simd, e, gates, &mut largest[start..start + rows], Some(inverse));
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
        let [q, k, v, mask_q, mask_k, inverse, largest, e] = carve(kept, self.kept());
        let [k_turned, v_turned, band, band_gradient, mask_turned, gates] = carve(scratch, self.scratch_lengths());
        let HeadGradient { out, products, q: into_q, k: into_k, v: into_v, masks } = gradient;
        vectorize(
            simd,
            #[inline(always)]
            || {
                let lanes = S::F32_LANES;
                let scale = simd.splat_f32s(self.scale());
                if !self.keep {
                    transpose(k, self.tokens, self.width, self.width, k_turned, self.row);
                    transpose(mask_k, self.tokens, self.mask_width, self.mask_width, mask_turned, self.row);
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
                    let gates = if self.mask_dim > 0 { &mut gates[..rows * self.row] } else { &mut gates[..0] };
                    if self.mask_dim > 0 {
                        self.gates(simd, rows, &mask_q[start * self.mask_width..], mask_turned, gates);
                    }
                    let e: &[f32] = if self.keep {
                        &e[start * self.row..(start + rows) * self.row]
                    } else {
                        let band = &mut band[..rows * self.row];
                        multiply(simd, band_size, left, k_turned, band, Into::Overwrite);
                        self.exponentials(simd, band, gates, &mut largest[start..start + rows], None);
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
                    if self.mask_dim == 0 {
                        continue;
                    }
                    for (score, gate) in scores.chunks_exact_mut(lanes).zip(gates.chunks_exact(lanes)) {
                        store(simd, score, simd.div_f32s(load(simd, score), load(simd, gate)));
                    }
                    let masked = start * self.mask_width..(start + rows) * self.mask_width;
                    let size = Size { rows, depth: self.tokens, columns: self.mask_width };
                    let into = &mut masks.q[masked.clone()];
                    multiply(simd, size, Left::rows(scores, self.row), mask_k, into, Into::Overwrite);
                    let size = Size { rows: self.tokens, depth: rows, columns: self.mask_width };
                    let left = Left::transposed(scores, self.row);
                    multiply(simd, size, left, &mask_q[masked], masks.k, how);
                }
            },
        );
    }
}
