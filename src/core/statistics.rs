//! Means, standard errors and quantiles: the one place in which they are computed.
//!
//! The crate `statrs`, which supplies the distributions used elsewhere, has these functions as well but computes
//! something else in the last bits: its mean is updated value by value and its quantiles follow another definition
//! (type 8 of Hyndman & Fan 1996). Rows of runs that were made by earlier versions must be reproduced to the bit, so the
//! sums and the linear interpolation (type 7) that made them stay.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The mean of `values` and its standard error √(Σ(v − mean)²/(n − 1)/n).
///
/// There is no mean of no values, and no standard error of a single one.
pub fn mean_and_error(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, Option<f64>)> {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let squares: f64 = values.map(|value| (value - mean).powi(2)).sum();
    (count > 0.0).then(|| (mean, (count > 1.0).then(|| (squares / (count - 1.0) / count).sqrt())))
}

/// The mean of `values` and half the width of its 95 % interval by Student's t; no interval of a single value.
pub fn mean_and_interval(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, Option<f64>)> {
    let count = values.clone().count() as f64;
    let (mean, error) = mean_and_error(values)?;
    let student = StudentsT::new(0.0, 1.0, count - 1.0).ok();
    Some((mean, error.zip(student).map(|(error, student)| error * student.inverse_cdf(0.975))))
}

/// A mean over independent values, with its standard error and how many values there were.
#[derive(Clone, Copy, Debug)]
pub struct SampleMean {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
    /// How many values there were.
    pub count: f64,
}

/// `first` minus `second`, means of independent samples, and half the width of the difference's 95 % interval by Student's t with
/// the degrees of freedom of Welch (1947), The generalization of Student's problem; none where a sample has a single value.
pub fn difference_and_interval(first: SampleMean, second: SampleMean) -> Option<(f64, f64)> {
    let [a, b] = [first, second].map(|sample| sample.error * sample.error);
    let error = (a + b).sqrt();
    if error == 0.0 {
        return (first.count > 1.0 && second.count > 1.0).then_some((first.mean - second.mean, 0.0));
    }
    let freedom = (a + b).powi(2) / (a * a / (first.count - 1.0) + b * b / (second.count - 1.0));
    let student = StudentsT::new(0.0, 1.0, freedom).ok()?;
    Some((first.mean - second.mean, error * student.inverse_cdf(0.975)))
}

/// The 95 % interval of a share that was found to be `share` of `count` independent cases (Wilson 1927, Probable inference, the
/// law of succession, and statistical inference): it stays within 0 and 1, and has a width where all cases agree too. None
/// without cases.
pub fn wilson_interval(share: f64, count: usize) -> Option<[f64; 2]> {
    let (n, z) = (count as f64, 1.959_963_984_540_054);
    let middle = share + z * z / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let end = |end: f64| (end / (1.0 + z * z / n)).clamp(0.0, 1.0);
    (count > 0).then(|| [end(middle - half), end(middle + half)])
}

/// The mean of `values`; NaN where there are none.
pub fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count() as f64;
    values.sum::<f64>() / count
}

/// The quantile at `share` (0 to 1) of values in ascending order, linear between neighbours: low + part·(high − low).
///
/// `sorted` must hold at least one value.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let (low, part) = place(sorted, share);
    match sorted.get(low + 1) {
        Some(next) if part > 0.0 => sorted[low] + part * (next - sorted[low]),
        _ => sorted[low],
    }
}

/// The same quantile in its other form, low·(1 − part) + high·part, which may differ from [`quantile`] in the last bit.
/// The rows of masked estimators have always been made with it.
pub fn weighted_quantile(sorted: &[f64], share: f64) -> f64 {
    let (low, part) = place(sorted, share);
    sorted[low] * (1.0 - part) + sorted[(low + 1).min(sorted.len() - 1)] * part
}

/// Where the quantile at `share` lies: the index below it and how far it is towards the next.
fn place(sorted: &[f64], share: f64) -> (usize, f64) {
    let place = share * (sorted.len() - 1) as f64;
    (place.floor() as usize, place.fract())
}

/// Sums of an error's powers over many draws, for which single values are not kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct PowerSums {
    count: f64,
    first: f64,
    second: f64,
    fourth: f64,
}

impl PowerSums {
    /// Adds one error.
    pub fn add(&mut self, error: f64) {
        let square = error * error;
        self.count += 1.0;
        self.first += error;
        self.second += square;
        self.fourth += square * square;
    }

    /// The mean error and its standard error.
    pub fn mean(&self) -> (f64, f64) {
        let [mean, square] = [self.first, self.second].map(|sum| sum / self.count);
        (mean, self.standard_error(mean, square))
    }

    /// The mean squared error and its standard error.
    pub fn mean_square(&self) -> (f64, f64) {
        let [square, fourth] = [self.second, self.fourth].map(|sum| sum / self.count);
        (square, self.standard_error(square, fourth))
    }

    /// The standard error of a mean, from the mean of squares; 0 for a single value.
    fn standard_error(&self, mean: f64, mean_of_squares: f64) -> f64 {
        let variance = (mean_of_squares - mean * mean).max(0.0) * self.count / (self.count - 1.0).max(1.0);
        (variance / self.count).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::statistics::{Data, OrderStatistics, Statistics};

    #[test]
    fn few_values_have_their_known_statistics() {
        let sorted = [1.0, 4.0, 9.0, 16.0];
        assert_eq!([0.25, 0.5, 0.75].map(|share| quantile(&sorted, share)), [3.25, 6.5, 10.75]);
        assert_eq!([0.0, 1.0].map(|share| quantile(&sorted, share)), [1.0, 16.0]);
        assert_eq!([0.25, 0.5, 1.0].map(|share| weighted_quantile(&sorted, share)), [3.25, 6.5, 16.0]);
        let (mean, error) = mean_and_error(sorted.into_iter()).unwrap();
        assert_eq!(mean, 7.5);
        assert!((error.unwrap() - (129.0_f64 / 12.0).sqrt()).abs() < 1e-12);
        assert_eq!(mean_and_error([5.0].into_iter()), Some((5.0, None)));
        assert_eq!(mean_and_error([].into_iter()), None);
    }

    #[test]
    fn intervals_of_shares_are_those_of_wilson() {
        // Newcombe (1998), Two-sided confidence intervals for the single proportion, table I, method 3.
        for (count, share, known) in [
            (263, 81.0 / 263.0, [0.2553, 0.3662]),
            (148, 15.0 / 148.0, [0.0624, 0.1605]),
            (20, 0.0, [0.0, 0.1611]),
            (29, 1.0 / 29.0, [0.0061, 0.1718]),
        ] {
            let found = wilson_interval(share, count).unwrap();
            assert!(found.iter().zip(known).all(|(found, known)| (found - known).abs() < 5e-5), "{count}: {found:?}");
        }
        let [low, high] = wilson_interval(1.0, 20).unwrap();
        assert!((low - 0.8389).abs() < 5e-5 && high == 1.0, "{low} {high}");
        assert_eq!(wilson_interval(0.5, 0), None);
    }

    #[test]
    fn differences_of_means_have_the_interval_of_welch() {
        let sample = |values: &[f64]| {
            let (mean, error) = mean_and_error(values.iter().copied()).unwrap();
            SampleMean { mean, error: error.unwrap_or(0.0), count: values.len() as f64 }
        };
        // Equal variances and counts: Student's t with n₁ + n₂ − 2 = 8 degrees of freedom, 2.3060 at 97.5 %.
        let (first, second) = (sample(&[1.0, 2.0, 3.0, 4.0, 5.0]), sample(&[3.0, 4.0, 5.0, 6.0, 7.0]));
        let (difference, half) = difference_and_interval(first, second).unwrap();
        assert!((difference + 2.0).abs() < 1e-12 && (half - 2.306_004).abs() < 1e-5, "{difference} {half}");
        // One sample without spread: the other's interval, 4 degrees of freedom, 2.7764 · √(2.5/5).
        let exact = sample(&[1.0; 9]);
        let (_, half) = difference_and_interval(first, exact).unwrap();
        assert!((half - 2.776_445 * 0.5_f64.sqrt()).abs() < 1e-5, "{half}");
        assert_eq!(difference_and_interval(exact, exact), Some((0.0, 0.0)));
        assert!(difference_and_interval(sample(&[1.0]), exact).is_none());
    }

    #[test]
    fn they_agree_with_the_library_up_to_rounding() {
        let values: Vec<f64> = (1..40).map(|i| (f64::from(i) * 1.7).sin().exp()).collect();
        let (mean, error) = mean_and_error(values.iter().copied()).unwrap();
        let mut sums = PowerSums::default();
        values.iter().for_each(|value| sums.add(*value));
        let expected = Statistics::std_dev(&values) / (values.len() as f64).sqrt();
        for (found, known) in [
            (mean, Statistics::mean(&values)),
            (super::mean(values.iter().copied()), Statistics::mean(&values)),
            (error.unwrap(), expected),
            (sums.mean().0, mean),
            (sums.mean().1, expected),
        ] {
            assert!((found / known - 1.0).abs() < 1e-12, "{found} {known}");
        }
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        assert_eq!(quantile(&sorted, 0.5), Data::new(values).median());
    }
}
