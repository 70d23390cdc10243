//! The figures of a problem's tab, as many at a time as are readable.

use super::frame::pane;
use crate::console::app::{App, ClickTarget, DrawnAxis, Figure, Pane, ProblemTab};
use crate::console::widget::heatmap::Heatmap;
use crate::console::widget::plot::{DrawnCurve, PlotWidget, Prominence};
use crate::lab::{Axis, CurveSummary, Plot, Scale, StudyCurve, StudyPlot, Style, matrix_scale};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// The least that a figure needs to be read: columns and rows.
const READABLE: (u16, u16) = (48, 11);

/// Draws the page of figures that holds the chosen one. Returns where each of them stands.
pub fn draw(frame: &mut Frame<'_>, app: &App, tab: &ProblemTab, area: Rect) -> Vec<(Rect, ClickTarget)> {
    let mut targets = Vec::new();
    let figures = tab.figures();
    if figures.is_empty() {
        let block = pane(app.theme(), tab.problem.title(), tab.pane == Pane::Figures);
        let inner = block.inner(area);
        frame.render_widget(block, area);
        let waiting = tab.runs.iter().any(|run| !run.view.state.is_final());
        let words = if waiting { "waiting for the first numbers" } else { "these runs have nothing to draw" };
        let middle = Rect { y: inner.y + inner.height / 2, height: inner.height.min(1), ..inner };
        frame.render_widget(Line::styled(words, app.theme().dim()).centered(), middle);
        return targets;
    }
    let most_across = usize::from(area.width / READABLE.0).max(1);
    let most_down = usize::from(area.height / READABLE.1).max(1);
    // Figures stand side by side first where the screen is wide, one above the other where it is high.
    let across = most_across.min(figures.len().div_ceil(most_down)).max(1);
    let down = most_down.min(figures.len().div_ceil(across));
    let slots = across * down;
    let chosen = tab.figure.min(figures.len() - 1);
    let first = chosen / slots * slots;
    let page = &figures[first..(first + slots).min(figures.len())];
    for (row, line) in page.chunks(across).enumerate() {
        let lines = page.len().div_ceil(across);
        let (top, bottom) = (row * usize::from(area.height) / lines, (row + 1) * usize::from(area.height) / lines);
        for (column, figure) in line.iter().enumerate() {
            let count = line.len();
            let left = column * usize::from(area.width) / count;
            let right = (column + 1) * usize::from(area.width) / count;
            let place = Rect {
                x: area.x + left as u16,
                y: area.y + top as u16,
                width: (right - left) as u16,
                height: (bottom - top) as u16,
            };
            let index = first + row * across + column;
            let number = (figures.len() > slots).then_some((index + 1, figures.len()));
            let spot = Spot { index, area: place, is_chosen: index == chosen, number, is_alone: false };
            targets.extend(draw_figure(frame, app, tab, figure, spot));
            targets.push((place, ClickTarget::Figure(index)));
        }
    }
    targets
}

/// Draws the chosen figure alone. Returns where its parts stand.
pub fn draw_one(frame: &mut Frame<'_>, app: &App, tab: &ProblemTab, area: Rect) -> Vec<(Rect, ClickTarget)> {
    let figures = tab.figures();
    let index = tab.figure.min(figures.len().saturating_sub(1));
    let Some(figure) = figures.get(index) else { return Vec::new() };
    let number = (figures.len() > 1).then_some((index + 1, figures.len()));
    draw_figure(frame, app, tab, figure, Spot { index, area, is_chosen: true, number, is_alone: true })
}

/// Where a figure is drawn, and as which.
#[derive(Clone, Copy)]
struct Spot {
    /// Its number among all figures.
    index: usize,
    /// Its place.
    area: Rect,
    /// Whether it is the chosen one.
    is_chosen: bool,
    /// What stands behind its title: its number, counted from 1, and how many there are.
    number: Option<(usize, usize)>,
    /// Whether it has the whole screen.
    is_alone: bool,
}

fn draw_figure(
    frame: &mut Frame<'_>,
    app: &App,
    tab: &ProblemTab,
    figure: &Figure<'_>,
    spot: Spot,
) -> Vec<(Rect, ClickTarget)> {
    match figure {
        Figure::Plot(plot) => draw_plot(frame, app, tab, figure, plot, spot),
        Figure::Study(study) => draw_study(frame, app, tab, figure, study, spot),
        Figure::Map(_) | Figure::Matrices { .. } => draw_matrices(frame, app, tab, figure, spot),
    }
}

/// Columns of the screen that a matrix needs to be read.
const MATRIX: usize = 24;

fn draw_matrices(
    frame: &mut Frame<'_>,
    app: &App,
    tab: &ProblemTab,
    figure: &Figure<'_>,
    spot: Spot,
) -> Vec<(Rect, ClickTarget)> {
    let area = spot.area;
    let matrices = figure.matrices(tab);
    let cell = tab.looks(&figure.id()).cell;
    let active = cell.map_or(0, |cell| cell.matrix.min(matrices.len().saturating_sub(1)));
    // A zoomed matrix has a column of the screen for each value, the frame and the names of rows, where that can be.
    let widest = matrices.iter().map(|matrix| matrix.cols + 6).max().unwrap_or(0);
    let needed = if spot.is_alone { widest.max(MATRIX) } else { MATRIX };
    let fits = (usize::from(area.width) / needed).clamp(1, matrices.len().max(1));
    let first = (active + 1).saturating_sub(fits);
    let mut targets = Vec::new();
    for (slot, (index, matrix)) in matrices.iter().enumerate().skip(first).take(fits).enumerate() {
        let (left, right) = (slot * usize::from(area.width) / fits, (slot + 1) * usize::from(area.width) / fits);
        let place = Rect { x: area.x + left as u16, width: (right - left) as u16, ..area };
        // One cursor over all matrices of the same size.
        let is_alike = || (matrix.rows, matrix.cols) == (matrices[active].rows, matrices[active].cols);
        let view = Heatmap {
            matrix,
            range: matrix_scale(matrix, &matrices),
            look: tab.look,
            cell: cell.filter(|_| is_alike()).map(|cell| (cell.row, cell.column)),
            fills: spot.is_alone,
            of: match figure {
                Figure::Matrices { run, .. } if slot == 0 && tab.runs.len() > 1 => &tab.labels()[*run],
                _ => "",
            },
            number: (matrices.len() > fits).then_some((index + 1, matrices.len())),
            focused: spot.is_chosen && tab.pane == Pane::Figures && cell.is_none_or(|_| index == active),
            theme: app.theme(),
        };
        if let Some(grid) = view.draw(place, frame.buffer_mut()) {
            targets.push((grid.area(), ClickTarget::Matrix { figure: spot.index, matrix: index, grid }));
        }
    }
    targets
}

/// A plot to draw, with what the runs on screen make of it.
struct PlotDrawn<'a> {
    plot: &'a Plot,
    /// Its horizontal axis over every run.
    x: &'a Axis,
    title: &'a str,
    summary: CurveSummary,
    scales: (Scale, Scale),
}

fn draw_plot(
    frame: &mut Frame<'_>,
    app: &App,
    tab: &ProblemTab,
    figure: &Figure<'_>,
    plot: &Plot,
    spot: Spot,
) -> Vec<(Rect, ClickTarget)> {
    let places = tab.curves(&plot.id);
    let names: Vec<String> = places.iter().map(|curve| tab.curve_label(curve, &places)).collect();
    let curves: Vec<DrawnCurve<'_>> = places
        .iter()
        .zip(&names)
        .map(|(place, label)| {
            let (series, points) = tab.curve(place);
            let (ink, symbol) = (Some(place.ink), place.symbol);
            DrawnCurve { label, points, style: series.style, ink, symbol, prominence: place.prominence }
        })
        .collect();
    let (drawn, all) = tab.drawn_of_all();
    let mut title = plot.title.clone();
    if tab.compare && drawn < all {
        title += &format!(", {drawn} of {all}");
    }
    let (x, summary) = (tab.axis(plot), tab.problem.summary(&plot.id));
    let drawn = PlotDrawn { plot, x: &x, title: &title, summary, scales: figure.scales(tab).unwrap_or_default() };
    draw_curves(frame, app, tab, &drawn, &curves, |curve| Some(places.get(curve)?.run), spot)
}

/// Draws curves over all runs on screen.
fn draw_study(
    frame: &mut Frame<'_>,
    app: &App,
    tab: &ProblemTab,
    figure: &Figure<'_>,
    study: &StudyPlot,
    spot: Spot,
) -> Vec<(Rect, ClickTarget)> {
    let chosen_variant = tab.target().and_then(|run| tab.variant_index(run));
    // A staircase of one point would only cover the one who won.
    let has_place = |curve: &StudyCurve| {
        (curve.style != Style::Dashed || curve.points.len() > 1)
            && curve.variant.is_none_or(|variant| tab.draws_variant(variant) && !curve.points.is_empty())
    };
    let labelled: Vec<(usize, &StudyCurve, String)> = study
        .curves
        .iter()
        .enumerate()
        .filter(|(_, curve)| has_place(curve))
        .map(|(index, curve)| (index, curve, format!("{}{}", tab.star(curve.variant), curve.label)))
        .collect();
    let curves: Vec<DrawnCurve<'_>> = labelled
        .iter()
        .map(|(index, curve, label)| DrawnCurve {
            label,
            points: &curve.points,
            style: curve.style,
            ink: curve.ink,
            symbol: *index,
            prominence: match curve.variant {
                Some(variant) if Some(variant) == chosen_variant => Prominence::Chosen,
                Some(_) => Prominence::Dimmed,
                None => Prominence::Plain,
            },
        })
        .collect();
    let (plot, summary) = (&study.plot, study.summary);
    let scales = figure.scales(tab).unwrap_or_default();
    let drawn = PlotDrawn { plot, x: &plot.x, title: &plot.title, summary, scales };
    draw_curves(frame, app, tab, &drawn, &curves, |_| None, spot)
}

/// Draws a plot. `run` says whose curve it is, by its number. Returns where its parts stand.
fn draw_curves(
    frame: &mut Frame<'_>,
    app: &App,
    tab: &ProblemTab,
    drawn: &PlotDrawn<'_>,
    curves: &[DrawnCurve<'_>],
    run: impl Fn(usize) -> Option<usize>,
    spot: Spot,
) -> Vec<(Rect, ClickTarget)> {
    let looks = tab.looks(&drawn.plot.id);
    let mut title = drawn.title.to_owned();
    if let Some((index, count)) = spot.number {
        title = format!("{title} {index}/{count}");
    }
    if looks.smoothing > 0.0 {
        title += " (smoothed)";
    }
    let widget = PlotWidget {
        title: &title,
        x: drawn.x,
        y: &drawn.plot.y,
        curves,
        scales: drawn.scales,
        smoothing: looks.smoothing,
        summary: drawn.summary,
        cursor: tab.cursor(drawn.plot),
        part: looks.range,
        outliers: looks.outliers,
        legend_below: spot.is_alone,
        focused: spot.is_chosen && tab.pane == Pane::Figures,
        hint: "waiting for the first point",
        theme: app.theme(),
    };
    let figure = spot.index;
    let Some(places) = widget.draw(spot.area, frame.buffer_mut()) else { return Vec::new() };
    let axis = DrawnAxis { shown: places.shown, whole: places.whole, columns: places.canvas.width };
    let entry = |(place, curve)| Some((place, ClickTarget::Legend { figure, run: run(curve)? }));
    let mut targets: Vec<_> = places.legend.into_iter().filter_map(entry).collect();
    targets.push((places.canvas, ClickTarget::Canvas { figure, axis }));
    targets
}
