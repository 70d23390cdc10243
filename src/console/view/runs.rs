//! The Runs tab: the list of all runs, and what there is to know about the chosen one.

use super::frame::{pane, row_targets, scrolled};
use crate::console::app::{App, ClickTarget, ORDERS};
use crate::console::keymap::{Action, Place};
use crate::console::theme::Theme;
use crate::console::widget::table::{Cell, Heading, Table};
use crate::console::widget::text;
use crate::lab::{Column, RunSummary, duration};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// The width from which the details stand beside the list.
const BOTH: u16 = 110;

/// Draws the tab. Returns what clicks on its lines choose.
pub fn draw(frame: &mut Frame<'_>, app: &App, area: Rect) -> Vec<(Rect, ClickTarget)> {
    let theme = app.theme();
    let runs = app.runs();
    // Where there is no room for both, the details take the place of the list while they have the focus.
    let details = match area.width {
        width if runs.in_details && (runs.zoom || width < BOTH) => width,
        width if width >= BOTH => (width / 3).min(56),
        _ => 0,
    };
    let left = Rect { width: area.width - details, ..area };
    let targets = if left.width > 0 { draw_list(frame, app, left) } else { Vec::new() };
    if details > 0 {
        let right = Rect { x: left.right(), width: details, ..area };
        let block = pane(theme, "Run", runs.in_details);
        let inner = block.inner(right);
        frame.render_widget(block, right);
        if let Some(run) = runs.chosen() {
            scrolled(frame, theme, right, inner, lines(app, run, inner.width.into()), &runs.details);
        }
    }
    targets
}

/// Draws the list, or why there is none. Returns what clicks on its lines choose.
fn draw_list(frame: &mut Frame<'_>, app: &App, left: Rect) -> Vec<(Rect, ClickTarget)> {
    let (theme, runs) = (app.theme(), app.runs());
    let mut title = format!("Runs: {} of {}, {}", runs.listed.len(), runs.count(), ORDERS[runs.order].1);
    if !runs.filter_text.is_empty() {
        title += &format!(", {}", runs.filter_text);
    }
    if !runs.marked.is_empty() {
        title += &format!(", {} marked", runs.marked.len());
    }
    if runs.sweeps > 0 {
        let count = if runs.sweeps == 1 { "1 sweep".to_owned() } else { format!("{} sweeps", runs.sweeps) };
        title += &format!(" · {count} on a cluster");
    }
    let block = pane(theme, &title, !runs.in_details);
    let inner = block.inner(left);
    frame.render_widget(block, left);
    if runs.listed.is_empty() {
        draw_empty(frame, app, inner);
        return Vec::new();
    }
    draw_table(frame, app, inner)
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

fn draw_table(frame: &mut Frame<'_>, app: &App, area: Rect) -> Vec<(Rect, ClickTarget)> {
    let theme = app.theme();
    let mut label = Heading::left("run").fixed();
    label.most = (area.width / 3).max(14);
    let mut tags = Heading::left("tags");
    tags.most = 30;
    let varied = &app.runs().varied;
    let mut headings = vec![Heading::left("").fixed(), label, Heading::right("headline"), Heading::left("")];
    headings.extend(varied.keys.iter().map(Heading::left));
    headings.extend([Heading::left("problem"), Heading::right("time"), Heading::left("started"), tags]);
    // Only the visible rows are formatted, because the list may hold thousands.
    let visible = usize::from(area.height);
    let from = runs_from(app.runs().chosen, visible);
    let shown: Vec<&RunSummary> = app.runs().listed.iter().skip(from).take(visible).map(AsRef::as_ref).collect();
    let texts = varied.texts(&shown.iter().map(|run| &run.params).collect::<Vec<_>>());
    let rows: Vec<Vec<Cell<'_>>> = shown.into_iter().zip(texts).map(|(run, texts)| row(app, run, texts)).collect();
    let selected = Some(app.runs().chosen - from);
    let table = Table {
        headings: &headings,
        rows: &rows,
        selected,
        focused: !app.runs().in_details,
        skip: app.runs().skip,
        column: None,
        theme,
    };
    frame.render_widget(&table, area);
    row_targets(area, rows.len(), |row| ClickTarget::Run(from + row))
}

/// The first run to draw so that the chosen one is seen.
const fn runs_from(chosen: usize, visible: usize) -> usize {
    (chosen + 2).saturating_sub(visible)
}

fn row<'a>(app: &App, run: &'a RunSummary, params: Vec<String>) -> Vec<Cell<'a>> {
    let theme = app.theme();
    let (symbol, style) = theme.state(run.state);
    let on_screen = app.tabs().iter().any(|tab| tab.position(&run.id).is_some());
    let problem = app.problem_called(&run.problem);
    let column = problem.and_then(|problem| problem.column(problem.headline_of(&run.row)));
    let headline = match (run.headline, column) {
        (Some(value), Some(column)) => crate::lab::decimal(value, column.digits),
        (Some(value), None) => text::short(value),
        (None, _) => "–".to_owned(),
    };
    let mark = if app.runs().marked.contains(&run.id) { "*" } else { "" };
    let name = if run.name().is_empty() { &run.id } else { run.name() };
    let name_style = if on_screen { theme.accent() } else { Style::new() };
    let started = text::local(&run.started);
    let last = match &run.damage {
        Some(damage) => Cell::styled(damage.as_str(), theme.bad()),
        None => Cell::styled(run.tags.join(" "), theme.dim()),
    };
    let mut cells = vec![
        Cell::styled(format!("{symbol}{mark}"), style),
        Cell::styled(name, name_style),
        Cell::new(headline),
        Cell::styled(column.map_or("", |column| column.label), theme.dim()),
    ];
    cells.extend(params.into_iter().map(Cell::new));
    cells.extend([
        Cell::styled(problem.map_or(run.problem.as_str(), |problem| problem.title()), theme.dim()),
        Cell::new(if run.seconds > 0.0 { duration(run.seconds) } else { "–".to_owned() }),
        Cell::styled(started, theme.dim()),
        last,
    ]);
    cells
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
    let problem = app.problem_called(&run.problem);
    lines.push(Line::raw(""));
    let mut pair = |key: &str, value: &str, style: Style| {
        lines.extend(pair(theme, (key, value), style, width));
    };
    if let Some(problem) = problem {
        let is_there = |column: &&Column| run.row.contains_key(column.key) && column.is_shown([&run.row]);
        for column in problem.columns().iter().filter(is_there) {
            let is_headline = column.key == problem.headline_of(&run.row);
            let style = if is_headline { theme.title() } else { Style::new() };
            pair(&column.heading(), &column.show(run.row.get(column.key)), style);
        }
    }
    let declared = |key: &str| problem.and_then(|problem| problem.schema().get(key));
    let params: Vec<(&str, String)> = run.params.iter().map(|(key, value)| (key, value.to_string())).collect();
    // What the user has set comes first.
    let (changed, rest): (Vec<_>, Vec<_>) =
        params.into_iter().partition(|(key, value)| declared(key).is_some_and(|param| !param.is_default(value)));
    for (heading, params, style) in [("changed", changed, theme.title()), ("as by default", rest, theme.dim())] {
        if !params.is_empty() {
            pair("", "", style);
            pair(heading, "", style);
            params.iter().for_each(|(key, value)| pair(key, value, style));
        }
    }
    lines
}

/// A key with its value, which takes as many lines as it needs.
fn pair(theme: &Theme, (key, value): (&str, &str), style: Style, width: usize) -> Vec<Line<'static>> {
    let label = (width / 2).min(22);
    let mut parts = text::wrap(value, width.saturating_sub(label + 1).max(1));
    if parts.is_empty() {
        parts.push(String::new());
    }
    let line = |(row, part): (usize, String)| {
        let key = if row == 0 { key } else { "" };
        Line::from(vec![Span::styled(format!("{} ", text::pad(key, label)), theme.dim()), Span::styled(part, style)])
    };
    parts.into_iter().enumerate().map(line).collect()
}
