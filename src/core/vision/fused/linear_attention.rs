//! Attention in linear form over one head: o_i = f(q_i)ᵀS / d_i with S = Σ_j f(k_j)v_jᵀ, ζ = Σ_j f(k_j), d_i = f(q_i)·ζ
//! (Katharopoulos et al. 2020; Choromanski et al. 2021).
//!
//! Backward, with g_i = ∂L/∂o_i / d_i and δ_i = −g_i·o_i = ∂L/∂d_i:
//! ```text
//! ∂L/∂f(q_i) = S g_i + δ_i ζ        ∂L/∂S = Σ_i f(q_i) g_iᵀ        ∂L/∂ζ = Σ_i δ_i f(q_i)
//! ∂L/∂f(k_j) = ∂L/∂S v_j + ∂L/∂ζ    ∂L/∂v_j = (∂L/∂S)ᵀ f(k_j)
//! ```

use super::feature_map::{Head, HeadMap, HeadShape, HeadSize, MapGradient, QueriesKeys, QueriesKeysMut};
use super::head::{HeadAttention, HeadGradient, carve};
use super::register::{load, multiply_add, store, transpose, vectorize};
use super::tile::{Into, Left, Size, multiply};
use pulp::Simd;

/// Linear attention with a feature map.
#[derive(Clone, Copy, Debug)]
pub(in crate::vision) struct LinearAttention<M> {
    map: M,
    size: HeadSize,
}

impl<M: HeadMap> LinearAttention<M> {
    pub fn new(map: M, shape: HeadShape) -> Self {
        Self { map, size: HeadSize::new(shape, map.features(shape.dim)) }
    }

    /// Lengths of what is kept: q, k, v, the masks of queries and keys, f(q), f(k), S, ζ, 1/d.
    fn kept(&self) -> [usize; 10] {
        let HeadSize { tokens, width, feature_width, mask_width, .. } = self.size;
        let (rows, masks, features) = (tokens * width, tokens * mask_width, tokens * feature_width);
        [rows, rows, rows, masks, masks, features, features, feature_width * width, feature_width, tokens]
    }

    /// Lengths of what backward needs: ∂f(q), ∂f(k), ∂S, Sᵀ or (∂S)ᵀ, ∂ζ.
    fn scratch_lengths(&self) -> [usize; 5] {
        let HeadSize { tokens, width, feature_width, .. } = self.size;
        let (features, square) = (tokens * feature_width, feature_width * width);
        [features, features, square, square, feature_width]
    }
}

impl<M: HeadMap> HeadAttention for LinearAttention<M> {
    fn kept_len(&self) -> usize {
        self.kept().iter().sum()
    }

    fn scratch_len(&self) -> usize {
        self.scratch_lengths().iter().sum()
    }

    fn not_positive(&self, kept: &mut [f32]) -> usize {
        if !self.map.counts_denominators() {
            return 0;
        }
        let [.., inverse] = carve(kept, self.kept());
        inverse.iter().filter(|inverse| inverse.is_nan() || **inverse <= 0.0).count()
    }

    fn forward<S: Simd>(&self, simd: S, parameters: &[f32], kept: &mut [f32], _: &mut [f32], out: &mut [f32]) {
        let [q, k, v, mask_q, mask_k, features_q, features_k, state, normaliser, inverse] = carve(kept, self.kept());
        let head = Head { size: self.size, parameters, masks: QueriesKeys { q: mask_q, k: mask_k } };
        self.map.forward(simd, head, QueriesKeys { q, k }, QueriesKeysMut { q: features_q, k: features_k });
        let features = QueriesKeys { q: &*features_q, k: &*features_k };
        attend(simd, self.size, features, v, HeadSums { state, normaliser, inverse }, out);
    }

    fn backward<S: Simd>(
        &self,
        simd: S,
        parameters: &[f32],
        kept: &mut [f32],
        scratch: &mut [f32],
        gradient: HeadGradient<'_>,
        parameters_gradient: &mut [f32],
    ) {
        let [q, k, v, mask_q, mask_k, features_q, features_k, state, normaliser, inverse] = carve(kept, self.kept());
        let [gradient_q, gradient_k, state_gradient, turned, normaliser_gradient] =
            carve(scratch, self.scratch_lengths());
        let HeadGradient { out, products, q: into_q, k: into_k, v: into_v, masks } = gradient;
        let sums = HeadSums { state, normaliser, inverse };
        let features = QueriesKeys { q: &*features_q, k: &*features_k };
        let into = FeatureGradient {
            q: gradient_q,
            k: gradient_k,
            v: into_v,
            state: state_gradient,
            normaliser: normaliser_gradient,
            turned,
        };
        differentiate(simd, self.size, features, v, sums, (out, products), into);
        self.map.backward(
            simd,
            Head { size: self.size, parameters, masks: QueriesKeys { q: mask_q, k: mask_k } },
            QueriesKeys { q, k },
            QueriesKeys { q: features_q, k: features_k },
            MapGradient {
                features: QueriesKeysMut { q: gradient_q, k: gradient_k },
                u: QueriesKeysMut { q: into_q, k: into_k },
                masks,
                parameters: parameters_gradient,
            },
        );
    }
}

/// S, ζ and 1/d.
struct HeadSums<'a> {
    state: &'a mut [f32],
    normaliser: &'a mut [f32],
    inverse: &'a mut [f32],
}

/// Gradients of the features and the values, and what they are made of: ∂S, ∂ζ, and room for Sᵀ or (∂S)ᵀ.
struct FeatureGradient<'a> {
    q: &'a mut [f32],
    k: &'a mut [f32],
    v: &'a mut [f32],
    state: &'a mut [f32],
    normaliser: &'a mut [f32],
    turned: &'a mut [f32],
}

/// Writes the sums and the output, given the features. Not a part of [`LinearAttention`], so that it is compiled once for each set of
/// instructions and not again for every map; so is [`differentiate`].
fn attend<S: Simd>(simd: S, size: HeadSize, features: QueriesKeys<'_>, v: &[f32], sums: HeadSums<'_>, out: &mut [f32]) {
    let HeadSize { tokens, width, features: count, feature_width, .. } = size;
    let QueriesKeys { q: features_q, k: features_k } = features;
    let HeadSums { state, normaliser, inverse } = sums;
    vectorize(
        simd,
        #[inline(always)]
        || {
            let lanes = S::F32_LANES;
            let size = Size { rows: count, depth: tokens, columns: width };
            multiply(simd, size, Left::transposed(features_k, feature_width), v, state, Into::Overwrite);
            for start in (0..feature_width).step_by(lanes) {
                let mut sum = simd.splat_f32s(0.0);
                for row in features_k.chunks_exact(feature_width) {
                    sum = simd.add_f32s(sum, load(simd, &row[start..]));
                }
                store(simd, &mut normaliser[start..], sum);
            }
            for (row, inverse) in features_q.chunks_exact(feature_width).zip(inverse.iter_mut()) {
                let mut sum = simd.splat_f32s(0.0);
                for (f, normaliser) in row.chunks_exact(lanes).zip(normaliser.chunks_exact(lanes)) {
                    sum = multiply_add(simd, load(simd, f), load(simd, normaliser), sum);
                }
                *inverse = 1.0 / simd.reduce_sum_f32s(sum);
            }
            let size = Size { rows: tokens, depth: count, columns: width };
            multiply(simd, size, Left::rows(features_q, feature_width), state, out, Into::Overwrite);
            for (row, inverse) in out.chunks_exact_mut(width).zip(inverse.iter()) {
                let inverse = simd.splat_f32s(*inverse);
                for part in row.chunks_exact_mut(lanes) {
                    store(simd, part, simd.mul_f32s(load(simd, part), inverse));
                }
            }
        },
    );
}

/// Writes the gradients of the features and the values, given those of the output (which becomes that by d) and its products with
/// the output (which become ∂L/∂d).
fn differentiate<S: Simd>(
    simd: S,
    size: HeadSize,
    features: QueriesKeys<'_>,
    v: &[f32],
    sums: HeadSums<'_>,
    (out, products): (&mut [f32], &mut [f32]),
    into: FeatureGradient<'_>,
) {
    let HeadSize { tokens, dim, width, features: count, feature_width, .. } = size;
    let QueriesKeys { q: features_q, k: features_k } = features;
    let HeadSums { state, normaliser, inverse } = sums;
    let FeatureGradient {
        q: gradient_q,
        k: gradient_k,
        v: into_v,
        state: state_gradient,
        normaliser: normaliser_gradient,
        turned,
    } = into;
    vectorize(
        simd,
        #[inline(always)]
        || {
            let lanes = S::F32_LANES;
            for ((row, product), inverse) in out.chunks_exact_mut(width).zip(products.iter_mut()).zip(inverse.iter()) {
                let factor = simd.splat_f32s(*inverse);
                for part in row.chunks_exact_mut(lanes) {
                    store(simd, part, simd.mul_f32s(load(simd, part), factor));
                }
                *product *= -*inverse;
            }
            let (scaled, change) = (&*out, &*products);

            for start in (0..feature_width).step_by(lanes) {
                let column = load(simd, &normaliser[start..]);
                let mut sum = simd.splat_f32s(0.0);
                let rows = features_q.chunks_exact(feature_width).zip(gradient_q.chunks_exact_mut(feature_width));
                for ((f, into), change) in rows.zip(change) {
                    let change = simd.splat_f32s(*change);
                    sum = multiply_add(simd, change, load(simd, &f[start..]), sum);
                    store(simd, &mut into[start..], simd.mul_f32s(change, column));
                }
                store(simd, &mut normaliser_gradient[start..], sum);
                for into in gradient_k.chunks_exact_mut(feature_width) {
                    store(simd, &mut into[start..], sum);
                }
            }

            turned.fill(0.0);
            transpose(state, count, width, width, turned, feature_width);
            let back = Size { rows: tokens, depth: dim, columns: feature_width };
            multiply(simd, back, Left::rows(scaled, width), turned, gradient_q, Into::Add);

            let outer = Size { rows: count, depth: tokens, columns: width };
            let left = Left::transposed(features_q, feature_width);
            multiply(simd, outer, left, scaled, state_gradient, Into::Overwrite);

            transpose(state_gradient, count, width, width, turned, feature_width);
            multiply(simd, back, Left::rows(v, width), turned, gradient_k, Into::Add);
            let size = Size { rows: tokens, depth: count, columns: width };
            multiply(simd, size, Left::rows(features_k, feature_width), state_gradient, into_v, Into::Overwrite);
        },
    );
}
