//! Estimators of the masked kernel `K(q, k) = exp(x·y)·(a·b)`, a = relu(v_q), b = relu(v_k) ∈ R₊^{d_v}, compared at an
//! equal number of features M.
//!
//! With φ the positive features of one projection, a feature is
//!
//! | method | feature | non-negative |
//! |---|---|---|
//! | tensor | φ(x) ⊗ a on M/d_v projections: the mask is exact | yes |
//! | projection-gaussian, -rademacher | φ_i(x)·(g_i·a), g_i Gaussian or signs | no |
//! | coordinate | φ_i(x)·a_J/√p_J, J ~ p | yes |
//! | stratified | φ_i(x)·a_j, coordinate j on M_j projections of its own | yes |
//! | tensor-sketch | TensorSketch of φ(x) ⊗ a into M buckets (Pham & Pagh 2013) | no |
//!
//! All are unbiased. Positivity forces coordinates: for g ≥ 0, E g_j g_l = 0 makes g_j g_l = 0 almost surely, so a
//! non-negative linear sketch with E ggᵀ = I touches one coordinate at a time.

mod allocation;
mod sketch;
mod theory;

pub use allocation::{Shares, largest_remainder};
pub use sketch::{MaskedSketch, MaskedTokens};
pub use theory::{Pair, Theory, floor};

use super::Projection;
use ndarray::ArrayView2;

/// How the mask enters the features; see the table of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Tensor product: the mask exact, one set of projections shared by its coordinates.
    Tensor,
    /// Gaussian projections of the mask.
    ProjectionGaussian,
    /// Sign projections of the mask.
    ProjectionRademacher,
    /// One random coordinate a feature.
    Coordinate,
    /// Every coordinate with projections of its own.
    Stratified,
    /// The tensor product sketched into M buckets.
    TensorSketch,
}

impl Method {
    /// Every method, in the order of menus.
    pub const ALL: [Self; 6] = [
        Self::Tensor,
        Self::ProjectionGaussian,
        Self::ProjectionRademacher,
        Self::Coordinate,
        Self::Stratified,
        Self::TensorSketch,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tensor => "tensor",
            Self::ProjectionGaussian => "projection-gaussian",
            Self::ProjectionRademacher => "projection-rademacher",
            Self::Coordinate => "coordinate",
            Self::Stratified => "stratified",
            Self::TensorSketch => "tensor-sketch",
        }
    }

    /// The method called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Whether every feature, and with it every entry of the estimate, is at least 0.
    #[must_use]
    pub const fn is_non_negative(self) -> bool {
        matches!(self, Self::Tensor | Self::Coordinate | Self::Stratified)
    }
}

/// The part of an estimator that meets the mask, resolved for one mask dimension.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Gate {
    Tensor { projections: usize },
    Projection { features: usize, signs: bool },
    Coordinate { features: usize, probabilities: Vec<f64> },
    Stratified { allocation: Vec<usize> },
    Hashed { projections: usize, buckets: usize },
}

/// An estimator before its random draw: method, budget and projections of the positive features underneath.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimator {
    pub(crate) gate: Gate,
    pub(crate) projection: Projection,
    pub(crate) dim: usize,
    pub(crate) mask_dim: usize,
}

/// Why an estimator cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MaskedError {
    /// The budget does not reach one feature a coordinate.
    #[error("{method} needs at least {least} features, one for each mask coordinate; found {features}")]
    Budget {
        /// The method.
        method: &'static str,
        /// Features it needs.
        least: usize,
        /// Features there are.
        features: usize,
    },
    /// A list has the wrong number of entries.
    #[error("found {found} entries, expected {expected}, one for each mask coordinate")]
    Entries {
        /// Entries found.
        found: usize,
        /// Mask dimension.
        expected: usize,
    },
    /// Probabilities do not sum to one.
    #[error("the probabilities sum to {0}, not to 1")]
    Sum(f64),
    /// An entry of a list is negative, or not whole where it must be.
    #[error("entry {entry} is {value}; expected {expected}")]
    Entry {
        /// Which entry, from 1.
        entry: usize,
        /// Its value.
        value: f64,
        /// What is allowed.
        expected: &'static str,
    },
    /// An allocation does not use the budget.
    #[error("the allocation sums to {sum}, but there are {features} features")]
    Allocation {
        /// Its sum.
        sum: usize,
        /// The budget.
        features: usize,
    },
    /// A coordinate that masks reach would never be sampled: the estimate would be biased, and nothing would show it.
    #[error(
        "mask coordinate {coordinate} is reached by queries and keys but gets nothing: the estimate would be biased"
    )]
    Unreached {
        /// Which coordinate, from 1.
        coordinate: usize,
    },
    /// The projections do not leave positive features unbiased.
    #[error("projection {0} makes positive features biased here; use gaussian, orthogonal or simplex")]
    Projection(&'static str),
}

/// What an estimator is built from.
#[derive(Clone, Copy, Debug)]
pub struct Budget<'a> {
    /// The number of features M that may be used.
    pub features: usize,
    /// Projections under a tensor sketch, m; they cost time, not features.
    pub inner: usize,
    /// Probabilities of `coordinate`.
    pub probabilities: &'a Shares,
    /// Features a coordinate of `stratified`.
    pub allocation: &'a Shares,
}

impl Estimator {
    /// Resolves `method` within `budget` for tokens of length `dim` and these masks (non-negative, \[L, d_v\] each), whose
    /// reach and norms the shares go by.
    ///
    /// # Errors
    /// The budget is too small, a list does not fit, or a coordinate that masks reach would get nothing.
    pub fn new(
        method: Method,
        projection: Projection,
        dim: usize,
        (a, b): (ArrayView2<f64>, ArrayView2<f64>),
        budget: Budget,
    ) -> Result<Self, MaskedError> {
        if !projection.is_gaussian() {
            return Err(MaskedError::Projection(projection.name()));
        }
        let (features, mask_dim) = (budget.features, a.ncols());
        let least = |least| {
            if features < least {
                return Err(MaskedError::Budget { method: method.name(), least, features });
            }
            Ok(())
        };
        let gate = match method {
            Method::Tensor => {
                least(mask_dim)?;
                Gate::Tensor { projections: features / mask_dim }
            }
            Method::ProjectionGaussian => Gate::Projection { features, signs: false },
            Method::ProjectionRademacher => Gate::Projection { features, signs: true },
            Method::Coordinate => {
                Gate::Coordinate { features, probabilities: budget.probabilities.probabilities(a, b)? }
            }
            Method::Stratified => Gate::Stratified { allocation: budget.allocation.allocation(features, a, b)? },
            Method::TensorSketch => Gate::Hashed { projections: budget.inner, buckets: features },
        };
        Ok(Self { gate, projection, dim, mask_dim })
    }

    /// The number of features it uses, at most the budget (tensor rounds down to a multiple of d_v).
    #[must_use]
    pub fn features(&self) -> usize {
        match &self.gate {
            Gate::Tensor { projections } => projections * self.mask_dim,
            Gate::Projection { features, .. } | Gate::Coordinate { features, .. } => *features,
            Gate::Stratified { allocation } => allocation.iter().sum(),
            Gate::Hashed { buckets, .. } => *buckets,
        }
    }

    /// The number of projections w it draws.
    #[must_use]
    pub fn projections(&self) -> usize {
        match &self.gate {
            Gate::Tensor { projections } | Gate::Hashed { projections, .. } => *projections,
            _ => self.features(),
        }
    }

    /// Features of each coordinate, where the method allots them.
    #[must_use]
    pub fn allocation(&self) -> Option<&[usize]> {
        match &self.gate {
            Gate::Stratified { allocation } => Some(allocation),
            _ => None,
        }
    }
}
