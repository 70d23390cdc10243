//! How a hybrid is put together: its parts, sign features and weight.

use crate::attention::{FeatureMap, Projection};

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
}
