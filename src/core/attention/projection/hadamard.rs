//! Blocks of rows of Hadamard matrices with random signs, in the next power of two of d.

use super::independent::{SIGNS, fill_normal, sign};
use super::record::{ClosedForm, Drawn, Record, RowLaw};
use crate::memory::{self, OutOfMemory};
use crate::random::Generator;
use ndarray::{Array1, Array2, ArrayViewMut1, ArrayViewMut2, s};
use rand::seq::SliceRandom;

/// Rows of a ±1 Hadamard matrix with random signs of rows and columns: each row alone is Rademacher, rows of a block are
/// orthogonal.
pub(super) static HADAMARD: Record = Record {
    law: RowLaw::Signs,
    drawn: Drawn::InBlocks,
    pads: true,
    closed_form: ClosedForm::Signs,
    caveat: Some(SIGNS),
    workspace: |d| d * d,
    fill: |out, rng| {
        let block = signed_block(out.ncols().next_power_of_two(), rng)?;
        fill_permuted(out, &block, rng);
        Ok(())
    },
    ..Record::new(fill_normal)
};

/// √d times three blocks (Hadamard · random signs): orthogonal rows of norm √d.
pub(super) static HADAMARD3: Record = Record {
    law: RowLaw::FixedNorm,
    drawn: Drawn::InBlocks,
    pads: true,
    closed_form: ClosedForm::None("three Hadamard blocks have no closed form: their rows are sums over sign patterns"),
    caveat: Some("three Hadamard blocks are slightly biased, and have no closed form"),
    workspace: |d| d * d,
    fill: |out, rng| {
        let block = tripled_block(out.ncols().next_power_of_two(), rng)?;
        fill_permuted(out, &block, rng);
        Ok(())
    },
    ..Record::new(fill_normal)
};

/// The entry of the ±1 Sylvester–Hadamard matrix.
fn entry(row: usize, col: usize) -> f64 {
    if (row & col).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 }
}

/// H (d×d) with random signs of rows and of columns. Without the row signs the first column would have one sign
/// throughout.
fn signed_block(d: usize, rng: &mut Generator) -> Result<Array2<f64>, OutOfMemory> {
    let [of_rows, of_cols] = [0; 2].map(|_| Array1::from_shape_simple_fn(d, || sign(rng)));
    let mut block = memory::array((d, d), 0.0, "a Hadamard block")?;
    for ((i, j), value) in block.indexed_iter_mut() {
        *value = of_rows[i] * entry(i, j) * of_cols[j];
    }
    Ok(block)
}

/// √d (H̃D₃)(H̃D₂)(H̃D₁) (d×d) with H̃ = H/√d and random sign diagonals D.
fn tripled_block(d: usize, rng: &mut Generator) -> Result<Array2<f64>, OutOfMemory> {
    let mut block = memory::array((d, d), 0.0, "a Hadamard block")?;
    block.diag_mut().fill(1.0);
    for _ in 0..3 {
        for mut row in block.rows_mut() {
            row *= sign(rng);
        }
        for col in block.columns_mut() {
            walsh_hadamard(col);
        }
    }
    Ok(block / d as f64)
}

/// The fast Walsh–Hadamard transform in place: v ← Hv; the length is a power of two.
pub(in crate::attention) fn walsh_hadamard(mut v: ArrayViewMut1<'_, f64>) {
    let mut half = 1;
    while half < v.len() {
        for start in (0..v.len()).step_by(2 * half) {
            for i in start..start + half {
                let (a, b) = (v[i], v[i + half]);
                v[i] = a + b;
                v[i + half] = a - b;
            }
        }
        half *= 2;
    }
}

/// Fills `out` with a uniformly random subset of the rows of `block`, in random order, cut to its columns.
fn fill_permuted(mut out: ArrayViewMut2<'_, f64>, block: &Array2<f64>, rng: &mut Generator) {
    let mut order: Vec<usize> = (0..block.nrows()).collect();
    order.shuffle(rng);
    let cols = out.ncols();
    for (mut row, &from) in out.rows_mut().into_iter().zip(&order) {
        row.assign(&block.slice(s![from, ..cols]));
    }
}
