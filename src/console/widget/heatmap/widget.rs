//! A matrix as colours, two rows of values to a line, with the scale printed; or as rows of small bars. A matrix with texts
//! in its cells or with names of rows and columns has a line or more for each row.

use super::text;
use crate::console::theme::Theme;
use crate::lab::Matrix;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Widget};

/// Viridis from low to high in the nearest xterm-256 entries.
const RAMP: [u8; 12] = [53, 54, 60, 61, 24, 30, 36, 35, 71, 77, 148, 226];
/// Low to high where there is no colour.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];
const ASCII_SHADES: [char; 10] = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];
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
    /// How everything looks.
    pub theme: &'a Theme,
}

/// Smallest and largest finite value.
#[must_use]
pub fn range(matrix: &Matrix) -> Option<(f32, f32)> {
    let finite = matrix.values.iter().copied().filter(|value| value.is_finite());
    finite.fold(None, |range, value| {
        Some(range.map_or((value, value), |(lo, hi): (f32, f32)| (lo.min(value), hi.max(value))))
    })
}

/// Columns of the screen that the longest name takes.
fn longest(names: &[String]) -> usize {
    names.iter().map(|name| text::width(name)).max().unwrap_or(0)
}

/// The mean of the part of the matrix that falls on cell (`row`, `column`) of a `rows`×`columns` screen; none where
/// the part is empty or holds a value that is not finite.
fn part(matrix: &Matrix, (row, rows): (usize, usize), (column, columns): (usize, usize)) -> Option<f32> {
    let cut = |index: usize, cells: usize, size: usize| {
        let from = index * size / cells;
        from..((index + 1) * size / cells).max(from + 1).min(size)
    };
    let (mut sum, mut count) = (0.0_f64, 0_u32);
    for r in cut(row, rows, matrix.rows) {
        for c in cut(column, columns, matrix.cols) {
            let value = *matrix.values.get(r * matrix.cols + c)?;
            if !value.is_finite() {
                return None;
            }
            sum += f64::from(value);
            count += 1;
        }
    }
    (count > 0).then(|| (sum / f64::from(count)) as f32)
}

/// The black or white of the 256 colours that is read better on colour `index` of the cube.
fn ink(index: u8) -> Color {
    let channel = |step: u8| match step {
        0 => 0.0,
        step => (((f64::from(step) * 40.0 + 55.0) / 255.0 + 0.055) / 1.055).powf(2.4),
    };
    let [red, green, blue] = match index {
        // The greys.
        232.. => [((f64::from(index) - 232.0) * 10.0 + 8.0) / 255.0; 3].map(|grey| grey.powf(2.2)),
        _ => {
            let cube = index.saturating_sub(16);
            [cube / 36, cube / 6 % 6, cube % 6].map(channel)
        }
    };
    let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    // Where black and white have the same contrast (WCAG 2.1): (Y + 0.05)² = 0.05 · 1.05.
    Color::Indexed(if luminance > 0.179 { 16 } else { 231 })
}

/// How a matrix with texts or names is laid out.
struct Blocks {
    /// Columns of the screen for the names of rows.
    left: usize,
    /// Lines for the names of columns.
    top: usize,
    /// Columns of the screen that each value has.
    width: usize,
    /// Lines that each value has.
    height: usize,
}

impl Heatmap<'_> {
    /// Room for every value with its text and the names, or without the names; none where that does not fit, or where there
    /// is nothing to write.
    fn blocks(&self, area: Rect) -> Option<Blocks> {
        let matrix = self.matrix;
        let names = matrix.names();
        if names.is_none() && matrix.cell_texts().is_none() {
            return None;
        }
        let plain = self.theme.shades_with_characters();
        // A text leaves no room for its shade in one column of the screen.
        let least = if plain && matrix.cell_texts().is_some() { 2 } else { 1 };
        let gutter = names.map_or(0, |(rows, _)| longest(rows) + 1);
        [(gutter, usize::from(gutter > 0)), (0, 0)].into_iter().find_map(|(left, top)| {
            let width = usize::from(area.width).checked_sub(left)? / matrix.cols;
            let height = usize::from(area.height).checked_sub(top)? / matrix.rows;
            // A cell of the terminal is about twice as high as wide.
            let height = height.min((width / 2).max(1));
            let width = width.min(2 * height + 1);
            (width >= least && height >= 1).then_some(Blocks { left, top, width, height })
        })
    }

    fn render_blocks(&self, area: Rect, range: (f32, f32), blocks: &Blocks, buffer: &mut Buffer) {
        let matrix = self.matrix;
        let plain = self.theme.shades_with_characters();
        let (x, y) = (usize::from(area.x) + blocks.left, usize::from(area.y) + blocks.top);
        let texts = matrix.cell_texts();
        for (index, value) in matrix.values.iter().enumerate() {
            let value = Some(*value).filter(|value| value.is_finite());
            let (left, top) = (x + index % matrix.cols * blocks.width, y + index / matrix.cols * blocks.height);
            let colour = self.colour(value, range);
            let style = match colour {
                Color::Indexed(index) if !plain => Style::new().bg(colour).fg(ink(index)),
                _ => Style::new(),
            };
            let fill = if plain { self.shade(value, range) } else { ' ' };
            for row in 0..blocks.height {
                for column in 0..blocks.width {
                    buffer[((left + column) as u16, (top + row) as u16)].set_char(fill).set_style(style);
                }
            }
            if let Some(texts) = texts {
                let written = text::fit(&texts[index], blocks.width);
                let indent = (blocks.width - text::width(&written)) / 2;
                let line = top + (blocks.height - 1) / 2;
                buffer.set_string((left + indent) as u16, line as u16, written, style);
            }
        }
        let Some((rows, columns)) = matrix.names().filter(|_| blocks.left > 0) else { return };
        for (row, name) in rows.iter().enumerate() {
            let line = y + row * blocks.height + (blocks.height - 1) / 2;
            let indent = blocks.left - 1 - text::width(name).min(blocks.left - 1);
            buffer.set_string(area.x + indent as u16, line as u16, name, self.theme.dim());
        }
        // Every name where they fit beside each other, else one of several.
        let wide = longest(columns);
        let step = if wide < blocks.width || wide == 1 { 1 } else { (wide + 1).div_ceil(blocks.width) };
        for (column, name) in columns.iter().enumerate().step_by(step) {
            let room = usize::from(area.right()).saturating_sub(x + column * blocks.width);
            let indent = blocks.width.saturating_sub(text::width(name)) / 2;
            if indent + text::width(name) <= room {
                let at = x + column * blocks.width + indent;
                buffer.set_string(at as u16, area.y, name, self.theme.dim());
            }
        }
    }

    fn level(&self, value: f32, (lo, hi): (f32, f32), levels: usize) -> usize {
        let along = if hi > lo { (value - lo) / (hi - lo) } else { 0.0 };
        ((along * levels as f32) as usize).min(levels - 1)
    }

    fn colour(&self, value: Option<f32>, range: (f32, f32)) -> Color {
        value.map_or(Color::Indexed(240), |value| Color::Indexed(RAMP[self.level(value, range, RAMP.len())]))
    }

    fn shade(&self, value: Option<f32>, range: (f32, f32)) -> char {
        let shades: &[char] = if self.theme.ascii() { &ASCII_SHADES } else { &SHADES };
        value.map_or('?', |value| shades[self.level(value, range, shades.len())])
    }

    fn render_heat(&self, area: Rect, range: (f32, f32), buffer: &mut Buffer) {
        let matrix = self.matrix;
        let plain = self.theme.shades_with_characters();
        let per_line = if plain { 1 } else { 2 };
        // A small matrix is drawn larger, each value as a block.
        let fits = usize::from(area.height) * per_line / matrix.rows;
        let zoom = fits.min(usize::from(area.width) / matrix.cols).max(1);
        let rows = (matrix.rows * zoom).min(usize::from(area.height) * per_line);
        // A cell of the terminal is about twice as high as wide, so values are drawn wider to make a square matrix look
        // square.
        let stretch = (usize::from(area.width) / (matrix.cols * zoom)).clamp(1, if plain { 2 } else { 1 });
        let columns = (matrix.cols * zoom).min(area.width.into());
        for line in 0..rows.div_ceil(per_line) {
            for column in 0..columns {
                let value = |row: usize| part(matrix, (row, rows), (column, columns));
                for copy in 0..stretch {
                    let at = (area.x + (column * stretch + copy) as u16, area.y + line as u16);
                    let cell = &mut buffer[at];
                    if plain {
                        cell.set_char(self.shade(value(line), range));
                    } else {
                        let mut style = Style::new().fg(self.colour(value(2 * line), range));
                        if 2 * line + 1 < rows {
                            style = style.bg(self.colour(value(2 * line + 1), range));
                        }
                        cell.set_char('▀').set_style(style);
                    }
                }
            }
        }
    }

    fn render_bars(&self, area: Rect, (_, hi): (f32, f32), buffer: &mut Buffer) {
        let matrix = self.matrix;
        let rows = matrix.rows.min(area.height.into());
        let columns = matrix.cols.min(area.width.into());
        let bars = self.theme.either(BARS, ASCII_BARS);
        for row in 0..rows {
            for column in 0..columns {
                // Each line of bars is one row of the matrix, the first, the last and those between at equal steps.
                let source = if rows < 2 { 0 } else { row * (matrix.rows - 1) / (rows - 1) };
                let value = part(matrix, (source, matrix.rows), (column, columns));
                let symbol = value.map_or('?', |value| bars[self.level(value.max(0.0), (0.0, hi), bars.len())]);
                buffer[(area.x + column as u16, area.y + row as u16)]
                    .set_char(symbol)
                    .set_style(self.theme.ink(row % 2 * 4));
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
        let mut parts = vec![ratatui::text::Span::styled(format!("{lo} "), self.theme.dim())];
        for index in 0..room {
            let value = Some(value(index));
            parts.push(if self.theme.shades_with_characters() {
                self.shade(value, range).to_string().into()
            } else {
                ratatui::text::Span::styled("▄", Style::new().fg(self.colour(value, range)))
            });
        }
        parts.push(ratatui::text::Span::styled(format!(" {hi}"), self.theme.dim()));
        Line::from(parts)
    }
}

impl Widget for &Heatmap<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.width < 10 || area.height < 5 {
            return;
        }
        let matrix = self.matrix;
        let size = format!(" {}×{} ", matrix.rows, matrix.cols);
        let block = Block::bordered()
            .border_set(self.theme.border_set())
            .border_style(self.theme.border(false))
            .title_top(Line::styled(format!(" {} ", matrix.title), self.theme.title()))
            .title_bottom(Line::styled(size, self.theme.dim()).right_aligned());
        let inner = block.inner(area);
        block.render(area, buffer);
        let Some(range) = self.range.or_else(|| range(matrix)).filter(|_| matrix.is_whole()) else {
            Line::styled("no finite values", self.theme.dim()).render(inner, buffer);
            return;
        };
        let caption = u16::from(!matrix.caption.is_empty() && inner.height >= 5);
        let body = Rect { height: inner.height - 1 - caption, ..inner };
        match (self.look, self.blocks(body)) {
            (Look::Heat, Some(blocks)) => self.render_blocks(body, range, &blocks, buffer),
            (Look::Heat, None) => self.render_heat(body, range, buffer),
            (Look::Bars, _) => self.render_bars(body, range, buffer),
        }
        let scale = Rect { y: body.bottom(), height: 1, ..inner };
        self.scale(range, inner.width.into()).render(scale, buffer);
        if caption > 0 {
            let line = Line::styled(text::fit(&matrix.caption, inner.width.into()), self.theme.dim());
            line.render(Rect { y: scale.bottom(), height: 1, ..inner }, buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: usize, cols: usize, value: impl Fn(usize, usize) -> f32) -> Matrix {
        let values = (0..rows * cols).map(|index| value(index / cols, index % cols)).collect();
        let (id, title, caption) = ("a".to_owned(), "exact".to_owned(), "every 4th".to_owned());
        Matrix { id, group: "a".to_owned(), title, rows, cols, values, caption, ..Matrix::default() }
    }

    fn draw(matrix: &Matrix, look: Look, theme: Theme) -> String {
        let area = Rect::new(0, 0, 24, 8);
        let mut buffer = Buffer::empty(area);
        Heatmap { matrix, range: None, look, theme: &theme }.render(area, &mut buffer);
        text::screen(&buffer)
    }

    #[test]
    fn a_large_matrix_is_averaged_and_the_scale_printed() {
        let diagonal = matrix(64, 64, |row, column| if row / 8 == column / 8 { 1.0 } else { 0.0 });
        let theme = Theme { mono: true, ..Theme::default() };
        let text = draw(&diagonal, Look::Heat, theme);
        assert!(text.contains("exact") && text.contains("64×64") && text.contains("every 4th"), "{text}");
        assert!(text.contains("0 ") && text.contains(" 1"), "{text}");
        assert!(text.lines().nth(1).unwrap().starts_with("│▒▒▒▒▒░     "), "{text}");
    }

    /// Layers × heads, with a letter in each cell.
    fn lettered(rows: usize, cols: usize) -> Matrix {
        let texts = |count: usize| (0..count).map(|index| index.to_string()).collect();
        let letters = (0..rows * cols).map(|index| ["A", "B"][index % 2].to_owned()).collect();
        let values = matrix(rows, cols, |row, column| (row * cols + column) as f32);
        Matrix { letters, row_names: texts(rows), col_names: texts(cols), ..values }
    }

    #[test]
    fn texts_and_names_stand_where_there_is_room() {
        let mono = Theme { mono: true, ..Theme::default() };
        let text = draw(&lettered(3, 4), Look::Heat, mono);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1].trim_end_matches([' ', '│']), "│   0  1  2  3", "{text}");
        assert_eq!(lines[2].trim_end_matches([' ', '│']), "│0  A  B  A ░B░", "{text}");
        assert_eq!(lines[4].trim_end_matches([' ', '│']), "│2 ▓A▓█B██A██B█", "{text}");
        // More columns than the screen has room for names and texts: the shades alone, as before.
        let text = draw(&lettered(3, 40), Look::Heat, mono);
        assert!(!text.contains('A') && text.contains('█'), "{text}");
        // Two digits stand at every second column of the screen that has one of two.
        let colours = draw(&lettered(3, 14), Look::Heat, Theme::default());
        assert!(colours.contains("│  0  3  6  9  12"), "{colours}");
        assert!(colours.contains("│1 ABABABABABABAB"), "{colours}");
    }

    #[test]
    fn a_text_is_read_on_every_colour() {
        // xterm's own table: the cube's steps are 0, 95, 135, 175, 215 and 255.
        let luminance = |index: u8| {
            let steps = [0.0, 95.0, 135.0, 175.0, 215.0, 255.0];
            let linear = |step: u8| {
                let value: f64 = steps[usize::from(step)] / 255.0;
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            let cube = index - 16;
            0.2126 * linear(cube / 36) + 0.7152 * linear(cube / 6 % 6) + 0.0722 * linear(cube % 6)
        };
        for colour in RAMP {
            let Color::Indexed(ink) = ink(colour) else { panic!("no indexed colour") };
            let (one, other) = (luminance(colour), luminance(ink));
            let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
            assert!(contrast >= 4.5, "{colour}: {contrast}");
        }
    }

    #[test]
    fn bars_share_one_maximum() {
        let rows = matrix(2, 8, |row, column| if row == 0 { column as f32 } else { 3.5 });
        let text = draw(&rows, Look::Bars, Theme::default());
        assert!(text.contains("▁▂▃▄▅▆▇█") || text.contains("▁▂▃▄▅▆▇██"), "{text}");
        assert!(text.contains("full bar 7"), "{text}");
    }

    #[test]
    fn bad_shapes_and_values_draw_no_garbage() {
        let mut bad = matrix(2, 2, |_, _| f32::NAN);
        assert!(draw(&bad, Look::Heat, Theme::default()).contains("no finite values"));
        bad.values.pop();
        assert!(draw(&bad, Look::Heat, Theme::default()).contains("no finite values"));
        assert!(draw(&matrix(0, 0, |_, _| 0.0), Look::Bars, Theme::default()).contains("no finite values"));
    }
}
