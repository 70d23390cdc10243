//! One random draw of a hybrid, and the features it gives.

use super::spec::{HybridSpec, Weight};
use crate::attention::feature_map::inner_products;
use crate::attention::{AttentionError, FeatureMap, Projection, RandomFeatures, Sketch};
use crate::memory;
use crate::random::Generator;
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2, Axis, s};

/// A drawn hybrid.
#[derive(Clone, Debug)]
pub struct HybridSketch {
    weight: Weight,
    first: RandomFeatures,
    second: RandomFeatures,
    /// n×d.
    hyperplanes: Array2<f64>,
}

impl HybridSpec {
    /// Draws projections and hyperplanes for vectors of length `d`.
    ///
    /// # Errors
    /// What [`Projection::draw`] refuses.
    ///
    /// # Panics
    /// Shared projections with m1 ≠ m2.
    pub fn draw(&self, d: usize, rng: &mut Generator) -> Result<HybridSketch, AttentionError> {
        assert!(!self.shared || self.m1 == self.m2, "shared projections are as many for both parts");
        let first = self.projection.draw(self.m1, d, rng)?;
        let second = if self.shared {
            let mut copy = memory::array(first.dim(), 0.0, "the projections of the second part")?;
            copy.assign(&first);
            copy
        } else {
            self.projection.draw(self.m2, d, rng)?
        };
        Ok(HybridSketch {
            weight: self.weight,
            first: RandomFeatures { map: self.first.clone(), projections: first },
            second: RandomFeatures { map: FeatureMap::Trigonometric, projections: second },
            // Signs need Gaussian hyperplanes: with ±1 entries ties w·x = 0 occur and the probability is not angle/π.
            hyperplanes: Projection::Gaussian.draw(self.n, d, rng)?,
        })
    }
}

impl HybridSketch {
    /// The first part and the second.
    pub(in crate::attention) const fn parts(&self) -> (&RandomFeatures, &RandomFeatures) {
        (&self.first, &self.second)
    }

    /// n^(−½)·sgn(g_i·x), L×n, with sgn(0) = 1.
    pub(in crate::attention) fn signs(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, AttentionError> {
        let unit = 1.0 / (self.hyperplanes.nrows().max(1) as f64).sqrt();
        let products = inner_products(x, self.hyperplanes.view(), "the signs of the hybrid")?;
        Ok(products.mapv_into(|product| if product < 0.0 { -unit } else { unit }))
    }

    /// The coefficients of its parts, see [`Weight::coefficients`].
    pub(in crate::attention) fn coefficients(&self) -> [f64; 4] {
        self.weight.coefficients(self.hyperplanes.nrows())
    }

    /// The estimates of exp(x_i·y_i) for row i of `x` and row i of `y` (both L×d), from the definition: without the
    /// low-rank form.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn pairs(&self, x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Result<Array1<f64>, AttentionError> {
        let [first, second] = [pairs(&self.first, x, y)?, pairs(&self.second, x, y)?];
        let lambda = if self.hyperplanes.is_empty() {
            Array1::from_elem(x.nrows(), self.weight.at(0.5))
        } else {
            let agreement = (self.signs(x)? * &self.signs(y)?).sum_axis(Axis(1));
            agreement.mapv(|agreement| self.weight.at((1.0 - agreement) / 2.0))
        };
        Ok(&lambda * &first + (1.0 - &lambda) * &second)
    }

    /// The blocks [√|c₀|φ₁, √|c₁|τ⊗φ₁, √|c₂|φ₂, √|c₃|τ⊗φ₂], each times the sign of its coefficient where `signed`.
    fn map(&self, x: ArrayView2<'_, f64>, signed: bool) -> Result<Array2<f64>, AttentionError> {
        let tau = self.signs(x)?;
        let coefficients = self.coefficients();
        let mut out = memory::array((x.nrows(), self.features()), 0.0, "the features of the hybrid")?;
        let mut rest = out.view_mut();
        for (part, pair) in [&self.first, &self.second].into_iter().zip(coefficients.chunks_exact(2)) {
            let features = part.queries(x)?;
            let scale = |c: f64| c.abs().sqrt() * if signed { c.signum() } else { 1.0 };
            let width = features.ncols();
            let (mut plain, tail) = rest.split_at(Axis(1), width);
            let constant = scale(pair[0]);
            plain.zip_mut_with(&features, |out, feature| *out = feature * constant);
            let (mut signs, tail) = tail.split_at(Axis(1), tau.ncols() * width);
            write_tensor(&(&tau * scale(pair[1])), &features, signs.view_mut());
            rest = tail;
        }
        Ok(out)
    }
}

/// K̂ = Φ_q Φ_kᵀ: the signs of the coefficients stand with the queries.
impl Sketch for HybridSketch {
    fn queries(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, AttentionError> {
        self.map(x, true)
    }

    fn keys(&self, y: ArrayView2<'_, f64>) -> Result<Array2<f64>, AttentionError> {
        self.map(y, false)
    }

    fn features(&self) -> usize {
        (self.hyperplanes.nrows() + 1) * (self.first.features() + self.second.features())
    }
}

/// The estimates of exp(x_i·y_i) for row i of `x` and row i of `y` (both L×d).
///
/// # Errors
/// There is not enough memory.
pub fn pairs(
    sketch: &dyn Sketch,
    x: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
) -> Result<Array1<f64>, AttentionError> {
    let mut products = sketch.queries(x)?;
    products *= &sketch.keys(y)?;
    Ok(products.sum_axis(Axis(1)))
}

/// Writes a_i ⊗ b_i row by row into `out`: L × (A·B).
fn write_tensor(a: &Array2<f64>, b: &Array2<f64>, mut out: ArrayViewMut2<'_, f64>) {
    let width = b.ncols();
    for ((mut out, a), b) in out.rows_mut().into_iter().zip(a.rows()).zip(b.rows()) {
        for (i, a) in a.iter().enumerate() {
            out.slice_mut(s![i * width..(i + 1) * width]).zip_mut_with(&b, |out, b| *out = b * a);
        }
    }
}
