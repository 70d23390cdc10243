//! Which curves the plots of a tab draw: of every run, or of every variant over its seeds.

use super::tab::ProblemTab;
use crate::console::widget::plot::Prominence;
use crate::lab::{Axis, Plot, RunState, Sample, Series, SeriesView};

/// The most runs or variants that are drawn over each other.
const OVERLAID: usize = 64;

/// Where the points of a curve are.
#[derive(Clone, Copy, Debug)]
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
#[derive(Clone, Copy, Debug)]
pub struct CurveOf {
    /// Where its points are.
    pub source: CurveSource,
    /// Index of the run that the curve belongs to, or of the first run of its variant.
    pub run: usize,
    /// Number of its colour.
    pub ink: usize,
    /// Number of its marker.
    pub symbol: usize,
    /// How much it stands out.
    pub prominence: Prominence,
}

impl ProblemTab {
    /// Indices of the runs that are compared: all, or the chosen one alone.
    #[must_use]
    pub fn overlaid(&self) -> Vec<usize> {
        match self.target().filter(|_| !self.compare) {
            Some(run) => self.together(run),
            None => (0..self.runs.len()).collect(),
        }
    }

    /// The runs whose lines are drawn over each other, one for each line: all that the filter admits and that are not
    /// hidden, or of very many those around the chosen one; or the chosen one alone.
    fn drawn(&self) -> Vec<usize> {
        let Some(target) = self.target() else { return Vec::new() };
        if !self.compare {
            return vec![target];
        }
        let runs: Vec<usize> = self.results.runs.iter().copied().filter(|run| !self.is_hidden(*run)).collect();
        let at = runs.iter().position(|run| *run == target).unwrap_or(0);
        let first = at.saturating_sub(OVERLAID / 2).min(runs.len().saturating_sub(OVERLAID));
        runs.into_iter().skip(first).take(OVERLAID).collect()
    }

    /// Indices of the runs that figures are drawn of.
    #[must_use]
    pub fn visible(&self) -> Vec<usize> {
        self.drawn().into_iter().flat_map(|run| self.together(run)).collect()
    }

    /// How many lines are drawn, and how many there are to draw.
    #[must_use]
    pub fn drawn_of_all(&self) -> (usize, usize) {
        (self.drawn().len(), self.results.runs.len())
    }

    /// The horizontal axis of a plot over every visible run. Its range holds the ranges that the runs have declared.
    #[must_use]
    pub fn axis(&self, plot: &Plot) -> Axis {
        let mut axis = plot.x.clone();
        for run in self.visible() {
            for other in self.runs[run].view.plots.iter().filter(|other| other.id == plot.id) {
                axis.range = match (axis.range, other.x.range) {
                    (Some(one), Some(two)) => Some((one.0.min(two.0), one.1.max(two.1))),
                    (one, two) => one.or(two),
                };
            }
        }
        axis
    }

    /// Number of the colour of a run: that of its variant, and where all runs are of one variant its own.
    #[must_use]
    pub fn ink(&self, run: usize) -> usize {
        if self.study.variants.len() < 2 { run } else { self.variant_index(run).unwrap_or(run) }
    }

    /// Number of the marker of a run's line.
    #[must_use]
    pub fn symbol(&self, run: usize) -> usize {
        if self.grouped { self.ink(run) } else { run }
    }

    /// The curves of plot `id`: colours tell runs or variants apart where there are several, series otherwise. A variant
    /// with several finished runs has their mean; its runs are drawn beside that while they are at work, and where it is
    /// shown alone.
    #[must_use]
    pub fn curves(&self, id: &str) -> Vec<CurveOf> {
        let drawn = self.drawn();
        let of = |run: usize| {
            let series = self.runs[run].view.series.iter().enumerate();
            series.filter(|(_, view)| view.series.plot == id).map(|(index, _)| index).collect::<Vec<_>>()
        };
        let several = drawn.len() > 1;
        let target = self.target();
        let mut curves = Vec::new();
        for line in drawn {
            let prominence = match (several, Some(line) == target) {
                (false, _) => Prominence::Plain,
                (true, true) => Prominence::Chosen,
                (true, false) => Prominence::Dimmed,
            };
            let runs = self.together(line);
            let variant = self.variant_index(line).filter(|_| runs.len() > 1);
            let means: Vec<usize> = variant.map_or_else(Vec::new, |variant| {
                let means = self.study.means.iter().enumerate();
                means.filter(|(_, mean)| mean.variant == variant && mean.series.plot == id).map(|(at, _)| at).collect()
            });
            let finished = |run: &usize| self.runs[*run].view.state == RunState::Finished;
            let first =
                runs.iter().copied().find(finished).or_else(|| runs.iter().copied().find(|run| !of(*run).is_empty()));
            for run in runs {
                let stands_for_all = means.is_empty() && Some(run) == first;
                let at_work = matches!(self.runs[run].view.state, RunState::Running | RunState::Paused);
                if !stands_for_all && !at_work && several {
                    continue;
                }
                let colours = if several { Vec::new() } else { colours(&self.runs[run].view.series) };
                for (place, series) in of(run).into_iter().enumerate() {
                    // Markers of the series of one line are three apart, so that those of neighbours differ as well.
                    let (ink, symbol) = match colours.get(series) {
                        Some(colour) => (*colour, *colour),
                        None => (self.ink(line), self.symbol(line) + 3 * place),
                    };
                    let prominence = if stands_for_all { prominence } else { Prominence::Faint };
                    let source = CurveSource::Run { run, series };
                    curves.push(CurveOf { source, run: line, ink, symbol, prominence });
                }
            }
            for (place, mean) in means.iter().enumerate() {
                let (ink, symbol) = if several {
                    (self.ink(line), self.symbol(line) + 3 * place)
                } else {
                    let series = &self.runs[first.unwrap_or(line)].view.series;
                    let at = series.iter().position(|view| view.series.id == self.study.means[*mean].series.id);
                    let colour = at.map_or(place, |at| colours(series)[at]);
                    (colour, colour)
                };
                curves.push(CurveOf { source: CurveSource::Mean(*mean), run: line, ink, symbol, prominence });
            }
        }
        curves
    }

    /// The declaration and the points of a curve.
    #[must_use]
    pub fn curve(&self, curve: &CurveOf) -> (&Series, &[Sample]) {
        match curve.source {
            CurveSource::Run { run, series } => {
                let view = &self.runs[run].view.series[series];
                (&view.series, &view.points)
            }
            CurveSource::Mean(mean) => {
                let mean = &self.study.means[mean];
                (&mean.series, &mean.points)
            }
        }
    }

    /// The name of a curve in the legend; empty for a single run beside the mean of its variant.
    #[must_use]
    pub fn curve_label(&self, curve: &CurveOf, curves: &[CurveOf]) -> String {
        if curve.prominence == Prominence::Faint {
            return String::new();
        }
        let (series, _) = self.curve(curve);
        let named = || curves.iter().filter(|other| other.prominence != Prominence::Faint);
        if named().all(|other| other.run == curve.run) {
            return series.label.clone();
        }
        let star = self.star(self.variant_index(curve.run));
        let name = self.line_name(curve.run);
        let alone = named().filter(|other| other.run == curve.run).count() == 1;
        if alone { format!("{star}{name}") } else { format!("{star}{name} {}", series.label) }
    }
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
