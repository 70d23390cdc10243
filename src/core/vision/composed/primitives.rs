//! Layers from differentiable primitive operations.
//!
//! The fused layer norm and softmax of candle-nn have no backward pass and stop gradients without a word; these have one.

use crate::vision::precision::Precision;
use candle_core::{D, DType, Device, Result, Tensor};

/// Added to the variance in [`layer_norm`], as in PyTorch.
pub const LAYER_NORM_EPSILON: f64 = 1e-5;

/// Added to features that may be zero, such as those of relu: a query without a positive one would divide zero by zero.
pub const RELU_EPSILON: f64 = 1e-3;

/// y = x Wᵀ + b for x `[…, in]`, W `[out, in]`, b `[out]`.
///
/// # Errors
/// The shapes do not fit.
pub fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    linear_in(Precision::F32, x, weight, bias)
}

/// The same with the product in `precision`.
pub(super) fn linear_in(precision: Precision, x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (out, input) = weight.dims2()?;
    let mut shape = x.dims().to_vec();
    if let Some(last) = shape.last_mut() {
        *last = out;
    }
    precision.product(&x.reshape(((), input))?, &weight.t()?)?.broadcast_add(bias)?.reshape(shape)
}

/// (x − mean)/√(variance + 1e-5) · weight + bias over the last dimension (Ba, Kiros, Hinton 2016).
///
/// # Errors
/// The shapes do not fit.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    let deviation = (variance + LAYER_NORM_EPSILON)?.sqrt()?;
    centred.broadcast_div(&deviation)?.broadcast_mul(weight)?.broadcast_add(bias)
}

/// exp(x)/Σ exp(x) over the last dimension. The maximum is subtracted as a constant: the value does not depend on it.
///
/// # Errors
/// The device fails.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let exponential = x.broadcast_sub(&x.max_keepdim(D::Minus1)?.detach())?.exp()?;
    exponential.broadcast_div(&exponential.sum_keepdim(D::Minus1)?)
}

/// x − log Σ exp(x) over the last dimension.
///
/// # Errors
/// The device fails.
pub fn log_softmax(x: &Tensor) -> Result<Tensor> {
    let shifted = x.broadcast_sub(&x.max_keepdim(D::Minus1)?.detach())?;
    shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(D::Minus1)?.log()?)
}

/// ln(1 + eˣ) without overflow; its slope is the logistic function everywhere.
///
/// # Errors
/// The device fails.
pub fn softplus(x: &Tensor) -> Result<Tensor> {
    let top = x.relu()?.detach();
    ((x - &top)?.exp()? + top.neg()?.exp()?)?.log()? + top
}

/// Mean cross-entropy of `logits` `[batch, classes]` against `labels`, each label's probability mixed with the uniform
/// distribution by `smoothing`: target = (1 − smoothing)·one-hot + smoothing/classes (Szegedy et al. 2016), as PyTorch's.
///
/// # Errors
/// The number of labels is not the batch, or a label is not below the number of classes.
pub fn cross_entropy(logits: &Tensor, labels: &[u32], smoothing: f64) -> Result<Tensor> {
    let (batch, classes) = logits.dims2()?;
    if labels.len() != batch {
        candle_core::bail!("{} labels for a batch of {batch}", labels.len());
    }
    cross_entropy_with(logits, &targets(labels, (classes, logits.dtype()), smoothing, logits.device())?)
}

/// The distributions `[batch, classes]` that [`cross_entropy`] compares with: numbers of this kind, on this device.
///
/// # Errors
/// A label is not below the number of classes.
pub(in crate::vision) fn targets(
    labels: &[u32],
    (classes, kind): (usize, DType),
    smoothing: f64,
    device: &Device,
) -> Result<Tensor> {
    let mut target = vec![smoothing / classes as f64; labels.len() * classes];
    for (row, &label) in target.chunks_exact_mut(classes).zip(labels) {
        match row.get_mut(label as usize) {
            Some(share) => *share += 1.0 - smoothing,
            None => candle_core::bail!("label {label} of {classes} classes"),
        }
    }
    // Rounded before it is copied: not every device has numbers of 64 bits.
    Tensor::from_vec(target, (labels.len(), classes), &Device::Cpu)?.to_dtype(kind)?.to_device(device)
}

/// Mean cross-entropy of `logits` `[batch, classes]` against the distributions `target` of the same shape.
///
/// # Errors
/// The shapes differ.
pub(in crate::vision) fn cross_entropy_with(logits: &Tensor, target: &Tensor) -> Result<Tensor> {
    (log_softmax(logits)? * target)?.sum_all()? / -(logits.dim(0)? as f64)
}
