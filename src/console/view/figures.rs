//! The figures of a problem's tab, as many at a time as are readable.

use super::frame::pane;
use crate::console::app::{App, ClickTarget, Figure, Pane, ProblemTab};
use crate::console::widget::heatmap::{self, Heatmap};
use crate::console::widget::plot::{DrawnCurve, PlotWidget, Prominence};
use crate::lab::{Axis, CurveSummary, Plot, StudyCurve, StudyPlot, Style};
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
            draw_figure(frame, app, tab, figure, place, index == chosen, number);
            targets.push((place, ClickTarget::Figure(index)));
        }
    }
    targets
}

/// Draws the chosen figure alone.
pub fn draw_one(frame: &mut Frame<'_>, app: &App, tab: &ProblemTab, area: Rect) {
    let figures = tab.figures();
    let chosen = tab.figure.min(figures.len().saturating_sub(1));
    if let Some(figure) = figures.get(chosen) {
        let number = (figures.len() > 1).then_some((chosen + 1, figures.len()));
        draw_figure(frame, app, tab, figure, area, true, number);
    }
}

fn draw_figure(
    frame: &mut Frame<'_>,
    app: &App,
    tab: &ProblemTab,
    figure: &Figure<'_>,
    area: Rect,
    chosen: bool,
    number: Option<(usize, usize)>,
) {
    match figure {
        Figure::Plot(plot) => draw_plot(frame, app, tab, plot, area, chosen, number),
        Figure::Study(study) => draw_study(frame, app, tab, study, area, chosen, number),
        Figure::Map(_) | Figure::Matrices { .. } => {
            let matrices = figure.matrices(tab);
            // Matrices of one group are compared with each other, so they share a scale unless their ranges differ a
            // lot.
            let ranges = || matrices.iter().filter_map(|matrix| heatmap::range(matrix));
            let whole = ranges().reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
            let fits = (usize::from(area.width) / 24).max(1);
            let shown = &matrices[..matrices.len().min(fits)];
            for (index, matrix) in shown.iter().enumerate() {
                let (left, right) = (
                    index * usize::from(area.width) / shown.len(),
                    (index + 1) * usize::from(area.width) / shown.len(),
                );
                let place = Rect { x: area.x + left as u16, width: (right - left) as u16, ..area };
                let own = heatmap::range(matrix);
                let comparable = own.zip(whole).is_some_and(|(own, whole)| own.1 - own.0 > 0.2 * (whole.1 - whole.0));
                let range = if comparable { whole } else { own };
                let view = Heatmap { matrix, range, look: tab.look, theme: app.theme() };
                frame.render_widget(&view, place);
            }
        }
    }
}

fn draw_plot(
    frame: &mut Frame<'_>,
    app: &App,
    tab: &ProblemTab,
    plot: &Plot,
    area: Rect,
    chosen: bool,
    number: Option<(usize, usize)>,
) {
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
    let x = tab.axis(plot);
    let summary = tab.problem.summary(&plot.id);
    draw_curves(frame, app, tab, (plot, &x, &title, summary), &curves, area, chosen, number);
}

/// Draws curves over all runs on screen.
fn draw_study(
    frame: &mut Frame<'_>,
    app: &App,
    tab: &ProblemTab,
    study: &StudyPlot,
    area: Rect,
    chosen: bool,
    number: Option<(usize, usize)>,
) {
    let chosen_variant = tab.target().and_then(|run| tab.variant_index(run));
    // A staircase of one point would only cover the one who won.
    let has_place = |curve: &StudyCurve| {
        (curve.style != Style::Dashed || curve.points.len() > 1)
            && curve.variant.is_none_or(|variant| tab.draws_variant(variant))
    };
    let labelled: Vec<(usize, &StudyCurve, String)> = study
        .curves
        .iter()
        .enumerate()
        .filter(|(_, curve)| has_place(curve))
        .map(|(index, curve)| {
            let is_best = curve.variant.is_some() && curve.variant == tab.study.best;
            (index, curve, format!("{}{}", if is_best { "★ " } else { "" }, curve.label))
        })
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
    let drawn = (&study.plot, &study.plot.x, study.plot.title.as_str(), study.summary);
    draw_curves(frame, app, tab, drawn, &curves, area, chosen, number);
}

#[allow(clippy::too_many_arguments, reason = "one place where a plot's looks come together")]
fn draw_curves(
    frame: &mut Frame<'_>,
    app: &App,
    tab: &ProblemTab,
    (plot, x, title, summary): (&Plot, &Axis, &str, CurveSummary),
    curves: &[DrawnCurve<'_>],
    area: Rect,
    chosen: bool,
    number: Option<(usize, usize)>,
) {
    let looks = tab.looks(&plot.id);
    let mut title = title.to_owned();
    if let Some((index, count)) = number {
        title = format!("{title} {index}/{count}");
    }
    if looks.smoothing > 0.0 {
        title += " (smoothed)";
    }
    let widget = PlotWidget {
        title: &title,
        x,
        y: &plot.y,
        curves,
        scales: (looks.x.unwrap_or(plot.x.scale), looks.y.unwrap_or(plot.y.scale)),
        smoothing: looks.smoothing,
        summary,
        cursor: looks.cursor,
        focused: chosen && tab.pane == Pane::Figures,
        hint: "waiting for the first point",
        theme: app.theme(),
    };
    frame.render_widget(&widget, area);
}
