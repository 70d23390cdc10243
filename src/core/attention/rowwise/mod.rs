//! Attention of one head measured row by row in the logarithmic domain.
//!
//! The streamed engine ([`super::frobenius`]) brings a whole matrix to one scale. Queries and keys of trained models have
//! exponents that spread over hundreds, which neither 32 nor 64 bits hold. Here every row has a scale of its own, exp(r_i),
//! and the features of the keys have one for each feature, exp(c_l): with exponents e(q_i)_l and e(k_j)_l,
//!
//! Â_ij = exp(r_i) Σ_l exp(e(q_i)_l + c_l − r_i) · exp(e(k_j)_l − c_l),  c_l = max_j e(k_j)_l,  r_i = max_l (e(q_i)_l + c_l).
//!
//! Both factors lie in (0, 1], and the largest entry of a row of the sum is at least 1, so nothing that matters
//! underflows in 32 bits. The scale of a row cancels in row-normalised attention and in its output; un-normalised errors add up
//! rows with their scales as logarithms. In causal attention c_l is the maximum over the keys that a row may see.

mod exact;
mod features;
mod measure;
mod row;
mod window;

pub use exact::{ExactHead, rowwise_bytes};
pub use features::HeadEstimate;
pub use window::{BaselineErrors, window_width};
