//! Attention from features in time and memory linear in the length, beside the exact quadratic product.
//!
//! `out_i = ψ(q_i)ᵀ (Σ_j ψ(k_j) v_jᵀ) / ψ(q_i)ᵀ (Σ_j ψ(k_j))` with the sums over every key, or over `j ≤ i` when causal
//! (prefix sums; Katharopoulos et al. 2020). The ratio is consistent, not unbiased: its bias falls like 1/M.
//! Both products are streamed in blocks, run on the current rayon pool, and give the same numbers on any number of
//! threads. A row whose denominator is zero (its mask meets no key's) is defined as 0, in both.

mod exact;
mod output;
mod streamed;

pub use exact::{Side, exact};
pub use output::{Features, LinearError, Output};
pub use streamed::{linear, linear_bytes};
