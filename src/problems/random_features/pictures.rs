//! Exact matrix, estimate and difference, thinned to what a screen can draw.

use super::curve::CurveSampler;
use super::surveyed::SurveyedMatrix;
use crate::attention::kernel::exact;
use crate::attention::rowwise::ExactHead;
use crate::attention::{AttentionError, Inputs};
use crate::lab::{Event, Matrix, RunContext, RunError, decimal};
use crate::problems::limits::failure;
use ndarray::{Array1, Array2, Axis};

/// Rows and columns drawn, at most.
const SIDE: usize = 48;

/// Every so many-th token, at most [`SIDE`] of them.
fn every(count: usize) -> Vec<usize> {
    let shown = count.min(SIDE);
    (0..shown).map(|i| i * count / shown).collect()
}

/// Tells the three matrices of the first draw of m projections; `what` names the estimator. Where rows are measured one by one, the
/// matrices are row-normalised: no common scale shows them all.
pub(super) fn tell(
    matrix: &SurveyedMatrix<'_>,
    sampler: &CurveSampler<'_, '_>,
    what: &str,
    m: usize,
    context: &mut RunContext,
) -> Result<(), RunError> {
    let draw = sampler.sketch(context.seed(), m, 0).map_err(failure)?;
    let inputs = matrix.inputs;
    let (rows, cols) = (every(inputs.queries.nrows()), every(inputs.keys.nrows()));
    let row_exponents: Array1<f64> = rows.iter().map(|&row| inputs.row_exponents[row]).collect();
    let part = Inputs {
        queries: inputs.queries.select(Axis(0), &rows),
        keys: inputs.keys.select(Axis(0), &cols),
        row_exponents,
    };
    let (name, a, estimate) = if matrix.is_rowwise() {
        let head = ExactHead::new(&part, None, matrix.causal, &|| false).map_err(failure)?;
        let estimate = match draw.exponents(&part) {
            Err(AttentionError::NotFiniteFunction { .. }) => return Ok(()),
            estimate => estimate.map_err(failure)?,
        };
        let [exact, estimate] = head.normalized_pair(&estimate).map_err(failure)?;
        ("D⁻¹A", exact, estimate)
    } else {
        let a = exact(&part).map_err(failure)?;
        let factors = part.row_exponents.mapv(f64::exp).insert_axis(Axis(1));
        let estimate = match draw.matrix(&part) {
            // The trials come to the same place and say which token it is.
            Err(AttentionError::NotFiniteFunction { .. }) => return Ok(()),
            estimate => estimate.map_err(failure)?,
        };
        ("A", a, estimate * &factors)
    };
    drop(draw);
    let difference = (&estimate - &a).mapv(f64::abs);
    let thinned = if rows.len() < inputs.queries.nrows() || cols.len() < inputs.keys.nrows() {
        format!("{} of {} queries, {} of {} keys", rows.len(), inputs.queries.nrows(), cols.len(), inputs.keys.nrows())
    } else {
        "every token".to_owned()
    };
    let texts = |tokens: &[usize]| tokens.iter().map(ToString::to_string).collect::<Vec<_>>();
    let spikiness = &matrix.exact.spikiness;
    let spiky = format!(
        "N90 {}, participation {}, max/median {}",
        decimal(spikiness.n90, 3),
        decimal(spikiness.participation_ratio, 3),
        decimal(spikiness.max_over_median, 3)
    );
    for (id, title, values, more) in [
        ("exact", format!("exact {name}"), a, spiky),
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
            row_names: texts(&rows),
            col_names: texts(&cols),
            row_word: "query".to_owned(),
            col_word: "key".to_owned(),
            // How far off is far smaller than what is estimated.
            scale: if id == "difference" { id } else { "kernel" }.to_owned(),
            caption: format!("{low:.3} to {high:.3}; {thinned}; {more}"),
            ..Matrix::default()
        }));
    }
    Ok(())
}

fn range(values: &Array2<f64>) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)))
}
