//! The curves of runs in each plot: which lines there are, what they are called, which points they have.

use super::marks::Mark;
use crate::lab::export::source::{NamedRun, labels};
use crate::lab::export::text::printable;
use crate::lab::{
    Axis, CurveSource, Differences, MeanCurve, OverlaidLine, Plot, Problem, RunNames, RunState, RunView, Sample,
    StoredParams, Study, StudyPlot, StudyRun, Style, common, curve_name, overlaid_curves,
};
use std::collections::BTreeMap;

/// Points of a series that are drawn; of more only the extremes of equal stretches.
const DRAWN: usize = 4000;

/// A plot to draw.
#[derive(Clone, Debug)]
pub struct CurveFigure {
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Plots side by side with the same axes; mostly one.
    pub panels: Vec<FigurePanel>,
}

/// One of several plots with the same axes.
#[derive(Clone, Debug)]
pub struct FigurePanel {
    /// What tells it from the others.
    pub title: String,
    /// Its curves.
    pub curves: Vec<FigureCurve>,
}

/// A curve to draw.
#[derive(Clone, Debug)]
pub struct FigureCurve {
    /// Its name in the legend; none for a run beside the mean of its variant.
    pub label: String,
    /// What it is drawn with.
    pub mark: Mark,
    /// Its points.
    pub points: Vec<Sample>,
    /// Whether it is a mean over runs.
    pub is_mean: bool,
    /// Whether it is a run beside the mean of its variant.
    pub is_part: bool,
}

/// A plot with its name and heading.
pub struct NamedCurves {
    /// Its name within the problem.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What is drawn.
    pub drawn: CurveFigure,
}

impl CurveFigure {
    /// Gives curves of the same name one colour and one marker in every panel.
    pub fn recolour(&mut self) {
        let mut known: Vec<String> = Vec::new();
        for panel in &mut self.panels {
            // What belongs to a curve has its colour: theory beside a measurement.
            let mut inks: Vec<(usize, usize)> = Vec::new();
            for curve in &mut panel.curves {
                let Some(ink) = curve.mark.ink else { continue };
                let own = inks.iter().find(|(before, _)| *before == ink).map(|(_, new)| *new);
                let new = own.unwrap_or_else(|| {
                    known.iter().position(|label| *label == curve.label).unwrap_or_else(|| {
                        known.push(curve.label.clone());
                        known.len() - 1
                    })
                });
                inks.push((ink, new));
                (curve.mark.ink, curve.mark.symbol) = (Some(new), new);
            }
        }
    }
}

/// The runs of one problem, as lines that are drawn over each other.
pub struct Subject<'a> {
    /// The runs.
    pub runs: Vec<&'a NamedRun<'a>>,
    /// The lines.
    pub lines: Vec<OverlaidLine>,
    /// The name of each line.
    pub names: Vec<String>,
    /// What stands over each panel; one panel without a word where nothing is told apart.
    pub panels: Vec<String>,
    /// The panel of each line.
    pub panel_of: Vec<usize>,
    /// The runs as a study, where their problem is known.
    pub study: Option<Study>,
}

impl<'a> Subject<'a> {
    /// The lines of `runs`, which are of one problem. Each value of the parameter `facet` has a panel of its own.
    pub fn new(runs: Vec<&'a NamedRun<'a>>, facet: Option<&str>) -> Self {
        let study = study(&runs);
        let params: Vec<&StoredParams> = runs.iter().map(|run| &run.record.params).collect();
        let mut lines = Vec::new();
        let alone = |run: usize| OverlaidLine { run, runs: vec![run], variant: None, ink: 0, symbol: 0 };
        match &study {
            Some(study) => {
                for (index, variant) in study.variants.iter().enumerate() {
                    if finished(&runs, &variant.runs) > 1 {
                        let (run, runs) = (variant.runs[0], variant.runs.clone());
                        lines.push(OverlaidLine { run, runs, variant: Some(index), ink: 0, symbol: 0 });
                    } else {
                        lines.extend(variant.runs.iter().map(|run| alone(*run)));
                    }
                }
            }
            None => lines.extend((0..runs.len()).map(alone)),
        }
        let (panels, of_run) =
            facet.map_or_else(|| (vec![String::new()], vec![0; runs.len()]), |key| panels(&params, key));
        let panel_of: Vec<usize> = lines.iter().map(|line| of_run[line.run]).collect();
        let names = names(&runs, &lines, study.as_ref(), facet);
        // Lines of several panels that are called the same have one colour.
        let mut known: Vec<&str> = Vec::new();
        for (line, name) in lines.iter_mut().zip(&names) {
            let place = known.iter().position(|other| panels.len() > 1 && other == name).unwrap_or(known.len());
            if place == known.len() {
                known.push(name);
            }
            (line.ink, line.symbol) = (place, place);
        }
        Self { runs, lines, names, panels, panel_of, study }
    }

    /// Every plot that has points: what the runs have declared, then what they make together.
    pub fn plots(&self) -> Vec<NamedCurves> {
        let mut plots: Vec<Plot> = Vec::new();
        for plot in self.runs.iter().flat_map(|run| &run.view.plots) {
            match plots.iter_mut().find(|known| known.id == plot.id) {
                // The newest declaration counts; the axis holds the ranges of all.
                Some(known) => {
                    let range = match (known.x.range, plot.x.range) {
                        (Some(one), Some(two)) => Some((one.0.min(two.0), one.1.max(two.1))),
                        (one, two) => one.or(two),
                    };
                    *known = plot.clone();
                    known.x.range = range;
                }
                None => plots.push(plot.clone()),
            }
        }
        let mut all: Vec<NamedCurves> = plots.iter().map(|plot| self.plot(plot)).collect();
        all.extend(self.studies());
        all
    }

    fn plot(&self, plot: &Plot) -> NamedCurves {
        let views: Vec<&RunView> = self.runs.iter().map(|run| &run.view).collect();
        let none = Vec::new();
        let means: &[MeanCurve] = self.study.as_ref().map_or(&none, |study| &study.means);
        let several = self.lines.iter().any(|line| line.ink > 0);
        let panel = |(index, title): (usize, &String)| {
            let own = self.lines.iter().zip(&self.panel_of).filter(|(_, panel)| **panel == index);
            let lines: Vec<OverlaidLine> = own.map(|(line, _)| line.clone()).collect();
            let curves = overlaid_curves(&plot.id, &lines, several, &views, means);
            let draw = |curve: &_| self.curve(curve, &curves, (&views, means), several);
            FigurePanel { title: title.clone(), curves: curves.iter().map(draw).collect() }
        };
        let panels = self.panels.iter().enumerate().map(panel).collect();
        named(plot, panels)
    }

    fn curve(
        &self,
        curve: &crate::lab::OverlaidCurve,
        all: &[crate::lab::OverlaidCurve],
        (views, means): (&[&RunView], &[MeanCurve]),
        several: bool,
    ) -> FigureCurve {
        let (series, points, is_mean) = match curve.source {
            CurveSource::Run { run, series } => {
                let view = &views[run].series[series];
                (&view.series, &view.points, false)
            }
            CurveSource::Mean(mean) => (&means[mean].series, &means[mean].points, true),
        };
        let line = self.lines.iter().position(|line| line.run == curve.run).map_or("", |line| &self.names[line]);
        let mut label = curve_name(curve, all, line, &series.label);
        // One line of a panel is called as it is in the others.
        if several && !line.is_empty() && label == series.label && self.panels.len() > 1 {
            let alone = all.iter().filter(|other| !other.is_part).count() == 1;
            label = if alone { line.to_owned() } else { format!("{line} {label}") };
        }
        FigureCurve {
            label: printable(label.trim()).into_owned(),
            mark: Mark { style: series.style, ink: Some(curve.ink), symbol: curve.symbol },
            points: thinned(points),
            is_mean,
            is_part: curve.is_part,
        }
    }

    /// What was swept and what quality costs, over the runs of each panel.
    fn studies(&self) -> Vec<NamedCurves> {
        let mut all: Vec<NamedCurves> = Vec::new();
        for (index, title) in self.panels.iter().enumerate() {
            let mut add = |study: &Study| {
                for StudyPlot { plot, curves, .. } in study.sweep.iter().chain(&study.costs) {
                    let panel = FigurePanel { title: title.clone(), curves: study_curves(curves) };
                    match all.iter_mut().find(|known| known.id == plot.id) {
                        Some(known) => known.drawn.panels.push(panel),
                        None => all.push(named(plot, vec![panel])),
                    }
                }
            };
            if self.panels.len() == 1 {
                self.study.iter().for_each(add);
                continue;
            }
            let own = self.lines.iter().zip(&self.panel_of).filter(|(_, panel)| **panel == index);
            let runs: Vec<&NamedRun<'_>> = own.flat_map(|(line, _)| &line.runs).map(|run| self.runs[*run]).collect();
            study(&runs).iter().for_each(&mut add);
        }
        if self.panels.len() > 1 {
            all.iter_mut().for_each(|plot| plot.drawn.recolour());
        }
        all
    }

    /// Remarks on what is not drawn.
    pub fn remarks(&self) -> Vec<String> {
        let left_out: usize = self
            .lines
            .iter()
            .filter(|line| line.variant.is_some())
            .map(|line| line.runs.len() - finished(&self.runs, &line.runs))
            .sum();
        match left_out {
            0 => Vec::new(),
            1 => vec!["1 run that is not finished is no part of the means.".to_owned()],
            count => vec![format!("{count} runs that are not finished are no part of the means.")],
        }
    }
}

fn named(plot: &Plot, panels: Vec<FigurePanel>) -> NamedCurves {
    let axis = |axis: &Axis| Axis { title: printable(&axis.title).into_owned(), ..axis.clone() };
    let drawn = CurveFigure { x: axis(&plot.x), y: axis(&plot.y), panels };
    NamedCurves { id: plot.id.clone(), title: printable(&plot.title).into_owned(), drawn }
}

fn study_curves(curves: &[crate::lab::StudyCurve]) -> Vec<FigureCurve> {
    // A staircase of one point would only cover the one who won.
    let has_place = |curve: &&crate::lab::StudyCurve| curve.style != Style::Dashed || curve.points.len() > 1;
    let curves = curves.iter().filter(has_place).enumerate().map(|(symbol, curve)| FigureCurve {
        label: printable(&curve.label).into_owned(),
        mark: Mark { style: curve.style, ink: curve.ink, symbol: curve.ink.unwrap_or(symbol) },
        points: curve.points.clone(),
        is_mean: false,
        is_part: false,
    });
    curves.filter(|curve| !curve.points.is_empty()).collect()
}

/// The runs of one problem together, where it is known.
fn study(runs: &[&NamedRun<'_>]) -> Option<Study> {
    let parts: Vec<StudyRun<'_>> =
        runs.iter().map(|run| StudyRun { params: &run.record.params, view: &run.view }).collect();
    Some(Study::new(runs.first()?.problem?, &parts, &BTreeMap::new()))
}

fn finished(runs: &[&NamedRun<'_>], some: &[usize]) -> usize {
    some.iter().filter(|run| runs[**run].view.state == RunState::Finished).count()
}

/// The words for the values of a parameter, and that of each run.
fn panels(params: &[&StoredParams], key: &str) -> (Vec<String>, Vec<usize>) {
    let differences = Differences::of([key], params.len(), |run, key| params[run].text(key));
    let words = |run: usize| {
        let words = differences.words(run);
        if words.is_empty() { format!("{key}={}", params[run].text(key)) } else { words }
    };
    let mut all: Vec<(Option<f64>, String)> = Vec::new();
    for (run, params) in params.iter().enumerate() {
        let panel = (params.text(key).parse().ok(), words(run));
        if !all.contains(&panel) {
            all.push(panel);
        }
    }
    if all.iter().all(|(number, _)| number.is_some()) {
        all.sort_by(|one, other| one.0.unwrap_or(0.0).total_cmp(&other.0.unwrap_or(0.0)));
    }
    let place = |run: usize| all.iter().position(|(_, panel)| *panel == words(run)).unwrap_or(0);
    let of = (0..params.len()).map(place).collect();
    (all.into_iter().map(|(_, words)| printable(&words).into_owned()).collect(), of)
}

/// What each line is called: by what differs between variants, or between runs where these are drawn one by one.
fn names(runs: &[&NamedRun<'_>], lines: &[OverlaidLine], study: Option<&Study>, facet: Option<&str>) -> Vec<String> {
    let params: Vec<&StoredParams> = runs.iter().map(|run| &run.record.params).collect();
    let problem: Option<&'static dyn Problem> = runs.first().and_then(|run| run.problem);
    let Some((problem, study)) = problem.zip(study) else {
        let all: Vec<NamedRun<'_>> = runs.iter().map(|run| (*run).clone()).collect();
        return labels(&all);
    };
    let schema = problem.schema();
    let several_runs =
        lines.iter().any(|line| line.variant.is_none() && study.variants[study.variant_of[line.run]].runs.len() > 1);
    let counts = |key: &str| {
        let tells = key != common::SEED.key && schema.get(key).is_some_and(|param| param.determines_result);
        (tells || several_runs) && Some(key) != facet
    };
    let differences = Differences::between(&params, Some(schema), counts);
    let words: Vec<String> = lines.iter().map(|line| differences.words(line.run)).collect();
    let is_short = |words: &String| words.chars().count() <= RunNames::LONGEST;
    let differ = || (0..words.len()).all(|one| (0..one).all(|other| words[one] != words[other]));
    if words.iter().all(is_short) && (facet.is_some() || differ()) {
        return words;
    }
    let titles: Vec<String> = lines.iter().map(|line| title(runs[line.run])).collect();
    let named: Vec<(&str, &StoredParams)> =
        lines.iter().zip(&titles).map(|(line, title)| (title.as_str(), params[line.run])).collect();
    RunNames::of(&named, schema).names
}

/// The name of a run that stands alone.
fn title(run: &NamedRun<'_>) -> String {
    if run.record.title.is_empty() { run.label() } else { run.record.title.clone() }
}

/// The points, or the lowest and highest of each of equally long stretches.
fn thinned(points: &[Sample]) -> Vec<Sample> {
    if points.len() <= DRAWN {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(DRAWN / 2);
    let extremes = |part: &[Sample]| {
        let index = |wanted: fn(f64, f64) -> f64| {
            (0..part.len()).reduce(|a, b| if wanted(part[a].y, part[b].y) == part[b].y { b } else { a }).unwrap_or(0)
        };
        let (low, high) = (index(f64::min), index(f64::max));
        [low.min(high), low.max(high)].map(|index| part[index])
    };
    points.chunks(stretch).flat_map(extremes).collect()
}
