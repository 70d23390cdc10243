//! The shape of a vision transformer.

use super::kernel::{Attention, AttentionKernel};
use std::fmt;

/// A vision transformer: patch embedding, learned positions, pre-norm blocks, mean pooling, linear head.
#[derive(Clone, Debug, PartialEq)]
pub struct VitConfig {
    /// Colour channels of an image.
    pub channels: usize,
    /// Height and width of an image in pixels.
    pub image_size: usize,
    /// Height and width of a patch in pixels; divides the image size.
    pub patch: usize,
    /// Width of the residual stream.
    pub dim: usize,
    /// Number of blocks.
    pub depth: usize,
    /// Heads per block; divides `dim`.
    pub heads: usize,
    /// Width of the MLP's hidden layer over `dim`.
    pub mlp_ratio: usize,
    /// Number of classes.
    pub classes: usize,
    /// How the blocks attend.
    pub attention: Attention,
    /// Blocks that attend by softmax, whatever the others do; none in a model that is trained from the start.
    pub softmax_blocks: BlockSet,
    /// Coordinates of the mask that every head learns, which multiplies its kernel by relu(v_q)·relu(v_k) + 0.001; 0 without a
    /// mask. Softmax attention takes one, and random features whose estimates are positive.
    pub mask_dim: usize,
}

/// Some of the blocks of a model, counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockSet(u128);

impl BlockSet {
    /// Most blocks that a model has.
    pub const MOST: usize = u128::BITS as usize;

    /// No block.
    pub const NONE: Self = Self(0);

    /// These and `block`, where a model can have so many.
    #[must_use]
    pub const fn with(self, block: usize) -> Self {
        if block < Self::MOST { Self(self.0 | 1 << block) } else { self }
    }

    /// Whether `block` is among them.
    #[must_use]
    pub const fn contains(self, block: usize) -> bool {
        block < Self::MOST && self.0 >> block & 1 == 1
    }
}

/// A shape that does not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The patch does not divide the image.
    #[error("a patch of {patch} pixels does not divide an image of {image_size} pixels")]
    Patch {
        /// Patch size.
        patch: usize,
        /// Image size.
        image_size: usize,
    },
    /// The heads do not divide the width.
    #[error("{heads} heads do not divide a width of {dim}")]
    Heads {
        /// Number of heads.
        heads: usize,
        /// Width.
        dim: usize,
    },
    /// A typed feature map uses u and p, but its projection has another number of rows.
    #[error("a function of both u and p needs as many features of the projection as a head has coordinates, {0}")]
    Uneven(usize),
    /// The attention takes no mask.
    #[error("a learned mask goes with softmax, and with favor of positive, hyperbolic or gerf features")]
    Mask,
    /// A mask has more coordinates than there are projections.
    #[error("a mask of {mask_dim} coordinates needs at least {} projections: one for each, and one for the constant 0.001", mask_dim + 1)]
    Strata {
        /// Coordinates of the mask.
        mask_dim: usize,
    },
    /// Random features have no projections for heads of this width.
    #[error("{0}")]
    Projection(String),
    /// A size is zero.
    #[error("{0} is zero")]
    Zero(&'static str),
}

impl VitConfig {
    /// Checks that the sizes fit together.
    ///
    /// # Errors
    /// Says which do not.
    pub fn check(&self) -> Result<(), ConfigError> {
        let sizes = [
            ("channels", self.channels),
            ("image size", self.image_size),
            ("patch", self.patch),
            ("dim", self.dim),
            ("depth", self.depth),
            ("heads", self.heads),
            ("mlp ratio", self.mlp_ratio),
            ("classes", self.classes),
        ];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(ConfigError::Zero(name));
        }
        if !self.image_size.is_multiple_of(self.patch) {
            return Err(ConfigError::Patch { patch: self.patch, image_size: self.image_size });
        }
        if !self.dim.is_multiple_of(self.heads) {
            return Err(ConfigError::Heads { heads: self.heads, dim: self.dim });
        }
        if self.attention.typed().is_some_and(|map| map.is_uneven(self.head_dim())) {
            return Err(ConfigError::Uneven(self.head_dim()));
        }
        if self.mask_dim > 0 {
            match self.attention {
                Attention::Kernel(AttentionKernel::Softmax) => {}
                Attention::Favor(map) if map.takes_masks() => {
                    if map.m() <= self.mask_dim {
                        return Err(ConfigError::Strata { mask_dim: self.mask_dim });
                    }
                }
                _ => return Err(ConfigError::Mask),
            }
        }
        match self.attention.favor().map(|map| map.projection().check_dim(self.head_dim())) {
            Some(Err(error)) => Err(ConfigError::Projection(error.to_string())),
            _ => Ok(()),
        }
    }

    /// Number of parameters apart from those of learned feature maps, none where it overflows: for sizes from outside, before
    /// anything is made of them.
    #[must_use]
    pub fn least_parameters(&self) -> Option<usize> {
        let linear = |input: usize, output: usize| input.checked_mul(output)?.checked_add(output);
        let sum = |parts: &[Option<usize>]| parts.iter().try_fold(0_usize, |sum, part| sum.checked_add((*part)?));
        let (dim, hidden) = (self.dim, self.dim.checked_mul(self.mlp_ratio)?);
        let side = self.image_size / self.patch;
        let patch_dim = self.channels.checked_mul(self.patch)?.checked_mul(self.patch)?;
        let block = sum(&[
            dim.checked_mul(4),
            linear(dim, dim.checked_mul(3)?),
            linear(dim, self.heads.checked_mul(self.mask_dim)?.checked_mul(2)?),
            linear(dim, dim),
            linear(dim, hidden),
            linear(hidden, dim),
        ]);
        sum(&[
            linear(patch_dim, dim),
            side.checked_mul(side)?.checked_mul(dim),
            block?.checked_mul(self.depth),
            dim.checked_mul(2),
            linear(dim, self.classes),
        ])
    }

    /// Number of parameters; the sizes are known to be sane.
    #[must_use]
    pub fn parameters(&self) -> usize {
        let sum = self.least_parameters().and_then(|least| least.checked_add(self.feature_parameters()?));
        sum.unwrap_or(usize::MAX)
    }

    /// Number of parameters of the feature maps in all heads, drawn projections included; none where it overflows.
    #[must_use]
    pub fn feature_parameters(&self) -> Option<usize> {
        let blocks = (0..self.depth).filter(|block| !self.softmax_blocks.contains(*block)).count();
        self.attention.parameters(self.head_dim())?.checked_mul(self.heads)?.checked_mul(blocks)
    }

    /// How block `block` attends.
    #[must_use]
    pub fn attention_of(&self, block: usize) -> Attention {
        if self.softmax_blocks.contains(block) { Attention::Kernel(AttentionKernel::Softmax) } else { self.attention }
    }

    /// Tokens per image: its patches.
    #[must_use]
    pub const fn tokens(&self) -> usize {
        let side = self.image_size / self.patch;
        side * side
    }

    /// Numbers per patch.
    #[must_use]
    pub const fn patch_dim(&self) -> usize {
        self.channels * self.patch * self.patch
    }

    /// Width of a head.
    #[must_use]
    pub const fn head_dim(&self) -> usize {
        self.dim / self.heads
    }

    /// Width of the MLP's hidden layer.
    #[must_use]
    pub const fn hidden(&self) -> usize {
        self.dim * self.mlp_ratio
    }

    /// Multiply-adds of one image's forward pass.
    #[must_use]
    pub fn multiply_adds(&self) -> f64 {
        let [tokens, dim, hidden] = [self.tokens(), self.dim, self.hidden()].map(|size| size as f64);
        let attention = |attention| match attention {
            Attention::Kernel(AttentionKernel::Softmax) => 2.0 * tokens * dim,
            Attention::Kernel(kernel) => 2.0 * kernel.features(self.head_dim()) as f64 * dim,
            Attention::Typed(map) => 2.0 * map.features(self.head_dim()) as f64 * dim,
            Attention::Favor(map) => 3.0 * map.features() as f64 * dim,
        };
        let block = |block| 4.0 * dim * dim + 2.0 * dim * hidden + attention(self.attention_of(block));
        tokens * (self.patch_dim() as f64 * dim + (0..self.depth).map(block).sum::<f64>())
    }
}

impl fmt::Display for VitConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channels, image_size, patch, dim, depth, heads, mlp_ratio, classes, attention, .. } = self;
        write!(
            f,
            "{attention}, images {image_size}×{image_size}×{channels}, patch {patch}, dim {dim}, depth {depth}, heads \
             {heads}, mlp_ratio {mlp_ratio}, {classes} classes"
        )
    }
}
