//! Where the numbers of each step lie while a block of rows is computed.

use crate::function::{StepShape, Tape};
use crate::vision::fused::register::PAD;

/// How many bytes the numbers of a block should take: enough rows that a step is found seldom, and few enough that they stay
/// in a near cache beside their slopes and gradients.
const BLOCK_BYTES: usize = 32 << 10;

/// The rows of one head that a tape runs over.
#[derive(Clone, Copy)]
pub(in crate::vision) struct TapeRows<'a> {
    /// How many rows there are.
    pub count: usize,
    /// Coordinates of a row, without padding.
    pub coordinates: usize,
    /// The distance of two rows, with padding.
    pub width: usize,
    /// The coordinates u, `[count, width]`; empty where the tape does not use them.
    pub u: &'a [f32],
    /// The projected coordinates p, `[count, width]`; empty where the tape does not use them.
    pub p: &'a [f32],
    /// |x|² of each row; empty where the tape does not use them.
    pub n: &'a [f32],
}

/// A tape with what it runs over.
#[derive(Clone, Copy)]
pub(in crate::vision) struct TapeCall<'a> {
    /// The steps.
    pub tape: &'a Tape,
    /// The values of the learned scalars.
    pub scalars: &'a [f32],
    /// The rows.
    pub rows: TapeRows<'a>,
    /// The distance of two rows of components, with padding.
    pub out_width: usize,
}

/// Where the gradients of a head's rows go; each is written if the tape uses the variable, and otherwise left alone.
pub(in crate::vision) struct RowGradients<'a> {
    /// Of u, `[count, width]`.
    pub u: &'a mut [f32],
    /// Of p, `[count, width]`.
    pub p: &'a mut [f32],
    /// Of |x|².
    pub n: &'a mut [f32],
    /// Of the learned scalars, to be added to.
    pub scalars: &'a mut [f32],
}

/// The place of every step's numbers.
pub(super) struct TapeLayout {
    starts: Vec<usize>,
    /// Rows of a block.
    pub rows: usize,
    pub width: usize,
    /// Numbers of all steps together.
    pub len: usize,
}

/// Numbers that a row's value takes in a block of `rows` rows: whole registers.
pub(super) const fn row_len(rows: usize) -> usize {
    rows.next_multiple_of(PAD)
}

impl TapeLayout {
    pub fn new(tape: &Tape, count: usize, width: usize) -> Self {
        let wide = tape.steps.iter().filter(|step| step.shape == StepShape::Wide).count().max(1);
        let rows = (BLOCK_BYTES / 4 / (wide * width)).clamp(4, count.max(4));
        let mut starts = Vec::with_capacity(tape.steps.len());
        let mut len = 0;
        for step in &tape.steps {
            starts.push(len);
            len += Self::step_len(step.shape, rows, width);
        }
        Self { starts, rows, width, len }
    }

    /// Numbers of a step of this shape in a block of `rows` rows.
    pub const fn step_len(shape: StepShape, rows: usize, width: usize) -> usize {
        match shape {
            StepShape::Head => PAD,
            StepShape::Row => row_len(rows),
            StepShape::Wide => rows * width,
        }
    }

    /// The first number of a step.
    pub fn start(&self, slot: usize) -> usize {
        self.starts[slot]
    }
}

/// A few rows.
pub(super) struct TapeBlock<'a> {
    pub count: usize,
    pub coordinates: usize,
    pub u: &'a [f32],
    pub p: &'a [f32],
    pub n: &'a [f32],
}

impl<'a> TapeBlock<'a> {
    pub fn new(rows: &TapeRows<'a>, first: usize, count: usize) -> Self {
        let wide = |all: &'a [f32]| if all.is_empty() { all } else { &all[first * rows.width..][..count * rows.width] };
        let n = if rows.n.is_empty() { rows.n } else { &rows.n[first..first + count] };
        Self { count, coordinates: rows.coordinates, u: wide(rows.u), p: wide(rows.p), n }
    }
}

/// The numbers of every step, and where they are asked for the derivatives of functions that share their work with the value.
pub(super) struct TapeNumbers {
    pub values: Vec<f32>,
    pub slopes: Option<Vec<f32>>,
}

impl TapeNumbers {
    pub fn new(layout: &TapeLayout, with_slopes: bool) -> Self {
        Self { values: vec![0.0; layout.len], slopes: with_slopes.then(|| vec![0.0; layout.len]) }
    }

    /// The values of the steps before one whose numbers begin at `start`, its own `len` values, and its slopes.
    #[inline(always)]
    pub fn split(&mut self, start: usize, len: usize) -> (&[f32], &mut [f32], Option<&mut [f32]>) {
        let (before, into) = self.values.split_at_mut(start);
        (before, &mut into[..len], self.slopes.as_mut().map(|slopes| &mut slopes[start..start + len]))
    }
}
