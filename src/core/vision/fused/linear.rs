//! Linear layers: y = x Wᵀ + b over rows, W `[out, in]`.
//!
//! ∂L/∂x = ∂L/∂y W, ∂L/∂W = (∂L/∂y)ᵀ x, ∂L/∂b = Σ ∂L/∂y over rows. Forward takes Wᵀ `[in, out]`, turned once per call: the
//! product then needs no copy of it. Biases are added by whatever reads y next, which saves a pass.

use crate::product::product;
use ndarray::{ArrayView2, ArrayViewMut2};

fn rows(values: &[f32], width: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / width, width), values).expect("rows of whole width")
}

fn rows_mut(values: &mut [f32], width: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((values.len() / width, width), values).expect("rows of whole width")
}

/// y = x·`turned`, added to the old content if `add`.
pub(super) fn forward(x: &[f32], turned: &[f32], input: usize, output: usize, y: &mut [f32], add: bool) {
    product(rows(x, input), rows(turned, output), rows_mut(y, output), f32::from(u8::from(add)));
}

/// ∂L/∂x = ∂L/∂y·W.
pub(super) fn backward(y_gradient: &[f32], weight: &[f32], input: usize, output: usize, x_gradient: &mut [f32]) {
    product(rows(y_gradient, output), rows(weight, input), rows_mut(x_gradient, input), 0.0);
}

/// Adds ∂L/∂W to `weight_gradient`.
pub(super) fn add_weight_gradient(
    y_gradient: &[f32],
    x: &[f32],
    input: usize,
    output: usize,
    weight_gradient: &mut [f32],
) {
    product(rows(y_gradient, output).reversed_axes(), rows(x, input), rows_mut(weight_gradient, input), 1.0);
}
