//! Attention from features in time and memory linear in the length, beside the exact quadratic product.
//!
//! `out_i = ψ(q_i)ᵀ (Σ_j ψ(k_j) v_jᵀ) / ψ(q_i)ᵀ (Σ_j ψ(k_j))` with the sums over every key, or over `j ≤ i` when causal
//! (prefix sums; Katharopoulos et al. 2020). The ratio is consistent, not unbiased: its bias falls like 1/M.
//! Both products are streamed in blocks, run on the current rayon pool, and give the same numbers on any number of
//! threads. A row whose denominator is zero (its mask meets no key's) is defined as 0, in both.

mod exact;
mod streamed;

pub use exact::{Side, exact};
pub use streamed::linear;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};
use std::ops::Range;

/// Rows that are worked on at a time.
const BLOCK: usize = 128;

/// Features of a sequence of tokens, written a block at a time so that the \[L, M\] matrix need not exist.
pub trait Features: Sync {
    /// The number of tokens, L.
    fn tokens(&self) -> usize;
    /// The number of features a token, M.
    fn features(&self) -> usize;
    /// Writes the features of the tokens `rows` into `into` \[rows, M\].
    fn write(&self, rows: Range<usize>, into: ArrayViewMut2<f32>);
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

    fn write(&self, rows: Range<usize>, mut into: ArrayViewMut2<f32>) {
        into.assign(&self.slice_axis(Axis(0), rows.into()));
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
    /// A row came out infinite or not a number: the features or the values are too large for 32 bits.
    #[error("row {row} of the attention output is not finite in 32 bits: shrink the tokens' norms or the dimension")]
    NotFinite {
        /// The first such row.
        row: usize,
    },
}

fn expect(what: &'static str, found: usize, expected: usize) -> Result<(), LinearError> {
    if found == expected { Ok(()) } else { Err(LinearError::Shape { what, found, expected }) }
}

/// `values` with a column of ones behind: its product gives numerator and denominator at once.
fn with_ones(values: ArrayView2<f32>) -> Array2<f32> {
    let mut wide = Array2::ones((values.nrows(), values.ncols() + 1));
    wide.slice_mut(ndarray::s![.., ..values.ncols()]).assign(&values);
    wide
}

/// Rows whose denominator is (zero, negative), or the first row that is not finite.
#[derive(Clone, Copy, Default)]
struct Tally {
    empty: usize,
    negative: usize,
    not_finite: Option<usize>,
}

impl Tally {
    fn merge(self, other: Self) -> Self {
        Self {
            empty: self.empty + other.empty,
            negative: self.negative + other.negative,
            not_finite: self.not_finite.or(other.not_finite),
        }
    }

    fn output(self, values: Array2<f32>, bytes: usize) -> Result<Output, LinearError> {
        match self.not_finite {
            Some(row) => Err(LinearError::NotFinite { row }),
            None => Ok(Output { values, empty_rows: self.empty, negative_rows: self.negative, bytes }),
        }
    }
}

/// Divides numerators by the last column into `out`, which begins at token `first`.
fn divide(sums: ArrayView2<f32>, mut out: ArrayViewMut2<f32>, first: usize) -> Tally {
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
