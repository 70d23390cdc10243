//! The problems and their registry. A further problem is one file here and one line in [`ALL`].

mod arrays;
pub mod data;
mod hybrid;
mod limits;
mod masked;
pub mod predict;
mod random_features;
mod vit;

use crate::lab::Problem;

/// Every problem, in tab order.
pub static ALL: &[&dyn Problem] =
    &[&vit::VitProblem, &random_features::RandomFeatures, &masked::Masked, &hybrid::Hybrid];

/// The problem called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Problem> {
    ALL.iter().copied().find(|problem| problem.name() == name)
}
