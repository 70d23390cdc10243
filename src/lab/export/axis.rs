//! An axis of a figure with the ticks that the screen has.

use crate::lab::Span;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// A [`Span`] as plotters wants it.
pub struct Measure {
    span: Span,
    ticks: Vec<(f64, String)>,
}

impl Measure {
    /// With at most `room` ticks.
    pub fn new(span: Span, room: usize) -> Self {
        Self { span, ticks: span.ticks(room) }
    }
}

impl Ranged for Measure {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        // What has no place is left out before; a bound is drawn at the edge.
        let place = self.span.place(*value).unwrap_or(0.0).clamp(-0.5, 1.5);
        limit.0 + (place * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(value, _)| *value).collect()
    }

    fn range(&self) -> Range<f64> {
        self.span.lo..self.span.hi
    }
}

impl ValueFormatter<f64> for Measure {
    fn format_ext(&self, value: &f64) -> String {
        let near = |tick: &&(f64, String)| (tick.0 - value).abs() <= 1e-9 * value.abs();
        self.ticks.iter().find(near).map_or_else(|| value.to_string(), |(_, label)| label.clone())
    }
}
