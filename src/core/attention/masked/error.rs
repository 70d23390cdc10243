//! What can be wrong with a masked estimator.

use crate::attention::Projection;

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
    #[error("projection {0} makes positive features biased here; use {allowed}", allowed = Projection::normal_names())]
    Projection(&'static str),
}
