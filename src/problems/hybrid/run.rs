//! One run: every radius, every estimator, fresh draws until there are enough.

use super::parts::{Base, HybridEstimator};
use super::remarks::remarks;
use crate::attention::AttentionError;
use crate::attention::hybrid::sphere_pair;
use crate::lab::{Axis, Event, Params, Plot, Point, Progress, Row, RunContext, RunError, Series, Style};
use crate::problems::arrays;
use crate::problems::limits::failure;
use ndarray::{Array1, Array2, Axis as Along};
use rayon::ThreadPool;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::f64::consts::PI;
use std::time::Instant;

/// The largest share of a run between two looks at whether to go on.
const BATCHES: usize = 40;

/// Below this a relative squared error is rounding.
const EXACT: f64 = 1e-24;

/// Pairs that are estimated together, row i of `x` with row i of `y`.
struct Pairs {
    x: Array2<f64>,
    y: Array2<f64>,
    /// The angle of each pair.
    angles: Vec<f64>,
    /// Their length; NaN where it is not one and the same.
    radius: f64,
}

/// Sums of a pair's relative errors over trials.
#[derive(Clone, Copy, Default)]
struct Sums {
    error: f64,
    square: f64,
    fourth: f64,
}

impl Sums {
    fn add(&mut self, error: f64) {
        let square = error * error;
        self.error += error;
        self.square += square;
        self.fourth += square * square;
    }
}

pub(super) fn run(params: &Params, context: &mut RunContext) -> Result<(), RunError> {
    let threads = context.threads(params.size("threads"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| RunError::Failed(format!("no threads: {error}")))?;
    let all = pairs(params)?;
    let bases: Vec<Base> = params.choices("base");
    declare(context);
    context.note("the pairs of a trial share its draw: the points of a curve rise and fall together");
    let several = all.len() > 1;
    let mut bench = Bench {
        params,
        pool,
        trials: params.size("trials"),
        done: 0,
        total: (params.size("trials") * bases.len() * all.len()) as u64,
        began: Instant::now(),
        skip: context.finished_rows().len(),
    };
    for (place, pairs) in all.iter().enumerate() {
        for base in &bases {
            let estimator = HybridEstimator::new(params, *base, pairs.x.ncols(), pairs.radius);
            let name = if several { format!("{} R={}", base.name(), pairs.radius) } else { base.name().to_owned() };
            bench.estimate(&estimator, pairs, place, &name, context)?;
        }
    }
    Ok(())
}

fn declare(context: &mut RunContext) {
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
}

/// The pairs of every radius, or those of the files.
fn pairs(params: &Params) -> Result<Vec<Pairs>, RunError> {
    if params.text("inputs") == "file" {
        return from_files(params).map(|pairs| vec![pairs]);
    }
    let (dim, count) = (params.size("dim"), params.size("angles"));
    let angles: Vec<f64> =
        (0..count).map(|i| if i + 1 == count { PI } else { PI * i as f64 / (count - 1) as f64 }).collect();
    let of_radius = |radius: f64| {
        let mut pairs =
            Pairs { x: Array2::zeros((count, dim)), y: Array2::zeros((count, dim)), angles: angles.clone(), radius };
        for (i, angle) in angles.iter().enumerate() {
            let (x, y) = sphere_pair(dim, radius, *angle);
            pairs.x.row_mut(i).assign(&x);
            pairs.y.row_mut(i).assign(&y);
        }
        pairs
    };
    Ok(params.floats("radius").into_iter().map(of_radius).collect())
}

fn from_files(params: &Params) -> Result<Pairs, RunError> {
    let (x, y) = (arrays::matrix("x", params.text("x"))?, arrays::matrix("y", params.text("y"))?);
    if x.dim() != y.dim() {
        let ((a, b), (c, d)) = (x.dim(), y.dim());
        return Err(RunError::Input(format!("y: found {c} × {d}, allowed: {a} × {b}, as many as `x` has")));
    }
    let lengths: Vec<f64> = x.rows().into_iter().chain(y.rows()).map(|row| row.dot(&row).sqrt()).collect();
    if let Some((row, length)) = lengths.iter().enumerate().find(|(_, length)| **length > 26.0) {
        let (key, row) = if row < x.nrows() { ("x", row) } else { ("y", row - x.nrows()) };
        return Err(RunError::Input(format!(
            "{key}: row {row} (counted from 0) has length {length:.1}, allowed: up to 26, beyond which squared errors \
             overflow"
        )));
    }
    let angles = x.rows().into_iter().zip(y.rows()).enumerate().map(|(i, (a, b))| {
        let norms = lengths[i] * lengths[x.nrows() + i];
        if norms > 0.0 { (a.dot(&b) / norms).clamp(-1.0, 1.0).acos() } else { 0.0 }
    });
    let angles = angles.collect();
    let first = lengths[0];
    let sphere = lengths.iter().all(|length| (length - first).abs() <= 1e-9 * first);
    Ok(Pairs { x, y, angles, radius: if sphere { first } else { f64::NAN } })
}

/// What the estimators of one run have in common.
struct Bench<'a> {
    params: &'a Params,
    pool: ThreadPool,
    trials: usize,
    done: u64,
    total: u64,
    began: Instant,
    /// Rows that an earlier part of the run has finished.
    skip: usize,
}

impl Bench<'_> {
    /// Estimates every pair and tells what came out.
    fn estimate(
        &mut self,
        estimator: &HybridEstimator,
        pairs: &Pairs,
        place: usize,
        name: &str,
        context: &mut RunContext,
    ) -> Result<(), RunError> {
        let theory: Vec<Option<f64>> =
            pairs.x.rows().into_iter().zip(pairs.y.rows()).map(|(x, y)| estimator.theory(x, y).ok()).collect();
        self.declare(&theory, pairs, name, context);
        if pairs.radius.is_nan() {
            if estimator.base().is_hybrid() {
                context.note("pairs are not on one sphere: the hybrid is not exact at angle 0 and π any more");
            }
        } else {
            for remark in remarks(estimator, pairs.x.ncols(), pairs.radius) {
                context.note(remark);
            }
        }
        if self.skip >= pairs.angles.len() {
            self.skip -= pairs.angles.len();
            self.done += self.trials as u64;
            return Ok(());
        }
        let sums = self.draw(estimator, pairs, place, name, context)?;
        self.tell(estimator, pairs, name, &sums, &theory, context);
        Ok(())
    }

    fn declare(&self, theory: &[Option<f64>], pairs: &Pairs, name: &str, context: &mut RunContext) {
        context.emit(Event::Series(Series::new(name, "mse", name)));
        context.emit(Event::Series(Series::new(format!("{name}/bias"), "bias", name)));
        let id = format!("{name}/theory");
        if theory.iter().any(Option::is_some) {
            let series = Series::new(&id, "mse", format!("{name}, theory")).drawn(Style::Dashed).beside(name);
            context.emit(Event::Series(series));
        }
        for (angle, theory) in pairs.angles.iter().zip(theory) {
            if let Some(theory) = theory {
                context.emit(Event::Point(Point::new(&id, *angle, *theory)));
            }
        }
    }

    /// Fresh draws; results do not depend on how trials fall on threads.
    fn draw(
        &mut self,
        estimator: &HybridEstimator,
        pairs: &Pairs,
        place: usize,
        name: &str,
        context: &mut RunContext,
    ) -> Result<Vec<Sums>, RunError> {
        let exact: Array1<f64> = (&pairs.x * &pairs.y).sum_axis(Along(1)).mapv(f64::exp);
        let mut sums = vec![Sums::default(); pairs.angles.len()];
        let purpose = format!("hybrid {} {place}", estimator.base().name());
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
            self.done += (last - first) as u64;
            let progress = Progress {
                done: self.done,
                total: self.total,
                unit: "trials".to_owned(),
                rate: self.done as f64 / self.began.elapsed().as_secs_f64().max(1e-9),
                stage: name.to_owned(),
            };
            context.emit(Event::Progress(progress));
        }
        Ok(sums)
    }

    fn tell(
        &self,
        estimator: &HybridEstimator,
        pairs: &Pairs,
        name: &str,
        sums: &[Sums],
        theory: &[Option<f64>],
        context: &mut RunContext,
    ) {
        let trials = self.trials as f64;
        let spread = |mean: f64, mean_of_squares: f64| {
            let variance = (mean_of_squares - mean * mean).max(0.0) * trials / (trials - 1.0).max(1.0);
            (variance / trials).sqrt()
        };
        let found: Vec<[f64; 4]> = sums
            .iter()
            .map(|sums| {
                let [error, square, fourth] = [sums.error, sums.square, sums.fourth].map(|sum| sum / trials);
                [square, spread(square, fourth), 1.0 + error, spread(error, square)]
            })
            .collect();
        let largest = found.iter().map(|found| found[0]).fold(0.0, f64::max);
        let (m1, m2) = estimator.projections();
        let weight = estimator.spec().map(|spec| spec.weight);
        for ((angle, [mse, mse_sem, ratio, ratio_sem]), theory) in pairs.angles.iter().zip(found).zip(theory) {
            // What rounding leaves of an exact estimate would stretch a logarithmic axis over thirty decades.
            let shown = if mse < EXACT { 0.0 } else { mse };
            let point = Point::new(name, *angle, shown);
            context.emit(Event::Point(point.within((mse - 2.0 * mse_sem).max(0.0), mse + 2.0 * mse_sem)));
            let point = Point::new(format!("{name}/bias"), *angle, ratio);
            context.emit(Event::Point(point.within(ratio - 2.0 * ratio_sem, ratio + 2.0 * ratio_sem)));
            let row = json!({
                "base": estimator.base().name(),
                "angle": angle,
                "radius": Some(pairs.radius).filter(|radius| radius.is_finite()),
                "dim": pairs.x.ncols(),
                "m1": m1,
                "m2": m2,
                "n": estimator.spec().map_or(0, |spec| spec.n),
                "a": weight.map(|weight| weight.a),
                "b": weight.map(|weight| weight.b),
                "shared": self.params.flag("shared"),
                "features": estimator.features(),
                "trials": self.trials,
                "rel_mse_mean": mse,
                "rel_mse_sem": mse_sem,
                "rel_mse_theory": theory,
                "mean_ratio": ratio,
                "mean_ratio_sem": ratio_sem,
                "max_rel_mse": largest,
            });
            let row = match row {
                Value::Object(row) => row,
                _ => Row::new(),
            };
            context.emit(Event::Row { row });
        }
    }
}
