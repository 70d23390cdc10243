//! One run: every matrix of the grid, curve by curve.

use super::baselines;
use super::costs::{self, estimate_bytes};
use super::curve::{CurveSampler, CurveTrials, PointStatistics};
use super::difference::{remarks as difference_remarks, to_gaussian};
use super::heads::HeadSummary;
use super::memory;
use super::pictures;
use super::rows::{CurveResults, CurveSubject, MSE_MINUS_GAUSSIAN, unfit};
use super::schema::{open_device, projections, sizes};
use super::series::Curves;
use super::surveyed::{MatrixFacts, SurveyedMatrix};
use crate::attention::theory::Expectation;
use crate::attention::{AttentionError, Projection};
use crate::lab::{ParamError, Params, Row, RunContext, RunError};
use crate::problems::devices::check_there;
use crate::problems::estimators::{FeatureEstimator, estimators};
use crate::problems::inputs::{InputReader, places};
use crate::problems::toolkit::{Burst, FinishedPoints, Meter, ProcessorMeter, pool};
use rayon::ThreadPool;

pub(super) fn run(params: &Params, context: &mut RunContext) -> Result<(), RunError> {
    let wrong = |error: ParamError| RunError::Input(error.to_string());
    check_there(params).map_err(wrong)?;
    let places = places(params, context.folder().parent())?;
    let pool = pool(params, context, memory::pieces(params, &places))?;
    let with_values = places.iter().any(|place| place.value_dim > 0);
    let points = FinishedPoints::new::<CurveSubject>(context);
    let is_current = points.has(MSE_MINUS_GAUSSIAN);
    let curves = places.len() * estimators(params).len() * projections(params).len();
    let passes = if params.flag("nested") { 1 } else { sizes(params).len() };
    let stored = places.iter().filter(|place| place.layer.is_some() || place.head.is_some()).count();
    let of_baselines = places.iter().map(|place| baselines::units(params, place)).sum::<usize>();
    let plotted = Curves::new(params, stored, is_current);
    plotted.declare_plots(with_values, places.len() > stored, context);
    if is_current {
        costs::declare(context);
    }
    let mut session = FeaturesSession {
        params,
        pool: &pool,
        meter: Meter::new(curves * passes * params.size("trials") + of_baselines, "trials"),
        points,
        curves: plotted,
        processor: ProcessorMeter::default(),
        is_first: true,
        is_current,
    };
    if params.flag("nested") && sizes(params).len() > 1 {
        context.note("nested draws: the points of a curve share their draws, so they are correlated along m");
    }
    let device = open_device(params, &places).map_err(wrong)?;
    if !device.device.is_cpu() {
        context.note(format!("estimates are compared with the exact matrix by {}", device.label));
    }
    let mut reader = InputReader::of_run(params, context);
    let mut summary = HeadSummary::new(params, &places);
    for place in &places {
        context.check_cancelled()?;
        let source = reader.read(*place, &place.draw_name())?;
        let control = context.control();
        let stop = move || control.is_stopping();
        let facts = MatrixFacts { params, pool: &pool, stop: &stop, device: &device };
        let survey = facts.survey(source)?;
        for note in survey.notes() {
            context.note(note);
        }
        let matrix = facts.matrix(&survey)?;
        session.baselines(place, &matrix, context)?;
        let mut rows = Vec::new();
        for estimator in estimators(params) {
            let mut curves: Vec<(Projection, Vec<Row>)> = Vec::new();
            for projection in projections(params) {
                let gaussian = curves.iter().find(|(projection, _)| *projection == Projection::Gaussian);
                let gaussian = gaussian.map_or(&[][..], |(_, rows)| rows);
                let found = session.curve(&matrix, estimator, projection, gaussian, context)?;
                curves.push((projection, found));
            }
            if is_current && !session.curves.are_medians() {
                let what = format!("{} on {}, L = {}", estimator.label(), matrix.title, matrix.length());
                difference_remarks(&what, &curves).into_iter().for_each(|remark| context.note(remark));
            }
            rows.extend(curves.into_iter().flat_map(|(_, rows)| rows));
        }
        session.energy(&matrix, context);
        session.is_first = false;
        summary.add(place, rows);
        summary.tell(context);
    }
    summary.conclude(context);
    session.processor.remark().into_iter().for_each(|remark| context.note(remark));
    Ok(())
}

/// What the curves of a run have in common.
pub(super) struct FeaturesSession<'a> {
    pub(super) params: &'a Params,
    pub(super) pool: &'a ThreadPool,
    pub(super) meter: Meter,
    pub(super) points: FinishedPoints,
    processor: ProcessorMeter,
    pub(super) curves: Curves<'a>,
    /// Whether this is the first matrix: of many heads only that one is shown as a picture.
    pub(super) is_first: bool,
    /// Whether the run has the form of this version. One that an earlier version began keeps its form to the end: a mean and theory
    /// in the plot of medians, standard errors everywhere, draws shared by all lengths, no costs.
    pub(super) is_current: bool,
}

impl FeaturesSession<'_> {
    /// What draws for `matrix` have in their name: drawn inputs of every length but the first have draws of their own.
    fn stream(&self, matrix: &SurveyedMatrix<'_>) -> String {
        let length = matrix.length();
        let is_first = self.params.sizes("length").first() == Some(&length);
        if !self.is_current || is_first || !matrix.is_drawn() {
            return String::new();
        }
        format!(" L={length}")
    }

    /// Measures one curve and returns its rows. An estimator that does not fit has rows that say why. `gaussian` holds the rows of
    /// Gaussian rows where they came before.
    fn curve(
        &mut self,
        matrix: &SurveyedMatrix<'_>,
        estimator: FeatureEstimator,
        projection: Projection,
        gaussian: &[Row],
        context: &mut RunContext,
    ) -> Result<Vec<Row>, RunError> {
        let (params, ms) = (self.params, sizes(self.params));
        let subjects: Vec<CurveSubject> =
            ms.iter().map(|&m| matrix.subject(estimator, projection, m, params)).collect();
        let fitted = estimator.check(projection).and_then(|()| estimator.fit(matrix.inputs, params));
        let method = match fitted {
            Ok(method) => method.on(projection),
            Err(AttentionError::Stopped) => return Err(RunError::Stopped),
            Err(error) => return Ok(self.refused(matrix, &subjects, &error, context)),
        };
        let theory = self.theory(matrix, &method, projection, &ms, context)?;
        self.remarks(matrix, estimator, &method, projection, theory.as_deref(), context);
        let sampler =
            CurveSampler::new(matrix, method, projection, params.size("trials"), self.stream(matrix), self.pool);
        let series = self.curves.declare(matrix, estimator, projection, &ms, theory.as_deref(), context);
        if self.is_current {
            costs::declare_series(&series, context);
        }
        let what = format!("{} {}", estimator.label(), projection.name());
        let largest = ms.last().copied().unwrap_or(1);
        if !self.curves.are_medians() || self.is_first {
            pictures::tell(matrix, &sampler, &format!("{what}, m = {largest}"), largest, context)?;
        }
        let groups: Vec<&[usize]> = if params.flag("nested") { vec![&ms[..]] } else { ms.chunks(1).collect() };
        let (mut place, mut rows) = (0, Vec::new());
        for group in groups {
            let range = place..place + group.len();
            place = range.end;
            let subjects = &subjects[range.clone()];
            if let Some(found) = self.points.find(&subjects.iter().collect::<Vec<_>>(), context) {
                self.meter.skip(sampler.trials);
                rows.extend(found);
                continue;
            }
            let stage = format!("{} {what} m = {}", matrix.title, group.last().copied().unwrap_or(0));
            self.processor.begin(self.pool);
            let trials = sampler.trials(group, &stage, &mut self.meter, context)?;
            let cpu_seconds = self.processor.end(self.pool);
            let mut burst = Burst::new();
            if let Some(note) = trials.precision_note(matrix, &stage) {
                burst.note(note);
            }
            for (place, subject) in subjects.iter().enumerate() {
                if let Some(note) = trials.rows_note(place, &stage) {
                    burst.note(note);
                }
                let index = range.start + place;
                let expected = theory.as_deref().map(|theory| theory[index]);
                let mut statistics = PointStatistics::of(&trials.measures[place]);
                if self.is_current && expected.is_some_and(|expected| expected.observable() == Some(false)) {
                    // Standard errors over such draws are as much too small as the means.
                    statistics = statistics.without_errors();
                }
                self.curves.tell(&series[index], subject, &statistics, &mut burst);
                let difference = gaussian
                    .get(index)
                    .and_then(|gaussian| to_gaussian(statistics.mse, statistics.mse_sem, sampler.trials, gaussian));
                let found = CurveResults {
                    sampled_rows: matrix.sample.as_ref().map(|sample| sample.shares.len()),
                    rel_mse_rows_sem: trials.rows_error(matrix, place),
                    mse_minus_gaussian: difference.map(|(difference, _)| difference),
                    mse_minus_gaussian_interval: difference.map(|(_, half)| half),
                    cpu_seconds_per_trial: cpu_seconds.map(|seconds| seconds / sampler.trials as f64),
                    ..results(matrix, subject, &statistics, expected, &trials)
                };
                if self.is_current {
                    costs::tell(&series[index], &statistics, &found, &mut burst);
                }
                burst.row(subject, &found);
            }
            rows.extend(self.points.tell(burst, context));
        }
        Ok(rows)
    }

    /// Rows that say why an estimator has no numbers.
    fn refused(
        &mut self,
        matrix: &SurveyedMatrix<'_>,
        subjects: &[CurveSubject],
        error: &AttentionError,
        context: &mut RunContext,
    ) -> Vec<Row> {
        let passes = if self.params.flag("nested") { 1 } else { subjects.len() };
        self.meter.skip(passes * self.params.size("trials"));
        if let Some(found) = self.points.find(&subjects.iter().collect::<Vec<_>>(), context) {
            return found;
        }
        let mut burst = Burst::new();
        for subject in subjects {
            burst.row(subject, &unfit(matrix, error.to_string()));
        }
        self.points.tell(burst, context)
    }
}

/// What came out at one m.
pub(super) fn results(
    matrix: &SurveyedMatrix<'_>,
    subject: &CurveSubject,
    found: &PointStatistics,
    expected: Option<Expectation>,
    trials: &CurveTrials,
) -> CurveResults {
    let output = found.output.as_ref();
    let window = matrix.window(subject.m, subject.features);
    CurveResults {
        rel_frobenius_median: found.median,
        rel_frobenius_q25: found.q25,
        rel_frobenius_q75: found.q75,
        rel_frobenius_mean: found.mean,
        rel_mse_mean: found.mse,
        rel_mse_sem: found.mse_sem,
        rel_mse_theory: expected.map(|expected| expected.relative_mse).filter(|mse| mse.is_finite()),
        log10_rel_mse_theory: expected.map(|expected| expected.log10_relative_mse),
        squared_bias_theory: expected.map(|expected| expected.squared_bias),
        variance_theory: expected.map(|expected| expected.variance),
        enough_projections: expected
            .filter(|_| subject.f.is_some())
            .and_then(|expected| expected.enough_projections(subject.m)),
        observable: expected.and_then(|expected| expected.observable()),
        mean_ratio: found.ratio,
        mean_ratio_sem: found.ratio_sem,
        mean_ratio_theory: expected.map(|expected| expected.mean_ratio),
        normalized_rel_frobenius_median: found.normalized,
        output_rel_error_median: output.map(|output| output[1]),
        output_rel_error_q25: output.map(|output| output[0]),
        output_rel_error_q75: output.map(|output| output[2]),
        nonpositive_entries: found.nonpositive_entries,
        nonpositive_rows: found.nonpositive_rows,
        precision: trials.precision.name(),
        seconds_per_trial: trials.seconds,
        device: Some(trials.device(matrix).to_owned()),
        estimate_bytes: Some(estimate_bytes(subject.m, subject.features, matrix.inputs, trials.precision)),
        window: window.map(|(width, _)| width),
        window_output_rel_error: window.and_then(|(_, errors)| errors.output),
        window_normalized_rel_error: window.map(|(_, errors)| errors.normalized),
        ..unfit(matrix, String::new())
    }
}
