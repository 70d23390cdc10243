//! How the chosen figure is looked at: its scales, the shown part of its axis, the cursor along its points or over the
//! cells of its matrices.

use super::figure::Figure;
use super::looks::{CellCursor, DrawnAxis, Looks};
use super::tab::{Pane, ProblemTab};
use crate::console::keymap::Action;
use crate::lab::{Plot, Sample, Scale};

/// How much of the shown width a key moves it.
const PAN: f64 = 0.25;

/// Cells of a matrix that a step with Shift takes.
const CELLS: usize = 8;

/// A turn of the wheel shows this much of what was shown.
const TURN: f64 = 0.8;

impl ProblemTab {
    /// How the figure called `id` is drawn for the person who looks at it.
    #[must_use]
    pub fn looks(&self, id: &str) -> Looks {
        self.inspection.looks.get(id).copied().unwrap_or_default()
    }

    /// The cursor of a plot: a value of its horizontal axis. Every plot with that axis has the same.
    #[must_use]
    pub fn cursor(&self, plot: &Plot) -> Option<f64> {
        self.inspection.cursors.get(&plot.x.title).copied()
    }

    /// Whether the chosen figure has an axis of which a part can be shown.
    #[must_use]
    pub fn shows_axis(&self) -> bool {
        self.figures().get(self.figure).is_some_and(|figure| figure.plot().is_some())
    }

    /// Whether the chosen figure shows a part of its horizontal axis.
    #[must_use]
    pub fn shows_part(&self) -> bool {
        self.figures().get(self.figure).is_some_and(|figure| self.looks(&figure.id()).range.is_some())
    }

    /// Takes the horizontal axis of the chosen plot as it has been drawn: the number of the plot, and the axis.
    pub(super) fn see(&mut self, drawn: Option<(usize, DrawnAxis)>) {
        self.inspection.drawn = drawn;
    }

    /// The scales of the chosen figure, if it has curves.
    pub(super) fn scales(&self) -> Option<(Scale, Scale)> {
        self.figures().get(self.figure)?.scales(self)
    }

    /// Changes how the chosen figure is drawn. Returns nothing where there is none.
    pub(super) fn change_looks(&mut self, change: impl FnOnce(&mut Looks)) -> Option<Looks> {
        let id = self.figures().get(self.figure)?.id();
        let looks = self.inspection.looks.entry(id).or_default();
        change(looks);
        Some(*looks)
    }

    /// Does what a key stands for in the figures. Returns a message for the user.
    pub(super) fn act_on_figures(&mut self, action: Action) -> Option<String> {
        let last = self.figures().len().saturating_sub(1);
        let column = self.drawn_axis().map_or(0.02, |drawn| 1.0 / f64::from(drawn.columns.max(1)));
        if self.act_on_cells(action) {
            return None;
        }
        match action {
            Action::Up => self.figure = self.figure.saturating_sub(1),
            Action::Down => self.figure = (self.figure + 1).min(last),
            Action::Left => self.move_cursor(false, 0.0),
            Action::Right => self.move_cursor(true, 0.0),
            Action::StepLeft => self.move_cursor(false, column),
            Action::StepRight => self.move_cursor(true, column),
            Action::First => self.move_cursor(false, f64::INFINITY),
            Action::Last => self.move_cursor(true, f64::INFINITY),
            Action::Closer => self.scale_axis(None, 0.5),
            Action::Wider => self.scale_axis(None, 2.0),
            Action::PanLeft | Action::PanRight => {
                let by = if action == Action::PanRight { PAN } else { -PAN };
                if let Some(drawn) = self.drawn_axis() {
                    self.change_looks(|looks| looks.range = drawn.moved(by));
                }
            }
            Action::Whole => drop(self.change_looks(|looks| looks.range = None)),
            Action::Outliers if self.scales().is_some() => {
                let looks = self.change_looks(|looks| looks.outliers = !looks.outliers)?;
                let words =
                    if looks.outliers { "every point is drawn" } else { "points far from the others are cut off" };
                return Some(words.to_owned());
            }
            Action::Back => match self.chosen_axis() {
                Some(axis) if self.inspection.cursors.remove(&axis).is_some() => {}
                _ => self.zoom = false,
            },
            _ => {}
        }
        None
    }

    /// The title of the horizontal axis of the chosen plot.
    fn chosen_axis(&self) -> Option<String> {
        Some(self.figures().get(self.figure)?.plot()?.x.title.clone())
    }

    /// The horizontal axis of the chosen plot, if it has been drawn.
    fn drawn_axis(&self) -> Option<DrawnAxis> {
        self.inspection.drawn.filter(|(figure, _)| *figure == self.figure).map(|(_, axis)| axis)
    }

    /// Every x at which the chosen figure has a point.
    fn stops(&self) -> Vec<f64> {
        let figures = self.figures();
        let Some(figure) = figures.get(self.figure) else { return Vec::new() };
        let Some((x, y)) = figure.scales(self) else { return Vec::new() };
        let is_drawn = |point: &&Sample| x.has_place(point.x) && y.has_place(point.y);
        let points = figure.points(self).into_iter().flatten().filter(is_drawn);
        points.map(|point| point.x).collect()
    }

    /// Moves the cursor to the next point, or to the next one that is at least the part `least` of the axis away, or as far
    /// as there are points. Without a cursor it comes to the first point from the left, to the last from the right.
    fn move_cursor(&mut self, forward: bool, least: f64) {
        let stops = self.stops();
        let end = |first: bool| stops.iter().copied().reduce(if first { f64::min } else { f64::max });
        let now = self.chosen_axis().and_then(|axis| self.inspection.cursors.get(&axis).copied());
        let next = match now {
            _ if least.is_infinite() => end(!forward),
            None => end(forward),
            Some(now) => {
                let drawn = self.drawn_axis();
                let is_far = |stop: f64| {
                    let places = drawn.and_then(|drawn| drawn.shown.place(stop).zip(drawn.shown.place(now)));
                    least == 0.0 || places.is_none_or(|(one, other)| (one - other).abs() >= least)
                };
                let beyond = stops.iter().copied().filter(|stop| if forward { *stop > now } else { *stop < now });
                let far = beyond.filter(|stop| is_far(*stop)).reduce(if forward { f64::min } else { f64::max });
                far.or_else(|| end(!forward).filter(|end| if forward { *end > now } else { *end < now }))
            }
        };
        if let Some(next) = next {
            self.put_cursor(next);
        }
    }

    /// Puts the cursor of the chosen plot at the value `x`, and moves the shown part of the axis there.
    fn put_cursor(&mut self, x: f64) {
        let Some(axis) = self.chosen_axis() else { return };
        self.inspection.cursors.insert(axis, x);
        let Some(drawn) = self.drawn_axis() else { return };
        let Some(place) = drawn.shown.place(x).filter(|place| !(-1e-9..=1.0 + 1e-9).contains(place)) else { return };
        let by = if place < 0.0 { place - PAN } else { place - 1.0 + PAN };
        self.change_looks(|looks| looks.range = looks.range.and_then(|_| drawn.moved(by)));
    }

    /// Puts the cursor of the chosen plot at the point nearest to the fraction `place` of its axis.
    pub(super) fn point_at(&mut self, drawn: &DrawnAxis, place: f64) {
        let distance = |x: &f64| drawn.shown.place(*x).map_or(f64::INFINITY, |at| (at - place).abs());
        let stops = self.stops();
        let shown = stops.into_iter().filter(|x| drawn.shown.place(*x).is_some_and(|at| (0.0..=1.0).contains(&at)));
        if let Some(x) = shown.min_by(|one, other| distance(one).total_cmp(&distance(other))) {
            self.put_cursor(x);
        }
    }

    /// Shows `factor` of what the horizontal axis of the chosen plot shows, around a fraction of it, or the cursor.
    fn scale_axis(&mut self, place: Option<f64>, factor: f64) {
        let Some(drawn) = self.drawn_axis() else { return };
        let cursor = self.chosen_axis().and_then(|axis| self.inspection.cursors.get(&axis).copied());
        let around = place.map(|place| drawn.shown.value(place)).or(cursor).unwrap_or(drawn.shown.value(0.5));
        self.change_looks(|looks| looks.range = drawn.scaled(around, factor));
    }

    /// Turns the wheel at a fraction of the axis of the chosen plot. Returns whether that changes what it shows: only a
    /// zoomed plot does.
    pub(super) fn turn_wheel(&mut self, place: f64, closer: bool) -> bool {
        let is_zoomed = self.zoom && self.pane == Pane::Figures;
        if is_zoomed {
            self.scale_axis(Some(place), if closer { TURN } else { 1.0 / TURN });
        }
        is_zoomed
    }

    /// Puts the cell cursor of the chosen figure there.
    pub(super) fn point_at_cell(&mut self, cell: CellCursor) {
        self.change_looks(|looks| looks.cell = Some(cell));
    }

    /// Moves the cell cursor where the chosen figure has matrices. Returns whether it did.
    fn act_on_cells(&mut self, action: Action) -> bool {
        let figures = self.figures();
        let Some(figure @ (Figure::Map(_) | Figure::Matrices { .. })) = figures.get(self.figure) else { return false };
        let id = figure.id();
        let matrices = figure.matrices(self);
        let sizes: Vec<(usize, usize)> = matrices.iter().map(|matrix| (matrix.rows, matrix.cols)).collect();
        let looks = self.looks(&id);
        let next = match looks.cell {
            None if matches!(action, Action::Left | Action::Right | Action::First | Action::Last) => {
                (!sizes.is_empty()).then(CellCursor::default)
            }
            None => return false,
            Some(_) if action == Action::Back => None,
            Some(cell) => match cell.walked(action, &sizes) {
                Some(cell) => Some(cell),
                None => return false,
            },
        };
        self.inspection.looks.insert(id, Looks { cell: next, ..looks });
        true
    }
}

impl CellCursor {
    /// The cell where a key leads in matrices of these numbers of rows and columns side by side; none for other keys.
    fn walked(self, action: Action, sizes: &[(usize, usize)]) -> Option<Self> {
        let matrix = self.matrix.min(sizes.len().checked_sub(1)?);
        let (rows, columns) = sizes[matrix];
        let (row, column) = (self.row.min(rows.saturating_sub(1)), self.column.min(columns.saturating_sub(1)));
        let here = Self { matrix, row, column };
        let beside = |matrix: usize, at_end: bool| {
            let (rows, columns) = sizes[matrix];
            Self {
                matrix,
                row: row.min(rows.saturating_sub(1)),
                column: if at_end { columns.saturating_sub(1) } else { 0 },
            }
        };
        Some(match action {
            Action::Up => Self { row: row.saturating_sub(1), ..here },
            Action::Down => Self { row: (row + 1).min(rows.saturating_sub(1)), ..here },
            Action::Left if column == 0 && matrix > 0 => beside(matrix - 1, true),
            Action::Right if column + 1 >= columns && matrix + 1 < sizes.len() => beside(matrix + 1, false),
            Action::Left => Self { column: column.saturating_sub(1), ..here },
            Action::Right => Self { column: (column + 1).min(columns.saturating_sub(1)), ..here },
            Action::StepLeft => Self { column: column.saturating_sub(CELLS), ..here },
            Action::StepRight => Self { column: (column + CELLS).min(columns.saturating_sub(1)), ..here },
            Action::First => Self { column: 0, ..here },
            Action::Last => Self { column: columns.saturating_sub(1), ..here },
            _ => return None,
        })
    }
}
