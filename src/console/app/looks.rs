//! How a person looks at figures.

use crate::lab::{Scale, Span};
use std::collections::BTreeMap;

/// How a figure is drawn for the person who looks at it. A scale that is not set follows from the declared one and the
/// points ([`super::Figure::scales`]).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Looks {
    /// The horizontal scale.
    pub x: Option<Scale>,
    /// The vertical scale.
    pub y: Option<Scale>,
    /// How much curves are smoothed: 0 is not at all.
    pub smoothing: f64,
    /// The part of the horizontal axis that is shown; everything where it is not set.
    pub range: Option<(f64, f64)>,
    /// Whether the few points are drawn too that lie far from the others.
    pub outliers: bool,
    /// The cell that is read out in matrices.
    pub cell: Option<CellCursor>,
}

/// A cell of one of several matrices side by side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CellCursor {
    /// Which matrix.
    pub matrix: usize,
    /// Its row.
    pub row: usize,
    /// Its column.
    pub column: usize,
}

/// How figures are looked at: each in its own way, and all along the same horizontal axis with one cursor.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    /// How each figure is drawn, by its name.
    pub(super) looks: BTreeMap<String, Looks>,
    /// The cursor of each horizontal axis, by the title of the axis.
    pub(super) cursors: BTreeMap<String, f64>,
    /// The chosen plot as last drawn: its number, and its horizontal axis.
    pub(super) drawn: Option<(usize, DrawnAxis)>,
}

/// A horizontal axis as it stands on screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrawnAxis {
    /// What is shown.
    pub shown: Span,
    /// What there is.
    pub whole: Span,
    /// Columns of the screen.
    pub columns: u16,
}

impl DrawnAxis {
    /// The range that shows `factor` of what is shown now, with the value `around` in its place; none for everything.
    #[must_use]
    pub fn scaled(&self, around: f64, factor: f64) -> Option<(f64, f64)> {
        let place = self.shown.place(around).filter(|place| (0.0..=1.0).contains(place)).unwrap_or(0.5);
        self.part(place - place * factor, place + (1.0 - place) * factor)
    }

    /// The range `by` of the shown width further on; none for everything.
    #[must_use]
    pub fn moved(&self, by: f64) -> Option<(f64, f64)> {
        let first = self.whole.place(self.shown.lo).zip(self.whole.place(self.shown.hi));
        let (lo, hi) = first.unwrap_or((0.0, 1.0));
        let by = (by * (hi - lo)).clamp(-lo.max(0.0), (1.0 - hi).max(0.0));
        let step = by / (hi - lo);
        self.part(step, 1.0 + step)
    }

    /// The range of what is shown between two fractions of it, within what there is; none where that is all of it.
    fn part(&self, lo: f64, hi: f64) -> Option<(f64, f64)> {
        let (lo, hi) = (self.shown.value(lo).max(self.whole.lo), self.shown.value(hi).min(self.whole.hi));
        let place = |value: f64, otherwise: f64| self.whole.place(value).unwrap_or(otherwise);
        if place(lo, 0.0) <= 1e-9 && place(hi, 1.0) >= 1.0 - 1e-9 {
            return None;
        }
        // Numbers that hardly differ have no ticks between them.
        let is_narrow = hi - lo <= 1e-9 * lo.abs().max(hi.abs());
        Some(if is_narrow { (self.shown.lo, self.shown.hi) } else { (lo, hi) })
    }
}

/// The steps of [`Looks::smoothing`].
pub const SMOOTHINGS: [f64; 4] = [0.0, 0.6, 0.9, 0.98];
