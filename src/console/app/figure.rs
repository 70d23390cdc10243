//! What a problem's tab draws: plots with the curves of every visible run, and groups of matrices.

use super::tab::ProblemTab;
use crate::lab::{Matrix, Plot, Sample, Scale, StudyPlot, Style, span_decades};

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
                let curves = tab.curves(&plot.id);
                let drawn = curves.iter().map(|curve| tab.curve(curve));
                drawn.map(|(series, points)| (series.style, points)).collect()
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

impl ProblemTab {
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
}
