//! The result table of the problem `random-features`: a row for each point of each curve.

use super::surveyed::SurveyedMatrix;
use crate::lab::Column;
use crate::problems::toolkit::{columns, table};

columns! {
    /// What a row is about: an estimator on a matrix, with m projections.
    pub(super) struct CurveSubject {
        inputs: String = label("inputs").brief(),
        source: Option<String> = label("source").optional(),
        layer: Option<usize> = label("layer").brief().optional(),
        head: Option<usize> = label("head").brief().optional(),
        length: usize = label("L").brief(),
        dim: usize = label("d").brief(),
        estimator: &'static str = label("estimator").brief(),
        f: Option<&'static str> = label("f").brief().optional(),
        projection: &'static str = label("projection").brief(),
        m: usize = label("projections m").brief(),
        features: usize = label("features").brief(),
        trials: usize = label("trials"),
    }
}

columns! {
    /// What came out over the trials, with what theory expects.
    pub(super) struct CurveResults {
        causal: bool = label("causal").optional(),
        rel_frobenius_median: f64 = label("relative error, median").digits(4).brief().error(),
        rel_frobenius_q25: f64 = label("lower quartile").digits(4),
        rel_frobenius_q75: f64 = label("upper quartile").digits(4),
        rel_frobenius_mean: f64 = label("mean").digits(4),
        rel_mse_mean: f64 = label("squared, mean").digits(4).brief(),
        rel_mse_sem: Option<f64> = label("± s.e.").digits(4),
        rel_mse_theory: Option<f64> = label("squared, theory").digits(4).brief(),
        log10_rel_mse_theory: Option<f64> = label("log₁₀ squared, theory").digits(4).optional(),
        squared_bias_theory: Option<f64> = label("bias², theory").digits(4),
        variance_theory: Option<f64> = label("variance, theory").digits(4),
        enough_projections: Option<u64> = label("m from which bias² leads").optional(),
        observable: Option<bool> = label("observable"),
        mean_ratio: f64 = label("⟨Â,A⟩/‖A‖²").digits(4).brief(),
        mean_ratio_sem: Option<f64> = label("± s.e.").digits(4),
        mean_ratio_theory: Option<f64> = label("theory").digits(4),
        normalized_rel_frobenius_median: f64 = label("row-normalised error, median").digits(4).brief().error(),
        output_rel_error_median: Option<f64> = label("output error, median").digits(4).brief().error().optional(),
        output_rel_error_q25: Option<f64> = label("lower quartile").digits(4).optional(),
        output_rel_error_q75: Option<f64> = label("upper quartile").digits(4).optional(),
        nonpositive_entries: f64 = label("entries ≤ 0").digits(4).share(),
        nonpositive_rows: f64 = label("row sums ≤ 0").digits(4),
        n90: f64 = label("N90").digits(4),
        participation_ratio: f64 = label("participation ratio").digits(4),
        max_over_median: f64 = label("max/median").digits(2),
        entropy: Option<f64> = label("entropy of rows").unit("nats").digits(4).optional(),
        effective_keys: Option<f64> = label("effective keys").digits(2).optional(),
        output_norm: Option<f64> = label("‖output‖").digits(4).optional(),
        window: Option<usize> = label("window at equal cost").optional(),
        window_output_rel_error: Option<f64> = label("output error of the window").digits(4).error().optional(),
        window_normalized_rel_error: Option<f64> = label("row-normalised error of the window").digits(4).error().optional(),
        uniform_output_rel_error: Option<f64> = label("output error of the plain average").digits(4).error().optional(),
        precision: &'static str = label("precision"),
        seconds_per_trial: f64 = label("time a trial").unit("s").digits(4),
        reason: Option<String> = label("why there is no number").optional(),
        estimate_bytes: Option<u64> = label("memory of an estimate").unit("B").optional(),
        mse_minus_gaussian: Option<f64> = label("squared, minus gaussian's").digits(5).optional(),
        mse_minus_gaussian_interval: Option<f64> = label("± 95 %").digits(5).optional(),
        cpu_seconds_per_trial: Option<f64> = label("CPU time a trial").unit("s").digits(4).optional(),
        sampled_rows: Option<usize> = label("rows looked at").brief().optional(),
        device: Option<String> = label("device").optional(),
        rel_mse_rows_sem: Option<f64> = label("squared, ± s.e. of the rows").digits(5).brief().optional(),
    }
}

/// The column that rows of versions before standard errors were hidden lack.
pub(super) const MSE_MINUS_GAUSSIAN: &str = "mse_minus_gaussian";

/// The columns in their order.
pub(super) static COLUMNS: &[Column] = table!(CurveSubject; CurveResults);

/// The results of an estimator without numbers, for this `reason`: what is known of the matrix alone.
pub(super) fn unfit(matrix: &SurveyedMatrix<'_>, reason: String) -> CurveResults {
    let spikiness = matrix.exact.spikiness;
    CurveResults {
        causal: matrix.causal,
        rel_frobenius_median: f64::NAN,
        rel_frobenius_q25: f64::NAN,
        rel_frobenius_q75: f64::NAN,
        rel_frobenius_mean: f64::NAN,
        rel_mse_mean: f64::NAN,
        rel_mse_sem: None,
        rel_mse_theory: None,
        log10_rel_mse_theory: None,
        squared_bias_theory: None,
        variance_theory: None,
        enough_projections: None,
        observable: None,
        mean_ratio: f64::NAN,
        mean_ratio_sem: None,
        mean_ratio_theory: None,
        normalized_rel_frobenius_median: f64::NAN,
        output_rel_error_median: None,
        output_rel_error_q25: None,
        output_rel_error_q75: None,
        nonpositive_entries: f64::NAN,
        nonpositive_rows: f64::NAN,
        n90: spikiness.n90,
        participation_ratio: spikiness.participation_ratio,
        max_over_median: spikiness.max_over_median,
        entropy: matrix.head().map(|head| head.entropy()),
        effective_keys: matrix.head().map(|head| head.effective_keys()),
        output_norm: matrix.head().and_then(|head| head.output_norm()),
        window: None,
        window_output_rel_error: None,
        window_normalized_rel_error: None,
        uniform_output_rel_error: matrix.uniform().and_then(|errors| errors.output),
        precision: "",
        seconds_per_trial: f64::NAN,
        reason: Some(reason).filter(|reason| !reason.is_empty()),
        estimate_bytes: None,
        mse_minus_gaussian: None,
        mse_minus_gaussian_interval: None,
        cpu_seconds_per_trial: None,
        device: None,
        sampled_rows: None,
        rel_mse_rows_sem: None,
    }
}
