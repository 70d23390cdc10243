//! Where each trainable tensor lies in the flat parameter vector θ.
//!
//! All parameters of a model are one f32 vector, owned by candle; every tensor is a named view of it. The optimiser and
//! the fused operations then work on one contiguous buffer, and checkpoints are written by name.
//!
//! Names and shapes (weights are `[out, in]`: y = x Wᵀ + b):
//!
//! | name | shape |
//! |---|---|
//! | `patch.weight`, `patch.bias` | `[dim, channels·patch²]`, `[dim]` |
//! | `position` | `[tokens, dim]` |
//! | `blocks.N.norm1.weight`, `.bias`, `blocks.N.norm2.weight`, `.bias` | `[dim]` |
//! | `blocks.N.attention.qkv.weight`, `.bias` (rows: queries, keys, values; heads contiguous) | `[3·dim, dim]`, `[3·dim]` |
//! | `blocks.N.attention.mask.weight`, `.bias`, with a learned mask only (rows: queries, keys; heads contiguous) | `[2·heads·mask_dim, dim]`, `[2·heads·mask_dim]` |
//! | `blocks.N.attention.feature`, of random features only: what is drawn, one row per head, see [`FavorMap`](super::FavorMap) | `[heads, …]` |
//! | `blocks.N.attention.feature`, of learned kernels only: one row per head, see [`feature_start`](super::Attention::feature_start) | `[heads, …]` |
//! | `blocks.N.attention.out.weight`, `.bias` | `[dim, dim]`, `[dim]` |
//! | `blocks.N.mlp.up.weight`, `.bias`, `blocks.N.mlp.down.weight`, `.bias` | `[hidden, dim]`, … |
//! | `norm.weight`, `norm.bias` | `[dim]` |
//! | `head.weight`, `head.bias` | `[classes, dim]`, `[classes]` |

use super::config::VitConfig;
use super::kernel::Attention;
use std::ops::Range;

/// How a tensor starts.
#[derive(Clone, Debug, PartialEq)]
pub enum Init {
    /// All zero.
    Zeros,
    /// All one.
    Ones,
    /// Normal with this standard deviation.
    Normal(f32),
    /// Uniform in ±bound.
    Uniform(f32),
    /// These values in each row.
    Rows(Vec<f32>),
    /// What random features draw, which is not learned: zero until it is drawn.
    Drawn,
}

/// One named tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct LayoutEntry {
    /// Its name in checkpoints.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Where it begins in θ.
    pub offset: usize,
    /// Whether weight decay applies (matrices: yes; biases, norms, positions: no).
    pub decay: bool,
    /// How it starts.
    pub init: Init,
}

impl LayoutEntry {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is drawn, and not learned.
    #[must_use]
    pub const fn is_drawn(&self) -> bool {
        matches!(self.init, Init::Drawn)
    }

    /// Whether it holds the parameters of learned feature maps.
    #[must_use]
    pub const fn is_feature_map(&self) -> bool {
        matches!(self.init, Init::Rows(_))
    }

    /// Its place in θ.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.len()
    }
}

/// The name of the tensor of a block's feature maps.
pub(super) fn feature_name(block: usize) -> String {
    format!("blocks.{block}.attention.feature")
}

/// All tensors of a model, in order, without gaps.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    entries: Vec<LayoutEntry>,
    len: usize,
}

impl Layout {
    /// The layout of a model.
    #[must_use]
    pub fn new(config: &VitConfig) -> Self {
        let mut layout = Self { entries: Vec::new(), len: 0 };
        let (dim, hidden) = (config.dim, config.hidden());
        layout.linear("patch", dim, config.patch_dim());
        layout.push("position", &[config.tokens(), dim], false, Init::Normal(0.02));
        for block in 0..config.depth {
            layout.norm(&format!("blocks.{block}.norm1"), dim);
            // Layers of one input lie side by side, so that they are one to the fused kernels.
            let (qkv, mask) = (format!("blocks.{block}.attention.qkv"), format!("blocks.{block}.attention.mask"));
            let mut first = vec![(qkv, 3 * dim)];
            first.extend((config.mask_dim > 0).then_some((mask, 2 * config.heads * config.mask_dim)));
            layout.linear_side_by_side(&first, dim);
            let attention = config.attention_of(block);
            let init = match attention {
                Attention::Favor(_) => Init::Drawn,
                _ => Init::Rows(attention.feature_start(config.head_dim())),
            };
            if let Some(len @ 1..) = attention.parameters(config.head_dim()) {
                layout.push(&feature_name(block), &[config.heads, len], false, init);
            }
            layout.linear(&format!("blocks.{block}.attention.out"), dim, dim);
            layout.norm(&format!("blocks.{block}.norm2"), dim);
            layout.linear(&format!("blocks.{block}.mlp.up"), hidden, dim);
            layout.linear(&format!("blocks.{block}.mlp.down"), dim, hidden);
        }
        layout.norm("norm", dim);
        layout.linear("head", config.classes, dim);
        layout
    }

    /// Every tensor, in order.
    #[must_use]
    pub fn entries(&self) -> &[LayoutEntry] {
        &self.entries
    }

    /// The tensor called `name`.
    ///
    /// # Panics
    /// There is none of that name: a mistake in the program.
    #[must_use]
    pub fn entry(&self, name: &str) -> &LayoutEntry {
        self.entries.iter().find(|entry| entry.name == name).unwrap_or_else(|| panic!("no tensor called `{name}`"))
    }

    /// Number of parameters.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Number of parameters that are learned.
    #[must_use]
    pub fn learned(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.is_drawn()).map(LayoutEntry::len).sum()
    }

    /// Whether there are no parameters.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn push(&mut self, name: &str, shape: &[usize], decay: bool, init: Init) {
        let entry = LayoutEntry { name: name.to_owned(), shape: shape.to_vec(), offset: self.len, decay, init };
        self.len += entry.len();
        self.entries.push(entry);
    }

    fn linear(&mut self, name: &str, out: usize, input: usize) {
        self.linear_side_by_side(&[(name.to_owned(), out)], input);
    }

    /// PyTorch's default for linear layers of one input: weight and bias uniform in ±1/√in. All weights stand before all
    /// biases.
    fn linear_side_by_side(&mut self, layers: &[(String, usize)], input: usize) {
        let bound = 1.0 / (input as f32).sqrt();
        for (name, out) in layers {
            self.push(&format!("{name}.weight"), &[*out, input], true, Init::Uniform(bound));
        }
        for (name, out) in layers {
            self.push(&format!("{name}.bias"), &[*out], false, Init::Uniform(bound));
        }
    }

    fn norm(&mut self, name: &str, dim: usize) {
        self.push(&format!("{name}.weight"), &[dim], false, Init::Ones);
        self.push(&format!("{name}.bias"), &[dim], false, Init::Zeros);
    }
}
