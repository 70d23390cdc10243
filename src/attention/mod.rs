//! The mathematics of efficient attention: kernels, projections, feature maps, estimators and their closed forms.

pub mod feature_map;
pub mod product;
pub mod projection;

pub use feature_map::{FeatureMap, RandomFeatures, Sketch};
pub use projection::Projection;
