//! Two estimators of exp(x·y) combined with a weight that is affine in the angle between x and y.
//!
//! K̂ = λ̂ K̂₁ + (1 − λ̂) K̂₂ with K̂₁ from positive or hyperbolic features (exact at x = −y), K̂₂ from trigonometric ones
//! (exact at x = y), and λ̂ = a + b·p̂, where p̂ estimates angle(x, y)/π from n sign features: a random hyperplane
//! separates x and y with probability angle/π (Goemans & Williamson 1995). λ̂ multiplies the *first* part and grows with
//! the angle; with the parts swapped the estimate stays unbiased but is worst where it should be best. Unbiased for every
//! (a, b), since the signs are independent of both parts.
//!
//! After Choromanski et al. 2022 (hybrid random features).

mod optimum;
mod theory;

pub use optimum::{Best, best, best_with_b};
pub use theory::{HybridTheory, Parts, maximum, pair_parts, sphere_pair};

use super::{FeatureMap, Projection, RandomFeatures, Sketch};
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate, s};
use rand::Rng;

/// The weight λ = a + b·p of the first part, p = angle/π.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weight {
    /// λ at angle 0.
    pub a: f64,
    /// What λ gains from angle 0 to angle π.
    pub b: f64,
}

impl Weight {
    /// λ = p: the one choice that is exact at both ends on a sphere.
    pub const ANGLE: Self = Self { a: 0.0, b: 1.0 };

    /// λ at p = angle/π.
    #[must_use]
    pub fn at(self, p: f64) -> f64 {
        self.a + self.b * p
    }
}

/// How a hybrid is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct HybridSpec {
    /// The first part: [`FeatureMap::Positive`] or [`FeatureMap::Hyperbolic`]; the second is trigonometric.
    pub first: FeatureMap,
    /// Rows of both parts' projections.
    pub projection: Projection,
    /// Projections of the first part.
    pub m1: usize,
    /// Projections of the second part.
    pub m2: usize,
    /// Sign features.
    pub n: usize,
    /// The weight.
    pub weight: Weight,
    /// Whether both parts take the same projections (m1 = m2).
    pub shared: bool,
}

impl HybridSpec {
    /// Columns of the low-rank feature map with signs: (n + 1)(f₁ + f₂).
    #[must_use]
    pub fn features(&self) -> usize {
        (self.n + 1) * self.part_features()
    }

    /// The same with `m` projections of each part.
    #[must_use]
    pub fn of(&self, m: usize) -> Self {
        Self { m1: m, m2: m, ..self.clone() }
    }

    /// f₁ + f₂: columns of both parts alone.
    #[must_use]
    pub fn part_features(&self) -> usize {
        self.first.features(self.m1) + FeatureMap::Trigonometric.features(self.m2)
    }

    /// Draws projections and hyperplanes for vectors of length `d`.
    ///
    /// # Panics
    /// Shared projections with m1 ≠ m2, or what [`Projection::draw`] refuses.
    #[must_use]
    pub fn draw(&self, d: usize, rng: &mut impl Rng) -> Hybrid {
        assert!(!self.shared || self.m1 == self.m2, "shared projections are as many for both parts");
        let first = self.projection.draw(self.m1, d, rng);
        let second = if self.shared { first.clone() } else { self.projection.draw(self.m2, d, rng) };
        Hybrid {
            weight: self.weight,
            first: RandomFeatures { map: self.first.clone(), projections: first },
            second: RandomFeatures { map: FeatureMap::Trigonometric, projections: second },
            // Signs need Gaussian hyperplanes: with ±1 entries ties w·x = 0 occur and the probability is not angle/π.
            hyperplanes: Projection::Gaussian.draw(self.n, d, rng),
        }
    }
}

/// A drawn hybrid.
#[derive(Clone, Debug)]
pub struct Hybrid {
    weight: Weight,
    first: RandomFeatures,
    second: RandomFeatures,
    /// n×d.
    hyperplanes: Array2<f64>,
}

impl Hybrid {
    /// n^(−½)·sgn(g_i·x), L×n, with sgn(0) = 1.
    fn signs(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        let unit = 1.0 / (self.hyperplanes.nrows().max(1) as f64).sqrt();
        x.dot(&self.hyperplanes.t()).mapv(|product| if product < 0.0 { -unit } else { unit })
    }

    /// The coefficients of φ₁·φ₁, (τ⊗φ₁)·(τ⊗φ₁), φ₂·φ₂, (τ⊗φ₂)·(τ⊗φ₂): λ̂ = c₀ + c₁ τ·τ with c₀ = a + b/2, c₁ = −b/2.
    fn coefficients(&self) -> [f64; 4] {
        let Weight { a, b } = self.weight;
        // Without hyperplanes the weight is the constant a + b/2.
        let [c0, c1] = [a + b / 2.0, if self.hyperplanes.is_empty() { 0.0 } else { -b / 2.0 }];
        [c0, c1, 1.0 - c0, -c1]
    }

    /// The estimates of exp(x_i·y_i) for row i of `x` and row i of `y` (both L×d), from the definition: without the
    /// low-rank form.
    #[must_use]
    pub fn pairs(&self, x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Array1<f64> {
        let [first, second] = [&self.first, &self.second].map(|part| pairs(part, x, y));
        let lambda = if self.hyperplanes.is_empty() {
            Array1::from_elem(x.nrows(), self.weight.at(0.5))
        } else {
            let agreement = (&self.signs(x) * &self.signs(y)).sum_axis(Axis(1));
            agreement.mapv(|agreement| self.weight.at((1.0 - agreement) / 2.0))
        };
        &lambda * &first + (1.0 - &lambda) * &second
    }

    /// The blocks [√|c₀|φ₁, √|c₁|τ⊗φ₁, √|c₂|φ₂, √|c₃|τ⊗φ₂], each times the sign of its coefficient where `signed`.
    fn map(&self, x: ArrayView2<'_, f64>, signed: bool) -> Array2<f64> {
        let tau = self.signs(x);
        let coefficients = self.coefficients();
        let mut blocks = Vec::with_capacity(4);
        for (part, pair) in [&self.first, &self.second].into_iter().zip(coefficients.chunks_exact(2)) {
            let features = part.queries(x);
            let scale = |c: f64| c.abs().sqrt() * if signed { c.signum() } else { 1.0 };
            blocks.push(&features * scale(pair[0]));
            blocks.push(tensor(&(&tau * scale(pair[1])), &features));
        }
        let views: Vec<_> = blocks.iter().map(|block| block.view()).collect();
        concatenate(Axis(1), &views).unwrap_or_else(|_| unreachable!("blocks have a row a token"))
    }
}

/// K̂ = Φ_q Φ_kᵀ: the signs of the coefficients stand with the queries.
impl Sketch for Hybrid {
    fn queries(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        self.map(x, true)
    }

    fn keys(&self, y: ArrayView2<'_, f64>) -> Array2<f64> {
        self.map(y, false)
    }

    fn features(&self) -> usize {
        (self.hyperplanes.nrows() + 1) * (self.first.features() + self.second.features())
    }
}

/// The hybrid with λ = p without subtractions: p̂ = Σ_i (1[+]·1[−] + 1[−]·1[+])/n and 1 − p̂ = Σ_i (1[+]·1[+] + 1[−]·1[−])/n
/// are inner products of indicators, so the λ̂K̂₁ half is non-negative. 2n(f₁ + f₂) features.
#[derive(Clone, Debug)]
pub struct SignFree(Hybrid);

impl SignFree {
    /// The sign-free form of `hybrid`; none unless (a, b) = (0, 1) and there are sign features.
    #[must_use]
    pub fn new(hybrid: &Hybrid) -> Option<Self> {
        (hybrid.weight == Weight::ANGLE && !hybrid.hyperplanes.is_empty()).then(|| Self(hybrid.clone()))
    }

    /// Indicators of the two sides, L×2n; `crossed` swaps the sides for the first part.
    fn map(&self, x: ArrayView2<'_, f64>, crossed: bool) -> Array2<f64> {
        let tau = self.0.signs(x);
        let n = tau.ncols();
        let unit = 1.0 / (n as f64).sqrt();
        let sides = |plus: f64, minus: f64| {
            let mut sides = Array2::zeros((tau.nrows(), 2 * n));
            sides.slice_mut(s![.., ..n]).assign(&tau.mapv(|t| if t > 0.0 { plus } else { minus }));
            sides.slice_mut(s![.., n..]).assign(&tau.mapv(|t| if t > 0.0 { minus } else { plus }));
            sides * unit
        };
        let straight = sides(1.0, 0.0);
        let first = if crossed { sides(0.0, 1.0) } else { straight.clone() };
        let blocks = [tensor(&first, &self.0.first.queries(x)), tensor(&straight, &self.0.second.queries(x))];
        concatenate(Axis(1), &blocks.each_ref().map(|block| block.view()))
            .unwrap_or_else(|_| unreachable!("blocks have a row a token"))
    }
}

impl Sketch for SignFree {
    fn queries(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        self.map(x, false)
    }

    fn keys(&self, y: ArrayView2<'_, f64>) -> Array2<f64> {
        self.map(y, true)
    }

    fn features(&self) -> usize {
        2 * self.0.hyperplanes.nrows() * (self.0.first.features() + self.0.second.features())
    }
}

/// The estimates of exp(x_i·y_i) for row i of `x` and row i of `y` (both L×d).
#[must_use]
pub fn pairs(sketch: &impl Sketch, x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Array1<f64> {
    (sketch.queries(x) * sketch.keys(y)).sum_axis(Axis(1))
}

/// Row by row a_i ⊗ b_i: L × (A·B).
fn tensor(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    let mut out = Array2::zeros((a.nrows(), a.ncols() * b.ncols()));
    for ((mut out, a), b) in out.rows_mut().into_iter().zip(a.rows()).zip(b.rows()) {
        for (mut block, a) in out.exact_chunks_mut(b.len().max(1)).into_iter().zip(a) {
            block.assign(&(&b * *a));
        }
    }
    out
}
