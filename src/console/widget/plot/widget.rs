//! The plot as a widget: axes, ticks, curves and legend in their places.

use super::canvas::Canvas;
use super::curve::{DrawnCurve, Prominence, is_within, smooth};
use super::extent::Extent;
use super::legend::Legend;
use crate::console::theme::Theme;
use crate::console::widget::text as words;
use crate::lab::{Axis, CurveSummary, Rounding, Scale, Span, Style};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span as Text};
use ratatui::widgets::{Block, Widget};

/// A plot of several curves.
#[derive(Clone, Debug)]
pub struct PlotWidget<'a> {
    /// The heading.
    pub title: &'a str,
    /// The horizontal axis as declared.
    pub x: &'a Axis,
    /// The vertical axis as declared.
    pub y: &'a Axis,
    /// What is drawn, in the order of the legend. The last lies on top, and the chosen one above it.
    pub curves: &'a [DrawnCurve<'a>],
    /// The scales to use, which may differ from the declared ones.
    pub scales: (Scale, Scale),
    /// Factor of the exponential moving average; 0 for none.
    pub smoothing: f64,
    /// The number that stands for a curve in the legend while there is no cursor.
    pub summary: CurveSummary,
    /// The cursor as a value of the horizontal axis.
    pub cursor: Option<f64>,
    /// The part of the horizontal axis to show; everything without it.
    pub part: Option<(f64, f64)>,
    /// Whether the few points are shown too that lie far from the others.
    pub outliers: bool,
    /// Whether the legend stands below the curves however much room there is beside them.
    pub legend_below: bool,
    /// Whether its frame is lit.
    pub focused: bool,
    /// What stands in the middle while there is nothing to draw.
    pub hint: &'a str,
    /// How everything looks.
    pub theme: &'a Theme,
}

/// Where the parts of a plot stand.
struct Frame {
    /// The dots.
    canvas: Rect,
    /// Tick labels of the vertical axis, in rows of the canvas, and their width.
    y_ticks: Vec<(u16, String)>,
    /// Ticks of the horizontal axis.
    x_ticks: Vec<XTick>,
}

/// A tick of the horizontal axis.
struct XTick {
    /// Its column on screen.
    at: u16,
    /// Where its label begins: centred below it, or shifted inwards at the edges.
    start: u16,
    /// Its label.
    label: String,
}

/// Where the parts of a plot stand on screen, and its axis.
#[derive(Clone, Debug, PartialEq)]
pub struct PlotPlaces {
    /// The place of the curves.
    pub canvas: Rect,
    /// The shown part of the horizontal axis.
    pub shown: Span,
    /// All of the horizontal axis.
    pub whole: Span,
    /// The entries of the legend, with the numbers of the curves.
    pub legend: Vec<(Rect, usize)>,
}

/// The axes of a plot.
struct Axes {
    /// All of the horizontal axis.
    whole: Span,
    /// The shown part of it.
    x: Span,
    /// The vertical axis.
    y: Span,
}

impl PlotWidget<'_> {
    /// The axes, none where there is no point; and the range of what they show.
    fn axes(&self) -> (Option<Axes>, Extent) {
        let all = Extent::of(self.curves, self.scales, None);
        let whole = Span::fit(all.x, self.x.range, self.scales.0, Rounding::Growing);
        let is_usable = |(lo, hi): &(f64, f64)| lo < hi && self.scales.0.has_place(*lo) && hi.is_finite();
        let part = self.part.filter(is_usable);
        let x = part.map_or(whole, |(lo, hi)| Span { lo, hi, ..whole });
        // A part without points has the heights of the whole.
        let own = part.map(|part| Extent::of(self.curves, self.scales, Some(part)));
        let (mut extent, part) = match own {
            Some(own) if own.x.is_some() => (own, part),
            _ => (all, None),
        };
        if !self.outliers {
            extent.cut_outliers(self.curves, self.scales, part);
        }
        let known = self.y.range.filter(|_| part.is_none() && extent.outliers == 0);
        let y = Span::fit(extent.shown(self.scales.1), known, self.scales.1, Rounding::Ticks);
        (all.x.is_some().then_some(Axes { whole, x, y }), extent)
    }

    /// Places axes in `area`: vertical labels take what they need, horizontal ones thin out until none overlap.
    fn frame(&self, area: Rect, x: &Span, y: &Span) -> Frame {
        let rows = area.height.saturating_sub(2);
        let y_labels = y.ticks((usize::from(rows) / 2).clamp(2, 9));
        let gutter = y_labels.iter().map(|(_, label)| words::width(label)).max().unwrap_or(0) as u16 + 1;
        let gutter = if gutter + 8 > area.width { 0 } else { gutter };
        let canvas =
            Rect { x: area.x + gutter + 1, y: area.y, width: area.width.saturating_sub(gutter + 1), height: rows };
        let grid = Canvas::new(canvas.width.into(), canvas.height.into(), self.theme);
        let y_ticks = y_labels
            .into_iter()
            .filter_map(|(value, label)| {
                let (_, row) = grid.cell_of(grid.dot_at(0.0, y.place(value)?))?;
                Some((row as u16, label))
            })
            .collect();
        let mut x_ticks = Vec::new();
        for room in (1..=(usize::from(canvas.width) / 4).max(1)).rev() {
            x_ticks = x
                .ticks(room)
                .into_iter()
                .filter_map(|(value, label)| {
                    let (column, _) = grid.cell_of(grid.dot_at(x.place(value)?, 0.0))?;
                    let at = canvas.x + column as u16;
                    let width = words::width(&label) as u16;
                    let rightmost = area.right().saturating_sub(width).max(area.x);
                    Some(XTick { at, start: at.saturating_sub(width / 2).clamp(area.x, rightmost), label })
                })
                .collect();
            let end = |tick: &XTick| tick.start + words::width(&tick.label) as u16;
            if x_ticks.windows(2).all(|pair| end(&pair[0]) < pair[1].start) {
                break;
            }
        }
        Frame { canvas, y_ticks, x_ticks }
    }

    fn draw_axes(&self, area: Rect, frame: &Frame, buffer: &mut Buffer) {
        let theme = self.theme;
        let (dim, faint) = (theme.dim(), theme.faint());
        let canvas = frame.canvas;
        let left = canvas.x.saturating_sub(1);
        for row in 0..canvas.height {
            buffer.set_string(left, canvas.y + row, "│", faint);
        }
        for (row, label) in &frame.y_ticks {
            buffer.set_string(left, canvas.y + row, "┤", faint);
            if canvas.x > area.x + 1 {
                let width = words::width(label) as u16;
                buffer.set_string(left.saturating_sub(width), canvas.y + row, label, dim);
            }
        }
        let bottom = canvas.bottom();
        buffer.set_string(left, bottom, "└", faint);
        for column in 0..canvas.width {
            buffer.set_string(canvas.x + column, bottom, "─", faint);
        }
        for XTick { at, start, label } in &frame.x_ticks {
            buffer.set_string(*at, bottom, "┬", faint);
            buffer.set_stringn(*start, bottom + 1, label, usize::from(area.right().saturating_sub(*start)), dim);
        }
    }

    /// What was left out, in words; empty when everything is drawn.
    fn left_out(&self, extent: &Extent) -> String {
        let count = |number: usize, what: &str| {
            format!("{number} point{} {what} not shown", if number == 1 { "" } else { "s" })
        };
        let mut parts = Vec::new();
        if extent.not_positive > 0 {
            parts.push(count(extent.not_positive, "≤ 0"));
        }
        if extent.infinite > 0 {
            parts.push(count(extent.infinite, "infinite"));
        }
        if extent.outliers > 0 {
            parts.push(count(extent.outliers, "far off"));
        }
        parts.join(", ")
    }

    /// What the numbers of the legend are, in words; empty where every curve is one point, or the cursor says it.
    fn says_numbers(&self) -> String {
        // A staircase over points says nothing by its last one.
        let is_point = |curve: &DrawnCurve<'_>| curve.points.len() < 2 || curve.ink.is_none();
        if self.cursor.is_some() || self.curves.iter().all(is_point) {
            return String::new();
        }
        let last = |curve: &DrawnCurve<'_>| {
            let mut finite = curve.points.iter().rev().filter(|point| point.y.is_finite());
            finite.next().map(|point| point.x)
        };
        let mut ends = self.curves.iter().filter_map(last);
        match (self.summary, ends.next()) {
            (CurveSummary::Last, Some(first)) if ends.all(|end| end == first) => {
                format!(" legend: at {} ", words::short(first))
            }
            (summary, _) => format!(" legend: {} ", summary.word()),
        }
    }

    /// The frame of a plot of `width` columns, with what stands on it and room for what the cursor reads. What has no room there ends with an ellipsis.
    fn block(&self, extent: &Extent, width: u16, reading: &str) -> Block<'_> {
        let theme = self.theme;
        let room = usize::from(width).saturating_sub(2);
        let scale = |scale: Scale| if scale == Scale::Log { ", log" } else { "" };
        let heading = if self.focused { theme.accent() } else { theme.title() };
        // What the cursor reads stands at the right.
        let taken = if reading.is_empty() { 0 } else { words::width(reading) + 1 };
        let free = room.saturating_sub(taken);
        let title = fit_title(&format!(" {} ", self.title), free);
        let left = free - words::width(&title).min(free);
        let says_y = self.title.to_lowercase().starts_with(&self.y.title.to_lowercase());
        let y_title = match self.scales.1 {
            _ if !self.y.title.is_empty() && !says_y => format!("{}{} ", self.y.title, scale(self.scales.1)),
            Scale::Log => "log ".to_owned(),
            Scale::Linear => String::new(),
        };
        let title = [Text::styled(title, heading), Text::styled(fit_title(&y_title, left), theme.dim())];
        let left_out = match self.left_out(extent) {
            words if words.is_empty() => words,
            words => fit_title(&format!(" {words} "), room),
        };
        let left = room - words::width(&left_out).min(room);
        // Never in place of the title of the axis.
        let numbers = Some(self.says_numbers()).filter(|numbers| words::width(numbers) + 8 <= left).unwrap_or_default();
        let left = left - words::width(&numbers).min(left);
        let part = if self.part.is_some() { ", part" } else { "" };
        let x_title = fit_title(&format!(" {}{}{part} ", self.x.title, scale(self.scales.0)), left);
        let block = Block::bordered()
            .border_set(theme.border_set())
            .border_style(theme.border(self.focused))
            .title_top(Line::from_iter(title))
            .title_bottom(Line::styled(x_title, theme.dim()).right_aligned());
        let bottom = [Text::styled(left_out, theme.warn()), Text::styled(numbers, theme.dim())];
        if bottom.iter().all(|text| text.content.is_empty()) {
            block
        } else {
            block.title_bottom(Line::from_iter(bottom))
        }
    }
}

/// The words of a title in `room` columns, with the space at their end; nothing where hardly a word has room.
fn fit_title(title: &str, room: usize) -> String {
    match room {
        _ if words::width(title) <= room => title.to_owned(),
        ..8 => String::new(),
        _ => format!("{} ", words::fit(title.trim_end(), room - 1)),
    }
}

impl Widget for &PlotWidget<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        self.draw(area, buffer);
    }
}

impl PlotWidget<'_> {
    /// Draws the plot. Returns where its parts stand; nothing where there is no point or no room.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer) -> Option<PlotPlaces> {
        let area = area.intersection(buffer.area);
        if area.width < 12 || area.height < 5 {
            return None;
        }
        let theme = self.theme;
        let (axes, extent) = self.axes();
        let cursor = axes.as_ref().and_then(|Axes { x, .. }| {
            let at = self.cursor.filter(|at| is_within(x, *at))?;
            Some(self.snap(x, at))
        });
        let reading = cursor.map(|at| format!(" {} = {} ", short(&self.x.title), words::short(at)));
        let reading = reading.filter(|reading| words::width(reading) + 4 < usize::from(area.width)).unwrap_or_default();
        let block = self.block(&extent, area.width, &reading);
        let inner = block.inner(area);
        block.render(area, buffer);
        let Some(Axes { whole, x, y }) = axes else {
            let row = inner.y + inner.height / 2;
            let line = Line::styled(self.hint, theme.dim()).centered();
            line.render(Rect { y: row, height: 1, ..inner }, buffer);
            return None;
        };
        let legend = Legend::new(self.curves, &x, cursor, self.summary, theme);
        let (inner, legend) = legend.render(inner, self.legend_below, buffer);
        let frame = self.frame(inner, &x, &y);
        self.draw_axes(inner, &frame, buffer);
        self.draw_curves(&frame, (&x, &y), cursor, buffer);
        let width = words::width(&reading) as u16;
        buffer.set_string(area.right() - width - 2, area.y, reading, theme.warn());
        Some(PlotPlaces { canvas: frame.canvas, shown: x, whole, legend })
    }

    fn draw_curves(&self, frame: &Frame, (x, y): (&Span, &Span), cursor: Option<f64>, buffer: &mut Buffer) {
        let theme = self.theme;
        let mut canvas = Canvas::new(frame.canvas.width.into(), frame.canvas.height.into(), theme);
        let smoothed: Vec<Option<Vec<f64>>> = self
            .curves
            .iter()
            .map(|curve| {
                let wanted = self.smoothing > 0.0 && curve.style == Style::Line && curve.points.len() > 2;
                wanted.then(|| smooth(curve.points, self.smoothing, self.scales.1))
            })
            .collect();
        let mut drawn: Vec<(&DrawnCurve<'_>, Option<&[f64]>)> =
            self.curves.iter().zip(smoothed.iter().map(Option::as_deref)).collect();
        drawn.sort_by_key(|(curve, _)| curve.prominence);
        for (curve, _) in &drawn {
            curve.draw_intervals(&mut canvas, x, y, theme);
        }
        for (curve, smoothed) in &drawn {
            curve.draw(&mut canvas, x, y, theme, *smoothed);
        }
        for (curve, smoothed) in drawn.iter().filter(|(curve, _)| curve.prominence != Prominence::Faint) {
            curve.mark(&mut canvas, x, y, theme, *smoothed);
        }
        let place = cursor.and_then(|at| x.place(at));
        if let Some((column, _)) = place.and_then(|place| canvas.cell_of(canvas.dot_at(place, 0.0))) {
            for row in 0..usize::from(frame.canvas.height) {
                canvas.underlay((column, row), '┆', theme.warn());
            }
        }
        canvas.render(frame.canvas, buffer);
    }

    /// The x of the point of any curve that lies nearest to the value `at`.
    fn snap(&self, x: &Span, at: f64) -> f64 {
        let place = |value: f64| x.place(value).unwrap_or(0.0);
        self.curves
            .iter()
            .filter_map(|curve| Some(curve.nearest(x, at)?.x))
            .min_by(|one, other| (place(*one) - place(at)).abs().total_cmp(&(place(*other) - place(at)).abs()))
            .unwrap_or(at)
    }
}

/// The first words of an axis title, without its unit.
fn short(title: &str) -> &str {
    let end = title.find([',', '(']).unwrap_or(title.len());
    let title = title[..end].trim();
    if title.is_empty() { "x" } else { title }
}
