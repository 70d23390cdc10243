//! The smallest m whose error is small enough, of one estimator on one head.

use super::request::{ErrorKind, RecommendRequest};
use crate::attention::hybrid::HybridTheory;
use crate::attention::rowwise::ExactHead;
use crate::attention::spikiness::Exact;
use crate::attention::theory::{Theory, expectation};
use crate::attention::{AttentionError, Inputs, Projection};
use crate::problems::estimators::{FeatureEstimator, FittedEstimator};
use crate::random::generator;
use crate::statistics::quantile;
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FoundSize {
    /// Projections: the smallest that reach the error, or the largest that were tried.
    pub m: usize,
    /// The error with m projections: the median of draws, or the root of the expected square.
    pub error: f64,
    /// Whether it is small enough.
    pub reached: bool,
    /// The slope of ln error over ln m with half the width of its 95 % interval, where the error was measured at several m.
    pub slope: Option<(f64, f64)>,
    /// Whether the error comes from a closed form.
    pub from_theory: bool,
}

/// Everything about one head that searches share.
pub(super) struct HeadSearch<'a> {
    pub request: &'a RecommendRequest,
    pub inputs: &'a Inputs,
    pub exact: &'a Exact,
    pub head: &'a ExactHead<'a>,
    /// The most features.
    pub most_features: usize,
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// One estimator fitted to the head, on one kind of projection.
pub(super) struct FittedPair {
    pub method: FittedEstimator,
    pub projection: Projection,
    /// The largest m within the most features.
    pub most: usize,
}

impl FittedPair {
    /// Fits `estimator` to `inputs`, with at most `most_features` columns of Φ.
    ///
    /// # Errors
    /// It does not work on `projection`, or one projection has more features than are allowed.
    pub fn new(
        request: &RecommendRequest,
        inputs: &Inputs,
        most_features: usize,
        estimator: FeatureEstimator,
        projection: Projection,
    ) -> Result<Self, AttentionError> {
        estimator.check(projection)?;
        projection.check_dim(inputs.dim())?;
        let method = estimator.fit(inputs, &request.params)?.on(projection);
        let each = method.features(1);
        let most = most_features / each;
        if most == 0 {
            return Err(AttentionError::Shape(format!(
                "one projection has {each} features, more than the {most_features} that are allowed"
            )));
        }
        Ok(Self { method, projection, most })
    }
}

impl HeadSearch<'_> {
    /// Searches by theory where the error has a closed form, else by measuring.
    ///
    /// # Errors
    /// Not enough memory, or an end that was asked for.
    pub fn find(&self, pair: &FittedPair) -> Result<FoundSize, AttentionError> {
        if self.request.measure == ErrorKind::Frobenius
            && let Some(found) = self.by_theory(pair)?
        {
            return Ok(found);
        }
        self.by_measuring(pair)
    }

    fn by_theory(&self, pair: &FittedPair) -> Result<Option<FoundSize>, AttentionError> {
        let Some(mut errors) = self.expected(pair, &geometric(pair.most))? else { return Ok(None) };
        let target = self.request.target;
        let found = |m: usize, error: f64, reached| FoundSize { m, error, reached, slope: None, from_theory: true };
        let Some(first) = errors.iter().position(|(_, error)| *error <= target) else {
            let (m, error) = errors.pop().unwrap_or((pair.most, f64::NAN));
            return Ok(Some(found(m, error, false)));
        };
        // Between the last size that is too small and the first that suffices.
        let (mut low, mut high) = (if first == 0 { 0 } else { errors[first - 1].0 }, errors[first]);
        while high.0 - low > 1 {
            let middle = low.midpoint(high.0);
            match self.expected(pair, &[middle])?.and_then(|errors| errors.first().copied()) {
                Some((m, error)) if error <= target => high = (m, error),
                _ => low = middle,
            }
        }
        Ok(Some(found(high.0, high.1, true)))
    }

    /// Roots of expected squares for `ms`, where the pair has a closed form.
    fn expected(&self, pair: &FittedPair, ms: &[usize]) -> Result<Option<Vec<(usize, f64)>>, AttentionError> {
        let squares: Vec<f64> = match &pair.method {
            FittedEstimator::Features(map) => {
                let Ok(theory) = Theory::new(map, pair.projection, self.inputs.dim()) else { return Ok(None) };
                let expected = expectation(&theory, self.inputs, self.exact, ms, 1, self.stop)?;
                expected.iter().map(|expected| expected.log10_relative_mse).collect()
            }
            FittedEstimator::Hybrid(spec) => {
                let Ok(theory) = HybridTheory::new(spec, self.inputs.dim()) else { return Ok(None) };
                theory.log10_relative_mse(self.inputs, ms, self.stop)?
            }
        };
        Ok(Some(ms.iter().zip(squares).map(|(&m, log)| (m, 10_f64.powf(log / 2.0))).collect()))
    }

    fn by_measuring(&self, pair: &FittedPair) -> Result<FoundSize, AttentionError> {
        let target = self.request.target;
        let mut sizes = vec![pair.most, pair.most / 4, pair.most / 16];
        sizes.retain(|m| *m > 0);
        sizes.dedup();
        let mut measured: Vec<(usize, Vec<f64>)> = Vec::new();
        for &m in &sizes {
            measured.push((m, self.measure(pair, m, 0)?));
            let (_, errors) = &measured[measured.len() - 1];
            if quantile(errors, 0.5) > target {
                // A smaller m is no better: one more gives the slope.
                if measured.len() > 1 {
                    break;
                }
            }
        }
        let slope = slope(&measured);
        let found = |m: usize, error: f64, reached| FoundSize { m, error, reached, slope, from_theory: false };
        let median = |(m, errors): &(usize, Vec<f64>)| (*m, quantile(errors, 0.5));
        let (most, best) = median(&measured[0]);
        if best > target {
            return Ok(found(most, best, false));
        }
        // The smallest measured size that suffices, and the largest that does not.
        let mut high = (most, best);
        let mut low = None;
        for size in &measured[1..] {
            match median(size) {
                (m, error) if error <= target => high = (m, error),
                (m, error) => {
                    low = Some((m, error));
                    break;
                }
            }
        }
        // Every guess is checked by a run of fresh draws at it.
        for check in 1..=12 {
            let (least, error) = low.unwrap_or((0, f64::INFINITY));
            if high.0 - least <= 1 || high.0 as f64 <= least as f64 * 1.05 {
                break;
            }
            let guess = if low.is_some() && error > target && high.1 < target && high.1 > 0.0 {
                let share = (error / target).ln() / (error / high.1).ln();
                (least as f64 * (high.0 as f64 / least as f64).powf(share)).ceil() as usize
            } else {
                high.0 / 4
            };
            let guess = guess.clamp(least + 1, high.0 - 1);
            let median = quantile(&self.measure(pair, guess, check)?, 0.5);
            if median <= target { high = (guess, median) } else { low = Some((guess, median)) }
        }
        Ok(found(high.0, high.1, true))
    }

    /// Sorted errors of fresh draws of m projections; `round` tells the draws of one size apart.
    fn measure(&self, pair: &FittedPair, m: usize, round: usize) -> Result<Vec<f64>, AttentionError> {
        let d = self.inputs.dim();
        let seed = self.request.params.size("seed") as u64;
        let name = format!("recommend {} m={m} d={d} round={round}", pair.projection.name());
        let trial = |trial: usize| -> Result<f64, AttentionError> {
            let mut rng = generator(seed, &name, trial as u64);
            let estimate = pair.method.draw(pair.projection, m, d, &mut rng)?.exponents(self.inputs)?;
            let measure = self.head.measure(&estimate, self.stop)?;
            Ok(match self.request.measure {
                ErrorKind::Output => measure.output_squared.map_or(f64::NAN, f64::sqrt),
                ErrorKind::Normalized => measure.normalized_squared.sqrt(),
                ErrorKind::Frobenius => measure.relative,
            })
        };
        let mut errors: Vec<f64> = (0..self.request.trials()).into_par_iter().map(trial).collect::<Result<_, _>>()?;
        errors.sort_unstable_by(f64::total_cmp);
        Ok(errors)
    }
}

/// Sizes up to `most`, two for each power of two.
fn geometric(most: usize) -> Vec<usize> {
    let mut sizes: Vec<usize> =
        (0..64).map(|step| 2_f64.powf(f64::from(step) / 2.0).round() as usize).take_while(|m| *m < most).collect();
    sizes.push(most);
    sizes.dedup();
    sizes
}

/// Slope of ln error over ln m with half of its 95 % interval, by least squares over all draws.
fn slope(measured: &[(usize, Vec<f64>)]) -> Option<(f64, f64)> {
    let points: Vec<(f64, f64)> = measured
        .iter()
        .flat_map(|(m, errors)| errors.iter().map(move |error| ((*m as f64).ln(), error.ln())))
        .filter(|(_, error)| error.is_finite())
        .collect();
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    if measured.len() < 2 || spread <= 0.0 || count < 4.0 {
        return None;
    }
    let slope = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum::<f64>() / spread;
    let rest: f64 = points.iter().map(|point| (point.1 - y - slope * (point.0 - x)).powi(2)).sum();
    let error = (rest / (count - 2.0) / spread).sqrt();
    let t = StudentsT::new(0.0, 1.0, count - 2.0).ok()?.inverse_cdf(0.975);
    Some((slope, t * error))
}
