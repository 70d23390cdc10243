//! Which curves the plots of a tab draw: of every run, or of every variant over its seeds.

use super::tab::ProblemTab;
use crate::console::widget::plot::Prominence;
use crate::lab::{
    Axis, CurveSource, OverlaidCurve, OverlaidLine, Plot, RunView, Sample, Series, curve_name, overlaid_curves,
};

/// The most runs or variants that are drawn over each other.
const OVERLAID: usize = 64;

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
        let several = drawn.len() > 1;
        let target = self.target();
        let line = |run: usize| {
            let runs = self.together(run);
            let variant = self.variant_index(run).filter(|_| runs.len() > 1);
            OverlaidLine { run, runs, variant, ink: self.ink(run), symbol: self.symbol(run) }
        };
        let lines: Vec<OverlaidLine> = drawn.into_iter().map(line).collect();
        let views: Vec<&RunView> = self.runs.iter().map(|run| &run.view).collect();
        let of = |OverlaidCurve { source, run, ink, symbol, is_part }: OverlaidCurve| {
            let prominence = match (is_part, several, Some(run) == target) {
                (true, ..) => Prominence::Faint,
                (_, false, _) => Prominence::Plain,
                (_, true, true) => Prominence::Chosen,
                (_, true, false) => Prominence::Dimmed,
            };
            CurveOf { source, run, ink, symbol, prominence }
        };
        overlaid_curves(id, &lines, several, &views, &self.study.means).into_iter().map(of).collect()
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
        let plain = |curve: &CurveOf| {
            let CurveOf { source, run, ink, symbol, prominence } = *curve;
            OverlaidCurve { source, run, ink, symbol, is_part: prominence == Prominence::Faint }
        };
        let all: Vec<OverlaidCurve> = curves.iter().map(plain).collect();
        let star = self.star(self.variant_index(curve.run));
        let line = format!("{star}{}", self.line_name(curve.run));
        curve_name(&plain(curve), &all, &line, &self.curve(curve).0.label)
    }
}
