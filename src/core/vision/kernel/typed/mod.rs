//! The feature map of a function that the user typed.

mod composed;
mod fused;
mod map;

pub use map::TypedMap;
