//! Estimators by name: a feature family fitted to the data on a kind of projection.

use super::theory::optimal;
use super::{AttentionError, FeatureMap, Inputs, Projection};

/// A feature family before its constants are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// [`FeatureMap::Positive`].
    Positive,
    /// [`FeatureMap::Hyperbolic`].
    Hyperbolic,
    /// [`FeatureMap::Trigonometric`].
    Trigonometric,
    /// [`FeatureMap::Gerf`].
    Gerf,
    /// [`FeatureMap::Sderf`].
    Sderf,
}

impl Family {
    /// Every family, in the order of menus.
    pub const ALL: [Self; 5] = [Self::Positive, Self::Hyperbolic, Self::Trigonometric, Self::Gerf, Self::Sderf];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Hyperbolic => "hyperbolic",
            Self::Trigonometric => "trigonometric",
            Self::Gerf => "gerf",
            Self::Sderf => "sderf",
        }
    }

    /// The family called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// Columns of Φ for one projection.
    #[must_use]
    pub const fn features_per_projection(self) -> usize {
        match self {
            Self::Hyperbolic | Self::Trigonometric => 2,
            Self::Positive | Self::Gerf | Self::Sderf => 1,
        }
    }

    /// Whether the family works on `projection` at all.
    ///
    /// # Errors
    /// [`AttentionError::Combination`] with the reason. Generalised exponential features weigh by exp(A|w|²), whose mean
    /// is right for Gaussian w only: with |w|² fixed the estimate is of another matrix.
    pub const fn check(self, projection: Projection) -> Result<(), AttentionError> {
        match self {
            Self::Gerf | Self::Sderf if !projection.is_gaussian() => Err(AttentionError::Combination {
                estimator: self.name(),
                projection: projection.name(),
                reason: "the weight exp(A|w|²) has the right mean for Gaussian w only, here every row has the same norm",
            }),
            _ => Ok(()),
        }
    }

    /// What a reader should know of the pair; nothing where it is in order.
    #[must_use]
    pub const fn caveat(self, projection: Projection) -> Option<&'static str> {
        match (self, projection) {
            (_, Projection::OrthogonalFixed) => Some(
                "orthogonal-fixed is biased: it estimates the regularised kernel, below exp(x·y) for positive and hyperbolic features",
            ),
            (_, Projection::Rademacher | Projection::Hadamard) => Some(
                "±1 rows are biased: the mean is Λ·Π cosh(x_l+y_l), or Λ⁻¹·Π cos(x_l−y_l); the bias grows with Σ z_l⁴",
            ),
            (_, Projection::Hadamard3) => Some("three Hadamard blocks are slightly biased, and have no closed form"),
            (Self::Hyperbolic, Projection::Simplex) => Some(
                "simplex rows help positive features; for hyperbolic ones they are always worse than orthogonal rows",
            ),
            _ => None,
        }
    }

    /// The feature map for `inputs`: gerf takes `a`, or the optimal A of the data without it; sderf fits its rotation.
    ///
    /// # Errors
    /// `a` is not below 1/8.
    pub fn fit(self, inputs: &Inputs, a: Option<f64>) -> Result<FeatureMap, AttentionError> {
        let (x, y) = (inputs.queries.view(), inputs.keys.view());
        Ok(match (self, a) {
            (Self::Positive, _) => FeatureMap::Positive,
            (Self::Hyperbolic, _) => FeatureMap::Hyperbolic,
            (Self::Trigonometric, _) => FeatureMap::Trigonometric,
            (Self::Gerf, Some(a)) if a.is_finite() && a < 0.125 => FeatureMap::Gerf { a },
            (Self::Gerf, Some(a)) => return Err(AttentionError::GerfA(a)),
            (Self::Gerf, None) => optimal::gerf(x, y),
            (Self::Sderf, _) => optimal::sderf(x, y),
        })
    }
}
