//! What the head of an array says, compared with the bytes that are there.

use super::bytes::ArrayBytes;
use super::error::ArrayError;
use super::number::NumberEncoding;
use super::view::StridedView;

/// Axes that an array may have, as in numpy.
const MOST_AXES: usize = 64;

/// An array in a file, before any slice.
#[derive(Debug)]
pub(super) struct StoredArray {
    /// The bytes it lies in.
    pub bytes: ArrayBytes,
    /// Bytes before its first number.
    pub start: u64,
    /// How its numbers are stored.
    pub encoding: NumberEncoding,
    /// Its axes.
    pub view: StridedView,
}

impl StoredArray {
    /// An array of `shape` from the byte `start` on.
    ///
    /// # Errors
    /// There are more axes than numpy has, one is empty, or the shape needs more bytes than there are.
    pub(super) fn new(
        bytes: ArrayBytes,
        start: u64,
        encoding: NumberEncoding,
        shape: &[usize],
        fortran: bool,
    ) -> Result<Self, ArrayError> {
        if shape.len() > MOST_AXES {
            let reason = format!("has {} axes, allowed: up to {MOST_AXES}", shape.len());
            return Err(ArrayError::Refused(reason));
        }
        if let Some(axis) = shape.iter().position(|length| *length == 0) {
            let reason = format!("has shape {shape:?}: axis {axis} is empty, allowed: at least one entry");
            return Err(ArrayError::Refused(reason));
        }
        let claimed = shape.iter().try_fold(encoding.size as u64, |need, length| need.checked_mul(*length as u64));
        let there = bytes.length().saturating_sub(start);
        if claimed.is_none_or(|need| there < need) {
            let need = claimed.map_or("more than 2⁶⁴".to_owned(), |need| need.to_string());
            let axes = shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ");
            return Err(ArrayError::Refused(format!(
                "claims {axes} numbers, {need} bytes, but holds {there} bytes of them"
            )));
        }
        Ok(Self { bytes, start, encoding, view: StridedView::whole(shape, fortran)? })
    }
}
