//! Blocks of d rows in a uniformly random frame: orthogonal rows, and the directions of a simplex.

use super::independent::fill_normal;
use super::record::{ClosedForm, Drawn, Record, RowLaw};
use crate::memory::{self, OutOfMemory};
use crate::random::Generator;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayViewMut2, Axis, s};
use rand_distr::{ChiSquared, Distribution};

/// Orthogonal rows with independent chi(d) norms: each row alone is N(0, I) (Choromanski et al. 2021, section 2.4).
pub(super) static ORTHOGONAL: Record = Record {
    drawn: Drawn::InBlocks,
    closed_form: ClosedForm::Orthogonal,
    fill: |mut rows, rng| {
        fill_orthonormal(rows.view_mut(), rng)?;
        scale_by_chi(rows, rng);
        Ok(())
    },
    ..Record::new(fill_normal)
};

/// Orthogonal rows of norm √d: biased, the "regularised" kernel (Choromanski et al. 2021, Theorem 1).
pub(super) static ORTHOGONAL_FIXED: Record = Record {
    law: RowLaw::FixedNorm,
    drawn: Drawn::InBlocks,
    closed_form: ClosedForm::FixedNorm,
    caveat: Some(
        "orthogonal-fixed is biased: it estimates the regularised kernel, below exp(x·y) for positive and hyperbolic features",
    ),
    fill: |mut rows, rng| {
        fill_orthonormal(rows.view_mut(), rng)?;
        rows *= (rows.ncols() as f64).sqrt();
        Ok(())
    },
    ..Record::new(fill_normal)
};

/// Rows at equal obtuse angles, cosine −1/(d−1), with independent chi(d) norms (Reid et al. 2023).
pub(super) static SIMPLEX: Record = Record {
    drawn: Drawn::InBlocks,
    dims: (2, usize::MAX),
    closed_form: ClosedForm::Simplex,
    // The frame and the directions.
    workspace: |d| 2 * d * d,
    fill: |mut rows, rng| {
        let (count, d) = rows.dim();
        let mut frame = memory::array((d, d), 0.0, "a random frame")?;
        fill_orthonormal(frame.view_mut(), rng)?;
        general_mat_mul(1.0, &directions(d)?.slice(s![..count, ..]), &frame, 0.0, &mut rows);
        scale_by_chi(rows, rng);
        Ok(())
    },
    ..Record::new(fill_normal)
};

/// Fills `rows` with orthonormal rows, uniformly distributed: Gram–Schmidt on Gaussian rows, twice for orthogonality to
/// rounding. Its R has a positive diagonal, so no sign has to be repaired (a Householder QR without that repair is not
/// uniform, and positive features on it are biased).
fn fill_orthonormal(mut rows: ArrayViewMut2<'_, f64>, rng: &mut Generator) -> Result<(), OutOfMemory> {
    fill_normal(rows.view_mut(), rng)?;
    for i in 0..rows.nrows() {
        let (done, mut rest) = rows.view_mut().split_at(Axis(0), i);
        let mut row = rest.row_mut(0);
        for _ in 0..2 {
            for other in done.rows() {
                let product = other.dot(&row);
                row.scaled_add(-product, &other);
            }
        }
        let norm = row.dot(&row).sqrt();
        row /= norm;
    }
    Ok(())
}

/// Multiplies each row by the norm of a fresh Gaussian vector of its length.
fn scale_by_chi(mut rows: ArrayViewMut2<'_, f64>, rng: &mut Generator) {
    let chi_squared =
        ChiSquared::new(rows.ncols() as f64).unwrap_or_else(|_| unreachable!("rows of length 0 are refused"));
    for mut row in rows.rows_mut() {
        row *= chi_squared.sample(rng).sqrt();
    }
}

/// d unit rows (d×d) with pairwise cosine −1/(d−1) (Reid et al. 2023, equation 5).
fn directions(d: usize) -> Result<Array2<f64>, OutOfMemory> {
    let n = d as f64;
    let inner = n - 1.0;
    let mut rows = memory::array((d, d), 0.0, "the directions of a simplex")?;
    for i in 0..d - 1 {
        rows.slice_mut(s![i, ..d - 1]).fill(-(n.sqrt() + 1.0) / inner.powf(1.5));
        rows[[i, i]] += (n / inner).sqrt();
    }
    rows.slice_mut(s![d - 1, ..d - 1]).fill(1.0 / inner.sqrt());
    Ok(rows)
}
