//! What can be wrong with what estimators are given.

/// Why an estimate cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AttentionError {
    /// Queries and keys that do not fit together, or are empty.
    #[error("{0}")]
    Shape(String),
    /// A value that is NaN or infinite.
    #[error("{side} {token} (counted from 0), coordinate {coordinate}: {value} is not finite")]
    NotFinite {
        /// `query` or `key`.
        side: &'static str,
        /// The row.
        token: usize,
        /// The column.
        coordinate: usize,
        /// What stands there.
        value: f64,
    },
    /// A feature family on projections it does not work with.
    #[error("{estimator} on {projection}: {reason}")]
    Combination {
        /// The family's name.
        estimator: &'static str,
        /// The projection's name.
        projection: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// A parameter of generalised exponential features out of range.
    #[error("gerf needs a finite A below 1/8, found {0}")]
    GerfA(f64),
    /// Exponents too far apart for a number format.
    #[error(
        "{side} {token} (counted from 0, length {length:.3}): exponents spread over {spread:.0}, more than {format} holds ({limit:.0}); {advice}"
    )]
    Range {
        /// `query` or `key`.
        side: &'static str,
        /// The row.
        token: usize,
        /// Its Euclidean length (after scaling).
        length: f64,
        /// The spread of the exponents.
        spread: f64,
        /// `f32` or `f64`.
        format: &'static str,
        /// The largest spread it holds.
        limit: f64,
        /// What to do.
        advice: &'static str,
    },
    /// The caller asked for an end.
    #[error("stopped")]
    Stopped,
}
