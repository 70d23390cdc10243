//! Lines of results drawn over each other in one plot: which curves there are, in which colour and with which marker. Both the
//! console and exported figures are drawn from it.

use super::seeds::MeanCurve;
use crate::lab::{RunState, RunView, Sample, SeriesView};

/// The ratio of heights from which a linear axis would hide most of them: two decades.
const DECADES: f64 = 100.0;

/// One line of results: a run, or the runs of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlaidLine {
    /// Index of the run by which it is known.
    pub run: usize,
    /// Indices of its runs.
    pub runs: Vec<usize>,
    /// Index of the variant that it stands for, where that has several runs.
    pub variant: Option<usize>,
    /// Number of its colour.
    pub ink: usize,
    /// Number of its marker.
    pub symbol: usize,
}

/// Where the points of a curve are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurveSource {
    /// A series of a run.
    Run {
        /// Index of the run.
        run: usize,
        /// Index of the series in the run.
        series: usize,
    },
    /// The mean of a series over the runs of a variant, by its index among those of the study.
    Mean(usize),
}

/// Which series a curve draws, and in which colour and with which marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverlaidCurve {
    /// Where its points are.
    pub source: CurveSource,
    /// Index of the run by which its line is known.
    pub run: usize,
    /// Number of its colour.
    pub ink: usize,
    /// Number of its marker.
    pub symbol: usize,
    /// Whether it is a single run beside the mean of its variant.
    pub is_part: bool,
}

/// The curves of plot `id`: colours tell lines apart where there are `several`, series otherwise. A variant with several
/// finished runs has their mean; its runs are drawn beside that while they are at work, and where it is shown alone.
#[must_use]
pub fn overlaid_curves(
    id: &str,
    lines: &[OverlaidLine],
    several: bool,
    views: &[&RunView],
    means: &[MeanCurve],
) -> Vec<OverlaidCurve> {
    let of = |run: usize| {
        let series = views[run].series.iter().enumerate();
        series.filter(|(_, view)| view.series.plot == id).map(|(index, _)| index).collect::<Vec<_>>()
    };
    let mut curves = Vec::new();
    for line in lines {
        let own: Vec<usize> = line.variant.map_or_else(Vec::new, |variant| {
            let means = means.iter().enumerate();
            means.filter(|(_, mean)| mean.variant == variant && mean.series.plot == id).map(|(at, _)| at).collect()
        });
        let finished = |run: &usize| views[*run].state == RunState::Finished;
        let runs = || line.runs.iter().copied();
        let first = runs().find(finished).or_else(|| runs().find(|run| !of(*run).is_empty()));
        for run in runs() {
            let stands_for_all = own.is_empty() && Some(run) == first;
            let at_work = matches!(views[run].state, RunState::Running | RunState::Paused);
            if !stands_for_all && !at_work && several {
                continue;
            }
            let colours = if several { Vec::new() } else { colours(&views[run].series) };
            for (place, series) in of(run).into_iter().enumerate() {
                // Markers of the series of one line are three apart, so that those of neighbours differ as well.
                let (ink, symbol) = match colours.get(series) {
                    Some(colour) => (*colour, *colour),
                    None => (line.ink, line.symbol + 3 * place),
                };
                let source = CurveSource::Run { run, series };
                curves.push(OverlaidCurve { source, run: line.run, ink, symbol, is_part: !stands_for_all });
            }
        }
        for (place, mean) in own.iter().enumerate() {
            let (ink, symbol) = if several {
                (line.ink, line.symbol + 3 * place)
            } else {
                let series = &views[first.unwrap_or(line.run)].series;
                let at = series.iter().position(|view| view.series.id == means[*mean].series.id);
                let colour = at.map_or(place, |at| colours(series)[at]);
                (colour, colour)
            };
            curves.push(OverlaidCurve { source: CurveSource::Mean(*mean), run: line.run, ink, symbol, is_part: false });
        }
    }
    curves
}

/// The number of the colour of each series of a run. Series with one label have one colour in every plot, and a series
/// that is declared beside another one has the colour of that one.
fn colours(all: &[SeriesView]) -> Vec<usize> {
    let mut labels: Vec<&str> = Vec::new();
    for view in all.iter().filter(|view| view.series.beside.is_none()) {
        if !labels.contains(&view.series.label.as_str()) {
            labels.push(&view.series.label);
        }
    }
    let colour = |(index, view): (usize, &SeriesView)| {
        let beside = view.series.beside.as_ref();
        let owner = beside.and_then(|id| all.iter().position(|other| other.series.id == *id)).unwrap_or(index);
        labels.iter().position(|label| *label == all[owner].series.label).unwrap_or(owner)
    };
    all.iter().enumerate().map(colour).collect()
}

/// The name of a curve in a legend: of several lines that of its line (`line`, with its series where it has several), otherwise
/// that of its series (`series`); empty for a single run beside the mean of its variant. `curves` are all that are drawn.
#[must_use]
pub fn curve_name(curve: &OverlaidCurve, curves: &[OverlaidCurve], line: &str, series: &str) -> String {
    if curve.is_part {
        return String::new();
    }
    let named = || curves.iter().filter(|other| !other.is_part);
    if named().all(|other| other.run == curve.run) {
        return series.to_owned();
    }
    let alone = named().filter(|other| other.run == curve.run).count() == 1;
    if alone { line.to_owned() } else { format!("{line} {series}") }
}

/// Whether every height is positive and the highest at least a hundred times the lowest: such heights are logarithmic where
/// nobody has said otherwise.
#[must_use]
pub fn span_decades(curves: &[&[Sample]]) -> bool {
    let heights = curves.iter().flat_map(|points| points.iter()).map(|point| point.y).filter(|y| y.is_finite());
    let mut positive = heights.map(|y| (y > 0.0).then_some(y));
    let range =
        positive.try_fold((f64::INFINITY, 0.0_f64), |(lowest, highest), y| Some((y?.min(lowest), y?.max(highest))));
    range.is_some_and(|(lowest, highest)| highest >= DECADES * lowest)
}
