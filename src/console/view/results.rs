//! The results of a problem's tab: every row of every run on screen, and what the chosen run remarks.

use super::pane;
use crate::console::app::{App, Pane, ProblemTab};
use crate::console::theme::Theme;
use crate::console::widget::table::{Cell, Heading, Table};
use crate::console::widget::text;
use crate::lab::{RunState, duration};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// How many rows the results take of a screen.
pub fn height(tab: &ProblemTab, theme: &Theme, area: Rect) -> u16 {
    let most = if tab.pane == Pane::Results { area.height / 2 } else { (area.height / 3).max(6) };
    let notes = notes(tab, theme, area.width.saturating_sub(2).into(), area.height);
    (tab.lines().len() as u16 + 3 + notes.len() as u16).min(most).max(5)
}

/// Draws the table.
pub fn draw(frame: &mut Frame<'_>, app: &App, tab: &ProblemTab, area: Rect) {
    let theme = &app.theme;
    let focused = tab.pane == Pane::Results;
    let block = pane(theme, "Results", focused);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let mut notes = notes(tab, theme, inner.width.into(), area.height * 3);
    notes.truncate(usize::from(inner.height.saturating_sub(2)));
    let table_area = Rect { height: inner.height - notes.len() as u16, ..inner };
    let mut columns: Vec<_> = tab.problem.columns().iter().filter(|column| column.brief || inner.width > 150).collect();
    // The number that counts comes first: on a narrow screen it is the one that is seen.
    columns.sort_by_key(|column| column.key != tab.problem.headline());
    let mut label = Heading::left("run").fixed();
    label.most = (inner.width / 3).max(12);
    let mut headings = vec![Heading::left("").fixed(), label];
    headings.extend(columns.iter().map(|column| {
        let numbers = tab.runs.iter().flat_map(|run| &run.view.rows).filter_map(|row| row.get(column.key));
        let words = numbers.clone().any(serde_json::Value::is_string);
        let heading = column.heading();
        if words { Heading::left(heading) } else { Heading::right(heading) }
    }));
    headings.push(Heading::right("time"));
    let labels = tab.labels();
    let chosen = tab.line.min(tab.lines().len().saturating_sub(1));
    let rows: Vec<Vec<Cell<'_>>> = tab
        .lines()
        .into_iter()
        .enumerate()
        .map(|(index, line)| {
            let run = &tab.runs[line.run];
            let (symbol, style) = theme.state(run.view.state);
            let mut cells = vec![
                Cell::styled(format!("{symbol}{}", if index == chosen && !focused { '▸' } else { ' ' }), style),
                Cell::styled(labels[line.run].as_str(), theme.ink(line.run)),
            ];
            let row = line.row.map(|row| &run.view.rows[row]);
            cells.extend(columns.iter().map(|column| match row {
                Some(row) => Cell::new(column.show(row.get(column.key))),
                None => Cell::styled("·", theme.faint()),
            }));
            cells.push(time(run, theme));
            cells
        })
        .collect();
    let table = Table { headings: &headings, rows: &rows, selected: Some(chosen), focused, skip: tab.skip, theme };
    frame.render_widget(&table, table_area);
    for (row, line) in notes.into_iter().enumerate() {
        frame.render_widget(line, Rect { y: table_area.bottom() + row as u16, height: 1, ..inner });
    }
}

fn time(run: &crate::console::app::ShownRun, theme: &Theme) -> Cell<'static> {
    match run.view.state {
        RunState::Queued | RunState::Paused | RunState::Failed | RunState::Diverged | RunState::Lost => {
            Cell::styled(run.view.state.name(), theme.state(run.view.state).1)
        }
        RunState::Running => Cell::styled("running", theme.state(RunState::Running).1),
        RunState::Finished | RunState::Stopped => Cell::new(duration(run.view.seconds)),
    }
}

/// Why the chosen run ended as it did, and its remarks.
fn notes(tab: &ProblemTab, theme: &Theme, width: usize, height: u16) -> Vec<Line<'static>> {
    let Some(run) = tab.target().map(|run| &tab.runs[run]) else { return Vec::new() };
    let mut lines = Vec::new();
    if !run.view.message.is_empty() {
        let style = if run.view.state == RunState::Failed { theme.bad() } else { theme.warn() };
        let words = format!("{} {}", theme.state(run.view.state).0, run.view.message);
        lines.extend(text::wrap(&words, width).into_iter().map(|line| Line::styled(line, style)));
    }
    for note in &run.view.notes {
        lines.extend(text::wrap(&format!("· {note}"), width).into_iter().map(|line| Line::styled(line, theme.dim())));
    }
    lines.truncate(if height < 30 { 2 } else { 4 });
    lines
}
