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
mod error;
mod estimator;
mod sketch;
mod theory;

pub use allocation::{Shares, largest_remainder};
pub use error::MaskedError;
pub use estimator::{Budget, MaskedEstimator, MaskedMethod};
pub use sketch::{MaskedSketch, MaskedTokens};
pub use theory::{MaskedPair, MaskedTheory};
