//! One slice of a batch through the whole network, forward and backward, in the buffers of one thread.

use super::attention::{self, Call};
use super::cross_entropy::cross_entropy;
use super::head::HeadAttention;
use super::register::{add, add_column_sums};
use super::shape::Shape;
use super::stages::{Stage, StageClock};
use super::weights::{BlockPlaces, BlockWeights, WeightPlaces, Weights};
use super::{gelu, layer_norm, linear};
use crate::vision::config::VitConfig;
use crate::vision::kernel::FusedAttention;
use crate::vision::layout::Layout;
use pulp::Simd;
use std::convert::Infallible;

/// What slices need to know beside the weights.
pub(super) struct Network {
    pub shape: Shape,
    /// How each block attends.
    pub attentions: Vec<FusedAttention>,
    pub places: WeightPlaces,
}

impl Network {
    pub fn new(config: &VitConfig) -> Self {
        let shape = Shape::new(config);
        let attentions = Self::attentions(config, &shape);
        Self { shape, attentions, places: WeightPlaces::new(config, &Layout::new(config)) }
    }

    /// How each block of `config` attends.
    pub fn attentions(config: &VitConfig, shape: &Shape) -> Vec<FusedAttention> {
        let attention = |block| FusedAttention::new(config.attention_of(block), shape.head());
        (0..config.depth).map(attention).collect()
    }
}

/// What a block keeps for backward.
struct Kept {
    attention_input: Vec<f32>,
    attention_scale: Vec<f32>,
    attention: Vec<f32>,
    attended: Vec<f32>,
    mlp_input: Vec<f32>,
    mlp_scale: Vec<f32>,
    hidden: Vec<f32>,
    slope: Vec<f32>,
}

/// Buffers that hold nothing for long, and the clock.
struct Workspace {
    /// Queries, keys and values, or the gradient of whatever is wide.
    wide: Vec<f32>,
    /// The gradient of whatever is `dim` wide.
    narrow: Vec<f32>,
    attention: Vec<f32>,
    clock: StageClock,
    /// Denominators of attention so far that are not above 0.
    not_positive: u64,
}

/// The buffers of one thread for slices of up to `images`.
pub(super) struct Arena {
    images: usize,
    training: bool,
    /// The residual stream, and its gradient.
    x: Vec<f32>,
    x_gradient: Vec<f32>,
    /// One a block for training, one in all for inference.
    blocks: Vec<Kept>,
    last: Vec<f32>,
    last_scale: Vec<f32>,
    pooled: Vec<f32>,
    pooled_gradient: Vec<f32>,
    logits: Vec<f32>,
    work: Workspace,
}

impl Arena {
    pub fn new(network: &Network, images: usize, training: bool) -> Self {
        match Self::build(&network.shape, &network.attentions, images, training, &mut |len| {
            Ok::<_, Infallible>(vec![0.0; len])
        }) {
            Ok(arena) => arena,
            Err(never) => match never {},
        }
    }

    /// Numbers in all buffers.
    pub fn len(shape: &Shape, attentions: &[FusedAttention], images: usize, training: bool) -> usize {
        let mut sum = 0;
        let counted = Self::build(shape, attentions, images, training, &mut |len| {
            sum += len;
            Ok::<_, Infallible>(Vec::new())
        });
        drop(counted);
        sum
    }

    /// The buffers, each of zeros made by `zeros`.
    ///
    /// # Errors
    /// Those of `zeros`.
    pub fn build<E>(
        shape: &Shape,
        attentions: &[FusedAttention],
        images: usize,
        training: bool,
        zeros: &mut impl FnMut(usize) -> Result<Vec<f32>, E>,
    ) -> Result<Self, E> {
        let rows = images * shape.tokens;
        let only_training = |len: usize| if training { len } else { 0 };
        let largest = attentions.iter().map(HeadAttention::kept_len).max().unwrap_or(0);
        let kept: Vec<usize> = if training {
            attentions.iter().map(|attention| images * shape.heads * attention.kept_len()).collect()
        } else {
            vec![largest]
        };
        let mut blocks = Vec::new();
        for kept in kept {
            blocks.push(Kept {
                attention_input: zeros(rows * shape.dim)?,
                attention_scale: zeros(rows)?,
                attention: zeros(kept)?,
                attended: zeros(rows * shape.dim)?,
                mlp_input: zeros(rows * shape.dim)?,
                mlp_scale: zeros(rows)?,
                hidden: zeros(rows * shape.hidden)?,
                slope: zeros(only_training(rows * shape.hidden))?,
            });
        }
        Ok(Self {
            images,
            training,
            x: zeros(rows * shape.dim)?,
            x_gradient: zeros(only_training(rows * shape.dim))?,
            blocks,
            last: zeros(rows * shape.dim)?,
            last_scale: zeros(rows)?,
            pooled: zeros(images * shape.dim)?,
            pooled_gradient: zeros(only_training(images * shape.dim))?,
            logits: zeros(images * shape.classes)?,
            work: Workspace {
                wide: zeros(rows * shape.hidden.max(shape.columns()))?,
                narrow: zeros(only_training(rows * shape.dim))?,
                attention: zeros(attention::scratch_len(attentions, shape))?,
                clock: StageClock::default(),
                not_positive: 0,
            },
        })
    }

    /// Whether these are the buffers for slices of `images` images, for training or for inference.
    pub fn serves(&self, images: usize, training: bool) -> bool {
        self.training == training && self.images >= images
    }

    /// Seconds spent in each stage so far.
    pub fn seconds(&self) -> [f64; Stage::ALL.len()] {
        self.work.clock.seconds
    }

    /// Denominators of attention so far that are not above 0.
    pub fn not_positive(&self) -> u64 {
        self.work.not_positive
    }

    /// Logits of the images of `patches`.
    pub fn forward<S: Simd>(&mut self, simd: S, model: &Network, weights: &Weights<'_>, patches: &[f32]) -> &mut [f32] {
        let Shape { tokens, dim, classes, patch_dim, .. } = model.shape;
        let images = patches.len() / (tokens * patch_dim);
        let rows = images * tokens;
        let work = &mut self.work;
        work.clock.start();
        let x = &mut self.x[..rows * dim];
        for image in x.chunks_exact_mut(tokens * dim) {
            image.copy_from_slice(&weights.position);
        }
        linear::forward(patches, &weights.patch_turned, patch_dim, dim, x, true);
        work.clock.lap(Stage::Ends);

        let mut bias = None;
        for (index, (block, places)) in weights.blocks.iter().zip(&model.places.blocks).enumerate() {
            let kept = &mut self.blocks[if self.training { index } else { 0 }];
            let attention = &model.attentions[index];
            let block = Block { model, attention, rows, weights: block, places, theta: weights.theta };
            kept.forward(simd, block, x, bias, work);
            bias = Some(&weights.theta[places.down.bias.clone()]);
        }

        let last = &mut self.last[..rows * dim];
        layer_norm::forward(simd, x, bias, dim, last, &mut self.last_scale[..rows]);
        work.clock.lap(Stage::Norm);
        let pooled = &mut self.pooled[..images * dim];
        pooled.fill(0.0);
        for (pooled, image) in pooled.chunks_exact_mut(dim).zip(last.chunks_exact(tokens * dim)) {
            add_column_sums(simd, image, pooled);
            for value in pooled {
                *value /= tokens as f32;
            }
        }
        let logits = &mut self.logits[..images * classes];
        for row in logits.chunks_exact_mut(classes) {
            row.copy_from_slice(&weights.head.bias);
        }
        linear::forward(pooled, &weights.head.turned, dim, classes, logits, true);
        work.clock.lap(Stage::Ends);
        logits
    }

    /// Adds the gradient of the loss of the images of `slice` to `gradient` (to be unfolded, see `weights`), each image
    /// counting its weight; returns the sum of their losses.
    pub fn train<S: Simd>(
        &mut self,
        simd: S,
        model: &Network,
        weights: &Weights<'_>,
        slice: Slice<'_>,
        gradient: &mut [f32],
    ) -> f64 {
        let Slice { patches, labels, smoothing, weight } = slice;
        let Shape { tokens, dim, classes, patch_dim, .. } = model.shape;
        let places = &model.places;
        let images = labels.len();
        let rows = images * tokens;
        let logits = self.forward(simd, model, weights, patches);
        let loss = cross_entropy(logits, classes, labels, smoothing, weight);

        let work = &mut self.work;
        let logits = &self.logits[..images * classes];
        let pooled = &self.pooled[..images * dim];
        let head = &places.head.linear;
        linear::add_weight_gradient(logits, pooled, dim, classes, &mut gradient[head.weight.clone()]);
        add_column_sums(simd, logits, &mut gradient[head.bias.clone()]);
        let pooled = &mut self.pooled_gradient[..images * dim];
        linear::backward(logits, &weights.head.weight, dim, classes, pooled);

        // The mean over tokens hands each token the same share.
        let narrow = &mut work.narrow[..rows * dim];
        for (pooled, image) in pooled.chunks_exact(dim).zip(narrow.chunks_exact_mut(tokens * dim)) {
            for row in image.chunks_exact_mut(dim) {
                for (value, pooled) in row.iter_mut().zip(pooled) {
                    *value = pooled / tokens as f32;
                }
            }
        }
        let x = &mut self.x_gradient[..rows * dim];
        x.fill(0.0);
        work.clock.lap(Stage::Ends);
        layer_norm::backward(simd, narrow, &self.last[..rows * dim], &self.last_scale[..rows], dim, x);
        work.clock.lap(Stage::Norm);

        for (index, kept) in self.blocks.iter_mut().enumerate().rev() {
            let (block, places) = (&weights.blocks[index], &places.blocks[index]);
            let attention = &model.attentions[index];
            let block = Block { model, attention, rows, weights: block, places, theta: weights.theta };
            kept.backward(simd, block, x, gradient, work);
        }

        for image in x.chunks_exact(tokens * dim) {
            add(simd, image, &mut gradient[places.position.clone()]);
        }
        add_column_sums(simd, x, &mut gradient[places.patch.bias.clone()]);
        linear::add_weight_gradient(x, patches, patch_dim, dim, &mut gradient[places.patch.weight.clone()]);
        work.clock.lap(Stage::Ends);
        loss
    }
}

/// A part of a batch that one thread takes at once.
#[derive(Clone, Copy)]
pub(super) struct Slice<'a> {
    pub patches: &'a [f32],
    pub labels: &'a [u32],
    pub smoothing: f32,
    /// What an image's loss counts: one over the batch.
    pub weight: f32,
}

/// A block of the model for a slice of `rows` tokens.
#[derive(Clone, Copy)]
struct Block<'a> {
    model: &'a Network,
    attention: &'a FusedAttention,
    rows: usize,
    weights: &'a BlockWeights,
    places: &'a BlockPlaces,
    theta: &'a [f32],
}

impl Kept {
    /// x += attention(norm x), x += MLP(norm x). The bias of the layer before, `bias`, is added by the first norm, and
    /// that of the MLP's last layer left to the next.
    fn forward<S: Simd>(
        &mut self,
        simd: S,
        block: Block<'_>,
        x: &mut [f32],
        bias: Option<&[f32]>,
        work: &mut Workspace,
    ) {
        let Block { model, attention: attends, rows, weights, places, theta } = block;
        let Shape { dim, hidden, .. } = model.shape;
        let columns = model.shape.columns();
        let Workspace { wide, attention: scratch, clock, not_positive, .. } = work;
        let input = &mut self.attention_input[..rows * dim];
        layer_norm::forward(simd, x, bias, dim, input, &mut self.attention_scale[..rows]);
        clock.lap(Stage::Norm);
        let qkv = &mut wide[..rows * columns];
        linear::forward(input, &weights.qkv.turned, dim, columns, qkv, false);
        clock.lap(Stage::Linear);
        let parameters = &theta[places.feature.clone()];
        let keeps_all = !self.slope.is_empty();
        let kept = &mut self.attention;
        let call = Call { shape: &model.shape, attention: attends, parameters, kept, keeps_all, scratch };
        let attended = &mut self.attended[..rows * dim];
        *not_positive += attention::forward(simd, call, qkv, &weights.qkv.bias, attended) as u64;
        clock.lap(Stage::Attention);
        linear::forward(attended, &weights.out_turned, dim, dim, x, true);
        clock.lap(Stage::Linear);

        let input = &mut self.mlp_input[..rows * dim];
        let bias = Some(&theta[places.out.bias.clone()]);
        layer_norm::forward(simd, x, bias, dim, input, &mut self.mlp_scale[..rows]);
        clock.lap(Stage::Norm);
        let inner = &mut self.hidden[..rows * hidden];
        linear::forward(input, &weights.up.turned, dim, hidden, inner, false);
        clock.lap(Stage::Linear);
        let slope = if self.slope.is_empty() { None } else { Some(&mut self.slope[..rows * hidden]) };
        gelu::forward(simd, inner, &weights.up.bias, slope);
        clock.lap(Stage::Gelu);
        linear::forward(inner, &weights.down_turned, hidden, dim, x, true);
        clock.lap(Stage::Linear);
    }

    /// Turns the gradient of the block's output, `x`, into that of its input, and adds the parameters' own.
    fn backward<S: Simd>(
        &mut self,
        simd: S,
        block: Block<'_>,
        x: &mut [f32],
        gradient: &mut [f32],
        work: &mut Workspace,
    ) {
        let Block { model, attention: attends, rows, weights, places, theta } = block;
        let Shape { dim, hidden, .. } = model.shape;
        let columns = model.shape.columns();
        let Workspace { wide, narrow, attention: scratch, clock, .. } = work;
        let narrow = &mut narrow[..rows * dim];
        let inner = &mut wide[..rows * hidden];
        add_column_sums(simd, x, &mut gradient[places.down.bias.clone()]);
        clock.lap(Stage::Biases);
        let weight = &mut gradient[places.down.weight.clone()];
        linear::add_weight_gradient(x, &self.hidden[..rows * hidden], hidden, dim, weight);
        linear::backward(x, &theta[places.down.weight.clone()], hidden, dim, inner);
        clock.lap(Stage::Linear);
        gelu::backward(simd, &self.slope[..rows * hidden], inner);
        clock.lap(Stage::Gelu);
        let up = &places.up.linear;
        let input = &self.mlp_input[..rows * dim];
        add_column_sums(simd, inner, &mut gradient[up.bias.clone()]);
        clock.lap(Stage::Biases);
        linear::add_weight_gradient(inner, input, dim, hidden, &mut gradient[up.weight.clone()]);
        linear::backward(inner, &weights.up.weight, dim, hidden, narrow);
        clock.lap(Stage::Linear);
        layer_norm::backward(simd, narrow, input, &self.mlp_scale[..rows], dim, x);
        clock.lap(Stage::Norm);

        let attended = &self.attended[..rows * dim];
        add_column_sums(simd, x, &mut gradient[places.out.bias.clone()]);
        clock.lap(Stage::Biases);
        linear::add_weight_gradient(x, attended, dim, dim, &mut gradient[places.out.weight.clone()]);
        linear::backward(x, &theta[places.out.weight.clone()], dim, dim, narrow);
        clock.lap(Stage::Linear);
        let qkv = &mut wide[..rows * columns];
        let parameters = &theta[places.feature.clone()];
        let kept = &mut self.attention;
        let call = Call { shape: &model.shape, attention: attends, parameters, kept, keeps_all: true, scratch };
        attention::backward(simd, call, attended, narrow, qkv, &mut gradient[places.feature.clone()]);
        clock.lap(Stage::Attention);
        let place = &places.qkv.linear;
        let input = &self.attention_input[..rows * dim];
        add_column_sums(simd, qkv, &mut gradient[place.bias.clone()]);
        clock.lap(Stage::Biases);
        linear::add_weight_gradient(qkv, input, dim, columns, &mut gradient[place.weight.clone()]);
        linear::backward(qkv, &weights.qkv.weight, dim, columns, narrow);
        clock.lap(Stage::Linear);
        layer_norm::backward(simd, narrow, input, &self.attention_scale[..rows], dim, x);
        clock.lap(Stage::Norm);
    }
}
