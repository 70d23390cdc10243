//! How a hybrid is put together: its parts, sign features and weight.

use crate::attention::{AttentionError, FeatureMap, Projection};

/// The name of hybrids in parameters.
pub const NAME: &str = "hybrid";

/// Whether a hybrid works on rows of `projection`.
///
/// # Errors
/// [`AttentionError::Combination`]: the rows leave its parts biased.
pub const fn check(projection: Projection) -> Result<(), AttentionError> {
    if projection.is_gaussian() {
        return Ok(());
    }
    Err(AttentionError::Combination {
        estimator: NAME,
        projection: projection.name(),
        reason: "its parts must be unbiased to be weighed",
    })
}

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

    /// The coefficients of φ₁·φ₁, (τ⊗φ₁)·(τ⊗φ₁), φ₂·φ₂, (τ⊗φ₂)·(τ⊗φ₂) with τ of so many hyperplanes:
    /// λ̂ = c₀ + c₁ τ·τ with c₀ = a + b/2, c₁ = −b/2. Without hyperplanes the weight is the constant a + b/2.
    #[must_use]
    pub fn coefficients(self, hyperplanes: usize) -> [f64; 4] {
        let Self { a, b } = self;
        let [c0, c1] = [a + b / 2.0, if hyperplanes == 0 { 0.0 } else { -b / 2.0 }];
        [c0, c1, 1.0 - c0, -c1]
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
}
