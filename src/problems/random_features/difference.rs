//! How much the squared error of a projection differs from that of independent Gaussian rows, with what chance makes of it.
//!
//! Both are measured on the same inputs and with as many trials. Draws of different projections are independent, so that the
//! difference of two means has the interval of Welch. It is worked out from rows, whichever part of the run made them.

use crate::attention::Projection;
use crate::lab::{Row, decimal};
use crate::statistics::{SampleMean, difference_and_interval};

/// The mean squared error of a row and its standard error; none where theory says that they cannot be trusted.
fn squared_error(row: &Row) -> Option<SampleMean> {
    let number = |key: &str| row.get(key)?.as_f64();
    Some(SampleMean { mean: number("rel_mse_mean")?, error: number("rel_mse_sem")?, count: number("trials")? })
}

/// The squared error of a point minus that of `gaussian`, the row of Gaussian rows at the same m, and half the width of the 95 %
/// interval.
pub(super) fn to_gaussian(mean: f64, error: Option<f64>, trials: usize, gaussian: &Row) -> Option<(f64, f64)> {
    difference_and_interval(SampleMean { mean, error: error?, count: trials as f64 }, squared_error(gaussian)?)
}

/// A remark for every projection of `curves` beside Gaussian rows: the differences at every m. `what` names estimator and matrix.
pub(super) fn remarks(what: &str, curves: &[(Projection, Vec<Row>)]) -> Vec<String> {
    let Some((_, gaussian)) = curves.iter().find(|(projection, _)| *projection == Projection::Gaussian) else {
        return Vec::new();
    };
    let others = curves.iter().filter(|(projection, _)| *projection != Projection::Gaussian);
    let of = |(projection, rows): &(Projection, Vec<Row>)| {
        let differences: Vec<String> =
            rows.iter().zip(gaussian).filter_map(|(row, gaussian)| point(row, gaussian)).collect();
        let name = projection.name();
        (!differences.is_empty()).then(|| {
            format!(
                "{what}: mean squared error of {name} minus that of gaussian, ± 95 % interval over trials: {}; below 0, {name} is better",
                differences.join(", ")
            )
        })
    };
    others.filter_map(of).collect()
}

/// The difference at one m.
fn point(row: &Row, gaussian: &Row) -> Option<String> {
    let (difference, half) = difference_and_interval(squared_error(row)?, squared_error(gaussian)?)?;
    let verdict = if difference.abs() > half { "" } else { " (may be chance)" };
    Some(format!("m = {} {} ± {}{verdict}", row.get("m")?, decimal(difference, 5), decimal(half, 5)))
}
