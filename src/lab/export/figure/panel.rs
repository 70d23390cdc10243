//! One plot on a sheet: its axes, its curves with intervals, the strips for what a logarithmic axis has no place for.

use super::curves::{FigureCurve, FigurePanel};
use super::legend::{line_width, marker_radius};
use super::marks::{DARK, FAINT};
use super::ruler::Ruler;
use crate::lab::export::drawing::{Anchor, Group, Sheet, SheetPlace, SheetShape, Stroke};
use crate::lab::{Sample, Style};

/// Up to so many points each has an interval as a bar; above, intervals are a band.
const APART: usize = 48;
/// Up to so many points of a line each has its marker; above, a few have one.
const MARKED: usize = 24;
/// Markers of a curve with more points.
const MARKERS: usize = 8;

/// A plot with the places of its axes.
#[derive(Clone, Copy, Debug)]
pub struct PanelPlace {
    /// The horizontal axis.
    pub x: Ruler,
    /// The vertical axis, from below.
    pub y: Ruler,
    /// The corner at the left and the top.
    pub corner: SheetPlace,
    /// The corner at the right and below, strips included.
    pub opposite: SheetPlace,
}

/// Which labels stand at the axes of a plot, and how many ticks have room.
#[derive(Clone, Copy, Debug)]
pub struct AxisLabels {
    /// At the horizontal axis.
    pub x: bool,
    /// At the vertical axis.
    pub y: bool,
    /// The most ticks of each.
    pub ticks: (usize, usize),
}

/// Draws the axes.
pub fn axes(sheet: &mut Sheet, place: &PanelPlace, labels: AxisLabels, em: f64) {
    let PanelPlace { x, y, corner: (left, top), opposite: (right, bottom) } = *place;
    let grid = Stroke { colour: FAINT, width: 0.5, dash: &[] };
    let line = Stroke { colour: DARK, width: 0.6, dash: &[] };
    let mark = 0.3 * em;
    let (x_ticks, y_ticks) = (x.ticks(labels.ticks.0), y.ticks(labels.ticks.1));
    for (at, _) in &x_ticks {
        sheet.line((*at, top), (*at, bottom), grid);
    }
    for (at, _) in &y_ticks {
        sheet.line((left, *at), (right, *at), grid);
    }
    if y.strip.is_some() {
        // Left of the axis of a strip nothing is drawn over its edge.
        sheet.rectangle((left, y.from), (right, bottom), Some([244, 244, 244]), None);
        sheet.line((left, y.from), (right, y.from), Stroke { dash: &[2.0, 1.6], ..line });
    }
    if x.strip.is_some() {
        sheet.rectangle((left, top), (x.from, bottom), Some([244, 244, 244]), None);
        sheet.line((x.from, top), (x.from, bottom), Stroke { dash: &[2.0, 1.6], ..line });
    }
    sheet.path(vec![(left, top), (left, bottom), (right, bottom)], line);
    let below = bottom + mark;
    for (at, words) in x_ticks.iter().chain(&x.strip.map(|at| (at, "≤ 0".to_owned()))) {
        sheet.line((*at, bottom), (*at, below), line);
        if labels.x {
            sheet.text((*at, below + 1.05 * em), em, words, Anchor::Middle, DARK);
        }
    }
    for (at, words) in y_ticks.iter().chain(&y.strip.map(|at| (at, "≤ 0".to_owned()))) {
        sheet.line((left - mark, *at), (left, *at), line);
        if labels.y {
            sheet.text((left - mark - 0.3 * em, at + 0.36 * em), em, words, Anchor::End, DARK);
        }
    }
}

/// Draws the curves.
pub fn curves(sheet: &mut Sheet, panel: &FigurePanel, place: &PanelPlace, em: f64) {
    sheet.shapes.push(SheetShape::Begin(Group::Data));
    for curve in &panel.curves {
        if !curve.is_part {
            intervals(sheet, curve, place, em);
        }
    }
    for curve in panel.curves.iter().filter(|curve| curve.mark.style != Style::Points) {
        let width = if curve.is_part { 0.4 } else { 1.0 } * line_width(em);
        for places in stretches(&curve.points, place) {
            sheet.path(places, curve.mark.line(width));
        }
    }
    let several = panel.curves.iter().filter(|curve| curve.mark.style == Style::Line).count() > 1;
    for curve in panel.curves.iter().filter(|curve| !curve.is_part) {
        markers(sheet, curve, place, several, em);
    }
    sheet.shapes.push(SheetShape::End);
}

/// The place of the last point of a curve.
pub fn end(curve: &FigureCurve, place: &PanelPlace) -> Option<SheetPlace> {
    curve.points.iter().rev().find_map(|point| Some((place.x.place(point.x)?, place.y.place(point.y)?)))
}

/// Points that are joined: neighbours that have a place on both axes.
fn stretches(points: &[Sample], place: &PanelPlace) -> Vec<Vec<SheetPlace>> {
    let at = |point: &Sample| Some((place.x.on_axis(point.x)?, place.y.on_axis(point.y)?));
    let parts = points.split(|point| at(point).is_none());
    parts.map(|part| part.iter().filter_map(at).collect::<Vec<_>>()).filter(|part| part.len() > 1).collect()
}

fn markers(sheet: &mut Sheet, curve: &FigureCurve, place: &PanelPlace, several: bool, em: f64) {
    let FigureCurve { mark, points, .. } = curve;
    let at = |point: &Sample| Some((place.x.place(point.x)?, place.y.place(point.y)?));
    let is_in_strip = |point: &Sample| place.x.on_axis(point.x).is_none() || place.y.on_axis(point.y).is_none();
    let sparse = points.len() <= MARKED || mark.style == Style::Points;
    // Markers of different curves are shifted against each other, so that close ones can still be told apart.
    let spacing = (points.len() / MARKERS).max(1);
    let shift = mark.symbol * spacing * 2 / 5 % spacing;
    for (index, point) in points.iter().enumerate() {
        let is_marked = match mark.style {
            Style::Dashed => is_in_strip(point) || points.len() == 1,
            _ => sparse || is_in_strip(point) || (several && index % spacing == shift),
        };
        if let Some(at) = at(point).filter(|_| is_marked) {
            mark.draw(sheet, at, marker_radius(em));
        }
    }
}

/// Intervals: bars where points stand apart, a band where they stand close and for means over runs. An end that lies beyond the
/// axis is an arrow.
fn intervals(sheet: &mut Sheet, curve: &FigureCurve, place: &PanelPlace, em: f64) {
    let ends = |point: &Sample| {
        let (x, _) = place.x.on_axis(point.x).zip(place.y.place(point.y))?;
        let (low, high) = (place.y.end(point.lo?), place.y.end(point.hi?));
        // An interval of no length, or one that lies beyond the axis as a whole, is not seen.
        ((low.0 - high.0).abs() > 0.02).then_some((x, low, high))
    };
    let colour = curve.mark.colour();
    let is_band = curve.mark.style != Style::Points && (curve.points.len() > APART || curve.is_mean);
    if is_band {
        for part in curve.points.split(|point| ends(point).is_none()) {
            let ends: Vec<_> = part.iter().filter_map(ends).collect();
            if ends.len() > 1 {
                let low = ends.iter().map(|(x, (low, _), _)| (*x, *low));
                let high = ends.iter().rev().map(|(x, _, (high, _))| (*x, *high));
                sheet.polygon(low.chain(high).collect(), Some((colour, 0.16)), None);
            }
        }
        return;
    }
    let stroke = Stroke { colour, width: 0.09 * em, dash: &[] };
    for (x, (low, is_below), (high, is_above)) in curve.points.iter().filter_map(ends) {
        sheet.line((x, low), (x, high), stroke);
        let head = 0.26 * em;
        if is_below {
            sheet.polygon(
                vec![(x, low), (x - head, low - 1.7 * head), (x + head, low - 1.7 * head)],
                Some((colour, 1.0)),
                None,
            );
        }
        if is_above {
            sheet.polygon(
                vec![(x, high), (x - head, high + 1.7 * head), (x + head, high + 1.7 * head)],
                Some((colour, 1.0)),
                None,
            );
        }
    }
}
