//! e(u) = u, so that f = exp: no approximation of softmax, but a kernel of its own, Σ_l exp(q_l + k_l).

use super::{Head, LogFeature};
use pulp::Simd;

/// The exponent itself.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Identity;

impl LogFeature for Identity {
    fn forward<S: Simd>(&self, _: S, _: Head<'_>, u: &[f32], exponents: &mut [f32]) {
        exponents.copy_from_slice(u);
    }

    fn backward<S: Simd>(&self, _: S, _: Head<'_>, _: &[f32], gradient: &[f32], u_gradient: &mut [f32], _: &mut [f32]) {
        u_gradient.copy_from_slice(gradient);
    }
}
