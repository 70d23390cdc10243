//! One random draw of a masked estimator, and the features it gives.

use super::estimator::{Gate, MaskedEstimator};
use crate::attention::kernel::{Float, exp_shifted};
use crate::attention::linear::Features;
use crate::attention::{AttentionError, Sketch};
use crate::memory::{self, OutOfMemory};
use crate::product::product;
use crate::random::Generator;
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis, NdFloat, s};
use rand::Rng;
use rand::distr::weighted::WeightedIndex;
use rand_distr::{Distribution, StandardNormal};
use std::ops::Range;

/// A drawn estimator: the same features for queries and for keys. `f64` to study it, `f32` to stream it.
#[derive(Clone, Debug)]
pub struct MaskedSketch<T> {
    /// W, \[m, d\].
    projections: Array2<T>,
    /// The largest length of a row of W.
    reach: T,
    mask: MaskPart<T>,
    mask_dim: usize,
    features: usize,
}

#[derive(Clone, Debug)]
enum MaskPart<T> {
    /// φ(x) ⊗ a.
    Outer,
    /// φ_i(x)·(r_i·a), rows r_i \[M, d_v\].
    Dense(Array2<T>),
    /// φ_i(x)·a_j·c with (j, c) for each feature.
    Pick(Vec<(usize, T)>),
    /// Two count sketches, (bucket, sign) for each projection and for each mask coordinate, convolved circularly.
    Hashed { of_token: Vec<(usize, T)>, of_mask: Vec<(usize, T)> },
}

impl MaskedEstimator {
    /// Draws the estimator.
    ///
    /// # Errors
    /// What [`crate::attention::Projection::draw`] refuses, or there is not enough memory.
    pub fn draw(&self, rng: &mut Generator) -> Result<MaskedSketch<f64>, AttentionError> {
        let (features, mask_dim) = (self.features(), self.mask_dim);
        let projections = self.projection.draw(self.projections(), self.dim, rng)?;
        let root = (features as f64).sqrt();
        let mask = match &self.gate {
            Gate::Tensor { .. } => MaskPart::Outer,
            Gate::Projection { signs, .. } => {
                let mut rows = memory::array((features, mask_dim), 0.0, "the projections of the mask")?;
                rows.mapv_inplace(|_: f64| {
                    let entry: f64 = if *signs { sign(rng) } else { StandardNormal.sample(rng) };
                    entry / root
                });
                MaskPart::Dense(rows)
            }
            Gate::Coordinate { probabilities, .. } => {
                // Probabilities come checked: non-negative with a positive sum.
                let picks = WeightedIndex::new(probabilities).unwrap_or_else(|_| unreachable!("checked probabilities"));
                let pick = |j: usize| (j, 1.0 / (probabilities[j].sqrt() * root));
                MaskPart::Pick((0..features).map(|_| pick(picks.sample(rng))).collect())
            }
            Gate::Stratified { allocation } => MaskPart::Pick(
                allocation
                    .iter()
                    .enumerate()
                    .flat_map(|(j, count)| std::iter::repeat_n((j, 1.0 / (*count as f64).sqrt()), *count))
                    .collect(),
            ),
            Gate::Hashed { projections, buckets } => {
                let mut hash =
                    |count: usize| (0..count).map(|_| (rng.random_range(0..*buckets), sign(rng))).collect::<Vec<_>>();
                MaskPart::Hashed { of_token: hash(*projections), of_mask: hash(mask_dim) }
            }
        };
        let reach = projections.rows().into_iter().map(|row| row.dot(&row)).fold(0.0, f64::max).sqrt();
        Ok(MaskedSketch { projections, reach, mask, mask_dim, features })
    }
}

fn sign(rng: &mut Generator) -> f64 {
    if rng.random::<bool>() { 1.0 } else { -1.0 }
}

/// e^value, infinite where the format does not hold it.
fn exp<T: NdFloat>(value: T) -> T {
    value.exp()
}

impl<T: NdFloat + Float> MaskedSketch<T> {
    /// The number of features M.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// Features \[L, M\] of state-scaled tokens `x` \[L, d\] with their non-negative masks `a` \[L, d_v\].
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn map(&self, x: ArrayView2<T>, a: ArrayView2<T>) -> Result<Array2<T>, OutOfMemory> {
        let mut out = memory::array((x.nrows(), self.features), T::zero(), "the features")?;
        self.write(x, a, out.view_mut())?;
        Ok(out)
    }

    /// Writes the features of `x` and `a` into `out` \[L, M\].
    fn write(&self, x: ArrayView2<T>, a: ArrayView2<T>, mut out: ArrayViewMut2<T>) -> Result<(), OutOfMemory> {
        match &self.mask {
            MaskPart::Dense(rows) => {
                self.positive(x, out.view_mut(), 0.0);
                let mut gates = memory::array(out.dim(), T::zero(), "the projected masks")?;
                product(a, rows.t(), gates.view_mut(), T::zero());
                out *= &gates;
            }
            MaskPart::Pick(picks) => {
                self.positive(x, out.view_mut(), 0.0);
                for (mut row, mask) in out.outer_iter_mut().zip(a.outer_iter()) {
                    for (feature, (j, scale)) in row.iter_mut().zip(picks) {
                        *feature *= mask[*j] * *scale;
                    }
                }
            }
            MaskPart::Outer => {
                let tokens = self.scaled_positive(x)?;
                let mut out = out
                    .into_shape_with_order((x.nrows(), tokens.ncols(), self.mask_dim))
                    .unwrap_or_else(|_| unreachable!("rows of features lie side by side"));
                for ((mut row, token), mask) in out.outer_iter_mut().zip(tokens.outer_iter()).zip(a.outer_iter()) {
                    for (mut group, token) in row.outer_iter_mut().zip(token) {
                        group.assign(&mask);
                        group.map_inplace(|value| *value *= *token);
                    }
                }
            }
            MaskPart::Hashed { of_token, of_mask } => {
                let tokens = self.scaled_positive(x)?;
                let mut sketched = vec![T::zero(); self.features];
                for ((mut row, token), mask) in out.outer_iter_mut().zip(tokens.outer_iter()).zip(a.outer_iter()) {
                    sketched.fill(T::zero());
                    for (value, (bucket, sign)) in token.iter().zip(of_token) {
                        sketched[*bucket] += *value * *sign;
                    }
                    row.fill(T::zero());
                    // The mask's sketch has at most d_v entries, so the convolution is d_v shifted copies: exact, and no
                    // slower than three transforms of length M.
                    for (value, (bucket, sign)) in mask.iter().zip(of_mask).filter(|(value, _)| **value != T::zero()) {
                        let scale = *value * *sign;
                        let (straight, wrapped) = sketched.split_at(self.features - bucket);
                        row.slice_mut(s![*bucket..]).scaled_add(scale, &ArrayView1::from(straight));
                        row.slice_mut(s![..*bucket]).scaled_add(scale, &ArrayView1::from(wrapped));
                    }
                }
            }
        }
        Ok(())
    }

    /// exp(w_i·x − |x|²/2 + `log_scale`) into `out` \[L, m\].
    fn positive(&self, x: ArrayView2<T>, mut out: ArrayViewMut2<T>, log_scale: f64) {
        product(x, self.projections.t(), out.view_mut(), T::zero());
        for (mut row, x) in out.outer_iter_mut().zip(x.outer_iter()) {
            let squared = x.dot(&x).to();
            let shift = log_scale - squared / 2.0;
            // The fast exponential clamps; it is left where this bound on the exponents says that it might have to.
            let spread = self.reach.to() * squared.sqrt();
            let fits = shift + spread < T::SPREAD && shift - spread > -T::SPREAD;
            match row.as_slice_mut() {
                Some(row) if fits => exp_shifted(row, T::of(shift)),
                _ => row.map_inplace(|value| *value = exp(*value + T::of(shift))),
            }
        }
    }

    /// Positive features \[L, m\] with their 1/√m, where the mask's part carries no scale.
    fn scaled_positive(&self, x: ArrayView2<T>) -> Result<Array2<T>, OutOfMemory> {
        let m = self.projections.nrows();
        let mut tokens = memory::array((x.nrows(), m), T::zero(), "the positive features under the mask")?;
        self.positive(x, tokens.view_mut(), -(m as f64).ln() / 2.0);
        Ok(tokens)
    }
}

impl MaskedSketch<f64> {
    /// The same draw in 32 bits.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn to_f32(&self) -> Result<MaskedSketch<f32>, OutOfMemory> {
        let single = |values: &Array2<f64>| -> Result<Array2<f32>, OutOfMemory> {
            let mut out = memory::array(values.dim(), 0.0, "the projections in 32 bits")?;
            out.zip_mut_with(values, |out, value| *out = *value as f32);
            Ok(out)
        };
        let each = |pairs: &[(usize, f64)]| pairs.iter().map(|(j, value)| (*j, *value as f32)).collect();
        Ok(MaskedSketch {
            projections: single(&self.projections)?,
            reach: self.reach as f32,
            mask: match &self.mask {
                MaskPart::Outer => MaskPart::Outer,
                MaskPart::Dense(rows) => MaskPart::Dense(single(rows)?),
                MaskPart::Pick(picks) => MaskPart::Pick(each(picks)),
                MaskPart::Hashed { of_token, of_mask } => {
                    MaskPart::Hashed { of_token: each(of_token), of_mask: each(of_mask) }
                }
            },
            mask_dim: self.mask_dim,
            features: self.features,
        })
    }

    /// Tokens and masks side by side, \[L, d + d_v\], taken apart.
    fn map_joined(&self, joined: ArrayView2<f64>) -> Result<Array2<f64>, AttentionError> {
        let (x, a) = joined.split_at(Axis(1), self.projections.ncols());
        Ok(self.map(x, a)?)
    }
}

/// The common interface of estimators: a row is a token followed by its mask, d + d_v numbers.
impl Sketch for MaskedSketch<f64> {
    fn queries(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, AttentionError> {
        self.map_joined(x)
    }

    fn keys(&self, y: ArrayView2<'_, f64>) -> Result<Array2<f64>, AttentionError> {
        self.map_joined(y)
    }

    fn features(&self) -> usize {
        self.features
    }
}

/// Tokens with masks under a drawn estimator: features for [`crate::attention::linear::linear`], written when needed.
#[derive(Clone, Copy, Debug)]
pub struct MaskedTokens<'a> {
    /// The draw.
    pub sketch: &'a MaskedSketch<f32>,
    /// State-scaled tokens \[L, d\].
    pub tokens: ArrayView2<'a, f32>,
    /// Masks \[L, d_v\].
    pub masks: ArrayView2<'a, f32>,
}

impl Features for MaskedTokens<'_> {
    fn tokens(&self) -> usize {
        self.tokens.nrows()
    }

    fn features(&self) -> usize {
        self.sketch.features
    }

    fn write(&self, rows: Range<usize>, into: ArrayViewMut2<f32>) -> Result<(), OutOfMemory> {
        self.sketch.write(self.tokens.slice(s![rows.clone(), ..]), self.masks.slice(s![rows, ..]), into)
    }

    fn scratch(&self, rows: usize) -> usize {
        match &self.sketch.mask {
            MaskPart::Outer => rows * self.sketch.projections.nrows(),
            MaskPart::Dense(_) => rows * self.sketch.features,
            MaskPart::Pick(_) => 0,
            MaskPart::Hashed { .. } => rows * self.sketch.projections.nrows() + self.sketch.features,
        }
    }
}
