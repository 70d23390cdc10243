//! No mixing: o_i = v_i. Queries and keys are packed like those of any attention, and have no gradient.

use super::feature_map::HeadShape;
use super::head::{HeadAttention, HeadGradient};
use super::register::padded;
use pulp::Simd;

/// Each token keeps its value.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct IdentityAttention {
    /// Numbers of the values, `[tokens, width]`.
    values: usize,
}

impl IdentityAttention {
    pub const fn new(shape: HeadShape) -> Self {
        Self { values: shape.tokens * padded(shape.dim) }
    }
}

impl HeadAttention for IdentityAttention {
    fn kept_len(&self) -> usize {
        3 * self.values
    }

    fn scratch_len(&self) -> usize {
        0
    }

    fn forward<S: Simd>(&self, _: S, _: &[f32], kept: &mut [f32], _: &mut [f32], out: &mut [f32]) {
        out.copy_from_slice(&kept[2 * self.values..3 * self.values]);
    }

    fn backward<S: Simd>(
        &self,
        _: S,
        _: &[f32],
        _: &mut [f32],
        _: &mut [f32],
        gradient: HeadGradient<'_>,
        _: &mut [f32],
    ) {
        gradient.q.fill(0.0);
        gradient.k.fill(0.0);
        gradient.v.copy_from_slice(gradient.out);
    }
}
