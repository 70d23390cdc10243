//! Exact matrix, estimate and difference, thinned to what a screen can draw.

use crate::attention::kernel::exact;
use crate::attention::spikiness::Spikiness;
use crate::attention::{Inputs, Sketch};
use crate::lab::{Event, Matrix, RunContext, RunError};
use crate::problems::limits::failure;
use ndarray::{Array1, Array2, Axis};

/// Rows and columns drawn, at most.
const SIDE: usize = 48;

/// Every so many-th token, at most [`SIDE`] of them.
fn every(count: usize) -> Vec<usize> {
    let shown = count.min(SIDE);
    (0..shown).map(|i| i * count / shown).collect()
}

/// Tells the three matrices of one draw; `what` names the estimator.
pub(super) fn tell(
    inputs: &Inputs,
    draw: &dyn Sketch,
    spikiness: &Spikiness,
    what: &str,
    context: &mut RunContext,
) -> Result<(), RunError> {
    let (rows, cols) = (every(inputs.queries.nrows()), every(inputs.keys.nrows()));
    let row_exponents: Array1<f64> = rows.iter().map(|&row| inputs.row_exponents[row]).collect();
    let part = Inputs {
        queries: inputs.queries.select(Axis(0), &rows),
        keys: inputs.keys.select(Axis(0), &cols),
        row_exponents,
    };
    let a = exact(&part).map_err(failure)?;
    let factors = part.row_exponents.mapv(f64::exp).insert_axis(Axis(1));
    let estimate = draw.matrix(part.queries.view(), part.keys.view()).map_err(failure)? * &factors;
    let difference = (&estimate - &a).mapv(f64::abs);
    let thinned = if rows.len() < inputs.queries.nrows() || cols.len() < inputs.keys.nrows() {
        format!("{} of {} queries, {} of {} keys", rows.len(), inputs.queries.nrows(), cols.len(), inputs.keys.nrows())
    } else {
        "every token".to_owned()
    };
    let spiky = format!(
        "N90 {:.3}, participation {:.3}, max/median {:.3}",
        spikiness.n90, spikiness.participation_ratio, spikiness.max_over_median
    );
    for (id, title, values, more) in [
        ("exact", "exact A".to_owned(), a, spiky),
        ("estimate", format!("estimate: {what}"), estimate, "first draw".to_owned()),
        ("difference", "|difference|".to_owned(), difference, "first draw".to_owned()),
    ] {
        let (low, high) = range(&values);
        context.emit(Event::Matrix(Matrix {
            id: id.to_owned(),
            group: "attention".to_owned(),
            title,
            rows: rows.len(),
            cols: cols.len(),
            values: values.iter().map(|&value| value as f32).collect(),
            caption: format!("{low:.3} to {high:.3}; {thinned}; {more}"),
        }));
    }
    Ok(())
}

fn range(values: &Array2<f64>) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)))
}
