//! Products of the small matrices of one head, kept in registers.
//!
//! C (+)= A·B with B and C in rows of whole registers and A read by single elements in any order: A's element (i, k) is
//! spread over a register and multiplied with row k of B. Every product of an attention head, forward and backward, is
//! of this form, transposed A included.

#![allow(unsafe_code)]

use super::register::{PAD, multiply_add, vectorize};
use pulp::{Simd, bytemuck};

/// A left operand: element (row, step) lies at `row·row_stride + step·step_stride`.
#[derive(Clone, Copy)]
pub(in crate::vision) struct Left<'a> {
    pub values: &'a [f32],
    pub row_stride: usize,
    pub step_stride: usize,
}

impl<'a> Left<'a> {
    /// A matrix in rows `stride` apart.
    #[inline(always)]
    pub fn rows(values: &'a [f32], stride: usize) -> Self {
        Self { values, row_stride: stride, step_stride: 1 }
    }

    /// The transpose of a matrix in rows `stride` apart.
    #[inline(always)]
    pub fn transposed(values: &'a [f32], stride: usize) -> Self {
        Self { values, row_stride: 1, step_stride: stride }
    }
}

/// Rows of C, steps of the sum, and columns of C, a multiple of [`PAD`].
#[derive(Clone, Copy)]
pub(in crate::vision) struct Size {
    pub rows: usize,
    pub depth: usize,
    pub columns: usize,
}

/// What becomes of the old content of C.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::vision) enum Into {
    /// C = A·B; the old content is not read.
    Overwrite,
    /// C += A·B.
    Add,
}

/// C (+)= A·B, with B `[depth, columns]` and C `[rows, columns]` in rows without gaps.
///
/// Compiled once for each set of instructions: it is sixteen loops, and inlined at each of its calls they were most of the
/// kernels' machine code. A call costs nothing beside a product.
///
/// # Panics
/// An operand is too short: a mistake of the caller.
#[inline(never)]
pub(in crate::vision) fn multiply<S: Simd>(
    simd: S,
    size: Size,
    left: Left<'_>,
    right: &[f32],
    into: &mut [f32],
    how: Into,
) {
    vectorize(
        simd,
        #[inline(always)]
        || multiply_tiles(simd, size, left, right, into, how),
    );
}

#[inline(always)]
fn multiply_tiles<S: Simd>(simd: S, size: Size, left: Left<'_>, right: &[f32], into: &mut [f32], how: Into) {
    let Size { rows, depth, columns } = size;
    if rows == 0 {
        return;
    }
    assert!(columns.is_multiple_of(PAD), "columns of a tiled product");
    assert!(right.len() >= depth * columns && into.len() >= rows * columns, "operands of a tiled product");
    if depth > 0 {
        let last = (rows - 1) * left.row_stride + (depth - 1) * left.step_stride;
        assert!(left.values.len() > last, "left operand of a tiled product");
    }
    // Accumulators, one row of B and one spread element must fit in the register file.
    let (most, lanes) = if S::REGISTER_COUNT >= 32 { (8, S::F32_LANES) } else { (6, S::F32_LANES) };
    let tiles = rows.div_ceil(most);
    let (mut row, mut left_rows) = (0, rows);
    for tile in 0..tiles {
        let height = left_rows.div_ceil(tiles - tile);
        let mut column = 0;
        while column < columns {
            let pair = column + 2 * lanes <= columns;
            // SAFETY: `columns` is a multiple of the register width, because PAD is, so `column` plus one or two registers
            // lie within a row; rows `row..row + height` and all `depth` rows of the right operand lie within `into` and
            // `right`, and all `depth` steps of those rows within `left`, as asserted above. With a depth of 0 nothing is read
            // from `left` and `right`, which may be empty: their pointers are moved without the promise that they stay inside.
            unsafe {
                let place = TilePlace {
                    left: left.values.as_ptr().wrapping_add(row * left.row_stride),
                    row_stride: left.row_stride,
                    step_stride: left.step_stride,
                    right: right.as_ptr().wrapping_add(column),
                    into: into.as_mut_ptr().add(row * columns + column),
                    columns,
                    depth,
                    how,
                };
                if pair { place.tile_of::<S, 2>(simd, height) } else { place.tile_of::<S, 1>(simd, height) }
            }
            column += if pair { 2 * lanes } else { lanes };
        }
        row += height;
        left_rows -= height;
    }
}

/// Where one tile lies.
#[derive(Clone, Copy)]
struct TilePlace {
    left: *const f32,
    row_stride: usize,
    step_stride: usize,
    right: *const f32,
    into: *mut f32,
    columns: usize,
    depth: usize,
    how: Into,
}

impl TilePlace {
    /// The tile of `height` rows and `C` registers.
    ///
    /// # Safety
    /// As [`Self::tile`].
    #[inline(always)]
    unsafe fn tile_of<S: Simd, const C: usize>(self, simd: S, height: usize) {
        // SAFETY: passed on to the caller.
        unsafe {
            match height {
                1 => self.tile::<S, 1, C>(simd),
                2 => self.tile::<S, 2, C>(simd),
                3 => self.tile::<S, 3, C>(simd),
                4 => self.tile::<S, 4, C>(simd),
                5 => self.tile::<S, 5, C>(simd),
                6 => self.tile::<S, 6, C>(simd),
                7 => self.tile::<S, 7, C>(simd),
                8 => self.tile::<S, 8, C>(simd),
                _ => unreachable!("a tile has at most eight rows"),
            }
        }
    }

    /// # Safety
    /// `R` rows and `depth` steps of the left operand, `depth` rows of `C` registers of the right one and `R` rows of
    /// `C` registers of the result can be read, and the latter written.
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const C: usize>(self, simd: S) {
        let lanes = S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); C]; R];
        // SAFETY: the caller's promise; registers are read and written without alignment.
        unsafe {
            let at = |row: usize, register: usize| self.into.add(row * self.columns + register * lanes);
            if self.how == Into::Add {
                for (row, sums) in sums.iter_mut().enumerate() {
                    for (register, sum) in sums.iter_mut().enumerate() {
                        *sum = read::<S>(at(row, register));
                    }
                }
            }
            // Four rows share a base pointer: one pointer a row would spill.
            let three = 3 * self.row_stride;
            let mut low = self.left;
            let mut high = self.left.wrapping_add(if R > 4 { 4 * self.row_stride } else { 0 });
            let mut right = self.right;
            for _ in 0..self.depth {
                let mut registers = [simd.splat_f32s(0.0); C];
                for (register, value) in registers.iter_mut().enumerate() {
                    *value = read::<S>(right.add(register * lanes));
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let base = if row < 4 { low } else { high };
                    let offset = if row % 4 == 3 { three } else { row % 4 * self.row_stride };
                    let element = simd.splat_f32s(*base.add(offset));
                    for (sum, value) in sums.iter_mut().zip(registers) {
                        *sum = multiply_add(simd, element, value, *sum);
                    }
                }
                low = low.wrapping_add(self.step_stride);
                high = high.wrapping_add(self.step_stride);
                right = right.wrapping_add(self.columns);
            }
            for (row, sums) in sums.into_iter().enumerate() {
                for (register, sum) in sums.into_iter().enumerate() {
                    std::ptr::copy_nonoverlapping(
                        bytemuck::cast_slice(std::slice::from_ref(&sum)).as_ptr(),
                        at(row, register),
                        lanes,
                    );
                }
            }
        }
    }
}

/// # Safety
/// One register of f32 can be read at `from`.
#[inline(always)]
unsafe fn read<S: Simd>(from: *const f32) -> S::f32s {
    // SAFETY: the caller's promise; registers are plain data.
    unsafe { from.cast::<S::f32s>().read_unaligned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_sum_in_every_order_and_height() {
        for rows in 1..20 {
            for (depth, columns) in [(0, 16), (1, 16), (5, 32), (7, 48)] {
                let a: Vec<f32> = (0..rows * depth).map(|i| (i % 7) as f32 - 3.0).collect();
                let b: Vec<f32> = (0..depth * columns).map(|i| (i % 5) as f32 - 2.0).collect();
                let expected = |row: usize, column: usize, transposed: bool| -> f32 {
                    (0..depth)
                        .map(|k| {
                            let a = if transposed { a[k * rows + row] } else { a[row * depth + k] };
                            a * b[k * columns + column]
                        })
                        .sum()
                };
                let size = Size { rows, depth, columns };
                for transposed in [false, true] {
                    let left = if transposed { Left::transposed(&a, rows) } else { Left::rows(&a, depth) };
                    let mut c = vec![f32::NAN; rows * columns];
                    multiply(pulp::Scalar::new(), size, left, &b, &mut c, Into::Overwrite);
                    multiply(pulp::Scalar::new(), size, left, &b, &mut c, Into::Add);
                    for row in 0..rows {
                        for column in 0..columns {
                            assert_eq!(c[row * columns + column], 2.0 * expected(row, column, transposed));
                        }
                    }
                }
            }
        }
    }
}
