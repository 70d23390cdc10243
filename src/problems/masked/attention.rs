//! Task `attention`: the masked product in linear time beside the exact quadratic one.

use super::estimate::object;
use super::inputs::{self, Masks};
use super::schema::{methods, shares};
use crate::attention::Projection;
use crate::attention::linear::{Side, exact, linear};
use crate::attention::masked::{Budget, MaskedEstimator, MaskedTokens};
use crate::lab::{Axis, Event, Params, Plot, Point, Progress, RunContext, RunError, Series, Style, decimal};
use crate::problems::limits::failure;
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use rayon::ThreadPool;
use serde_json::json;
use std::time::Instant;

/// A measurement is repeated until this many seconds have gone by, at most [`REPEATS`] times; the shortest counts.
const SECONDS: f64 = 0.3;
const REPEATS: usize = 7;

/// One length, in 32 bits.
struct Sequence {
    name: String,
    queries: Array2<f32>,
    keys: Array2<f32>,
    mask_queries: Array2<f32>,
    mask_keys: Array2<f32>,
    values: Array2<f32>,
}

/// What the exact product took and gave.
struct Reference {
    seconds: f64,
    output: Array2<f32>,
}

pub(super) fn run(params: &Params, pool: &ThreadPool, context: &mut RunContext) -> Result<(), RunError> {
    let (lengths, budgets, masks) = (params.sizes("length"), params.sizes("features"), params.texts("mask"));
    let projections: Vec<Projection> = params.choices("projection");
    let causal = params.flag("causal");
    declare(causal, context);
    let each = methods(params).len() * budgets.len() * projections.len();
    let total = (masks.len() * lengths.len() * (each + 1)) as u64;
    let (mut done, mut skip) = (0, context.finished_rows().len());
    let began = Instant::now();
    let mut times: Vec<(String, f64, f64)> = Vec::new();
    for mask in &masks {
        for &length in &lengths {
            if skip >= each {
                // A length whose every row is there.
                skip -= each;
                done += each as u64 + 1;
                continue;
            }
            context.check_cancelled()?;
            let drawn = inputs::draw(mask, length, params, context)?;
            let sequence = Sequence::new(&drawn, params, context);
            let told = |context: &mut RunContext, done: u64, stage: String| {
                let rate = done as f64 / began.elapsed().as_secs_f64().max(1e-9);
                context.emit(Event::Progress(Progress { done, total, unit: "products".to_owned(), rate, stage }));
            };
            let reference = reference(&sequence, length <= params.size("exact_limit"), causal, pool)?;
            done += 1;
            told(context, done, format!("exact, L = {length}"));
            if let Some(reference) = &reference {
                context.emit(Event::Point(Point::new("exact", length as f64, reference.seconds)));
                times.push(("exact".to_owned(), length as f64, reference.seconds));
            }
            for &projection in &projections {
                for method in methods(params) {
                    for &features in &budgets {
                        context.check_cancelled()?;
                        if skip > 0 {
                            skip -= 1;
                            done += 1;
                            continue;
                        }
                        let inner = if params.size("m") == 0 { 4 * features } else { params.size("m") };
                        let (probabilities, allocation) =
                            (shares(params, "probabilities"), shares(params, "allocation"));
                        let budget = Budget { features, inner, probabilities: &probabilities, allocation: &allocation };
                        let sides = (drawn.queries.view(), drawn.keys.view());
                        let estimator = MaskedEstimator::new(method, projection, drawn.tokens.dim(), sides, budget)
                            .map_err(|error| super::refused(&error, "allocation"))?;
                        let mut name = format!("{} M={features}", method.name());
                        if projections.len() > 1 {
                            name += &format!(", {}", projection.name());
                        }
                        let mut generator = context.generator(&format!("product {name} {length}"), 0);
                        let sketch = estimator.draw(&mut generator).and_then(|sketch| Ok(sketch.to_f32()?));
                        let sketch = sketch.map_err(failure)?;
                        let side = |tokens, masks| MaskedTokens { sketch: &sketch, tokens, masks };
                        let queries = side(sequence.queries.view(), sequence.mask_queries.view());
                        let keys = side(sequence.keys.view(), sequence.mask_keys.view());
                        let (seconds, output) = time(pool, || linear(&queries, &keys, sequence.values.view(), causal))?;
                        declare_series(&name, context);
                        let x = length as f64;
                        context.emit(Event::Point(Point::new(&name, x, seconds)));
                        context.emit(Event::Point(Point::new(format!("{name}/bytes"), x, output.bytes as f64)));
                        let error = reference.as_ref().map(|reference| distance(&output.values, &reference.output));
                        if let Some(error) = error {
                            context.emit(Event::Point(Point::new(format!("{name}/error"), x, error)));
                        }
                        times.push((name.clone(), x, seconds));
                        let row = json!({
                            "inputs": params.text("inputs"),
                            "mask": sequence.name,
                            "length": sequence.queries.nrows(),
                            "dim": drawn.tokens.dim(),
                            "mask_dim": drawn.queries.ncols(),
                            "method": method.name(),
                            "projection": projection.name(),
                            "m": estimator.projections(),
                            "features": estimator.features(),
                            "causal": causal,
                            "seconds": seconds,
                            "exact_seconds": reference.as_ref().map(|reference| reference.seconds),
                            "output_rel_error": error,
                            "peak_bytes": output.bytes,
                        });
                        context.emit(Event::Row { row: object(row) });
                        if output.empty_rows + output.negative_rows > 0 {
                            context.note(format!(
                                "{name}, L = {length}: {} rows have a zero denominator (defined as 0), {} a negative one",
                                output.empty_rows, output.negative_rows
                            ));
                        }
                        done += 1;
                        told(context, done, format!("{name}, L = {length}"));
                    }
                }
            }
        }
    }
    slopes(&times, context);
    Ok(())
}

impl Sequence {
    fn new(masks: &Masks, params: &Params, context: &RunContext) -> Self {
        let single = |matrix: &Array2<f64>| matrix.mapv(|value| value as f32);
        let mut rng = context.generator("values", masks.tokens.keys.nrows() as u64);
        let shape = (masks.tokens.keys.nrows(), params.size("value_dim"));
        Self {
            name: masks.name.clone(),
            queries: single(&masks.tokens.queries),
            keys: single(&masks.tokens.keys),
            mask_queries: single(&masks.queries),
            mask_keys: single(&masks.keys),
            values: Array2::from_shape_simple_fn(shape, || StandardNormal.sample(&mut rng)),
        }
    }
}

fn reference(
    sequence: &Sequence,
    wanted: bool,
    causal: bool,
    pool: &ThreadPool,
) -> Result<Option<Reference>, RunError> {
    if !wanted {
        return Ok(None);
    }
    let queries = Side { tokens: sequence.queries.view(), masks: sequence.mask_queries.view() };
    let keys = Side { tokens: sequence.keys.view(), masks: sequence.mask_keys.view() };
    let (seconds, output) = time(pool, || exact(queries, keys, sequence.values.view(), causal))?;
    Ok(Some(Reference { seconds, output: output.values }))
}

/// The shortest of several tries, and what the last gave.
fn time<T: Send, E: std::fmt::Display + Send>(
    pool: &ThreadPool,
    work: impl Fn() -> Result<T, E> + Send + Sync,
) -> Result<(f64, T), RunError> {
    let began = Instant::now();
    let mut shortest = f64::INFINITY;
    for round in 1.. {
        let start = Instant::now();
        let output = pool.install(&work).map_err(|error| RunError::Input(format!("inputs: {error}")))?;
        shortest = shortest.min(start.elapsed().as_secs_f64());
        if round == REPEATS || began.elapsed().as_secs_f64() > SECONDS {
            return Ok((shortest, output));
        }
    }
    unreachable!("the loop ends by returning")
}

fn declare(causal: bool, context: &mut RunContext) {
    let kind = if causal { "causal" } else { "bidirectional" };
    let length = || Axis::log("length L");
    for (id, title, y) in [
        ("time", format!("Time of masked attention, {kind}"), Axis::log("seconds")),
        ("memory", "Peak memory of the product".to_owned(), Axis::log("bytes")),
        ("output", "Error of the attention output".to_owned(), Axis::log("‖out − exact‖/‖exact‖")),
    ] {
        context.emit(Event::Plot(Plot { id: id.to_owned(), title, x: length(), y }));
    }
    context.emit(Event::Series(Series::new("exact", "time", "exact, quadratic").drawn(Style::Dashed)));
}

fn declare_series(name: &str, context: &mut RunContext) {
    for (id, plot) in
        [(name.to_owned(), "time"), (format!("{name}/bytes"), "memory"), (format!("{name}/error"), "output")]
    {
        context.emit(Event::Series(Series::new(id, plot, name)));
    }
}

/// ‖a − b‖/‖b‖ in f64.
fn distance(a: &Array2<f32>, b: &Array2<f32>) -> f64 {
    let (error, norm) = a.iter().zip(b).fold((0.0, 0.0), |(error, norm), (a, b)| {
        let (a, b) = (f64::from(*a), f64::from(*b));
        (error + (a - b) * (a - b), norm + b * b)
    });
    (error / norm).sqrt()
}

/// The slope of ln time over ln length, where there are enough lengths to tell.
fn slopes(times: &[(String, f64, f64)], context: &mut RunContext) {
    let mut names: Vec<&str> = times.iter().map(|(name, _, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let points: Vec<(f64, f64)> = times
            .iter()
            .filter(|(known, length, _)| known == name && *length >= 1024.0)
            .map(|(_, length, seconds)| (length.ln(), seconds.ln()))
            .collect();
        let count = points.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (x, y) = (mean(|point| point.0), mean(|point| point.1));
        let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
        if points.len() >= 3 && spread > 0.0 {
            let slope = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum::<f64>() / spread;
            context.note(format!("{name}: time grows as L^{} from L = 1,024 on", decimal(slope, 2)));
        }
    }
}
