//! The error against what an estimate takes: seconds a trial, and bytes.

use super::curve::{NumberFormat, PointStatistics};
use super::rows::CurveResults;
use crate::attention::Inputs;
use crate::lab::{Axis, Event, Plot, Point, RunContext, Series};
use crate::problems::toolkit::Burst;

/// Declares the plots of costs, and that of the sorted entries.
pub(super) fn declare(context: &mut RunContext) {
    let error = "‖Â−A‖/‖A‖ (median)";
    for (id, title, x, y) in [
        ("time", "Relative error against time", "seconds a trial", Axis::log(error)),
        ("memory", "Relative error against memory", "bytes of an estimate", Axis::log(error)),
        (
            "energy",
            "How spiky: what the largest entries hold of ΣA²",
            "share of the entries, the largest first",
            Axis::linear("share of ΣA²"),
        ),
    ] {
        context.emit(Event::Plot(Plot { id: id.to_owned(), title: title.to_owned(), x: Axis::log(x), y }));
    }
}

/// Declares the series of a curve in the plots of costs; `names` are those of its points.
pub(super) fn declare_series(names: &[String], context: &mut RunContext) {
    let mut before = "";
    for name in names.iter().filter(|name| !name.is_empty()) {
        if name != before {
            for plot in ["time", "memory"] {
                context.emit(Event::Series(Series::new(format!("{name}/{plot}"), plot, name)));
            }
        }
        before = name;
    }
}

/// The points of a row in the plots of costs.
pub(super) fn tell(series: &str, found: &PointStatistics, results: &CurveResults, burst: &mut Burst) {
    if series.is_empty() {
        return;
    }
    let bytes = results.estimate_bytes.map_or(f64::NAN, |bytes| bytes as f64);
    for (plot, x) in [("time", results.seconds_per_trial), ("memory", bytes)] {
        if x.is_finite() {
            burst.point(Point::new(format!("{series}/{plot}"), x, found.median).within(found.q25, found.q75));
        }
    }
}

/// Bytes of an estimate: the projections W (m×d) and the features of both sides, in the format they are computed in. The exact
/// matrix it stands for takes 4 bytes an entry.
pub(super) fn estimate_bytes(m: usize, features: usize, inputs: &Inputs, format: NumberFormat) -> u64 {
    let number = if format == NumberFormat::Single { 4 } else { 8 };
    let tokens = inputs.queries.nrows() + inputs.keys.nrows();
    (number * (m * inputs.dim() + features * tokens)) as u64
}
