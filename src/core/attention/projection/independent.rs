//! Rows that are independent of each other.

use super::record::{ClosedForm, Record, RowLaw};
use crate::memory::OutOfMemory;
use crate::random::Generator;
use ndarray::ArrayViewMut2;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Rows N(0, I).
pub(super) static GAUSSIAN: Record = Record::new(fill_normal);

/// Entries ±1: biased for the exponential kernel.
pub(super) static RADEMACHER: Record = Record {
    law: RowLaw::Signs,
    closed_form: ClosedForm::Signs,
    caveat: Some(SIGNS),
    fill: |mut rows, rng| {
        rows.mapv_inplace(|_| sign(rng));
        Ok(())
    },
    ..Record::new(fill_normal)
};

/// What is to be known of ±1 rows, coupled or not.
pub(super) const SIGNS: &str =
    "±1 rows are biased: the mean is Λ·Π cosh(x_l+y_l), or Λ⁻¹·Π cos(x_l−y_l); the bias grows with Σ z_l⁴";

/// Fills `rows` with independent standard normal numbers, row by row.
pub(super) fn fill_normal(mut rows: ArrayViewMut2<'_, f64>, rng: &mut Generator) -> Result<(), OutOfMemory> {
    for value in &mut rows {
        *value = StandardNormal.sample(rng);
    }
    Ok(())
}

/// A random sign.
pub(super) fn sign(rng: &mut Generator) -> f64 {
    if rng.random::<bool>() { 1.0 } else { -1.0 }
}
