//! The problems and their registry. A further problem is a folder here and one line in [`ALL`].

pub mod data;
mod devices;
mod estimators;
#[doc(hidden)]
pub mod fuzzing;
mod hybrid;
mod inputs;
mod limits;
mod masked;
mod matrices;
pub mod predict;
mod random_features;
mod replacement;
mod toolkit;
mod vit;

pub use random_features::recommend;

use crate::lab::Problem;

/// Every problem, in tab order.
pub static ALL: &[&dyn Problem] = &[
    &vit::VitProblem,
    &random_features::RandomFeaturesProblem,
    &masked::MaskedProblem,
    &hybrid::HybridProblem,
    &replacement::ReplacementProblem,
];

/// The sets of vector instructions that the fused kernels can use on this machine, in words, the one that is used first.
#[must_use]
pub fn instructions() -> Vec<String> {
    crate::vision::fused::Instructions::available().iter().map(ToString::to_string).collect()
}

/// The problem called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Problem> {
    ALL.iter().copied().find(|problem| problem.name() == name)
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use crate::lab::{Params, Row};

    #[test]
    fn what_problems_declare_fits_together() {
        for problem in ALL {
            let name = problem.name();
            let keys: Vec<&str> = problem.columns().iter().map(|column| column.key).collect();
            assert!(keys.contains(&problem.headline()), "{name}: the headline is a column");
            for key in &keys {
                assert_eq!(keys.iter().filter(|other| *other == key).count(), 1, "{name}: two columns `{key}`");
                let row = Row::from_iter([((*key).to_owned(), 1.into())]);
                assert!(keys.contains(&problem.headline_of(&row)), "{name}: the headline of a row is a column");
            }
            let params = Params::with(&problem.schema(), problem.quick()).unwrap();
            problem.check(&params).unwrap_or_else(|error| panic!("{name}: quick parameters: {error}"));
        }
    }
}
