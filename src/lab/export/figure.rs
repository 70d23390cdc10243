//! The figures of runs: the plots as they stand on screen, with their axes, legend and intervals.

use super::axis::Measure;
use super::source::{NamedRun, labels};
use super::{names, text};
use crate::lab::{
    Axis, LabError, Problem, Rounding, Sample, Scale, Span, Study, StudyCurve, StudyPlot, StudyRun, Style,
};
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use std::collections::BTreeMap;
use std::ops::Range;

/// Width and height in points of a vector figure; pixel figures have a multiple of it.
pub const SIZE: (u32, u32) = (900, 560);
/// Points of a series that are drawn; of more only the extremes of equal stretches.
const DRAWN: usize = 4000;
/// Up to so many points intervals are bars, above they are a band.
const BARS: usize = 48;

/// The colours of Okabe and Ito (2008), told apart by colour-blind people too.
const INKS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(204, 121, 167),
    RGBColor(110, 110, 110),
    RGBColor(200, 190, 40),
];
const FAINT: RGBColor = RGBColor(225, 225, 225);
const DARK: RGBColor = RGBColor(60, 60, 60);

/// How figures are drawn where it differs from their declaration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scales {
    /// The horizontal axes.
    pub x: Option<Scale>,
    /// The vertical axes.
    pub y: Option<Scale>,
}

/// A plot with all its curves.
#[derive(Clone, Debug)]
pub struct ExportFigure {
    /// Its name: one component of a path that no other figure of the export has.
    pub id: String,
    /// The heading.
    pub title: String,
    x: Axis,
    y: Axis,
    curves: Vec<FigureCurve>,
}

#[derive(Clone, Debug)]
struct FigureCurve {
    label: String,
    style: Style,
    /// Number of its colour.
    ink: usize,
    points: Vec<Sample>,
}

/// Every plot of `runs` that has points; plots of the same name and problem become one figure.
pub fn figures(runs: &[NamedRun<'_>], scales: Scales) -> Vec<ExportFigure> {
    let mut all: Vec<(&str, ExportFigure)> = Vec::new();
    for (run, name) in runs.iter().zip(labels(runs)) {
        for plot in &run.view.plots {
            let problem = run.record.problem.as_str();
            let known = all.iter().position(|(other, figure)| *other == problem && figure.id == plot.id);
            let index = known.unwrap_or_else(|| {
                let (mut x, mut y) = (plot.x.clone(), plot.y.clone());
                x.scale = scales.x.unwrap_or(x.scale);
                y.scale = scales.y.unwrap_or(y.scale);
                let (id, title) = (plot.id.clone(), text::printable(&plot.title).into_owned());
                for axis in [&mut x, &mut y] {
                    axis.title = text::printable(&axis.title).into_owned();
                }
                all.push((problem, ExportFigure { id, title, x, y, curves: Vec::new() }));
                all.len() - 1
            });
            let figure = &mut all[index].1;
            let mut inks: Vec<(&str, usize)> = Vec::new();
            let used = figure.curves.iter().map(|curve| curve.ink + 1).max().unwrap_or(0);
            for view in run.view.series.iter().filter(|view| view.series.plot == plot.id) {
                let label = text::printable(format!("{name} {}", view.series.label).trim()).into_owned();
                let points = thinned(&view.points);
                let own = inks.iter().map(|(_, ink)| ink + 1).max().unwrap_or(used);
                let shared = |id: &String| inks.iter().find(|(known, _)| known == id).map(|(_, ink)| *ink);
                let ink = view.series.beside.as_ref().and_then(shared).unwrap_or(own);
                inks.push((&view.series.id, ink));
                figure.curves.push(FigureCurve { label, style: view.series.style, ink, points });
            }
        }
    }
    all.extend(studies(runs, scales));
    all.retain(|(_, figure)| figure.curves.iter().any(|curve| !curve.points.is_empty()));
    let several = |id: &str| all.iter().filter(|(_, figure)| figure.id == id).count() > 1;
    let full = |(problem, ExportFigure { id, .. }): &(&str, ExportFigure)| {
        names::component(&if several(id) { format!("{problem}-{id}") } else { id.clone() })
    };
    let ids = names::distinct(all.iter().map(full));
    all.into_iter().zip(ids).map(|((_, figure), id)| ExportFigure { id, ..figure }).collect()
}

/// The figures over all runs of each problem together: what was swept, and what quality costs.
fn studies<'a>(runs: &'a [NamedRun<'_>], scales: Scales) -> Vec<(&'a str, ExportFigure)> {
    let mut figures = Vec::new();
    let mut problems: Vec<&'static dyn Problem> = Vec::new();
    for problem in runs.iter().filter_map(|run| run.problem) {
        if problems.iter().all(|known| known.name() != problem.name()) {
            problems.push(problem);
        }
    }
    for problem in problems {
        let own: Vec<&NamedRun<'_>> = runs.iter().filter(|run| run.record.problem == problem.name()).collect();
        let parts: Vec<StudyRun<'_>> =
            own.iter().map(|run| StudyRun { params: &run.record.params, view: &run.view }).collect();
        let study = Study::new(problem, &parts, &BTreeMap::new());
        for StudyPlot { plot, curves, .. } in study.sweep.into_iter().chain(study.costs) {
            let (mut x, mut y) = (plot.x, plot.y);
            x.scale = scales.x.unwrap_or(x.scale);
            y.scale = scales.y.unwrap_or(y.scale);
            let curve = |(index, StudyCurve { label, style, points, ink, .. }): (usize, StudyCurve)| FigureCurve {
                label: text::printable(&label).into_owned(),
                style,
                ink: ink.unwrap_or(index),
                points,
            };
            let id = if runs.len() == own.len() { plot.id } else { format!("{}-{}", problem.name(), plot.id) };
            let curves = curves.into_iter().enumerate().map(curve).collect();
            figures.push((problem.name(), ExportFigure { id, title: plot.title, x, y, curves }));
        }
    }
    figures
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

impl ExportFigure {
    /// Draws the figure; `zoom` is the size of everything, 1 for [`SIZE`].
    pub(super) fn draw<B: DrawingBackend>(&self, backend: B, zoom: f64) -> Result<(), LabError> {
        // Text needs no font of the system.
        let known = register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular());
        known.map_err(|_| LabError::Refused("the built-in font cannot be read".to_owned()))?;
        self.paint(&backend.into_drawing_area(), zoom)
            .map_err(|error| LabError::Refused(format!("the figure `{}` cannot be drawn: {error}", self.id)))
    }

    fn paint<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, plotters::coord::Shift>,
        zoom: f64,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        let size = |points: f64| (points * zoom).round() as u32;
        let font = |points: f64| ("sans-serif", points * zoom).into_font().color(&DARK);
        let (x, y) = self.spans();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(area)
            .margin(size(14.0))
            .margin_right(size(26.0))
            .caption(&self.title, font(17.0))
            .x_label_area_size(size(46.0))
            .y_label_area_size(size(76.0))
            .build_cartesian_2d(Measure::new(x, 9), Measure::new(y, 9))?;
        chart
            .configure_mesh()
            .max_light_lines(0)
            .bold_line_style(FAINT.stroke_width(size(1.0)))
            .axis_style(DARK.stroke_width(size(1.0)))
            .label_style(font(13.0))
            .axis_desc_style(font(14.0))
            .x_desc(&self.x.title)
            .y_desc(&self.y.title)
            .draw()?;
        for curve in &self.curves {
            let ink = INKS[curve.ink % INKS.len()];
            let runs = placed(&curve.points, &x, &y);
            self.intervals(&mut chart, &runs, ink, (&y, curve), zoom)?;
            let line = ink.stroke_width(size(2.0));
            let dots = curve.style == Style::Points || curve.points.len() <= BARS;
            for (index, run) in runs.iter().enumerate() {
                let places = run.iter().map(|point| (point.x, point.y));
                let series = match curve.style {
                    Style::Line => chart.draw_series(LineSeries::new(places.clone(), line))?,
                    Style::Dashed => {
                        chart.draw_series(DashedLineSeries::new(places.clone(), size(7.0), size(5.0), line))?
                    }
                    Style::Points => chart.draw_series(places.clone().map(|place| Circle::new(place, 0, ink)))?,
                };
                if index == 0 {
                    let (long, style) = ((22.0 * zoom) as i32, curve.style);
                    let radius = size(4.0);
                    series
                        .label(&curve.label)
                        .legend(move |(left, middle)| sample(left, middle, long, radius, style, line));
                }
                if dots && curve.style != Style::Dashed {
                    chart.draw_series(places.map(|place| Circle::new(place, size(3.0), ink.filled())))?;
                }
            }
        }
        chart
            .configure_series_labels()
            .position(self.freest_corner(&x, &y))
            .margin(size(10.0))
            .legend_area_size(size(30.0))
            .background_style(WHITE.mix(0.85))
            .border_style(FAINT)
            .label_font(font(13.0))
            .draw()?;
        area.present()
    }

    /// Bars where points stand apart, a band where they stand close.
    fn intervals<B: DrawingBackend>(
        &self,
        chart: &mut ChartContext<'_, B, Cartesian2d<Measure, Measure>>,
        runs: &[Vec<Sample>],
        ink: RGBColor,
        (y, curve): (&Span, &FigureCurve),
        zoom: f64,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        let ends = |point: &Sample| Some((point.x, within(y, point.lo?), within(y, point.hi?)));
        let width = zoom.round().max(1.0) as u32;
        for run in runs {
            let ends: Vec<(f64, f64, f64)> = run.iter().filter_map(ends).collect();
            if curve.points.len() <= BARS || curve.style == Style::Points {
                let bar =
                    |(x, lo, hi): (f64, f64, f64)| PathElement::new(vec![(x, lo), (x, hi)], ink.stroke_width(width));
                chart.draw_series(ends.into_iter().map(bar))?;
            } else if ends.len() > 1 {
                let there = ends.iter().map(|(x, lo, _)| (*x, *lo));
                let back = ends.iter().rev().map(|(x, _, hi)| (*x, *hi));
                chart.draw_series([Polygon::new(there.chain(back).collect::<Vec<_>>(), ink.mix(0.18))])?;
            }
        }
        Ok(())
    }

    fn spans(&self) -> (Span, Span) {
        let allowed = |value: f64, scale: Scale| value.is_finite() && (scale == Scale::Linear || value > 0.0);
        let grow = |range: Option<(f64, f64)>, value: f64| {
            Some(range.map_or((value, value), |(lo, hi): (f64, f64)| (lo.min(value), hi.max(value))))
        };
        let (mut x, mut y) = (None, None);
        for point in self.curves.iter().flat_map(|curve| &curve.points) {
            if allowed(point.x, self.x.scale) && allowed(point.y, self.y.scale) {
                x = grow(x, point.x);
                let heights = [Some(point.y), point.lo, point.hi].into_iter().flatten();
                y = heights.filter(|y| allowed(*y, self.y.scale)).fold(y, grow);
            }
        }
        let fit = |data, axis: &Axis| Span::fit(data, axis.range, axis.scale, Rounding::Ticks);
        (fit(x, &self.x), fit(y, &self.y))
    }

    /// Where the legend hides the fewest points.
    fn freest_corner(&self, x: &Span, y: &Span) -> SeriesLabelPosition {
        use SeriesLabelPosition::{LowerLeft, LowerRight, UpperLeft, UpperRight};
        let corners =
            [(UpperRight, true, true), (UpperLeft, false, true), (LowerRight, true, false), (LowerLeft, false, false)];
        let hidden = |(_, right, upper): &(SeriesLabelPosition, bool, bool)| {
            let inside = |place: f64, far: bool| if far { place > 0.6 } else { place < 0.4 };
            let hides = |point: &Sample| {
                let place = x.place(point.x).zip(y.place(point.y));
                place.is_some_and(|(x, y)| inside(x, *right) && inside(y, *upper))
            };
            // Every curve counts the same, however many points it has.
            let share = |curve: &FigureCurve| {
                curve.points.iter().filter(|point| hides(point)).count() * 1000 / curve.points.len().max(1)
            };
            self.curves.iter().map(share).sum::<usize>()
        };
        corners.into_iter().min_by_key(hidden).map_or(UpperRight, |(corner, ..)| corner)
    }
}

/// The runs of neighbouring points that have a place: gaps stay gaps.
fn placed(points: &[Sample], x: &Span, y: &Span) -> Vec<Vec<Sample>> {
    let has_place = |point: &Sample| x.place(point.x).is_some() && y.place(point.y).is_some();
    let runs = points.split(|point| !has_place(point));
    runs.filter(|run| !run.is_empty()).map(<[Sample]>::to_vec).collect()
}

/// An end of an interval, at the edge of the figure where it has no place (0 on a log axis).
fn within(span: &Span, value: f64) -> f64 {
    if span.place(value).is_some() { value } else { span.lo }
}

/// A curve's mark in the legend.
fn sample<B: DrawingBackend>(
    left: i32,
    middle: i32,
    long: i32,
    radius: u32,
    style: Style,
    line: ShapeStyle,
) -> DynElement<'static, B, (i32, i32)> {
    let stretch = |range: Range<i32>| vec![(left + range.start, middle), (left + range.end, middle)];
    match style {
        Style::Line => PathElement::new(stretch(0..long), line).into_dyn(),
        Style::Dashed => DashedPathElement::new(stretch(0..long), 5, 4, line).into_dyn(),
        Style::Points => Circle::new((left + long / 2, middle), radius, line.filled()).into_dyn(),
    }
}
