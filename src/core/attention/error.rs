//! What can be wrong with what estimators are given.

use crate::memory::OutOfMemory;

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
    /// A projection has no rows of this length.
    #[error("{projection} has no rows of length {found}, allowed: {}", range(*least, *most))]
    Dimension {
        /// The projection's name.
        projection: &'static str,
        /// The length asked for.
        found: usize,
        /// The smallest length there are rows of.
        least: usize,
        /// The largest length there are rows of.
        most: usize,
    },
    /// A device that failed in the middle of its work, in its own words.
    #[error("the device failed: {0}")]
    Device(String),
    /// A buffer that could not be allocated.
    #[error(transparent)]
    Memory(#[from] OutOfMemory),
    /// A constant of a feature family out of range.
    #[error("{key}: found `{found}`, allowed: {allowed}")]
    Constant {
        /// The constant's key.
        key: &'static str,
        /// The text found.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A typed function that random features cannot be made of.
    #[error("f: found `{found}`, allowed: {allowed}")]
    Function {
        /// The function.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A value of a typed function that is not finite.
    #[error(
        "f: `{part}` is {value} at {side} {token} (counted from 0, squared length {square:.3}), allowed: a function that is finite on these inputs"
    )]
    NotFiniteFunction {
        /// The part of the text.
        part: String,
        /// The value.
        value: f64,
        /// `query` or `key`.
        side: &'static str,
        /// The row.
        token: usize,
        /// |x|² of it, after scaling.
        square: f64,
    },
    /// Why quadrature gives no theory of a typed function.
    #[error("{0}")]
    Quadrature(String),
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

/// The numbers from `least` to `most` in words.
fn range(least: usize, most: usize) -> String {
    if most == usize::MAX { format!("at least {least}") } else { format!("{least} to {most}") }
}
