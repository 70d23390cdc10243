//! One series on a plot: where its points lie, smoothing, and drawing that costs little whatever the number of points.

use super::canvas::{Canvas, Pen};
use crate::console::theme::Theme;
use crate::lab::Span;
use crate::lab::{Sample, Scale, Style};
use ratatui::style::{Modifier, Style as Look};

/// A series to draw.
#[derive(Clone, Copy, Debug)]
pub struct DrawnCurve<'a> {
    /// Its name in the legend.
    pub label: &'a str,
    /// Its points, in order of x where it is a line.
    pub points: &'a [Sample],
    /// How it is drawn.
    pub style: Style,
    /// Number of its colour; none for the colour of what belongs to no series.
    pub ink: Option<usize>,
    /// Number of its marker.
    pub symbol: usize,
    /// How much it stands out. Curves that stand out more are drawn over the others.
    pub prominence: Prominence,
}

/// How much a curve stands out among others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prominence {
    /// A part of another curve: a single run beside the mean of its variant.
    Faint,
    /// Another curve is chosen.
    Dimmed,
    /// No curve is chosen.
    #[default]
    Plain,
    /// The chosen curve.
    Chosen,
}

/// Exponential moving average with the start corrected; in the logarithm where the axis is logarithmic, so that the
/// smooth curve runs through the middle of what is seen. Gaps stay gaps.
#[must_use]
pub fn smooth(points: &[Sample], factor: f64, scale: Scale) -> Vec<f64> {
    let (mut average, mut weight) = (0.0, 0.0);
    points
        .iter()
        .map(|point| {
            let value = if scale == Scale::Log { point.y.ln() } else { point.y };
            if !value.is_finite() {
                return f64::NAN;
            }
            average = factor * average + (1.0 - factor) * value;
            weight = factor * weight + (1.0 - factor);
            let smooth: f64 = average / weight;
            if scale == Scale::Log { smooth.exp() } else { smooth }
        })
        .collect()
}

/// The part of a line that falls into one column of dots.
struct DotColumn {
    x: i64,
    first: i64,
    last: i64,
    lowest: i64,
    highest: i64,
}

impl DrawnCurve<'_> {
    /// Its colour.
    pub(super) fn look(&self, theme: &Theme) -> Look {
        let look = self.ink.map_or_else(|| theme.dim(), |ink| theme.ink(ink));
        match self.prominence {
            Prominence::Faint | Prominence::Dimmed => look.add_modifier(Modifier::DIM),
            Prominence::Plain => look,
            Prominence::Chosen => look.add_modifier(Modifier::BOLD),
        }
    }

    /// Draws intervals: error bars where points stand apart, a band where they stand close.
    pub fn draw_intervals(&self, canvas: &mut Canvas, x: &Span, y: &Span, theme: &Theme) {
        let (width, height) = canvas.size();
        let reach = |point: &Sample| {
            let lo = point.lo.map(|lo| y.place(lo).unwrap_or(0.0));
            let hi = point.hi.and_then(|hi| y.place(hi));
            Some((x.place(point.x)?, y.place(point.y)?, lo?, hi?))
        };
        let dots = |canvas: &Canvas, (x, _, lo, hi): (f64, f64, f64, f64)| {
            let (column, from) = canvas.dot_at(x, lo);
            (column, from.max(-1), canvas.dot_at(x, hi).1.min(height as i64))
        };
        let apart = self.is_sparse(x, width) || self.style == Style::Points;
        let mut before: Option<(i64, i64, i64)> = None;
        for point in self.points {
            let Some(place) = reach(point) else {
                before = None;
                continue;
            };
            let (column, from, to) = dots(canvas, place);
            if apart {
                let mut pen = Pen::new(self.look(theme), '┊', None);
                canvas.line((column, from - 1), (column, to), &mut pen);
                continue;
            }
            let (last, last_from, last_to) = before.unwrap_or((column - 1, from, to));
            for step in (last + 1)..=column {
                let along = (step - last) as f64 / (column - last) as f64;
                let between = |a: i64, b: i64| a + ((b - a) as f64 * along).round() as i64;
                canvas.shade(step, between(last_from, from), between(last_to, to), self.look(theme));
            }
            before = Some((column, from, to));
        }
    }

    /// Draws the line or the points. With `smooth` values the line runs through those, and the points stay visible but
    /// faint.
    pub fn draw(&self, canvas: &mut Canvas, x: &Span, y: &Span, theme: &Theme, smooth: Option<&[f64]>) {
        let symbol = theme.symbol(self.symbol);
        let pen = |dash| Pen::new(self.look(theme), theme.either('•', symbol), dash);
        if let (Some(_), Style::Line) = (smooth, self.style) {
            let faint = Pen::new(theme.faint(), '·', None);
            for point in self.points {
                if let (Some(at), Some(high)) = (x.place(point.x), y.place(point.y)) {
                    canvas.dot(canvas.dot_at(at, high), &faint);
                }
            }
        }
        match self.style {
            Style::Points => {
                for point in self.points {
                    if let (Some(at), Some(high)) = (x.place(point.x), y.place(point.y)) {
                        canvas.dot(canvas.dot_at(at, high), &pen(None));
                    }
                }
            }
            Style::Dashed => self.draw_line(canvas, x, y, pen(Some((3, 3))), None),
            Style::Line => self.draw_line(canvas, x, y, pen(None), smooth),
        }
    }

    /// A polyline through the points; those that share a column of dots become one stroke from their lowest to their
    /// highest, so that no spike is lost and a million points cost no more strokes than the screen has columns.
    fn draw_line(&self, canvas: &mut Canvas, x: &Span, y: &Span, mut pen: Pen, smooth: Option<&[f64]>) {
        let mut column: Option<DotColumn> = None;
        let mut end: Option<(i64, i64)> = None;
        let mut flush = |canvas: &mut Canvas, column: Option<DotColumn>, end: &mut Option<(i64, i64)>| {
            let Some(column) = column else { return };
            match *end {
                Some(from) => canvas.line(from, (column.x, column.first), &mut pen),
                None => canvas.line((column.x - 1, column.first), (column.x, column.first), &mut pen),
            }
            if column.lowest < column.highest {
                let mut stroke = Pen::new(pen.style, pen.symbol, None);
                canvas.line((column.x, column.lowest - 1), (column.x, column.highest), &mut stroke);
            }
            *end = Some((column.x, column.last));
        };
        for (index, point) in self.points.iter().enumerate() {
            let value = smooth.map_or(point.y, |smooth| smooth[index]);
            let place = x.place(point.x).zip(y.place(value));
            let Some((at, high)) = place.filter(|_| !(point.y.is_nan())) else {
                flush(canvas, column.take(), &mut end);
                end = None;
                continue;
            };
            let (dot_x, dot_y) = canvas.dot_at(at, high);
            match &mut column {
                Some(column) if column.x == dot_x => {
                    column.last = dot_y;
                    column.lowest = column.lowest.min(dot_y);
                    column.highest = column.highest.max(dot_y);
                }
                _ => {
                    let begun = DotColumn { x: dot_x, first: dot_y, last: dot_y, lowest: dot_y, highest: dot_y };
                    flush(canvas, column.replace(begun), &mut end);
                }
            }
        }
        flush(canvas, column, &mut end);
    }

    /// Puts the series' marker on its points, or on a few of them where they stand close; always on the last.
    pub fn mark(&self, canvas: &mut Canvas, x: &Span, y: &Span, theme: &Theme, smooth: Option<&[f64]>) {
        if self.style == Style::Dashed && self.points.len() > 1 {
            return;
        }
        let columns = canvas.size().0.max(1);
        let cell = |canvas: &Canvas, index: usize| {
            let point = &self.points[index];
            let value = smooth.filter(|_| self.style == Style::Line).map_or(point.y, |smooth| smooth[index]);
            canvas.cell_of(canvas.dot_at(x.place(point.x)?, y.place(value)?))
        };
        let (symbol, style) = (theme.symbol(self.symbol), self.look(theme));
        let every_point = self.style == Style::Points || self.is_sparse(x, columns);
        // Markers of different series are shifted against each other, so that close curves can still be told apart.
        let (spacing, shift) = ((columns / 10).max(8), self.symbol * 5);
        let mut next = shift % spacing;
        for index in 0..self.points.len() {
            let Some(at) = cell(canvas, index) else { continue };
            if every_point || at.0 >= next {
                canvas.symbol(at, symbol, style);
                while next <= at.0 {
                    next += spacing;
                }
            }
        }
        if let Some(at) = (0..self.points.len()).rev().find_map(|index| cell(canvas, index)) {
            canvas.symbol(at, symbol, style);
        }
    }

    /// Whether the points within the axis stand apart on so many dots.
    fn is_sparse(&self, x: &Span, dots: usize) -> bool {
        let most = dots / 6;
        self.points.iter().filter(|point| is_within(x, point.x)).take(most + 1).count() <= most
    }

    /// The point within the axis whose x lies nearest to the value `at`, which has a place there.
    #[must_use]
    pub fn nearest(&self, x: &Span, at: f64) -> Option<&Sample> {
        let place = x.place(at)?;
        let distance = |point: &Sample| x.place(point.x).map(|other| (other - place).abs());
        let drawn = self.points.iter().filter(|point| point.y.is_finite() && is_within(x, point.x));
        drawn
            .filter_map(|point| distance(point).map(|distance| (distance, point)))
            .min_by(|one, other| one.0.total_cmp(&other.0))
            .map(|(_, point)| point)
    }
}

/// Whether a value lies within an axis.
pub(super) fn is_within(x: &Span, value: f64) -> bool {
    let slack = 1e-9 * (x.hi - x.lo);
    x.scale.has_place(value) && value >= x.lo - slack && value <= x.hi + slack
}
