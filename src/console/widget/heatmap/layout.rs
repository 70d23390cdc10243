//! How a matrix is laid out: how large its values are, and what is written beside and into them.

use super::grid::{Along, Grid};
use crate::console::theme::Theme;
use crate::console::widget::text;
use crate::lab::Matrix;
use ratatui::layout::Rect;

/// The most columns of the screen that names of rows take.
const NAME: usize = 14;

/// How a matrix is laid out: the place of its values, and what is written beside and into them.
pub struct MatrixLayout {
    /// The place of the values.
    pub grid: Grid,
    /// Names of rows and columns; none where they have no room.
    pub names: Option<(Vec<String>, Vec<String>)>,
    /// What is written into each cell, by rows; none where nothing is.
    pub texts: Option<Vec<Vec<String>>>,
}

/// What decides about a layout.
pub struct Arrangement<'a> {
    /// The matrix.
    pub matrix: &'a Matrix,
    /// Whether values get all the room there is.
    pub fills: bool,
    /// How everything looks.
    pub theme: &'a Theme,
}

impl Arrangement<'_> {
    /// The layout in `area`.
    pub fn layout(&self, area: Rect) -> MatrixLayout {
        let matrix = self.matrix;
        let own = matrix.names().map(|(rows, columns)| (rows.to_vec(), columns.to_vec()));
        let numbers = |count: usize| (0..count).map(|index| index.to_string()).collect();
        let counted = || (!matrix.row_word.is_empty()).then(|| (numbers(matrix.rows), numbers(matrix.cols)));
        let has_own = own.is_some();
        let bare = self.grid(area, has_own || matrix.cell_texts().is_some());
        let named = own.or_else(counted).and_then(|names| {
            let left = longest(&names.0).min(NAME) + 1;
            let width = usize::from(area.width).checked_sub(left)?;
            let below = Rect {
                x: area.x + left as u16,
                y: area.y + 1,
                width: width as u16,
                height: area.height.saturating_sub(1),
            };
            let grid = self.grid(below, has_own || matrix.cell_texts().is_some());
            let is_small = grid.rows.is_shared() || grid.columns.is_shared();
            let is_as_large = grid.rows.size() == bare.rows.size() && grid.columns.size() == bare.columns.size();
            (!is_small && grid.has_halves == bare.has_halves && (has_own || self.fills || is_as_large))
                .then_some((grid, names))
        });
        let (grid, names) = named.map_or((bare, None), |(grid, names)| (grid, Some(names)));
        let texts = self.texts(&grid);
        // Texts stand in whole lines.
        let grid = if texts.is_some() && grid.has_halves {
            Grid { rows: grid.rows.halved(), has_halves: false, ..grid }
        } else {
            grid
        };
        MatrixLayout { grid, names, texts }
    }

    /// The place of the values in `area`, in whole lines where `whole` is set and every value has one.
    fn grid(&self, area: Rect, whole: bool) -> Grid {
        let matrix = self.matrix;
        let plain = self.theme.shades_with_characters();
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let origin = (area.x, area.y);
        // A text leaves no room for its shade in one column of the screen, and a value without one is a square.
        let least = if plain || matrix.cell_texts().is_none() { 2 } else { 1 };
        if whole && width / matrix.cols >= least && height / matrix.rows >= 1 {
            let (width, height) = (width / matrix.cols, height / matrix.rows);
            // A cell of the terminal is about twice as high as wide.
            let square = height.min((width / 2).max(1));
            let sizes = if self.fills { (width, height) } else { (width.min(2 * square + 1), square) };
            let columns = Along::new(matrix.cols, area.width.into(), sizes.0);
            let rows = Along::new(matrix.rows, area.height.into(), sizes.1);
            return Grid { origin, rows, columns, has_halves: false };
        }
        let units = if plain { height } else { 2 * height };
        // Half a line is about as high as a cell is wide: values are squares.
        let square = (units / matrix.rows).min(width / matrix.cols).max(1);
        let stretch = (width / (matrix.cols * square)).clamp(1, if plain { 2 } else { 1 });
        let most = if self.fills { (usize::MAX, usize::MAX) } else { (square, square * stretch) };
        Grid {
            origin,
            rows: Along::new(matrix.rows, units, most.0),
            columns: Along::new(matrix.cols, width, most.1),
            has_halves: !plain,
        }
    }

    /// What is written into the cells of the grid, by rows, line by line: texts of the matrix, and where values have all
    /// the room there is, the values. None where there is nothing or no room.
    fn texts(&self, grid: &Grid) -> Option<Vec<Vec<String>>> {
        let matrix = self.matrix;
        let lines = if grid.has_halves { grid.rows.size() / 2 } else { grid.rows.size() };
        if grid.rows.is_shared() || grid.columns.is_shared() || lines == 0 {
            return None;
        }
        // A text leaves no room for its shade in one column of the screen.
        let has_room = !self.theme.shades_with_characters() || grid.columns.size() > 1;
        let own = matrix.cell_texts().filter(|_| !grid.has_halves && has_room);
        let lines = lines - usize::from(own.is_some()).min(lines);
        let width = grid.columns.size().saturating_sub(1);
        let value = |value: &f32| if value.is_finite() { brief(*value, width) } else { Some(String::new()) };
        let values: Option<Vec<String>> =
            if self.fills && lines > 0 { matrix.values.iter().map(value).collect() } else { None };
        match (own, values) {
            (None, None) => None,
            (own, values) => {
                let parts = [own.map(<[_]>::to_vec), values];
                let lines = |index: usize| parts.iter().flatten().map(|texts| texts[index].clone()).collect();
                Some((0..matrix.values.len()).map(lines).collect())
            }
        }
    }
}

/// Columns of the screen that the longest name takes.
pub fn longest(names: &[String]) -> usize {
    names.iter().map(|name| text::width(name)).max().unwrap_or(0)
}

/// A value in at most `room` columns of the screen, rounded to two decimals if need be; none where it has no room.
fn brief(value: f32, room: usize) -> Option<String> {
    let whole = text::short(f64::from(value));
    let rounded = || [3, 2].into_iter().map(|digits| format!("{value:.digits$}")).find(|text| text.len() <= room);
    if text::width(&whole) <= room { Some(whole) } else { rounded() }
}
