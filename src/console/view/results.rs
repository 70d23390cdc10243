//! The results of a problem's tab: every row of every run on screen, and what the chosen run remarks.

use super::frame::{pane, row_targets};
use super::remarks;
use crate::console::app::{App, ClickTarget, Pane, ProblemTab, ResultColumn, ResultLine};
use crate::console::keymap::{Action, Place};
use crate::console::theme::Theme;
use crate::console::widget::table::{Cell, Heading, Table};
use crate::console::widget::text;
use crate::lab::mean::Mean;
use crate::lab::{Column, Row, RunState, StudyVariant, duration};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph};
use serde_json::Value;

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
    let block = titled(tab, theme, area.width, focused);
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
    let columns = tab.result_columns();
    let mut label = Heading::left(if stands_alone(tab) { "" } else { "run" }).fixed();
    label.most = (inner.width / 3).max(12);
    let mut headings = vec![Heading::left("").fixed(), label];
    headings.extend(columns.iter().enumerate().map(|(index, column)| heading(tab, *column, index == 0)));
    let lines = tab.lines();
    let chosen = tab.results.line.min(lines.len().saturating_sub(1));
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
            match tab.line_variant(line.run) {
                Some(variant) => variant_row(tab, theme, (line, variant), pointer),
                None => run_row(tab, theme, line, pointer),
            }
        })
        .collect();
    let (chosen, column) = (chosen - first.min(chosen), Some(tab.results.column + 2));
    let table = Table { headings: &headings, rows: &rows, selected: Some(chosen), focused, skip: 0, column, theme };
    frame.render_widget(&table, table_area);
    let below = Rect { y: table_area.bottom(), height: notes.len() as u16, ..inner };
    frame.render_widget(Paragraph::new(notes), below);
    let mut targets = row_targets(table_area, rows.len(), |row| ClickTarget::Line(first + row));
    targets.push((below, ClickTarget::Pane(Pane::Remarks)));
    targets
}

/// The frame of the results: what the lines have in common and what filters them, the best variant at the right.
fn titled<'a>(tab: &ProblemTab, theme: &Theme, width: u16, focused: bool) -> Block<'a> {
    let mut title = "Results".to_owned();
    if !tab.results.filter.is_empty() {
        title += &format!(" with `{}`", tab.results.filter);
    }
    // What every line would say stands once.
    let common = if stands_alone(tab) { tab.line_name(0) } else { tab.common() };
    if !common.is_empty() {
        title += &format!(": {common}");
    }
    let room = usize::from(width).saturating_sub(6);
    let best = tab.best_words().map(|words| format!(" ★ {words} ")).filter(|words| text::width(words) + 8 <= room);
    let left = room.saturating_sub(best.as_deref().map_or(0, |words| text::width(words) + 1));
    if tab.grouped && text::width(&title) + 16 <= left {
        title += ", mean ± 95 %";
    }
    let block = pane(theme, &text::fit(&title, left), focused);
    match best {
        Some(words) => block.title_top(Line::styled(words, theme.good()).right_aligned()),
        None => block,
    }
}

/// Whether all lines are rows of one run, so that none needs its name.
fn stands_alone(tab: &ProblemTab) -> bool {
    tab.runs.len() == 1 && tab.lines().len() > 1
}

/// The heading of a column, with an arrow where lines are sorted by it.
fn heading(tab: &ProblemTab, column: ResultColumn, pinned: bool) -> Heading {
    let arrow = match tab.results.sorted {
        Some((key, true)) if key == column.key() => " ↓",
        Some((key, false)) if key == column.key() => " ↑",
        _ => "",
    };
    let title = format!("{}{arrow}", column.heading());
    let rows = || tab.runs.iter().flat_map(|run| &run.view.rows);
    let has_words = match column {
        ResultColumn::Declared(column) => rows().any(|row| row.get(column.key).is_some_and(Value::is_string)),
        ResultColumn::Time => false,
    };
    let heading = if has_words { Heading::left(title) } else { Heading::right(title) };
    if pinned { heading.fixed() } else { heading }
}

/// The name of a line with its marker, and a star on the best variant. A hidden one is faint.
fn name<'a>(tab: &ProblemTab, theme: &Theme, run: usize, words: &str) -> Cell<'a> {
    let star = tab.star(tab.variant_index(run));
    if tab.is_hidden(run) {
        return Cell::styled(format!("- {star}{words}"), theme.dim());
    }
    if tab.runs.len() < 2 {
        let words = if stands_alone(tab) { "" } else { words };
        return Cell::styled(words.to_owned(), theme.ink(tab.ink(run)));
    }
    Cell::styled(format!("{} {star}{words}", theme.symbol(tab.symbol(run))), theme.ink(tab.ink(run)))
}

fn run_row<'a>(tab: &'a ProblemTab, theme: &Theme, line: &ResultLine, pointer: char) -> Vec<Cell<'a>> {
    let run = &tab.runs[line.run];
    let (symbol, style) = theme.state(run.view.state);
    let mut cells =
        vec![Cell::styled(format!("{symbol}{pointer}"), style), name(tab, theme, line.run, tab.line_name(line.run))];
    let row = line.row.map(|row| &run.view.rows[row]);
    cells.extend(tab.result_columns().iter().map(|column| match (column, row) {
        (ResultColumn::Declared(column), Some(row)) => Cell::new(column.show(row.get(column.key))),
        (ResultColumn::Declared(_), None) => Cell::styled("·", theme.faint()),
        (ResultColumn::Time, _) => time(run, theme),
    }));
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

/// A line of a variant: numbers as means with their 95 % intervals over its runs, words where all agree.
fn variant_row<'a>(
    tab: &'a ProblemTab,
    theme: &Theme,
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
    let label = tab.line_name(line.run);
    let words = if all == 1 { label.to_owned() } else { format!("{label} ×{all}") };
    let mut cells = vec![Cell::styled(format!("{symbol}{pointer}"), style), name(tab, theme, line.run, &words)];
    let rows = tab.rows_of(line);
    cells.extend(tab.result_columns().iter().map(|column| match column {
        ResultColumn::Declared(column) => over_rows(column, &rows, theme),
        ResultColumn::Time if over == all => Cell::new(duration(tab.seconds_of(line))),
        ResultColumn::Time => Cell::styled(format!("{over} of {all}"), theme.state(RunState::Running).1),
    }));
    cells
}

/// A cell over several rows: what all agree on, or the mean with its interval.
fn over_rows<'a>(column: &Column, rows: &[&Row], theme: &Theme) -> Cell<'a> {
    let values: Vec<&Value> = rows.iter().filter_map(|row| row.get(column.key)).collect();
    let same = values.windows(2).all(|pair| pair[0] == pair[1]);
    let numbers: Vec<f64> = values.iter().filter_map(|value| value.as_f64()).collect();
    match (values.first(), Mean::within(&numbers, column.range)) {
        (None, _) => Cell::styled("·", theme.faint()),
        (Some(value), _) if same => Cell::new(column.show(Some(value))),
        (_, Some(mean)) => Cell::new(mean.show(column.digits)),
        _ => Cell::styled("…", theme.faint()),
    }
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
