//! What is declared of a projection.

use crate::memory::OutOfMemory;
use crate::random::Generator;
use ndarray::ArrayViewMut2;

/// The law of one row alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowLaw {
    /// N(0, I): every family is unbiased, however the rows are coupled.
    Normal,
    /// Independent entries ±1.
    Signs,
    /// Norm √d, in a random direction.
    FixedNorm,
}

/// Which rows are drawn by one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drawn {
    /// All of them: they are independent, or one sequence of which any beginning is as good.
    AtOnce,
    /// Independent blocks of as many rows as the dimension they are drawn in; a block cut short loses of its coupling.
    InBlocks,
}

/// The closed form that moments of features on coupled rows have, see [`crate::attention::theory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::attention) enum ClosedForm {
    /// Rows are independent N(0, I).
    Independent,
    /// Orthogonal rows with independent chi norms.
    Orthogonal,
    /// Rows at the angles of a simplex with independent chi norms.
    Simplex,
    /// Orthogonal rows of norm √d.
    FixedNorm,
    /// Entries ±1.
    Signs,
    /// There is none, for this reason.
    None(&'static str),
}

/// Draws the rows of one call (rows×d, cut to d columns where rows are padded).
pub(super) type Fill = fn(ArrayViewMut2<'_, f64>, &mut Generator) -> Result<(), OutOfMemory>;

/// Everything that is known of one projection.
pub(super) struct Record {
    pub law: RowLaw,
    pub drawn: Drawn,
    /// Whether rows live in the next power of two of d (vectors are zero-padded to it).
    pub pads: bool,
    /// The smallest and the largest d there are rows for.
    pub dims: (usize, usize),
    pub closed_form: ClosedForm,
    /// What a reader of results should know.
    pub caveat: Option<&'static str>,
    /// How many numbers one call holds beside W in dimension d (padded, where rows are).
    pub workspace: fn(d: usize) -> usize,
    pub fill: Fill,
}

impl Record {
    /// The record of independent N(0, I) rows; other records say in what they differ.
    pub const fn new(fill: Fill) -> Self {
        Self {
            law: RowLaw::Normal,
            drawn: Drawn::AtOnce,
            pads: false,
            dims: (1, usize::MAX),
            closed_form: ClosedForm::Independent,
            caveat: None,
            workspace: |_| 0,
            fill,
        }
    }
}
