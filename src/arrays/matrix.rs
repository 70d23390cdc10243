//! Numbers of a matrix, read in the order in which they lie in the file.

use super::bytes::ArrayBytes;
use super::error::ArrayError;
use super::head::StoredArray;
use super::view::StridedAxis;
use crate::memory;
use ndarray::Array2;

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

    /// The entry of the matrix that lies at `place` in the file.
    const fn entry(self, place: usize) -> usize {
        if self.backwards { self.length - 1 - place } else { place }
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
    let mut matrix = memory::array((rows.length, columns.length), 0.0, "the numbers of the file")?;
    let size = array.encoding.size as u64;
    let ((down, first_row), (across, first_column)) = (ForwardAxis::of(rows, size), ForwardAxis::of(columns, size));
    // The axis whose entries lie farther apart is walked outside, so that the file is read forwards.
    let turned = across.stride > down.stride;
    let (outer, inner) = if turned { (across, down) } else { (down, across) };
    let start = array.start + (offset + first_row + first_column) as u64 * size;
    let end = start + outer.span() + inner.span() + size;
    let mut window = Window { bytes: &array.bytes, buffer: Vec::new(), start };
    for i in 0..outer.length {
        let run = start + i as u64 * outer.stride;
        let run_end = run + inner.span() + size;
        // How far it is worth reading: over small gaps, and not over large ones.
        let far = if outer.stride.saturating_sub(inner.span()) <= GAP { end } else { run_end };
        for j in 0..inner.length {
            let at = run + j as u64 * inner.stride;
            let far = if inner.stride <= GAP { far } else { at + size };
            let value = (array.encoding.decode)(window.number(at, size, far)?);
            let (outside, inside) = (outer.entry(i), inner.entry(j));
            matrix[if turned { [inside, outside] } else { [outside, inside] }] = value;
        }
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
    /// The `size` bytes from `at` on; where they are to be read, so is what follows up to `far`.
    fn number(&mut self, at: u64, size: u64, far: u64) -> Result<&[u8], ArrayError> {
        if at < self.start || at + size > self.start + self.buffer.len() as u64 {
            self.buffer.resize((far - at).min(WINDOW) as usize, 0);
            self.start = at;
            self.bytes.read(at, &mut self.buffer)?;
        }
        let place = (at - self.start) as usize;
        Ok(&self.buffer[place..place + size as usize])
    }
}
