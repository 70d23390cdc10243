//! One run: every radius, every estimator, fresh draws until there are enough.

use super::memory::{self, BATCHES};
use super::pairs::{PairPlan, VectorPairs};
use super::parts::{Base, HybridEstimator};
use super::remarks::remarks;
use super::rows::{AngleErrors, AngleSubject, OBSERVABLE};
use crate::attention::AttentionError;
use crate::lab::{Axis, Event, Params, Plot, Point, RunContext, RunError, Series, Style};
use crate::problems::limits::failure;
use crate::problems::toolkit::{Burst, FinishedPoints, Meter, declare_cost_series, declare_costs, pool, tell_costs};
use crate::statistics::PowerSums;
use ndarray::{Array1, Axis as Along};
use rayon::ThreadPool;
use rayon::prelude::*;
use std::time::Instant;

/// A relative squared error below this is nothing but rounding.
const ROUNDING: f64 = 1e-24;

pub(super) fn run(params: &Params, context: &mut RunContext) -> Result<(), RunError> {
    let all = PairPlan::new(params, context.folder().parent())?.pairs(params, context)?;
    let largest = all.iter().map(|pairs| pairs.x.dim()).max().unwrap_or_default();
    let bases: Vec<Base> = params.choices("base");
    let trials = params.size("trials");
    let points = FinishedPoints::new::<AngleSubject>(context);
    let is_current = points.has(OBSERVABLE);
    declare(is_current, context);
    context.note("the pairs of a trial share its draw: the points of a curve rise and fall together");
    let several = all.len() > 1;
    let mut measurement = PairMeasurement {
        params,
        pool: pool(params, context, memory::pieces(params, largest))?,
        trials,
        meter: Meter::new(trials * bases.len() * all.len(), "trials"),
        points,
        is_current,
    };
    for (place, pairs) in all.iter().enumerate() {
        for base in &bases {
            let estimator = HybridEstimator::new(params, *base, pairs.x.ncols(), pairs.radius);
            let name = if several { format!("{} {}", base.name(), pairs.title) } else { base.name().to_owned() };
            measurement.estimate(&estimator, pairs, place, &name, context)?;
        }
    }
    Ok(())
}

fn declare(is_current: bool, context: &mut RunContext) {
    let angle = || Axis::linear("angle between x and y (radians)").over(0.0, 3.2);
    context.emit(Event::Plot(Plot {
        id: "mse".to_owned(),
        title: "Relative mean squared error".to_owned(),
        x: angle(),
        y: Axis::log("E (estimate − K)²/K²"),
    }));
    context.emit(Event::Plot(Plot {
        id: "bias".to_owned(),
        title: "Mean of estimate/K, ± 2 s.e.".to_owned(),
        x: angle(),
        y: Axis::linear("mean of estimate/K"),
    }));
    if is_current {
        declare_costs("Largest relative MSE", ", all pairs", "largest E (estimate − K)²/K²", context);
    }
}

/// What the estimators of one run have in common.
struct PairMeasurement<'a> {
    params: &'a Params,
    pool: ThreadPool,
    trials: usize,
    meter: Meter,
    points: FinishedPoints,
    /// Whether the run has the form of this version. One that an earlier version began keeps its form to the end: standard errors
    /// everywhere, no costs.
    is_current: bool,
}

impl PairMeasurement<'_> {
    /// Estimates every pair by fresh draws and tells what came out, unless an earlier part of the run has.
    ///
    /// `place` counts the radii: each has draws of its own.
    fn estimate(
        &mut self,
        estimator: &HybridEstimator,
        pairs: &VectorPairs,
        place: usize,
        name: &str,
        context: &mut RunContext,
    ) -> Result<(), RunError> {
        let of = |(x, y)| estimator.theory(x, y, self.trials).ok();
        let theory: Vec<Option<(f64, bool)>> = pairs.x.rows().into_iter().zip(pairs.y.rows()).map(of).collect();
        declare_curve(&theory, pairs, name, context);
        if self.is_current {
            declare_cost_series(name, name, Style::Points, context);
        }
        if pairs.radius.is_nan() {
            if estimator.base().is_hybrid() {
                context.note("pairs are not on one sphere: the hybrid is not exact at angle 0 and π any more");
            }
        } else if pairs.x.ncols() > 1 {
            // Remarks are about the angles between 0 and π, of which one dimension has none.
            for remark in remarks(estimator, pairs.x.ncols(), pairs.radius) {
                context.note(remark);
            }
        }
        let subjects = self.subjects(estimator, pairs);
        if self.points.find(&subjects.iter().collect::<Vec<_>>(), context).is_some() {
            self.meter.skip(self.trials);
            return Ok(());
        }
        let began = Instant::now();
        let sums = self.draw(estimator, pairs, place, name, context)?;
        let seconds = began.elapsed().as_secs_f64() / self.trials as f64;
        let costs = (seconds, estimator.estimate_bytes(pairs.x.dim()));
        self.points.tell(burst(name, self.is_current, &subjects, &sums, &theory, costs), context);
        Ok(())
    }

    /// What the rows of a curve are about, pair by pair.
    fn subjects(&self, estimator: &HybridEstimator, pairs: &VectorPairs) -> Vec<AngleSubject> {
        let (m1, m2) = estimator.projections();
        let weight = estimator.spec().map(|spec| spec.weight);
        let subject = |angle: &f64| AngleSubject {
            base: estimator.base().name(),
            source: pairs.source.clone(),
            layer: pairs.place.and_then(|place| place.layer),
            head: pairs.place.and_then(|place| place.head),
            angle: *angle,
            radius: Some(pairs.radius).filter(|radius| radius.is_finite()),
            dim: pairs.x.ncols(),
            m1,
            m2,
            n: estimator.spec().map_or(0, |spec| spec.n),
            a: weight.map(|weight| weight.a),
            b: weight.map(|weight| weight.b),
            shared: self.params.flag("shared"),
            features: estimator.features(),
            trials: self.trials,
        };
        pairs.angles.iter().map(subject).collect()
    }

    /// The relative errors of every pair over fresh draws; they do not depend on how trials are spread over threads.
    fn draw(
        &mut self,
        estimator: &HybridEstimator,
        pairs: &VectorPairs,
        place: usize,
        name: &str,
        context: &mut RunContext,
    ) -> Result<Vec<PowerSums>, RunError> {
        let exact: Array1<f64> = (&pairs.x * &pairs.y).sum_axis(Along(1)).mapv(f64::exp);
        let mut sums = vec![PowerSums::default(); pairs.angles.len()];
        let mark = pairs.place.map_or_else(String::new, |place| place.mark());
        let purpose = format!("hybrid {} {place}{mark}", estimator.base().name());
        let batch = self.trials.div_ceil(BATCHES).clamp(1, 4096);
        let seed = context.seed();
        for first in (0..self.trials).step_by(batch) {
            context.check_cancelled()?;
            let last = (first + batch).min(self.trials);
            let errors: Result<Vec<Array1<f64>>, AttentionError> = self.pool.install(|| {
                (first..last)
                    .into_par_iter()
                    .map(|trial| {
                        let mut rng = crate::random::generator(seed, &purpose, trial as u64);
                        Ok(estimator.trial(pairs.x.view(), pairs.y.view(), &mut rng)? / &exact - 1.0)
                    })
                    .collect()
            });
            for errors in errors.map_err(failure)? {
                sums.iter_mut().zip(&errors).for_each(|(sums, error)| sums.add(*error));
            }
            self.meter.advance(last - first, name, context);
        }
        Ok(sums)
    }
}

/// Declares the series of a curve and draws its theory, a point for each pair that has one.
fn declare_curve(theory: &[Option<(f64, bool)>], pairs: &VectorPairs, name: &str, context: &mut RunContext) {
    context.emit(Event::Series(Series::new(name, "mse", name)));
    context.emit(Event::Series(Series::new(format!("{name}/bias"), "bias", name)));
    let id = format!("{name}/theory");
    if theory.iter().any(Option::is_some) {
        let series = Series::new(&id, "mse", format!("{name}, theory")).drawn(Style::Dashed).beside(name);
        context.emit(Event::Series(series));
    }
    for (angle, theory) in pairs.angles.iter().zip(theory) {
        if let Some((theory, _)) = theory {
            context.emit(Event::Point(Point::new(&id, *angle, *theory)));
        }
    }
}

/// The points and rows of a measured curve.
fn burst(
    name: &str,
    is_current: bool,
    subjects: &[AngleSubject],
    sums: &[PowerSums],
    theory: &[Option<(f64, bool)>],
    (seconds, bytes): (f64, u64),
) -> Burst {
    let largest = sums.iter().map(|sums| sums.mean_square().0).fold(0.0, f64::max);
    let mut burst = Burst::new();
    if is_current {
        tell_costs(name, (seconds, Some(bytes)), |series, x| Point::new(series, x, largest), &mut burst);
    }
    for ((subject, sums), theory) in subjects.iter().zip(sums).zip(theory) {
        let ((mse, mse_sem), (error, ratio_sem)) = (sums.mean_square(), sums.mean());
        let ratio = 1.0 + error;
        // On a logarithmic axis the rounding that is left of an exact estimate would take up thirty decades.
        let shown = if mse < ROUNDING { 0.0 } else { mse };
        let point = Point::new(name, subject.angle, shown);
        let observable = theory.map(|(_, observable)| observable);
        let is_hidden = is_current && observable == Some(false);
        let within = |point: Point, low: f64, high: f64| if is_hidden { point } else { point.within(low, high) };
        burst.point(within(point, (mse - 2.0 * mse_sem).max(0.0), mse + 2.0 * mse_sem));
        let point = Point::new(format!("{name}/bias"), subject.angle, ratio);
        burst.point(within(point, ratio - 2.0 * ratio_sem, ratio + 2.0 * ratio_sem));
        let errors = AngleErrors {
            rel_mse_mean: mse,
            rel_mse_sem: (!is_hidden).then_some(mse_sem),
            rel_mse_theory: theory.map(|(mse, _)| mse),
            mean_ratio: ratio,
            mean_ratio_sem: (!is_hidden).then_some(ratio_sem),
            max_rel_mse: largest,
            seconds_per_trial: seconds,
            estimate_bytes: bytes,
            observable,
        };
        burst.row(subject, &errors);
    }
    burst
}
