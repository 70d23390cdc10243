//! Numbers of a matrix, read in the order in which they lie in the file.

use super::bytes::ArrayBytes;
use super::error::ArrayError;
use super::head::StoredArray;
use super::view::StridedAxis;
use crate::memory;
use ndarray::{Array2, ArrayView1, Axis};

/// What is short where a matrix does not fit into memory.
const WHAT: &str = "the numbers of the file";

/// Bytes that are read at once; a multiple of the size of every number.
const WINDOW: u64 = 1 << 18;

/// Bytes between two parts that are read rather than left out.
const GAP: u64 = 1 << 15;

/// One axis of the matrix with the order of the file: its stride is positive.
#[derive(Clone, Copy)]
struct ForwardAxis {
    length: usize,
    /// Bytes from one entry to the next.
    stride: u64,
    /// Whether the first in the file is the last of the matrix.
    backwards: bool,
}

impl ForwardAxis {
    /// The axis, and the numbers from its first entry to the one that lies first in the file, at most 0.
    fn of(axis: StridedAxis, size: u64) -> (Self, i64) {
        let last = (axis.length as i64 - 1) * axis.stride;
        let stride = if axis.length == 1 { 0 } else { axis.stride.unsigned_abs() * size };
        (Self { length: axis.length, stride, backwards: axis.stride < 0 }, last.min(0))
    }

    /// Bytes from the first entry to the last.
    const fn span(self) -> u64 {
        (self.length as u64 - 1) * self.stride
    }
}

/// The matrix of the axes `rows` and `columns` of `array` whose first number is `offset`, as f64; every value is finite.
/// `place` says which matrix of several this is, for messages, and may be empty.
///
/// # Errors
/// It does not fit into memory, its bytes cannot be read, or a value is NaN or infinite (with its row and column).
pub(super) fn matrix(
    array: &StoredArray,
    offset: i64,
    rows: StridedAxis,
    columns: StridedAxis,
    place: &str,
) -> Result<Array2<f64>, ArrayError> {
    let mut matrix = memory::array((rows.length, columns.length), 0.0, WHAT)?;
    let size = array.encoding.size as u64;
    let ((down, first_row), (across, first_column)) = (ForwardAxis::of(rows, size), ForwardAxis::of(columns, size));
    // The axis whose entries lie farther apart is walked outside, so that the file is read forwards.
    let turned = across.stride > down.stride;
    let (outer, inner) = if turned { (across, down) } else { (down, across) };
    let start = array.start + (offset + first_row + first_column) as u64 * size;
    let end = start + outer.span() + inner.span() + size;
    let mut window = Window { bytes: &array.bytes, buffer: Vec::new(), start };
    let mut line = memory::vec(inner.length, 0.0, WHAT)?;
    for i in 0..outer.length {
        let run = start + i as u64 * outer.stride;
        let run_end = run + inner.span() + size;
        // How far it is worth reading: over small gaps, and not over large ones.
        let far = if outer.stride.saturating_sub(inner.span()) <= GAP { end } else { run_end };
        let mut done = 0;
        while done < inner.length {
            let at = run + done as u64 * inner.stride;
            let far = if inner.stride <= GAP { far } else { at + size };
            let there = window.ahead(at, size, far)?;
            let count = if inner.stride == size { (there.len() / size as usize).min(inner.length - done) } else { 1 };
            (array.encoding.decode)(there, &mut line[done..done + count]);
            done += count;
        }
        let outside = if outer.backwards { outer.length - 1 - i } else { i };
        let mut target = if turned { matrix.column_mut(outside) } else { matrix.row_mut(outside) };
        if inner.backwards {
            target.invert_axis(Axis(0));
        }
        target.assign(&ArrayView1::from(&line));
    }
    if let Some(((row, column), value)) = matrix.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Err(ArrayError::Refused(format!(
            "{value} in row {row}, column {column}{place} (counted from 0), allowed: finite numbers"
        )));
    }
    Ok(matrix)
}

/// Bytes of a file that have been read.
struct Window<'a> {
    bytes: &'a ArrayBytes,
    buffer: Vec<u8>,
    /// Where the first of them lies.
    start: u64,
}

impl Window<'_> {
    /// The bytes from `at` on, at least `size`; where they are to be read, so is what follows up to `far`.
    fn ahead(&mut self, at: u64, size: u64, far: u64) -> Result<&[u8], ArrayError> {
        if at < self.start || at + size > self.start + self.buffer.len() as u64 {
            self.buffer.resize((far - at).min(WINDOW) as usize, 0);
            self.start = at;
            self.bytes.read(at, &mut self.buffer)?;
        }
        Ok(&self.buffer[(at - self.start) as usize..])
    }
}
