//! One slice of a batch through the whole network, forward and backward, in the buffers of one thread.

use super::attention::Call;
use super::register::add_column_sums;
use super::weights::{BlockPlaces, BlockWeights, Weights};
use super::{Model, Shape, cross_entropy::cross_entropy, gelu, layer_norm, linear};
use pulp::Simd;

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

/// The buffers of one thread for slices of up to `images`.
pub(super) struct Arena {
    images: usize,
    training: bool,
    /// The residual stream, and its gradient.
    x: Vec<f32>,
    x_gradient: Vec<f32>,
    /// Queries, keys and values, or the gradient of whatever is wide.
    wide: Vec<f32>,
    /// The gradient of whatever is `dim` wide.
    narrow: Vec<f32>,
    scratch: Vec<f32>,
    /// One a block for training, one in all for inference.
    blocks: Vec<Kept>,
    last: Vec<f32>,
    last_scale: Vec<f32>,
    pooled: Vec<f32>,
    pooled_gradient: Vec<f32>,
    logits: Vec<f32>,
}

impl Arena {
    pub fn new(model: &Model, images: usize, training: bool) -> Self {
        let shape = &model.shape;
        let rows = images * shape.tokens;
        let zeros = |len: usize| vec![0.0; len];
        let for_training = |len: usize| zeros(if training { len } else { 0 });
        let heads = if training { images * shape.heads } else { 1 };
        let block = || Kept {
            attention_input: zeros(rows * shape.dim),
            attention_scale: zeros(rows),
            attention: zeros(heads * model.kernel.kept_len()),
            attended: zeros(rows * shape.dim),
            mlp_input: zeros(rows * shape.dim),
            mlp_scale: zeros(rows),
            hidden: zeros(rows * shape.hidden),
            slope: for_training(rows * shape.hidden),
        };
        Self {
            images,
            training,
            x: zeros(rows * shape.dim),
            x_gradient: for_training(rows * shape.dim),
            wide: zeros(rows * shape.hidden.max(3 * shape.dim)),
            narrow: for_training(rows * shape.dim),
            scratch: zeros(model.kernel.scratch_len(shape)),
            blocks: (0..if training { shape.depth } else { 1 }).map(|_| block()).collect(),
            last: zeros(rows * shape.dim),
            last_scale: zeros(rows),
            pooled: zeros(images * shape.dim),
            pooled_gradient: for_training(images * shape.dim),
            logits: zeros(images * shape.classes),
        }
    }

    /// Whether it serves slices of `images` of this kind.
    pub fn serves(&self, images: usize, training: bool) -> bool {
        self.training == training && self.images >= images
    }

    /// Logits of the images of `patches`.
    pub fn forward<S: Simd>(&mut self, simd: S, model: &Model, weights: &Weights<'_>, patches: &[f32]) -> &mut [f32] {
        let shape = &model.shape;
        let Shape { tokens, dim, classes, patch_dim, .. } = *shape;
        let images = patches.len() / (tokens * patch_dim);
        let rows = images * tokens;
        let x = &mut self.x[..rows * dim];
        for image in x.chunks_exact_mut(tokens * dim) {
            image.copy_from_slice(&weights.position);
        }
        linear::forward(patches, &weights.patch_turned, patch_dim, dim, x, true);

        let mut bias = None;
        for (index, (block, places)) in weights.blocks.iter().zip(&model.places.blocks).enumerate() {
            let kept = &mut self.blocks[if self.training { index } else { 0 }];
            kept.forward(simd, model, rows, x, bias, &mut self.wide, &mut self.scratch, (block, places, weights.theta));
            bias = Some(&weights.theta[places.down.bias.clone()]);
        }

        let last = &mut self.last[..rows * dim];
        layer_norm::forward(simd, x, bias, dim, last, &mut self.last_scale[..rows]);
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
        logits
    }

    /// Adds the gradient of the loss of the images of `patches` to `gradient` (to be unfolded, see `weights`), each image
    /// counting `weight`; returns the sum of their losses.
    pub fn train<S: Simd>(
        &mut self,
        simd: S,
        model: &Model,
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

        let logits = &self.logits[..images * classes];
        let pooled = &self.pooled[..images * dim];
        let head = &places.head.linear;
        linear::add_weight_gradient(logits, pooled, dim, classes, &mut gradient[head.weight.clone()]);
        add_column_sums(simd, logits, &mut gradient[head.bias.clone()]);
        let pooled = &mut self.pooled_gradient[..images * dim];
        linear::backward(logits, &weights.head.weight, dim, classes, pooled);

        // The mean over tokens hands each token the same share.
        let narrow = &mut self.narrow[..rows * dim];
        for (pooled, image) in pooled.chunks_exact(dim).zip(narrow.chunks_exact_mut(tokens * dim)) {
            for row in image.chunks_exact_mut(dim) {
                for (value, pooled) in row.iter_mut().zip(pooled) {
                    *value = pooled / tokens as f32;
                }
            }
        }
        let x = &mut self.x_gradient[..rows * dim];
        x.fill(0.0);
        layer_norm::backward(simd, narrow, &self.last[..rows * dim], &self.last_scale[..rows], dim, x);

        for (index, kept) in self.blocks.iter_mut().enumerate().rev() {
            let block = (&weights.blocks[index], &places.blocks[index], weights.theta);
            kept.backward(simd, model, rows, x, &mut self.wide, narrow, &mut self.scratch, block, gradient);
        }

        for image in x.chunks_exact(tokens * dim) {
            super::register::add(simd, image, &mut gradient[places.position.clone()]);
        }
        add_column_sums(simd, x, &mut gradient[places.patch.bias.clone()]);
        linear::add_weight_gradient(x, patches, patch_dim, dim, &mut gradient[places.patch.weight.clone()]);
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

/// A block's parameters: as the kernels want them, where they lie in θ, and θ.
type Block<'a> = (&'a BlockWeights, &'a BlockPlaces, &'a [f32]);

impl Kept {
    /// x += attention(norm x), x += MLP(norm x); the bias of the MLP's last layer is left to the next norm.
    fn forward<S: Simd>(
        &mut self,
        simd: S,
        model: &Model,
        rows: usize,
        x: &mut [f32],
        bias: Option<&[f32]>,
        wide: &mut [f32],
        scratch: &mut [f32],
        (block, places, theta): Block<'_>,
    ) {
        let Shape { dim, hidden, .. } = model.shape;
        let input = &mut self.attention_input[..rows * dim];
        layer_norm::forward(simd, x, bias, dim, input, &mut self.attention_scale[..rows]);
        let qkv = &mut wide[..rows * 3 * dim];
        linear::forward(input, &block.qkv.turned, dim, 3 * dim, qkv, false);
        let call = Call { shape: &model.shape, parameters: &[], kept: &mut self.attention, scratch };
        let attended = &mut self.attended[..rows * dim];
        model.kernel.forward(simd, call, qkv, &block.qkv.bias, attended);
        linear::forward(attended, &block.out_turned, dim, dim, x, true);

        let input = &mut self.mlp_input[..rows * dim];
        let bias = Some(&theta[places.out.bias.clone()]);
        layer_norm::forward(simd, x, bias, dim, input, &mut self.mlp_scale[..rows]);
        let inner = &mut self.hidden[..rows * hidden];
        linear::forward(input, &block.up.turned, dim, hidden, inner, false);
        let slope = if self.slope.is_empty() { None } else { Some(&mut self.slope[..rows * hidden]) };
        gelu::forward(simd, inner, &block.up.bias, slope);
        linear::forward(inner, &block.down_turned, hidden, dim, x, true);
    }

    /// Turns the gradient of the block's output, `x`, into that of its input, and adds the parameters' own.
    fn backward<S: Simd>(
        &mut self,
        simd: S,
        model: &Model,
        rows: usize,
        x: &mut [f32],
        wide: &mut [f32],
        narrow: &mut [f32],
        scratch: &mut [f32],
        (block, places, theta): Block<'_>,
        gradient: &mut [f32],
    ) {
        let Shape { dim, hidden, .. } = model.shape;
        let inner = &mut wide[..rows * hidden];
        add_column_sums(simd, x, &mut gradient[places.down.bias.clone()]);
        let weight = &mut gradient[places.down.weight.clone()];
        linear::add_weight_gradient(x, &self.hidden[..rows * hidden], hidden, dim, weight);
        linear::backward(x, &theta[places.down.weight.clone()], hidden, dim, inner);
        gelu::backward(simd, &self.slope[..rows * hidden], inner);
        let up = &places.up.linear;
        let input = &self.mlp_input[..rows * dim];
        add_column_sums(simd, inner, &mut gradient[up.bias.clone()]);
        linear::add_weight_gradient(inner, input, dim, hidden, &mut gradient[up.weight.clone()]);
        linear::backward(inner, &block.up.weight, dim, hidden, narrow);
        layer_norm::backward(simd, narrow, input, &self.mlp_scale[..rows], dim, x);

        let attended = &self.attended[..rows * dim];
        add_column_sums(simd, x, &mut gradient[places.out.bias.clone()]);
        linear::add_weight_gradient(x, attended, dim, dim, &mut gradient[places.out.weight.clone()]);
        linear::backward(x, &theta[places.out.weight.clone()], dim, dim, narrow);
        let qkv = &mut wide[..rows * 3 * dim];
        let call = Call { shape: &model.shape, parameters: &[], kept: &mut self.attention, scratch };
        model.kernel.backward(simd, call, attended, narrow, qkv, &mut []);
        let place = &places.qkv.linear;
        let input = &self.attention_input[..rows * dim];
        add_column_sums(simd, qkv, &mut gradient[place.bias.clone()]);
        linear::add_weight_gradient(qkv, input, dim, 3 * dim, &mut gradient[place.weight.clone()]);
        linear::backward(qkv, &block.qkv.weight, dim, 3 * dim, narrow);
        layer_norm::backward(simd, narrow, input, &self.attention_scale[..rows], dim, x);
    }
}
