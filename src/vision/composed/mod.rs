//! The vision transformer from differentiable candle operations: the reference for the fused kernels, on any device and
//! in the precision (f32 or f64) of the parameters it is given.

mod attention;
pub(in crate::vision) mod primitives;
mod shape;

pub use attention::{attend, weights};
pub use primitives::{LAYER_NORM_EPSILON, RELU_EPSILON, cross_entropy, layer_norm, linear, log_softmax, softmax};
pub use shape::shape;

use super::config::VitConfig;
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

/// The attention matrices of each block, `[batch, heads, tokens, tokens]`, rows summing to one.
///
/// # Errors
/// The shapes do not fit.
pub fn attention_maps(config: &VitConfig, layout: &Layout, theta: &Tensor, patches: &Tensor) -> Result<Vec<Tensor>> {
    let model = Model { config, layout, theta };
    let mut x = model.embed(patches)?;
    let mut maps = Vec::with_capacity(config.depth);
    for block in 0..config.depth {
        let (q, k, v) = model.projections(block, &x)?;
        maps.push(weights(config.attention, model.feature(block)?.as_ref(), &q, &k)?);
        x = model.finish(block, &x, &model.attend(block, &q, &k, &v)?)?;
    }
    Ok(maps)
}

/// Queries and keys of one block, `[batch, heads, tokens, head_dim]` each, as attention takes them (not scaled).
///
/// # Errors
/// The shapes do not fit.
pub fn queries_and_keys(
    config: &VitConfig,
    layout: &Layout,
    theta: &Tensor,
    patches: &Tensor,
    block: usize,
) -> Result<(Tensor, Tensor)> {
    let model = Model { config, layout, theta };
    let mut x = model.embed(patches)?;
    for before in 0..block {
        let (q, k, v) = model.projections(before, &x)?;
        x = model.finish(before, &x, &model.attend(before, &q, &k, &v)?)?;
    }
    let (q, k, _) = model.projections(block, &x)?;
    Ok((q, k))
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
