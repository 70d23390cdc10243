//! One estimator on one kind of projection: draws for every m, and the statistics of a point.

use super::methods::FittedEstimator;
use crate::attention::frobenius::{ErrorMeasure, FrobeniusEngine, Precision};
use crate::attention::{AttentionError, Inputs, Projection, RandomFeatures, Sketch};
use crate::lab::{Progress, RunContext, RunError};
use crate::problems::limits::failure;
use crate::random::{Generator, generator};
use rayon::ThreadPool;
use rayon::prelude::*;
use std::time::Instant;

/// Trials of matrices with fewer products than this run side by side; larger ones spread one trial over the threads.
const SMALL: usize = 1 << 24;
/// The longest a batch of trials should take between two looks at whether to go on, in seconds.
const BREATH: f64 = 0.2;

/// What is measured again and again.
pub(super) struct Bench<'a> {
    pub inputs: &'a Inputs,
    pub engine: &'a FrobeniusEngine<'a>,
    pub method: FittedEstimator,
    pub projection: Projection,
    pub trials: usize,
    pub pool: &'a ThreadPool,
}

/// How far the whole run has come.
pub(super) struct Clock {
    pub done: u64,
    pub total: u64,
    pub began: Instant,
}

/// The trials of a set of sizes drawn together.
pub(super) struct Trials {
    /// By size, then trial.
    pub measures: Vec<Vec<ErrorMeasure>>,
    /// The widest number format that was needed.
    pub precision: Precision,
    /// Seconds a trial, on all threads.
    pub seconds: f64,
}

impl Bench<'_> {
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
        clock: &mut Clock,
        context: &mut RunContext,
    ) -> Result<Trials, RunError> {
        let (seed, control) = (context.seed(), context.control());
        let stop = move || control.is_stopping();
        let largest = ms.last().copied().unwrap_or(1);
        let entries = self.inputs.queries.nrows() * self.inputs.keys.nrows();
        let side_by_side = entries * self.method.features(largest) < SMALL;
        let one = |trial: usize| self.measure(seed, ms, trial, &stop);

        let began = Instant::now();
        let mut trials = Trials {
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
            clock.done += (last - first) as u64;
            first = last;
            let spent = since.elapsed().as_secs_f64();
            // Batches grow until one lasts a breath.
            batch = if spent < BREATH / 2.0 {
                batch * 2
            } else if spent > BREATH {
                (batch / 2).max(1)
            } else {
                batch
            };
            context.emit(crate::lab::Event::Progress(Progress {
                done: clock.done,
                total: clock.total,
                unit: "trials".to_owned(),
                rate: clock.done as f64 / clock.began.elapsed().as_secs_f64().max(1e-9),
                stage: stage.to_owned(),
            }));
        }
        trials.seconds = began.elapsed().as_secs_f64() / self.trials as f64;
        Ok(trials)
    }
}

/// Statistics of one point.
pub(super) struct Point {
    pub median: f64,
    pub q25: f64,
    pub q75: f64,
    pub mean: f64,
    pub mse: f64,
    pub mse_sem: Option<f64>,
    pub ratio: f64,
    pub ratio_sem: Option<f64>,
    pub normalized: f64,
    pub nonpositive_entries: f64,
    pub nonpositive_rows: f64,
}

impl Point {
    pub fn of(measures: &[ErrorMeasure]) -> Self {
        let sorted = |value: fn(&ErrorMeasure) -> f64| {
            let mut values: Vec<f64> = measures.iter().map(value).collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let errors = sorted(|measure| measure.relative_squared.sqrt());
        let normalized = sorted(|measure| measure.normalized_squared.sqrt());
        let (mse, mse_sem) = mean(measures.iter().map(|measure| measure.relative_squared));
        let (ratio, ratio_sem) = mean(measures.iter().map(|measure| measure.ratio));
        let average = |value: fn(&ErrorMeasure) -> f64| mean(measures.iter().map(value)).0;
        Self {
            median: quantile(&errors, 0.5),
            q25: quantile(&errors, 0.25),
            q75: quantile(&errors, 0.75),
            mean: mean(errors.iter().copied()).0,
            mse,
            mse_sem,
            ratio,
            ratio_sem,
            normalized: quantile(&normalized, 0.5),
            nonpositive_entries: average(|measure| measure.nonpositive_entries),
            nonpositive_rows: average(|measure| measure.nonpositive_rows),
        }
    }
}

/// Mean and standard error; none from a single value.
fn mean(values: impl Iterator<Item = f64> + Clone) -> (f64, Option<f64>) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let squares: f64 = values.map(|value| (value - mean).powi(2)).sum();
    (mean, (count > 1.0).then(|| (squares / (count - 1.0) / count).sqrt()))
}

/// A quantile of sorted values, linear between them.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    match sorted.get(low + 1) {
        Some(next) if part > 0.0 => sorted[low] + part * (next - sorted[low]),
        _ => sorted[low],
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
            Point::of(&measures)
        };
        let point = of(&[16.0, 1.0, 4.0, 9.0]);
        assert_eq!((point.q25, point.median, point.q75, point.mean, point.mse), (1.75, 2.5, 3.25, 2.5, 7.5));
        assert!((point.mse_sem.unwrap() - (129.0_f64 / 12.0).sqrt()).abs() < 1e-12);
        let point = of(&[4.0]);
        assert_eq!((point.q25, point.median, point.mse_sem), (2.0, 2.0, None));
    }
}
