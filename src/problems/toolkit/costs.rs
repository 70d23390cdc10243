//! The plots of an error against what an estimate takes, which the problems on estimators share.

use super::points::Burst;
use crate::lab::{Axis, Event, Plot, Point, RunContext, Series, Style};

/// The plots with the words of their horizontal axes.
const PLOTS: [(&str, &str); 2] = [("time", "seconds a trial"), ("memory", "bytes of an estimate")];

/// Declares the plots: `what` against time and against memory, `behind` goes on with the words of the horizontal axes, and
/// `error` stands at the vertical ones.
pub(in crate::problems) fn declare_costs(what: &str, behind: &str, error: &str, context: &mut RunContext) {
    for (id, words) in PLOTS {
        context.emit(Event::Plot(Plot {
            id: id.to_owned(),
            title: format!("{what} against {id}"),
            x: Axis::log(format!("{words}{behind}")),
            y: Axis::log(error),
        }));
    }
}

/// Declares the series of the curve `name`, which is called `shown`.
pub(in crate::problems) fn declare_cost_series(name: &str, shown: &str, style: Style, context: &mut RunContext) {
    for (plot, _) in PLOTS {
        context.emit(Event::Series(Series::new(format!("{name}/{plot}"), plot, shown).drawn(style)));
    }
}

/// The point of the curve `name` in each plot, at its place among `seconds` and `bytes`; none at a place that is not known.
pub(in crate::problems) fn tell_costs(
    name: &str,
    (seconds, bytes): (f64, Option<u64>),
    point: impl Fn(String, f64) -> Point,
    burst: &mut Burst,
) {
    let bytes = bytes.map_or(f64::NAN, |bytes| bytes as f64);
    for ((plot, _), x) in PLOTS.into_iter().zip([seconds, bytes]) {
        if x.is_finite() {
            burst.point(point(format!("{name}/{plot}"), x));
        }
    }
}
