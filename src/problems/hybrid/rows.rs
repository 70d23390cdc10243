//! The result table of the problem `hybrid`: a row for each estimator and pair.

use crate::lab::Column;
use crate::problems::toolkit::{columns, table};

columns! {
    /// What a row is about: an estimator on one pair of vectors.
    pub(super) struct AngleSubject {
        base: &'static str = label("estimator").brief(),
        source: Option<String> = label("source").optional(),
        layer: Option<usize> = label("layer").brief().optional(),
        head: Option<usize> = label("head").brief().optional(),
        angle: f64 = label("angle").unit("rad").digits(3).brief(),
        radius: Option<f64> = label("radius").digits(2).brief(),
        dim: usize = label("d"),
        m1: usize = label("m1"),
        m2: usize = label("m2"),
        n: usize = label("n"),
        a: Option<f64> = label("a").digits(3),
        b: Option<f64> = label("b").digits(3),
        shared: bool = label("shared"),
        features: usize = label("features").brief(),
        trials: usize = label("trials"),
    }
}

columns! {
    /// What came out: errors relative to the kernel value, over the trials.
    pub(super) struct AngleErrors {
        rel_mse_mean: f64 = label("relative MSE").digits(4).brief(),
        rel_mse_sem: Option<f64> = label("± s.e.").digits(4).brief(),
        rel_mse_theory: Option<f64> = label("theory").digits(4).brief(),
        mean_ratio: f64 = label("mean ratio").digits(4).brief(),
        mean_ratio_sem: Option<f64> = label("± s.e.").digits(4).brief(),
        max_rel_mse: f64 = label("maximum over angles").digits(4),
        seconds_per_trial: f64 = label("time a trial").unit("s").digits(6).optional(),
        estimate_bytes: u64 = label("memory of an estimate").unit("B").optional(),
        observable: Option<bool> = label("observable").optional(),
    }
}

/// The column that rows of versions before standard errors were hidden lack.
pub(super) const OBSERVABLE: &str = "observable";

/// The columns in their order.
pub(super) static COLUMNS: &[Column] = table!(AngleSubject; AngleErrors);
