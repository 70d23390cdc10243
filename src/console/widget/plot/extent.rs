//! The ranges of curves: what the axes of a plot show.

use super::curve::DrawnCurve;
use crate::lab::{Sample, Scale};
use crate::statistics::quantile;

/// How far the range of y reaches beyond the points for the sake of intervals, in heights of the points.
const REACH: f64 = 1.5;

/// Points of which none is said to lie far from the others.
const FEW: usize = 20;
/// The part of the points at either end that says nothing about how far the others lie apart.
const TAIL: f64 = 0.01;
/// How much of the height the points between the tails must fill for every point to be shown.
const FILLED: f64 = 0.25;
/// The most points that are sorted where all of the axis is shown.
const SORTED: usize = 10_000;

/// The ranges of x and y of curves, and how many points have no place on the axes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extent {
    /// Range of x.
    pub x: Option<(f64, f64)>,
    /// Range of y with the intervals.
    pub y: Option<(f64, f64)>,
    /// Range of y of the points alone.
    pub middle: Option<(f64, f64)>,
    /// Points left out because they are ≤ 0 on a log axis.
    pub not_positive: usize,
    /// Points left out because they are infinite (NaN is a gap, not a point).
    pub infinite: usize,
    /// Points left out because they lie far from the others.
    pub outliers: usize,
}

impl Extent {
    /// The extent of curves, of the part of x between two values where one is given.
    #[must_use]
    pub fn of(curves: &[DrawnCurve<'_>], scales: (Scale, Scale), part: Option<(f64, f64)>) -> Self {
        let mut extent = Self::default();
        curves.iter().for_each(|curve| extent.add(curve.points, scales, part));
        extent
    }

    fn add(&mut self, points: &[Sample], (x_scale, y_scale): (Scale, Scale), part: Option<(f64, f64)>) {
        let grow = |range: &mut Option<(f64, f64)>, value: f64| {
            *range = Some(range.map_or((value, value), |(lo, hi)| (lo.min(value), hi.max(value))));
        };
        for point in points {
            if point.x.is_nan() || point.y.is_nan() || !is_in(part, point.x) {
                continue;
            }
            if point.x.is_infinite() || point.y.is_infinite() {
                self.infinite += 1;
                continue;
            }
            if !(x_scale.has_place(point.x) && y_scale.has_place(point.y)) {
                self.not_positive += 1;
                continue;
            }
            grow(&mut self.x, point.x);
            grow(&mut self.middle, point.y);
            for y in [Some(point.y), point.lo, point.hi].into_iter().flatten() {
                if y_scale.has_place(y) {
                    grow(&mut self.y, y);
                }
            }
        }
    }

    /// Cuts the range of y to where most points lie, if a few of many points take most of it. Counts what is cut off.
    pub fn cut_outliers(&mut self, curves: &[DrawnCurve<'_>], scales: (Scale, Scale), part: Option<(f64, f64)>) {
        let (Some(middle), Some(whole)) = (self.middle, self.y) else { return };
        let log = scales.1 == Scale::Log;
        let there = |y: f64| if log { y.ln() } else { y };
        let back = |y: f64| if log { y.exp() } else { y };
        let heights = |step: usize| {
            let points = curves.iter().flat_map(move |curve| curve.points.iter().step_by(step));
            let shown = points.filter(|point| is_in(part, point.x) && scales.0.has_place(point.x));
            shown.map(|point| point.y).filter(|y| scales.1.has_place(*y)).map(there)
        };
        // Of very many points every so many-th is looked at. Of a part there may be few, so it is looked through.
        let count: usize = curves.iter().map(|curve| curve.points.len()).sum();
        let step = if part.is_none() { count.div_ceil(SORTED).max(1) } else { 1 };
        let mut sorted: Vec<f64> = heights(step).collect();
        if sorted.len() < FEW {
            return;
        }
        sorted.sort_unstable_by(f64::total_cmp);
        let (low, high) = (quantile(&sorted, TAIL), quantile(&sorted, 1.0 - TAIL));
        let spread = high - low;
        if spread <= 0.0 || spread >= FILLED * (there(middle.1) - there(middle.0)) {
            return;
        }
        let (low, high) = (low - spread / 2.0, high + spread / 2.0);
        self.outliers = heights(1).filter(|height| *height < low || *height > high).count();
        let within = |(lo, hi): (f64, f64)| (lo.max(back(low)), hi.min(back(high)));
        (self.middle, self.y) = (Some(within(middle)), Some(within(whole)));
    }

    /// The range of y to show: intervals far wider than the points lie apart are cut, so that they do not flatten the
    /// curves.
    #[must_use]
    pub fn shown(&self, scale: Scale) -> Option<(f64, f64)> {
        let ((lo, hi), (first, last)) = (self.y?, self.middle?);
        let log = scale == Scale::Log;
        let there = |y: f64| if log { y.ln() } else { y };
        let back = |y: f64| if log { y.exp() } else { y };
        let reach = REACH * (there(last) - there(first));
        if reach <= 0.0 {
            return self.y;
        }
        Some((lo.max(back(there(first) - reach)), hi.min(back(there(last) + reach))))
    }
}

/// Whether a value lies in a part of an axis; everything lies in none.
fn is_in(part: Option<(f64, f64)>, value: f64) -> bool {
    part.is_none_or(|(lo, hi)| (lo..=hi).contains(&value))
}
