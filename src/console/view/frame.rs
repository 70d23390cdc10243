//! Frames around parts of the screen.

use crate::console::app::{ClickTarget, Scroll};
use crate::console::theme::Theme;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph};

/// A frame with a heading, in the colour of the focus if it has the focus.
pub fn pane<'a>(theme: &Theme, title: &str, focused: bool) -> Block<'a> {
    let heading = if focused { theme.accent() } else { theme.title() };
    Block::bordered()
        .border_set(theme.border_set())
        .border_style(theme.border(focused))
        .title_top(Line::styled(format!(" {title} "), heading))
}

/// What clicks on the `rows` of a table choose that is drawn into `area`, below its headings.
pub fn row_targets(area: Rect, rows: usize, target: impl Fn(usize) -> ClickTarget) -> Vec<(Rect, ClickTarget)> {
    let place = |row: usize| Rect { y: area.y + 1 + row as u16, height: 1, ..area };
    (0..rows.min(usize::from(area.height.saturating_sub(1)))).map(|row| (place(row), target(row))).collect()
}

/// Draws the lines of a text that `scroll` shows into `inner`, and on the lower edge of the frame `area` which lines these are
/// where there are more.
pub fn scrolled(frame: &mut Frame<'_>, theme: &Theme, area: Rect, inner: Rect, lines: Vec<Line<'_>>, scroll: &Scroll) {
    let (count, rows) = (lines.len(), usize::from(inner.height));
    let first = scroll.first(count, rows);
    let shown: Vec<Line<'_>> = lines.into_iter().skip(first).take(rows).collect();
    let last = first + shown.len();
    frame.render_widget(Paragraph::new(shown), inner);
    if count > rows {
        on_lower_edge(frame, theme, area, &format!(" {} to {last} of {count} ", first + 1));
    }
}

/// Writes `words` on the lower edge of the frame `area`, at its right, where there is room.
pub fn on_lower_edge(frame: &mut Frame<'_>, theme: &Theme, area: Rect, words: &str) {
    let width = words.chars().count() as u16;
    if width + 4 < area.width {
        let place = Rect { x: area.right() - width - 2, y: area.bottom() - 1, width, height: 1 };
        frame.render_widget(Line::styled(words, theme.dim()), place);
    }
}

/// Clears and frames a box at the lower right of `area` in the style `style`, with room for `width` × `height` cells. Returns
/// the place inside.
pub fn boxed(frame: &mut Frame<'_>, theme: &Theme, area: Rect, (width, height): (u16, u16), style: Style) -> Rect {
    let (width, height) = ((width + 4).min(area.width), (height + 2).min(area.height));
    let place = Rect { x: area.right() - width, y: area.bottom() - height, width, height };
    frame.render_widget(Clear, place);
    let block = Block::bordered().border_set(theme.border_set()).border_style(style);
    let inner = block.inner(place);
    frame.render_widget(block, place);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// Clears and frames a box in the middle of `area`, with room for `width` × `height` cells where there is that much.
/// Returns the place inside.
pub fn popup(frame: &mut Frame<'_>, theme: &Theme, area: Rect, (width, height): (u16, u16), title: &str) -> Rect {
    let width = (width + 4).min(area.width);
    let height = (height + 2).min(area.height);
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, place);
    let block = pane(theme, title, true);
    let inner = block.inner(place);
    frame.render_widget(block, place);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}
