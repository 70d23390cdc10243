//! The problem `hybrid`: how the error of an angle-weighted combination of two estimators goes with the angle.

mod parts;
mod remarks;
mod run;
mod schema;

use crate::lab::{Column, Estimate, ParamError, Params, Problem, RunContext, RunError, Schema};

/// The problem.
pub(super) struct Hybrid;

const fn column(key: &'static str, label: &'static str, unit: &'static str, digits: usize, brief: bool) -> Column {
    Column { key, label, unit, digits, brief, identity: false }
}

static COLUMNS: &[Column] = &[
    column("base", "estimator", "", 0, true),
    column("angle", "angle", "rad", 3, true),
    column("radius", "radius", "", 2, true),
    column("dim", "d", "", 0, false),
    column("m1", "m1", "", 0, false),
    column("m2", "m2", "", 0, false),
    column("n", "n", "", 0, false),
    column("a", "a", "", 3, false),
    column("b", "b", "", 3, false),
    column("shared", "shared", "", 0, false),
    column("features", "features", "", 0, true),
    column("trials", "trials", "", 0, false),
    column("rel_mse_mean", "relative MSE", "", 4, true),
    column("rel_mse_sem", "± s.e.", "", 4, true),
    column("rel_mse_theory", "theory", "", 4, true),
    column("mean_ratio", "mean ratio", "", 4, true),
    column("mean_ratio_sem", "± s.e.", "", 4, true),
    column("max_rel_mse", "maximum over angles", "", 4, false),
];

impl Problem for Hybrid {
    fn name(&self) -> &'static str {
        "hybrid"
    }

    fn title(&self) -> &'static str {
        "Hybrid"
    }

    fn about(&self) -> &'static str {
        "combine two estimators by the angle: accurate for small and for large kernel values"
    }

    fn schema(&self) -> Schema {
        Schema(schema::PARAMS)
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn headline(&self) -> &'static str {
        "max_rel_mse"
    }

    fn label(&self, params: &Params) -> String {
        let radii: Vec<_> = params.floats("radius").iter().map(|radius| format!("R={radius}")).collect();
        let what = if params.text("inputs") == "file" { "file".to_owned() } else { radii.join(",") };
        format!("{what} m={},{} n={}", params.int("m1"), params.int("m2"), params.int("n"))
    }

    fn check(&self, params: &Params) -> Result<(), ParamError> {
        schema::check(params)
    }

    fn estimate(&self, params: &Params) -> Estimate {
        schema::estimate(params)
    }

    fn optimise(&self, params: &Params) -> Option<Vec<(&'static str, String)>> {
        parts::optimise(params)
    }

    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError> {
        run::run(params, context)
    }
}
