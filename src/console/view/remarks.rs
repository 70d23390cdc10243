//! What the chosen run of a problem's tab remarks, and why it ended as it did.

use super::frame::{pane, scrolled};
use crate::console::app::{App, Pane, ProblemTab};
use crate::console::theme::Theme;
use crate::console::widget::text;
use crate::lab::RunState;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

/// Every line, in at most `width` columns.
pub fn lines(tab: &ProblemTab, theme: &Theme, width: usize) -> Vec<(String, Style)> {
    let Some(run) = tab.target().map(|run| &tab.runs[run]) else { return Vec::new() };
    let mut lines: Vec<(String, Style)> = Vec::new();
    if !run.view.message.is_empty() {
        let style = if run.view.state == RunState::Failed { theme.bad() } else { theme.warn() };
        let words = format!("{} {}", theme.state(run.view.state).0, run.view.message);
        lines.extend(text::wrap(&words, width).into_iter().map(|line| (line, style)));
    }
    for note in &run.view.notes {
        lines.extend(text::wrap(&format!("· {note}"), width).into_iter().map(|line| (line, theme.dim())));
    }
    lines
}

/// The first `most` of the lines; where there are more, the last one ends with an ellipsis. Returns how many are left out.
pub fn preview(tab: &ProblemTab, theme: &Theme, width: usize, most: usize) -> (Vec<Line<'static>>, usize) {
    let mut lines = lines(tab, theme, width);
    let left_out = lines.len().saturating_sub(most);
    if left_out > 0 {
        lines.truncate(most);
        if let Some((line, _)) = lines.last_mut() {
            *line = text::fit(&format!("{line} …"), width);
        }
    }
    (lines.into_iter().map(|(line, style)| Line::styled(line, style)).collect(), left_out)
}

/// How many rows the pane takes of a screen while it has the focus.
pub fn height(tab: &ProblemTab, theme: &Theme, area: Rect) -> u16 {
    let lines = lines(tab, theme, area.width.saturating_sub(2).into()).len();
    (lines as u16 + 2).clamp(3, (area.height / 2).max(3))
}

/// Draws the pane.
pub fn draw(frame: &mut Frame<'_>, app: &App, tab: &ProblemTab, area: Rect) {
    let theme = app.theme();
    let label = tab.target().map(|run| tab.labels()[run].as_str());
    let title =
        text::fit(&format!("Remarks: {}", label.unwrap_or_default()), usize::from(area.width).saturating_sub(4));
    let block = pane(theme, &title, tab.pane == Pane::Remarks);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let lines = lines(tab, theme, inner.width.into()).into_iter().map(|(line, style)| Line::styled(line, style));
    scrolled(frame, theme, area, inner, lines.collect(), &tab.remarks);
}
