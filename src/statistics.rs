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
pub(crate) fn mean_and_error(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, Option<f64>)> {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let squares: f64 = values.map(|value| (value - mean).powi(2)).sum();
    (count > 0.0).then(|| (mean, (count > 1.0).then(|| (squares / (count - 1.0) / count).sqrt())))
}

/// The mean of `values` and half the width of its 95 % interval by Student's t; no interval of a single value.
pub(crate) fn mean_and_interval(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, Option<f64>)> {
    let count = values.clone().count() as f64;
    let (mean, error) = mean_and_error(values)?;
    let student = StudentsT::new(0.0, 1.0, count - 1.0).ok();
    Some((mean, error.zip(student).map(|(error, student)| error * student.inverse_cdf(0.975))))
}

/// The mean of `values`; NaN where there are none.
pub(crate) fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count() as f64;
    values.sum::<f64>() / count
}

/// The quantile at `share` (0 to 1) of values in ascending order, linear between neighbours: low + part·(high − low).
///
/// `sorted` must hold at least one value.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let (low, part) = place(sorted, share);
    match sorted.get(low + 1) {
        Some(next) if part > 0.0 => sorted[low] + part * (next - sorted[low]),
        _ => sorted[low],
    }
}

/// The same quantile in its other form, low·(1 − part) + high·part, which may differ from [`quantile`] in the last bit.
/// The rows of masked estimators have always been made with it.
pub(crate) fn weighted_quantile(sorted: &[f64], share: f64) -> f64 {
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
pub(crate) struct PowerSums {
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
