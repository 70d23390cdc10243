//! Task `estimate`: the error of the whole matrix for every method and budget, beside theory.

use super::choices::MaskKind;
use super::estimators::{estimator, subject};
use super::exact::{ExactMatrix, MatrixTrial};
use super::inputs::{MaskedInputs, MaskedReader, draws};
use super::pictures;
use super::rows::{EstimateCosts, MaskedSubject, MatrixErrors, OBSERVABLE};
use super::schema::methods;
use crate::attention::masked::{MaskedEstimator, MaskedMethod, MaskedTheory};
use crate::attention::{AttentionError, Projection};
use crate::lab::{Axis, Event, Params, Plot, Point, RunContext, RunError, Series, Style, decimal};
use crate::problems::inputs::HeadPlace;
use crate::problems::limits::failure;
use crate::problems::toolkit::{
    Burst, Columns, FinishedPoints, Meter, ProcessorMeter, declare_cost_series, declare_costs, tell_costs,
};
use crate::random::generator;
use crate::statistics::{mean, mean_and_error, weighted_quantile};
use rayon::ThreadPool;
use rayon::prelude::*;

pub(super) fn run(
    params: &Params,
    places: &[HeadPlace],
    pool: &ThreadPool,
    context: &mut RunContext,
) -> Result<(), RunError> {
    let budgets = params.sizes("features");
    let projections: Vec<Projection> = params.choices("projection");
    let trials = params.size("trials");
    let masks: Vec<MaskKind> = params.choices("mask");
    let points = masks.len() * places.len() * projections.len() * methods(params).len() * budgets.len();
    let found = FinishedPoints::new::<MaskedSubject>(context);
    let is_current = found.has(OBSERVABLE);
    let mut session = MatrixSession {
        params,
        pool,
        trials,
        meter: Meter::new(points * trials, "trials"),
        points: found,
        processor: ProcessorMeter::default(),
        is_current,
    };
    declare(is_current, context);
    let mut reader = MaskedReader::of_run(params, context);
    for mask in masks.iter().copied() {
        for place in places {
            context.check_cancelled()?;
            let drawn = reader.read(mask, place, context)?;
            let exact = ExactMatrix::new(&drawn)?;
            pictures::tell_exact(&drawn, &exact, context);
            let mut candidates = Vec::new();
            for &projection in &projections {
                for method in methods(params) {
                    let mut name = method.name().to_owned();
                    if projections.len() > 1 {
                        name += &format!(", {}", projection.name());
                    }
                    let name = CurveName::new(name, mask, place, (masks.len(), places.len()), params);
                    candidates.extend(session.curve(&drawn, &exact, method, projection, &name, context)?);
                }
            }
            let mut about = format!("{mask} masks");
            if places.len() > 1 && !place.source.is_drawn() {
                about += &format!(" on{}", place.mark());
            }
            conclude(&candidates, &about, &exact, context)?;
        }
    }
    session.processor.remark().into_iter().for_each(|remark| context.note(remark));
    Ok(())
}

fn declare(is_current: bool, context: &mut RunContext) {
    let axis = || Axis::log("features M (columns of Φ)");
    for (id, title, y) in [
        ("error", "Relative Frobenius error", Axis::log("‖Â − A‖/‖A‖")),
        ("mean", "Root of the mean squared error, and theory", Axis::log("√(mean ‖Â−A‖²)/‖A‖, ± 2 s.e.")),
        ("bias", "Bias statistic ⟨Â, A⟩/‖A‖², ± 2 s.e.", Axis::linear("1 is unbiased")),
        ("negative", "Entries below 0", Axis::linear("share of entries")),
    ] {
        if id != "mean" || is_current {
            context.emit(Event::Plot(Plot { id: id.to_owned(), title: title.to_owned(), x: axis(), y }));
        }
    }
    if is_current {
        declare_costs("Relative error", "", "‖Â − A‖/‖A‖", context);
    }
}

/// How a curve is called.
struct CurveName {
    /// In events, and in the names of its draws.
    id: String,
    /// On the screen.
    shown: String,
}

impl CurveName {
    /// The name of the curve that is called `method` where there is one kind of masks and one place; there are `counts` of
    /// both.
    fn new(method: String, mask: MaskKind, place: &HeadPlace, counts: (usize, usize), params: &Params) -> Self {
        let (length, mark) = draws(place, params);
        let several = counts.0 * params.sizes("length").len() > 1;
        let id = if several { format!("{method}, {mask} L={length}{mark}") } else { format!("{method}{mark}") };
        let shown = match counts {
            (1, 1) => method,
            _ if place.source.is_drawn() => id.clone(),
            (1, _) => format!("{method},{mark}"),
            _ => format!("{method}, {mask} L={}{mark}", place.queries),
        };
        Self { id, shown }
    }
}

/// What the curves of a run have in common.
struct MatrixSession<'a> {
    params: &'a Params,
    pool: &'a ThreadPool,
    trials: usize,
    meter: Meter,
    points: FinishedPoints,
    processor: ProcessorMeter,
    /// Whether the run has the form of this version. One that an earlier version began keeps its form to the end: theory in the plot
    /// of medians, standard errors everywhere.
    is_current: bool,
}

/// A method with its result at the largest of the budgets: one that may be recommended.
struct Candidate {
    name: String,
    method: MaskedMethod,
    estimator: MaskedEstimator,
    errors: MatrixErrors,
}

impl MatrixSession<'_> {
    /// Tells the error of one method over the budgets. Returns what it is at the largest of them.
    fn curve(
        &mut self,
        masks: &MaskedInputs,
        exact: &ExactMatrix,
        method: MaskedMethod,
        projection: Projection,
        name: &CurveName,
        context: &mut RunContext,
    ) -> Result<Option<Candidate>, RunError> {
        declare_curve(name, method, self.is_current, context);
        if self.is_current {
            declare_cost_series(&name.id, &name.shown, Style::Line, context);
        }
        let budgets = self.params.sizes("features");
        let largest = budgets.iter().copied().max();
        let mut found = None;
        for (place, features) in budgets.into_iter().enumerate() {
            let estimator = estimator(self.params, masks, method, projection, features)?;
            let theory = MaskedTheory::new(&estimator);
            if let (Err(reason), 0) = (&theory, place) {
                context.note(format!("{}: {reason}", name.shown));
            }
            let subject = subject(masks, method, projection, &estimator);
            let rows = if let Some(rows) = self.points.find(&[&subject], context) {
                self.meter.skip(self.trials);
                rows
            } else {
                let expected = theory.ok().map(|theory| {
                    let (queries, keys) = (masks.tokens.queries.view(), masks.tokens.keys.view());
                    let masks = (masks.queries.view(), masks.keys.view());
                    self.pool.install(|| theory.observable((queries, masks.0), (keys, masks.1), self.trials))
                });
                self.processor.begin(self.pool);
                let trials = self.trials(exact, &estimator, name, context)?;
                let cpu_seconds = self.processor.end(self.pool);
                let errors = self.errors(&trials, expected.filter(|(value, _)| value.is_finite()));
                let bytes = self.is_current.then(|| estimate_bytes(masks, &estimator));
                let cpu_seconds_per_trial = cpu_seconds.map(|seconds| seconds / trials.len() as f64);
                let errors = MatrixErrors { cpu_seconds_per_trial, ..errors };
                self.points.tell(burst(&name.id, method, self.is_current, &subject, &trials, (&errors, bytes)), context)
            };
            if Some(features) == largest {
                let errors = rows.first().and_then(MatrixErrors::read);
                found = errors.map(|errors| Candidate { name: name.shown.clone(), method, estimator, errors });
            }
        }
        Ok(found)
    }

    /// Statistics of a point over its trials; `theory` is the expected squared error and whether draws show it.
    fn errors(&self, trials: &[MatrixTrial], theory: Option<(f64, Option<bool>)>) -> MatrixErrors {
        let all = |value: fn(&MatrixTrial) -> f64| trials.iter().map(value);
        let observable = theory.and_then(|(_, observable)| observable);
        let is_hidden = self.is_current && observable == Some(false);
        // A single trial has no standard error; rows say 0 there.
        let with_error = |value: fn(&MatrixTrial) -> f64| {
            let found = mean_and_error(all(value));
            let (mean, error) = found.map_or((f64::NAN, f64::NAN), |(mean, error)| (mean, error.unwrap_or(0.0)));
            (mean, (!is_hidden).then_some(error))
        };
        let (rel_mse_mean, rel_mse_sem) = with_error(|trial| trial.square);
        let (mean_ratio, mean_ratio_sem) = with_error(|trial| trial.ratio);
        MatrixErrors {
            trials: trials.len(),
            rel_frobenius_median: weighted_quantile(&sorted_errors(trials), 0.5),
            rel_mse_mean,
            rel_mse_sem,
            rel_mse_theory: theory.map(|(mse, _)| mse),
            mean_ratio,
            mean_ratio_sem,
            negative_entries: mean(all(|trial| trial.negative_entries)),
            negative_row_sums: mean(all(|trial| trial.negative_row_sums)),
            seconds_per_trial: mean(all(|trial| trial.seconds)),
            observable,
            cpu_seconds_per_trial: None,
        }
    }

    /// Fresh draws of one estimator.
    fn trials(
        &mut self,
        exact: &ExactMatrix,
        estimator: &MaskedEstimator,
        name: &CurveName,
        context: &mut RunContext,
    ) -> Result<Vec<MatrixTrial>, RunError> {
        let seed = context.seed();
        let purpose = format!("masked {} {}", name.id, estimator.features());
        let stage = format!("{}, M = {}", name.shown, estimator.features());
        let batch = (self.pool.current_num_threads() * 2).max(4);
        let mut trials = Vec::with_capacity(self.trials);
        while trials.len() < self.trials {
            context.check_cancelled()?;
            let first = trials.len();
            let last = (first + batch).min(self.trials);
            let found: Result<Vec<MatrixTrial>, AttentionError> = self.pool.install(|| {
                let one = |trial: usize| exact.trial(estimator, &mut generator(seed, &purpose, trial as u64));
                (first..last).into_par_iter().map(one).collect()
            });
            trials.extend(found.map_err(failure)?);
            self.meter.advance(last - first, &stage, context);
        }
        Ok(trials)
    }
}

fn declare_curve(name: &CurveName, method: MaskedMethod, with_means: bool, context: &mut RunContext) {
    let CurveName { id, shown } = name;
    let mut declare = |series| context.emit(Event::Series(series));
    declare(Series::new(id, "error", shown));
    let (plot, measured) = if with_means { ("mean", format!("{id}/mean")) } else { ("error", id.clone()) };
    if with_means {
        declare(Series::new(&measured, plot, shown));
    }
    let theory = Series::new(format!("{id}/theory"), plot, format!("{shown}, theory"));
    declare(theory.drawn(Style::Dashed).beside(measured));
    declare(Series::new(format!("{id}/bias"), "bias", shown));
    if !method.is_non_negative() {
        declare(Series::new(format!("{id}/negative"), "negative", shown));
    }
}

/// ‖Â−A‖/‖A‖ of all trials, the smallest first.
fn sorted_errors(trials: &[MatrixTrial]) -> Vec<f64> {
    let mut errors: Vec<f64> = trials.iter().map(|trial| trial.square.sqrt()).collect();
    errors.sort_by(f64::total_cmp);
    errors
}

/// The points and the row of one budget.
fn burst(
    name: &str,
    method: MaskedMethod,
    with_means: bool,
    subject: &MaskedSubject,
    trials: &[MatrixTrial],
    (errors, bytes): (&MatrixErrors, Option<u64>),
) -> Burst {
    let x = subject.features as f64;
    let sorted = sorted_errors(trials);
    let mut burst = Burst::new();
    let quartiles = [0.25, 0.75].map(|part| weighted_quantile(&sorted, part));
    let point =
        |series: String, x| Point::new(series, x, errors.rel_frobenius_median).within(quartiles[0], quartiles[1]);
    burst.point(point(name.to_owned(), x));
    if bytes.is_some() {
        tell_costs(name, (errors.seconds_per_trial, bytes), point, &mut burst);
    }
    if let Some(theory) = errors.rel_mse_theory {
        burst.point(Point::new(format!("{name}/theory"), x, theory.sqrt()));
    }
    if with_means {
        let mse = errors.rel_mse_mean;
        let point = Point::new(format!("{name}/mean"), x, mse.sqrt());
        let root = |square: f64| square.max(0.0).sqrt();
        burst.point(match errors.rel_mse_sem {
            Some(error) => point.within(root(mse - 2.0 * error), root(mse + 2.0 * error)),
            None => point,
        });
    }
    let point = Point::new(format!("{name}/bias"), x, errors.mean_ratio);
    burst.point(match errors.mean_ratio_sem {
        Some(error) => point.within(errors.mean_ratio - 2.0 * error, errors.mean_ratio + 2.0 * error),
        None => point,
    });
    if !method.is_non_negative() {
        burst.point(Point::new(format!("{name}/negative"), x, errors.negative_entries));
    }
    burst.row_with(subject, errors, &EstimateCosts { estimate_bytes: bytes });
    burst
}

/// Bytes of an estimate: the projections of tokens, and the features of both sides, in 64 bits.
fn estimate_bytes(masks: &MaskedInputs, estimator: &MaskedEstimator) -> u64 {
    let tokens = masks.tokens.queries.nrows() + masks.tokens.keys.nrows();
    8 * (estimator.projections() * masks.tokens.dim() + estimator.features() * tokens) as u64
}

impl Candidate {
    /// The error that decides: theory has no luck in it, so it counts where there is one.
    fn error(&self) -> f64 {
        self.errors.rel_mse_theory.map_or(self.errors.rel_frobenius_median, f64::sqrt)
    }

    fn described(&self) -> String {
        format!("{} (error {} at M = {})", self.name, decimal(self.error(), 3), self.estimator.features())
    }
}

/// Tells which method the numbers speak for, and draws one estimate of it. All rows count, whichever part of the run
/// made them.
fn conclude(
    candidates: &[Candidate],
    about: &str,
    exact: &ExactMatrix,
    context: &mut RunContext,
) -> Result<(), RunError> {
    let best = |positive: bool| {
        let fitting = candidates.iter().filter(|candidate| !positive || candidate.method.is_non_negative());
        fitting.min_by(|a, b| a.error().total_cmp(&b.error()))
    };
    let Some(first) = best(false) else { return Ok(()) };
    let mut line = format!("which estimator, for {about}: {} has the smallest error", first.described());
    if first.error() >= 1.0 {
        line = format!(
            "which estimator, for {about}: none; the smallest error, of {}, is no better than that of an estimate of 0",
            first.described()
        );
    } else if first.method.is_non_negative() {
        line += " and never goes below 0";
    } else {
        line += &format!(", with {} % of the entries below 0", decimal(100.0 * first.errors.negative_entries, 1));
        if let Some(positive) = best(true) {
            line += &format!("; inside attention, where denominators must not vanish, take {}", positive.described());
        }
    }
    context.note(line);
    let sketch = first.estimator.draw(&mut context.generator("masked picture", 0)).map_err(failure)?;
    pictures::tell_estimate(&first.name, &sketch, exact, context)
}
