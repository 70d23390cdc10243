//! The problems and their registry. A further problem is one file here and one line in [`ALL`].

pub mod data;
pub mod predict;
mod vit;

use crate::lab::Problem;

/// Every problem, in tab order.
pub static ALL: &[&dyn Problem] = &[&vit::Vit];

/// The problem called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Problem> {
    ALL.iter().copied().find(|problem| problem.name() == name)
}
