//! Attention from differentiable primitives, over queries, keys and values `[batch, heads, tokens, head_dim]`.
//!
//! The linear kernels weigh by A_ij = f(q_i)·f(k_j) and use (f(Q) (f(K)ᵀ V)) / (f(Q) Σ_j f(k_j)), so that the cost grows
//! with the number of tokens and not with its square (Katharopoulos et al. 2020; Choromanski et al. 2021). f is fixed, learned
//! with parameters for each head, or made of drawn projections. A learned mask multiplies the kernel by a_i·b_j + 0.001.

use super::primitives::{RELU_EPSILON, softmax};
use crate::vision::kernel::Attention;
use crate::vision::kernel::linear::{HeadSide, Mapped};
use crate::vision::precision::Precision;
use candle_core::{D, Result, Tensor};

/// What attention is computed from, `[batch, heads, tokens, head_dim]` each, and the coordinates of the learned masks of
/// queries and keys where there are any, `[batch, heads, tokens, mask_dim]` each, which are not negative.
#[derive(Clone, Debug)]
pub struct AttentionInputs {
    /// Queries, not scaled.
    pub queries: Tensor,
    /// Keys.
    pub keys: Tensor,
    /// Values.
    pub values: Tensor,
    /// Masks of queries and keys.
    pub masks: Option<[Tensor; 2]>,
    /// How products with them are computed.
    pub precision: Precision,
}

impl AttentionInputs {
    /// Those of one head.
    pub(super) fn head(&self, head: usize) -> Result<Self> {
        self.each(|all| all.narrow(1, head, 1)?.contiguous())
    }

    fn each(&self, part: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
        Ok(Self {
            queries: part(&self.queries)?,
            keys: part(&self.keys)?,
            values: part(&self.values)?,
            masks: self.masks.as_ref().map(|[q, k]| Ok::<_, candle_core::Error>([part(q)?, part(k)?])).transpose()?,
            precision: self.precision,
        })
    }

    fn turned_keys(&self) -> Result<Tensor> {
        self.keys.transpose(2, 3)?.contiguous()
    }

    /// The output of attention, `[batch, heads, tokens, head_dim]`; `parameters` `[heads, …]` are those of the feature map.
    ///
    /// # Errors
    /// The shapes do not fit.
    pub fn attend(&self, attention: Attention, parameters: Option<&Tensor>) -> Result<Tensor> {
        if attention.is_identity() {
            return Ok(self.values.clone());
        }
        let Some((q, k)) = self.features(attention, parameters)? else {
            return self.precision.product(&self.softmax_weights()?, &self.values);
        };
        let sum = k.sum_keepdim(2)?;
        let gathered = self.precision.product(&k.transpose(2, 3)?.contiguous()?, &self.values)?;
        let weighted = self.precision.product(&q, &gathered)?;
        weighted.broadcast_div(&q.broadcast_mul(&sum)?.sum_keepdim(D::Minus1)?)
    }

    /// The attention matrix itself, rows summing to one, `[batch, heads, tokens, tokens]`: exact for softmax and the identity,
    /// f(Q)f(K)ᵀ with its rows normalised otherwise.
    ///
    /// # Errors
    /// The shapes do not fit.
    pub fn weights(&self, attention: Attention, parameters: Option<&Tensor>) -> Result<Tensor> {
        if attention.is_identity() {
            let (batch, heads, tokens, _) = self.queries.dims4()?;
            let identity = Tensor::eye(tokens, self.queries.dtype(), self.queries.device())?;
            return identity.broadcast_as((batch, heads, tokens, tokens))?.contiguous();
        }
        let Some((q, k)) = self.features(attention, parameters)? else {
            return self.softmax_weights();
        };
        let products = self.precision.product(&q, &k.transpose(2, 3)?.contiguous()?)?;
        products.broadcast_div(&products.sum_keepdim(D::Minus1)?)
    }

    /// What the learned masks multiply the kernel by, a_i·b_j + 0.001, `[batch, heads, tokens, tokens]`; none without masks.
    ///
    /// # Errors
    /// The device fails.
    pub fn gates(&self) -> Result<Option<Tensor>> {
        let Some([a, b]) = &self.masks else { return Ok(None) };
        Ok(Some((a.matmul(&b.transpose(2, 3)?.contiguous()?)? + RELU_EPSILON)?))
    }

    fn softmax_weights(&self) -> Result<Tensor> {
        let scale = 1.0 / (self.queries.dim(D::Minus1)? as f64).sqrt();
        let scores = (self.precision.product(&self.queries, &self.turned_keys()?)? * scale)?;
        match self.gates()? {
            Some(gates) => softmax(&(scores + gates.log()?)?),
            None => softmax(&scores),
        }
    }

    /// f(Q) and f(K) of a linear kernel, up to factors that cancel in the ratio; none for softmax and the identity.
    fn features(&self, attention: Attention, parameters: Option<&Tensor>) -> Result<Option<(Tensor, Tensor)>> {
        let mask = |side: usize| self.masks.as_ref().map(|masks| &masks[side]);
        let queries = attention.map(&self.queries, parameters, HeadSide::Queries, mask(0))?;
        let keys = attention.map(&self.keys, parameters, HeadSide::Keys, mask(1))?;
        match (queries, keys) {
            (Some(Mapped::Features(q)), Some(Mapped::Features(k))) => Ok(Some((q, k))),
            (Some(Mapped::Logarithms(q)), Some(Mapped::Logarithms(k))) => Ok(Some(exponentials(&q, &k)?)),
            _ => Ok(None),
        }
    }
}

/// The output of attention without a mask, `[batch, heads, tokens, head_dim]`; `parameters` `[heads, …]` are those of the
/// feature map.
///
/// # Errors
/// The shapes do not fit.
pub fn attend(
    attention: impl Into<Attention>,
    parameters: Option<&Tensor>,
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
) -> Result<Tensor> {
    let [queries, keys, values] = [q, k, v].map(Clone::clone);
    AttentionInputs { queries, keys, values, masks: None, precision: Precision::F32 }
        .attend(attention.into(), parameters)
}

/// The attention matrix without a mask, see [`AttentionInputs::weights`].
///
/// # Errors
/// The shapes do not fit.
pub fn weights(attention: impl Into<Attention>, parameters: Option<&Tensor>, q: &Tensor, k: &Tensor) -> Result<Tensor> {
    let [queries, keys, values] = [q, k, k].map(Clone::clone);
    AttentionInputs { queries, keys, values, masks: None, precision: Precision::F32 }
        .weights(attention.into(), parameters)
}

/// The features exp(q), exp(k) of log features q, k, as exp(q + c − r) and exp(k − c) with c_l = max_j k_jl and r_i = max_l (q_il + c_l): c cancels within each product and r
/// within each row, so the ratio is exactly that of exp(q), exp(k), no feature exceeds 1 and the denominator is at least
/// 1. Both are constants for the gradient, because the value does not depend on them.
fn exponentials(q: &Tensor, k: &Tensor) -> Result<(Tensor, Tensor)> {
    let c = k.max_keepdim(2)?.detach();
    let shifted = q.broadcast_add(&c)?;
    let r = shifted.max_keepdim(D::Minus1)?.detach();
    Ok((shifted.broadcast_sub(&r)?.exp()?, k.broadcast_sub(&c)?.exp()?))
}
