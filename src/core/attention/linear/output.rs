//! What both products have in common: features, output, errors, the division by the denominators.

use crate::memory::{self, OutOfMemory};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};
use std::ops::Range;

/// Rows that are worked on at a time.
pub(super) const BLOCK: usize = 128;

/// Features of a sequence of tokens, written a block at a time so that the \[L, M\] matrix need not exist.
pub trait Features: Sync {
    /// The number of tokens, L.
    fn tokens(&self) -> usize;
    /// The number of features a token, M.
    fn features(&self) -> usize;
    /// Writes the features of the tokens `rows` into `into` \[rows, M\].
    ///
    /// # Errors
    /// There is not enough memory for [`Features::scratch`].
    fn write(&self, rows: Range<usize>, into: ArrayViewMut2<f32>) -> Result<(), OutOfMemory>;
    /// How many numbers [`Features::write`] holds for itself while it writes `rows` tokens.
    fn scratch(&self, _rows: usize) -> usize {
        0
    }
}

/// A feature matrix \[L, M\] that does exist.
impl Features for ArrayView2<'_, f32> {
    fn tokens(&self) -> usize {
        self.nrows()
    }

    fn features(&self) -> usize {
        self.ncols()
    }

    fn write(&self, rows: Range<usize>, mut into: ArrayViewMut2<f32>) -> Result<(), OutOfMemory> {
        into.assign(&self.slice_axis(Axis(0), rows.into()));
        Ok(())
    }
}

/// What a product gives.
#[derive(Clone, Debug)]
pub struct Output {
    /// The attention output \[L_q, d'\].
    pub values: Array2<f32>,
    /// Rows whose denominator is zero, set to 0.
    pub empty_rows: usize,
    /// Rows whose denominator is negative: estimators that subtract can do that, and the row is then worthless.
    pub negative_rows: usize,
    /// The most bytes held at once by every buffer of the call: states, blocks of all threads, output; not the inputs.
    pub bytes: usize,
}

/// Why a product cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinearError {
    /// Two sizes that must agree do not.
    #[error("{what}: found {found}, expected {expected}")]
    Shape {
        /// The size in words.
        what: &'static str,
        /// What was found.
        found: usize,
        /// What the other side says.
        expected: usize,
    },
    /// A buffer that could not be allocated.
    #[error(transparent)]
    Memory(#[from] OutOfMemory),
    /// A row came out infinite or not a number: the features or the values are too large for 32 bits.
    #[error("row {row} of the attention output is not finite in 32 bits: shrink the tokens' norms or the dimension")]
    NotFinite {
        /// The first such row.
        row: usize,
    },
}

pub(super) fn expect(what: &'static str, found: usize, expected: usize) -> Result<(), LinearError> {
    if found == expected { Ok(()) } else { Err(LinearError::Shape { what, found, expected }) }
}

/// `values` with a column of ones behind: its product gives numerator and denominator at once.
pub(super) fn with_ones(values: ArrayView2<f32>) -> Result<Array2<f32>, OutOfMemory> {
    let mut wide = memory::array((values.nrows(), values.ncols() + 1), 1.0, "the values")?;
    wide.slice_mut(ndarray::s![.., ..values.ncols()]).assign(&values);
    Ok(wide)
}

/// Rows whose denominator is (zero, negative), or the first row that is not finite.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    empty: usize,
    negative: usize,
    not_finite: Option<usize>,
}

impl Tally {
    pub fn merge(self, other: Self) -> Self {
        Self {
            empty: self.empty + other.empty,
            negative: self.negative + other.negative,
            not_finite: self.not_finite.or(other.not_finite),
        }
    }

    pub fn output(self, values: Array2<f32>, bytes: usize) -> Result<Output, LinearError> {
        match self.not_finite {
            Some(row) => Err(LinearError::NotFinite { row }),
            None => Ok(Output { values, empty_rows: self.empty, negative_rows: self.negative, bytes }),
        }
    }
}

/// Divides numerators by the last column into `out`, which begins at token `first`.
pub(super) fn divide(sums: ArrayView2<f32>, mut out: ArrayViewMut2<f32>, first: usize) -> Tally {
    let width = out.ncols();
    let mut tally = Tally::default();
    for (row, (sum, mut target)) in sums.outer_iter().zip(out.outer_iter_mut()).enumerate() {
        let denominator = sum[width];
        if denominator == 0.0 {
            tally.empty += 1;
            target.fill(0.0);
            continue;
        }
        tally.negative += usize::from(denominator < 0.0);
        let mut finite = denominator.is_finite();
        for (value, numerator) in target.iter_mut().zip(sum) {
            *value = numerator / denominator;
            finite &= value.is_finite();
        }
        if !finite && tally.not_finite.is_none() {
            tally.not_finite = Some(first + row);
        }
    }
    tally
}
