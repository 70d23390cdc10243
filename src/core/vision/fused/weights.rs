//! Parameters as the kernels want them, made from θ once per call.
//!
//! The affine part of a layer norm is folded into the linear layer that follows: with y = x̂∘γ + β and z = W y + b,
//! z = W′x̂ + b′ where W′ = W·diag(γ) and b′ = b + Wβ. The slices then accumulate ∂L/∂W′ and ∂L/∂b′ only, and once per call
//!
//! ∂L/∂W = ∂L/∂W′·diag(γ) + ∂L/∂b′ βᵀ,  ∂L/∂γ_i = Σ_o ∂L/∂W′_oi W_oi,  ∂L/∂β = Wᵀ ∂L/∂b′,  ∂L/∂b = ∂L/∂b′.

use super::register::transpose;
use super::shape::Shape;
use crate::vision::config::VitConfig;
use crate::vision::layout::{Layout, LayoutEntry};
use std::ops::Range;

/// Where a linear layer lies in θ.
#[derive(Clone, Debug)]
pub(super) struct LinearPlace {
    pub weight: Range<usize>,
    pub bias: Range<usize>,
    input: usize,
    output: usize,
}

impl LinearPlace {
    fn new(layout: &Layout, name: &str) -> Self {
        let weight = layout.entry(&format!("{name}.weight"));
        let bias = layout.entry(&format!("{name}.bias"));
        Self { weight: weight.range(), bias: bias.range(), input: weight.shape[1], output: weight.shape[0] }
    }

    /// The layer with the layer `name` after it, of the same input: their weights lie side by side in θ, and so do their
    /// biases. Without such a layer itself.
    fn joined(self, layout: &Layout, name: &str) -> Self {
        let find = |name: String| layout.entries().iter().find(|entry| entry.name == name).map(LayoutEntry::range);
        let (Some(weight), Some(bias)) = (find(format!("{name}.weight")), find(format!("{name}.bias"))) else {
            return self;
        };
        assert!(weight.start == self.weight.end && bias.start == self.bias.end, "layers that lie side by side");
        Self {
            output: self.output + bias.len(),
            weight: self.weight.start..weight.end,
            bias: self.bias.start..bias.end,
            ..self
        }
    }

    /// Wᵀ.
    fn turned(&self, theta: &[f32]) -> Vec<f32> {
        let mut turned = vec![0.0; self.weight.len()];
        transpose(&theta[self.weight.clone()], self.output, self.input, self.input, &mut turned, self.output);
        turned
    }
}

/// Where a layer norm and the linear layer after it lie in θ.
#[derive(Clone, Debug)]
pub(super) struct FoldedPlace {
    pub linear: LinearPlace,
    scale: Range<usize>,
    shift: Range<usize>,
}

/// W′, its transpose, and b′.
pub(super) struct Folded {
    pub weight: Vec<f32>,
    pub turned: Vec<f32>,
    pub bias: Vec<f32>,
}

impl FoldedPlace {
    fn new(layout: &Layout, norm: &str, linear: LinearPlace) -> Self {
        Self {
            linear,
            scale: layout.entry(&format!("{norm}.weight")).range(),
            shift: layout.entry(&format!("{norm}.bias")).range(),
        }
    }

    fn fold(&self, theta: &[f32]) -> Folded {
        let LinearPlace { input, output, .. } = self.linear;
        let (scale, shift) = (&theta[self.scale.clone()], &theta[self.shift.clone()]);
        let mut weight = theta[self.linear.weight.clone()].to_vec();
        let mut bias = theta[self.linear.bias.clone()].to_vec();
        for (row, bias) in weight.chunks_exact_mut(input).zip(&mut bias) {
            *bias += row.iter().zip(shift).map(|(w, shift)| w * shift).sum::<f32>();
            for (w, scale) in row.iter_mut().zip(scale) {
                *w *= scale;
            }
        }
        let mut turned = vec![0.0; weight.len()];
        transpose(&weight, output, input, input, &mut turned, output);
        Folded { weight, turned, bias }
    }

    /// Turns ∂L/∂W′ and ∂L/∂b′, which lie where W's and b's belong, into the gradients of W, b, γ and β.
    fn unfold(&self, theta: &[f32], gradient: &mut [f32]) {
        let input = self.linear.input;
        let (scale, shift) = (&theta[self.scale.clone()], &theta[self.shift.clone()]);
        let (mut scale_gradient, mut shift_gradient) = (vec![0.0; input], vec![0.0; input]);
        let rows = theta[self.linear.weight.clone()].chunks_exact(input);
        for ((row, start), bias) in rows.zip(self.linear.weight.clone().step_by(input)).zip(self.linear.bias.clone()) {
            let bias = gradient[bias];
            let row_gradient = &mut gradient[start..start + input];
            for i in 0..input {
                scale_gradient[i] += row_gradient[i] * row[i];
                shift_gradient[i] += row[i] * bias;
                row_gradient[i] = row_gradient[i] * scale[i] + bias * shift[i];
            }
        }
        gradient[self.scale.clone()].copy_from_slice(&scale_gradient);
        gradient[self.shift.clone()].copy_from_slice(&shift_gradient);
    }
}

/// Where the parts of a block lie in θ.
#[derive(Clone, Debug)]
pub(super) struct BlockPlaces {
    pub qkv: FoldedPlace,
    /// Parameters of the feature map, one row per head; empty if it has none.
    pub feature: Range<usize>,
    pub out: LinearPlace,
    pub up: FoldedPlace,
    pub down: LinearPlace,
}

/// Where everything lies in θ.
#[derive(Clone, Debug)]
pub(super) struct WeightPlaces {
    pub patch: LinearPlace,
    pub position: Range<usize>,
    pub blocks: Vec<BlockPlaces>,
    pub head: FoldedPlace,
    pub len: usize,
}

impl WeightPlaces {
    pub fn new(config: &VitConfig, layout: &Layout) -> Self {
        let block = |index: usize| {
            let name = |part: &str| format!("blocks.{index}.{part}");
            let feature = layout.entries().iter().find(|entry| entry.name == name("attention.feature"));
            let first = LinearPlace::new(layout, &name("attention.qkv")).joined(layout, &name("attention.mask"));
            BlockPlaces {
                feature: feature.map_or(0..0, LayoutEntry::range),
                qkv: FoldedPlace::new(layout, &name("norm1"), first),
                out: LinearPlace::new(layout, &name("attention.out")),
                up: FoldedPlace::new(layout, &name("norm2"), LinearPlace::new(layout, &name("mlp.up"))),
                down: LinearPlace::new(layout, &name("mlp.down")),
            }
        };
        Self {
            patch: LinearPlace::new(layout, "patch"),
            position: layout.entry("position").range(),
            blocks: (0..config.depth).map(block).collect(),
            head: FoldedPlace::new(layout, "norm", LinearPlace::new(layout, "head")),
            len: layout.len(),
        }
    }

    /// What the slices accumulated, as the gradient of θ.
    pub fn unfold(&self, theta: &[f32], gradient: &mut [f32]) {
        for block in &self.blocks {
            block.qkv.unfold(theta, gradient);
            block.up.unfold(theta, gradient);
        }
        self.head.unfold(theta, gradient);
    }
}

/// A block's parameters as the kernels want them.
pub(super) struct BlockWeights {
    pub qkv: Folded,
    pub out_turned: Vec<f32>,
    pub up: Folded,
    pub down_turned: Vec<f32>,
}

/// All parameters as the kernels want them, beside θ itself.
pub(super) struct Weights<'a> {
    pub theta: &'a [f32],
    pub patch_turned: Vec<f32>,
    /// Positions plus the bias of the patch embedding, `[tokens, dim]`.
    pub position: Vec<f32>,
    pub blocks: Vec<BlockWeights>,
    pub head: Folded,
}

impl<'a> Weights<'a> {
    /// Numbers held beside θ.
    pub fn len(shape: &Shape) -> usize {
        let Shape { tokens, patch_dim, dim, depth, hidden, classes, .. } = *shape;
        // What is folded is held with its transpose and a bias, other weights as their transpose alone.
        let folded = |output: usize| (2 * dim + 1) * output;
        let block = folded(shape.columns()) + dim * dim + folded(hidden) + hidden * dim;
        (patch_dim + tokens) * dim + depth * block + folded(classes)
    }

    pub fn new(places: &WeightPlaces, theta: &'a [f32]) -> Self {
        let bias = &theta[places.patch.bias.clone()];
        let mut position = theta[places.position.clone()].to_vec();
        for row in position.chunks_exact_mut(bias.len()) {
            for (value, bias) in row.iter_mut().zip(bias) {
                *value += bias;
            }
        }
        let block = |block: &BlockPlaces| BlockWeights {
            qkv: block.qkv.fold(theta),
            out_turned: block.out.turned(theta),
            up: block.up.fold(theta),
            down_turned: block.down.turned(theta),
        };
        Self {
            theta,
            patch_turned: places.patch.turned(theta),
            position,
            blocks: places.blocks.iter().map(block).collect(),
            head: places.head.fold(theta),
        }
    }
}
