//! Messages, at the lower right above the footer.

use super::frame::boxed;
use crate::console::app::{App, Tone};
use crate::console::widget::text;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

/// The most lines of a message.
const MOST: usize = 6;

/// Draws the newest message, or the name of a task that takes long, over the lower right of `area`.
pub fn draw(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let theme = app.theme();
    let (words, style) = match (app.message(), app.named_task()) {
        (Some((words, tone)), _) => {
            let style = match tone {
                Tone::Info => theme.warn(),
                Tone::Good => theme.good(),
                Tone::Bad => theme.bad(),
            };
            (words.clone(), style)
        }
        (None, Some(task)) => (format!("{task}…"), theme.warn()),
        (None, None) => return,
    };
    let room = usize::from(area.width).saturating_sub(4);
    let mut lines = text::wrap(&words, room.min((room * 2 / 3).max(56)));
    if lines.len() > MOST {
        lines = text::wrap(&words, room);
        lines.truncate(MOST);
    }
    let width = lines.iter().map(|line| text::width(line)).max().unwrap_or(0) as u16;
    let inner = boxed(frame, theme, area, (width, lines.len() as u16), style);
    let lines: Vec<Line<'_>> = lines.into_iter().map(|line| Line::styled(line, style)).collect();
    frame.render_widget(Paragraph::new(lines), inner);
}
