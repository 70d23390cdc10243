//! How a block attends: by a kernel of the table, by a feature map that the user typed, or by random features.

use super::favor::FavorMap;
use super::linear::{HeadSide, Mapped};
use super::typed::TypedMap;
use super::{AttentionKernel, FAVOR, TYPED};
use candle_core::{Result, Tensor};
use std::fmt;

/// How a block attends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Attention {
    /// A kernel of the table.
    Kernel(AttentionKernel),
    /// A feature map that the user typed.
    Typed(TypedMap),
    /// Softmax attention estimated by random features.
    Favor(FavorMap),
}

impl From<AttentionKernel> for Attention {
    fn from(kernel: AttentionKernel) -> Self {
        Self::Kernel(kernel)
    }
}

impl Attention {
    /// Whether attention is exact, and quadratic in the number of tokens.
    #[must_use]
    pub fn is_softmax(self) -> bool {
        self == Self::Kernel(AttentionKernel::Softmax)
    }

    /// Whether tokens are not mixed at all.
    #[must_use]
    pub fn is_identity(self) -> bool {
        self == Self::Kernel(AttentionKernel::Identity)
    }

    /// Whether features of a token depend on its place in the sequence.
    pub(in crate::vision) fn knows_places(self) -> bool {
        self == Self::Kernel(AttentionKernel::CosFormer)
    }

    /// The name in parameters and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kernel(kernel) => kernel.name(),
            Self::Typed(_) => TYPED.name,
            Self::Favor(_) => FAVOR.name,
        }
    }

    /// The typed feature map, where it is one that is learned.
    #[must_use]
    pub const fn typed(self) -> Option<TypedMap> {
        match self {
            Self::Typed(map) => Some(map),
            Self::Kernel(_) | Self::Favor(_) => None,
        }
    }

    /// The random features, where it attends by them.
    #[must_use]
    pub const fn favor(self) -> Option<FavorMap> {
        match self {
            Self::Favor(map) => Some(map),
            Self::Kernel(_) | Self::Typed(_) => None,
        }
    }

    /// Numbers of one head's feature map, learned or drawn, for heads of width `head_dim`; none where it overflows.
    #[must_use]
    pub fn parameters(self, head_dim: usize) -> Option<usize> {
        match self {
            Self::Kernel(kernel) => Some(kernel.feature_start(head_dim).len()),
            Self::Typed(map) => map.parameters(head_dim),
            Self::Favor(map) => map.parameters(head_dim),
        }
    }

    /// The learned parameters of one head's feature map as they start, for heads of width `head_dim`; none for fixed maps and
    /// for random features, which are drawn. They are a row of `blocks.N.attention.feature`: see
    /// [`AttentionKernel::feature_start`]; of a typed map the learned scalars in the order of the text (θ with log(1 + e^θ) for
    /// one that is kept positive), then W by rows and b where it uses p.
    #[must_use]
    pub fn feature_start(self, head_dim: usize) -> Vec<f32> {
        match self {
            Self::Kernel(kernel) => kernel.feature_start(head_dim),
            Self::Typed(map) => map.start(head_dim),
            Self::Favor(_) => Vec::new(),
        }
    }

    /// What the other coordinates are while the feature map is shown along one axis.
    pub(in crate::vision) const fn rest(self) -> f32 {
        match self {
            Self::Kernel(kernel) => kernel.rest(),
            Self::Typed(_) | Self::Favor(_) => 0.0,
        }
    }

    /// What the composed feature map makes of the queries or keys `x` `[batch, heads, tokens, head_dim]`, given its parameters
    /// `[heads, …]` where it has any, and their mask `[batch, heads, tokens, mask_dim]` where there is one; none for softmax and the identity.
    pub(in crate::vision) fn map(
        self,
        x: &Tensor,
        parameters: Option<&Tensor>,
        side: HeadSide,
        mask: Option<&Tensor>,
    ) -> Result<Option<Mapped>> {
        match self {
            Self::Kernel(kernel) => kernel.map(x, parameters),
            Self::Typed(map) => map.composed(x, parameters).map(Some),
            Self::Favor(map) => map.composed(x, parameters, side, mask).map(Some),
        }
    }
}

impl fmt::Display for Attention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(kernel) => kernel.fmt(f),
            Self::Typed(map) => write!(f, "{} f(u) = {}", TYPED.name, map.function()),
            Self::Favor(map) => write!(f, "{} {map}", FAVOR.name),
        }
    }
}
