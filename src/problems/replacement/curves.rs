//! The figures of a replacement: means over draws against m, with their intervals.

use super::rows::ReplacementResults;
use crate::lab::{Axis, Event, Plot, Point, RunContext, Series, Style};
use crate::problems::toolkit::Burst;
use crate::statistics::mean_and_interval;

/// One kind of curves, which are a figure: its name, title, vertical axis, what is drawn, and whether exact attention has a line in it.
type CurveKind = (&'static str, &'static str, fn() -> Axis, fn(&ReplacementResults) -> f64, bool);

static FIGURES: &[CurveKind] = &[
    ("accuracy", "Test accuracy", || Axis::linear("share of images"), |row| row.test_accuracy, true),
    ("agreement", "Agreement with exact attention", || Axis::linear("share of images"), |row| row.agreement, false),
    ("logits", "Error of the logits", || Axis::log("‖ŷ − y‖/‖y‖"), |row| row.logit_rel_error, false),
    ("outputs", "Error of attention's output", || Axis::log("‖ô − o‖/‖o‖"), |row| row.output_rel_error, false),
    ("speed", "Inference", || Axis::linear("images a second"), |row| row.inference_images_per_second, true),
];

/// Declares the figures, with the lines of exact attention from the smallest m to the largest.
pub(super) fn declare(context: &mut RunContext, sizes: &[usize], exact_accuracy: f64, exact_speed: f64) {
    for (id, title, y, _, has_exact) in FIGURES {
        let x = Axis::log("projections m");
        context.emit(Event::Plot(Plot { id: (*id).to_owned(), title: (*title).to_owned(), x, y: y() }));
        let (Some(first), Some(last), true) = (sizes.first(), sizes.last(), has_exact) else { continue };
        let series = format!("exact/{id}");
        context.emit(Event::Series(Series::new(&series, *id, "exact softmax").drawn(Style::Dashed)));
        let value = if *id == "accuracy" { exact_accuracy } else { exact_speed };
        for m in if first == last { vec![first] } else { vec![first, last] } {
            context.emit(Event::Point(Point::new(&series, *m as f64, value)));
        }
    }
    let x = Axis::log("projections m");
    let title = "Error of attention's output by layer".to_owned();
    context.emit(Event::Plot(Plot { id: "layers".to_owned(), title, x, y: Axis::log("‖ô − o‖/‖o‖") }));
}

/// Declares the series of one curve.
pub(super) fn declare_curve(context: &mut RunContext, name: &str) {
    for (id, ..) in FIGURES {
        context.emit(Event::Series(Series::new(format!("{name}/{id}"), *id, name)));
    }
}

/// Declares the series of an estimator's layers.
pub(super) fn declare_layers(context: &mut RunContext, name: &str, depth: usize) {
    for layer in 0..depth {
        context.emit(Event::Series(Series::new(
            format!("{name}/layer {layer}"),
            "layers",
            format!("{name} layer {layer}"),
        )));
    }
}

/// Adds the points of a curve at `m`: means over draws with 95 % intervals.
pub(super) fn points(burst: &mut Burst, name: &str, m: usize, draws: &[ReplacementResults]) {
    for (id, _, _, value, _) in FIGURES {
        burst.point(mean_point(format!("{name}/{id}"), m, draws.iter().map(value)));
    }
}

/// Adds the points of every layer at `m`, given the errors of each draw by layers.
pub(super) fn layer_points(burst: &mut Burst, name: &str, m: usize, draws: &[Vec<f64>]) {
    for layer in 0..draws.first().map_or(0, Vec::len) {
        burst.point(mean_point(format!("{name}/layer {layer}"), m, draws.iter().map(|errors| errors[layer])));
    }
}

fn mean_point(series: String, m: usize, values: impl Iterator<Item = f64> + Clone) -> Point {
    let (mean, half) = mean_and_interval(values).unwrap_or((f64::NAN, None));
    let point = Point::new(series, m as f64, mean);
    match half.filter(|half| half.is_finite()) {
        Some(half) => point.within(mean - half, mean + half),
        None => point,
    }
}
