//! Attention over one head of one image, as every attention kernel provides it.

use super::feature_map::QueriesKeysMut;
use pulp::Simd;

/// Attention over one head. What is kept for backward begins with the packed q, k, v, `[tokens, width]` each; with a learned
/// mask its coordinates for queries and for keys follow, which are not negative, `[tokens, mask_width]` each.
pub(in crate::vision) trait HeadAttention {
    /// Numbers kept for backward.
    fn kept_len(&self) -> usize;

    /// Numbers needed for the time of a call.
    fn scratch_len(&self) -> usize;

    /// Denominators that are not above 0 among the rows of the last forward pass over `kept`.
    fn not_positive(&self, _kept: &mut [f32]) -> usize {
        0
    }

    /// Writes o `[tokens, width]`; `parameters` are those of the head's feature map.
    fn forward<S: Simd>(&self, simd: S, parameters: &[f32], kept: &mut [f32], scratch: &mut [f32], out: &mut [f32]);

    /// Writes the gradients of q, k and v and adds that of the parameters.
    fn backward<S: Simd>(
        &self,
        simd: S,
        parameters: &[f32],
        kept: &mut [f32],
        scratch: &mut [f32],
        gradient: HeadGradient<'_>,
        parameters_gradient: &mut [f32],
    );
}

/// Gradients of one head.
pub(in crate::vision) struct HeadGradient<'a> {
    /// ∂L/∂o `[tokens, width]`; may be overwritten.
    pub out: &'a mut [f32],
    /// ∂L/∂o_i · o_i for each token; may be overwritten.
    pub products: &'a mut [f32],
    /// ∂L/∂q, to be written.
    pub q: &'a mut [f32],
    /// ∂L/∂k, to be written.
    pub k: &'a mut [f32],
    /// ∂L/∂v, to be written.
    pub v: &'a mut [f32],
    /// The gradient of the masks of queries and keys, to be written; empty without a mask.
    pub masks: QueriesKeysMut<'a>,
}

/// Cuts a buffer into pieces of these lengths.
pub(in crate::vision) fn carve<const N: usize>(mut buffer: &mut [f32], lengths: [usize; N]) -> [&mut [f32]; N] {
    lengths.map(|length| {
        let (piece, rest) = std::mem::take(&mut buffer).split_at_mut(length);
        buffer = rest;
        piece
    })
}
