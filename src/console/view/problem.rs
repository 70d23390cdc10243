//! A problem's tab: the form with its cost on the left; figures, progress and results on the right.

use super::frame::{pane, popup};
use super::{figures, remarks, results};
use crate::console::app::{App, Asked, ClickTarget, Pane, ProblemTab};
use crate::console::keymap::{Action, Place};
use crate::console::theme::Theme;
use crate::console::widget::form::FormWidget;
use crate::console::widget::function::{FunctionEditor, FunctionEditorWidget};
use crate::console::widget::text;
use crate::lab::{RunState, duration};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// The least rows of a figure while the remarks are read.
const LOWEST: u16 = 8;

/// Draws the tab on screen. Returns what clicks on its parts choose.
pub fn draw(frame: &mut Frame<'_>, app: &App, area: Rect) -> Vec<(Rect, ClickTarget)> {
    let mut targets = Vec::new();
    let Some(tab) = app.problem() else { return targets };
    let of_text = matches!(tab.pane, Pane::Results | Pane::Remarks);
    if tab.zoom && !tab.runs.is_empty() && (of_text || !tab.figures().is_empty()) {
        match tab.pane {
            Pane::Results => targets.extend(results::draw(frame, app, tab, area)),
            Pane::Remarks => remarks::draw(frame, app, tab, area),
            Pane::Form | Pane::Figures => targets.extend(figures::draw_one(frame, app, tab, area)),
        }
        targets.push((area, ClickTarget::Pane(tab.pane)));
    } else {
        let left = match area.width {
            ..72 => 27,
            72..100 => 31,
            100..160 => 38,
            _ => 44,
        };
        let form = Rect { width: left, ..area };
        let right = Rect { x: area.x + left, width: area.width - left, ..area };
        targets.extend(draw_form(frame, app, tab, form));
        targets.push((form, ClickTarget::Pane(Pane::Form)));
        if tab.runs.is_empty() {
            draw_empty(frame, app, tab, right);
        } else {
            let progress = progress(tab, app.theme(), right.width);
            let bars = progress.len() as u16;
            let results_height = results::height(tab, app.theme(), right);
            let remarks_height = if tab.pane == Pane::Remarks { remarks::height(tab, app.theme(), right) } else { 0 };
            let results_height = results_height.min((right.height - remarks_height).saturating_sub(bars));
            // A figure without room for anything leaves its place to the remarks.
            let rest = right.height - bars - results_height - remarks_height;
            let remarks_height =
                if remarks_height > 0 && rest < LOWEST { remarks_height + rest } else { remarks_height };
            let figures = Rect { height: right.height - bars - results_height - remarks_height, ..right };
            let bars_area = Rect { y: figures.bottom(), height: bars, ..right };
            let results = Rect { y: bars_area.bottom(), height: results_height, ..right };
            targets.extend(figures::draw(frame, app, tab, figures));
            frame.render_widget(Paragraph::new(progress), bars_area);
            targets.extend(results::draw(frame, app, tab, results));
            if remarks_height > 0 {
                let below = Rect { y: results.bottom(), height: remarks_height, ..right };
                remarks::draw(frame, app, tab, below);
                targets.push((below, ClickTarget::Pane(Pane::Remarks)));
            }
            targets.push((figures, ClickTarget::Pane(Pane::Figures)));
            targets.push((results, ClickTarget::Pane(Pane::Results)));
        }
    }
    if let Some(editor) = tab.form.function() {
        draw_editor(frame, app, editor, area);
    }
    targets
}

/// The editor of a function, which takes all the room there is.
fn draw_editor(frame: &mut Frame<'_>, app: &App, editor: &FunctionEditor, area: Rect) {
    let param = editor.param();
    let title = if param.help.is_empty() { param.label.to_owned() } else { format!("{}: {}", param.label, param.help) };
    let title = text::fit(&title, usize::from(area.width).saturating_sub(4));
    let inner = popup(frame, app.theme(), area, (area.width, area.height), &title);
    let gallery_key = app.keymap().key(Place::Function, Action::Gallery);
    frame.render_widget(FunctionEditorWidget { editor, gallery_key: &gallery_key, theme: app.theme() }, inner);
}

/// Draws the form. Returns what clicks on its fields choose.
fn draw_form(frame: &mut Frame<'_>, app: &App, tab: &ProblemTab, area: Rect) -> Vec<(Rect, ClickTarget)> {
    let theme = app.theme();
    let focused = tab.pane == Pane::Form;
    let block = pane(theme, "Parameters", focused);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let view = FormWidget { form: &tab.form, focused, theme };
    let mut below = view.help(inner.width.into());
    below.truncate(if inner.height < 16 { 2 } else { 4 });
    let cost = cost(tab, theme, inner.width.into());
    let room = (below.len() + cost.len() + 1) as u16;
    let room = if inner.height > room + 5 { room } else { cost.len() as u16 + 1 };
    let body = Rect { height: inner.height.saturating_sub(room), ..inner };
    let fields = view.draw(body, frame.buffer_mut());
    let rule = "─".repeat(inner.width.into());
    let mut lines = vec![Line::styled(rule, theme.faint())];
    if usize::from(room) > cost.len() + 1 {
        lines.extend(below);
    }
    lines.extend(cost);
    let rest = Rect { y: body.bottom(), height: inner.bottom().saturating_sub(body.bottom()), ..inner };
    frame.render_widget(Paragraph::new(lines), rest);
    fields.into_iter().map(|(place, field)| (place, ClickTarget::Field(field))).collect()
}

/// What pressing run would cost.
fn cost(tab: &ProblemTab, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    match tab.asked() {
        None => Vec::new(),
        Some(Err(error)) => {
            let words = format!("✘ {error}");
            text::wrap(&words, width).into_iter().take(3).map(|line| Line::styled(line, theme.bad())).collect()
        }
        Some(Ok(Asked { runs, cost: estimate })) => {
            let mut words = vec![if *runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") }];
            if tab.repeats > 1 {
                words[0] += &format!(", {} seeds each", tab.repeats);
            }
            if estimate.rows > *runs {
                words.push(format!("{} rows", estimate.rows));
            }
            if let Some(seconds) = estimate.seconds.filter(|seconds| *seconds > 0.0) {
                words.push(format!("~{}", duration(seconds)));
            }
            if let Some(bytes) = estimate.bytes.filter(|bytes| *bytes > 100_000_000) {
                words.push(text::bytes(bytes));
            }
            let words = words.join(" · ");
            text::wrap(&words, width).into_iter().take(2).map(|line| Line::styled(line, theme.title())).collect()
        }
    }
}

/// What to do where nothing has run yet.
fn draw_empty(frame: &mut Frame<'_>, app: &App, tab: &ProblemTab, area: Rect) {
    let theme = app.theme();
    let block = pane(theme, tab.problem.title(), false);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let mut lines: Vec<Line<'_>> = text::wrap(tab.problem.about(), usize::from(inner.width).saturating_sub(6).min(70))
        .into_iter()
        .map(|line| Line::raw(line).centered())
        .collect();
    lines.push(Line::raw(""));
    let words = [
        (Action::Run, "runs it with the parameters on the left"),
        (Action::Presets, "lists figures that are ready to run"),
        (Action::Sweep, "turns the chosen parameter into a sweep"),
        (Action::Help, "shows every key"),
    ];
    for (action, words) in words {
        let key = app.keymap().key(app.place(), action);
        if key != "?" || action == Action::Help {
            let key = Span::styled(format!("{key:>2}  "), theme.accent());
            lines.push(Line::from(vec![key, Span::styled(format!("{words:<40}"), theme.dim())]).centered());
        }
    }
    // Line by line: a paragraph centres lines one column further to the right where the room is odd.
    let top = inner.y + inner.height.saturating_sub(lines.len() as u16) / 2;
    for (row, line) in lines.into_iter().enumerate() {
        let y = top + row as u16;
        if y < inner.bottom() {
            frame.render_widget(line, Rect { y, height: 1, ..inner });
        }
    }
}

/// A line for each run at work: how far it is, how fast, how long it will take.
fn progress(tab: &ProblemTab, theme: &Theme, width: u16) -> Vec<Line<'static>> {
    let at_work = tab.runs.iter().enumerate().filter(|(_, run)| {
        matches!(run.view.state, RunState::Running | RunState::Paused) && !run.view.state.is_final()
    });
    let labels = tab.labels();
    at_work.take(3).map(|(index, run)| progress_line(run, &labels[index], theme, width.into())).collect()
}

fn progress_line(run: &crate::console::app::ScreenRun, label: &str, theme: &Theme, width: usize) -> Line<'static> {
    let (symbol, style) = theme.state(run.view.state);
    let label = text::fit(label, (width / 4).max(8));
    let mut spans = vec![Span::styled(format!(" {symbol} "), style), Span::raw(format!("{label} "))];
    let Some(progress) = &run.view.progress else {
        let words = if run.view.state == RunState::Paused { "paused" } else { "starting" };
        spans.push(Span::styled(words, theme.dim()));
        return Line::from(spans);
    };
    let share = if progress.total > 0 { progress.done as f64 / progress.total as f64 } else { 0.0 }.clamp(0.0, 1.0);
    let mut words = vec![format!("{:3.0} %", (share * 100.0).floor())];
    if run.view.state == RunState::Paused {
        words.push("paused".to_owned());
    } else if let Some(left) = progress.remaining_seconds().filter(|_| progress.done < progress.total) {
        words.push(format!("{} left", duration(left)));
    }
    let rate = (progress.rate > 0.0).then(|| format!("{} {}/s", text::count(progress.rate), progress.unit));
    words.extend(rate);
    if !progress.stage.is_empty() {
        words.push(progress.stage.clone());
    }
    let used = text::width(&label) + 5;
    while words.len() > 2 && used + 12 + words.iter().map(|word| text::width(word) + 2).sum::<usize>() > width {
        words.pop();
    }
    let words = words.join("  ");
    let bar = width.saturating_sub(used + text::width(&words) + 2).min(60);
    let full = (share * bar as f64).round() as usize;
    spans.push(Span::styled("━".repeat(full), style));
    spans.push(Span::styled("─".repeat(bar - full), theme.faint()));
    spans.push(Span::styled(format!(" {words}"), theme.dim()));
    Line::from(spans)
}
