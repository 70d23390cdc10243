//! The vision transformer from differentiable candle operations: the reference for the fused kernels, on any device and
//! in the precision (f32 or f64) of the parameters it is given.

mod attention;
pub(in crate::vision) mod primitives;
mod shape;

pub use attention::{attend, weights};
pub use primitives::{LAYER_NORM_EPSILON, RELU_EPSILON, cross_entropy, layer_norm, linear, log_softmax, softmax};
pub use shape::shape;

use super::config::VitConfig;
use super::kernel::{Attention, AttentionKernel};
use super::layout::Layout;
use super::parameters::view;
use candle_core::{Result, Tensor};

/// Logits `[batch, classes]` of `patches` `[batch, tokens, patch_dim]` under the flat parameters `theta`; gradients flow
/// to `theta`.
///
/// # Errors
/// The shapes do not fit.
pub fn logits(config: &VitConfig, layout: &Layout, theta: &Tensor, patches: &Tensor) -> Result<Tensor> {
    let model = Model { config, layout, theta };
    let mut x = model.embed(patches)?;
    for block in 0..config.depth {
        let (q, k, v) = model.projections(block, &x)?;
        x = model.finish(block, &x, &model.attend(block, &q, &k, &v)?)?;
    }
    let pooled = model.norm("norm", &x)?.mean(1)?;
    model.linear("head", &pooled)
}

/// The attention matrix of each block, mean over heads, `[tokens, tokens]` by rows that sum to one, for one image; each goes to
/// `see` as it is made, and no more than one head's is in memory beside it.
///
/// # Errors
/// The shapes do not fit, or `patches` is not one image.
pub fn mean_attention(
    config: &VitConfig,
    layout: &Layout,
    theta: &Tensor,
    patches: &Tensor,
    mut see: impl FnMut(usize, Vec<f32>),
) -> Result<()> {
    let model = Model { config, layout, theta };
    let mut x = model.embed(patches)?;
    for block in 0..config.depth {
        let (q, k, v) = model.projections(block, &x)?;
        let feature = model.feature(block)?;
        let mut mean = vec![0.0; config.tokens() * config.tokens()];
        let mut attended = Vec::new();
        for head in 0..config.heads {
            let own = |all: &Tensor, axis| all.narrow(axis, head, 1)?.contiguous();
            let feature = feature.as_ref().map(|feature| own(feature, 0)).transpose()?;
            let weights = weights(config.attention, feature.as_ref(), &own(&q, 1)?, &own(&k, 1)?)?;
            if config.attention.is_softmax() {
                attended.push(weights.matmul(&own(&v, 1)?)?);
            }
            let weights: Vec<f32> = weights.flatten_all()?.to_vec1()?;
            mean.iter_mut().zip(weights).for_each(|(mean, weight)| *mean += weight / config.heads as f32);
        }
        let attended =
            if config.attention.is_softmax() { Tensor::cat(&attended, 1)? } else { model.attend(block, &q, &k, &v)? };
        x = model.finish(block, &x, &attended)?;
        see(block, mean);
    }
    Ok(())
}

/// Numbers that training holds per image at its peak: what the operations of [`logits`] keep for the backward pass, and what that
/// pass holds at a time.
pub(super) fn kept_len(config: &VitConfig) -> usize {
    let (tokens, dim, hidden) = (config.tokens(), config.dim, config.hidden());
    let scores = config.heads * tokens * tokens;
    // As measured: matrices of scores that a block keeps, and those that the backward pass of one block holds at a time.
    let (attention, backward) = match config.attention {
        Attention::Kernel(AttentionKernel::Softmax) => (7 * scores + 2 * tokens * dim, 10 * scores),
        Attention::Kernel(_) => (20 * tokens * dim, 0),
        // Every step of the function keeps its value, twice where it broadcasts.
        Attention::Typed(map) => {
            let features = config.heads * map.features(config.head_dim());
            ((18 + 4 * map.function().features().steps.len()) * tokens * features.max(dim), 0)
        }
    };
    config.depth * (26 * tokens * dim + 3 * tokens * hidden + attention) + 8 * tokens * dim + backward
}

/// Queries, keys and values of one block, `[batch, heads, tokens, head_dim]` each, as attention takes them (not scaled).
///
/// # Errors
/// The shapes do not fit.
pub fn attention_inputs(
    config: &VitConfig,
    layout: &Layout,
    theta: &Tensor,
    patches: &Tensor,
    block: usize,
) -> Result<[Tensor; 3]> {
    let model = Model { config, layout, theta };
    let mut x = model.embed(patches)?;
    for before in 0..block {
        let (q, k, v) = model.projections(before, &x)?;
        x = model.finish(before, &x, &model.attend(before, &q, &k, &v)?)?;
    }
    let (q, k, v) = model.projections(block, &x)?;
    Ok([q, k, v])
}

struct Model<'a> {
    config: &'a VitConfig,
    layout: &'a Layout,
    theta: &'a Tensor,
}

impl Model<'_> {
    fn view(&self, name: &str) -> Result<Tensor> {
        view(self.layout, self.theta, name)
    }

    fn linear(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        linear(x, &self.view(&format!("{name}.weight"))?, &self.view(&format!("{name}.bias"))?)
    }

    fn norm(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        layer_norm(x, &self.view(&format!("{name}.weight"))?, &self.view(&format!("{name}.bias"))?)
    }

    /// Patches to tokens `[batch, tokens, dim]` with their positions.
    fn embed(&self, patches: &Tensor) -> Result<Tensor> {
        self.linear("patch", patches)?.broadcast_add(&self.view("position")?)
    }

    /// Queries, keys and values of a block, `[batch, heads, tokens, head_dim]` each.
    fn projections(&self, block: usize, x: &Tensor) -> Result<(Tensor, Tensor, Tensor)> {
        let (batch, tokens, _) = x.dims3()?;
        let normed = self.norm(&format!("blocks.{block}.norm1"), x)?;
        let qkv = self
            .linear(&format!("blocks.{block}.attention.qkv"), &normed)?
            .reshape((batch, tokens, 3, self.config.heads, self.config.head_dim()))?
            .permute((2, 0, 3, 1, 4))?
            .contiguous()?;
        Ok((qkv.get(0)?, qkv.get(1)?, qkv.get(2)?))
    }

    /// The parameters of a block's feature maps, `[heads, …]`, where the kernel has any.
    fn feature(&self, block: usize) -> Result<Option<Tensor>> {
        if self.config.attention.feature_start(self.config.head_dim()).is_empty() {
            return Ok(None);
        }
        self.view(&format!("blocks.{block}.attention.feature")).map(Some)
    }

    fn attend(&self, block: usize, q: &Tensor, k: &Tensor, v: &Tensor) -> Result<Tensor> {
        attend(self.config.attention, self.feature(block)?.as_ref(), q, k, v)
    }

    /// What follows attention in a block: output projection, residual, MLP.
    fn finish(&self, block: usize, x: &Tensor, attended: &Tensor) -> Result<Tensor> {
        let merged = attended.transpose(1, 2)?.reshape(x.shape())?;
        let x = (x + self.linear(&format!("blocks.{block}.attention.out"), &merged)?)?;
        let normed = self.norm(&format!("blocks.{block}.norm2"), &x)?;
        let hidden = self.linear(&format!("blocks.{block}.mlp.up"), &normed)?.gelu_erf()?;
        &x + self.linear(&format!("blocks.{block}.mlp.down"), &hidden)?
    }
}
