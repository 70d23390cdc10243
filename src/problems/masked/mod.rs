//! The problem `masked`: exp(q·k/√d)·(relu(v_q)·relu(v_k)) estimated without bias, and used inside linear attention.

mod attention;
mod estimate;
mod inputs;
mod schema;

use crate::attention::masked::MaskedError;
use crate::lab::{Column, Estimate, ParamError, Params, Problem, RunContext, RunError, Schema};
use rayon::ThreadPool;

/// The problem.
pub(super) struct Masked;

const fn column(key: &'static str, label: &'static str, unit: &'static str, digits: usize, brief: bool) -> Column {
    Column { key, label, unit, digits, brief, identity: false }
}

static COLUMNS: &[Column] = &[
    column("inputs", "inputs", "", 0, false),
    column("mask", "mask", "", 0, true),
    column("length", "L", "", 0, true),
    column("dim", "d", "", 0, false),
    column("mask_dim", "d_v", "", 0, false),
    column("method", "method", "", 0, true),
    column("projection", "projection", "", 0, true),
    column("m", "m", "", 0, false),
    column("features", "features", "", 0, true),
    column("trials", "trials", "", 0, false),
    column("rel_frobenius_median", "error", "", 4, true),
    column("rel_mse_mean", "relative MSE", "", 4, true),
    column("rel_mse_sem", "± s.e.", "", 4, false),
    column("rel_mse_theory", "theory", "", 4, true),
    column("mean_ratio", "mean ratio", "", 4, true),
    column("mean_ratio_sem", "± s.e.", "", 4, true),
    column("negative_entries", "entries < 0", "", 4, true),
    column("negative_row_sums", "row sums < 0", "", 4, true),
    column("seconds_per_trial", "a trial", "s", 4, false),
    column("causal", "causal", "", 0, false),
    column("seconds", "linear", "s", 4, true),
    column("exact_seconds", "exact", "s", 4, true),
    column("output_rel_error", "output error", "", 4, true),
    column("peak_bytes", "peak", "bytes", 0, false),
];

impl Problem for Masked {
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
        COLUMNS
    }

    fn headline(&self) -> &'static str {
        "rel_frobenius_median"
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

    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError> {
        let threads = context.threads(params.size("threads"));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool: ThreadPool = pool.map_err(|error| RunError::Failed(format!("no threads: {error}")))?;
        if params.text("task") == "attention" {
            attention::run(params, &pool, context)
        } else {
            estimate::run(params, &pool, context)
        }
    }
}

/// An estimator that cannot be, as a refused parameter.
fn refused(error: &MaskedError, shares: &'static str) -> RunError {
    let key = match error {
        MaskedError::Budget { .. } => "features",
        MaskedError::Projection(_) => "projection",
        _ => shares,
    };
    RunError::Input(format!("{key}: {error}"))
}
