//! The fused network as candle operations: candle owns θ, its gradient and its optimiser.

use super::vit::FusedVit;
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use std::sync::{Arc, Mutex, PoisonError};

/// Mean cross-entropy of `patches` `[batch, tokens, patch_dim]` under `theta`, as a scalar whose backward gives the
/// gradient of `theta`. Both passes run at once and the gradient waits in the result, so each call stands for itself.
///
/// # Errors
/// A tensor has another shape, is not contiguous f32 on the CPU, or a label is not below the number of classes.
pub fn loss(vit: &Arc<FusedVit>, patches: &Tensor, theta: &Tensor, labels: &[u32], smoothing: f32) -> Result<Tensor> {
    let (batch, classes) = (patches.dim(0)?, vit.config().classes);
    if batch == 0 || labels.len() != batch {
        bail!("{} labels for a batch of {batch}", labels.len());
    }
    if let Some(label) = labels.iter().find(|label| **label as usize >= classes) {
        bail!("label {label} of {classes} classes");
    }
    let operation = Loss { vit: Arc::clone(vit), labels: labels.to_vec(), smoothing, gradient: Mutex::new(Vec::new()) };
    patches.apply_op2(theta, operation)
}

/// Logits `[batch, classes]` of `patches` `[batch, tokens, patch_dim]` under `theta`; no gradient flows.
///
/// # Errors
/// A tensor has another shape or is not contiguous f32 on the CPU.
pub fn logits(vit: &Arc<FusedVit>, patches: &Tensor, theta: &Tensor) -> Result<Tensor> {
    patches.apply_op2_no_bwd(theta, &Logits { vit: Arc::clone(vit) })
}

/// The numbers of a contiguous f32 tensor.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let values = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&values[start..end]),
        None => bail!("the fused kernels need contiguous tensors"),
    }
}

/// Checks the shapes of `patches` and `theta`; returns the batch.
fn check(vit: &FusedVit, patches: &Layout, theta: &Layout) -> Result<usize> {
    let config = vit.config();
    let (batch, tokens, patch_dim) = patches.shape().dims3()?;
    if (tokens, patch_dim) != (config.tokens(), config.patch_dim()) {
        bail!("patches of {tokens} tokens × {patch_dim} for a model of {} × {}", config.tokens(), config.patch_dim());
    }
    if theta.shape().elem_count() != vit.parameters() {
        bail!("{} parameters for a model of {}", theta.shape().elem_count(), vit.parameters());
    }
    Ok(batch)
}

struct Loss {
    vit: Arc<FusedVit>,
    labels: Vec<u32>,
    smoothing: f32,
    gradient: Mutex<Vec<f32>>,
}

impl CustomOp2 for Loss {
    fn name(&self) -> &'static str {
        "fused-vit-loss"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        check(&self.vit, l1, l2)?;
        let mut gradient = self.gradient.lock().unwrap_or_else(PoisonError::into_inner);
        gradient.resize(self.vit.parameters(), 0.0);
        let loss =
            self.vit.loss_and_gradient(values(s2, l2)?, values(s1, l1)?, &self.labels, self.smoothing, &mut gradient);
        Ok((CpuStorage::F32(vec![loss]), Shape::from(())))
    }

    fn bwd(
        &self,
        _: &Tensor,
        theta: &Tensor,
        _: &Tensor,
        upstream: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut gradient = self.gradient.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let factor = upstream.to_scalar::<f32>()?;
        if factor != 1.0 {
            for value in &mut gradient {
                *value *= factor;
            }
        }
        Ok((None, Some(Tensor::from_vec(gradient, theta.shape(), theta.device())?)))
    }
}

struct Logits {
    vit: Arc<FusedVit>,
}

impl CustomOp2 for Logits {
    fn name(&self) -> &'static str {
        "fused-vit-logits"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let batch = check(&self.vit, l1, l2)?;
        let classes = self.vit.config().classes;
        let mut out = vec![0.0; batch * classes];
        self.vit.logits(values(s2, l2)?, values(s1, l1)?, &mut out);
        Ok((CpuStorage::F32(out), Shape::from((batch, classes))))
    }
}
