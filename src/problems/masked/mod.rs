//! The problem `masked`: exp(q·k/√d)·(relu(v_q)·relu(v_k)) estimated without bias, and used inside linear attention.

mod attention;
mod choices;
mod estimate;
mod estimators;
mod exact;
mod inputs;
mod mask_files;
mod memory;
mod pictures;
mod rows;
mod schema;

use crate::lab::{Column, Estimate, ParamError, Params, Problem, Row, RunContext, RunError, Schema};
use crate::problems::inputs::places;
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
        let join = |key: &str| params.texts(key).join(",");
        let mut words = format!("{} {} {}", params.text("task"), join("mask"), join("method"));
        if !memory::is_drawn(params) {
            words += &format!(" {}", params.text("inputs"));
            // A run whose files are gone is still called something.
            if let Some(place) = places(params, None).ok().as_deref().and_then(<[_]>::first) {
                words += &format!(" L={}", place.queries);
            }
            words += &format!(" layer={} head={}", params.typed("layer"), params.typed("head"));
        }
        words
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
        let places = places(params, context.folder().parent())?;
        let largest = places.iter().max_by_key(|place| place.queries.max(place.keys));
        let pool = pool(params, context, memory::pieces(params, largest))?;
        match params.choice("task") {
            MaskedTask::Estimate => estimate::run(params, &places, &pool, context),
            MaskedTask::Attention => attention::run(params, &places, &pool, context),
        }
    }
}
