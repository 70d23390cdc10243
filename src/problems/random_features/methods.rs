//! What can be picked as an estimator: a feature family, or a hybrid of two.

use crate::attention::hybrid::{HybridSpec, Weight};
use crate::attention::{AttentionError, Family, FeatureMap, Inputs, Projection};
use crate::lab::Params;

/// An estimator by name, before the data are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Estimator {
    /// One feature family.
    Family(Family),
    /// Two families weighed by the angle.
    Hybrid,
}

/// An estimator fitted to the data.
#[derive(Clone, Debug)]
pub(super) enum Method {
    /// One feature map.
    Features(FeatureMap),
    /// Two feature maps weighed by the angle, each on m projections.
    Hybrid(HybridSpec),
}

impl Estimator {
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "hybrid" { Some(Self::Hybrid) } else { Family::from_name(name).map(Self::Family) }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Family(family) => family.name(),
            Self::Hybrid => "hybrid",
        }
    }

    /// Whether it works on `projection`.
    pub fn check(self, projection: Projection) -> Result<(), AttentionError> {
        match self {
            Self::Family(family) => family.check(projection),
            Self::Hybrid if !projection.is_gaussian() => Err(AttentionError::Combination {
                estimator: self.name(),
                projection: projection.name(),
                reason: "its parts must be unbiased to be weighed",
            }),
            Self::Hybrid => Ok(()),
        }
    }

    /// What a reader should know of the pair.
    pub const fn caveat(self, projection: Projection) -> Option<&'static str> {
        match self {
            Self::Family(family) => family.caveat(projection),
            Self::Hybrid => Some(
                "hybrid: m counts the projections of each part, features all of (n + 1)(f₁ + f₂) columns: compare at equal features",
            ),
        }
    }

    /// Fits it to `inputs`.
    pub fn fit(self, inputs: &Inputs, params: &Params) -> Result<Method, AttentionError> {
        match self {
            Self::Family(family) => family.fit(inputs, params.text("gerf_a").parse().ok()).map(Method::Features),
            Self::Hybrid => Ok(Method::Hybrid(hybrid(params))),
        }
    }

    /// Columns of Φ for m projections.
    pub fn features(self, m: usize, params: &Params) -> usize {
        match self {
            Self::Family(family) => m * family.features_per_projection(),
            Self::Hybrid => hybrid(params).of(m).features(),
        }
    }
}

/// The hybrid of `params` with one projection a part; its rows are those of the estimator's curve.
fn hybrid(params: &Params) -> HybridSpec {
    HybridSpec {
        first: if params.text("hybrid_first") == "positive" { FeatureMap::Positive } else { FeatureMap::Hyperbolic },
        projection: Projection::Gaussian,
        m1: 1,
        m2: 1,
        n: params.size("hybrid_n"),
        weight: Weight { a: params.float("hybrid_a"), b: params.float("hybrid_b") },
        shared: false,
    }
}

impl Method {
    /// The same on another kind of projection.
    pub fn on(self, projection: Projection) -> Self {
        match self {
            Self::Features(map) => Self::Features(map),
            Self::Hybrid(spec) => Self::Hybrid(HybridSpec { projection, ..spec }),
        }
    }

    /// Columns of Φ for m projections.
    pub fn features(&self, m: usize) -> usize {
        match self {
            Self::Features(map) => map.features(m),
            Self::Hybrid(spec) => spec.of(m).features(),
        }
    }
}
