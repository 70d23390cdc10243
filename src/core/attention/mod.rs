//! The mathematics of efficient attention: kernels, projections, feature maps, estimators and their closed forms.
//!
//! Arrays in, arrays out. Heavy loops run on rayon's current pool; results never depend on its size.

pub mod baseline;
mod error;
pub mod estimator;
pub mod feature_map;
pub mod frobenius;
pub mod hybrid;
pub mod inputs;
pub mod kernel;
pub mod linear;
pub mod masked;
pub mod projection;
pub mod rowwise;
pub mod spikiness;
pub mod theory;
mod typed;

pub use error::AttentionError;
pub use estimator::Family;
pub use feature_map::{FeatureMap, RandomFeatures, Sketch};
pub use inputs::Inputs;
pub use projection::Projection;
