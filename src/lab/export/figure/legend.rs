//! The legend: a key and a name for each curve.

use super::curves::{CurveFigure, FigureCurve};
use super::marks::{DARK, FAINT, Mark, WHITE};
use crate::lab::Style;
use crate::lab::export::drawing::{Anchor, Group, LINE, Sheet, SheetPlace, SheetShape, Stroke, width, wrapped};

/// The width of a key, in sizes of the text.
const KEY: f64 = 2.6;
/// The room between key and name.
const GAP: f64 = 0.5;

/// One entry.
#[derive(Clone, Debug)]
pub struct LegendEntry {
    label: String,
    mark: Mark,
    has_marker: bool,
    /// The place of the last point, of the first panel that has one.
    pub curve: usize,
}

/// A legend with its lines broken to a width.
pub struct LegendBlock {
    entries: Vec<(LegendEntry, Vec<String>)>,
    /// Its columns.
    columns: usize,
    column_width: f64,
    em: f64,
}

/// The entries of a figure: every name once.
pub fn entries(figure: &CurveFigure) -> Vec<LegendEntry> {
    let mut all: Vec<LegendEntry> = Vec::new();
    for panel in &figure.panels {
        for (curve, FigureCurve { label, mark, .. }) in panel.curves.iter().enumerate() {
            let known = all.iter().any(|entry| entry.label == *label && entry.mark == *mark);
            if !(known || label.is_empty() || panel.curves[curve].points.is_empty()) {
                let has_marker = mark.style != Style::Dashed;
                all.push(LegendEntry { label: label.clone(), mark: *mark, has_marker, curve });
            }
        }
    }
    all
}

impl LegendEntry {
    /// Its name.
    pub fn label(&self) -> &str {
        &self.label
    }
}

impl LegendBlock {
    /// `entries` in as many columns as have room, or in `one` column.
    pub fn new(entries: &[LegendEntry], room: f64, em: f64, one: bool) -> Self {
        let text = room - (KEY + GAP) * em;
        let broken: Vec<(LegendEntry, Vec<String>)> =
            entries.iter().map(|entry| (entry.clone(), wrapped(&entry.label, em, text))).collect();
        let widest = broken.iter().flat_map(|(_, lines)| lines).map(|line| width(line, em)).fold(0.0, f64::max);
        let column_width = (KEY + GAP) * em + widest;
        let space = 1.4 * em;
        let fit = (((room + space) / (column_width + space)).floor() as usize).max(1);
        let columns = if one { 1 } else { fit.min(broken.len().max(1)) };
        // As many rows as needed, and then no more columns than fill them.
        let columns = broken.len().div_ceil(broken.len().div_ceil(columns).max(1)).max(1);
        Self { entries: broken, columns, column_width, em }
    }

    /// Its size.
    pub fn size(&self) -> (f64, f64) {
        let columns = self.columns as f64;
        let width = columns * self.column_width + (columns - 1.0) * 1.4 * self.em;
        let height = (0..self.columns)
            .map(|column| self.column(column).map(|(_, lines)| self.height(lines)).sum())
            .fold(0.0, f64::max);
        (width, height)
    }

    /// The entries of a column, which are read downwards.
    fn column(&self, column: usize) -> impl Iterator<Item = &(LegendEntry, Vec<String>)> {
        let rows = self.entries.len().div_ceil(self.columns).max(1);
        self.entries.iter().skip(column * rows).take(rows)
    }

    fn height(&self, lines: &[String]) -> f64 {
        (lines.len().max(1) as f64 * LINE + 0.2) * self.em
    }

    /// Draws it with its upper left corner at a place.
    pub fn draw(&self, sheet: &mut Sheet, (left, top): SheetPlace, framed: bool) {
        let (width, height) = self.size();
        let margin = if framed { 0.4 * self.em } else { 0.0 };
        sheet.shapes.push(SheetShape::Begin(Group::Legend));
        let frame = Stroke { colour: FAINT, width: 0.6, dash: &[] };
        let corners = ((left - margin, top - margin), (left + width + margin, top + height + margin));
        sheet.rectangle(corners.0, corners.1, framed.then_some(WHITE), framed.then_some(frame));
        for column in 0..self.columns {
            let x = left + column as f64 * (self.column_width + 1.4 * self.em);
            let mut y = top;
            for (entry, lines) in self.column(column) {
                key(sheet, entry, (x, y + 0.72 * self.em), self.em);
                for (row, line) in lines.iter().enumerate() {
                    let base = y + (1.0 + row as f64 * LINE) * self.em;
                    sheet.text((x + (KEY + GAP) * self.em, base), self.em, line, Anchor::Start, DARK);
                }
                y += self.height(lines);
            }
        }
        sheet.shapes.push(SheetShape::End);
    }
}

/// Draws a curve's key from a place to the right.
fn key(sheet: &mut Sheet, entry: &LegendEntry, (x, y): SheetPlace, em: f64) {
    if entry.mark.style != Style::Points {
        sheet.line((x, y), (x + KEY * em, y), entry.mark.line(line_width(em)));
    }
    if entry.has_marker {
        entry.mark.draw(sheet, (x + KEY * em / 2.0, y), marker_radius(em));
    }
}

/// The width of the lines of curves.
pub fn line_width(em: f64) -> f64 {
    0.14 * em
}

/// The radius of markers.
pub fn marker_radius(em: f64) -> f64 {
    0.27 * em
}

/// A name at the end of its curve.
pub struct EndLabel {
    lines: Vec<String>,
    /// The end of the curve.
    end: SheetPlace,
    mark: Mark,
}

impl EndLabel {
    /// The label of an entry whose curve ends at `end`, in lines of at most `room`.
    pub fn new(entry: &LegendEntry, end: SheetPlace, room: f64, em: f64) -> Self {
        Self { lines: wrapped(&entry.label, em, room), end, mark: entry.mark }
    }
}

/// Writes names at the ends of curves, moved apart, right of `left` between `top` and `bottom`. Returns whether they have room.
pub fn write_at_ends(
    sheet: &mut Sheet,
    mut labels: Vec<EndLabel>,
    left: f64,
    (top, bottom): (f64, f64),
    em: f64,
) -> bool {
    labels.sort_by(|one, other| one.end.1.total_cmp(&other.end.1));
    let heights: Vec<f64> = labels.iter().map(|label| (label.lines.len().max(1) as f64 * LINE) * em).collect();
    if heights.iter().sum::<f64>() > bottom - top {
        return false;
    }
    let mut tops: Vec<f64> = labels.iter().zip(&heights).map(|(label, height)| label.end.1 - height / 2.0).collect();
    let mut free = top;
    for (at, height) in tops.iter_mut().zip(&heights) {
        *at = at.max(free);
        free = *at + height;
    }
    let mut free = bottom;
    for (at, height) in tops.iter_mut().zip(&heights).rev() {
        *at = at.min(free - height);
        free = *at;
    }
    sheet.shapes.push(SheetShape::Begin(Group::Legend));
    let widest = labels.iter().flat_map(|label| &label.lines).map(|line| width(line, em)).fold(0.0, f64::max);
    let first = (left, tops.first().copied().unwrap_or(top));
    let last = tops.last().zip(heights.last()).map_or(top, |(at, height)| at + height);
    sheet.rectangle(first, (left + 1.6 * em + widest, last), None, None);
    for ((label, at), height) in labels.iter().zip(&tops).zip(&heights) {
        let middle = at + height / 2.0;
        let stroke = Stroke { width: 0.08 * em, ..label.mark.line(1.0) };
        sheet.path(vec![(left, label.end.1), (left + 1.2 * em, middle)], stroke);
        for (row, line) in label.lines.iter().enumerate() {
            let base = at + (0.95 + row as f64 * LINE) * em;
            sheet.text((left + 1.5 * em, base), em, line, Anchor::Start, DARK);
        }
    }
    sheet.shapes.push(SheetShape::End);
    true
}
