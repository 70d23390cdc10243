//! Feature maps as curves to look at.

use crate::vision::kernel::Attention;
use crate::vision::kernel::linear::{HeadSide, Mapped};
use candle_core::{D, Device, Result, Tensor};

/// The values that a head's map takes along each coordinate, f(u·e_l)_l, mean over l: for elementwise kernels f(u) itself;
/// for focused maps with the other coordinates at 1, for maps that know places at the first token.
/// A row for each of the heads of `parameters` `[heads, …]` (one head for fixed kernels), a column for each u; none for
/// softmax and the identity.
///
/// # Errors
/// The device fails.
pub fn shape(
    attention: impl Into<Attention>,
    head_dim: usize,
    parameters: Option<&Tensor>,
    points: &[f32],
) -> Result<Option<Vec<Vec<f32>>>> {
    let (attention, device) = (attention.into(), &Device::Cpu);
    let parameters = parameters.map(|parameters| parameters.to_device(device)).transpose()?;
    let parameters = parameters.as_ref();
    let heads = parameters.map_or(Ok(1), |parameters| parameters.dim(0))?;
    let mut along = vec![attention.rest(); points.len() * head_dim * head_dim];
    for (block, u) in along.chunks_exact_mut(head_dim * head_dim).zip(points) {
        block.iter_mut().step_by(head_dim + 1).for_each(|value| *value = *u);
    }
    // A map that knows places sees each point as the first token of a sequence of its own.
    let rows = points.len() * head_dim;
    let (batch, tokens) = if attention.knows_places() { (rows, 1) } else { (1, rows) };
    let x = Tensor::from_vec(along, (batch, 1, tokens, head_dim), device)?;
    let x = x.broadcast_as((batch, heads, tokens, head_dim))?.contiguous()?;
    let features = match attention.map(&x, parameters, HeadSide::Queries, None)? {
        None => return Ok(None),
        Some(Mapped::Features(features)) => features,
        Some(Mapped::Logarithms(logarithms)) => logarithms.exp()?,
    };
    let features = if attention.knows_places() { features.transpose(0, 2)?.contiguous()? } else { features };
    let width = features.dim(D::Minus1)?;
    let features: Vec<f32> = features.flatten_all()?.to_vec1()?;
    let mean = |block: &[f32]| (0..head_dim).map(|l| block[l * width + l]).sum::<f32>() / head_dim as f32;
    let head = |values: &[f32]| values.chunks_exact(head_dim * width).map(mean).collect();
    Ok(Some(features.chunks_exact(points.len() * head_dim * width).map(head).collect()))
}
