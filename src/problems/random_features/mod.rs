//! The problem `random-features`: how well random features estimate the attention matrix, against theory.

mod curve;
mod expected;
mod methods;
mod pictures;
mod run;
mod schema;
mod sources;

use crate::lab::{Column, Estimate, ParamError, Params, Problem, RunContext, RunError, Schema};

/// The problem.
pub(super) struct RandomFeatures;

const fn column(key: &'static str, label: &'static str, unit: &'static str, digits: usize, brief: bool) -> Column {
    Column { key, label, unit, digits, brief, identity: false }
}

static COLUMNS: &[Column] = &[
    column("inputs", "inputs", "", 0, true),
    column("length", "L", "", 0, true),
    column("dim", "d", "", 0, true),
    column("estimator", "estimator", "", 0, true),
    column("projection", "projection", "", 0, true),
    column("m", "projections m", "", 0, true),
    column("features", "features", "", 0, true),
    column("trials", "trials", "", 0, false),
    column("rel_frobenius_median", "relative error, median", "", 4, true),
    column("rel_frobenius_q25", "lower quartile", "", 4, false),
    column("rel_frobenius_q75", "upper quartile", "", 4, false),
    column("rel_frobenius_mean", "mean", "", 4, false),
    column("rel_mse_mean", "squared, mean", "", 4, false),
    column("rel_mse_sem", "± s.e.", "", 4, false),
    column("rel_mse_theory", "squared, theory", "", 4, true),
    column("squared_bias_theory", "bias², theory", "", 4, false),
    column("variance_theory", "variance, theory", "", 4, false),
    column("observable", "observable", "", 0, false),
    column("mean_ratio", "⟨Â,A⟩/‖A‖²", "", 4, true),
    column("mean_ratio_sem", "± s.e.", "", 4, false),
    column("mean_ratio_theory", "theory", "", 4, false),
    column("normalized_rel_frobenius_median", "row-normalised error, median", "", 4, true),
    column("nonpositive_entries", "entries ≤ 0", "", 4, false),
    column("nonpositive_rows", "row sums ≤ 0", "", 4, false),
    column("n90", "N90", "", 4, false),
    column("participation_ratio", "participation ratio", "", 4, false),
    column("max_over_median", "max/median", "", 2, false),
    column("precision", "precision", "", 0, false),
    column("seconds_per_trial", "time a trial", "s", 4, false),
];

impl Problem for RandomFeatures {
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
        COLUMNS
    }

    fn headline(&self) -> &'static str {
        "rel_frobenius_median"
    }

    fn label(&self, params: &Params) -> String {
        let join = |key: &str| params.texts(key).join(",");
        let lengths: Vec<_> = params.sizes("length").iter().map(ToString::to_string).collect();
        format!("{} {} {} L={}", join("inputs"), join("estimator"), join("projection"), lengths.join(","))
    }

    fn check(&self, params: &Params) -> Result<(), ParamError> {
        schema::check(params)
    }

    fn estimate(&self, params: &Params) -> Estimate {
        schema::estimate(params)
    }

    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError> {
        run::run(params, context)
    }
}
