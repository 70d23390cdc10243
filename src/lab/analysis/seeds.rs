//! Curves over seeds: what the finished runs of a variant have drawn, as one curve of means with intervals.

use super::mean::Mean;
use super::variant::{StudyRun, StudyVariant};
use crate::lab::{RunState, RunView, Sample, Series};

/// The mean of a series over the finished runs of a variant.
#[derive(Clone, Debug, PartialEq)]
pub struct MeanCurve {
    /// Index of the variant.
    pub variant: usize,
    /// The series, as the first of these runs has declared it.
    pub series: Series,
    /// Means with their 95 % intervals over the runs, where all of them have a value.
    pub points: Vec<Sample>,
}

/// The mean curves of every variant that has at least two finished runs, in the order in which these have declared their
/// series. A series whose x does not grow has no mean, because its points do not belong together.
#[must_use]
pub fn mean_curves(variants: &[StudyVariant], runs: &[StudyRun<'_>]) -> Vec<MeanCurve> {
    let mut curves = Vec::new();
    for (index, variant) in variants.iter().enumerate() {
        let views = variant.runs.iter().map(|run| runs[*run].view);
        let finished: Vec<_> = views.filter(|view| view.state == RunState::Finished).collect();
        let [first, _, ..] = finished.as_slice() else { continue };
        for drawn in first.series.iter().filter(|drawn| !drawn.series.plot.is_empty()) {
            let same = finished.iter().filter_map(|view| series(view, &drawn.series.id));
            let all: Vec<&[Sample]> = same.filter(|points| !points.is_empty()).collect();
            let plot = first.plots.iter().find(|plot| plot.id == drawn.series.plot);
            if let Some(points) = mean_of(&all, plot.and_then(|plot| plot.y.range)).filter(|_| all.len() > 1) {
                curves.push(MeanCurve { variant: index, series: drawn.series.clone(), points });
            }
        }
    }
    curves
}

/// The points of a series.
fn series<'a>(view: &'a RunView, id: &str) -> Option<&'a [Sample]> {
    view.series.iter().find(|other| other.series.id == id).map(|found| found.points.as_slice())
}

/// The mean of several curves at each x of the first that all of them reach, with straight lines between their points.
/// None where the x of a curve does not grow. Intervals of values that lie in the declared range of their axis stay in it.
fn mean_of(curves: &[&[Sample]], range: Option<(f64, f64)>) -> Option<Vec<Sample>> {
    let grows = |points: &&[Sample]| points.windows(2).all(|pair| pair[0].x <= pair[1].x);
    let (first, others) = curves.split_first().filter(|_| curves.iter().all(grows))?;
    let mut places = vec![0; others.len()];
    let mut numbers = Vec::with_capacity(curves.len());
    let mean = |sample: &Sample| {
        numbers.clear();
        numbers.push(sample.y);
        for (points, place) in others.iter().zip(&mut places) {
            numbers.push(between(points, place, sample.x)?);
        }
        if numbers.iter().any(|number| !number.is_finite()) {
            return Some(Sample { x: sample.x, y: f64::NAN, lo: None, hi: None });
        }
        let Mean { mean: y, interval } = Mean::within(&numbers, range)?;
        Some(Sample { x: sample.x, y, lo: interval.map(|ends| ends[0]), hi: interval.map(|ends| ends[1]) })
    };
    Some(first.iter().filter_map(mean).collect())
}

/// The value of a curve at `x`; none outside it. `place` is the first point that is not left of the last x asked for, and
/// x never becomes smaller.
fn between(points: &[Sample], place: &mut usize, x: f64) -> Option<f64> {
    while points.get(*place).is_some_and(|point| point.x < x) {
        *place += 1;
    }
    let right = points.get(*place)?;
    if right.x == x {
        // Points that share their x belong together in the order in which they came.
        *place += usize::from(points.get(*place + 1).is_some_and(|next| next.x == x));
        return Some(right.y);
    }
    let left = points.get(place.checked_sub(1)?)?;
    let along = (x - left.x) / (right.x - left.x);
    Some(left.y + along * (right.y - left.y))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)]) -> Vec<Sample> {
        points.iter().map(|(x, y)| Sample { x: *x, y: *y, lo: None, hi: None }).collect()
    }

    fn means(curves: &[&[(f64, f64)]]) -> Option<Vec<(f64, f64)>> {
        let curves: Vec<Vec<Sample>> = curves.iter().map(|points| curve(points)).collect();
        let curves: Vec<&[Sample]> = curves.iter().map(Vec::as_slice).collect();
        mean_of(&curves, None).map(|points| points.iter().map(|point| (point.x, point.y)).collect())
    }

    #[test]
    fn curves_with_the_same_x_have_their_means_there() {
        let found = means(&[&[(0.0, 1.0), (1.0, 3.0)], &[(0.0, 2.0), (1.0, 5.0)]]);
        assert_eq!(found.unwrap(), [(0.0, 1.5), (1.0, 4.0)]);
        let steps = means(&[&[(0.0, 1.0), (0.0, 3.0)], &[(0.0, 2.0), (0.0, 5.0)]]);
        assert_eq!(steps.unwrap(), [(0.0, 1.5), (0.0, 4.0)]);
    }

    #[test]
    fn other_points_are_joined_by_lines_and_ends_are_left_out() {
        let found = means(&[&[(0.0, 1.0), (1.0, 3.0), (4.0, 9.0)], &[(0.5, 2.0), (1.5, 4.0)]]);
        assert_eq!(found.unwrap(), [(1.0, 3.0)]);
    }

    #[test]
    fn what_does_not_belong_together_has_no_mean() {
        assert_eq!(means(&[&[(1.0, 1.0), (0.0, 3.0)], &[(0.0, 2.0), (1.0, 5.0)]]), None);
        let gap = means(&[&[(0.0, f64::NAN), (1.0, 3.0)], &[(0.0, 2.0), (1.0, 5.0)]]).unwrap();
        assert!(gap[0].1.is_nan() && gap[1] == (1.0, 4.0));
    }

    #[test]
    fn intervals_stay_where_their_values_can_be() {
        let of = |values: [f64; 3]| {
            let curves = values.map(|y| curve(&[(0.0, y)]));
            let curves: Vec<&[Sample]> = curves.iter().map(Vec::as_slice).collect();
            mean_of(&curves, Some((0.0, 1.0))).unwrap()[0]
        };
        let share = of([0.5, 0.9, 1.0]);
        assert!(share.lo.unwrap() > 0.0 && share.hi.unwrap() < 1.0, "{share:?}");
        assert!(of([0.5, 1.2, 2.0]).hi.unwrap() > 2.0, "the range is not the limit of such values");
    }

    #[test]
    fn the_interval_is_that_of_the_mean() {
        let curves = [curve(&[(0.0, 1.0)]), curve(&[(0.0, 2.0)]), curve(&[(0.0, 3.0)])];
        let found = mean_of(&curves.iter().map(Vec::as_slice).collect::<Vec<_>>(), None).unwrap();
        let [low, high] = Mean::of(&[1.0, 2.0, 3.0]).unwrap().interval.unwrap();
        assert_eq!((found[0].lo, found[0].hi), (Some(low), Some(high)));
    }
}
