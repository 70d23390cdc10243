//! A grid of dots, several to a terminal cell where the glyphs allow.

use crate::console::theme::{Glyphs, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Bits of the Braille pattern by [row][column] of the 2×4 dots.
const BRAILLE: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// The dots of one character of the screen, or the symbol that stands in their place.
#[derive(Clone, Copy, Default)]
struct DotCell {
    dots: u8,
    symbol: Option<char>,
    style: Style,
}

/// A drawing of dots and symbols; rows count from the top, dots from the bottom.
pub struct Canvas {
    columns: usize,
    rows: usize,
    glyphs: Glyphs,
    cells: Vec<DotCell>,
}

/// How a line is drawn: solid, or with gaps, remembering how far it came.
#[derive(Clone, Copy)]
pub struct Pen {
    /// Colour.
    pub style: Style,
    /// The symbol where a cell is one dot.
    pub symbol: char,
    /// Dots drawn and left out in turn; none for a solid line.
    pub dash: Option<(u32, u32)>,
    travelled: u32,
}

impl Pen {
    /// A pen that has drawn nothing yet.
    #[must_use]
    pub const fn new(style: Style, symbol: char, dash: Option<(u32, u32)>) -> Self {
        Self { style, symbol, dash, travelled: 0 }
    }

    fn step(&mut self) -> bool {
        let drawn = self.dash.is_none_or(|(on, off)| self.travelled % (on + off) < on);
        self.travelled = self.travelled.wrapping_add(1);
        drawn
    }
}

impl Canvas {
    /// An empty drawing of so many cells.
    #[must_use]
    pub fn new(columns: usize, rows: usize, theme: &Theme) -> Self {
        Self { columns, rows, glyphs: theme.glyphs, cells: vec![DotCell::default(); columns * rows] }
    }

    const fn dots_per_cell(&self) -> (usize, usize) {
        match self.glyphs {
            Glyphs::Braille => (2, 4),
            Glyphs::Dot | Glyphs::Ascii => (1, 1),
        }
    }

    /// Dots across and up.
    #[must_use]
    pub const fn size(&self) -> (usize, usize) {
        let (across, up) = self.dots_per_cell();
        (self.columns * across, self.rows * up)
    }

    /// The dot at fractions of width and height; fractions beyond 0..1 lie outside.
    #[must_use]
    pub fn dot_at(&self, x: f64, y: f64) -> (i64, i64) {
        let (width, height) = self.size();
        let at =
            |fraction: f64, size: usize| (fraction * (size.saturating_sub(1)) as f64).round().clamp(-1e6, 1e6) as i64;
        (at(x, width), at(y, height))
    }

    /// The cell (column, row from the top) of a dot inside.
    #[must_use]
    pub fn cell_of(&self, (x, y): (i64, i64)) -> Option<(usize, usize)> {
        let (width, height) = self.size();
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        let (across, up) = self.dots_per_cell();
        (x < width && y < height).then(|| (x / across, (height - 1 - y) / up))
    }

    fn set(&mut self, dot: (i64, i64), style: Style, symbol: char) {
        let Some((column, row)) = self.cell_of(dot) else { return };
        let height = self.size().1;
        let (across, up) = self.dots_per_cell();
        let cell = &mut self.cells[row * self.columns + column];
        if self.glyphs == Glyphs::Braille {
            cell.dots |= BRAILLE[(height - 1 - dot.1 as usize) % up][dot.0 as usize % across];
        } else {
            cell.dots = 1;
            cell.symbol = Some(if self.glyphs == Glyphs::Dot { '•' } else { symbol });
        }
        cell.style = style;
    }

    /// Draws one dot.
    pub fn dot(&mut self, dot: (i64, i64), pen: &Pen) {
        self.set(dot, pen.style, pen.symbol);
    }

    /// Draws a straight line between two dots, without the first. What lies outside costs nothing.
    pub fn line(&mut self, from: (i64, i64), to: (i64, i64), pen: &mut Pen) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let steps = dx.abs().max(dy.abs());
        for step in self.steps_inside(from, (dx, dy), steps) {
            let along = step as f64 / steps as f64;
            let dot = (from.0 + (dx as f64 * along).round() as i64, from.1 + (dy as f64 * along).round() as i64);
            if pen.step() {
                self.set(dot, pen.style, pen.symbol);
            }
        }
    }

    /// The steps of a line of `steps` that may lie inside, from `from` on by (dx, dy) in all.
    fn steps_inside(&self, from: (i64, i64), by: (i64, i64), steps: i64) -> std::ops::RangeInclusive<i64> {
        let (width, height) = self.size();
        let (mut first, mut last) = (1, steps);
        for (from, by, size) in [(from.0, by.0, width as i64), (from.1, by.1, height as i64)] {
            let at = |edge: i64| (edge - from) as f64 / by as f64 * steps as f64;
            // A dot more on either side, because places are rounded.
            let (one, other) = (at(-1), at(size));
            if by != 0 {
                first = first.max(one.min(other).floor() as i64 - 1);
                last = last.min(one.max(other).ceil() as i64 + 1);
            } else if !(0..size).contains(&from) {
                last = 0;
            }
        }
        first..=last
    }

    /// Fills a column of dots between two heights with every second dot.
    pub fn shade(&mut self, x: i64, from: i64, to: i64, style: Style) {
        let height = self.size().1 as i64;
        for y in from.max(0)..=to.min(height - 1) {
            if (x + y) % 2 == 0 && (self.glyphs == Glyphs::Braille || self.is_empty_at((x, y))) {
                self.set((x, y), style, ':');
            }
        }
    }

    fn is_empty_at(&self, dot: (i64, i64)) -> bool {
        self.cell_of(dot).is_some_and(|(column, row)| self.cells[row * self.columns + column].dots == 0)
    }

    /// Puts a symbol over a cell.
    pub fn symbol(&mut self, (column, row): (usize, usize), symbol: char, style: Style) {
        if column < self.columns && row < self.rows {
            self.cells[row * self.columns + column] = DotCell { dots: 1, symbol: Some(symbol), style };
        }
    }

    /// Puts a symbol over a cell where nothing is drawn yet.
    pub fn underlay(&mut self, (column, row): (usize, usize), symbol: char, style: Style) {
        if column < self.columns && row < self.rows && self.cells[row * self.columns + column].dots == 0 {
            self.symbol((column, row), symbol, style);
        }
    }

    /// Copies the drawing to the screen.
    pub fn render(&self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        for row in 0..self.rows.min(area.height.into()) {
            for column in 0..self.columns.min(area.width.into()) {
                let cell = &self.cells[row * self.columns + column];
                if cell.dots == 0 {
                    continue;
                }
                let symbol =
                    cell.symbol.unwrap_or_else(|| char::from_u32(0x2800 + u32::from(cell.dots)).unwrap_or(' '));
                buffer[(area.x + column as u16, area.y + row as u16)].set_char(symbol).set_style(cell.style);
            }
        }
    }
}
