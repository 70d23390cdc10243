//! What a problem's tab draws: plots with the curves of every visible run, and groups of matrices.

use super::screen_run::ScreenRun;
use super::tab::ProblemTab;
use crate::lab::{Axis, Differences, Matrix, Plot, Sample, Scale, SeriesView, StudyPlot, Style};
use std::collections::HashMap;

/// The most runs that are drawn over each other.
const OVERLAID: usize = 8;

/// The ratio of heights from which a linear axis would hide most of them: two decades.
const DECADES: f64 = 100.0;

/// One figure.
#[derive(Clone, Copy, Debug)]
pub enum Figure<'a> {
    /// Curves of the visible runs.
    Plot(&'a Plot),
    /// Curves over all runs on screen together.
    Study(&'a StudyPlot),
    /// A number over two swept parameters.
    Map(&'a Matrix),
    /// Matrices of one group of one run.
    Matrices {
        /// The group.
        group: &'a str,
        /// The run.
        run: usize,
    },
}

impl<'a> Figure<'a> {
    /// Its name among the figures of the problem.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Plot(plot) => plot.id.clone(),
            Self::Study(study) => study.plot.id.clone(),
            Self::Map(matrix) => format!("map {}", matrix.id),
            Self::Matrices { group, .. } => format!("matrices {group}"),
        }
    }

    /// Its declaration, if it has curves.
    #[must_use]
    pub const fn plot(&self) -> Option<&'a Plot> {
        match self {
            Self::Plot(plot) => Some(plot),
            Self::Study(study) => Some(&study.plot),
            Self::Map(_) | Self::Matrices { .. } => None,
        }
    }

    /// The points of its curves, of the runs of `tab`: those of what is measured, or of theory where there is nothing else;
    /// none for a figure of matrices.
    pub fn points(&self, tab: &'a ProblemTab) -> Vec<&'a [Sample]> {
        let curves: Vec<(Style, &[Sample])> = match self {
            Self::Plot(plot) => {
                let series = tab.visible().into_iter().flat_map(|run| &tab.runs[run].view.series);
                let own = series.filter(|view| view.series.plot == plot.id);
                own.map(|view| (view.series.style, view.points.as_slice())).collect()
            }
            Self::Study(study) => study.curves.iter().map(|curve| (curve.style, curve.points.as_slice())).collect(),
            Self::Map(_) | Self::Matrices { .. } => Vec::new(),
        };
        let measured = |(style, points): &&(Style, &[Sample])| *style != Style::Dashed && !points.is_empty();
        let all = curves.iter().filter(measured).count() == 0;
        curves.iter().filter(|curve| all || measured(curve)).map(|(_, points)| *points).collect()
    }

    /// The scales of its axes: those that the user has set, or else the declared ones. Heights over two decades or more
    /// that are declared as linear, without a range, are logarithmic. None for a figure of matrices.
    #[must_use]
    pub fn scales(&self, tab: &'a ProblemTab) -> Option<(Scale, Scale)> {
        let plot = self.plot()?;
        let looks = tab.looks(&plot.id);
        let y = looks.y.unwrap_or_else(|| match plot.y.range {
            None if plot.y.scale == Scale::Linear && span_decades(&self.points(tab)) => Scale::Log,
            _ => plot.y.scale,
        });
        Some((looks.x.unwrap_or(plot.x.scale), y))
    }

    /// The matrices that the figure draws, of the runs of `tab`; none for a figure of curves.
    pub fn matrices(&self, tab: &'a ProblemTab) -> Vec<&'a Matrix> {
        match self {
            Self::Plot(_) | Self::Study(_) => Vec::new(),
            Self::Map(matrix) => vec![matrix],
            Self::Matrices { group, run } => {
                tab.runs[*run].view.matrices.iter().filter(|matrix| matrix.group == **group).collect()
            }
        }
    }
}

/// Which series of which run a curve draws, and in which colour and with which marker.
#[derive(Clone, Copy, Debug)]
pub struct CurveOf {
    /// Index of the run.
    pub run: usize,
    /// Index of the series in the run.
    pub series: usize,
    /// Number of its colour.
    pub ink: usize,
    /// Number of its marker.
    pub symbol: usize,
}

impl ProblemTab {
    /// Indices of the runs that are compared: all, or the chosen one alone.
    #[must_use]
    pub fn overlaid(&self) -> Vec<usize> {
        match self.target().filter(|_| !self.compare) {
            Some(run) => vec![run],
            None => (0..self.runs.len()).collect(),
        }
    }

    /// Indices of the runs that are drawn over each other: all, or of many those around the chosen one.
    #[must_use]
    pub fn visible(&self) -> Vec<usize> {
        match (self.target(), self.compare) {
            (Some(run), false) => vec![run],
            (Some(run), true) => {
                let last = self.runs.len().saturating_sub(OVERLAID);
                let first = run.saturating_sub(OVERLAID / 2).min(last);
                (first..(first + OVERLAID).min(self.runs.len())).collect()
            }
            (None, _) => Vec::new(),
        }
    }

    /// Every figure: the figures over swept parameters come first where the runs are a sweep, then the plots in the
    /// order in which they were declared. The matrices of the chosen run come last.
    #[must_use]
    pub fn figures(&self) -> Vec<Figure<'_>> {
        let mut plots: Vec<&Plot> = Vec::new();
        for run in self.visible() {
            for plot in &self.runs[run].view.plots {
                match plots.iter_mut().find(|known| known.id == plot.id) {
                    // The newest declaration counts, because its axes were declared when more was known.
                    Some(known) => *known = plot,
                    None => plots.push(plot),
                }
            }
        }
        let swept: Vec<Figure<'_>> =
            self.study.sweep.iter().map(Figure::Study).chain(self.study.map.iter().map(Figure::Map)).collect();
        let (first, then) = if self.sweeping { (swept, Vec::new()) } else { (Vec::new(), swept) };
        let mut figures = first;
        figures.extend(plots.into_iter().map(Figure::Plot));
        figures.extend(then);
        figures.extend(self.study.costs.iter().map(Figure::Study));
        let with_matrices = |run: &usize| !self.runs[*run].view.matrices.is_empty();
        let chosen = self.target().filter(with_matrices);
        if let Some(run) = chosen.or_else(|| self.visible().into_iter().rev().find(with_matrices)) {
            let mut groups: Vec<&str> = Vec::new();
            for matrix in &self.runs[run].view.matrices {
                if !groups.contains(&matrix.group.as_str()) {
                    groups.push(&matrix.group);
                }
            }
            figures.extend(groups.into_iter().map(|group| Figure::Matrices { group, run }));
        }
        figures
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

    /// The curves of plot `id`: colours tell runs apart where there are several, series otherwise; the chosen run
    /// comes last and so lies on top.
    #[must_use]
    pub fn curves(&self, id: &str) -> Vec<CurveOf> {
        let visible = self.visible();
        let of = |run: usize| {
            let series = self.runs[run].view.series.iter().enumerate();
            series.filter(|(_, view)| view.series.plot == id).map(|(index, _)| index).collect::<Vec<_>>()
        };
        let several = visible.len() > 1;
        let most = visible.iter().map(|run| of(*run).len()).max().unwrap_or(0).max(1);
        let mut curves = Vec::new();
        for run in visible {
            let colours = if several { Vec::new() } else { colours(&self.runs[run].view.series) };
            for (place, series) in of(run).into_iter().enumerate() {
                let (ink, symbol) = match colours.get(series) {
                    Some(colour) => (*colour, *colour),
                    None => (run, run * most + place),
                };
                curves.push(CurveOf { run, series, ink, symbol });
            }
        }
        if let Some(target) = self.target() {
            curves.sort_by_key(|curve| curve.run == target);
        }
        curves
    }

    /// The name of a curve in the legend.
    #[must_use]
    pub fn curve_label(&self, curve: &CurveOf, id: &str, labels: &[String]) -> String {
        let series = &self.runs[curve.run].view.series[curve.series].series;
        if self.visible().len() < 2 {
            return series.label.clone();
        }
        let run = &labels[curve.run];
        let alone = self.runs[curve.run].view.series.iter().filter(|view| view.series.plot == id).count() == 1;
        if alone { run.clone() } else { format!("{run} {}", series.label) }
    }

    /// The runs' labels; where several are the same, with the parameters that differ, or a number.
    #[must_use]
    pub(super) fn distinct_labels(&self) -> Vec<String> {
        let mut twins: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, run) in self.runs.iter().enumerate() {
            twins.entry(&run.label).or_default().push(index);
        }
        let mut words = vec![String::new(); self.runs.len()];
        for twins in twins.into_values() {
            let params: Vec<_> = twins.iter().map(|run| &self.runs[*run].params).collect();
            let differences = Differences::between(&params, Some(self.problem.schema()), |_| true);
            twins.iter().enumerate().for_each(|(at, run)| words[*run] = differences.words(at));
        }
        let mut before: HashMap<String, usize> = HashMap::new();
        let named = |(run, words): (&ScreenRun, String)| {
            let label = if words.is_empty() { run.label.clone() } else { format!("{} {words}", run.label) };
            let count = before.entry(label.clone()).and_modify(|count| *count += 1).or_insert(1);
            if *count == 1 { label } else { format!("{label} ({count})") }
        };
        self.runs.iter().zip(words).map(named).collect()
    }
}

/// Whether every height is positive and the highest at least [`DECADES`] of the lowest.
fn span_decades(curves: &[&[Sample]]) -> bool {
    let heights = curves.iter().flat_map(|points| points.iter()).map(|point| point.y).filter(|y| y.is_finite());
    let mut positive = heights.map(|y| (y > 0.0).then_some(y));
    let range =
        positive.try_fold((f64::INFINITY, 0.0_f64), |(lowest, highest), y| Some((y?.min(lowest), y?.max(highest))));
    range.is_some_and(|(lowest, highest)| highest >= DECADES * lowest)
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
