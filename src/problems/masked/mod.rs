//! The problem `masked`: exp(q·k/√d)·(relu(v_q)·relu(v_k)) estimated without bias, and used inside linear attention.

mod attention;
mod choices;
mod estimate;
mod estimators;
mod exact;
mod inputs;
mod memory;
mod pictures;
mod rows;
mod schema;

use crate::lab::{Column, Estimate, ParamError, Params, Problem, Row, RunContext, RunError, Schema};
use crate::problems::toolkit::pool;
use choices::MaskedTask;

/// The problem.
pub(super) struct MaskedProblem;

/// The headline column of the task `attention`.
const OUTPUT_ERROR: &str = "output_rel_error";

impl Problem for MaskedProblem {
    fn name(&self) -> &'static str {
        "masked"
    }

    fn title(&self) -> &'static str {
        "Masked"
    }

    fn about(&self) -> &'static str {
        "mask the kernel inside linear attention: six unbiased estimators at an equal number of features"
    }

    fn schema(&self) -> Schema {
        Schema(schema::PARAMS)
    }

    fn columns(&self) -> &'static [Column] {
        rows::COLUMNS
    }

    fn headline(&self) -> &'static str {
        "rel_frobenius_median"
    }

    fn headline_of(&self, row: &Row) -> &'static str {
        if row.contains_key(OUTPUT_ERROR) { OUTPUT_ERROR } else { self.headline() }
    }

    fn label(&self, params: &Params) -> String {
        format!("{} {} {}", params.text("task"), params.texts("mask").join(","), params.texts("method").join(","))
    }

    fn check(&self, params: &Params) -> Result<(), ParamError> {
        schema::check(params)
    }

    fn estimate(&self, params: &Params) -> Estimate {
        schema::estimate(params)
    }

    fn quick(&self) -> &'static [(&'static str, &'static str)] {
        &[("length", "32"), ("dim", "8"), ("features", "64,128"), ("trials", "2")]
    }

    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError> {
        let pool = pool(params, context, memory::pieces(params))?;
        match params.choice("task") {
            MaskedTask::Estimate => estimate::run(params, &pool, context),
            MaskedTask::Attention => attention::run(params, &pool, context),
        }
    }
}
