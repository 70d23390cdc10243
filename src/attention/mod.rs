//! The mathematics of efficient attention: kernels, projections, feature maps, estimators and their closed forms.

pub mod product;
