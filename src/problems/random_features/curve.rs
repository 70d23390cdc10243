//! One estimator on one kind of projection: draws for every m, and the statistics of a point.

use super::sample::{FEW_ROWS, effective_rows};
use super::surveyed::SurveyedMatrix;
use crate::attention::frobenius::{DrawErrors, ErrorMeasure, FrobeniusEngine, Precision};
use crate::attention::rowwise::{ExactHead, HeadEstimate};
use crate::attention::{AttentionError, Projection};
use crate::device::OpenDevice;
use crate::lab::{RunContext, RunError};
use crate::named::named;
use crate::problems::estimators::{DrawnSketch, FittedEstimator};
use crate::problems::limits::failure;
use crate::problems::toolkit::Meter;
use crate::random::{Generator, generator};
use crate::statistics::{mean, mean_and_error, quantile};
use ndarray::{Array2, Axis, s, stack};
use rayon::ThreadPool;
use rayon::prelude::*;
use std::time::Instant;

/// Trials of matrices with fewer products than this run side by side; larger ones spread one trial over the threads.
const SMALL: usize = 1 << 24;
/// The same where rows are measured one by one, which costs more an entry.
const SMALL_ROWWISE: usize = 1 << 27;
/// The longest that a batch of trials should take, in seconds: between batches the run may be paused or stopped.
const BATCH_SECONDS: f64 = 0.2;

/// What the points of a curve are measured with.
pub(super) struct CurveSampler<'a, 'm> {
    matrix: &'a SurveyedMatrix<'m>,
    method: FittedEstimator,
    projection: Projection,
    /// What draws of this matrix have in their name beside the rest: nothing, or its length.
    stream: String,
    pub trials: usize,
    pool: &'a ThreadPool,
}

named! {
    /// What the numbers of a point were computed in.
    pub(super) enum NumberFormat {
        Single = "f32", "32 bits, one scale for the matrix";
        Double = "f64", "64 bits, one scale for the matrix";
        Rowwise = "log", "the logarithmic domain, with a scale for each row";
    }
}

/// The trials of values of m that were drawn together.
pub(super) struct CurveTrials {
    /// By value of m, then trial.
    pub measures: Vec<Vec<ErrorMeasure>>,
    /// The widest number format that was needed.
    pub precision: NumberFormat,
    /// Seconds a trial, on all threads.
    pub seconds: f64,
    /// The rows' parts in the squared errors, a row of the matrix a row and a value of m a column, added up over the trials; none
    /// where all rows are looked at, or each was computed at its own scale.
    pub rows: Option<Array2<f64>>,
}

impl CurveTrials {
    /// What compared estimates with the matrix: rows one by one are computed on the processor.
    pub fn device<'a>(&self, matrix: &'a SurveyedMatrix<'_>) -> &'a str {
        if self.precision == NumberFormat::Rowwise { OpenDevice::CPU } else { matrix.device() }
    }

    /// The standard error that the `place`-th mean squared error has because only some rows of the matrix are looked at.
    pub fn rows_error(&self, matrix: &SurveyedMatrix<'_>, place: usize) -> Option<f64> {
        let (sample, rows) = (matrix.sample.as_ref()?, self.rows.as_ref()?);
        let trials = self.measures[place].len() as f64;
        sample.standard_error((&rows.column(place) / trials).view())
    }

    /// What to say where the error at the `place`-th m comes from few of the rows looked at.
    pub fn rows_note(&self, place: usize, stage: &str) -> Option<String> {
        let parts = self.rows.as_ref()?.column(place);
        let (rows, found) = (parts.len(), effective_rows(parts));
        (found < FEW_ROWS).then(|| {
            format!(
                "{stage}: the squared error of the {rows} rows looked at comes from about {found:.0} of them, so that its standard \
                 error is too small: raise sample_rows"
            )
        })
    }

    /// What to say of a number format that was not the first choice.
    pub fn precision_note(&self, matrix: &SurveyedMatrix<'_>, stage: &str) -> Option<String> {
        let is_fallback = matrix.precision == Precision::Auto && !matrix.is_rowwise();
        match self.precision {
            NumberFormat::Double if is_fallback => {
                Some(format!("{stage}: exponents lie too far apart for f32, so f64 is used"))
            }
            NumberFormat::Rowwise if is_fallback => Some(format!(
                "{stage}: products underflow at one scale for the whole matrix, so every row is computed at its own"
            )),
            _ => None,
        }
    }
}

impl<'a, 'm> CurveSampler<'a, 'm> {
    /// A sampler of `method` on rows of `projection`.
    pub fn new(
        matrix: &'a SurveyedMatrix<'m>,
        method: FittedEstimator,
        projection: Projection,
        trials: usize,
        stream: String,
        pool: &'a ThreadPool,
    ) -> Self {
        Self { matrix, method, projection, stream, trials, pool }
    }

    /// The generator of a trial's draw, the same for every estimator and for inputs of one shape.
    fn generator(&self, seed: u64, m: usize, trial: usize) -> Generator {
        let d = self.matrix.inputs.dim();
        let purpose = format!("projection {} m={m} d={d}{}", self.projection.name(), self.stream);
        generator(seed, &purpose, trial as u64)
    }

    /// The sketch of a trial.
    pub fn sketch(&self, seed: u64, m: usize, trial: usize) -> Result<DrawnSketch, AttentionError> {
        self.method.draw(self.projection, m, self.matrix.inputs.dim(), &mut self.generator(seed, m, trial))
    }

    /// Measures `ms` in one trial at one scale for the matrix: from one draw, but for a hybrid, which has no nested draws.
    fn streamed(
        &self,
        engine: &FrobeniusEngine<'_>,
        seed: u64,
        ms: &[usize],
        trial: usize,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Trial, AttentionError> {
        let kept = |rows| Some(rows).filter(|_| self.matrix.sample.is_some());
        if let FittedEstimator::Hybrid(_) = self.method {
            let one = |&m: &usize| match self.sketch(seed, m, trial)? {
                DrawnSketch::Hybrid(sketch) => engine.measure_sketch(sketch.as_ref(), stop),
                DrawnSketch::Features(features) => engine.measure_sketch(&features, stop),
            };
            let found = ms.iter().map(one).collect::<Result<Vec<_>, _>>()?;
            let rows: Vec<_> = found.iter().map(|draw| draw.rows.column(0)).collect();
            let rows = stack(Axis(1), &rows).ok().and_then(kept);
            let measures = found.iter().flat_map(|draw| draw.measures.iter().copied()).collect();
            return Ok(Trial { measures, format: NumberFormat::Double, rows });
        }
        let largest = ms.last().copied().unwrap_or(1);
        let DrawnSketch::Features(draw) = self.sketch(seed, largest, trial)? else {
            unreachable!("a feature map draws features")
        };
        let DrawErrors { measures, precision, rows } = engine.measure(&draw, ms, stop)?;
        let format = if precision == Precision::Double { NumberFormat::Double } else { NumberFormat::Single };
        Ok(Trial { measures, format, rows: kept(rows) })
    }

    /// The same row by row.
    fn rowwise(
        &self,
        head: &ExactHead<'_>,
        seed: u64,
        ms: &[usize],
        trial: usize,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Trial, AttentionError> {
        let inputs = self.matrix.inputs;
        let largest = ms.last().copied().unwrap_or(1);
        let nested = match &self.method {
            FittedEstimator::Features(_) => Some(self.sketch(seed, largest, trial)?),
            FittedEstimator::Hybrid(_) => None,
        };
        let one = |&m: &usize| match &nested {
            Some(DrawnSketch::Features(draw)) => {
                let rows = draw.projections.slice(s![..m, ..]);
                head.measure(&HeadEstimate::of_features(inputs, &draw.map, rows)?, stop)
            }
            _ => head.measure(&self.sketch(seed, m, trial)?.exponents(inputs)?, stop),
        };
        Ok(Trial { measures: ms.iter().map(one).collect::<Result<_, _>>()?, format: NumberFormat::Rowwise, rows: None })
    }

    /// Whether what the engine for whole matrices found shows that products underflowed: a feature map of exponentials has no
    /// entries of 0, and a sum that is not finite is none.
    fn underflowed(&self, measures: &[ErrorMeasure]) -> bool {
        let exponential = match &self.method {
            FittedEstimator::Features(map) => map.is_exponential(),
            FittedEstimator::Hybrid(_) => false,
        };
        measures.iter().any(|measure| {
            !measure.relative_squared.is_finite()
                || !measure.normalized_squared.is_finite()
                || (exponential && (measure.nonpositive_entries > 0.0 || measure.nonpositive_rows > 0.0))
        })
    }

    /// Measures `ms` from one draw in each trial. Where `precision=auto` and one scale for the matrix is not enough, every trial is
    /// measured row by row.
    pub fn trials(
        &self,
        ms: &[usize],
        stage: &str,
        meter: &mut Meter,
        context: &mut RunContext,
    ) -> Result<CurveTrials, RunError> {
        if let Some(engine) = &self.matrix.engine {
            let measure = &|seed, trial, stop: &(dyn Fn() -> bool + Sync)| self.streamed(engine, seed, ms, trial, stop);
            let may_fall_back = self.matrix.precision == Precision::Auto;
            // A device has one trial at a time.
            let small = if engine.is_on_device() { 0 } else { SMALL };
            let whole = TrialEngine { small, may_fall_back, measure };
            if let Some(trials) = self.batches(ms, stage, &whole, meter, context)? {
                return Ok(trials);
            }
        }
        let head = self.matrix.rowwise()?;
        let measure = &|seed, trial, stop: &(dyn Fn() -> bool + Sync)| self.rowwise(head, seed, ms, trial, stop);
        let rowwise = TrialEngine { small: SMALL_ROWWISE, may_fall_back: false, measure };
        let trials = self.batches(ms, stage, &rowwise, meter, context)?;
        trials.ok_or_else(|| RunError::Failed("rows at their own scale underflowed".to_owned()))
    }

    /// Measures all trials by `engine`, in batches between which the run may be paused or stopped; none where the numbers of whole
    /// matrices turn out to be out of range and may be computed row by row instead.
    fn batches(
        &self,
        ms: &[usize],
        stage: &str,
        engine: &TrialEngine<'_>,
        meter: &mut Meter,
        context: &mut RunContext,
    ) -> Result<Option<CurveTrials>, RunError> {
        let (seed, control) = (context.seed(), context.control());
        let stop = move || control.is_stopping();
        let largest = ms.last().copied().unwrap_or(1);
        let entries = self.matrix.inputs.queries.nrows() * self.matrix.inputs.keys.nrows();
        let side_by_side = entries * self.method.features(largest) < engine.small;

        let began = Instant::now();
        let mut trials = CurveTrials {
            measures: vec![Vec::with_capacity(self.trials); ms.len()],
            precision: NumberFormat::Single,
            seconds: 0.0,
            rows: None,
        };
        let (mut first, mut batch) = (0, 1);
        while first < self.trials {
            context.check_cancelled()?;
            let since = Instant::now();
            let last = (first + batch).min(self.trials);
            let one = |trial: usize| (engine.measure)(seed, trial, &stop);
            let found = self.pool.install(|| {
                if side_by_side {
                    (first..last).into_par_iter().with_min_len(8).map(one).collect::<Result<Vec<_>, _>>()
                } else {
                    (first..last).map(one).collect()
                }
            });
            let found = match found {
                Err(AttentionError::Range { .. }) if engine.may_fall_back => return Ok(None),
                found => found.map_err(failure)?,
            };
            if engine.may_fall_back && found.iter().any(|trial| self.underflowed(&trial.measures)) {
                return Ok(None);
            }
            for Trial { measures, format, rows } in found {
                if format != NumberFormat::Single {
                    trials.precision = format;
                }
                trials.rows = match (trials.rows.take(), rows) {
                    (Some(sum), Some(rows)) => Some(sum + rows),
                    (sum, rows) => sum.or(rows),
                };
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
        Ok(Some(trials))
    }
}

/// Measures one trial: seed, number of the trial, whether to stop.
type TrialMeasurement<'a> = dyn Fn(u64, usize, &(dyn Fn() -> bool + Sync)) -> Result<Trial, AttentionError> + Sync + 'a;

/// One trial.
struct Trial {
    /// For every m.
    measures: Vec<ErrorMeasure>,
    format: NumberFormat,
    /// See [`CurveTrials::rows`].
    rows: Option<Array2<f64>>,
}

/// How the trials of a curve are measured.
struct TrialEngine<'a> {
    /// Trials of fewer products than this run side by side.
    small: usize,
    /// Whether numbers out of range end the attempt, so that another engine may be tried.
    may_fall_back: bool,
    measure: &'a TrialMeasurement<'a>,
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
    /// Quartiles of the error of the output: lower, median, upper; none without values.
    pub output: Option<[f64; 3]>,
    /// Shares of entries and of row sums that are not positive.
    pub nonpositive_entries: f64,
    pub nonpositive_rows: f64,
}

impl PointStatistics {
    /// The same without standard errors.
    pub fn without_errors(self) -> Self {
        Self { mse_sem: None, ratio_sem: None, ..self }
    }

    /// The statistics of at least one trial.
    pub fn of(measures: &[ErrorMeasure]) -> Self {
        let all = |value: fn(&ErrorMeasure) -> f64| measures.iter().map(value);
        let sorted = |value: fn(&ErrorMeasure) -> f64| {
            let mut values: Vec<f64> = all(value).collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let with_error = |value: fn(&ErrorMeasure) -> f64| mean_and_error(all(value)).unwrap_or((f64::NAN, None));
        let errors = sorted(|measure| measure.relative);
        let normalized = sorted(|measure| measure.normalized_squared.sqrt());
        let (mse, mse_sem) = with_error(|measure| measure.relative_squared);
        let (ratio, ratio_sem) = with_error(|measure| measure.ratio);
        let output = measures.iter().all(|measure| measure.output_squared.is_some()).then(|| {
            let errors = sorted(|measure| measure.output_squared.map_or(f64::NAN, f64::sqrt));
            [0.25, 0.5, 0.75].map(|part| quantile(&errors, part))
        });
        Self {
            output,
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
                .map(|&relative_squared| ErrorMeasure {
                    relative: relative_squared.sqrt(),
                    relative_squared,
                    ..ErrorMeasure::default()
                })
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
