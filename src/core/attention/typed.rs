//! Features of random projections by a function h that a user typed: φ_i(x) = h(w_i·x, |x|²)/√m, several features a
//! projection where h has several components. Learned scalars are constants here, at their start.

use super::AttentionError;
use crate::function::{Function, Rows, Tape, Variable};
use crate::product::product;
use ndarray::{Array2, ArrayView2, s};
use std::ops::Range;

/// Numbers of a block of rows: what stays in the second-level cache.
const BLOCK: usize = 1 << 13;

/// Whether random features can be made of `function`.
///
/// # Errors
/// It needs coordinates of x, one by one.
pub(super) fn check(function: &Function) -> Result<(), AttentionError> {
    if function.is_wide_in_coordinates() {
        return Err(AttentionError::Function {
            found: function.text().to_owned(),
            allowed: "p in place of u: random features are made of p = w·x and n = |x|², u is a coordinate of x itself",
        });
    }
    Ok(())
}

/// The rows of one side on the projections of a draw.
#[derive(Clone, Copy)]
pub(super) struct TypedSide<'a> {
    pub function: &'static Function,
    /// `query` or `key`, for messages.
    pub side: &'static str,
    /// Scaled queries or keys, L×d.
    pub tokens: ArrayView2<'a, f64>,
    /// W, m×d.
    pub projections: ArrayView2<'a, f64>,
}

/// Features of a block of rows. Feature `component` of projection `i` of a row lies at `components·m·row + m·component + i`.
pub(super) struct TypedBlock {
    m: usize,
    components: usize,
    /// Values, or exponents where every value is the exponential of one.
    numbers: Vec<f64>,
}

impl TypedBlock {
    /// The numbers of feature `l` of the rows, counted as in Φ: the components of the first projection, then of the next one.
    pub fn feature(&self, l: usize) -> impl Iterator<Item = f64> {
        let place = self.m * (l % self.components) + l / self.components;
        self.rows().map(move |row| row[place])
    }

    /// The numbers of each row.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.numbers.chunks_exact(self.m * self.components)
    }
}

impl TypedSide<'_> {
    /// Blocks of `rows` that are best evaluated together.
    pub fn blocks(&self, rows: Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
        let (size, end) = ((BLOCK / self.projections.nrows().max(1)).clamp(1, 256), rows.end);
        rows.step_by(size).map(move |start| start..(start + size).min(end))
    }

    /// The values of the features of `rows`.
    ///
    /// # Errors
    /// A value is not finite.
    pub fn values(&self, rows: Range<usize>) -> Result<TypedBlock, AttentionError> {
        self.evaluate(self.function.features(), rows)
    }

    /// The logarithms of the features of `rows`; none where they are not exponentials.
    ///
    /// # Errors
    /// An exponent is not finite.
    pub fn exponents(&self, rows: Range<usize>) -> Option<Result<TypedBlock, AttentionError>> {
        self.function.exponents().map(|tape| self.evaluate(tape, rows))
    }

    fn evaluate(&self, tape: &Tape, rows: Range<usize>) -> Result<TypedBlock, AttentionError> {
        let first = rows.start;
        let x = self.tokens.slice(s![rows, ..]);
        let m = self.projections.nrows();
        let mut products = Array2::<f64>::zeros((x.nrows(), m));
        product(x, self.projections.t(), products.view_mut(), 0.0);
        let squares: Vec<f64> = x.rows().into_iter().map(|row| row.dot(&row)).collect();
        // Coordinates are read by reductions only.
        let coordinates: Vec<f64> =
            if tape.uses(Variable::Coordinate) { x.iter().copied().collect() } else { Vec::new() };
        let rows = Rows {
            count: x.nrows(),
            coordinates: &coordinates,
            projected: products.as_slice().unwrap_or_default(),
            squared_norms: &squares,
        };
        let starts = self.function.starts();
        let numbers = tape.evaluate(&starts, &rows);
        if numbers.iter().all(|number| number.is_finite()) {
            return Ok(TypedBlock { m, components: tape.outputs.len(), numbers });
        }
        // Exponents are finite wherever every part of the function is, but for its last exponential.
        let fault = self.function.fault(&starts, &rows);
        let (row, value, part) = fault.map_or_else(
            || (0, f64::NAN, self.function.text().to_owned()),
            |fault| (fault.row, fault.value, self.function.part(&fault.step)),
        );
        Err(AttentionError::NotFiniteFunction {
            part,
            value,
            side: self.side,
            token: first + row,
            square: squares[row],
        })
    }
}
