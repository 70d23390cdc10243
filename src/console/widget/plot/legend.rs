//! The legend. It stands beside the curves where the plot is wide and below them where it is not; it is never left out.

use super::curve::{DrawnCurve, Prominence};
use crate::console::theme::Theme;
use crate::console::widget::text;
use crate::lab::{CurveSummary, Span, Style};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style as Look;

struct Entry {
    symbol: String,
    look: Look,
    label: String,
    value: String,
    /// The number of its curve.
    curve: usize,
}

impl Entry {
    fn width(&self) -> usize {
        text::width(&self.symbol) + 1 + text::width(&self.label) + 2 + text::width(&self.value)
    }
}

/// A part of a line of the legend.
struct Piece {
    text: String,
    look: Look,
    /// The number of the curve that it is about.
    entry: Option<usize>,
}

pub(super) struct Legend<'a> {
    entries: Vec<Entry>,
    /// Index of the first entry of the chosen curve.
    chosen: Option<usize>,
    theme: &'a Theme,
}

impl<'a> Legend<'a> {
    /// Every curve that has a name, with its value at the cursor, which is a value of the axis, or without one with the number
    /// that stands for it.
    pub(super) fn new(
        curves: &[DrawnCurve<'_>],
        x: &Span,
        cursor: Option<f64>,
        summary: CurveSummary,
        theme: &'a Theme,
    ) -> Self {
        let named: Vec<(usize, &DrawnCurve<'_>)> =
            curves.iter().enumerate().filter(|(_, curve)| !curve.label.is_empty()).collect();
        let chosen = named.iter().position(|(_, curve)| curve.prominence == Prominence::Chosen);
        let entries = named.into_iter().map(|(index, curve)| {
            let value = match cursor {
                Some(at) => curve.nearest(x, at).map(|point| {
                    let interval = match (point.lo, point.hi) {
                        (Some(lo), Some(hi)) => format!(" [{}, {}]", text::short(lo), text::short(hi)),
                        _ => String::new(),
                    };
                    // A curve may have no point there.
                    let is_there = (point.x - at).abs() <= 1e-9 * at.abs();
                    let place = if is_there { String::new() } else { format!(" at {}", text::short(point.x)) };
                    format!("{}{interval}{place}", text::short(point.y))
                }),
                None => summary.of(curve.points).map(text::short),
            };
            let value = value.unwrap_or_default();
            let symbol = match curve.style {
                Style::Line => format!("{}{}", '─', theme.symbol(curve.symbol)),
                Style::Dashed => "╌╌".to_owned(),
                Style::Points => format!(" {}", theme.symbol(curve.symbol)),
            };
            Entry { symbol, look: curve.look(theme), label: curve.label.to_owned(), value, curve: index }
        });
        Self { entries: entries.collect(), chosen, theme }
    }

    /// Draws the legend, below the curves if `below` is set or there is no room beside them. Returns what is left for the
    /// curves, and where the entry of each curve stands.
    pub(super) fn render(&self, area: Rect, below: bool, buffer: &mut Buffer) -> (Rect, Vec<(Rect, usize)>) {
        let widest = self.entries.iter().map(Entry::width).max().unwrap_or(0) as u16;
        if self.entries.is_empty() {
            return (area, Vec::new());
        }
        let side = widest.min(area.width * 2 / 5).max(12);
        if !below && area.width >= 72 && usize::from(area.height) >= self.entries.len().min(4) {
            let column = Rect { x: area.right() - side, width: side, ..area };
            let (first, shown) = self.render_column(column, buffer);
            let place = |row: usize| Rect { y: column.y + row as u16, height: 1, ..column };
            let places = (0..shown).map(|row| (place(row), self.entries[first + row].curve)).collect();
            return (Rect { width: area.width - side - 1, ..area }, places);
        }
        let most = (area.height / 4).max(1);
        let lines = self.wrap(area.width.into(), most.into());
        let height = (lines.len() as u16).clamp(1, area.height);
        let top = area.bottom() - height;
        let mut places = Vec::new();
        for (index, line) in lines.iter().enumerate().take(height.into()) {
            let (mut column, y) = (area.x, top + index as u16);
            for Piece { text, look, entry } in line {
                let room = usize::from(area.right().saturating_sub(column));
                let before = column;
                column = buffer.set_stringn(column, y, text, room, *look).0;
                places.extend(entry.map(|entry| (Rect { x: before, y, width: column - before, height: 1 }, entry)));
            }
        }
        (Rect { height: area.height - height, ..area }, places)
    }

    /// Draws the entries one below the other. Returns the first of those that have room, and how many these are.
    fn render_column(&self, area: Rect, buffer: &mut Buffer) -> (usize, usize) {
        let rows = usize::from(area.height);
        let shown = if self.entries.len() > rows { rows - 1 } else { self.entries.len() };
        // The chosen entry stays in view.
        let first = (self.chosen.unwrap_or(0) + 1).saturating_sub(shown.max(1));
        for (index, entry) in self.entries.iter().enumerate().skip(first).take(shown) {
            let row = area.y + (index - first) as u16;
            let (at, _) = buffer.set_stringn(area.x, row, &entry.symbol, area.width.into(), entry.look);
            let width = usize::from(area.right().saturating_sub(at + 1));
            // Where both have no room, the interval is left out rather than the name.
            let name = text::width(&entry.label).min(10);
            let value = if text::width(&entry.value) + name + 1 > width {
                entry.value.split(' ').next().unwrap_or_default()
            } else {
                entry.value.as_str()
            };
            let shown = text::width(value);
            let room = width.saturating_sub(shown + 1);
            buffer.set_string(at + 1, row, text::fit(&entry.label, room), self.name_look(index));
            if shown < width {
                buffer.set_string(area.right() - shown as u16, row, value, self.theme.dim());
            }
        }
        if shown < self.entries.len() {
            let below = self.entries.len() - first - shown;
            let text = match (first, below) {
                (0, _) => format!("+{below} more"),
                (_, 0) => format!("↑{first} more"),
                _ => format!("↑{first} ↓{below} more"),
            };
            buffer.set_stringn(area.x, area.bottom() - 1, text, area.width.into(), self.theme.dim());
        }
        (first, shown)
    }

    /// How the name of an entry is written: the chosen one stands out.
    fn name_look(&self, index: usize) -> Look {
        if self.chosen == Some(index) { self.theme.title() } else { Look::new() }
    }

    /// Entries in lines of at most `width`; what does not fit into `most` lines is counted at the end.
    fn wrap(&self, width: usize, most: usize) -> Vec<Vec<Piece>> {
        let all: usize = self.entries.iter().map(|entry| entry.width() + 3).sum();
        let (chosen, count) = (self.chosen.unwrap_or(0), self.entries.len());
        // Where not all have room, the chosen one comes first.
        let first = if all > width * most + 3 { chosen } else { 0 };
        let mut lines: Vec<Vec<Piece>> = vec![Vec::new()];
        let mut used = 0;
        for (place, index) in (first..count).chain(0..first).enumerate() {
            let entry = &self.entries[index];
            let left = count - place;
            let more = format!("+{left}");
            let last_line = lines.len() == most;
            let reserve = if last_line && left > 1 { more.len() + 2 } else { 0 };
            let gap = if used == 0 { 0 } else { 3 };
            let fits = used + gap + entry.width() + reserve <= width;
            if !fits && used > 0 {
                if last_line {
                    if let Some(line) = lines.last_mut() {
                        line.push(Piece { text: format!("  {more}"), look: self.theme.dim(), entry: None });
                    }
                    return lines;
                }
                lines.push(Vec::new());
                used = 0;
            }
            let gap = if used == 0 { "" } else { "   " };
            let room = width.saturating_sub(text::width(&entry.symbol) + text::width(&entry.value) + 3 + reserve);
            let label = text::fit(&entry.label, room);
            used += gap.len() + text::width(&entry.symbol) + 1 + text::width(&label) + 1 + text::width(&entry.value);
            if let Some(line) = lines.last_mut() {
                let piece = |text: String, look: Look| Piece { text, look, entry: Some(entry.curve) };
                line.push(piece(format!("{gap}{}", entry.symbol), entry.look));
                line.push(piece(format!(" {label} "), self.name_look(index)));
                line.push(piece(entry.value.clone(), self.theme.dim()));
            }
        }
        lines
    }
}
