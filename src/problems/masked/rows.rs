//! The result table of the problem `masked`. Rows of both tasks begin with the same columns, what a row is about; then
//! come the results of the task `estimate` or those of the task `attention`.

use crate::lab::Column;
use crate::problems::toolkit::{columns, table};

columns! {
    /// What a row is about: an estimator on one sequence with its masks.
    pub(super) struct MaskedSubject {
        inputs: String = label("inputs"),
        source: Option<String> = label("source").optional(),
        layer: Option<usize> = label("layer").brief().optional(),
        head: Option<usize> = label("head").brief().optional(),
        mask: String = label("mask").brief(),
        length: usize = label("L").brief(),
        dim: usize = label("d"),
        mask_dim: usize = label("d_v"),
        method: &'static str = label("method").brief(),
        projection: &'static str = label("projection").brief(),
        m: usize = label("m"),
        features: usize = label("features").brief(),
    }
}

columns! {
    /// Task `estimate`: errors of the whole matrix over the trials.
    #[derive(serde::Deserialize)]
    pub(super) struct MatrixErrors {
        trials: usize = label("trials"),
        rel_frobenius_median: f64 = label("error").digits(4).brief(),
        rel_mse_mean: f64 = label("relative MSE").digits(4).brief(),
        rel_mse_sem: Option<f64> = label("± s.e.").digits(4),
        rel_mse_theory: Option<f64> = label("theory").digits(4).brief(),
        mean_ratio: f64 = label("mean ratio").digits(4).brief(),
        mean_ratio_sem: Option<f64> = label("± s.e.").digits(4).brief(),
        negative_entries: f64 = label("entries < 0").digits(4).brief().share(),
        negative_row_sums: f64 = label("row sums < 0").digits(4).brief().share(),
        seconds_per_trial: f64 = label("a trial").unit("s").digits(4),
        observable: Option<bool> = label("observable").optional(),
        cpu_seconds_per_trial: Option<f64> = label("CPU time a trial").unit("s").digits(4).optional(),
    }
}

columns! {
    /// Task `attention`: the product in linear time beside the exact one.
    #[derive(serde::Deserialize)]
    pub(super) struct ProductResults {
        causal: bool = label("causal"),
        seconds: f64 = label("linear").unit("s").digits(4).brief(),
        exact_seconds: Option<f64> = label("exact").unit("s").digits(4).brief(),
        output_rel_error: Option<f64> = label("output error").digits(4).brief(),
        peak_bytes: usize = label("peak").unit("bytes"),
    }
}

columns! {
    /// Task `estimate`: what an estimate takes.
    pub(super) struct EstimateCosts {
        estimate_bytes: Option<u64> = label("memory of an estimate").unit("B").optional(),
    }
}

/// The column that rows of versions before standard errors were hidden lack.
pub(super) const OBSERVABLE: &str = "observable";

/// The columns of both tasks in their order.
pub(super) static COLUMNS: &[Column] = table!(MaskedSubject; MatrixErrors, ProductResults, EstimateCosts);
