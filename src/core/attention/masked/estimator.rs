//! Masked estimators: methods by name, and what a method becomes within a budget.

use super::allocation::Shares;
use super::error::MaskedError;
use crate::attention::Projection;
use crate::named::named;
use ndarray::ArrayView2;

named! {
    /// How the mask enters the features; see the table of [`crate::attention::masked`].
    pub enum MaskedMethod {
        Tensor = "tensor", "tensor product with the mask: the mask exact, M/d_v projections; not negative";
        ProjectionGaussian = "projection-gaussian", "Gaussian projections of the mask; has negative entries";
        ProjectionRademacher = "projection-rademacher", "sign projections of the mask; has negative entries";
        Coordinate = "coordinate", "one random coordinate a feature; not negative";
        Stratified = "stratified", "every coordinate with projections of its own; not negative";
        TensorSketch = "tensor-sketch", "the tensor product hashed into M buckets; has negative entries";
    }
}

impl MaskedMethod {
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
pub struct MaskedEstimator {
    pub(crate) gate: Gate,
    pub(crate) projection: Projection,
    pub(crate) dim: usize,
    pub(crate) mask_dim: usize,
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

impl MaskedEstimator {
    /// Resolves `method` within `budget` for tokens of length `dim` and these masks (non-negative, \[L, d_v\] each), whose
    /// reach and norms the shares go by.
    ///
    /// # Errors
    /// The budget is too small, a list does not fit, or a coordinate that masks reach would get nothing.
    pub fn new(
        method: MaskedMethod,
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
            MaskedMethod::Tensor => {
                least(mask_dim)?;
                Gate::Tensor { projections: features / mask_dim }
            }
            MaskedMethod::ProjectionGaussian => Gate::Projection { features, signs: false },
            MaskedMethod::ProjectionRademacher => Gate::Projection { features, signs: true },
            MaskedMethod::Coordinate => {
                Gate::Coordinate { features, probabilities: budget.probabilities.probabilities(a, b)? }
            }
            MaskedMethod::Stratified => Gate::Stratified { allocation: budget.allocation.allocation(features, a, b)? },
            MaskedMethod::TensorSketch => Gate::Hashed { projections: budget.inner, buckets: features },
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
