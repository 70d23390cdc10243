//! The results of a problem's tab: every row of every run on screen, and what the chosen run remarks.

use super::frame::{pane, row_targets};
use super::remarks;
use crate::console::app::{App, ClickTarget, Pane, ProblemTab, ResultLine};
use crate::console::keymap::{Action, Place};
use crate::console::theme::Theme;
use crate::console::widget::table::{Cell, Heading, Table};
use crate::lab::compare::Mean;
use crate::lab::{Column, Row, RunState, StudyVariant, decimal, duration};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

/// How many rows the results take of a screen.
pub fn height(tab: &ProblemTab, theme: &Theme, area: Rect) -> u16 {
    let most = if tab.pane == Pane::Results { area.height / 2 } else { (area.height / 3).max(6) };
    // While the remarks have the focus, they stand in a pane of their own.
    let noted = if tab.pane == Pane::Remarks { 0 } else { most_notes(area.height) };
    let (notes, _) = remarks::preview(tab, theme, area.width.saturating_sub(2).into(), noted);
    (tab.lines().len() as u16 + 3 + notes.len() as u16).min(most).max(5)
}

/// Draws the table, and below it as much of the remarks as there is room for. Returns what clicks on its
/// lines choose.
pub fn draw(frame: &mut Frame<'_>, app: &App, tab: &ProblemTab, area: Rect) -> Vec<(Rect, ClickTarget)> {
    let theme = app.theme();
    let focused = tab.pane == Pane::Results;
    let title = if tab.grouped { "Results: mean ± 95 % interval over seeds" } else { "Results" };
    let block = pane(theme, title, focused);
    let inner = block.inner(area);
    let most = if tab.pane == Pane::Remarks { 0 } else { most_notes(area.height * 3) };
    let most = most.min(inner.height.saturating_sub(2).into());
    let (notes, more) = remarks::preview(tab, theme, inner.width.into(), most);
    let block = if most == 0 || more == 0 {
        block
    } else {
        let lines = if more == 1 { "line" } else { "lines" };
        let key = app.keymap().key(Place::Form, Action::NextPane);
        let words = format!(" {more} more {lines} of remarks: {key} ");
        block.title_bottom(Line::styled(words, theme.dim()).right_aligned())
    };
    frame.render_widget(block, area);
    let table_area = Rect { height: inner.height - notes.len() as u16, ..inner };
    let shown = |column: &&Column| {
        (column.brief || inner.width > 150) && column.is_shown(tab.runs.iter().flat_map(|run| &run.view.rows))
    };
    let mut columns: Vec<_> = tab.problem.columns().iter().filter(shown).collect();
    // The headline number comes first, because a narrow screen shows only the first columns.
    let last = tab.runs.iter().rev().find_map(|run| run.view.rows.last());
    let headline = last.map_or(tab.problem.headline(), |row| tab.problem.headline_of(row));
    columns.sort_by_key(|column| column.key != headline);
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
    let lines = tab.lines();
    let chosen = tab.line.min(lines.len().saturating_sub(1));
    // Only the visible rows are formatted, because there may be thousands.
    let visible = usize::from(table_area.height);
    let first = (chosen + 2).saturating_sub(visible);
    let rows: Vec<Vec<Cell<'_>>> = lines
        .iter()
        .enumerate()
        .skip(first)
        .take(visible)
        .map(|(index, line)| {
            let pointer = if index == chosen && !focused { '▸' } else { ' ' };
            match tab.variant(line.run).filter(|_| tab.grouped) {
                Some(variant) => variant_row(tab, theme, &columns, (line, variant), pointer),
                None => run_row(tab, theme, &columns, line, &labels[line.run], pointer),
            }
        })
        .collect();
    let chosen = chosen - first;
    let table = Table { headings: &headings, rows: &rows, selected: Some(chosen), focused, skip: tab.skip, theme };
    frame.render_widget(&table, table_area);
    let below = Rect { y: table_area.bottom(), height: notes.len() as u16, ..inner };
    frame.render_widget(Paragraph::new(notes), below);
    let mut targets = row_targets(table_area, rows.len(), |row| ClickTarget::Line(first + row));
    targets.push((below, ClickTarget::Pane(Pane::Remarks)));
    targets
}

fn run_row<'a>(
    tab: &'a ProblemTab,
    theme: &Theme,
    columns: &[&Column],
    line: &ResultLine,
    label: &'a str,
    pointer: char,
) -> Vec<Cell<'a>> {
    let run = &tab.runs[line.run];
    let (symbol, style) = theme.state(run.view.state);
    let mut cells = vec![Cell::styled(format!("{symbol}{pointer}"), style), Cell::styled(label, theme.ink(line.run))];
    let row = line.row.map(|row| &run.view.rows[row]);
    cells.extend(columns.iter().map(|column| match row {
        Some(row) => Cell::new(column.show(row.get(column.key))),
        None => Cell::styled("·", theme.faint()),
    }));
    cells.push(time(run, theme));
    cells
}

/// The worst state of several runs, and how many of them are in it. A run that ended badly is worse than one at work.
fn worst(states: &[RunState]) -> (RunState, usize) {
    let order = [
        RunState::Failed,
        RunState::Diverged,
        RunState::Lost,
        RunState::Stopped,
        RunState::Running,
        RunState::Paused,
        RunState::Queued,
        RunState::Finished,
    ];
    let count = |state: &RunState| states.iter().filter(|other| *other == state).count();
    order
        .into_iter()
        .map(|state| (state, count(&state)))
        .find(|(_, count)| *count > 0)
        .unwrap_or((RunState::Finished, 0))
}

/// A line of a variant: numbers as mean ± half of the 95 % interval over its runs, words where all agree.
fn variant_row<'a>(
    tab: &'a ProblemTab,
    theme: &Theme,
    columns: &[&Column],
    (line, variant): (&ResultLine, &'a StudyVariant),
    pointer: char,
) -> Vec<Cell<'a>> {
    let states: Vec<RunState> = variant.runs.iter().map(|run| tab.runs[*run].view.state).collect();
    let over = states.iter().filter(|state| state.is_final()).count();
    let all = states.len();
    let (state, count) = worst(&states);
    let (symbol, style) = theme.state(state);
    let ended_badly = over > 0 && state.is_final() && state != RunState::Finished && all > 1;
    let symbol = if ended_badly { format!("{symbol} {count}/{all}") } else { symbol.to_string() };
    let label = if variant.label.is_empty() { &tab.runs[line.run].label } else { &variant.label };
    let count = if all == 1 { label.clone() } else { format!("{label} ×{all}") };
    let mut cells = vec![
        Cell::styled(format!("{symbol}{pointer}"), style),
        Cell::styled(count, theme.ink(tab.study.variants.iter().position(|other| other == variant).unwrap_or(0))),
    ];
    let rows: Vec<&Row> = line
        .row
        .into_iter()
        .flat_map(|row| variant.runs.iter().filter_map(move |run| tab.runs[*run].view.rows.get(row)))
        .collect();
    cells.extend(columns.iter().map(|column| {
        let values: Vec<&serde_json::Value> = rows.iter().filter_map(|row| row.get(column.key)).collect();
        let same = values.windows(2).all(|pair| pair[0] == pair[1]);
        match (values.first(), Mean::of(&values.iter().filter_map(|value| value.as_f64()).collect::<Vec<_>>())) {
            (None, _) => Cell::styled("·", theme.faint()),
            (Some(value), _) if same => Cell::new(column.show(Some(value))),
            // The mean of seeds means nothing.
            (_, Some(Mean { mean, interval: Some(half) })) if column.key != "seed" => {
                Cell::new(format!("{} ±{}", decimal(mean, column.digits), decimal(half, column.digits)))
            }
            _ => Cell::styled("…", theme.faint()),
        }
    }));
    let seconds: f64 = variant.runs.iter().map(|run| tab.runs[*run].view.seconds).sum();
    cells.push(if over == all {
        Cell::new(duration(seconds))
    } else {
        Cell::styled(format!("{over} of {all}"), theme.state(RunState::Running).1)
    });
    cells
}

fn time(run: &crate::console::app::ScreenRun, theme: &Theme) -> Cell<'static> {
    match run.view.state {
        RunState::Queued | RunState::Paused | RunState::Failed | RunState::Diverged | RunState::Lost => {
            Cell::styled(run.view.state.name(), theme.state(run.view.state).1)
        }
        RunState::Running => Cell::styled("running", theme.state(RunState::Running).1),
        RunState::Finished | RunState::Stopped => Cell::new(duration(run.view.seconds)),
    }
}

/// The most lines of notes on a screen of `height` rows.
const fn most_notes(height: u16) -> usize {
    if height < 30 { 2 } else { 4 }
}
