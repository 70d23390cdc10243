//! Feature maps of the linear attention kernels, fixed and learned.

use super::attention::RELU_EPSILON;
use crate::vision::AttentionKernel;
use candle_core::{D, Result, Tensor};

/// What a map makes of queries or keys.
pub(super) enum Mapped {
    /// The features themselves.
    Features(Tensor),
    /// Their logarithms, to be stabilised.
    Logarithms(Tensor),
}

/// Maps `x` `[batch, heads, tokens, head_dim]`; `parameters` `[heads, …]` are those of
/// [`feature_start`](AttentionKernel::feature_start), where the kernel has any. None for softmax.
pub(super) fn map(kernel: AttentionKernel, x: &Tensor, parameters: Option<&Tensor>) -> Result<Option<Mapped>> {
    let own = || match parameters {
        Some(values) => Ok(Parameters { values }),
        None => candle_core::bail!("the kernel {kernel} has parameters"),
    };
    Ok(Some(match kernel {
        AttentionKernel::Softmax => return Ok(None),
        AttentionKernel::Relu => Mapped::Features((x.relu()? + RELU_EPSILON)?),
        AttentionKernel::Exp => Mapped::Logarithms(x.clone()),
        AttentionKernel::Softplus => Mapped::Features(softplus_mixture(x, &own()?)?),
        AttentionKernel::Tempered => Mapped::Logarithms(tempered(x, &own()?)?),
        AttentionKernel::Rational => Mapped::Features(rational(x, &own()?)?),
        AttentionKernel::Focused => Mapped::Features(focused(x, &own()?)?),
        AttentionKernel::Hedgehog => {
            let projected = affine(x, &own()?)?;
            Mapped::Logarithms(Tensor::cat(&[&projected, &projected.neg()?], D::Minus1)?)
        }
        AttentionKernel::Projection => {
            let half = (x.sqr()?.sum_keepdim(D::Minus1)? * 0.5)?;
            Mapped::Logarithms(affine(x, &own()?)?.broadcast_sub(&half)?)
        }
    }))
}

/// The values that a head's map takes along each coordinate, f(u·e_l)_l, mean over l: for elementwise kernels f(u) itself;
/// for focused maps with the other coordinates at 1.
/// A row for each of the heads of `parameters` `[heads, …]` (one head for fixed kernels), a column for each u; none for
/// softmax.
///
/// # Errors
/// The device fails.
pub fn shape(
    kernel: AttentionKernel,
    head_dim: usize,
    parameters: Option<&Tensor>,
    points: &[f32],
) -> Result<Option<Vec<Vec<f32>>>> {
    let device = &candle_core::Device::Cpu;
    let heads = parameters.map_or(Ok(1), |parameters| parameters.dim(0))?;
    // A power that keeps the norm changes nothing along an axis: its other coordinates are 1.
    let rest = if kernel == AttentionKernel::Focused { 1.0 } else { 0.0 };
    let mut along = vec![rest; points.len() * head_dim * head_dim];
    for (block, u) in along.chunks_exact_mut(head_dim * head_dim).zip(points) {
        block.iter_mut().step_by(head_dim + 1).for_each(|value| *value = *u);
    }
    let x = Tensor::from_vec(along, (1, 1, points.len() * head_dim, head_dim), device)?;
    let x = x.broadcast_as((1, heads, points.len() * head_dim, head_dim))?.contiguous()?;
    let features = match map(kernel, &x, parameters)? {
        None => return Ok(None),
        Some(Mapped::Features(features)) => features,
        Some(Mapped::Logarithms(logarithms)) => logarithms.exp()?,
    };
    let width = features.dim(D::Minus1)?;
    let features: Vec<f32> = features.flatten_all()?.to_vec1()?;
    let mean = |block: &[f32]| (0..head_dim).map(|l| block[l * width + l]).sum::<f32>() / head_dim as f32;
    let head = |values: &[f32]| values.chunks_exact(head_dim * width).map(mean).collect();
    Ok(Some(features.chunks_exact(points.len() * head_dim * width).map(head).collect()))
}

/// The parameters of every head's map, `[heads, …]`.
struct Parameters<'a> {
    values: &'a Tensor,
}

impl Parameters<'_> {
    /// Number `index` of each head, to be broadcast over `[batch, heads, tokens, head_dim]`.
    fn scalar(&self, index: usize) -> Result<Tensor> {
        self.values.narrow(1, index, 1)?.reshape((1, (), 1, 1))
    }

    /// Number `index` of each head, made positive.
    fn positive(&self, index: usize) -> Result<Tensor> {
        softplus(&self.scalar(index)?)
    }
}

/// ln(1 + eˣ) without overflow; its slope is the logistic function everywhere.
fn softplus(x: &Tensor) -> Result<Tensor> {
    let top = x.relu()?.detach();
    ((x - &top)?.exp()? + top.neg()?.exp()?)?.log()? + top
}

/// Σ_k a_k softplus(b_k u + c_k)/b_k + 1e-3.
fn softplus_mixture(u: &Tensor, parameters: &Parameters<'_>) -> Result<Tensor> {
    let mut sum = (u.zeros_like()? + RELU_EPSILON)?;
    for k in 0..3 {
        let (a, b) = (parameters.positive(k)?, parameters.positive(3 + k)?);
        let inside = u.broadcast_mul(&b)?.broadcast_add(&parameters.scalar(6 + k)?)?;
        sum = (sum + softplus(&inside)?.broadcast_mul(&(a / b)?)?)?;
    }
    Ok(sum)
}

/// a u − c² u².
fn tempered(u: &Tensor, parameters: &Parameters<'_>) -> Result<Tensor> {
    let bend = u.sqr()?.broadcast_mul(&parameters.scalar(1)?.sqr()?)?;
    u.broadcast_mul(&parameters.scalar(0)?)? - bend
}

/// softplus(P(u)/(1 + |Q(u)|)) + 1e-3.
fn rational(u: &Tensor, parameters: &Parameters<'_>) -> Result<Tensor> {
    // Horner's rule from the highest coefficient down.
    let polynomial = |coefficients: std::ops::Range<usize>| {
        let mut sum = u.zeros_like()?;
        for index in coefficients.rev() {
            sum = (sum * u)?.broadcast_add(&parameters.scalar(index)?)?;
        }
        Ok::<_, candle_core::Error>(sum)
    };
    let below = ((polynomial(6..10)? * u)?.abs()? + 1.0)?;
    softplus(&(polynomial(0..6)? / below)?)? + RELU_EPSILON
}

/// |r|·r^p/|r^p| with r = max(x, 0) + 1e-3, p = 1 + softplus(θ). r is divided by its largest coordinate before the power,
/// which cancels.
fn focused(x: &Tensor, parameters: &Parameters<'_>) -> Result<Tensor> {
    let r = (x.relu()? + RELU_EPSILON)?;
    let length = r.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    let relative = r.broadcast_div(&r.max_keepdim(D::Minus1)?.detach())?;
    let power = (parameters.positive(0)? + 1.0)?;
    let sharp = relative.log()?.broadcast_mul(&power)?.exp()?;
    let sharp_length = sharp.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    sharp.broadcast_mul(&length.broadcast_div(&sharp_length)?)
}

/// Wx + b with each head's own W and b.
fn affine(x: &Tensor, parameters: &Parameters<'_>) -> Result<Tensor> {
    let (_, heads, _, dim) = x.dims4()?;
    let weight = parameters.values.narrow(1, 0, dim * dim)?.reshape((1, heads, dim, dim))?;
    let bias = parameters.values.narrow(1, dim * dim, dim)?.reshape((1, heads, 1, dim))?;
    x.broadcast_matmul(&weight.transpose(2, 3)?.contiguous()?)?.broadcast_add(&bias)
}
