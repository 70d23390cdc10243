//! A model of the built-in digits that is small enough for a test.

use attnlab::vision::{Attention, BlockSet, VitConfig};

/// Sixteen tokens of width 16, two heads, `depth` blocks.
pub fn digits_config(attention: Attention, depth: usize) -> VitConfig {
    VitConfig {
        channels: 1,
        image_size: 8,
        patch: 2,
        dim: 16,
        depth,
        heads: 2,
        mlp_ratio: 2,
        classes: 10,
        attention,
        softmax_blocks: BlockSet::NONE,
        mask_dim: 0,
    }
}
