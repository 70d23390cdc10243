//! The problem `hybrid`: how the error of an angle-weighted combination of two estimators goes with the angle.

mod memory;
mod pairs;
mod parts;
mod remarks;
mod rows;
mod run;
mod schema;

use crate::lab::{Column, Estimate, Optimum, ParamError, Params, Places, Problem, RunContext, RunError, Schema};
use crate::problems::inputs::params::{CHECKPOINT, FILE};
use pairs::{ANGLE, has_radius, is_direct};

/// The problem.
pub(super) struct HybridProblem;

impl Problem for HybridProblem {
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
        rows::COLUMNS
    }

    fn headline(&self) -> &'static str {
        "max_rel_mse"
    }

    fn label(&self, params: &Params) -> String {
        let radii: Vec<_> = params.floats("radius").iter().map(|radius| format!("R={radius}")).collect();
        let heads = || format!("layer={} head={}", params.typed("layer"), params.typed("head"));
        let what = match params.text("inputs") {
            ANGLE => radii.join(","),
            FILE if is_direct(params) => FILE.to_owned(),
            stored @ (FILE | CHECKPOINT) => format!("{stored} {}", heads()),
            drawn if has_radius(drawn) => format!("{drawn} {}", radii.join(",")),
            drawn => drawn.to_owned(),
        };
        format!("{what} m={},{} n={}", params.int("m1"), params.int("m2"), params.int("n"))
    }

    fn check(&self, params: &Params) -> Result<(), ParamError> {
        schema::check(params)
    }

    fn estimate(&self, params: &Params) -> Estimate {
        schema::estimate(params)
    }

    fn optimise(&self, params: &Params, _places: &Places) -> Result<Option<Optimum>, RunError> {
        Ok(parts::optimise(params))
    }

    fn quick(&self) -> &'static [(&'static str, &'static str)] {
        &[("angles", "3"), ("trials", "20")]
    }

    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError> {
        run::run(params, context)
    }
}
