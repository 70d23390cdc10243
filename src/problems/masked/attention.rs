//! Task `attention`: the masked product in linear time beside the exact quadratic one.

use super::choices::MaskKind;
use super::estimators::{estimator, subject};
use super::inputs::{MaskedInputs, MaskedReader, draws};
use super::rows::{MaskedSubject, ProductResults};
use super::schema::methods;
use crate::attention::Projection;
use crate::attention::linear::{Side, exact, linear};
use crate::attention::masked::{MaskedEstimator, MaskedTokens};
use crate::lab::{Axis, Event, Params, Plot, Point, Row, RunContext, RunError, Series, Style, decimal};
use crate::problems::inputs::HeadPlace;
use crate::problems::limits::failure;
use crate::problems::toolkit::{Burst, Columns, FinishedPoints, Meter};
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use rayon::ThreadPool;
use std::collections::BTreeSet;
use std::time::Instant;

/// A measurement is repeated until this many seconds have gone by, at most [`REPEATS`] times; the shortest counts.
const SECONDS: f64 = 0.3;
const REPEATS: usize = 7;

/// One sequence in 32 bits.
struct SingleSequence {
    queries: Array2<f32>,
    keys: Array2<f32>,
    mask_queries: Array2<f32>,
    mask_keys: Array2<f32>,
    values: Array2<f32>,
}

/// What the exact product took and gave.
struct ExactProduct {
    seconds: f64,
    output: Array2<f32>,
}

/// One product in linear time, with its row if an earlier part of the run has made it.
struct LinearProduct {
    /// In events.
    id: String,
    /// In the names of its draws.
    draw: String,
    /// On the screen.
    shown: String,
    estimator: MaskedEstimator,
    subject: MaskedSubject,
    row: Option<Row>,
}

/// What the products of a run have in common.
struct ProductSession<'a> {
    params: &'a Params,
    pool: &'a ThreadPool,
    causal: bool,
    meter: Meter,
    points: FinishedPoints,
    /// How many places the tokens come from.
    places: usize,
    /// Name of the product, length and seconds, as the rows say.
    times: Vec<(String, f64, f64)>,
}

pub(super) fn run(
    params: &Params,
    places: &[HeadPlace],
    pool: &ThreadPool,
    context: &mut RunContext,
) -> Result<(), RunError> {
    let budgets = params.sizes("features");
    let masks: Vec<MaskKind> = params.choices("mask");
    let projections = params.texts("projection").len();
    let each = methods(params).len() * budgets.len() * projections;
    let causal = params.flag("causal");
    declare(causal, context);
    let mut session = ProductSession {
        params,
        pool,
        causal,
        meter: Meter::new(masks.len() * places.len() * (each + 1), "products"),
        points: FinishedPoints::new::<MaskedSubject>(context),
        places: places.len(),
        times: Vec::new(),
    };
    let mut reader = MaskedReader::of_run(params, context);
    for mask in masks.iter().copied() {
        for place in places {
            context.check_cancelled()?;
            let drawn = reader.read(mask, place, context)?;
            session.sequence(&drawn, context)?;
        }
    }
    slopes(&session.times, context);
    Ok(())
}

impl ProductSession<'_> {
    /// Every product of one sequence.
    fn sequence(&mut self, drawn: &MaskedInputs, context: &mut RunContext) -> Result<(), RunError> {
        let length = drawn.place.queries;
        let products = self.products(drawn, context)?;
        for product in &products {
            declare_series(&product.id, &product.shown, context);
        }
        let told = products.iter().find_map(|product| ProductResults::read(product.row.as_ref()?));
        let mut exact = None;
        let sequence = if products.iter().all(|product| product.row.is_some()) {
            self.meter.skip(1);
            None
        } else {
            let sequence = SingleSequence::new(drawn, self.params, context);
            if length.max(drawn.place.keys) <= self.params.size("exact_limit") {
                exact = Some(exact_product(&sequence, self.causal, self.pool)?);
            }
            self.meter.advance(1, &format!("exact, L = {length}"), context);
            Some(sequence)
        };
        // The time that rows have told already stands.
        let exact_seconds = match &told {
            Some(told) => told.exact_seconds,
            None => exact.as_ref().map(|exact| exact.seconds),
        };
        if let Some(seconds) = exact_seconds {
            self.times.push(("exact".to_owned(), length as f64, seconds));
        }
        let mut exact_point = exact_seconds.map(|seconds| Point::new("exact", length as f64, seconds));
        if told.is_some()
            && let Some(point) = exact_point.take()
        {
            // It came with the first row.
            context.emit(Event::Point(point));
        }
        for product in products {
            context.check_cancelled()?;
            let row = match (product.row, &sequence) {
                (Some(row), _) => {
                    self.meter.skip(1);
                    Some(row)
                }
                (None, Some(sequence)) => {
                    let mut burst = Burst::new();
                    if let Some(point) = exact_point.take() {
                        burst.point(point);
                    }
                    let rng = &mut context.generator(&product.draw, 0);
                    let sketch =
                        product.estimator.draw(rng).and_then(|sketch| Ok(sketch.to_f32()?)).map_err(failure)?;
                    let side = |tokens, masks| MaskedTokens { sketch: &sketch, tokens, masks };
                    let queries = side(sequence.queries.view(), sequence.mask_queries.view());
                    let keys = side(sequence.keys.view(), sequence.mask_keys.view());
                    let (seconds, output) =
                        time(self.pool, || linear(&queries, &keys, sequence.values.view(), self.causal))?;
                    let results = ProductResults {
                        causal: self.causal,
                        seconds,
                        exact_seconds,
                        output_rel_error: exact.as_ref().map(|exact| distance(&output.values, &exact.output)),
                        peak_bytes: output.bytes,
                    };
                    tell(&mut burst, &product.id, length, &product.subject, &results);
                    let name = &product.shown;
                    if output.empty_rows + output.negative_rows > 0 {
                        burst.note(format!(
                            "{name}, L = {length}: {} rows have a zero denominator (defined as 0), {} a negative one",
                            output.empty_rows, output.negative_rows
                        ));
                    }
                    let rows = self.points.tell(burst, context);
                    self.meter.advance(1, &format!("{name}, L = {length}"), context);
                    rows.into_iter().next()
                }
                (None, None) => None,
            };
            if let Some(results) = row.as_ref().and_then(ProductResults::read) {
                self.times.push((product.shown, length as f64, results.seconds));
            }
        }
        Ok(())
    }

    /// The products asked for, in order.
    fn products(&mut self, drawn: &MaskedInputs, context: &mut RunContext) -> Result<Vec<LinearProduct>, RunError> {
        let projections: Vec<Projection> = self.params.choices("projection");
        let mut products = Vec::new();
        for &projection in &projections {
            for method in methods(self.params) {
                for features in self.params.sizes("features") {
                    let estimator = estimator(self.params, drawn, method, projection, features)?;
                    let mut name = format!("{} M={features}", method.name());
                    if projections.len() > 1 {
                        name += &format!(", {}", projection.name());
                    }
                    let (length, mark) = draws(&drawn.place, self.params);
                    let draw = format!("product {name} {length}{mark}");
                    let id = format!("{name}{mark}");
                    let shown = if self.places > 1 && !mark.is_empty() { format!("{name},{mark}") } else { name };
                    let subject = subject(drawn, method, projection, &estimator);
                    let row = self.points.find(&[&subject], context).and_then(|rows| rows.into_iter().next());
                    products.push(LinearProduct { id, draw, shown, estimator, subject, row });
                }
            }
        }
        Ok(products)
    }
}

impl SingleSequence {
    fn new(masks: &MaskedInputs, params: &Params, context: &RunContext) -> Self {
        let single = |matrix: &Array2<f64>| matrix.mapv(|value| value as f32);
        let count = masks.tokens.keys.nrows();
        let drawn = || {
            let mut rng = context.generator(&format!("values{}", masks.place.mark()), count as u64);
            Array2::from_shape_simple_fn((count, params.size("value_dim")), || StandardNormal.sample(&mut rng))
        };
        Self {
            queries: single(&masks.tokens.queries),
            keys: single(&masks.tokens.keys),
            mask_queries: single(&masks.queries),
            mask_keys: single(&masks.keys),
            values: masks.values.as_ref().map_or_else(drawn, single),
        }
    }
}

fn exact_product(sequence: &SingleSequence, causal: bool, pool: &ThreadPool) -> Result<ExactProduct, RunError> {
    let queries = Side { tokens: sequence.queries.view(), masks: sequence.mask_queries.view() };
    let keys = Side { tokens: sequence.keys.view(), masks: sequence.mask_keys.view() };
    let (seconds, output) = time(pool, || exact(queries, keys, sequence.values.view(), causal))?;
    Ok(ExactProduct { seconds, output: output.values })
}

/// The points and the row of one product.
fn tell(burst: &mut Burst, id: &str, length: usize, subject: &MaskedSubject, results: &ProductResults) {
    let x = length as f64;
    burst.point(Point::new(id, x, results.seconds));
    burst.point(Point::new(format!("{id}/bytes"), x, results.peak_bytes as f64));
    if let Some(error) = results.output_rel_error {
        burst.point(Point::new(format!("{id}/error"), x, error));
    }
    burst.row(subject, results);
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

fn declare_series(id: &str, shown: &str, context: &mut RunContext) {
    for (id, plot) in [(id.to_owned(), "time"), (format!("{id}/bytes"), "memory"), (format!("{id}/error"), "output")] {
        context.emit(Event::Series(Series::new(id, plot, shown)));
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

/// The slope of ln time over ln length, where there are three lengths at least.
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
        let lengths: BTreeSet<u64> = points.iter().map(|point| point.0.to_bits()).collect();
        if lengths.len() >= 3 {
            let slope = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum::<f64>() / spread;
            context.note(format!("{name}: time grows as L^{} from L = 1,024 on", decimal(slope, 2)));
        }
    }
}
