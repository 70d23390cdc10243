//! The vision transformer from differentiable candle operations: the reference for the fused kernels, on any device and
//! in the precision (f32 or f64) of the parameters it is given.

mod attention;
pub(in crate::vision) mod primitives;
mod shape;

pub use attention::{AttentionInputs, attend, weights};
pub use primitives::{LAYER_NORM_EPSILON, RELU_EPSILON, cross_entropy, layer_norm, linear, log_softmax, softmax};
pub use shape::shape;

use super::config::VitConfig;
use super::kernel::{Attention, AttentionKernel};
use super::layout::{Layout, feature_name};
use super::parameters::view;
use super::precision::Precision;
use candle_core::{Result, Tensor};
use primitives::linear_in;

/// Logits `[batch, classes]` of `patches` `[batch, tokens, patch_dim]` under the flat parameters `theta`; gradients flow
/// to `theta`.
///
/// # Errors
/// The shapes do not fit.
pub fn logits(config: &VitConfig, layout: &Layout, theta: &Tensor, patches: &Tensor) -> Result<Tensor> {
    ComposedVit { config, layout, theta, precision: Precision::F32 }.logits(patches)
}

/// What one looks at in a block for one image: matrices `[tokens, tokens]` by rows, means over its heads.
pub struct BlockView {
    /// The attention matrix, whose rows sum to one.
    pub attention: Vec<f32>,
    /// What the learned masks multiply the kernel by; none without masks.
    pub mask: Option<Vec<f32>>,
}

/// Numbers that training holds per image at its peak: what the operations of [`logits`] keep for the backward pass, and what that
/// pass holds at a time.
pub(super) fn kept_len(config: &VitConfig) -> usize {
    let (tokens, dim, hidden) = (config.tokens(), config.dim, config.hidden());
    let scores = config.heads * tokens * tokens;
    // As measured: matrices of scores that a block keeps, and those that the backward pass of one block holds at a time.
    let (attention, backward) = match config.attention {
        Attention::Kernel(AttentionKernel::Softmax) => (7 * scores + 2 * tokens * dim, 10 * scores),
        Attention::Kernel(AttentionKernel::Identity) => (0, 0),
        // Twice the features of the others, and what they are made of.
        Attention::Kernel(AttentionKernel::CosFormer) => (34 * tokens * dim, 0),
        Attention::Kernel(_) => (20 * tokens * dim, 0),
        // Every step of the function keeps its value, twice where it broadcasts.
        Attention::Typed(map) => {
            let features = config.heads * map.features(config.head_dim());
            ((18 + 4 * map.function().features().steps.len()) * tokens * features.max(dim), 0)
        }
        Attention::Favor(map) => (24 * tokens * (config.heads * map.features()).max(dim), 0),
    };
    let masks = if config.mask_dim > 0 { 6 * scores + 8 * config.heads * tokens * config.mask_dim } else { 0 };
    config.depth * (26 * tokens * dim + 3 * tokens * hidden + attention + masks) + 8 * tokens * dim + backward
}

/// The model: its parameters where they lie, and how products are computed.
pub(super) struct ComposedVit<'a> {
    pub config: &'a VitConfig,
    pub layout: &'a Layout,
    /// θ, on any device.
    pub theta: &'a Tensor,
    pub precision: Precision,
}

impl ComposedVit<'_> {
    /// See [`logits`].
    pub fn logits(&self, patches: &Tensor) -> Result<Tensor> {
        let mut x = self.embed(patches)?;
        for block in 0..self.config.depth {
            let inputs = self.projections(block, &x)?;
            x = self.finish(block, &x, &self.attend(block, &inputs)?)?;
        }
        let pooled = self.norm("norm", &x)?.mean(1)?;
        self.linear("head", &pooled)
    }

    /// Shows `see` each block for one image as it is made; no more than one head's matrices are in memory beside the means.
    pub fn look(&self, patches: &Tensor, mut see: impl FnMut(usize, BlockView)) -> Result<()> {
        let config = self.config;
        let mut x = self.embed(patches)?;
        for block in 0..config.depth {
            let inputs = self.projections(block, &x)?;
            let (feature, attention) = (self.feature(block)?, config.attention_of(block));
            let zeros = || vec![0.0; config.tokens() * config.tokens()];
            let mut view = BlockView { attention: zeros(), mask: inputs.masks.is_some().then(zeros) };
            let add = |mean: &mut [f32], matrix: Tensor| {
                let values: Vec<f32> = matrix.flatten_all()?.to_vec1()?;
                mean.iter_mut().zip(values).for_each(|(mean, value)| *mean += value / config.heads as f32);
                Ok::<_, candle_core::Error>(())
            };
            let mut attended = Vec::new();
            for head in 0..config.heads {
                let feature = feature.as_ref().map(|feature| feature.narrow(0, head, 1)?.contiguous()).transpose()?;
                let inputs = inputs.head(head)?;
                let weights = inputs.weights(attention, feature.as_ref())?;
                if attention.is_softmax() {
                    attended.push(self.precision.product(&weights, &inputs.values)?);
                }
                add(&mut view.attention, weights)?;
                if let (Some(mask), Some(gates)) = (&mut view.mask, inputs.gates()?) {
                    add(mask, gates)?;
                }
            }
            let attended =
                if attention.is_softmax() { Tensor::cat(&attended, 1)? } else { self.attend(block, &inputs)? };
            x = self.finish(block, &x, &attended)?;
            see(block, view);
        }
        Ok(())
    }

    /// What attention of one block is computed from.
    pub fn attention_inputs(&self, patches: &Tensor, block: usize) -> Result<AttentionInputs> {
        let mut x = self.embed(patches)?;
        for before in 0..block {
            let inputs = self.projections(before, &x)?;
            x = self.finish(before, &x, &self.attend(before, &inputs)?)?;
        }
        self.projections(block, &x)
    }

    /// What attention of every block is computed from, with its output `[batch, heads, tokens, head_dim]`.
    pub fn blocks(&self, patches: &Tensor) -> Result<Vec<(AttentionInputs, Tensor)>> {
        let mut x = self.embed(patches)?;
        let mut blocks = Vec::with_capacity(self.config.depth);
        for block in 0..self.config.depth {
            let inputs = self.projections(block, &x)?;
            let attended = self.attend(block, &inputs)?;
            x = self.finish(block, &x, &attended)?;
            blocks.push((inputs, attended));
        }
        Ok(blocks)
    }

    fn view(&self, name: &str) -> Result<Tensor> {
        view(self.layout, self.theta, name)
    }

    fn linear(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        linear_in(self.precision, x, &self.view(&format!("{name}.weight"))?, &self.view(&format!("{name}.bias"))?)
    }

    fn norm(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        layer_norm(x, &self.view(&format!("{name}.weight"))?, &self.view(&format!("{name}.bias"))?)
    }

    /// Patches to tokens `[batch, tokens, dim]` with their positions.
    fn embed(&self, patches: &Tensor) -> Result<Tensor> {
        self.linear("patch", patches)?.broadcast_add(&self.view("position")?)
    }

    /// What attention of a block is computed from.
    fn projections(&self, block: usize, x: &Tensor) -> Result<AttentionInputs> {
        let (batch, tokens, _) = x.dims3()?;
        let normed = self.norm(&format!("blocks.{block}.norm1"), x)?;
        let heads = |name: &str, parts: usize, width: usize| {
            self.linear(&format!("blocks.{block}.attention.{name}"), &normed)?
                .reshape((batch, tokens, parts, self.config.heads, width))?
                .permute((2, 0, 3, 1, 4))?
                .contiguous()
        };
        let qkv = heads("qkv", 3, self.config.head_dim())?;
        let masks = if self.config.mask_dim > 0 {
            let masks = heads("mask", 2, self.config.mask_dim)?.relu()?;
            Some([masks.get(0)?, masks.get(1)?])
        } else {
            None
        };
        let [queries, keys, values] = [qkv.get(0)?, qkv.get(1)?, qkv.get(2)?];
        Ok(AttentionInputs { queries, keys, values, masks, precision: self.precision })
    }

    /// The parameters of a block's feature maps, `[heads, …]`, where it has any.
    fn feature(&self, block: usize) -> Result<Option<Tensor>> {
        if self.config.attention_of(block).parameters(self.config.head_dim()).is_none_or(|count| count == 0) {
            return Ok(None);
        }
        self.view(&feature_name(block)).map(Some)
    }

    fn attend(&self, block: usize, inputs: &AttentionInputs) -> Result<Tensor> {
        inputs.attend(self.config.attention_of(block), self.feature(block)?.as_ref())
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
