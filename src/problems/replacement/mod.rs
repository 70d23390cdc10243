//! The problem `replacement`: a trained model whose attention is replaced by estimators, without training.

mod curves;
mod layers;
mod maps;
mod rows;
mod run;
mod schema;
mod shape;
mod source;

use crate::lab::{Column, Estimate, ParamError, Params, Problem, RunContext, RunError, Schema};
use crate::problems::devices::{device, device_words};

/// The problem.
pub(super) struct ReplacementProblem;

impl Problem for ReplacementProblem {
    fn name(&self) -> &'static str {
        "replacement"
    }

    fn title(&self) -> &'static str {
        "Replacement"
    }

    fn about(&self) -> &'static str {
        "replace the attention of a trained model by estimators: what is left of its accuracy"
    }

    fn schema(&self) -> Schema {
        Schema(&schema::PARAMS)
    }

    fn columns(&self) -> &'static [Column] {
        rows::COLUMNS
    }

    fn headline(&self) -> &'static str {
        "test_accuracy"
    }

    fn costs(&self) -> &'static [&'static str] {
        &["seconds"]
    }

    fn label(&self, params: &Params) -> String {
        let join = |key: &str| params.texts(key).join(",");
        let model = match params.text("checkpoint") {
            "" => "digits",
            text => text,
        };
        let words = format!("{model} {} {} layers={}", join("estimator"), join("projection"), params.text("layers"));
        words + &device_words(params)
    }

    fn side_by_side(&self, params: &Params) -> usize {
        device(params).side_by_side(schema::expected_products(params))
    }

    fn idle_gpu(&self, params: &Params) -> Option<String> {
        device(params).idle_gpu(schema::expected_products(params))
    }

    fn check(&self, params: &Params) -> Result<(), ParamError> {
        schema::check(params)
    }

    fn estimate(&self, params: &Params) -> Estimate {
        schema::estimate(params)
    }

    fn quick(&self) -> &'static [(&'static str, &'static str)] {
        &[("epochs", "1"), ("m", "4,8"), ("draws", "2"), ("test_images", "32"), ("error_images", "1")]
    }

    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError> {
        run::run(params, context)
    }
}
