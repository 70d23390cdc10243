//! The range of an axis, its ticks and their labels.

use crate::lab::Scale;

/// An axis's range and scale: maps values to fractions 0..1 of the axis and back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The value at the axis's beginning; positive on a log axis.
    pub lo: f64,
    /// The value at the axis's end, above `lo`.
    pub hi: f64,
    /// How values map to places.
    pub scale: Scale,
}

/// Which way an axis's range is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Both ends to a tick: for heights.
    Ticks,
    /// The upper end to the next 1, 2 or 5 times a power of ten, so that a growing axis changes rarely (every change
    /// redraws the whole curve over the line to the user).
    Growing,
}

impl Span {
    /// The range that holds `data` (smallest, largest) and `known`, a range told in advance; with neither, 0..1.
    #[must_use]
    pub fn fit(data: Option<(f64, f64)>, known: Option<(f64, f64)>, scale: Scale, rounding: Rounding) -> Self {
        let usable = |(lo, hi): (f64, f64)| lo.is_finite() && hi.is_finite() && (scale == Scale::Linear || lo > 0.0);
        let known = known.filter(|range| range.0 < range.1).filter(|range| usable(*range));
        let data = data.filter(|range| usable(*range));
        match (data, known) {
            (None, None) if scale == Scale::Log => Self { lo: 0.1, hi: 10.0, scale },
            (None, None) => Self { lo: 0.0, hi: 1.0, scale },
            (None, Some((lo, hi))) => Self { lo, hi, scale },
            (Some((lo, hi)), Some(range)) if range.0 <= lo && hi <= range.1 => Self { lo: range.0, hi: range.1, scale },
            (Some((lo, hi)), Some(range)) => Self::rounded(lo.min(range.0), hi.max(range.1), scale, rounding),
            (Some((lo, hi)), None) => Self::rounded(lo, hi, scale, rounding),
        }
    }

    fn rounded(lo: f64, hi: f64, scale: Scale, rounding: Rounding) -> Self {
        if scale == Scale::Log {
            let (lo, hi) = (floor_125(lo), ceil_125(hi));
            return if lo < hi { Self { lo, hi, scale } } else { Self { lo: lo / 2.0, hi: hi * 2.0, scale } };
        }
        let (lo, hi) = if hi - lo > 1e-12 * hi.abs().max(lo.abs()) {
            (lo, hi)
        } else if lo == 0.0 {
            (0.0, 1.0)
        } else {
            (lo - lo.abs() * 0.1, hi + hi.abs() * 0.1)
        };
        if rounding == Rounding::Growing && lo >= 0.0 && lo <= hi / 2.0 {
            return Self { lo: 0.0, hi: ceil_125(hi), scale };
        }
        let step = ceil_125((hi - lo) / 5.0);
        Self { lo: (lo / step + 1e-9).floor() * step, hi: (hi / step - 1e-9).ceil() * step, scale }
    }

    /// The place of `value` as a fraction of the axis; none where it has no place (not finite, or ≤ 0 on a log axis).
    #[must_use]
    pub fn place(&self, value: f64) -> Option<f64> {
        let (lo, hi, value) = match self.scale {
            Scale::Linear => (self.lo, self.hi, value),
            Scale::Log if value > 0.0 => (self.lo.ln(), self.hi.ln(), value.ln()),
            Scale::Log => return None,
        };
        value.is_finite().then(|| (value - lo) / (hi - lo))
    }

    /// The value at a fraction of the axis.
    #[must_use]
    pub fn value(&self, fraction: f64) -> f64 {
        match self.scale {
            Scale::Linear => self.lo + (self.hi - self.lo) * fraction,
            Scale::Log => (self.lo.ln() + (self.hi.ln() - self.lo.ln()) * fraction).exp(),
        }
    }

    /// At most `room` round values within the range, in order, with their labels.
    #[must_use]
    pub fn ticks(&self, room: usize) -> Vec<(f64, String)> {
        if room == 0 {
            return Vec::new();
        }
        match self.scale {
            Scale::Linear => self.linear_ticks(room),
            Scale::Log => self.log_ticks(room),
        }
    }

    fn linear_ticks(&self, room: usize) -> Vec<(f64, String)> {
        let mut step = ceil_125((self.hi - self.lo) / room as f64);
        loop {
            let first = (self.lo / step - 1e-9).ceil();
            let last = (self.hi / step + 1e-9).floor();
            if !(first.is_finite() && last.is_finite()) {
                return Vec::new();
            }
            let count = (last - first + 1.0).max(0.0) as usize;
            if count <= room {
                let values: Vec<f64> = (0..count).map(|index| (first + index as f64) * step).collect();
                let labels = tick_labels(&values, step);
                return values.into_iter().zip(labels).collect();
            }
            step = ceil_125(step * 1.5);
        }
    }

    fn log_ticks(&self, room: usize) -> Vec<(f64, String)> {
        let within = |value: f64| value >= self.lo * (1.0 - 1e-9) && value <= self.hi * (1.0 + 1e-9);
        let (from, to) = (self.lo.log10().floor() as i32, self.hi.log10().ceil() as i32);
        for digits in [&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0][..], &[1.0, 2.0, 5.0], &[1.0]] {
            let ticks: Vec<_> = (from..=to)
                .flat_map(|power| digits.iter().map(move |digit| (*digit, power)))
                .map(|(digit, power)| (power_of_ten(digit, power), log_label(digit, power)))
                .filter(|(value, _)| within(*value))
                .collect();
            if ticks.len() <= room && ticks.len() >= 2 {
                return ticks;
            }
        }
        let decades: Vec<i32> = (from..=to).filter(|power| within(power_of_ten(1.0, *power))).collect();
        if decades.len() < 2 {
            // Less than a decade: round values at equal steps say more.
            let ticks = Self { scale: Scale::Linear, ..*self }.linear_ticks(room);
            return ticks.into_iter().filter(|(value, _)| *value > 0.0).collect();
        }
        let every = decades.len().div_ceil(room) as i32;
        let kept = decades.into_iter().filter(|power| power.rem_euclid(every) == 0);
        kept.map(|power| (power_of_ten(1.0, power), log_label(1.0, power))).collect()
    }
}

/// `digit`·10^`power`, exactly the float that is written so.
fn power_of_ten(digit: f64, power: i32) -> f64 {
    format!("{digit}e{power}").parse().unwrap_or(f64::NAN)
}

fn log_label(digit: f64, power: i32) -> String {
    match power {
        0..=3 => format!("{}", digit * 10_f64.powi(power)),
        -3..=-1 => format!("{:.*}", power.unsigned_abs() as usize, power_of_ten(digit, power)),
        _ => format!("{digit}e{power}"),
    }
}

/// Labels of equally spaced ticks: as many digits as the step needs, and the same for all.
fn tick_labels(values: &[f64], step: f64) -> Vec<String> {
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let decimals = |step: f64| (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
    let (unit, suffix) = match largest {
        1e4..1e6 => (1e3, "k"),
        1e6..1e9 => (1e6, "M"),
        1e9..1e12 => (1e9, "G"),
        _ => (1.0, ""),
    };
    let scientific = largest >= 1e12 || (largest > 0.0 && largest < 1e-3);
    let label = |value: f64| {
        if value.abs() < step * 1e-6 {
            "0".to_owned()
        } else if scientific {
            let relative = (largest / step).log10().ceil().max(0.0) as usize;
            let text = format!("{value:.*e}", relative.min(6));
            match text.split_once('e') {
                Some((digits, power)) if digits.contains('.') => {
                    format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'))
                }
                _ => text,
            }
        } else {
            format!("{:.*}{suffix}", decimals(step / unit), value / unit)
        }
    };
    values.iter().map(|value| label(*value)).collect()
}

/// The smallest 1, 2 or 5 times a power of ten that is at least `value` (> 0).
fn ceil_125(value: f64) -> f64 {
    round_125(value, true)
}

/// The largest 1, 2 or 5 times a power of ten that is at most `value` (> 0).
fn floor_125(value: f64) -> f64 {
    round_125(value, false)
}

fn round_125(value: f64, up: bool) -> f64 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    let power = value.log10().floor() as i32;
    let mut steps = (power - 1..=power + 1).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| power_of_ten(digit, power)));
    if up {
        steps.find(|step| *step >= value * (1.0 - 1e-12)).unwrap_or(value)
    } else {
        steps.take_while(|step| *step <= value * (1.0 + 1e-12)).last().unwrap_or(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(span: Span, room: usize) -> String {
        span.ticks(room).into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" ")
    }

    fn linear(lo: f64, hi: f64) -> Span {
        Span { lo, hi, scale: Scale::Linear }
    }

    fn log(lo: f64, hi: f64) -> Span {
        Span { lo, hi, scale: Scale::Log }
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(labels(linear(0.0, 1.0), 6), "0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(labels(linear(0.0, 20_000.0), 5), "0 5k 10k 15k 20k");
        assert_eq!(labels(linear(-0.3, 0.3), 7), "-0.3 -0.2 -0.1 0 0.1 0.2 0.3");
        assert_eq!(labels(linear(0.0, 2e-5), 5), "0 5e-6 1e-5 1.5e-5 2e-5");
        assert_eq!(labels(linear(0.0, 2.5), 3), "0 1 2");
        assert_eq!(labels(linear(0.0, 1.0), 1), "0");
    }

    #[test]
    fn log_ticks_are_decades_with_in_betweens_where_there_is_room() {
        assert_eq!(labels(log(1e-4, 10.0), 6), "1e-4 0.001 0.01 0.1 1 10");
        assert_eq!(labels(log(1e-4, 10.0), 3), "1e-4 0.01 1");
        assert_eq!(labels(log(10.0, 2000.0), 9), "10 20 50 100 200 500 1000 2000");
        assert_eq!(labels(log(10.0, 2000.0), 4), "10 100 1000");
        assert_eq!(labels(log(0.5, 0.9), 5), "0.5 0.6 0.7 0.8 0.9");
        assert_eq!(labels(log(0.42, 0.47), 6), "0.42 0.43 0.44 0.45 0.46 0.47");
    }

    #[test]
    fn ranges_hold_the_data_and_change_rarely() {
        let growing = |hi| Span::fit(Some((1.0, hi)), None, Scale::Linear, Rounding::Growing);
        assert_eq!(growing(137.0), linear(0.0, 200.0));
        assert_eq!(growing(200.0), linear(0.0, 200.0));
        assert_eq!(growing(201.0), linear(0.0, 500.0));
        let height = |lo, hi| Span::fit(Some((lo, hi)), None, Scale::Linear, Rounding::Ticks);
        assert_eq!(height(0.05, 2.3), linear(0.0, 2.5));
        assert_eq!(height(3.0, 3.0).place(3.0).map(|place| (place * 1e6).round()), Some(5e5));
        assert_eq!(
            Span::fit(Some((0.2, 0.9)), Some((0.0, 1.0)), Scale::Linear, Rounding::Ticks),
            linear(0.0, 1.0),
            "a range told in advance is kept"
        );
        assert_eq!(Span::fit(Some((0.013, 0.9)), None, Scale::Log, Rounding::Ticks), log(0.01, 1.0));
        assert_eq!(Span::fit(Some((1.0, 1.0)), None, Scale::Log, Rounding::Ticks), log(0.5, 2.0));
    }

    #[test]
    fn places_and_values_agree() {
        let span = log(0.01, 100.0);
        assert!((span.place(1.0).unwrap() - 0.5).abs() < 1e-12);
        assert!((span.value(0.75) - 10.0).abs() < 1e-9);
        assert_eq!(span.place(0.0), None);
        assert_eq!(span.place(f64::NAN), None);
        assert_eq!(linear(0.0, 1.0).place(f64::INFINITY), None);
    }

    #[test]
    fn any_range_ends() {
        for (lo, hi) in [(0.0, f64::MAX), (-1e308, 1e308), (1e-320, 1e-300), (1.0, 1.0 + 1e-15)] {
            for scale in [Scale::Linear, Scale::Log] {
                let span = Span::fit(Some((lo, hi)), None, scale, Rounding::Ticks);
                assert!(span.ticks(7).len() <= 7);
            }
        }
    }
}
