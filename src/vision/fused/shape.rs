//! The sizes of a network, as the fused kernels want them.

use crate::vision::config::VitConfig;

/// Sizes of the network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub tokens: usize,
    pub patch_dim: usize,
    pub dim: usize,
    pub depth: usize,
    pub heads: usize,
    pub head_dim: usize,
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
            hidden: config.hidden(),
            classes: config.classes,
        }
    }
}
