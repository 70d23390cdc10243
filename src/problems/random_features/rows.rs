//! The result table of the problem `random-features`: a row for each point of each curve.

use crate::lab::Column;
use crate::problems::toolkit::{columns, table};

columns! {
    /// What a row is about: an estimator on a matrix, with m projections.
    pub(super) struct CurveSubject {
        inputs: String = label("inputs").brief(),
        length: usize = label("L").brief(),
        dim: usize = label("d").brief(),
        estimator: &'static str = label("estimator").brief(),
        projection: &'static str = label("projection").brief(),
        m: usize = label("projections m").brief(),
        features: usize = label("features").brief(),
        trials: usize = label("trials"),
    }
}

columns! {
    /// What came out over the trials, with what theory expects.
    pub(super) struct CurveResults {
        rel_frobenius_median: f64 = label("relative error, median").digits(4).brief(),
        rel_frobenius_q25: f64 = label("lower quartile").digits(4),
        rel_frobenius_q75: f64 = label("upper quartile").digits(4),
        rel_frobenius_mean: f64 = label("mean").digits(4),
        rel_mse_mean: f64 = label("squared, mean").digits(4),
        rel_mse_sem: Option<f64> = label("± s.e.").digits(4),
        rel_mse_theory: Option<f64> = label("squared, theory").digits(4).brief(),
        squared_bias_theory: Option<f64> = label("bias², theory").digits(4),
        variance_theory: Option<f64> = label("variance, theory").digits(4),
        observable: Option<bool> = label("observable"),
        mean_ratio: f64 = label("⟨Â,A⟩/‖A‖²").digits(4).brief(),
        mean_ratio_sem: Option<f64> = label("± s.e.").digits(4),
        mean_ratio_theory: Option<f64> = label("theory").digits(4),
        normalized_rel_frobenius_median: f64 = label("row-normalised error, median").digits(4).brief(),
        nonpositive_entries: f64 = label("entries ≤ 0").digits(4),
        nonpositive_rows: f64 = label("row sums ≤ 0").digits(4),
        n90: f64 = label("N90").digits(4),
        participation_ratio: f64 = label("participation ratio").digits(4),
        max_over_median: f64 = label("max/median").digits(2),
        precision: &'static str = label("precision"),
        seconds_per_trial: f64 = label("time a trial").unit("s").digits(4),
    }
}

/// The columns in their order.
pub(super) static COLUMNS: &[Column] = table!(CurveSubject; CurveResults);
