//! Attention over the heads of a slice of images: each head is packed, attended and unpacked on its own.

use super::feature_map::QueriesKeysMut;
use super::head::{HeadAttention, HeadGradient, carve};
use super::register::{load, load_some, multiply_add, padded, store, store_some, vectorize};
use super::shape::Shape;
use crate::vision::kernel::FusedAttention;
use pulp::Simd;

/// Numbers that one call needs beside what is kept for backward.
pub(super) fn scratch_len(attentions: &[FusedAttention], shape: &Shape) -> usize {
    let rows = shape.tokens * padded(shape.head_dim);
    let masks = shape.tokens * padded(shape.mask_dim);
    attentions.iter().map(HeadAttention::scratch_len).max().unwrap_or(0) + 4 * rows + 2 * masks + shape.tokens
}

/// What both passes over the heads of a slice need.
pub(super) struct Call<'a> {
    pub shape: &'a Shape,
    pub attention: &'a FusedAttention,
    /// Parameters of the feature map, head by head.
    pub parameters: &'a [f32],
    pub kept: &'a mut [f32],
    /// Whether `kept` has room for every head of every image; otherwise one place serves all, one after the other.
    pub keeps_all: bool,
    pub scratch: &'a mut [f32],
}

/// Where the parameters of each head lie.
fn head_parameters(all: usize, heads: usize) -> impl Fn(usize) -> std::ops::Range<usize> {
    let each = all / heads;
    move |head| head * each..(head + 1) * each
}

/// Writes o `[rows, dim]` from `qkv` `[rows, 3·dim + masks]` without its bias; returns how many denominators are not above 0.
pub(super) fn forward<S: Simd>(simd: S, call: Call<'_>, qkv: &[f32], bias: &[f32], out: &mut [f32]) -> usize {
    let attention = call.attention;
    let Shape { tokens, dim, heads, head_dim, mask_dim, .. } = *call.shape;
    let (width, mask_width, columns) = (padded(head_dim), padded(mask_dim), call.shape.columns());
    let each = attention.kept_len();
    let mut not_positive = 0;
    let own = head_parameters(call.parameters.len(), heads);
    let (head_out, scratch) = call.scratch.split_at_mut(tokens * width);
    let images = qkv.chunks_exact(tokens * columns).zip(out.chunks_exact_mut(tokens * dim));
    for (image, (qkv, out)) in images.enumerate() {
        for head in 0..heads {
            let slot = if call.keeps_all { (image * heads + head) * each } else { 0 };
            let kept = &mut call.kept[slot..slot + each];
            for (part, packed) in kept[..3 * tokens * width].chunks_exact_mut(tokens * width).enumerate() {
                let own = part * dim + head * head_dim..part * dim + (head + 1) * head_dim;
                pack(simd, &qkv[own.start..], columns, Some(&bias[own]), packed, width, head_dim);
            }
            let masks = &mut kept[3 * tokens * width..][..2 * tokens * mask_width];
            for (part, packed) in masks.chunks_exact_mut((tokens * mask_width).max(1)).enumerate() {
                let own = call.shape.mask_columns(part, head);
                pack(simd, &qkv[own.start..], columns, Some(&bias[own]), packed, mask_width, mask_dim);
                clamp(simd, packed);
            }
            attention.forward(simd, &call.parameters[own(head)], kept, scratch, head_out);
            not_positive += attention.not_positive(kept);
            unpack(simd, head_out, width, head_dim, &mut out[head * head_dim..], dim);
        }
    }
    not_positive
}

/// relu, in place.
fn clamp<S: Simd>(simd: S, values: &mut [f32]) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            let zero = simd.splat_f32s(0.0);
            for part in values.chunks_exact_mut(S::F32_LANES) {
                store(simd, part, simd.max_f32s(load(simd, part), zero));
            }
        },
    );
}

/// Writes g where `value`, which relu made, is above 0, and 0 elsewhere.
fn clamp_back(values: &[f32], gradient: &mut [f32]) {
    gradient.iter_mut().zip(values).for_each(|(g, value)| *g = if *value > 0.0 { *g } else { 0.0 });
}

/// Writes the gradient of `qkv`, from that of o, and adds that of the feature map's parameters.
pub(super) fn backward<S: Simd>(
    simd: S,
    call: Call<'_>,
    out: &[f32],
    out_gradient: &[f32],
    qkv_gradient: &mut [f32],
    parameters_gradient: &mut [f32],
) {
    let attention = call.attention;
    let Shape { tokens, dim, heads, head_dim, mask_dim, .. } = *call.shape;
    let (width, mask_width, columns) = (padded(head_dim), padded(mask_dim), call.shape.columns());
    let (rows, masks) = (tokens * width, tokens * mask_width);
    let each = attention.kept_len();
    let (packed, scratch) = call.scratch.split_at_mut(4 * rows + 2 * masks + tokens);
    let own = head_parameters(call.parameters.len(), heads);
    let [gradient, q, k, v, mask_q, mask_k, products] = carve(packed, [rows, rows, rows, rows, masks, masks, tokens]);
    let images = out.chunks_exact(tokens * dim).zip(out_gradient.chunks_exact(tokens * dim));
    for (image, ((out, out_gradient), into)) in images.zip(qkv_gradient.chunks_exact_mut(tokens * columns)).enumerate()
    {
        for head in 0..heads {
            let start = head * head_dim;
            pack(simd, &out_gradient[start..], dim, None, gradient, width, head_dim);
            row_products(simd, &out_gradient[start..], &out[start..], dim, head_dim, products);
            let slot = (image * heads + head) * each;
            let kept = &mut call.kept[slot..slot + each];
            let own = own(head);
            let head_gradient = HeadGradient {
                out: &mut *gradient,
                products: &mut *products,
                q: &mut *q,
                k: &mut *k,
                v: &mut *v,
                masks: QueriesKeysMut { q: &mut *mask_q, k: &mut *mask_k },
            };
            attention.backward(
                simd,
                &call.parameters[own.clone()],
                kept,
                scratch,
                head_gradient,
                &mut parameters_gradient[own],
            );
            for (part, packed) in [&*q, &*k, &*v].into_iter().enumerate() {
                unpack(simd, packed, width, head_dim, &mut into[part * dim + start..], columns);
            }
            let values = kept[3 * rows..][..2 * masks].chunks_exact(masks.max(1));
            for ((part, values), gradient) in values.enumerate().zip([&mut *mask_q, &mut *mask_k]) {
                clamp_back(values, gradient);
                let at = call.shape.mask_columns(part, head).start;
                unpack(simd, gradient, mask_width, mask_dim, &mut into[at..], columns);
            }
        }
    }
}

/// Copies the first `dim` columns of rows `stride` apart to rows of `width`, and adds `bias`.
fn pack<S: Simd>(
    simd: S,
    from: &[f32],
    stride: usize,
    bias: Option<&[f32]>,
    into: &mut [f32],
    width: usize,
    dim: usize,
) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            for (from, into) in from.chunks(stride).zip(into.chunks_exact_mut(width)) {
                for start in (0..dim).step_by(S::F32_LANES) {
                    let end = dim.min(start + S::F32_LANES);
                    let mut value = load_some(simd, &from[start..end]);
                    if let Some(bias) = bias {
                        value = simd.add_f32s(value, load_some(simd, &bias[start..end]));
                    }
                    store_some(simd, &mut into[start..end], value);
                }
            }
        },
    );
}

/// Copies the first `dim` columns of rows of `width` to rows `stride` apart.
fn unpack<S: Simd>(simd: S, from: &[f32], width: usize, dim: usize, into: &mut [f32], stride: usize) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            for (from, into) in from.chunks_exact(width).zip(into.chunks_mut(stride)) {
                for start in (0..dim).step_by(S::F32_LANES) {
                    let end = dim.min(start + S::F32_LANES);
                    store_some(simd, &mut into[start..end], load_some(simd, &from[start..end]));
                }
            }
        },
    );
}

/// Writes the products of the first `dim` columns of rows `stride` apart.
fn row_products<S: Simd>(simd: S, a: &[f32], b: &[f32], stride: usize, dim: usize, into: &mut [f32]) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            for ((a, b), into) in a.chunks(stride).zip(b.chunks(stride)).zip(into.iter_mut()) {
                let mut sum = simd.splat_f32s(0.0);
                for start in (0..dim).step_by(S::F32_LANES) {
                    let end = dim.min(start + S::F32_LANES);
                    sum = multiply_add(simd, load_some(simd, &a[start..end]), load_some(simd, &b[start..end]), sum);
                }
                *into = simd.reduce_sum_f32s(sum);
            }
        },
    );
}
