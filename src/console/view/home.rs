//! The opening page of a problem's tab: what it is about, the runs at work, the newest and the best, and what keys do.

use super::frame::pane;
use crate::console::app::{App, Asked, HomePart, ProblemTab};
use crate::console::keymap::{Action, Place};
use crate::console::theme::Theme;
use crate::console::widget::sparkline::sparkline;
use crate::console::widget::text;
use crate::lab::{RunSummary, StoredParams, decimal, distinct_names, duration};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// The width from which the times of runs are shown.
const WIDE: usize = 70;

/// Draws the page.
pub fn draw(frame: &mut Frame<'_>, app: &App, tab: &ProblemTab, area: Rect) {
    let theme = app.theme();
    let page = app.home().page(app.tab_index());
    let focused = app.place() == Place::Home;
    let block = pane(theme, tab.problem.title(), focused);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let about = text::wrap(tab.problem.about(), usize::from(inner.width).saturating_sub(6).min(70));
    let mut lines: Vec<Line<'_>> = about.into_iter().map(|line| Line::raw(line).centered()).collect();
    lines.push(Line::raw(""));
    if page.is_empty() {
        lines.extend(keys(app, tab, inner.width));
        // Line by line: a paragraph centres lines one column further to the right where the room is odd.
        let top = inner.y + inner.height.saturating_sub(lines.len() as u16) / 2;
        for (row, line) in lines.into_iter().enumerate() {
            let y = top + row as u16;
            if y < inner.bottom() {
                frame.render_widget(line, Rect { y, height: 1, ..inner });
            }
        }
        return;
    }
    let below = keys(app, tab, inner.width);
    // Where there is little room, the runs come before what the problem is about.
    let (list, chosen) = runs(app, tab, inner.width.into());
    if lines.len() + list.len() + below.len() + 1 > usize::from(inner.height) {
        lines.clear();
    }
    let chosen = chosen + lines.len();
    lines.extend(list);
    let keys_rows = if lines.len() + below.len() < usize::from(inner.height) { below.len() } else { 0 };
    let rows = usize::from(inner.height) - keys_rows;
    let first = (chosen + 2).min(lines.len()).saturating_sub(rows);
    let shown: Vec<Line<'_>> = lines.into_iter().skip(first).take(rows).collect();
    frame.render_widget(Paragraph::new(shown), inner);
    if keys_rows > 0 {
        let place = Rect { y: inner.bottom() - keys_rows as u16, height: keys_rows as u16, ..inner };
        for (row, line) in below.into_iter().enumerate() {
            frame.render_widget(line, Rect { y: place.y + row as u16, height: 1, ..place });
        }
    }
}

/// What the keys do that one begins with.
fn keys(app: &App, tab: &ProblemTab, width: u16) -> Vec<Line<'static>> {
    let theme = app.theme();
    let run = match tab.asked() {
        Some(Ok(Asked { runs: 1, deed, cost })) => {
            let time = cost.seconds.filter(|seconds| *seconds > 0.0);
            let time = time.map_or_else(String::new, |seconds| format!(", about {}", duration(seconds)));
            format!("{deed}{time}")
        }
        Some(Ok(Asked { runs, .. })) => format!("asks, then starts {runs} runs"),
        _ => "runs it with the parameters on the left".to_owned(),
    };
    let words = [
        (Action::Run, run.as_str()),
        (Action::Presets, "lists figures that are ready to run"),
        (Action::Sweep, "turns the chosen parameter into a sweep"),
        (Action::Help, "shows every key"),
    ];
    let room = usize::from(width).saturating_sub(6);
    let parts = words.map(|(action, words)| (action, text::wrap(words, room)));
    let column = parts.iter().flat_map(|(_, parts)| parts).map(|part| text::width(part)).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (action, parts) in parts {
        for (row, part) in parts.into_iter().enumerate() {
            let key = if row == 0 { app.keymap().key(Place::Form, action) } else { String::new() };
            let key = Span::styled(format!("{key:>2}  "), theme.accent());
            lines.push(Line::from(vec![key, Span::styled(text::pad(&part, column), theme.dim())]).centered());
        }
    }
    lines
}

/// The runs of the page under headings, and which line is that of the chosen one.
fn runs(app: &App, tab: &ProblemTab, width: usize) -> (Vec<Line<'static>>, usize) {
    let theme = app.theme();
    let (home, index) = (app.home(), app.tab_index());
    let (mut lines, mut chosen, mut part) = (Vec::new(), 0, None);
    let named: Vec<(&str, &str, &StoredParams)> =
        home.page(index).iter().map(|(_, run)| (run.problem.as_str(), run.name(), &run.params)).collect();
    let names = distinct_names(&named, |name| app.problem_called(name).map(|problem| problem.schema()));
    for (at, (here, run)) in home.page(index).iter().enumerate() {
        if part != Some(*here) {
            part = Some(*here);
            let heading = match here {
                HomePart::AtWork => "At work elsewhere".to_owned(),
                HomePart::Newest => "Newest".to_owned(),
                HomePart::Best => {
                    let column = tab.problem.column(tab.problem.headline_of(&run.row));
                    column.map_or_else(|| "Best".to_owned(), |column| format!("Best by {}", column.label))
                }
            };
            lines.push(Line::styled(format!(" {heading}"), theme.title()));
        }
        let is_chosen = at == home.chosen(index);
        if is_chosen {
            chosen = lines.len();
        }
        lines.push(run_line(app, (*here, run), &names[at], is_chosen, width));
    }
    lines.push(Line::raw(""));
    (lines, chosen)
}

fn run_line(
    app: &App,
    (part, run): (HomePart, &RunSummary),
    name: &str,
    is_chosen: bool,
    width: usize,
) -> Line<'static> {
    let theme = app.theme();
    let (symbol, style) = theme.state(run.state);
    let glance = app.home().glance(&run.id);
    let problem = app.problem_called(&run.problem);
    let mut name = name.to_owned();
    if let Some(other) = problem.filter(|problem| app.problem().is_some_and(|tab| tab.problem.name() != problem.name()))
    {
        name = format!("{}: {name}", other.title());
    }
    let column = problem.and_then(|problem| problem.column(problem.headline_of(&run.row)));
    let number = match (run.headline, column) {
        (Some(value), Some(column)) => decimal(value, column.digits),
        (Some(value), None) => text::short(value),
        (None, _) => String::new(),
    };
    let progress = glance.and_then(|glance| glance.progress.as_ref()).filter(|_| part == HomePart::AtWork);
    let last = match progress {
        Some(progress) if progress.total > 0 => {
            let share = format!("{:.0} %", (progress.done as f64 / progress.total as f64 * 100.0).floor());
            let left = progress.remaining_seconds().filter(|_| progress.done < progress.total);
            left.map_or(share.clone(), |left| format!("{share}  {} left", duration(left)))
        }
        _ if part == HomePart::AtWork => run.state.name().to_owned(),
        _ if width >= WIDE => text::local(&run.started),
        _ => String::new(),
    };
    let right = format!(" {number:>8}  {last}");
    let curve = (width / 5).clamp(6, 24);
    let room = width.saturating_sub(4 + curve + text::width(&right) + 2);
    let curve_text = glance.map_or_else(String::new, |glance| sparkline(&glance.curve, curve));
    let focus = if is_chosen { theme.accent() } else { Style::new() };
    let pointer = if is_chosen { "▸" } else { " " };
    Line::from(vec![
        Span::styled(pointer, theme.accent()),
        Span::styled(format!("{symbol} "), style),
        Span::styled(text::pad(&name, room), focus),
        Span::styled(format!(" {} ", text::pad(&curve_text, curve)), curve_style(theme, part)),
        Span::styled(right, theme.dim()),
    ])
}

fn curve_style(theme: &Theme, part: HomePart) -> Style {
    if part == HomePart::AtWork { theme.accent() } else { theme.ink(0) }
}
