//! Two estimators of exp(x·y) combined with a weight that is affine in the angle between x and y.
//!
//! K̂ = λ̂ K̂₁ + (1 − λ̂) K̂₂ with K̂₁ from positive or hyperbolic features (exact at x = −y), K̂₂ from trigonometric ones
//! (exact at x = y), and λ̂ = a + b·p̂, where p̂ estimates angle(x, y)/π from n sign features: a random hyperplane
//! separates x and y with probability angle/π (Goemans & Williamson 1995). λ̂ multiplies the *first* part and grows with
//! the angle; with the parts swapped the estimate stays unbiased but is worst where it should be best. Unbiased for every
//! (a, b), since the signs are independent of both parts.
//!
//! After Choromanski et al. 2022 (hybrid random features).

mod optimum;
mod sketch;
mod spec;
mod theory;

pub use optimum::{Best, best, best_with_b, maximum};
pub use sketch::{HybridSketch, pairs};
pub use spec::{HybridSpec, NAME, Weight, check};
pub use theory::{HybridTheory, Parts, pair_parts, sphere_pair};
