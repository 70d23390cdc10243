//! Where the values of a matrix stand on screen.

use ratatui::layout::Rect;
use std::ops::Range;

/// The values of one direction of a matrix on places of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Along {
    /// How many values there are.
    count: usize,
    /// Places that each value has; one where several values share one.
    size: usize,
    /// Places in all.
    places: usize,
}

impl Along {
    /// `count` values on at most `room` places, at most `most` for each.
    #[must_use]
    pub fn new(count: usize, room: usize, most: usize) -> Self {
        let size = (room / count.max(1)).min(most).max(1);
        Self { count, size, places: (count * size).min(room) }
    }

    /// The same values on places twice as large.
    #[must_use]
    pub const fn halved(&self) -> Self {
        let size = if self.size > 1 { self.size / 2 } else { 1 };
        Self { count: self.count, size, places: self.count * size }
    }

    /// Places that each value has.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Places in all.
    #[must_use]
    pub const fn places(&self) -> usize {
        self.places
    }

    /// Whether several values share a place.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.places < self.count
    }

    /// The values at a place.
    #[must_use]
    pub fn values(&self, place: usize) -> Range<usize> {
        if !self.is_shared() {
            let value = place / self.size;
            return value.min(self.count)..(value + 1).min(self.count);
        }
        let from = place * self.count / self.places;
        from..((place + 1) * self.count / self.places).max(from + 1).min(self.count)
    }

    /// The place at which a value begins.
    #[must_use]
    pub fn place(&self, value: usize) -> usize {
        if !self.is_shared() {
            return value * self.size;
        }
        let holds = |place: &usize| self.values(*place).contains(&value);
        (0..self.places).find(holds).unwrap_or(0)
    }
}

/// How the values of a matrix stand on screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The column and line of the screen where the values begin.
    pub origin: (u16, u16),
    /// Rows of values: places are lines, or halves of lines.
    pub rows: Along,
    /// Columns of values: places are columns of the screen.
    pub columns: Along,
    /// Whether places of rows are halves of lines.
    pub has_halves: bool,
}

impl Grid {
    /// Lines of the screen that the values take.
    #[must_use]
    pub const fn lines(&self) -> usize {
        if self.has_halves { self.rows.places().div_ceil(2) } else { self.rows.places() }
    }

    /// The part of the screen that the values take.
    #[must_use]
    pub const fn area(&self) -> Rect {
        Rect { x: self.origin.0, y: self.origin.1, width: self.columns.places() as u16, height: self.lines() as u16 }
    }

    /// The row and column of the value at a cell of the screen.
    #[must_use]
    pub fn value_at(&self, column: u16, line: u16) -> Option<(usize, usize)> {
        let column = usize::from(column.checked_sub(self.origin.0)?);
        let line = usize::from(line.checked_sub(self.origin.1)?);
        let row = if self.has_halves { 2 * line } else { line };
        if row >= self.rows.places() || column >= self.columns.places() {
            return None;
        }
        Some((self.rows.values(row).start, self.columns.values(column).start))
    }

    /// The part of the screen that a value has, in whole lines.
    #[must_use]
    pub fn place_of(&self, row: usize, column: usize) -> Rect {
        let (top, left) = (self.rows.place(row), self.columns.place(column));
        let last = top + self.rows.size() - 1;
        let (top, last) = if self.has_halves { (top / 2, last / 2) } else { (top, last) };
        Rect {
            x: self.origin.0 + left as u16,
            y: self.origin.1 + top as u16,
            width: self.columns.size() as u16,
            height: (last - top + 1) as u16,
        }
    }
}
