//! Feature families by name, before their constants are fitted to the data.
//!
//! To add a family, give it a variant here and in [`FeatureMap`], with its shape and projections. Choices, parameters,
//! refusals and the documents' tables follow. A closed form is added in [`super::theory`]; without one the family says so.

use super::theory::optimal;
use super::{AttentionError, FeatureMap, Inputs, Projection};
use crate::named::named;
use ndarray::{Array1, Array2};

named! {
    /// A feature family before its constants are known.
    pub enum Family {
        Positive = "positive", "exp(w·x − |x|²/2): FAVOR+";
        Hyperbolic = "hyperbolic", "exp(±w·x − |x|²/2)/√2: two features a projection";
        Trigonometric = "trigonometric", "exp(|x|²/2)(cos w·x, sin w·x): two features a projection";
        Gerf = "gerf", "generalised exponential features with one A (OPRF)";
        Sderf = "sderf", "dense exponential features: a rotation and an A a coordinate (SDERF)";
    }
}

/// A constant of a family that a user may set.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    /// Its key in parameters.
    pub key: &'static str,
    /// Its name in forms.
    pub label: &'static str,
    /// What it does.
    pub help: &'static str,
    /// What is allowed, in words.
    pub allowed: &'static str,
    /// Whether a text is.
    pub accepts: fn(&str) -> bool,
    /// The default, as typed.
    pub default: &'static str,
    /// Values worth stepping through.
    pub steps: &'static [&'static str],
    /// The names of the families that read it.
    pub families: &'static [&'static str],
}

/// A of generalised exponential features: a number below 1/8, or `auto`.
const GERF_A: Constant = Constant {
    key: "gerf_a",
    label: "A of gerf",
    help: "auto: the best A for the mean of |x+y|²",
    allowed: "auto, or a number below 0.125",
    accepts: |text| text == "auto" || text.parse::<f64>().is_ok_and(|a| a.is_finite() && a < 0.125),
    default: "auto",
    steps: &["auto", "0", "-0.05"],
    families: &["gerf"],
};

impl Family {
    /// The constants that a user may set.
    #[must_use]
    pub const fn constants(self) -> &'static [Constant] {
        match self {
            Self::Gerf => &[GERF_A],
            _ => &[],
        }
    }

    /// Columns of Φ for one projection.
    #[must_use]
    pub fn features_per_projection(self) -> usize {
        let map = match self {
            Self::Positive => FeatureMap::Positive,
            Self::Hyperbolic => FeatureMap::Hyperbolic,
            Self::Trigonometric => FeatureMap::Trigonometric,
            Self::Gerf => FeatureMap::Gerf { a: 0.0 },
            Self::Sderf => FeatureMap::Sderf { rotation: Array2::zeros((0, 0)), a: Array1::zeros(0) },
        };
        map.features_per_projection()
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
            (Self::Hyperbolic, Projection::Simplex) => Some(
                "simplex rows help positive features; for hyperbolic ones they are always worse than orthogonal rows",
            ),
            _ => projection.caveat(),
        }
    }

    /// The feature map for `inputs`. `constant` gives the text of each of [`Family::constants`] by its key: gerf takes A
    /// from it, or with `auto` the optimal A of the data; sderf fits its rotation.
    ///
    /// # Errors
    /// A constant is not allowed.
    pub fn fit<'a>(self, inputs: &Inputs, constant: impl Fn(&str) -> &'a str) -> Result<FeatureMap, AttentionError> {
        let (x, y) = (inputs.queries.view(), inputs.keys.view());
        Ok(match self {
            Self::Positive => FeatureMap::Positive,
            Self::Hyperbolic => FeatureMap::Hyperbolic,
            Self::Trigonometric => FeatureMap::Trigonometric,
            Self::Gerf => match constant(GERF_A.key) {
                "auto" => optimal::gerf(x, y),
                text if (GERF_A.accepts)(text) => FeatureMap::Gerf { a: text.parse().unwrap_or_default() },
                text => {
                    return Err(AttentionError::Constant {
                        key: GERF_A.key,
                        found: text.to_owned(),
                        allowed: GERF_A.allowed,
                    });
                }
            },
            Self::Sderf => optimal::sderf(x, y),
        })
    }
}
