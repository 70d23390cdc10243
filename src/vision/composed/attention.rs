//! Attention from differentiable primitives, over queries, keys and values `[batch, heads, tokens, head_dim]`.
//!
//! The linear kernels weigh by A_ij = f(q_i)·f(k_j) and use (f(Q) (f(K)ᵀ V)) / (f(Q) Σ_j f(k_j)), so that the cost grows
//! with the number of tokens and not with its square (Katharopoulos et al. 2020; Choromanski et al. 2021). No random
//! features are drawn. f is fixed, or learned with parameters for each head.

use super::primitives::softmax;
use crate::vision::kernel::Attention;
use crate::vision::kernel::linear::Mapped;
use candle_core::{D, Result, Tensor};

/// The output of attention, `[batch, heads, tokens, head_dim]`; `parameters` `[heads, …]` are those of a learned kernel's
/// feature map ([`feature_start`](Attention::feature_start)).
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
    let Some((q, k)) = features(attention.into(), parameters, q, k)? else {
        return softmax_weights(q, k)?.matmul(v);
    };
    let sum = k.sum_keepdim(2)?;
    let weighted = q.matmul(&k.transpose(2, 3)?.contiguous()?.matmul(v)?)?;
    weighted.broadcast_div(&q.broadcast_mul(&sum)?.sum_keepdim(D::Minus1)?)
}

/// The attention matrix itself, rows summing to one, `[batch, heads, tokens, tokens]`: exact for softmax,
/// f(Q)f(K)ᵀ with its rows normalised otherwise.
///
/// # Errors
/// The shapes do not fit.
pub fn weights(attention: impl Into<Attention>, parameters: Option<&Tensor>, q: &Tensor, k: &Tensor) -> Result<Tensor> {
    let Some((q, k)) = features(attention.into(), parameters, q, k)? else {
        return softmax_weights(q, k);
    };
    let products = q.matmul(&k.transpose(2, 3)?.contiguous()?)?;
    products.broadcast_div(&products.sum_keepdim(D::Minus1)?)
}

fn softmax_weights(q: &Tensor, k: &Tensor) -> Result<Tensor> {
    let scale = 1.0 / (q.dim(D::Minus1)? as f64).sqrt();
    softmax(&(q.matmul(&k.transpose(2, 3)?.contiguous()?)? * scale)?)
}

/// f(Q) and f(K) of a linear kernel, up to factors that cancel in the ratio; none for softmax.
fn features(
    attention: Attention,
    parameters: Option<&Tensor>,
    q: &Tensor,
    k: &Tensor,
) -> Result<Option<(Tensor, Tensor)>> {
    match (attention.map(q, parameters)?, attention.map(k, parameters)?) {
        (Some(Mapped::Features(q)), Some(Mapped::Features(k))) => Ok(Some((q, k))),
        (Some(Mapped::Logarithms(q)), Some(Mapped::Logarithms(k))) => Ok(Some(exponentials(&q, &k)?)),
        _ => Ok(None),
    }
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
