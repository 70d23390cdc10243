//! Rows and curves of the baselines. They are told before those of the estimators, so that a run's last row is one of what it is
//! about.

use super::baselines::{chosen, has_landmarks, ranks, refusal, trials};
use super::costs;
use super::curve::{CurveTrials, NumberFormat, PointStatistics};
use super::rows::{CurveResults, CurveSubject, unfit};
use super::run::{FeaturesSession, results};
use super::series::place as position;
use super::surveyed::SurveyedMatrix;
use crate::attention::AttentionError;
use crate::attention::baseline::{Baseline, NystromFeatures, Spectrum, k_means, largest_entries, random_tokens};
use crate::attention::frobenius::{ErrorMeasure, FrobeniusEngine, Precision};
use crate::device::OpenDevice;
use crate::lab::{Event, Point, RunContext, RunError, Series, Style};
use crate::problems::inputs::HeadPlace;
use crate::problems::limits::failure;
use crate::problems::toolkit::Burst;
use crate::random::generator;
use std::time::Instant;

/// Bytes of an estimate with this many features.
fn estimate_bytes(baseline: Baseline, rank: usize, matrix: &SurveyedMatrix<'_>) -> u64 {
    let (queries, keys) = (matrix.inputs.queries.nrows(), matrix.inputs.keys.nrows());
    let bytes = match baseline {
        Baseline::None => 0,
        Baseline::Svd => 8 * rank * (queries + keys),
        Baseline::Nystrom | Baseline::KMeans => 8 * rank * (queries + keys + matrix.inputs.dim() + rank),
        // A number of 4 bytes with a place of 4.
        Baseline::TopEntries => 8 * rank.min(keys) * queries,
    };
    bytes as u64
}

impl FeaturesSession<'_> {
    /// Measures the baselines on one matrix and tells their rows.
    pub(super) fn baselines(
        &mut self,
        place: &HeadPlace,
        matrix: &SurveyedMatrix<'_>,
        context: &mut RunContext,
    ) -> Result<(), RunError> {
        let ranks = ranks(self.params, (place.queries, place.keys));
        let chosen = chosen(self.params);
        if ranks.is_empty() && !chosen.is_empty() {
            context.note(format!(
                "{}: no baselines: every estimator has more features than the matrix has rows or columns, from where on the limit is 0",
                matrix.title
            ));
            return Ok(());
        }
        for baseline in chosen {
            let series = self.declare_baseline(baseline, matrix, context);
            let groups: Vec<&[usize]> =
                if has_landmarks(baseline) { ranks.chunks(1).collect() } else { vec![&ranks[..]] };
            for group in groups {
                context.check_cancelled()?;
                self.baseline(baseline, group, &series, matrix, context)?;
            }
        }
        Ok(())
    }

    /// The name of the series of a baseline, empty where single curves are not drawn.
    fn declare_baseline(&self, baseline: Baseline, matrix: &SurveyedMatrix<'_>, context: &mut RunContext) -> String {
        if self.curves.are_medians() && matrix.layer_and_head() != (None, None) {
            return String::new();
        }
        let name = self.curves.title(matrix, vec![baseline.name().to_owned()]);
        let style = if baseline == Baseline::Svd { Style::Dashed } else { Style::Line };
        let mut plots = vec![("error", "")];
        if baseline != Baseline::Svd && !matrix.causal {
            plots.push(("normalized", "/normalized"));
        }
        for (plot, suffix) in plots {
            context.emit(Event::Series(Series::new(format!("{name}{suffix}"), plot, &name).drawn(style)));
        }
        costs::declare_series(std::slice::from_ref(&name), context);
        name
    }

    fn baseline(
        &mut self,
        baseline: Baseline,
        ranks: &[usize],
        series: &str,
        matrix: &SurveyedMatrix<'_>,
        context: &mut RunContext,
    ) -> Result<(), RunError> {
        let trials = trials(baseline, self.params);
        let subjects: Vec<CurveSubject> =
            ranks.iter().map(|&rank| matrix.subject_of_baseline(baseline.name(), rank, trials)).collect();
        if self.points.find(&subjects.iter().collect::<Vec<_>>(), context).is_some() {
            self.meter.skip(ranks.len() * trials);
            return Ok(());
        }
        let shape = (matrix.inputs.queries.nrows(), matrix.inputs.keys.nrows());
        let stage = format!("{} {} m = {}", matrix.title, baseline.name(), ranks[ranks.len() - 1]);
        let began = Instant::now();
        let found = match refusal(baseline, ranks[0], shape) {
            Some(reason) => Err(reason),
            None => match self.measure_baseline(baseline, ranks, matrix, context) {
                Ok(measures) => Ok(measures),
                Err(AttentionError::Range { .. }) => {
                    Err("exponents lie too far apart for 64 bits at one scale for the matrix".to_owned())
                }
                Err(error) => return Err(failure(error)),
            },
        };
        let seconds = began.elapsed().as_secs_f64() / trials as f64;
        let mut burst = Burst::new();
        match found {
            Ok(measures) => {
                let trials = CurveTrials { measures, precision: NumberFormat::Double, seconds, rows: None };
                for (subject, measures) in subjects.iter().zip(&trials.measures) {
                    let statistics = PointStatistics::of(measures);
                    let row = CurveResults {
                        device: Some(OpenDevice::CPU.to_owned()),
                        estimate_bytes: Some(estimate_bytes(baseline, subject.m, matrix)),
                        window: None,
                        window_output_rel_error: None,
                        window_normalized_rel_error: None,
                        ..results(matrix, subject, &statistics, None, &trials)
                    };
                    if !series.is_empty() {
                        let x = position(self.params, subject.m, subject.features, subject.length);
                        burst.point(Point::new(series, x, statistics.median).within(statistics.q25, statistics.q75));
                        if statistics.normalized.is_finite() {
                            burst.point(Point::new(format!("{series}/normalized"), x, statistics.normalized));
                        }
                        costs::tell(series, &statistics, &row, &mut burst);
                    }
                    burst.row(subject, &row);
                }
            }
            Err(reason) => {
                burst.note(format!("{stage}: {reason}"));
                subjects.iter().for_each(|subject| burst.row(subject, &unfit(matrix, reason.clone())));
            }
        }
        self.points.tell(burst, context);
        self.meter.advance(ranks.len() * trials, &stage, context);
        Ok(())
    }

    /// The errors by rank, then trial.
    fn measure_baseline(
        &self,
        baseline: Baseline,
        ranks: &[usize],
        matrix: &SurveyedMatrix<'_>,
        context: &RunContext,
    ) -> Result<Vec<Vec<ErrorMeasure>>, AttentionError> {
        let (inputs, exact) = (matrix.inputs, matrix.exact);
        let (seed, control) = (context.seed(), context.control());
        let stop = move || control.is_stopping();
        // Row-normalised errors of causal attention are those of other rows.
        let known = |measure: ErrorMeasure| {
            if !matrix.causal {
                return vec![measure];
            }
            vec![ErrorMeasure { normalized_squared: f64::NAN, nonpositive_rows: f64::NAN, ..measure }]
        };
        let of_landmarks = |rank: usize| -> Result<Vec<ErrorMeasure>, AttentionError> {
            let engine = FrobeniusEngine::new(inputs, exact, Precision::Double)?;
            let purpose = format!("landmarks m={rank} d={}", inputs.dim());
            let mut measures = Vec::new();
            for trial in 0..trials(baseline, self.params) {
                let mut rng = generator(seed, &purpose, trial as u64);
                let landmarks = if baseline == Baseline::KMeans {
                    k_means(inputs, rank, &mut rng, &stop)?
                } else {
                    random_tokens(inputs, rank, &mut rng)
                };
                let found = engine.measure_sketch(&NystromFeatures::new(landmarks)?, &stop)?;
                measures.extend(found.measures.into_iter().flat_map(known));
            }
            Ok(measures)
        };
        self.pool.install(|| match baseline {
            Baseline::None => Ok(vec![Vec::new(); ranks.len()]),
            Baseline::Svd => {
                let spectrum = Spectrum::of(inputs, exact.peak)?;
                Ok(ranks.iter().map(|&rank| vec![spectrum.measure(rank)]).collect())
            }
            Baseline::TopEntries => {
                Ok(largest_entries(inputs, exact.peak, ranks, &stop)?.into_iter().map(known).collect())
            }
            Baseline::Nystrom | Baseline::KMeans => ranks.iter().map(|&rank| of_landmarks(rank)).collect(),
        })
    }
}
