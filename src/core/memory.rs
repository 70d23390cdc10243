//! Large buffers are allocated here: a shortage of memory is an error of the run that asked, not the end of the process.
//!
//! The standard collections abort the process when an allocation fails. What can grow with a user's numbers (projections,
//! features, matrices) is allocated with [`array`] and [`vec`] instead, which report the bytes that were asked for.

use ndarray::{Array2, ShapeBuilder};

/// An allocation that this process did not get.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} ({rows} × {columns}) need {}, which is more than this process can get", size(*bytes))]
pub struct OutOfMemory {
    /// What should have been stored, in the plural: `the features of the keys`.
    pub what: &'static str,
    /// Rows asked for.
    pub rows: usize,
    /// Columns asked for.
    pub columns: usize,
    /// Bytes asked for.
    pub bytes: u128,
}

/// A number of bytes as people read it: `3.2 GiB`.
#[must_use]
pub fn size(bytes: u128) -> String {
    let (unit, scale) = match bytes {
        0x4000_0000.. => ("GiB", f64::from(1 << 30)),
        0x10_0000.. => ("MiB", f64::from(1 << 20)),
        _ => ("KiB", f64::from(1 << 10)),
    };
    format!("{:.1} {unit}", bytes as f64 / scale)
}

/// `count` copies of `value`.
///
/// # Errors
/// The memory is not to be had, or its size overflows.
pub fn vec<T: Clone>(count: usize, value: T, what: &'static str) -> Result<Vec<T>, OutOfMemory> {
    cells((1, count), value, what)
}

/// An array of `rows` × `columns` cells in row-major order, each `value`.
///
/// # Errors
/// The memory is not to be had, or its size overflows.
pub fn array<T: Clone>(
    (rows, columns): (usize, usize),
    value: T,
    what: &'static str,
) -> Result<Array2<T>, OutOfMemory> {
    let cells = cells((rows, columns), value, what)?;
    Ok(Array2::from_shape_vec((rows, columns).into_shape_with_order(), cells)
        .unwrap_or_else(|_| unreachable!("there are rows × columns cells")))
}

/// Asks for room for `rows` × `columns` cells of type `T` and gives it back at once: for arrays that a library allocates.
///
/// # Errors
/// The memory is not to be had, or its size overflows.
pub fn probe<T>(shape: (usize, usize), what: &'static str) -> Result<(), OutOfMemory> {
    room::<T>(shape, what).map(drop)
}

fn cells<T: Clone>(shape: (usize, usize), value: T, what: &'static str) -> Result<Vec<T>, OutOfMemory> {
    let mut cells = room(shape, what)?;
    cells.resize(shape.0 * shape.1, value);
    Ok(cells)
}

fn room<T>((rows, columns): (usize, usize), what: &'static str) -> Result<Vec<T>, OutOfMemory> {
    let short = || OutOfMemory { what, rows, columns, bytes: rows as u128 * columns as u128 * size_of::<T>() as u128 };
    let mut cells = Vec::new();
    let count = rows.checked_mul(columns).ok_or_else(short)?;
    cells.try_reserve_exact(count).map_err(|_| short())?;
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_had_is_an_error() {
        assert_eq!(array((2, 3), 1.5, "numbers").unwrap(), Array2::from_elem((2, 3), 1.5));
        assert_eq!(vec(2, 7_u8, "numbers").unwrap(), [7, 7]);
        let error = array((1 << 31, 1 << 31), 0.0, "the projections").unwrap_err();
        assert!(error.to_string().starts_with("the projections (2147483648 × 2147483648) need"), "{error}");
        assert!(array((usize::MAX, 2), 0_u8, "numbers").is_err());
        assert!(probe::<f64>((1 << 40, 1 << 20), "numbers").is_err());
        assert_eq!(size(3 << 30), "3.0 GiB");
    }
}
