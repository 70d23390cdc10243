//! Softmax attention estimated by random features inside the transformer (FAVOR+, Choromanski et al. 2021): the projections
//! are drawn, not learned.

mod composed;
mod exponents;
mod fused;
mod map;
mod signed;

pub use map::{FavorEstimator, FavorMap};
