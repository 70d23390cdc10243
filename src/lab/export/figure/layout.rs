//! How a figure of curves stands on its sheet: title, plots side by side, axes, legend, remarks.

use super::curves::CurveFigure;
use super::free::free_place;
use super::legend::{self, EndLabel, LegendBlock, LegendEntry};
use super::look::{FigureLook, LegendPlace};
use super::marks::DARK;
use super::panel::{self, AxisLabels, PanelPlace};
use super::ruler::{Ruler, is_below};
use crate::lab::export::drawing::{Anchor, LINE, Sheet, SheetPlace, width, wrapped};
use crate::lab::{Axis, Rounding, Sample, Scale, Span};
use std::f64::consts::PI;

/// The height of a plot that stands alone, and of one of several, in its widths.
const SHAPES: (f64, f64) = (0.62, 0.74);
/// How far intervals reach beyond the points before they are cut, in heights of the points.
const REACH: f64 = 1.5;
/// A plot beside its legend is at least so wide, in sizes of the text.
const WIDE: f64 = 24.0;
/// The same where names stand at the ends of curves.
const NARROW: f64 = 16.0;
/// One of several plots is at least so wide.
const PANEL: f64 = 14.0;

/// Where the legend is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    Beside,
    Below,
    Inside,
    AtEnds,
    Nowhere,
}

/// The figure on a sheet.
pub fn sheet(figure: &CurveFigure, title: &str, remarks: &[String], look: &FigureLook) -> Sheet {
    let attempts = match look.legend {
        LegendPlace::Outside => [Attempt::Beside, Attempt::Below],
        LegendPlace::Inside => [Attempt::Inside, Attempt::Below],
        LegendPlace::Direct => [Attempt::AtEnds, Attempt::Below],
        LegendPlace::Nowhere => [Attempt::Nowhere; 2],
    };
    let plan = FigurePlan::new(figure, title, remarks, look);
    attempts.into_iter().find_map(|attempt| plan.sheet(attempt)).unwrap_or_default()
}

/// Words below a figure, in lines; returns where they end.
pub fn write_below(sheet: &mut Sheet, words: &[String], top: f64, em: f64) -> f64 {
    let (mut y, room) = (top, sheet.width - em);
    for line in words.iter().flat_map(|words| wrapped(words, em, room)) {
        sheet.text((0.5 * em, y + em), em, &line, Anchor::Start, DARK);
        y += LINE * em;
    }
    y
}

/// The title above a figure; returns where it ends.
pub fn write_title(sheet: &mut Sheet, title: &str, em: f64) -> f64 {
    let size = 1.1 * em;
    let mut y = 0.5 * em;
    for line in wrapped(title, size, sheet.width - em) {
        sheet.text((sheet.width / 2.0, y + size), size, &line, Anchor::Middle, DARK);
        y += LINE * size;
    }
    if title.is_empty() { y } else { y + 0.4 * em }
}

struct FigurePlan<'a> {
    figure: &'a CurveFigure,
    title: &'a str,
    remarks: Vec<String>,
    look: &'a FigureLook,
    entries: Vec<LegendEntry>,
    spans: (Span, Span),
    /// Whether there are points that an axis has no place for.
    strips: (bool, bool),
}

impl<'a> FigurePlan<'a> {
    fn new(figure: &'a CurveFigure, title: &'a str, remarks: &[String], look: &'a FigureLook) -> Self {
        let points = || figure.panels.iter().flat_map(|panel| &panel.curves).flat_map(|curve| &curve.points);
        let (x, y) = (figure.x.scale, figure.y.scale);
        let shown = |point: &&Sample| !point.x.is_nan() && !point.y.is_nan();
        let below = points().filter(shown).filter(|point| is_below(x, point.x) || is_below(y, point.y)).count();
        let strips = (points().any(|point| is_below(x, point.x)), points().any(|point| is_below(y, point.y)));
        let infinite = points().filter(shown).filter(|point| point.x.is_infinite() || point.y.is_infinite()).count();
        let mut told = Vec::new();
        if below > 0 {
            let strip = if below == 1 { "1 point ≤ 0 stands" } else { &format!("{below} points ≤ 0 stand") };
            told.push(format!("{strip} in the strip that is marked so."));
        }
        if infinite > 0 {
            let (noun, verb) = if infinite == 1 { ("point", "is") } else { ("points", "are") };
            told.push(format!("{infinite} infinite {noun} {verb} not drawn."));
        }
        told.extend(remarks.iter().cloned());
        Self { figure, title, remarks: told, look, entries: legend::entries(figure), spans: spans(figure), strips }
    }

    /// The figure with its legend in a place; none where it has no room there.
    fn sheet(&self, attempt: Attempt) -> Option<Sheet> {
        let em = self.look.font_size;
        let mut sheet = Sheet { width: self.look.width, ..Sheet::default() };
        let count = self.figure.panels.len();
        let legend_room = match attempt {
            Attempt::Beside | Attempt::AtEnds => (0.36 * sheet.width).min(16.0 * em),
            _ => sheet.width - em,
        };
        let has_legend = !self.entries.is_empty();
        let block = LegendBlock::new(&self.entries, legend_room, em, !matches!(attempt, Attempt::Below));
        let beside = match attempt {
            Attempt::Beside if has_legend => block.size().0 + 1.4 * em,
            Attempt::AtEnds if has_legend && count > 1 => return None,
            Attempt::AtEnds if has_legend => self.end_width(legend_room) + 2.3 * em,
            _ => 0.0,
        };
        let top = write_title(&mut sheet, self.title, em);

        // The numbers at the vertical axis decide how much is left for plots.
        let y_title = wrapped(&self.figure.y.title, em, 24.0 * em);
        let titles = y_title.len() as f64 * LINE * em;
        let y_room = 8;
        let numbers = self.number_width(y_room).max(if self.strips.1 { width("≤ 0", em) } else { 0.0 });
        let left = 0.4 * em + titles + 0.3 * em + numbers + 0.6 * em;
        let last = self.last_number();
        let room = sheet.width - left - beside - last.max(0.6 * em);
        let least = if attempt == Attempt::AtEnds { NARROW } else { WIDE };
        if beside > 0.0 && room < least * em {
            return None;
        }
        let gap = (1.3 * em).max(2.0 * last + 0.5 * em);
        let fit = (((room + gap) / (PANEL * em + gap)).floor() as usize).clamp(1, count.max(1));
        let rows = count.div_ceil(fit);
        let columns = count.div_ceil(rows);
        let panel_width = (room - gap * (columns as f64 - 1.0)) / columns as f64;
        let height = panel_width * if count == 1 { SHAPES.0 } else { SHAPES.1 };
        let height = height.max(9.0 * em);
        let heading = if count > 1 { 1.5 * em } else { 0.0 };
        let row_gap = 1.0 * em;
        let x_room = self.x_room(panel_width);

        let mut places = Vec::new();
        for (index, panel) in self.figure.panels.iter().enumerate() {
            let (row, column) = (index / columns, index % columns);
            let x = left + column as f64 * (panel_width + gap);
            let y = top + row as f64 * (heading + height + row_gap) + heading;
            let place = self.place((x, y), (panel_width, height));
            // The lowest plot of a column has its numbers.
            let is_lowest = index + columns >= count;
            let y_fit = y_room.min((height / (2.0 * em)) as usize).max(2);
            panel::axes(&mut sheet, &place, AxisLabels { x: is_lowest, y: column == 0, ticks: (x_room, y_fit) }, em);
            if count > 1 {
                sheet.text((x + panel_width / 2.0, y - 0.45 * em), em, &panel.title, Anchor::Middle, DARK);
            }
            panel::curves(&mut sheet, panel, &place, em);
            places.push(place);
        }
        let bottom = top + rows as f64 * (heading + height + row_gap) - row_gap;
        let middle = (top + heading + bottom) / 2.0;
        for (line, words) in y_title.iter().enumerate() {
            sheet.text_upwards((0.4 * em + (0.95 + line as f64 * LINE) * em, middle), em, words, Anchor::Middle, DARK);
        }
        let centre = left + room / 2.0;
        let mut y = bottom + 1.75 * em;
        for words in wrapped(&self.figure.x.title, em, room.max(12.0 * em)) {
            sheet.text((centre, y + em), em, &words, Anchor::Middle, DARK);
            y += LINE * em;
        }
        y += 0.4 * em;
        match attempt {
            _ if !has_legend => {}
            Attempt::Beside => {
                let first = places.first()?.corner.1;
                block.draw(&mut sheet, (left + room + 1.4 * em, first), false);
                y = y.max(first + block.size().1 + 0.4 * em);
            }
            Attempt::Below => {
                let (block_width, block_height) = block.size();
                let left = ((sheet.width - block_width) / 2.0).max(0.5 * em);
                block.draw(&mut sheet, (left, y + 0.2 * em), false);
                y += block_height + 0.6 * em;
            }
            Attempt::Inside => {
                let at = places.iter().rev().find_map(|place| free_place(&sheet, place, block.size(), em))?;
                block.draw(&mut sheet, at, true);
            }
            Attempt::AtEnds => {
                let (place, curves) = (places.first()?, &self.figure.panels.first()?.curves);
                let label = |entry: &LegendEntry| {
                    Some(EndLabel::new(entry, panel::end(&curves[entry.curve], place)?, legend_room, em))
                };
                let labels: Vec<EndLabel> = self.entries.iter().filter_map(label).collect();
                let (right, below) = place.opposite;
                if !legend::write_at_ends(
                    &mut sheet,
                    labels,
                    right + 0.7 * em,
                    (place.corner.1 - 0.5 * em, below + 0.5 * em),
                    em,
                ) {
                    return None;
                }
            }
            Attempt::Nowhere => {}
        }
        y = write_below(&mut sheet, &self.remarks, y, em);
        sheet.height = y + 0.4 * em;
        Some(sheet)
    }

    fn is_angle(&self) -> bool {
        measures_angles(&self.figure.x)
    }

    /// The axes of a plot with this corner and size.
    fn place(&self, (left, top): SheetPlace, (panel_width, height): (f64, f64)) -> PanelPlace {
        let strip = 2.2 * self.look.font_size;
        let (right, bottom) = (left + panel_width, top + height);
        let (from_x, strip_x) = if self.strips.0 { (left + strip, Some(left + strip / 2.0)) } else { (left, None) };
        let (from_y, strip_y) =
            if self.strips.1 { (bottom - strip, Some(bottom - strip / 2.0)) } else { (bottom, None) };
        PanelPlace {
            x: Ruler { span: self.spans.0, from: from_x, to: right, strip: strip_x, is_angle: self.is_angle() },
            y: Ruler { span: self.spans.1, from: from_y, to: top, strip: strip_y, is_angle: false },
            corner: (left, top),
            opposite: (right, bottom),
        }
    }

    /// How far the last number of the horizontal axis reaches beyond it.
    fn last_number(&self) -> f64 {
        let ruler = Ruler { span: self.spans.0, from: 0.0, to: 1.0, strip: None, is_angle: self.is_angle() };
        let last = (2..=10).filter_map(|room| ruler.ticks(room).pop());
        last.map(|(_, label)| width(&label, self.look.font_size) / 2.0).fold(0.0, f64::max)
    }

    fn number_width(&self, room: usize) -> f64 {
        let ruler = Ruler { span: self.spans.1, from: 0.0, to: 1.0, strip: None, is_angle: false };
        ruler.ticks(room).iter().map(|(_, label)| width(label, self.look.font_size)).fold(0.0, f64::max)
    }

    /// How many ticks have room at the horizontal axis.
    fn x_room(&self, panel_width: f64) -> usize {
        let em = self.look.font_size;
        let ruler = Ruler { span: self.spans.0, from: 0.0, to: panel_width, strip: None, is_angle: self.is_angle() };
        let fits = |room: &usize| {
            let ticks = ruler.ticks(*room);
            let apart = |pair: &[(f64, String)]| {
                pair[1].0 - pair[0].0 > (width(&pair[0].1, em) + width(&pair[1].1, em)) / 2.0 + 0.7 * em
            };
            ticks.windows(2).all(apart)
        };
        (2..=10).rev().find(fits).unwrap_or(2)
    }

    fn end_width(&self, room: f64) -> f64 {
        let em = self.look.font_size;
        let all = self.entries.iter().flat_map(|entry| wrapped(entry.label(), em, room));
        all.map(|line| width(&line, em)).fold(0.0, f64::max)
    }
}

/// Whether an axis measures angles from 0 to about π.
fn measures_angles(axis: &Axis) -> bool {
    axis.scale == Scale::Linear && axis.title.contains("radians")
}

/// The ranges of the axes.
fn spans(figure: &CurveFigure) -> (Span, Span) {
    let grow = |range: &mut Option<(f64, f64)>, value: f64| {
        *range = Some(range.map_or((value, value), |(lo, hi)| (lo.min(value), hi.max(value))));
    };
    let (mut x, mut middle, mut y) = (None, None, None);
    let (x_scale, y_scale) = (figure.x.scale, figure.y.scale);
    let curves = || figure.panels.iter().flat_map(|panel| &panel.curves);
    for point in curves().flat_map(|curve| &curve.points).filter(|point| point.y.is_finite() && point.x.is_finite()) {
        if x_scale.has_place(point.x) {
            grow(&mut x, point.x);
        }
        if y_scale.has_place(point.y) {
            grow(&mut middle, point.y);
            let ends = [Some(point.y), point.lo, point.hi].into_iter().flatten();
            ends.filter(|end| y_scale.has_place(*end)).for_each(|end| grow(&mut y, end));
        }
    }
    // A few wide intervals do not press the points together.
    if let (Some((low, high)), Some((lowest, highest))) = (middle, y) {
        y = Some(if y_scale == Scale::Log {
            let reach = (high / low).powf(REACH).max(10.0);
            (lowest.max(low / reach), highest.min(high * reach))
        } else {
            let reach = if high > low { REACH * (high - low) } else { f64::INFINITY };
            (lowest.max(low - reach), highest.min(high + reach))
        });
    }
    let fit = |data, axis: &Axis| Span::fit(data, axis.range, axis.scale, Rounding::Ticks);
    let mut spans = (fit(x, &figure.x), fit(y, &figure.y));
    if let (None, Some((lo, hi))) = (figure.x.range, x) {
        spans.0 = close(lo, hi, x_scale).unwrap_or(spans.0);
    }
    if measures_angles(&figure.x) && x.is_some_and(|(lo, hi)| lo >= 0.0 && hi <= PI * 1.001) {
        spans.0 = Span { lo: 0.0, hi: PI * 1.001, scale: Scale::Linear };
    }
    spans
}

/// A range with a little room at either end; none where it has no width.
fn close(lo: f64, hi: f64, scale: Scale) -> Option<Span> {
    let (low, high) = match scale {
        Scale::Log => ((hi / lo).powf(-0.03) * lo, (hi / lo).powf(0.03) * hi),
        Scale::Linear if lo >= 0.0 && lo <= hi / 3.0 => (0.0, hi + 0.02 * hi),
        Scale::Linear => (lo - 0.03 * (hi - lo), hi + 0.03 * (hi - lo)),
    };
    (hi - lo > 1e-9 * hi.abs().max(lo.abs()) && low < high).then_some(Span { lo: low, hi: high, scale })
}
