//! The problem `random-features`: how well random features estimate the attention matrix, against theory.

mod baseline_curves;
mod baselines;
mod costs;
mod curve;
mod difference;
mod energy;
mod expected;
mod heads;
mod memory;
mod pictures;
pub mod recommend;
mod rows;
mod run;
mod sample;
mod schema;
mod series;
mod surveyed;

use crate::lab::{Column, Estimate, Optimum, ParamError, Params, Places, Problem, RunContext, RunError, Schema};
use crate::problems::devices::{device, device_words};
use crate::problems::inputs::places;

/// The problem.
pub(super) struct RandomFeaturesProblem;

impl Problem for RandomFeaturesProblem {
    fn name(&self) -> &'static str {
        "random-features"
    }

    fn title(&self) -> &'static str {
        "Random features"
    }

    fn about(&self) -> &'static str {
        "how well random features estimate the softmax attention matrix, beside their closed forms"
    }

    fn schema(&self) -> Schema {
        Schema(&schema::PARAMS)
    }

    fn columns(&self) -> &'static [Column] {
        rows::COLUMNS
    }

    fn headline(&self) -> &'static str {
        "rel_frobenius_median"
    }

    fn label(&self, params: &Params) -> String {
        let join = |key: &str| params.texts(key).join(",");
        let mut lengths: Vec<usize> = match places(params, None) {
            Ok(places) => places.iter().map(|place| place.queries).collect(),
            // A run whose files are gone is still called something.
            Err(_) => params.sizes("length"),
        };
        lengths.dedup();
        let lengths: Vec<_> = lengths.iter().map(ToString::to_string).collect();
        let mut words =
            format!("{} {} {} L={}", join("inputs"), join("estimator"), join("projection"), lengths.join(","));
        if params.texts("estimator").contains(&"custom") {
            words += &format!(" f={}", params.typed("f"));
        }
        if params.texts("inputs").iter().any(|inputs| matches!(*inputs, "file" | "checkpoint")) {
            words += &format!(" layer={} head={}", params.typed("layer"), params.typed("head"));
        }
        words + &device_words(params)
    }

    fn side_by_side(&self, params: &Params) -> usize {
        device(params).side_by_side(schema::largest_trial(params, &places(params, None).unwrap_or_default()))
    }

    fn idle_gpu(&self, params: &Params) -> Option<String> {
        device(params).idle_gpu(schema::largest_trial(params, &places(params, None).unwrap_or_default()))
    }

    fn check(&self, params: &Params) -> Result<(), ParamError> {
        schema::check(params)
    }

    fn estimate(&self, params: &Params) -> Estimate {
        schema::estimate(params)
    }

    fn optimise(&self, params: &Params, places: &Places) -> Result<Option<Optimum>, RunError> {
        recommend::optimise(params, places)
    }

    fn quick(&self) -> &'static [(&'static str, &'static str)] {
        &[("length", "32"), ("dim", "8"), ("m", "4,8"), ("trials", "2")]
    }

    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError> {
        run::run(params, context)
    }
}
