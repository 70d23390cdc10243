//! Closed forms: mean and mean squared error of every (feature family, projection) pair that has them.
//!
//! Notation: z = x + y, Δ = x − y, s = |z|², t = |Δ|², K = exp(x·y), Λ = exp(−(|x|² + |y|²)/2). With rows coupled in
//! blocks,
//!
//! MSE = bias² + (E X² − μ²)/m + (P/m²)(E X_iX_j − μ²),  P = ⌊m/b⌋ b(b−1) + r(r−1),  r = m mod b,
//!
//! where X is the estimate from one projection and i, j are two rows of one block of b. Everything here is relative to K
//! and scaled by a common exponential, because e^s outgrows f64.
//!
//! Functions that a user types have no closed form: `mehler` integrates theirs.
//!
//! Sources: Choromanski et al. 2021 (Lemma 2, Theorems 1, 2); Likhosherstov et al. 2022 (Theorem 3.1) for generalised
//! exponential features; Reid et al. 2023 for the conformity of blocks; Demni & Kadri 2023 for fixed norms.

mod direct;
mod expected;
mod hermite;
mod logs;
mod matrix;
mod mehler;
mod moments;
pub mod optimal;
mod quadrature;
mod series;
pub mod special;

pub use expected::{Expectation, SIGHTINGS, is_visible};
pub(in crate::attention) use logs::MomentTable;
pub use matrix::expectation;
pub use mehler::{TypedTheory, typed_bytes};
pub use moments::{Moments, Theory};
