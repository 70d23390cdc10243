//! Which models can be tested, and the small one that is trained where none is named.

use crate::vision::{Attention, AttentionKernel, BlockSet, VitConfig};

/// Layers of the small model.
pub(super) const DEPTH: usize = 2;

/// The small model of digits.
pub(super) fn small() -> VitConfig {
    VitConfig {
        channels: 1,
        image_size: 8,
        patch: 2,
        dim: 32,
        depth: DEPTH,
        heads: 2,
        mlp_ratio: 2,
        classes: 10,
        attention: Attention::Kernel(AttentionKernel::Softmax),
        softmax_blocks: BlockSet::NONE,
        mask_dim: 0,
    }
}

/// Whether a model that attends so can be compared with exact softmax attention on the same weights.
pub(super) fn is_comparable(attention: Attention) -> bool {
    attention.is_softmax() || attention.favor().is_some()
}
