//! Numbers that are learned.

use super::arithmetic::unary;
use super::words::Unary;

/// A number that each head learns.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedScalar {
    /// Its name.
    pub name: String,
    /// Where it starts.
    pub start: f64,
    /// Whether it is kept positive: what is stored is then θ with the scalar log(1 + e^θ).
    pub positive: bool,
}

impl LearnedScalar {
    /// The scalar that a stored θ stands for.
    #[must_use]
    pub fn value(&self, theta: f64) -> f64 {
        if self.positive { unary(Unary::Softplus, theta) } else { theta }
    }
}
