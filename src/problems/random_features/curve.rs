//! One estimator on one kind of projection: draws for every m, and the statistics of a point.

use super::methods::FittedEstimator;
use crate::attention::frobenius::{ErrorMeasure, FrobeniusEngine, Precision};
use crate::attention::{AttentionError, Inputs, Projection, RandomFeatures, Sketch};
use crate::lab::{RunContext, RunError};
use crate::problems::limits::failure;
use crate::problems::toolkit::Meter;
use crate::random::{Generator, generator};
use crate::statistics::{mean, mean_and_error, quantile};
use rayon::ThreadPool;
use rayon::prelude::*;
use std::time::Instant;

/// Trials of matrices with fewer products than this run side by side; larger ones spread one trial over the threads.
const SMALL: usize = 1 << 24;
/// The longest that a batch of trials should take, in seconds: between batches the run may be paused or stopped.
const BATCH_SECONDS: f64 = 0.2;

/// What the points of a curve are measured with.
pub(super) struct CurveSampler<'a> {
    pub inputs: &'a Inputs,
    pub engine: &'a FrobeniusEngine<'a>,
    pub method: FittedEstimator,
    pub projection: Projection,
    pub trials: usize,
    pub pool: &'a ThreadPool,
}

/// The trials of values of m that were drawn together.
pub(super) struct CurveTrials {
    /// By value of m, then trial.
    pub measures: Vec<Vec<ErrorMeasure>>,
    /// The widest number format that was needed.
    pub precision: Precision,
    /// Seconds a trial, on all threads.
    pub seconds: f64,
}

impl CurveSampler<'_> {
    /// The generator of a trial's draw, the same for every estimator.
    fn generator(&self, seed: u64, m: usize, trial: usize) -> Generator {
        let d = self.inputs.dim();
        generator(seed, &format!("projection {} m={m} d={d}", self.projection.name()), trial as u64)
    }

    /// The sketch of a trial.
    pub fn sketch(&self, seed: u64, m: usize, trial: usize) -> Result<Box<dyn Sketch>, AttentionError> {
        let (d, mut rng) = (self.inputs.dim(), self.generator(seed, m, trial));
        match &self.method {
            FittedEstimator::Features(map) => {
                Ok(Box::new(RandomFeatures { map: map.clone(), projections: self.projection.draw(m, d, &mut rng)? }))
            }
            FittedEstimator::Hybrid(spec) => Ok(Box::new(spec.of(m).draw(d, &mut rng)?)),
        }
    }

    /// Measures `ms` in one trial: from one draw, but for a hybrid, which has no nested draws.
    fn measure(
        &self,
        seed: u64,
        ms: &[usize],
        trial: usize,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(Vec<ErrorMeasure>, Precision), AttentionError> {
        let d = self.inputs.dim();
        match &self.method {
            FittedEstimator::Features(map) => {
                let largest = ms.last().copied().unwrap_or(1);
                let projections = self.projection.draw(largest, d, &mut self.generator(seed, largest, trial))?;
                self.engine.measure(&RandomFeatures { map: map.clone(), projections }, ms, stop)
            }
            FittedEstimator::Hybrid(spec) => {
                let one = |&m: &usize| {
                    self.engine.measure_sketch(&spec.of(m).draw(d, &mut self.generator(seed, m, trial))?, stop)
                };
                ms.iter().map(one).collect::<Result<_, _>>().map(|measures| (measures, Precision::Double))
            }
        }
    }

    /// Measures `ms` from one draw in each trial.
    pub fn trials(
        &self,
        ms: &[usize],
        stage: &str,
        meter: &mut Meter,
        context: &mut RunContext,
    ) -> Result<CurveTrials, RunError> {
        let (seed, control) = (context.seed(), context.control());
        let stop = move || control.is_stopping();
        let largest = ms.last().copied().unwrap_or(1);
        let entries = self.inputs.queries.nrows() * self.inputs.keys.nrows();
        let side_by_side = entries * self.method.features(largest) < SMALL;
        let one = |trial: usize| self.measure(seed, ms, trial, &stop);

        let began = Instant::now();
        let mut trials = CurveTrials {
            measures: vec![Vec::with_capacity(self.trials); ms.len()],
            precision: Precision::Single,
            seconds: 0.0,
        };
        let (mut first, mut batch) = (0, 1);
        while first < self.trials {
            context.check_cancelled()?;
            let since = Instant::now();
            let last = (first + batch).min(self.trials);
            let found = self.pool.install(|| {
                if side_by_side {
                    (first..last).into_par_iter().with_min_len(8).map(one).collect::<Result<Vec<_>, _>>()
                } else {
                    (first..last).map(one).collect()
                }
            });
            for (measures, precision) in found.map_err(failure)? {
                if precision == Precision::Double {
                    trials.precision = precision;
                }
                for (all, measure) in trials.measures.iter_mut().zip(measures) {
                    all.push(measure);
                }
            }
            meter.advance(last - first, stage, context);
            first = last;
            let spent = since.elapsed().as_secs_f64();
            batch = if spent < BATCH_SECONDS / 2.0 {
                batch * 2
            } else if spent > BATCH_SECONDS {
                (batch / 2).max(1)
            } else {
                batch
            };
        }
        trials.seconds = began.elapsed().as_secs_f64() / self.trials as f64;
        Ok(trials)
    }
}

/// Statistics of one point over its trials.
pub(super) struct PointStatistics {
    /// Quartiles and mean of ‖Â−A‖/‖A‖.
    pub median: f64,
    pub q25: f64,
    pub q75: f64,
    pub mean: f64,
    /// Mean of ‖Â−A‖²/‖A‖² and its standard error, which a single trial has not.
    pub mse: f64,
    pub mse_sem: Option<f64>,
    /// Mean of ⟨Â,A⟩/‖A‖² and its standard error.
    pub ratio: f64,
    pub ratio_sem: Option<f64>,
    /// Median of the error after both matrices are normalised by rows.
    pub normalized: f64,
    /// Shares of entries and of row sums that are not positive.
    pub nonpositive_entries: f64,
    pub nonpositive_rows: f64,
}

impl PointStatistics {
    /// The statistics of at least one trial.
    pub fn of(measures: &[ErrorMeasure]) -> Self {
        let all = |value: fn(&ErrorMeasure) -> f64| measures.iter().map(value);
        let sorted = |value: fn(&ErrorMeasure) -> f64| {
            let mut values: Vec<f64> = all(value).collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let with_error = |value: fn(&ErrorMeasure) -> f64| mean_and_error(all(value)).unwrap_or((f64::NAN, None));
        let errors = sorted(|measure| measure.relative_squared.sqrt());
        let normalized = sorted(|measure| measure.normalized_squared.sqrt());
        let (mse, mse_sem) = with_error(|measure| measure.relative_squared);
        let (ratio, ratio_sem) = with_error(|measure| measure.ratio);
        Self {
            median: quantile(&errors, 0.5),
            q25: quantile(&errors, 0.25),
            q75: quantile(&errors, 0.75),
            mean: mean(errors.iter().copied()),
            mse,
            mse_sem,
            ratio,
            ratio_sem,
            normalized: quantile(&normalized, 0.5),
            nonpositive_entries: mean(all(|measure| measure.nonpositive_entries)),
            nonpositive_rows: mean(all(|measure| measure.nonpositive_rows)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_few_values() {
        let of = |squares: &[f64]| {
            let measures: Vec<_> = squares
                .iter()
                .map(|&relative_squared| ErrorMeasure { relative_squared, ..ErrorMeasure::default() })
                .collect();
            PointStatistics::of(&measures)
        };
        let point = of(&[16.0, 1.0, 4.0, 9.0]);
        assert_eq!((point.q25, point.median, point.q75, point.mean, point.mse), (1.75, 2.5, 3.25, 2.5, 7.5));
        assert!((point.mse_sem.unwrap() - (129.0_f64 / 12.0).sqrt()).abs() < 1e-12);
        let point = of(&[4.0]);
        assert_eq!((point.q25, point.median, point.mse_sem), (2.0, 2.0, None));
    }
}
