//! What the fused form of a linear attention kernel provides: its feature map's value and derivative.
//!
//! Linear attention weighs by A_ij = f(q_i)·f(k_j). A map turns the packed queries and keys of one head into features, and
//! the gradients of the features back into theirs and into those of the map's own parameters. A kernel implements one of
//! * [`Elementwise`]: f acts on each coordinate alike (relu);
//! * [`LogFeature`]: f(u) = exp(e(u)), which [`Exponential`] stabilises exactly (exp); [`LogEach`] makes one of an e that
//!   acts on each coordinate alike (elu);
//! * [`HeadMap`]: anything else.

use super::register::{exp, keep_first, load, padded, store, vectorize};
use crate::vision::composed::primitives::RELU_EPSILON;
use pulp::Simd;

/// The sizes of one head: its tokens, their coordinates, and those of the learned mask, 0 without one.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct HeadShape {
    pub tokens: usize,
    pub dim: usize,
    pub mask_dim: usize,
}

/// Rows of one head: queries, keys, values are `[tokens, width]`, features `[tokens, feature_width]`, masks
/// `[tokens, mask_width]`, with zeros after the first `dim`, `features` and `mask_dim` of a row. Without a mask its sizes
/// are 0.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct HeadSize {
    pub tokens: usize,
    pub dim: usize,
    pub width: usize,
    pub features: usize,
    pub feature_width: usize,
    pub mask_dim: usize,
    pub mask_width: usize,
}

impl HeadSize {
    pub const fn new(shape: HeadShape, features: usize) -> Self {
        let HeadShape { tokens, dim, mask_dim } = shape;
        let (width, feature_width, mask_width) = (padded(dim), padded(features), padded(mask_dim));
        Self { tokens, dim, width, features, feature_width, mask_dim, mask_width }
    }
}

/// A head's sizes, its map's parameters, and its masks, which are empty without one.
#[derive(Clone, Copy)]
pub(in crate::vision) struct Head<'a> {
    pub size: HeadSize,
    pub parameters: &'a [f32],
    pub masks: QueriesKeys<'a>,
}

/// Queries and keys of a head, or their features, or gradients of either.
#[derive(Clone, Copy)]
pub(in crate::vision) struct QueriesKeys<'a> {
    pub q: &'a [f32],
    pub k: &'a [f32],
}

/// As [`QueriesKeys`], to be written.
pub(in crate::vision) struct QueriesKeysMut<'a> {
    pub q: &'a mut [f32],
    pub k: &'a mut [f32],
}

/// Gradients a map turns into one another.
pub(in crate::vision) struct MapGradient<'a> {
    /// Of the features; may be overwritten.
    pub features: QueriesKeysMut<'a>,
    /// Of what the map is applied to, to be written.
    pub u: QueriesKeysMut<'a>,
    /// Of the masks, to be written; empty without a mask.
    pub masks: QueriesKeysMut<'a>,
    /// Of the map's parameters, to be added to.
    pub parameters: &'a mut [f32],
}

/// A map from the rows of a head to features, with its derivative.
pub(in crate::vision) trait HeadMap: Copy + Send + Sync {
    /// Features of a head of width `dim`.
    fn features(&self, dim: usize) -> usize {
        dim
    }

    /// Whether denominators that are not above 0 are to be counted; those of other maps are known to be.
    fn counts_denominators(&self) -> bool {
        false
    }

    /// Writes the features of `u`.
    fn forward<S: Simd>(&self, simd: S, head: Head<'_>, u: QueriesKeys<'_>, features: QueriesKeysMut<'_>);

    /// Turns the gradient of the features into that of `u`, and adds the parameters' own.
    fn backward<S: Simd>(
        &self,
        simd: S,
        head: Head<'_>,
        u: QueriesKeys<'_>,
        features: QueriesKeys<'_>,
        gradient: MapGradient<'_>,
    );
}

/// Most constants an elementwise map has.
pub(in crate::vision) const MOST_CONSTANTS: usize = 12;

/// [`RELU_EPSILON`] in single precision.
pub(in crate::vision) const EPSILON: f32 = RELU_EPSILON as f32;

/// A map that acts on each coordinate alike.
pub(in crate::vision) trait Elementwise: Copy + Send + Sync {
    /// The constants of f that a head's parameters stand for.
    fn constants(&self, _parameters: &[f32]) -> [f32; MOST_CONSTANTS] {
        [0.0; MOST_CONSTANTS]
    }

    /// f(u).
    fn value<S: Simd>(&self, simd: S, constants: &[f32; MOST_CONSTANTS], u: S::f32s) -> S::f32s;

    /// g·f′(u), given g; adds to `sums` what [`Self::parameters_gradient`] needs.
    fn derivative<S: Simd>(
        &self,
        simd: S,
        constants: &[f32; MOST_CONSTANTS],
        u: S::f32s,
        g: S::f32s,
        sums: &mut [S::f32s; MOST_CONSTANTS],
    ) -> S::f32s;

    /// Writes g·f′(u) for whole registers, given `(u, g, into)`; adds to `sums` as [`Self::derivative`] does.
    #[inline(always)]
    fn derivatives<S: Simd>(
        &self,
        simd: S,
        constants: &[f32; MOST_CONSTANTS],
        (u, g, into): (&[f32], &[f32], &mut [f32]),
        sums: &mut [S::f32s; MOST_CONSTANTS],
    ) {
        let lanes = S::F32_LANES;
        for ((u, g), into) in u.chunks_exact(lanes).zip(g.chunks_exact(lanes)).zip(into.chunks_exact_mut(lanes)) {
            store(simd, into, self.derivative(simd, constants, load(simd, u), load(simd, g), sums));
        }
    }

    /// Adds the gradient of the parameters, given the sums over all coordinates.
    fn parameters_gradient(
        &self,
        _parameters: &[f32],
        _constants: &[f32; MOST_CONSTANTS],
        _sums: &[f32; MOST_CONSTANTS],
        _gradient: &mut [f32],
    ) {
    }
}

/// An [`Elementwise`] map as a [`HeadMap`].
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct Each<E>(pub E);

impl<E: Elementwise> HeadMap for Each<E> {
    fn forward<S: Simd>(&self, simd: S, head: Head<'_>, u: QueriesKeys<'_>, features: QueriesKeysMut<'_>) {
        let constants = self.0.constants(head.parameters);
        vectorize(
            simd,
            #[inline(always)]
            || {
                let width = head.size.width;
                for (u, features) in [(u.q, &mut *features.q), (u.k, &mut *features.k)] {
                    for (u, f) in u.chunks_exact(width).zip(features.chunks_exact_mut(width)) {
                        for start in (0..width).step_by(S::F32_LANES) {
                            let value = self.0.value(simd, &constants, load(simd, &u[start..]));
                            let valid = head.size.dim.saturating_sub(start).min(S::F32_LANES);
                            store(simd, &mut f[start..], keep_first(simd, valid, value, simd.splat_f32s(0.0)));
                        }
                    }
                }
            },
        );
    }

    fn backward<S: Simd>(
        &self,
        simd: S,
        head: Head<'_>,
        u: QueriesKeys<'_>,
        _: QueriesKeys<'_>,
        gradient: MapGradient<'_>,
    ) {
        let constants = self.0.constants(head.parameters);
        let MapGradient { features: g, u: into, parameters, .. } = gradient;
        let sums = vectorize(
            simd,
            #[inline(always)]
            || {
                let mut sums = [simd.splat_f32s(0.0); MOST_CONSTANTS];
                for (u, g, into) in [(u.q, &*g.q, &mut *into.q), (u.k, &*g.k, &mut *into.k)] {
                    self.0.derivatives(simd, &constants, (u, g, into), &mut sums);
                }
                sums.map(|sum| simd.reduce_sum_f32s(sum))
            },
        );
        self.0.parameters_gradient(head.parameters, &constants, &sums, parameters);
    }
}

/// The exponent e of a positive map f(u) = exp(e(u)).
pub(in crate::vision) trait LogFeature: Copy + Send + Sync {
    /// Features of a head of width `dim`.
    fn features(&self, dim: usize) -> usize {
        dim
    }

    /// Writes e(u) for each row of `u`.
    fn forward<S: Simd>(&self, simd: S, head: Head<'_>, u: &[f32], exponents: &mut [f32]);

    /// Writes the gradient of `u` and adds that of the parameters, given that of e(u).
    fn backward<S: Simd>(
        &self,
        simd: S,
        head: Head<'_>,
        u: &[f32],
        gradient: &[f32],
        u_gradient: &mut [f32],
        parameters_gradient: &mut [f32],
    );
}

/// An exponent that acts on each coordinate alike as a [`LogFeature`]: [`Elementwise::value`] is e(u) and
/// [`Elementwise::derivative`] g·e′(u).
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct LogEach<E>(pub E);

impl<E: Elementwise> LogFeature for LogEach<E> {
    fn forward<S: Simd>(&self, simd: S, head: Head<'_>, u: &[f32], exponents: &mut [f32]) {
        let constants = self.0.constants(head.parameters);
        vectorize(
            simd,
            #[inline(always)]
            || {
                for (u, e) in u.chunks_exact(S::F32_LANES).zip(exponents.chunks_exact_mut(S::F32_LANES)) {
                    store(simd, e, self.0.value(simd, &constants, load(simd, u)));
                }
            },
        );
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
        let constants = self.0.constants(head.parameters);
        let sums = vectorize(
            simd,
            #[inline(always)]
            || {
                let mut sums = [simd.splat_f32s(0.0); MOST_CONSTANTS];
                self.0.derivatives(simd, &constants, (u, gradient, u_gradient), &mut sums);
                sums.map(|sum| simd.reduce_sum_f32s(sum))
            },
        );
        self.0.parameters_gradient(head.parameters, &constants, &sums, parameters_gradient);
    }
}

/// f(q) = exp(e(q) + c − r) and f(k) = exp(e(k) − c) with c_l = max_j e(k_j)_l and r_i = max_l (e(q_i)_l + c_l).
///
/// c cancels within each product and r within each row, so attention is exactly that of exp(e), no feature exceeds 1 and
/// the denominator is at least 1. Both are constants for the gradient, because the output does not depend on them:
/// ∂L/∂e = ∂L/∂f·f.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct Exponential<E>(pub E);

impl<E: LogFeature> HeadMap for Exponential<E> {
    fn features(&self, dim: usize) -> usize {
        self.0.features(dim)
    }

    fn forward<S: Simd>(&self, simd: S, head: Head<'_>, u: QueriesKeys<'_>, features: QueriesKeysMut<'_>) {
        self.0.forward(simd, head, u.q, features.q);
        self.0.forward(simd, head, u.k, features.k);
        stabilise(simd, head.size, features);
    }

    fn backward<S: Simd>(
        &self,
        simd: S,
        head: Head<'_>,
        u: QueriesKeys<'_>,
        features: QueriesKeys<'_>,
        gradient: MapGradient<'_>,
    ) {
        multiply_by(simd, gradient.features.q, features.q);
        multiply_by(simd, gradient.features.k, features.k);
        let MapGradient { features, u: into, parameters, .. } = gradient;
        self.0.backward(simd, head, u.q, features.q, into.q, parameters);
        self.0.backward(simd, head, u.k, features.k, into.k, parameters);
    }
}

/// Turns exponents into features in place, as [`Exponential`] does.
pub(in crate::vision) fn stabilise<S: Simd>(simd: S, size: HeadSize, features: QueriesKeysMut<'_>) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            let (width, lanes) = (size.feature_width, S::F32_LANES);
            let lowest = simd.splat_f32s(f32::MIN);
            let zero = simd.splat_f32s(0.0);
            for start in (0..size.features).step_by(lanes) {
                let valid = lanes.min(size.features - start);
                let mut top = lowest;
                for row in features.k.chunks_exact(width) {
                    top = simd.max_f32s(top, load(simd, &row[start..]));
                }
                for row in features.k.chunks_exact_mut(width) {
                    let value = exp(simd, simd.sub_f32s(load(simd, &row[start..]), top));
                    store(simd, &mut row[start..], keep_first(simd, valid, value, zero));
                }
                for row in features.q.chunks_exact_mut(width) {
                    let value = simd.add_f32s(load(simd, &row[start..]), top);
                    store(simd, &mut row[start..], keep_first(simd, valid, value, lowest));
                }
            }
            for row in features.q.chunks_exact_mut(width) {
                let mut top = lowest;
                for part in row[..size.features.next_multiple_of(lanes)].chunks_exact(lanes) {
                    top = simd.max_f32s(top, load(simd, part));
                }
                let top = simd.splat_f32s(simd.reduce_max_f32s(top));
                for start in (0..size.features).step_by(lanes) {
                    let valid = lanes.min(size.features - start);
                    let value = exp(simd, simd.sub_f32s(load(simd, &row[start..]), top));
                    store(simd, &mut row[start..], keep_first(simd, valid, value, zero));
                }
                row[size.features..].fill(0.0);
            }
        },
    );
}

/// Multiplies `values` by `factors`, both whole registers.
pub(in crate::vision) fn multiply_by<S: Simd>(simd: S, values: &mut [f32], factors: &[f32]) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            for (value, factor) in values.chunks_exact_mut(S::F32_LANES).zip(factors.chunks_exact(S::F32_LANES)) {
                store(simd, value, simd.mul_f32s(load(simd, value), load(simd, factor)));
            }
        },
    );
}
