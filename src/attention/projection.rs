//! Projections: the matrices W (m×d) whose rows w_i random features project queries and keys on.
//!
//! Rows come in blocks of [`Projection::block`] rows; blocks are independent, and the last one is cut to what is left.
//! Any prefix of a draw has the law of a smaller draw: rows of a block are exchangeable (Hadamard blocks are permuted),
//! so that one draw of M rows serves every m ≤ M.

use ndarray::{Array1, Array2, ArrayViewMut1, ArrayViewMut2, Axis, s};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::{ChiSquared, Distribution, StandardNormal};

/// How the rows of W are drawn and coupled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Projection {
    /// Rows independent, N(0, I).
    Gaussian,
    /// Blocks of d orthogonal rows in a uniformly random frame, with independent chi(d) norms: each row alone is
    /// N(0, I) (Choromanski et al. 2021, section 2.4).
    Orthogonal,
    /// Blocks of d orthogonal rows, every norm √d: biased, the "regularised" kernel (Choromanski et al. 2021, Theorem 1).
    OrthogonalFixed,
    /// Blocks of d rows at equal obtuse angles, cosine −1/(d−1), with independent chi(d) norms (Reid et al. 2023).
    Simplex,
    /// Independent entries ±1: biased for the exponential kernel.
    Rademacher,
    /// Rows of a ±1 Hadamard matrix with random signs of rows and columns: each row alone is Rademacher, rows of a
    /// block are orthogonal. Works in the next power of two of d.
    Hadamard,
    /// √d times three blocks (Hadamard · random signs): orthogonal rows of norm √d. Works in the next power of two of d.
    Hadamard3,
}

impl Projection {
    /// Every projection, in the order of menus.
    pub const ALL: [Self; 7] = [
        Self::Gaussian,
        Self::Orthogonal,
        Self::OrthogonalFixed,
        Self::Simplex,
        Self::Rademacher,
        Self::Hadamard,
        Self::Hadamard3,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Orthogonal => "orthogonal",
            Self::OrthogonalFixed => "orthogonal-fixed",
            Self::Simplex => "simplex",
            Self::Rademacher => "rademacher",
            Self::Hadamard => "hadamard",
            Self::Hadamard3 => "hadamard3",
        }
    }

    /// The projection called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|projection| projection.name() == name)
    }

    /// Whether every row alone is N(0, I): then positive, hyperbolic, trigonometric and generalised exponential
    /// features are unbiased, however the rows are coupled.
    #[must_use]
    pub const fn is_gaussian(self) -> bool {
        matches!(self, Self::Gaussian | Self::Orthogonal | Self::Simplex)
    }

    /// Whether its rows live in the next power of two of d (vectors are zero-padded to it).
    #[must_use]
    pub const fn pads(self) -> bool {
        matches!(self, Self::Hadamard | Self::Hadamard3)
    }

    /// The dimension its rows are drawn in for vectors of length `d`.
    #[must_use]
    pub const fn inner_dim(self, d: usize) -> usize {
        if self.pads() { d.next_power_of_two() } else { d }
    }

    /// Rows that are drawn together for vectors of length `d`; 1 where rows are independent.
    #[must_use]
    pub const fn block(self, d: usize) -> usize {
        match self {
            Self::Gaussian | Self::Rademacher => 1,
            _ => self.inner_dim(d),
        }
    }

    /// Draws W: `m` rows of length `d`.
    ///
    /// Where rows live in a longer space, the columns that would meet padded zeros are left out; products with W are
    /// those of the padded vectors.
    ///
    /// # Panics
    /// `d` is 0, or `d` is 1 for [`Projection::Simplex`], which needs two directions.
    #[must_use]
    pub fn draw(self, m: usize, d: usize, rng: &mut impl Rng) -> Array2<f64> {
        assert!(d > 0, "vectors of length 0 have no projections");
        assert!(d > 1 || self != Self::Simplex, "a simplex needs at least two dimensions");
        match self {
            Self::Gaussian => normal(m, d, rng),
            Self::Rademacher => Array2::from_shape_simple_fn((m, d), || sign(rng)),
            _ => {
                let mut rows = Array2::zeros((m, d));
                for block in rows.axis_chunks_iter_mut(Axis(0), self.block(d)) {
                    self.fill_block(block, rng);
                }
                rows
            }
        }
    }

    /// Draws one block, cut to the rows of `out`.
    fn fill_block(self, mut out: ArrayViewMut2<'_, f64>, rng: &mut impl Rng) {
        let (count, d) = out.dim();
        match self {
            Self::Gaussian | Self::Rademacher => unreachable!("rows are independent"),
            Self::Orthogonal => {
                out.assign(&orthonormal_rows(count, d, rng));
                scale_by_chi(&mut out, d, rng);
            }
            Self::OrthogonalFixed => {
                out.assign(&orthonormal_rows(count, d, rng));
                out *= (d as f64).sqrt();
            }
            Self::Simplex => {
                let frame = orthonormal_rows(d, d, rng);
                out.assign(&simplex(d).slice(s![..count, ..]).dot(&frame));
                scale_by_chi(&mut out, d, rng);
            }
            Self::Hadamard => {
                let block = hadamard_block(self.inner_dim(d), rng);
                fill_permuted(&mut out, &block, rng);
            }
            Self::Hadamard3 => {
                let block = hadamard3_block(self.inner_dim(d), rng);
                fill_permuted(&mut out, &block, rng);
            }
        }
    }
}

/// A matrix of independent standard normal numbers.
fn normal(rows: usize, cols: usize, rng: &mut impl Rng) -> Array2<f64> {
    Array2::from_shape_simple_fn((rows, cols), || StandardNormal.sample(rng))
}

/// A random sign.
fn sign(rng: &mut impl Rng) -> f64 {
    if rng.random::<bool>() { 1.0 } else { -1.0 }
}

/// `count` ≤ d orthonormal rows, uniformly distributed: Gram–Schmidt on Gaussian rows, twice for orthogonality to
/// rounding. Its R has a positive diagonal, so no sign has to be repaired (a Householder QR without that repair is not
/// uniform, and positive features on it are biased).
fn orthonormal_rows(count: usize, d: usize, rng: &mut impl Rng) -> Array2<f64> {
    let mut rows = normal(count, d, rng);
    for i in 0..count {
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
    rows
}

/// Multiplies each row by the norm of a fresh Gaussian vector of length `d`.
fn scale_by_chi(rows: &mut ArrayViewMut2<'_, f64>, d: usize, rng: &mut impl Rng) {
    let chi_squared = ChiSquared::new(d as f64).unwrap_or_else(|_| unreachable!("d is positive"));
    for mut row in rows.rows_mut() {
        row *= chi_squared.sample(rng).sqrt();
    }
}

/// d unit rows with pairwise cosine −1/(d−1) (Reid et al. 2023, equation 5).
fn simplex(d: usize) -> Array2<f64> {
    let n = d as f64;
    let inner = n - 1.0;
    let mut rows = Array2::zeros((d, d));
    for i in 0..d - 1 {
        rows.slice_mut(s![i, ..d - 1]).fill(-(n.sqrt() + 1.0) / inner.powf(1.5));
        rows[[i, i]] += (n / inner).sqrt();
    }
    rows.slice_mut(s![d - 1, ..d - 1]).fill(1.0 / inner.sqrt());
    rows
}

/// The entry of the ±1 Sylvester–Hadamard matrix.
pub(crate) fn hadamard_entry(row: usize, col: usize) -> f64 {
    if (row & col).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 }
}

/// H with random signs of rows and of columns. Without the row signs the first column would have one sign throughout.
fn hadamard_block(d: usize, rng: &mut impl Rng) -> Array2<f64> {
    let of_rows = Array1::from_shape_simple_fn(d, || sign(rng));
    let of_cols = Array1::from_shape_simple_fn(d, || sign(rng));
    Array2::from_shape_fn((d, d), |(i, j)| of_rows[i] * hadamard_entry(i, j) * of_cols[j])
}

/// √d (H̃D₃)(H̃D₂)(H̃D₁) with H̃ = H/√d.
fn hadamard3_block(d: usize, rng: &mut impl Rng) -> Array2<f64> {
    let mut block = Array2::eye(d);
    for _ in 0..3 {
        for mut row in block.rows_mut() {
            row *= sign(rng);
        }
        for col in block.columns_mut() {
            walsh_hadamard(col);
        }
    }
    block / d as f64
}

/// The fast Walsh–Hadamard transform in place: v ← Hv; the length is a power of two.
pub(crate) fn walsh_hadamard(mut v: ArrayViewMut1<'_, f64>) {
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
fn fill_permuted(out: &mut ArrayViewMut2<'_, f64>, block: &Array2<f64>, rng: &mut impl Rng) {
    let mut order: Vec<usize> = (0..block.nrows()).collect();
    order.shuffle(rng);
    let cols = out.ncols();
    for (mut row, &from) in out.rows_mut().into_iter().zip(&order) {
        row.assign(&block.slice(s![from, ..cols]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::generator;

    #[test]
    fn names_are_read_back() {
        for projection in Projection::ALL {
            assert_eq!(Projection::from_name(projection.name()), Some(projection));
        }
        assert_eq!(Projection::from_name("qr"), None);
    }

    #[test]
    fn blocks_have_the_angles_they_promise() {
        for projection in [
            Projection::Orthogonal,
            Projection::OrthogonalFixed,
            Projection::Simplex,
            Projection::Hadamard,
            Projection::Hadamard3,
        ] {
            let d = 16;
            let w = projection.draw(40, d, &mut generator(3, "projection", 0));
            let cosine = if projection == Projection::Simplex { -1.0 / (d as f64 - 1.0) } else { 0.0 };
            for (i, j) in (0..40).flat_map(|i| (0..i).map(move |j| (i, j))) {
                if i / d == j / d {
                    let (a, b) = (w.row(i), w.row(j));
                    let found = a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt();
                    assert!((found - cosine).abs() < 1e-12, "{} {i} {j}: {found}", projection.name());
                }
            }
            if !projection.is_gaussian() {
                let off = w.rows().into_iter().map(|row| (row.dot(&row) - d as f64).abs()).fold(0.0, f64::max);
                assert!(off < 1e-12, "{}: norm off by {off}", projection.name());
            }
        }
    }
}
