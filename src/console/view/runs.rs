//! The Runs tab: the list of all runs, and what there is to know about the chosen one.

use super::frame::pane;
use crate::console::app::{App, ORDERS};
use crate::console::keymap::{Action, Place};
use crate::console::widget::table::{Cell, Heading, Table};
use crate::console::widget::text;
use crate::lab::{RunSummary, duration};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Draws the tab.
pub fn draw(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let theme = app.theme();
    let details = if area.width >= 110 { (area.width / 3).min(56) } else { 0 };
    let left = Rect { width: area.width - details, ..area };
    let runs = app.runs();
    let mut title = format!("Runs: {} of {}, {}", runs.listed.len(), runs.count(), ORDERS[runs.order].1);
    if !runs.filter_text.is_empty() {
        title += &format!(", {}", runs.filter_text);
    }
    if runs.sweeps > 0 {
        let count = if runs.sweeps == 1 { "1 sweep".to_owned() } else { format!("{} sweeps", runs.sweeps) };
        title += &format!(" · {count} on a cluster");
    }
    let block = pane(theme, &title, true);
    let inner = block.inner(left);
    frame.render_widget(block, left);
    if runs.listed.is_empty() {
        draw_empty(frame, app, inner);
    } else {
        draw_table(frame, app, inner);
    }
    if details > 0 {
        let right = Rect { x: left.right(), width: details, ..area };
        let block = pane(theme, "Run", false);
        let inner = block.inner(right);
        frame.render_widget(block, right);
        if let Some(run) = runs.chosen() {
            frame.render_widget(Paragraph::new(lines(app, run, inner.width.into())), inner);
        }
    }
}

fn draw_empty(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let runs = app.runs();
    let words = match (&runs.trouble, runs.is_listed) {
        (Some(trouble), _) => trouble.clone(),
        (None, false) => "looking for runs…".to_owned(),
        (None, true) if runs.count() > 0 => {
            let key = app.keymap().key(Place::Runs, Action::Filter);
            format!("no run matches `{}`; {key} changes the filter", runs.filter_text)
        }
        (None, true) => {
            let key = app.keymap().key(Place::Form, Action::Run);
            format!("no runs in {} yet; go to a problem's tab and press {key}", app.places().logs.display())
        }
    };
    let lines = text::wrap(&words, area.width.into());
    // Line by line: a paragraph centres lines one column further to the right where the room is odd.
    let top = area.y + area.height.saturating_sub(lines.len() as u16) / 2;
    for (row, line) in lines.into_iter().take(area.height.into()).enumerate() {
        let place = Rect { y: top + row as u16, height: 1, ..area };
        frame.render_widget(Line::styled(line, app.theme().dim()).centered(), place);
    }
}

fn draw_table(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let theme = app.theme();
    let mut label = Heading::left("run").fixed();
    label.most = (area.width / 3).max(14);
    let mut tags = Heading::left("tags");
    tags.most = 30;
    let headings = [
        Heading::left("").fixed(),
        label,
        Heading::left("problem"),
        Heading::right("headline"),
        Heading::left(""),
        Heading::right("time"),
        Heading::left("started (UTC)"),
        tags,
    ];
    // Only the visible rows are formatted, because the list may hold thousands.
    let visible = usize::from(area.height);
    let from = runs_from(app.runs().chosen, visible);
    let rows: Vec<Vec<Cell<'_>>> = app.runs().listed.iter().skip(from).take(visible).map(|run| row(app, run)).collect();
    let selected = Some(app.runs().chosen - from);
    let table = Table { headings: &headings, rows: &rows, selected, focused: true, skip: app.runs().skip, theme };
    frame.render_widget(&table, area);
}

/// The first run to draw so that the chosen one is seen.
const fn runs_from(chosen: usize, visible: usize) -> usize {
    (chosen + 2).saturating_sub(visible)
}

fn row<'a>(app: &App, run: &'a RunSummary) -> Vec<Cell<'a>> {
    let theme = app.theme();
    let (symbol, style) = theme.state(run.state);
    let on_screen = app.tabs().iter().any(|tab| tab.position(&run.id).is_some());
    let problem = app.tabs().iter().map(|tab| tab.problem).find(|problem| problem.name() == run.problem);
    let column = problem.and_then(|problem| problem.column(problem.headline_of(&run.row)));
    let headline = match (run.headline, column) {
        (Some(value), Some(column)) => crate::lab::decimal(value, column.digits),
        (Some(value), None) => text::short(value),
        (None, _) => "–".to_owned(),
    };
    let name = if run.title.is_empty() { &run.label } else { &run.title };
    let name = if name.is_empty() { &run.id } else { name };
    let name_style = if on_screen { theme.accent() } else { ratatui::style::Style::new() };
    let started = run.started.get(..16).unwrap_or(&run.started).replace('T', " ");
    let last = match &run.damage {
        Some(damage) => Cell::styled(damage.as_str(), theme.bad()),
        None => Cell::styled(run.tags.join(" "), theme.dim()),
    };
    vec![
        Cell::styled(symbol.to_string(), style),
        Cell::styled(name.as_str(), name_style),
        Cell::styled(problem.map_or(run.problem.as_str(), |problem| problem.title()), theme.dim()),
        Cell::new(headline),
        Cell::styled(column.map_or("", |column| column.label), theme.dim()),
        Cell::new(if run.seconds > 0.0 { duration(run.seconds) } else { "–".to_owned() }),
        Cell::styled(started, theme.dim()),
        last,
    ]
}

/// Everything about the chosen run.
fn lines(app: &App, run: &RunSummary, width: usize) -> Vec<Line<'static>> {
    let theme = app.theme();
    let (symbol, style) = theme.state(run.state);
    let mut lines: Vec<Line<'static>> =
        text::wrap(&run.id, width).into_iter().map(|line| Line::styled(line, theme.title())).collect();
    lines.push(Line::from(vec![
        Span::styled(format!("{symbol} {}", run.state.name()), style),
        Span::styled(
            format!("  {}", if run.seconds > 0.0 { duration(run.seconds) } else { String::new() }),
            theme.dim(),
        ),
    ]));
    for words in [Some(&run.message), run.damage.as_ref()].into_iter().flatten().filter(|words| !words.is_empty()) {
        lines.extend(text::wrap(words, width).into_iter().map(|line| Line::styled(line, theme.warn())));
    }
    if !run.tags.is_empty() {
        let tags = format!("tags: {}", run.tags.join(" "));
        lines.extend(text::wrap(&tags, width).into_iter().map(|line| Line::styled(line, theme.dim())));
    }
    let problem = app.tabs().iter().map(|tab| tab.problem).find(|problem| problem.name() == run.problem);
    lines.push(Line::raw(""));
    let label_width = (width / 2).min(22);
    let mut pair = |key: &str, value: String, bold: bool| {
        let value = text::fit(&value, width.saturating_sub(label_width + 1));
        let look = if bold { theme.title() } else { ratatui::style::Style::new() };
        lines.push(Line::from(vec![
            Span::styled(format!("{} ", text::pad(key, label_width)), theme.dim()),
            Span::styled(value, look),
        ]));
    };
    if let Some(problem) = problem {
        for column in problem.columns() {
            if run.row.contains_key(column.key) {
                pair(
                    &column.heading(),
                    column.show(run.row.get(column.key)),
                    column.key == problem.headline_of(&run.row),
                );
            }
        }
    }
    pair("", String::new(), false);
    for (key, value) in run.params.iter() {
        let value = value.to_string();
        let default = problem.and_then(|problem| problem.schema().get(key)).map(|param| param.default);
        pair(key, value.clone(), default.is_some_and(|default| default != value));
    }
    lines
}
