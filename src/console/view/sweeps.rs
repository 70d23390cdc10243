//! The list of sweeps on a cluster, and the points of the chosen one.

use super::frame::{popup, row_targets};
use crate::console::app::{App, ClickTarget, SweepEntry};
use crate::console::theme::Theme;
use crate::console::widget::table::{Cell, Heading, Table};
use crate::console::widget::text;
use crate::lab::RunState;
use crate::lab::slurm::{PointStatus, Status};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

/// Draws the list. Returns what clicks on its lines choose.
pub fn draw(frame: &mut Frame<'_>, app: &App, area: Rect) -> Vec<(Rect, ClickTarget)> {
    let (theme, sweeps) = (app.theme(), app.sweeps());
    let inner = popup(frame, theme, area, (area.width, area.height), "Sweeps on a cluster");
    if sweeps.entries.is_empty() {
        let words = if sweeps.known {
            format!("no sweep was submitted from here: {} has none", app.places().logs.display())
        } else {
            "looking for sweeps…".to_owned()
        };
        let lines = text::wrap(&words, inner.width.into());
        frame.render_widget(Paragraph::new(lines.join("\n")).style(theme.dim()), inner);
        return Vec::new();
    }
    let height = (sweeps.entries.len() as u16 + 1).min((inner.height / 3).max(3));
    let list = Rect { height, ..inner };
    let targets = draw_list(frame, app, list);
    let rule = Rect { y: list.bottom(), height: 1, ..inner };
    frame.render_widget(Line::styled("─".repeat(inner.width.into()), theme.faint()), rule);
    let rest = Rect { y: rule.bottom(), height: inner.bottom().saturating_sub(rule.bottom()), ..inner };
    if let Some(entry) = sweeps.chosen() {
        draw_chosen(frame, app, entry, rest);
    }
    targets
}

fn draw_list(frame: &mut Frame<'_>, app: &App, area: Rect) -> Vec<(Rect, ClickTarget)> {
    let (theme, sweeps) = (app.theme(), app.sweeps());
    let headings = [
        Heading::left("").fixed(),
        Heading::left("sweep").fixed(),
        Heading::right("points"),
        Heading::right("finished"),
        Heading::right("running"),
        Heading::right("waiting"),
        Heading::right("failed"),
        Heading::right("stopped"),
        Heading::left("problem"),
        Heading::left("planned (UTC)"),
        Heading::right("job"),
    ];
    let visible = usize::from(area.height);
    let first = (sweeps.chosen + 2).saturating_sub(visible);
    let rows: Vec<Vec<Cell<'_>>> =
        sweeps.entries.iter().skip(first).take(visible).map(|entry| row(theme, entry)).collect();
    let table = Table {
        headings: &headings,
        rows: &rows,
        selected: Some(sweeps.chosen - first),
        focused: true,
        skip: 0,
        column: None,
        theme,
    };
    frame.render_widget(&table, area);
    row_targets(area, rows.len(), |row| ClickTarget::Entry(first + row))
}

fn row<'a>(theme: &Theme, entry: &'a SweepEntry) -> Vec<Cell<'a>> {
    let planned = entry.created.get(..16).unwrap_or(&entry.created).replace('T', " ");
    let tail = [
        Cell::styled(entry.problem.as_str(), theme.dim()),
        Cell::styled(planned, theme.dim()),
        Cell::styled(entry.job.as_deref().unwrap_or("–"), theme.dim()),
    ];
    let status = match &entry.status {
        Ok(status) => status,
        Err(_) => {
            let mut cells = vec![Cell::styled("✘", theme.bad()), Cell::new(entry.title.as_str())];
            cells.extend(std::iter::repeat_n(Cell::styled("·", theme.faint()), 6));
            cells.push(Cell::styled("cannot be read", theme.bad()));
            return cells;
        }
    };
    let counted = |count: usize, style: Style| match count {
        0 => Cell::styled("·", theme.faint()),
        count => Cell::styled(count.to_string(), style),
    };
    let count = |states: &[RunState], style: Style| counted(status.count(states), style);
    let (symbol, style) = theme.state(state(status));
    let waiting = status.points.iter().filter(|point| matches!(point.state(), None | Some(RunState::Queued))).count();
    let mut cells = vec![
        Cell::styled(symbol.to_string(), style),
        Cell::new(entry.title.as_str()),
        Cell::new(status.points.len().to_string()),
        counted(status.done(), theme.good()),
        count(&[RunState::Running, RunState::Paused], theme.accent()),
        if waiting == 0 { Cell::styled("·", theme.faint()) } else { Cell::new(waiting.to_string()) },
        count(&[RunState::Failed, RunState::Diverged], theme.bad()),
        count(&[RunState::Stopped, RunState::Lost], theme.warn()),
    ];
    cells.extend(tail);
    cells
}

/// The state that stands for a whole sweep.
fn state(status: &Status) -> RunState {
    let any = |states: &[RunState]| status.count(states) > 0;
    if status.is_complete() {
        RunState::Finished
    } else if any(&[RunState::Running, RunState::Paused, RunState::Queued]) {
        RunState::Running
    } else if any(&[RunState::Failed, RunState::Diverged]) {
        RunState::Failed
    } else if any(&[RunState::Stopped, RunState::Lost]) {
        RunState::Stopped
    } else {
        RunState::Queued
    }
}

/// The points of the chosen sweep, those that are not finished first.
fn draw_chosen(frame: &mut Frame<'_>, app: &App, entry: &SweepEntry, area: Rect) {
    let theme = app.theme();
    let status = match &entry.status {
        Ok(status) => status,
        Err(reason) => {
            let lines = text::wrap(reason, area.width.into());
            return frame.render_widget(Paragraph::new(lines.join("\n")).style(theme.bad()), area);
        }
    };
    let mut words = match (&status.trouble, app.sweeps().is_busy()) {
        (Some(trouble), _) => vec![(format!("Slurm: {trouble}"), theme.bad())],
        (None, true) => vec![("asking Slurm…".to_owned(), theme.dim())],
        (None, false) if entry.element_points > 1 => {
            vec![(format!("{} points an element", entry.element_points), theme.dim())]
        }
        (None, false) => Vec::new(),
    };
    if status.is_complete() {
        let is_held = status.done() > status.count(&[RunState::Finished]);
        let all = if is_held { "every run came as far as this share goes" } else { "every point is finished" };
        words = vec![(all.to_owned(), theme.good())];
    }
    let lines: Vec<Line<'_>> = words
        .into_iter()
        .flat_map(|(words, style)| {
            text::wrap(&words, area.width.into()).into_iter().map(move |line| Line::styled(line, style))
        })
        .take(3)
        .collect();
    let below = lines.len() as u16;
    let table_area = Rect { height: area.height.saturating_sub(below), ..area };
    let mut points: Vec<&PointStatus> = status.points.iter().collect();
    points.sort_by_key(|point| (point.done, point.run.is_none()));
    let headings = [
        Heading::right("point").fixed(),
        Heading::left("").fixed(),
        Heading::left("run").fixed(),
        Heading::left("Slurm"),
        Heading::left("node"),
        Heading::right("result"),
        Heading { most: 80, ..Heading::left("why") },
    ];
    let rows = usize::from(table_area.height.saturating_sub(1));
    let skip = app.sweeps().skip.min(points.len().saturating_sub(rows));
    let rows: Vec<Vec<Cell<'_>>> = points
        .into_iter()
        .skip(skip)
        .take(table_area.height.into())
        .map(|point| point_row(app, entry, status, point))
        .collect();
    let table =
        Table { headings: &headings, rows: &rows, selected: None, focused: false, skip: 0, column: None, theme };
    frame.render_widget(&table, table_area);
    frame.render_widget(Paragraph::new(lines), Rect { y: table_area.bottom(), height: below, ..area });
}

fn point_row<'a>(app: &App, entry: &'a SweepEntry, status: &'a Status, point: &'a PointStatus) -> Vec<Cell<'a>> {
    let theme = app.theme();
    let element = status.elements.iter().find(|element| element.index == point.element);
    let (queue, node, why) = match element.filter(|_| !point.done) {
        Some(element) => (element.state.as_str(), element.node.as_str(), element.reason.as_str()),
        None => ("", "", ""),
    };
    let run = point.run.as_ref();
    let problem = app.problem_called(&entry.problem);
    let column = problem.zip(run).and_then(|(problem, run)| problem.column(problem.headline_of(&run.row)));
    let digits = column.map_or(4, |column| column.digits);
    let result = run.and_then(|run| run.headline).map_or_else(String::new, |value| crate::lab::decimal(value, digits));
    let told = run.map_or("", |run| run.message.as_str());
    let (symbol, style) = theme.state(point.state().unwrap_or(RunState::Queued));
    let what = entry.labels.get(point.index).map(String::as_str).filter(|label| !label.is_empty());
    let what = what.or(run.map(|run| run.label.as_str())).unwrap_or("–");
    vec![
        Cell::new(point.index.to_string()),
        Cell::styled(symbol.to_string(), style),
        Cell::styled(what, if run.is_some() { Style::new() } else { theme.dim() }),
        Cell::new(queue.to_lowercase()),
        Cell::styled(node, theme.dim()),
        Cell::new(result),
        Cell::styled(if told.is_empty() { why } else { told }, theme.warn()),
    ]
}
