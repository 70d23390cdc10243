//! What a kernel of linear attention is: one feature map f, in a composed and in a fused form, and how its parameters start.

use crate::vision::composed::primitives::softplus;
use crate::vision::fused::feature_map::HeadMap;
use candle_core::{Result, Tensor};

/// A kernel that weighs by A_ij = f(q_i)·f(k_j). The type is a unit: all that a kernel knows lies in its functions.
pub(in crate::vision) trait LinearKernel {
    /// The fused form, as a type.
    type Fused: HeadMap;

    /// The fused form.
    const FUSED: Self::Fused;

    /// What the other coordinates are while f is shown along one axis.
    const REST: f32 = 0.0;

    /// The parameters of one head's map as they start, for heads of width `head_dim`; none for a fixed map.
    fn start(_head_dim: usize) -> Vec<f32> {
        Vec::new()
    }

    /// The composed form: what f makes of queries or keys `x` `[batch, heads, tokens, head_dim]`.
    ///
    /// # Errors
    /// The shapes do not fit, or the parameters of a learned map are missing.
    fn composed(x: &Tensor, parameters: &MapParameters<'_>) -> Result<Mapped>;
}

/// Which rows of a head a map is applied to, where that makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vision) enum HeadSide {
    Queries,
    Keys,
}

/// What a map makes of queries or keys, `[batch, heads, tokens, features]`.
pub(in crate::vision) enum Mapped {
    /// The features themselves.
    Features(Tensor),
    /// Their logarithms, to be stabilised.
    Logarithms(Tensor),
}

/// The parameters of every head's map, `[heads, …]`; none for a fixed map.
pub(in crate::vision) struct MapParameters<'a>(pub Option<&'a Tensor>);

impl MapParameters<'_> {
    fn values(&self) -> Result<&Tensor> {
        match self.0 {
            Some(values) => Ok(values),
            None => candle_core::bail!("the parameters of a learned feature map are missing"),
        }
    }

    /// Number `index` of each head, to be broadcast over `[batch, heads, tokens, head_dim]`.
    pub fn scalar(&self, index: usize) -> Result<Tensor> {
        self.values()?.narrow(1, index, 1)?.reshape((1, (), 1, 1))
    }

    /// The softplus of number `index` of each head, which is positive.
    pub fn positive(&self, index: usize) -> Result<Tensor> {
        softplus(&self.scalar(index)?)
    }

    /// Wx + b with each head's own W `[rows, d]` by rows, then b `[rows]`, which are all numbers from number `first` on.
    pub fn affine(&self, x: &Tensor, first: usize) -> Result<Tensor> {
        let (_, heads, _, dim) = x.dims4()?;
        let rows = (self.values()?.dim(1)? - first) / (dim + 1);
        let weight = self.values()?.narrow(1, first, rows * dim)?.reshape((1, heads, rows, dim))?;
        let bias = self.values()?.narrow(1, first + rows * dim, rows)?.reshape((1, heads, 1, rows))?;
        x.broadcast_matmul(&weight.transpose(2, 3)?.contiguous()?)?.broadcast_add(&bias)
    }
}

/// The number whose softplus is `value`: how a parameter that is made positive starts.
pub(in crate::vision) fn inverse_softplus(value: f32) -> f32 {
    value.exp_m1().ln()
}
