//! Maps with a head's own projection z = Wx + b: e = (z, −z), both signs (Hedgehog, Zhang et al. 2024), and e = z − |x|²/2
//! (positive features with learned projections, after Choromanski et al. 2021).
//!
//! ∂L/∂x = Wᵀ ∂L/∂z, ∂L/∂W = ∂L/∂z xᵀ, ∂L/∂b = ∂L/∂z; for the latter map ∂L/∂x also has −x·Σ_l ∂L/∂e_l.

use crate::vision::fused::feature_map::{Exponential, Head, HeadSize, LogFeature};
use crate::vision::fused::register::{add, add_column_sums, padded, transpose, vectorize};
use crate::vision::fused::tile::{Into, Left, Size, multiply};
use crate::vision::kernel::linear::{LinearKernel, MapParameters, Mapped};
use crate::vision::kernel::norms::{add_rows, negative_sums, squared_norms, subtract_halves};
use candle_core::{D, Result, Tensor};
use pulp::Simd;

/// z for rows `[tokens, width]`: `[tokens, …]` of as many numbers as b has, padded. `parameters` are W by rows, then b.
pub(super) fn project<S: Simd>(simd: S, size: HeadSize, parameters: &[f32], u: &[f32]) -> Vec<f32> {
    let HeadSize { tokens, dim, width, .. } = size;
    let rows = parameters.len() / (dim + 1);
    let z_width = padded(rows);
    let (weight, bias) = parameters.split_at(rows * dim);
    let mut turned = vec![0.0; dim * z_width];
    transpose(weight, rows, dim, dim, &mut turned, z_width);
    let mut z = vec![0.0; tokens * z_width];
    for row in z.chunks_exact_mut(z_width) {
        row[..rows].copy_from_slice(bias);
    }
    vectorize(
        simd,
        #[inline(always)]
        || {
            let size = Size { rows: tokens, depth: dim, columns: z_width };
            multiply(simd, size, Left::rows(u, width), &turned, &mut z, Into::Add);
        },
    );
    z
}

/// Writes the gradient of `u`, given that of z.
pub(super) fn project_back_rows<S: Simd>(
    simd: S,
    size: HeadSize,
    parameters: &[f32],
    z_gradient: &[f32],
    u_gradient: &mut [f32],
) {
    let HeadSize { tokens, dim, width, .. } = size;
    let rows = parameters.len() / (dim + 1);
    let z_width = padded(rows);
    let mut weight = vec![0.0; rows * width];
    for (padded, row) in weight.chunks_exact_mut(width).zip(parameters.chunks_exact(dim)) {
        padded[..dim].copy_from_slice(row);
    }
    vectorize(
        simd,
        #[inline(always)]
        || {
            let back = Size { rows: tokens, depth: rows, columns: width };
            multiply(simd, back, Left::rows(z_gradient, z_width), &weight, u_gradient, Into::Overwrite);
        },
    );
}

/// Writes the gradient of `u` and adds that of W and b, given that of z.
pub(super) fn project_back<S: Simd>(
    simd: S,
    size: HeadSize,
    parameters: &[f32],
    u: &[f32],
    z_gradient: &[f32],
    u_gradient: &mut [f32],
    parameters_gradient: &mut [f32],
) {
    let HeadSize { tokens, dim, width, .. } = size;
    let rows = parameters.len() / (dim + 1);
    let z_width = padded(rows);
    project_back_rows(simd, size, parameters, z_gradient, u_gradient);
    let mut weight_gradient = vec![0.0; rows * width];
    let mut bias_gradient = vec![0.0; z_width];
    vectorize(
        simd,
        #[inline(always)]
        || {
            let outer = Size { rows, depth: tokens, columns: width };
            multiply(simd, outer, Left::transposed(z_gradient, z_width), u, &mut weight_gradient, Into::Overwrite);
        },
    );
    add_column_sums(simd, z_gradient, &mut bias_gradient);
    let (weights, biases) = parameters_gradient.split_at_mut(rows * dim);
    for (into, row) in weights.chunks_exact_mut(dim).zip(weight_gradient.chunks_exact(width)) {
        add(simd, &row[..dim], into);
    }
    add(simd, &bias_gradient[..rows], biases);
}

/// Both signs of a projection.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct Hedgehog;

impl LogFeature for Hedgehog {
    fn features(&self, dim: usize) -> usize {
        2 * dim
    }

    fn forward<S: Simd>(&self, simd: S, head: Head<'_>, u: &[f32], exponents: &mut [f32]) {
        let HeadSize { dim, width, feature_width, .. } = head.size;
        let z = project(simd, head.size, head.parameters, u);
        for (z, e) in z.chunks_exact(width).zip(exponents.chunks_exact_mut(feature_width)) {
            for (index, z) in z[..dim].iter().enumerate() {
                e[index] = *z;
                e[dim + index] = -z;
            }
        }
    }

    fn backward<S: Simd>(
        &self,
        simd: S,
        head: Head<'_>,
        u: &[f32],
        gradient: &[f32],
        u_gradient: &mut [f32],
        parameters_gradient: &mut [f32],
    ) {
        let HeadSize { tokens, dim, width, feature_width, .. } = head.size;
        let mut z_gradient = vec![0.0; tokens * width];
        for (z, e) in z_gradient.chunks_exact_mut(width).zip(gradient.chunks_exact(feature_width)) {
            for (index, z) in z[..dim].iter_mut().enumerate() {
                *z = e[index] - e[dim + index];
            }
        }
        project_back(simd, head.size, head.parameters, u, &z_gradient, u_gradient, parameters_gradient);
    }
}

/// Positive features with a learned projection.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct LearnedProjection;

impl LogFeature for LearnedProjection {
    fn forward<S: Simd>(&self, simd: S, head: Head<'_>, u: &[f32], exponents: &mut [f32]) {
        exponents.copy_from_slice(&project(simd, head.size, head.parameters, u));
        let norms = squared_norms(simd, head.size, u);
        subtract_halves(simd, head.size.width, &norms, exponents);
    }

    fn backward<S: Simd>(
        &self,
        simd: S,
        head: Head<'_>,
        u: &[f32],
        gradient: &[f32],
        u_gradient: &mut [f32],
        parameters_gradient: &mut [f32],
    ) {
        project_back(simd, head.size, head.parameters, u, gradient, u_gradient, parameters_gradient);
        let sums = negative_sums(simd, head.size.width, gradient);
        add_rows(simd, head.size, &sums, u, u_gradient);
    }
}

/// W starts at the identity, b at zero.
pub(super) fn identity(head_dim: usize) -> Vec<f32> {
    let identity = (0..head_dim * head_dim).map(|at| if at % (head_dim + 1) == 0 { 1.0 } else { 0.0 });
    identity.chain(std::iter::repeat_n(0.0, head_dim)).collect()
}

impl LinearKernel for Hedgehog {
    type Fused = Exponential<Self>;
    const FUSED: Exponential<Self> = Exponential(Self);

    fn start(head_dim: usize) -> Vec<f32> {
        identity(head_dim)
    }

    fn composed(x: &Tensor, parameters: &MapParameters<'_>) -> Result<Mapped> {
        let projected = parameters.affine(x, 0)?;
        Ok(Mapped::Logarithms(Tensor::cat(&[&projected, &projected.neg()?], D::Minus1)?))
    }
}

impl LinearKernel for LearnedProjection {
    type Fused = Exponential<Self>;
    const FUSED: Exponential<Self> = Exponential(Self);

    fn start(head_dim: usize) -> Vec<f32> {
        identity(head_dim)
    }

    fn composed(x: &Tensor, parameters: &MapParameters<'_>) -> Result<Mapped> {
        let half = (x.sqr()?.sum_keepdim(D::Minus1)? * 0.5)?;
        Ok(Mapped::Logarithms(parameters.affine(x, 0)?.broadcast_sub(&half)?))
    }
}
