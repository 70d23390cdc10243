//! Where values stand on a sheet: an axis between two places, with a strip for what has no place on a logarithmic one.

use crate::lab::{Scale, Span};
use std::f64::consts::PI;

/// An axis on a sheet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ruler {
    /// What it shows.
    pub span: Span,
    /// The place of its beginning.
    pub from: f64,
    /// The place of its end.
    pub to: f64,
    /// The middle of the strip for values that are not positive.
    pub strip: Option<f64>,
    /// Whether it measures angles.
    pub is_angle: bool,
}

impl Ruler {
    /// The place of a value on the axis; none where it has none.
    pub fn on_axis(&self, value: f64) -> Option<f64> {
        let along = self.span.place(value).filter(|along| (-1e-9..=1.0 + 1e-9).contains(along))?;
        Some(self.from + along * (self.to - self.from))
    }

    /// The same, in the strip for a value that is not positive.
    pub fn place(&self, value: f64) -> Option<f64> {
        let in_strip = || self.strip.filter(|_| is_below(self.span.scale, value));
        self.on_axis(value).or_else(in_strip)
    }

    /// The place of an end of an interval, at the edge where it lies beyond, and whether it does.
    pub fn end(&self, value: f64) -> (f64, bool) {
        let along = self.span.place(value).unwrap_or(if value > 0.0 { 2.0 } else { -1.0 });
        let kept = along.clamp(0.0, 1.0);
        (self.from + kept * (self.to - self.from), (along - kept).abs() > 1e-9)
    }

    /// At most `room` ticks, with their places and labels.
    pub fn ticks(&self, room: usize) -> Vec<(f64, String)> {
        let all = if self.is_angle { angles(&self.span, room) } else { self.span.ticks(room) };
        all.into_iter().filter_map(|(value, label)| Some((self.on_axis(value)?, typeset(&label)))).collect()
    }
}

/// Whether a value has no place on an axis because it is not positive.
pub fn is_below(scale: Scale, value: f64) -> bool {
    scale == Scale::Log && value.is_finite() && value <= 0.0
}

/// Multiples of a part of π.
fn angles(span: &Span, room: usize) -> Vec<(f64, String)> {
    for parts in [8, 4, 2, 1] {
        let step = PI / f64::from(parts);
        let (first, last) = ((span.lo / step - 1e-6).ceil() as i32, (span.hi / step + 1e-6).floor() as i32);
        let all: Vec<(f64, String)> =
            (first..=last).map(|count| (f64::from(count) * step, multiple_of_pi(count, parts))).collect();
        if all.len() <= room.min(7) {
            return all;
        }
    }
    span.ticks(room)
}

/// `count`/`parts` of π.
fn multiple_of_pi(count: i32, parts: i32) -> String {
    let common = (1..=parts).rev().find(|by| count % by == 0 && parts % by == 0).unwrap_or(1);
    let (count, parts) = (count / common, parts / common);
    let above = match count {
        0 => return "0".to_owned(),
        1 => "π".to_owned(),
        -1 => "−π".to_owned(),
        _ => format!("{count}π"),
    };
    if parts == 1 { above } else { format!("{above}/{parts}") }
}

/// A number of an axis as it is printed: `10⁻⁴` for `1e-4`.
pub fn typeset(label: &str) -> String {
    let Some((digits, power)) = label.split_once('e') else { return label.replace('-', "−") };
    let raised: String = power
        .chars()
        .filter_map(|c| match c {
            '-' => Some('⁻'),
            '1' => Some('¹'),
            '2' => Some('²'),
            '3' => Some('³'),
            _ => char::from_u32(u32::from('⁰') + c.to_digit(10)?),
        })
        .collect();
    let front = if digits == "1" { String::new() } else { format!("{}·", digits.replace('-', "−")) };
    format!("{front}10{raised}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_in_books() {
        for (label, printed) in
            [("1e-4", "10⁻⁴"), ("5e-6", "5·10⁻⁶"), ("0.01", "0.01"), ("-0.5", "−0.5"), ("2e10", "2·10¹⁰")]
        {
            assert_eq!(typeset(label), printed);
        }
    }

    #[test]
    fn angles_are_multiples_of_pi() {
        let span = Span { lo: 0.0, hi: PI, scale: Scale::Linear };
        let words = |room| angles(&span, room).into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" ");
        assert_eq!(words(9), "0 π/4 π/2 3π/4 π");
        assert_eq!(words(3), "0 π/2 π");
    }

    #[test]
    fn what_is_not_positive_stands_in_the_strip_and_ends_beyond_are_told() {
        let span = Span { lo: 0.01, hi: 1.0, scale: Scale::Log };
        let ruler = Ruler { span, from: 100.0, to: 0.0, strip: Some(110.0), is_angle: false };
        assert_eq!(
            (ruler.place(0.1).map(f64::round), ruler.place(0.0), ruler.place(f64::NAN)),
            (Some(50.0), Some(110.0), None)
        );
        assert_eq!((ruler.end(-1.0), ruler.end(1e-9), ruler.end(5.0)), ((100.0, true), (100.0, true), (0.0, true)));
        assert!(!ruler.end(0.1).1);
    }
}
