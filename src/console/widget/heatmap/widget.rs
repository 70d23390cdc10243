//! A matrix in its frame.

use super::grid::{Along, Grid};
use super::layout::{Arrangement, MatrixLayout, longest};
use super::ramp::{self, RAMP};
use crate::console::theme::Theme;
use crate::console::widget::text;
use crate::lab::{Matrix, matrix_range};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Widget};
use std::ops::Range;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_BARS: [char; 8] = ['_', '.', ',', '-', '=', '+', '*', '#'];

/// How a matrix is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// Colours.
    #[default]
    Heat,
    /// A row of bars for each row of the matrix.
    Bars,
}

/// A matrix in a frame.
#[derive(Clone, Copy, Debug)]
pub struct Heatmap<'a> {
    /// The values.
    pub matrix: &'a Matrix,
    /// Smallest and largest value of the scale; the matrix's own without it.
    pub range: Option<(f32, f32)>,
    /// Colours or bars.
    pub look: Look,
    /// The row and column that are read out.
    pub cell: Option<(usize, usize)>,
    /// Whether values get all the room there is, however long and narrow that makes them.
    pub fills: bool,
    /// The run that it is of, in front of its title; empty where there is one run alone.
    pub of: &'a str,
    /// Its number among those of its group, counted from 1, and how many there are.
    pub number: Option<(usize, usize)>,
    /// Whether its frame is lit.
    pub focused: bool,
    /// How everything looks.
    pub theme: &'a Theme,
}

/// The mean of the values of rows and columns; none where there are none, or one of them is not finite.
fn mean(matrix: &Matrix, rows: Range<usize>, columns: Range<usize>) -> Option<f32> {
    let (mut sum, mut count) = (0.0_f64, 0_u32);
    for row in rows {
        for column in columns.clone() {
            let value = *matrix.values.get(row * matrix.cols + column)?;
            if !value.is_finite() {
                return None;
            }
            sum += f64::from(value);
            count += 1;
        }
    }
    (count > 0).then(|| (sum / f64::from(count)) as f32)
}

impl Heatmap<'_> {
    fn render_heat(&self, layout: &MatrixLayout, area: Rect, range: (f32, f32), buffer: &mut Buffer) {
        let (grid, theme) = (&layout.grid, self.theme);
        let plain = theme.shades_with_characters();
        let place = grid.area();
        for line in 0..place.height {
            for column in 0..place.width {
                let columns = grid.columns.values(column.into());
                let value = |row: usize| mean(self.matrix, grid.rows.values(row), columns.clone());
                let cell = &mut buffer[(place.x + column, place.y + line)];
                let line = usize::from(line);
                if plain {
                    cell.set_char(ramp::shade(theme, value(line), range));
                } else if grid.has_halves {
                    let mut style = Style::new().fg(ramp::colour(theme, value(2 * line), range));
                    if 2 * line + 1 < grid.rows.places() {
                        style = style.bg(ramp::colour(theme, value(2 * line + 1), range));
                    }
                    cell.set_char('▀').set_style(style);
                } else {
                    let colour = ramp::colour(theme, value(line), range);
                    cell.set_char(' ').set_style(Style::new().bg(colour).fg(ramp::ink(colour)));
                }
            }
        }
        for (index, texts) in layout.texts.iter().flatten().enumerate() {
            let cell = grid.place_of(index / self.matrix.cols, index % self.matrix.cols);
            let first = (usize::from(cell.height).saturating_sub(texts.len())) / 2;
            for (row, words) in texts.iter().enumerate().take(cell.height.into()) {
                let written = text::fit(words, cell.width.into());
                let indent = (usize::from(cell.width) - text::width(&written)) / 2;
                let at = (cell.x + indent as u16, cell.y + (first + row) as u16);
                buffer.set_string(at.0, at.1, written, Style::new());
            }
        }
        if let Some((rows, columns)) = &layout.names {
            self.write_names(grid, area, rows, columns, buffer);
        }
    }

    fn write_names(&self, grid: &Grid, area: Rect, rows: &[String], columns: &[String], buffer: &mut Buffer) {
        let (dim, left) = (self.theme.dim(), usize::from(grid.origin.0 - area.x) - 1);
        let mut last = None;
        for (row, name) in rows.iter().enumerate() {
            let cell = grid.place_of(row, 0);
            let line = cell.y + (cell.height - 1) / 2;
            // Two rows of half a line each share one.
            if last == Some(line) {
                continue;
            }
            last = Some(line);
            let name = text::fit(name, left);
            buffer.set_string(area.x + (left - text::width(&name)) as u16, line, name, dim);
        }
        // Every name where they fit beside each other, cut where they are words, else one of several.
        let (wide, size) = (longest(columns), grid.columns.size());
        let are_words = columns.iter().any(|name| name.parse::<f64>().is_err());
        let room = if are_words && size >= 5 { size - 1 } else { wide };
        let step = if wide < size || wide == 1 || room < size { 1 } else { (wide + 1).div_ceil(size) };
        for (column, name) in columns.iter().enumerate().step_by(step) {
            let (name, at) = (text::fit(name, room), grid.place_of(0, column).x);
            let indent = size.saturating_sub(text::width(&name)) / 2;
            if usize::from(at) + indent + text::width(&name) <= usize::from(area.right()) {
                buffer.set_string(at + indent as u16, area.y, name, dim);
            }
        }
    }

    /// Shows where the cursor is: in the cell, on the frame beside its row, and above its column where that hides no title.
    fn mark(&self, grid: &Grid, frame: Rect, (row, column): (usize, usize), range: (f32, f32), buffer: &mut Buffer) {
        let theme = self.theme;
        let cell = grid.place_of(row, column);
        let middle = (cell.x + (cell.width - 1) / 2, cell.y + (cell.height - 1) / 2);
        buffer.set_string(frame.x, middle.1, theme.either("▸", ">"), theme.warn());
        // Among the names of columns, or on the frame.
        let above = if grid.origin.1 > frame.y + 1 { grid.origin.1 - 1 } else { frame.y };
        let is_free = above > frame.y || buffer[(middle.0, above)].symbol() == theme.border_set().horizontal_top;
        // A name stands in the middle.
        let at = if above > frame.y && cell.width > 2 { cell.x } else { middle.0 };
        if is_free {
            buffer.set_string(at, above, theme.either("▾", "v"), theme.warn());
        }
        let value = self.matrix.values.get(row * self.matrix.cols + column).copied();
        let is_small = cell.height == 1 && grid.has_halves;
        for position in cell.intersection(buffer.area).positions() {
            let here = &mut buffer[position];
            if theme.shades_with_characters() || self.look == Look::Bars {
                here.set_style(Style::new().add_modifier(Modifier::REVERSED));
            } else if grid.has_halves && !is_small && (position.x, position.y) != middle {
                continue;
            } else {
                let colour = ramp::colour(theme, value.filter(|value| value.is_finite()), range);
                if grid.has_halves {
                    here.set_char('×').set_style(Style::new().fg(ramp::ink(colour)).bg(colour));
                } else {
                    here.set_style(Style::new().fg(colour).bg(ramp::ink(colour)));
                }
            }
        }
    }

    /// The value under the cursor in words: `query 3, key 7: 0.21`, in at most `room` columns where that can be.
    fn reading(&self, (row, column): (usize, usize), room: usize) -> String {
        let matrix = self.matrix;
        let value = matrix.values.get(row * matrix.cols + column).copied().unwrap_or(f32::NAN);
        let mut unit = matrix.unit.as_str();
        if value == 1.0 {
            unit = unit.strip_suffix('s').unwrap_or(unit);
        }
        let value = format!("{}{}{unit}", text::short(f64::from(value)), if unit.is_empty() { "" } else { " " });
        let names = matrix.names();
        let name = |word: &str, otherwise: &str, names: Option<&[String]>, index: usize| {
            let word = if word.is_empty() { otherwise } else { word };
            let name = names.map_or_else(|| index.to_string(), |names| names[index].clone());
            (format!("{word} {name}"), name)
        };
        let (row, short_row) = name(&matrix.row_word, "row", names.map(|names| names.0), row);
        let (column, short_column) = name(&matrix.col_word, "column", names.map(|names| names.1), column);
        let long = format!("{row}, {column}: {value}");
        if text::width(&long) <= room { long } else { format!("{short_row}, {short_column}: {value}") }
    }

    fn render_bars(&self, grid: &Grid, hi: f32, buffer: &mut Buffer) {
        let bars = self.theme.either(BARS, ASCII_BARS);
        let place = grid.area();
        for line in 0..place.height {
            for column in 0..place.width {
                // Each line of bars is one row of the matrix.
                let row = grid.rows.values(line.into()).start;
                let values = grid.columns.values(column.into());
                let value = mean(self.matrix, row..row + 1, values);
                let symbol = value.map_or('?', |value| bars[ramp::level(value.max(0.0), (0.0, hi), bars.len())]);
                let cell = &mut buffer[(place.x + column, place.y + line)];
                cell.set_char(symbol).set_style(self.theme.ink(usize::from(line % 2) * 4));
            }
        }
    }

    /// The scale as a line: `0 ▄▄▄▄ 0.12`.
    fn scale(&self, range: (f32, f32), width: usize) -> Line<'static> {
        let (lo, hi) = (text::short(f64::from(range.0)), text::short(f64::from(range.1)));
        if self.look == Look::Bars {
            return Line::styled(format!("full bar {hi}"), self.theme.dim());
        }
        let room = width.saturating_sub(text::width(&lo) + text::width(&hi) + 2).min(RAMP.len());
        let value = |index: usize| range.0 + (range.1 - range.0) * (index as f32 + 0.5) / room as f32;
        let mut parts = vec![Span::styled(format!("{lo} "), self.theme.dim())];
        for index in 0..room {
            let value = Some(value(index));
            parts.push(if self.theme.shades_with_characters() {
                ramp::shade(self.theme, value, range).to_string().into()
            } else {
                Span::styled("▄", Style::new().fg(ramp::colour(self.theme, value, range)))
            });
        }
        parts.push(Span::styled(format!(" {hi}"), self.theme.dim()));
        Line::from(parts)
    }

    /// The frame, with the words for rows and columns or what the cursor reads on its lower edge.
    fn block(&self, width: u16) -> Block<'_> {
        let (matrix, theme) = (self.matrix, self.theme);
        let number = self.number.map_or_else(String::new, |(number, count)| format!(" {number}/{count}"));
        let heading = if self.focused { theme.accent() } else { theme.title() };
        let of = if self.of.is_empty() { String::new() } else { format!("{}: ", self.of) };
        let block = Block::bordered()
            .border_set(theme.border_set())
            .border_style(theme.border(self.focused))
            .title_top(Line::styled(format!(" {of}{}{number} ", matrix.title), heading));
        let size = format!(" {}×{} ", matrix.rows, matrix.cols);
        let room = usize::from(width).saturating_sub(4);
        let (words, style) = match self.cell {
            Some(cell) => (self.reading(cell, room), theme.warn()),
            None if matrix.row_word.is_empty() => (String::new(), theme.dim()),
            None => {
                let (rows, columns) = (&matrix.row_word, &matrix.col_word);
                let words = (format!("↓ {rows}  → {columns}"), format!("down: {rows}, across: {columns}"));
                (theme.either(words.0, words.1), theme.dim())
            }
        };
        let left = room.saturating_sub(text::width(&words) + 2);
        let block = match (words.is_empty(), self.cell) {
            (true, _) => block,
            (false, None) if text::width(&words) + text::width(&size) > room => block,
            _ => block.title_bottom(Line::styled(format!(" {words} "), style)),
        };
        if words.is_empty() || text::width(&size) <= left {
            block.title_bottom(Line::styled(size, theme.dim()).right_aligned())
        } else {
            block
        }
    }

    /// Draws the matrix. Returns where its values stand; nothing where it has none or there is no room.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer) -> Option<Grid> {
        let area = area.intersection(buffer.area);
        if area.width < 10 || area.height < 5 {
            return None;
        }
        let matrix = self.matrix;
        let clamped = self
            .cell
            .filter(|_| matrix.is_whole())
            .map(|(row, column)| (row.min(matrix.rows - 1), column.min(matrix.cols - 1)));
        let this = Self { cell: clamped, ..*self };
        let block = this.block(area.width);
        let inner = block.inner(area);
        block.render(area, buffer);
        let Some(range) = this.range.or_else(|| matrix_range(matrix)).filter(|_| matrix.is_whole()) else {
            Line::styled("no finite values", this.theme.dim()).render(inner, buffer);
            return None;
        };
        let caption = u16::from(!matrix.caption.is_empty() && inner.height >= 5);
        let body = Rect { height: inner.height - 1 - caption, ..inner };
        let grid = if this.look == Look::Bars {
            let rows = Along::new(matrix.rows, body.height.into(), 1);
            let columns = Along::new(matrix.cols, body.width.into(), 1);
            let grid = Grid { origin: (body.x, body.y), rows, columns, has_halves: false };
            this.render_bars(&grid, range.1, buffer);
            grid
        } else {
            let arrangement = Arrangement { matrix, fills: this.fills, theme: this.theme };
            let layout = arrangement.layout(body);
            this.render_heat(&layout, body, range, buffer);
            layout.grid
        };
        if let Some(cell) = clamped {
            this.mark(&grid, area, cell, range, buffer);
        }
        let scale = Rect { y: body.bottom(), height: 1, ..inner };
        this.scale(range, inner.width.into()).render(scale, buffer);
        if caption > 0 {
            let line = Line::styled(text::fit(&matrix.caption, inner.width.into()), this.theme.dim());
            line.render(Rect { y: scale.bottom(), height: 1, ..inner }, buffer);
        }
        Some(grid)
    }
}

impl Widget for &Heatmap<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        self.draw(area, buffer);
    }
}
