//! Task `estimate`: the error of the whole matrix for every method and budget, beside theory.

use super::inputs::{self, Masks};
use super::schema::{methods, shares};
use crate::attention::kernel::exact;
use crate::attention::masked::{Budget, MaskedEstimator, MaskedMethod, MaskedTheory};
use crate::attention::{AttentionError, Projection, Sketch};
use crate::lab::{
    Axis, Event, Matrix, Params, Plot, Point, Progress, Row, RunContext, RunError, Series, Style, decimal,
};
use crate::problems::limits::failure;
use crate::random::generator;
use ndarray::{Array2, Axis as Along, concatenate};
use rayon::ThreadPool;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::time::Instant;

/// Rows and columns drawn of a matrix, at most.
const SIDE: usize = 48;

/// What one trial found.
struct Trial {
    square: f64,
    ratio: f64,
    negative_entries: f64,
    negative_row_sums: f64,
    seconds: f64,
}

/// The exact matrix with the rows that features are made of.
struct Exact {
    /// Tokens and masks side by side.
    queries: Array2<f64>,
    keys: Array2<f64>,
    matrix: Array2<f64>,
    norm: f64,
}

/// A method's result at its largest budget, for the recommendation.
struct Found {
    name: String,
    method: MaskedMethod,
    estimator: MaskedEstimator,
    error: f64,
    negative: f64,
}

pub(super) fn run(params: &Params, pool: &ThreadPool, context: &mut RunContext) -> Result<(), RunError> {
    let budgets = params.sizes("features");
    let projections: Vec<Projection> = params.choices("projection");
    let trials = params.size("trials");
    let (masks, lengths) = (params.texts("mask"), params.sizes("length"));
    let points = masks.len() * lengths.len() * projections.len() * methods(params).len() * budgets.len();
    let mut work = Work {
        params,
        pool,
        trials,
        done: 0,
        total: (points * trials) as u64,
        began: Instant::now(),
        skip: context.finished_rows().len(),
    };
    declare(context);
    let several = masks.len() * lengths.len() > 1;
    for mask in &masks {
        for &length in &lengths {
            let drawn = inputs::draw(mask, length, params, context)?;
            let exact = Exact::new(&drawn)?;
            pictures(&drawn, &exact, context);
            let mut found = Vec::new();
            for &projection in &projections {
                for method in methods(params) {
                    let mut name = method.name().to_owned();
                    if projections.len() > 1 {
                        name += &format!(", {}", projection.name());
                    }
                    if several {
                        name += &format!(", {mask} L={length}");
                    }
                    found.extend(work.curve(&drawn, &exact, method, projection, &name, context)?);
                }
            }
            recommend(&found, mask, &exact, context)?;
        }
    }
    Ok(())
}

fn declare(context: &mut RunContext) {
    let axis = || Axis::log("features M (columns of Φ)");
    for (id, title, y) in [
        ("error", "Relative Frobenius error", Axis::log("‖Â − A‖/‖A‖")),
        ("bias", "Bias statistic ⟨Â, A⟩/‖A‖², ± 2 s.e.", Axis::linear("1 is unbiased")),
        ("negative", "Entries below 0", Axis::linear("share of entries")),
    ] {
        context.emit(Event::Plot(Plot { id: id.to_owned(), title: title.to_owned(), x: axis(), y }));
    }
}

impl Exact {
    fn new(masks: &Masks) -> Result<Self, RunError> {
        let join = |tokens: &Array2<f64>, masks: &Array2<f64>| {
            concatenate(Along(1), &[tokens.view(), masks.view()])
                .unwrap_or_else(|_| unreachable!("masks have a row a token"))
        };
        let matrix = exact(&masks.tokens).map_err(failure)? * masks.queries.dot(&masks.keys.t());
        let norm = (&matrix * &matrix).sum();
        if !norm.is_finite() {
            let longest =
                |tokens: &Array2<f64>| tokens.rows().into_iter().map(|row| row.dot(&row).sqrt()).fold(0.0, f64::max);
            let (q, k) = (longest(&masks.tokens.queries), longest(&masks.tokens.keys));
            return Err(RunError::Input(format!(
                "inputs: entries outgrow 64 bits: the longest query has length {q:.1}, the longest key {k:.1}"
            )));
        }
        Ok(Self {
            queries: join(&masks.tokens.queries, &masks.queries),
            keys: join(&masks.tokens.keys, &masks.keys),
            matrix,
            norm,
        })
    }
}

struct Work<'a> {
    params: &'a Params,
    pool: &'a ThreadPool,
    trials: usize,
    done: u64,
    total: u64,
    began: Instant,
    /// Rows that an earlier part of the run has finished.
    skip: usize,
}

impl Work<'_> {
    /// The error of one method over the budgets; what it is at the largest.
    fn curve(
        &mut self,
        masks: &Masks,
        exact: &Exact,
        method: MaskedMethod,
        projection: Projection,
        name: &str,
        context: &mut RunContext,
    ) -> Result<Option<Found>, RunError> {
        let theory = format!("{name}/theory");
        let mut declare = |series| context.emit(Event::Series(series));
        declare(Series::new(name, "error", name));
        declare(Series::new(theory, "error", format!("{name}, theory")).drawn(Style::Dashed).beside(name));
        declare(Series::new(format!("{name}/bias"), "bias", name));
        if !method.is_non_negative() {
            declare(Series::new(format!("{name}/negative"), "negative", name));
        }
        let mut last = None;
        for features in self.params.sizes("features") {
            if self.skip > 0 {
                self.skip -= 1;
                self.done += self.trials as u64;
                continue;
            }
            let estimator = self.estimator(masks, method, projection, features)?;
            let theory = MaskedTheory::new(&estimator);
            if let (Err(why), None) = (&theory, &last) {
                context.note(format!("{name}: {why}"));
            }
            let expected = theory.ok().map(|theory| {
                self.pool.install(|| {
                    let tokens = &masks.tokens;
                    theory.relative_mse(
                        (tokens.queries.view(), masks.queries.view()),
                        (tokens.keys.view(), masks.keys.view()),
                    )
                })
            });
            let expected = expected.filter(|value| value.is_finite());
            let trials = self.trials(exact, &estimator, name, context)?;
            last = Some(self.tell(masks, exact, &estimator, (method, projection, name), &trials, expected, context));
        }
        Ok(last)
    }

    fn estimator(
        &self,
        masks: &Masks,
        method: MaskedMethod,
        projection: Projection,
        features: usize,
    ) -> Result<MaskedEstimator, RunError> {
        let inner = match self.params.size("m") {
            0 => 4 * features,
            m => m,
        };
        let (probabilities, allocation) = (shares(self.params, "probabilities"), shares(self.params, "allocation"));
        let budget = Budget { features, inner, probabilities: &probabilities, allocation: &allocation };
        let sides = (masks.queries.view(), masks.keys.view());
        let key = if method == MaskedMethod::Coordinate { "probabilities" } else { "allocation" };
        MaskedEstimator::new(method, projection, masks.tokens.dim(), sides, budget)
            .map_err(|error| super::refused(&error, key))
    }

    fn trials(
        &mut self,
        exact: &Exact,
        estimator: &MaskedEstimator,
        name: &str,
        context: &mut RunContext,
    ) -> Result<Vec<Trial>, RunError> {
        let seed = context.seed();
        let purpose = format!("masked {name} {}", estimator.features());
        let batch = (self.pool.current_num_threads() * 2).max(4);
        let mut trials = Vec::with_capacity(self.trials);
        while trials.len() < self.trials {
            context.check_cancelled()?;
            let first = trials.len();
            let last = (first + batch).min(self.trials);
            let found: Vec<Trial> = self
                .pool
                .install(|| {
                    let one = |trial: usize| trial_of(exact, estimator, &mut generator(seed, &purpose, trial as u64));
                    (first..last).into_par_iter().map(one).collect::<Result<_, _>>()
                })
                .map_err(failure)?;
            trials.extend(found);
            self.done += (last - first) as u64;
            context.emit(Event::Progress(Progress {
                done: self.done,
                total: self.total,
                unit: "trials".to_owned(),
                rate: self.done as f64 / self.began.elapsed().as_secs_f64().max(1e-9),
                stage: format!("{name}, M = {}", estimator.features()),
            }));
        }
        Ok(trials)
    }

    #[expect(clippy::too_many_arguments, reason = "one row of a table says all of this")]
    fn tell(
        &self,
        masks: &Masks,
        exact: &Exact,
        estimator: &MaskedEstimator,
        (method, projection, name): (MaskedMethod, Projection, &str),
        trials: &[Trial],
        theory: Option<f64>,
        context: &mut RunContext,
    ) -> Found {
        let features = estimator.features();
        let mut errors: Vec<f64> = trials.iter().map(|trial| trial.square.sqrt()).collect();
        errors.sort_by(f64::total_cmp);
        let quantile = |q: f64| {
            let place = q * (errors.len() - 1) as f64;
            let (low, part) = (place.floor() as usize, place.fract());
            errors[low] * (1.0 - part) + errors[(low + 1).min(errors.len() - 1)] * part
        };
        let (mse, mse_sem) = mean_and_error(trials.iter().map(|trial| trial.square));
        let (ratio, ratio_sem) = mean_and_error(trials.iter().map(|trial| trial.ratio));
        let mean = |of: fn(&Trial) -> f64| trials.iter().map(of).sum::<f64>() / trials.len() as f64;
        let negative = mean(|trial| trial.negative_entries);
        let x = features as f64;
        let median = quantile(0.5);
        context.emit(Event::Point(Point::new(name, x, median).within(quantile(0.25), quantile(0.75))));
        if let Some(theory) = theory {
            context.emit(Event::Point(Point::new(format!("{name}/theory"), x, theory.sqrt())));
        }
        let bias = Point::new(format!("{name}/bias"), x, ratio);
        context.emit(Event::Point(bias.within(ratio - 2.0 * ratio_sem, ratio + 2.0 * ratio_sem)));
        if !method.is_non_negative() {
            context.emit(Event::Point(Point::new(format!("{name}/negative"), x, negative)));
        }
        let row = json!({
            "inputs": self.params.text("inputs"),
            "mask": masks.name,
            "length": exact.matrix.nrows(),
            "dim": masks.tokens.dim(),
            "mask_dim": masks.queries.ncols(),
            "method": method.name(),
            "projection": projection.name(),
            "m": estimator.projections(),
            "features": features,
            "trials": self.trials,
            "rel_frobenius_median": median,
            "rel_mse_mean": mse,
            "rel_mse_sem": mse_sem,
            "rel_mse_theory": theory,
            "mean_ratio": ratio,
            "mean_ratio_sem": ratio_sem,
            "negative_entries": negative,
            "negative_row_sums": mean(|trial| trial.negative_row_sums),
            "seconds_per_trial": mean(|trial| trial.seconds),
        });
        context.emit(Event::Row { row: object(row) });
        // Theory has no luck in it: it decides where there is one.
        let error = theory.map_or(median, f64::sqrt);
        Found { name: name.to_owned(), method, estimator: estimator.clone(), error, negative }
    }
}

/// One estimate of the whole matrix.
fn trial_of(
    exact: &Exact,
    estimator: &MaskedEstimator,
    rng: &mut crate::random::Generator,
) -> Result<Trial, AttentionError> {
    let began = Instant::now();
    let sketch = estimator.draw(rng)?;
    let estimate = sketch.matrix(exact.queries.view(), exact.keys.view())?;
    let seconds = began.elapsed().as_secs_f64();
    let (mut square, mut product, mut negative) = (0.0, 0.0, 0_usize);
    for (found, known) in estimate.iter().zip(&exact.matrix) {
        square += (found - known) * (found - known);
        product += found * known;
        // Rounding makes zeros of sketches slightly negative; those are no negative entries.
        negative += usize::from(*found < -1e-12 * known.abs().max(1e-300));
    }
    let sums = estimate.sum_axis(Along(1));
    Ok(Trial {
        square: square / exact.norm,
        ratio: product / exact.norm,
        negative_entries: negative as f64 / estimate.len() as f64,
        negative_row_sums: sums.iter().filter(|sum| **sum < 0.0).count() as f64 / sums.len() as f64,
        seconds,
    })
}

/// The mean of `values` and its standard error.
fn mean_and_error(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let (count, sum) = values.clone().fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    let mean = sum / count;
    let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / f64::max(count - 1.0, 1.0);
    (mean, (variance / count).sqrt())
}

/// The line that follows from the numbers on the screen.
fn recommend(found: &[Found], mask: &str, exact: &Exact, context: &mut RunContext) -> Result<(), RunError> {
    let best = |positive: bool| {
        let fits = found.iter().filter(|result| !positive || result.method.is_non_negative());
        fits.min_by(|a, b| a.error.total_cmp(&b.error))
    };
    let Some(first) = best(false) else { return Ok(()) };
    let said = |result: &Found| {
        format!("{} (error {} at M = {})", result.name, decimal(result.error, 3), result.estimator.features())
    };
    let mut line = format!("which estimator, for {mask} masks: {} has the smallest error", said(first));
    if first.method.is_non_negative() {
        line += " and never goes below 0";
    } else {
        line += &format!(", with {} % of the entries below 0", decimal(100.0 * first.negative, 1));
        if let Some(positive) = best(true) {
            line += &format!("; inside attention, where denominators must not vanish, take {}", said(positive));
        }
    }
    context.note(line);
    let sketch = first.estimator.draw(&mut context.generator("masked picture", 0)).map_err(failure)?;
    let thin = |side: &Array2<f64>| side.select(Along(0), &every(side.nrows()));
    let estimate = sketch.matrix(thin(&exact.queries).view(), thin(&exact.keys).view()).map_err(failure)?;
    context.emit(picture("estimate", &format!("estimate: {}", first.name), &estimate));
    Ok(())
}

/// Every so many-th token, at most [`SIDE`] of them.
fn every(count: usize) -> Vec<usize> {
    let shown = count.min(SIDE);
    (0..shown).map(|i| i * count / shown).collect()
}

/// The mask, the masked matrix and one estimate of it, thinned to what a screen can draw.
fn pictures(masks: &Masks, exact: &Exact, context: &mut RunContext) {
    let (rows, cols) = exact.matrix.dim();
    let (rows, cols) = (every(rows), every(cols));
    let thin = |matrix: &Array2<f64>| matrix.select(Along(0), &rows).select(Along(1), &cols);
    let mask = masks.queries.select(Along(0), &rows).dot(&masks.keys.select(Along(0), &cols).t());
    for (id, title, values) in [("mask", "exact mask", mask), ("masked", "exact masked kernel", thin(&exact.matrix))] {
        context.emit(picture(id, title, &values));
    }
}

fn picture(id: &str, title: &str, values: &Array2<f64>) -> Event {
    let range = |f: fn(f64, f64) -> f64, start| values.iter().copied().fold(start, f);
    let (low, high) = (range(f64::min, f64::INFINITY), range(f64::max, f64::NEG_INFINITY));
    Event::Matrix(Matrix {
        id: id.to_owned(),
        group: "masked".to_owned(),
        title: title.to_owned(),
        rows: values.nrows(),
        cols: values.ncols(),
        values: values.iter().map(|value| *value as f32).collect(),
        caption: format!("{low:.3} to {high:.3}"),
    })
}

pub(super) fn object(value: Value) -> Row {
    match value {
        Value::Object(row) => row,
        _ => Row::new(),
    }
}
