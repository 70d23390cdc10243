//! Means over a few runs, their intervals and tests.

use super::show::decimal;
use crate::statistics::{mean_and_error, mean_and_interval};
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// From so many runs on there is an interval or a test: two say next to nothing about their spread.
pub const LEAST: usize = 3;

/// The mean of a number over runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// The ends of its 95 % confidence interval by Student's t; none from fewer than [`LEAST`] runs.
    pub interval: Option<[f64; 2]>,
}

impl Mean {
    /// The mean of some numbers with its interval; none where there is no number.
    #[must_use]
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let (mean, half) = mean_and_half(numbers)?;
        Some(Self { mean, interval: half.map(|half| [mean - half, mean + half]) })
    }

    /// The same for numbers that lie in `range`, as shares lie in 0 to 1: the interval is that of the logit of the mean
    /// (by the delta method), so that it never leaves the range. Without a range, or with a number outside of it, as
    /// [`Mean::of`].
    #[must_use]
    pub fn within(numbers: &[f64], range: Option<(f64, f64)>) -> Option<Self> {
        let (mean, half) = mean_and_half(numbers)?;
        let Some((low, high)) = range.filter(|(low, high)| numbers.iter().all(|number| (low..=high).contains(&number)))
        else {
            return Self::of(numbers);
        };
        let (below, above) = (mean - low, high - mean);
        // At an end of the range every number is the same.
        let end = |half: f64| {
            if below <= 0.0 || above <= 0.0 {
                return mean;
            }
            let logit = (below / above).ln() + half * (high - low) / (below * above);
            low + (high - low) / (1.0 + (-logit).exp())
        };
        Some(Self { mean, interval: half.map(|half| [end(-half), end(half)]) })
    }

    /// The same with the interval cut at ±`most`, as the difference of two shares is never beyond 1.
    #[must_use]
    pub fn cut(self, most: f64) -> Self {
        Self { interval: self.interval.map(|ends| ends.map(|end| end.clamp(-most, most))), ..self }
    }

    /// The mean with half of its interval, or with both ends of one that is not symmetric at these digits.
    #[must_use]
    pub fn show(&self, digits: usize) -> String {
        let mean = decimal(self.mean, digits);
        let Some([low, high]) = self.interval else { return mean };
        let halves = [self.mean - low, high - self.mean].map(|half| decimal(half, digits));
        if halves[0] == halves[1] {
            format!("{mean} ± {}", halves[0])
        } else {
            format!("{mean} ({} to {})", decimal(low, digits), decimal(high, digits))
        }
    }
}

/// The mean and half the width of its 95 % interval, from [`LEAST`] numbers on.
fn mean_and_half(numbers: &[f64]) -> Option<(f64, Option<f64>)> {
    let (mean, half) = mean_and_interval(numbers.iter().copied())?;
    Some((mean, half.filter(|_| numbers.len() >= LEAST)))
}

/// The two-sided p of the t test that the mean of `differences` is 0; none of fewer than [`LEAST`], and none where it is
/// not a number, as for differences that are all 0.
#[must_use]
pub fn p_of_mean(differences: &[f64]) -> Option<f64> {
    let (mean, error) = mean_and_error(differences.iter().copied())?;
    two_sided(mean / error?, differences.len())
}

/// The probability of a t at least as large in size.
fn two_sided(t: f64, count: usize) -> Option<f64> {
    if t.is_nan() || count < LEAST {
        return None;
    }
    let student = StudentsT::new(0.0, 1.0, count.checked_sub(1)? as f64).ok()?;
    Some(2.0 * student.sf(t.abs())).filter(|p| p.is_finite())
}

/// The p values corrected for each other, so that the chance of even one false finding among them stays below the level
/// at which they are read (Holm 1979): the smallest times the number of tests, the next times one less, never falling.
#[must_use]
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p.iter().enumerate().filter_map(|(place, p)| Some((place, (*p)?))).collect();
    order.sort_by(|one, other| one.1.total_cmp(&other.1));
    let (count, mut largest) = (order.len(), 0.0_f64);
    let mut corrected = vec![None; p.len()];
    for (rank, (place, p)) in order.into_iter().enumerate() {
        largest = largest.max(p * (count - rank) as f64).min(1.0);
        corrected[place] = Some(largest);
    }
    corrected
}

/// The place of the best of several numbers, the first of equal ones; none where fewer than two are there.
#[must_use]
pub fn best(numbers: &[Option<f64>], prefers_large: bool) -> Option<usize> {
    let there = || numbers.iter().enumerate().filter_map(|(place, number)| Some((place, (*number)?)));
    let by = |a: &(usize, f64), b: &(usize, f64)| {
        if prefers_large { b.1.total_cmp(&a.1) } else { a.1.total_cmp(&b.1) }
    };
    there().min_by(by).map(|(place, _)| place).filter(|_| there().count() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_and_tests_have_their_known_values() {
        // t(2) = 4.302653, standard error 1/√3.
        let half = 4.302_652_7 / 3.0_f64.sqrt();
        let found = Mean::of(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(found.mean, 2.0);
        let [low, high] = found.interval.unwrap();
        assert!((low - 2.0 + half).abs() < 1e-6 && (high - 2.0 - half).abs() < 1e-6, "{found:?}");
        assert_eq!(Mean::of(&[5.0]), Some(Mean { mean: 5.0, interval: None }));
        assert_eq!(Mean::of(&[1.0, 2.0]), Some(Mean { mean: 1.5, interval: None }));
        assert_eq!(Mean::of(&[]), None);
        // The 97.5 % quantile with 4 degrees of freedom is 2.776445.
        assert!((two_sided(2.776_445_1, 5).unwrap() - 0.05).abs() < 1e-7);
        assert!((two_sided(-2.776_445_1, 5).unwrap() - 0.05).abs() < 1e-7);
        assert_eq!((two_sided(1.0, 1), two_sided(1.0, 2)), (None, None));
        assert_eq!((two_sided(f64::NAN, 3), p_of_mean(&[0.0; 5])), (None, None));
    }

    #[test]
    fn the_interval_of_a_share_is_a_share() {
        let of = |numbers: &[f64]| Mean::within(numbers, Some((0.0, 1.0))).unwrap();
        let [low, high] = of(&[0.99, 0.999, 1.0]).interval.unwrap();
        assert!(0.0 < low && low < 0.99 && 0.999 < high && high < 1.0, "{low} {high}");
        assert!(
            Mean::of(&[0.99, 0.999, 1.0]).unwrap().interval.unwrap()[1] > 1.0,
            "the plain interval leaves the range"
        );
        assert_eq!(of(&[1.0; 4]).interval, Some([1.0, 1.0]));
        assert_eq!(of(&[0.5, 1.5, 2.0]), Mean::of(&[0.5, 1.5, 2.0]).unwrap());
        // In the middle of the range, and of little spread, it is Student's.
        let numbers = [0.499, 0.5, 0.501];
        let (logit, plain) = (of(&numbers).interval.unwrap(), Mean::of(&numbers).unwrap().interval.unwrap());
        assert!(logit.iter().zip(plain).all(|(one, other)| (one - other).abs() < 1e-6), "{logit:?} {plain:?}");
    }

    #[test]
    fn an_interval_is_told_by_its_half_or_by_its_ends() {
        let mean = |interval| Mean { mean: 0.9, interval };
        assert_eq!(mean(None).show(3), "0.900");
        assert_eq!(mean(Some([0.88, 0.92])).show(3), "0.900 ± 0.020");
        assert_eq!(mean(Some([0.85, 0.93])).show(3), "0.900 (0.850 to 0.930)");
        assert_eq!(mean(Some([-2.0, 2.0])).cut(1.0).interval, Some([-1.0, 1.0]));
    }

    #[test]
    fn many_tests_are_corrected_for_each_other() {
        // 0.01·4, 0.02·3, 0.03·2, 0.5·1: the third is not below the second.
        let found = holm(&[Some(0.03), Some(0.01), None, Some(0.5), Some(0.02)]);
        let near = |place: usize, expected: f64| (found[place].unwrap() - expected).abs() < 1e-12;
        assert!(near(0, 0.06) && near(1, 0.04) && near(3, 0.5) && near(4, 0.06), "{found:?}");
        assert_eq!(found[2], None);
        assert_eq!(holm(&[Some(0.9), Some(0.8)]), [Some(1.0), Some(1.0)]);
    }
}
