//! The mask, the masked matrix and one estimate of it, thinned to what a screen can draw.

use super::exact::ExactMatrix;
use super::inputs::MaskedInputs;
use crate::attention::Sketch;
use crate::lab::{Event, Matrix, RunContext, RunError};
use crate::problems::limits::failure;
use ndarray::{Array2, Axis};

/// Rows and columns drawn of a matrix, at most.
const SIDE: usize = 48;

/// Tells the exact mask and the exact masked kernel.
pub(super) fn tell_exact(masks: &MaskedInputs, exact: &ExactMatrix, context: &mut RunContext) {
    let (rows, cols) = exact.matrix.dim();
    let (rows, cols) = (every(rows), every(cols));
    let mask = masks.queries.select(Axis(0), &rows).dot(&masks.keys.select(Axis(0), &cols).t());
    let matrix = exact.matrix.select(Axis(0), &rows).select(Axis(1), &cols);
    for (id, title, values) in [("mask", "exact mask", mask), ("masked", "exact masked kernel", matrix)] {
        context.emit(picture(id, title, &values, (exact.queries.nrows(), exact.keys.nrows())));
    }
}

/// Tells one estimate of the masked kernel by the estimator called `name`.
pub(super) fn tell_estimate(
    name: &str,
    sketch: &impl Sketch,
    exact: &ExactMatrix,
    context: &mut RunContext,
) -> Result<(), RunError> {
    let thin = |side: &Array2<f64>| side.select(Axis(0), &every(side.nrows()));
    let estimate = sketch.matrix(thin(&exact.queries).view(), thin(&exact.keys).view()).map_err(failure)?;
    let tokens = (exact.queries.nrows(), exact.keys.nrows());
    context.emit(picture("estimate", &format!("estimate: {name}"), &estimate, tokens));
    Ok(())
}

/// Every so many-th of `count` rows, at most [`SIDE`] of them.
fn every(count: usize) -> Vec<usize> {
    let shown = count.min(SIDE);
    (0..shown).map(|i| i * count / shown).collect()
}

/// The picture of values for every so many-th of `queries` and `keys`.
fn picture(id: &str, title: &str, values: &Array2<f64>, (queries, keys): (usize, usize)) -> Event {
    let texts = |count: usize| every(count).iter().map(ToString::to_string).collect();
    let range = |f: fn(f64, f64) -> f64, start| values.iter().copied().fold(start, f);
    let (low, high) = (range(f64::min, f64::INFINITY), range(f64::max, f64::NEG_INFINITY));
    Event::Matrix(Matrix {
        id: id.to_owned(),
        group: "masked".to_owned(),
        title: title.to_owned(),
        rows: values.nrows(),
        cols: values.ncols(),
        values: values.iter().map(|value| *value as f32).collect(),
        row_names: texts(queries),
        col_names: texts(keys),
        row_word: "query".to_owned(),
        col_word: "key".to_owned(),
        scale: if id == "mask" { "mask" } else { "kernel" }.to_owned(),
        caption: format!("{low:.3} to {high:.3}"),
        ..Matrix::default()
    })
}
