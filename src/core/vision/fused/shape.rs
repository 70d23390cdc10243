//! The sizes of a network, as the fused kernels want them.

use super::feature_map::HeadShape;
use crate::vision::config::VitConfig;
use std::ops::Range;

/// Sizes of the network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub tokens: usize,
    pub patch_dim: usize,
    pub dim: usize,
    pub depth: usize,
    pub heads: usize,
    pub head_dim: usize,
    /// Coordinates of a head's learned mask; 0 without one.
    pub mask_dim: usize,
    pub hidden: usize,
    pub classes: usize,
}

impl Shape {
    pub const fn new(config: &VitConfig) -> Self {
        Self {
            tokens: config.tokens(),
            patch_dim: config.patch_dim(),
            dim: config.dim,
            depth: config.depth,
            heads: config.heads,
            head_dim: config.head_dim(),
            mask_dim: config.mask_dim,
            hidden: config.hidden(),
            classes: config.classes,
        }
    }

    /// What the first layer of attention makes of a token: queries, keys, values, and the masks of queries and of keys.
    pub const fn columns(&self) -> usize {
        3 * self.dim + 2 * self.heads * self.mask_dim
    }

    /// Of these the masks of queries (0) or keys (1) of a head.
    pub const fn mask_columns(&self, part: usize, head: usize) -> Range<usize> {
        let start = 3 * self.dim + (part * self.heads + head) * self.mask_dim;
        start..start + self.mask_dim
    }

    /// One head.
    pub const fn head(&self) -> HeadShape {
        HeadShape { tokens: self.tokens, dim: self.head_dim, mask_dim: self.mask_dim }
    }
}
