//! The error against what an estimate takes: seconds a trial, and bytes.

use super::curve::{NumberFormat, PointStatistics};
use super::rows::CurveResults;
use crate::attention::Inputs;
use crate::lab::{Axis, Event, Plot, Point, RunContext, Style};
use crate::problems::toolkit::{Burst, declare_cost_series, declare_costs, tell_costs};

/// Declares the plots of costs, and that of the sorted entries.
pub(super) fn declare(context: &mut RunContext) {
    declare_costs("Relative error", "", "‖Â−A‖/‖A‖ (median)", context);
    context.emit(Event::Plot(Plot {
        id: "energy".to_owned(),
        title: "How spiky: what the largest entries hold of ΣA²".to_owned(),
        x: Axis::log("share of the entries, the largest first"),
        y: Axis::linear("share of ΣA²"),
    }));
}

/// Declares the series of a curve in the plots of costs; `names` are those of its points.
pub(super) fn declare_series(names: &[String], context: &mut RunContext) {
    let mut before = "";
    for name in names.iter().filter(|name| !name.is_empty()) {
        if name != before {
            declare_cost_series(name, name, Style::Line, context);
        }
        before = name;
    }
}

/// The points of a row in the plots of costs.
pub(super) fn tell(series: &str, found: &PointStatistics, results: &CurveResults, burst: &mut Burst) {
    if series.is_empty() {
        return;
    }
    let point = |series: String, x| Point::new(series, x, found.median).within(found.q25, found.q75);
    tell_costs(series, (results.seconds_per_trial, results.estimate_bytes), point, burst);
}

/// Bytes of an estimate: the projections W (m×d) and the features of both sides, in the format they are computed in. The exact
/// matrix it stands for takes 4 bytes an entry.
pub(super) fn estimate_bytes(m: usize, features: usize, inputs: &Inputs, format: NumberFormat) -> u64 {
    let number = if format == NumberFormat::Single { 4 } else { 8 };
    let tokens = inputs.queries.nrows() + inputs.keys.nrows();
    (number * (m * inputs.dim() + features * tokens)) as u64
}
