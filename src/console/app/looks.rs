//! How a person looks at a plot.

use crate::lab::Scale;

/// How a plot is drawn for the person who looks at it. A scale that is not set is the declared one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Looks {
    /// The horizontal scale.
    pub x: Option<Scale>,
    /// The vertical scale.
    pub y: Option<Scale>,
    /// How much curves are smoothed: 0 is not at all.
    pub smoothing: f64,
    /// The cursor as a fraction of the width.
    pub cursor: Option<f64>,
}

/// The steps of [`Looks::smoothing`].
pub const SMOOTHINGS: [f64; 4] = [0.0, 0.6, 0.9, 0.98];
