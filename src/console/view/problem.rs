//! A problem's tab: the form with its cost on the left; figures, progress and results on the right.

use super::frame::{pane, popup};
use super::{figures, home, progress, remarks, results};
use crate::console::app::{App, Asked, ClickTarget, Pane, ProblemTab};
use crate::console::keymap::{Action, Place};
use crate::console::theme::Theme;
use crate::console::widget::form::FormWidget;
use crate::console::widget::function::{FunctionEditor, FunctionEditorWidget};
use crate::console::widget::text;
use crate::lab::duration;
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
            home::draw(frame, app, tab, right);
            targets.push((right, ClickTarget::Pane(Pane::Figures)));
        } else {
            let progress = progress::lines(tab, app.theme(), right.width);
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
    let fold_key = app.keymap().key(Place::Form, Action::Fold);
    let view = FormWidget { form: &tab.form, focused, fold_key: &fold_key, theme };
    let mut below = view.help(inner.width.into());
    below.truncate(match (inner.height, tab.form.is_editing()) {
        (..16, _) => 2,
        (_, false) => 4,
        // What is being typed is explained at length.
        (_, true) => 8,
    });
    let cost = cost(tab, theme, inner.width.into());
    let room = (below.len() + cost.len() + 1) as u16;
    let room = if inner.height > room + 5 { room } else { cost.len() as u16 + 1 };
    let body = Rect { height: inner.height.saturating_sub(room), ..inner };
    let folded = view.folded().map_or_else(String::new, |words| format!(" {words} "));
    let fields = view.draw(body, frame.buffer_mut());
    let folded = text::fit(&folded, usize::from(inner.width).saturating_sub(2));
    let rest = usize::from(inner.width).saturating_sub(2 + text::width(&folded));
    let mut lines = vec![Line::from(vec![
        Span::styled("──", theme.faint()),
        Span::styled(folded, theme.dim()),
        Span::styled("─".repeat(rest), theme.faint()),
    ])];
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
        Some(Ok(Asked { runs, cost: estimate, .. })) => {
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
