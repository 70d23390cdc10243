//! Arrays as they lie in a file: lengths and strides of their axes.

use super::error::ArrayError;

/// One axis of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StridedAxis {
    /// Entries.
    pub length: usize,
    /// How many numbers of the file lie from one entry to the next; negative where the axis runs backwards.
    pub stride: i64,
}

/// A part of an array in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StridedView {
    /// Numbers before the first entry.
    pub offset: i64,
    /// The axes, the first one first.
    pub axes: Vec<StridedAxis>,
}

impl StridedView {
    /// The whole array of `shape`, whose last axis lies closest together, or the first where `fortran`.
    ///
    /// # Errors
    /// There are more numbers than 63 bits count.
    pub(super) fn whole(shape: &[usize], fortran: bool) -> Result<Self, ArrayError> {
        let mut axes = vec![StridedAxis { length: 0, stride: 0 }; shape.len()];
        let mut stride: i64 = 1;
        let mut next = |axis: &mut StridedAxis, length: usize| {
            *axis = StridedAxis { length, stride };
            let count = i64::try_from(length).ok().and_then(|length| stride.checked_mul(length));
            stride =
                count.ok_or_else(|| ArrayError::Refused(format!("claims shape {shape:?}, more than files hold")))?;
            Ok::<_, ArrayError>(())
        };
        let mut pairs = axes.iter_mut().zip(shape.iter().copied());
        if fortran {
            pairs.try_for_each(|(axis, length)| next(axis, length))?;
        } else {
            pairs.rev().try_for_each(|(axis, length)| next(axis, length))?;
        }
        Ok(Self { offset: 0, axes })
    }

    /// The lengths of the axes.
    pub(super) fn shape(&self) -> Vec<usize> {
        self.axes.iter().map(|axis| axis.length).collect()
    }

    /// Leaves axes of length 1 at the front out, as long as two axes stay.
    pub(super) fn drop_leading_ones(&mut self) {
        let spare = self.axes.len().saturating_sub(2);
        let ones = self.axes.iter().take(spare).take_while(|axis| axis.length == 1).count();
        self.axes.drain(..ones);
    }

    /// The whole as so many columns after one another: the last axis becomes two, `count` and its length / `count`.
    pub(super) fn cut_last(&mut self, count: usize) {
        if let Some(last) = self.axes.pop() {
            let length = last.length / count;
            self.axes.push(StridedAxis { length: count, stride: last.stride * length as i64 });
            self.axes.push(StridedAxis { length, stride: last.stride });
        }
    }
}
