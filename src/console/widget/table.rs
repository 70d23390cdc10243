//! A table with aligned numbers: columns as wide as they need, those that do not fit reached by scrolling.

use super::text;
use crate::console::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;
use std::borrow::Cow;

/// One cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell<'a> {
    /// What it shows.
    pub text: Cow<'a, str>,
    /// How.
    pub style: Style,
}

impl<'a> Cell<'a> {
    /// Plain text.
    #[must_use]
    pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), style: Style::new() }
    }

    /// Text in a style.
    #[must_use]
    pub fn styled(text: impl Into<Cow<'a, str>>, style: Style) -> Self {
        Self { text: text.into(), style }
    }
}

/// A column's heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heading {
    /// The words.
    pub text: String,
    /// Numbers stand right.
    pub right: bool,
    /// Stays in place while the others scroll sideways.
    pub fixed: bool,
    /// The most characters it takes.
    pub most: u16,
}

impl Heading {
    /// A column of words.
    #[must_use]
    pub fn left(text: impl Into<String>) -> Self {
        Self { text: text.into(), right: false, fixed: false, most: 28 }
    }

    /// A column of numbers.
    #[must_use]
    pub fn right(text: impl Into<String>) -> Self {
        Self { right: true, ..Self::left(text) }
    }

    /// Keeps the column in place.
    #[must_use]
    pub fn fixed(mut self) -> Self {
        self.fixed = true;
        self
    }
}

/// A table; the selected row is always in view.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    /// The columns.
    pub headings: &'a [Heading],
    /// The rows, a cell for each heading.
    pub rows: &'a [Vec<Cell<'a>>],
    /// The selected row.
    pub selected: Option<usize>,
    /// Whether the selected row is lit.
    pub focused: bool,
    /// How many columns are scrolled away to the left.
    pub skip: usize,
    /// The chosen column. Where it does not fit, more columns are scrolled away until it does.
    pub column: Option<usize>,
    /// How everything looks.
    pub theme: &'a Theme,
}

impl Table<'_> {
    fn widths(&self) -> Vec<u16> {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| text::width(&cell.text));
            let heading = text::width(&self.headings[column].text);
            (cells.max().unwrap_or(0).max(heading) as u16).min(self.headings[column].most)
        };
        (0..self.headings.len()).map(width).collect()
    }

    /// Columns to draw with place and width, whether some on the right did not fit, and how many are scrolled away.
    fn place(&self, area: Rect) -> (Vec<(usize, u16, u16)>, bool, usize) {
        let widths = self.widths();
        let moving = self.headings.iter().filter(|heading| !heading.fixed).count();
        let mut skip = self.skip.min(moving.saturating_sub(1));
        loop {
            let (places, more) = self.place_after(skip, &widths, area);
            let is_shown = self.column.is_none_or(|column| places.iter().any(|(place, ..)| *place == column));
            if is_shown || skip + 1 >= moving {
                return (places, more, skip);
            }
            skip += 1;
        }
    }

    /// The same with the first `skip` columns scrolled away.
    fn place_after(&self, skip: usize, widths: &[u16], area: Rect) -> (Vec<(usize, u16, u16)>, bool) {
        let fixed = (0..widths.len()).filter(|column| self.headings[*column].fixed);
        let moving = (0..widths.len()).filter(|column| !self.headings[*column].fixed);
        let mut places = Vec::new();
        let mut at = area.x;
        for column in fixed.chain(moving.skip(skip)) {
            let room = area.right().saturating_sub(at);
            if widths[column] > room && (!places.is_empty() || room == 0) {
                return (places, true);
            }
            places.push((column, at, widths[column].min(room)));
            at = at.saturating_add(widths[column] + 2);
        }
        (places, false)
    }
}

impl Widget for &Table<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return;
        }
        let (places, more, skipped) = self.place(area);
        let put = |buffer: &mut Buffer, row: u16, (at, width): (u16, u16), right: bool, text: &str, style: Style| {
            let text = text::fit(text, width.into());
            let shift = if right { width - text::width(&text) as u16 } else { 0 };
            buffer.set_string(at + shift, row, text, style);
        };
        for (column, at, width) in &places {
            let heading = &self.headings[*column];
            let chosen = self.focused && self.column == Some(*column);
            let style = if chosen { self.theme.accent() } else { self.theme.dim() };
            put(buffer, area.y, (*at, *width), heading.right, &heading.text, style);
        }
        if skipped > 0 {
            buffer.set_string(area.x, area.y, "‹", self.theme.accent());
        }
        if more {
            buffer.set_string(area.right() - 1, area.y, "›", self.theme.accent());
        }
        let visible = usize::from(area.height - 1);
        let selected = self.selected.unwrap_or(0).min(self.rows.len().saturating_sub(1));
        let first = (selected + 1).saturating_sub(visible);
        for (index, cells) in self.rows.iter().enumerate().skip(first).take(visible) {
            let row = area.y + 1 + (index - first) as u16;
            for (column, at, width) in &places {
                if let Some(cell) = cells.get(*column) {
                    put(buffer, row, (*at, *width), self.headings[*column].right, &cell.text, cell.style);
                }
            }
            if self.focused && self.selected == Some(index) {
                buffer.set_style(Rect { y: row, height: 1, ..area }, self.theme.selected());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(width: u16, height: u16, selected: Option<usize>, skip: usize) -> String {
        let headings = [Heading::left("run").fixed(), Heading::right("accuracy"), Heading::right("s")];
        let rows: Vec<Vec<Cell<'_>>> = (0..5)
            .map(|row| {
                vec![Cell::new(format!("run {row}")), Cell::new("0.9"), Cell::new(format!("{}", 10_i32.pow(row)))]
            })
            .collect();
        let theme = Theme::default();
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        Table { headings: &headings, rows: &rows, selected, focused: true, skip, column: None, theme: &theme }
            .render(area, &mut buffer);
        text::screen(&buffer)
    }

    #[test]
    fn numbers_align_and_the_selected_row_is_in_view() {
        assert_eq!(draw(30, 3, Some(4), 0), "run    accuracy      s\nrun 3       0.9   1000\nrun 4       0.9  10000");
    }

    #[test]
    fn columns_that_do_not_fit_are_announced_and_reached() {
        assert_eq!(draw(17, 2, None, 0), "run    accuracy ›\nrun 0       0.9");
        assert_eq!(draw(17, 2, None, 1), "‹un        s\nrun 0      1");
        assert_eq!(draw(1, 1, Some(0), 9), "›");
    }
}
