//! Nyström features: Â = K(X, Z) K(Z, Z)⁺ K(Z, Y) with K(x, y) = exp(x·y) and landmarks Z (Williams & Seeger 2001; landmarks by
//! k-means: Zhang, Tsang & Kwok 2008).
//!
//! Queries and keys differ, so A is not symmetric; K is a positive definite kernel of *vectors* all the same, and Â_ij is the inner
//! product of the images of x_i and y_j in its feature space, projected onto the span of the landmarks' images. It is exact as soon
//! as the landmarks hold every key (or every query), which landmarks of both sides do for certain from m = L_q + L_k on.
//!
//! The span does not depend on the lengths of the images, so K(Z, Z) is taken with a diagonal of 1: exp(−|z − z′|²/2). Its
//! eigenvalues below 1e-12 of the largest are left out of the pseudo-inverse.

use crate::attention::feature_map::inner_products;
use crate::attention::{AttentionError, Sketch};
use crate::memory;
use nalgebra::DMatrix;
use ndarray::{Array1, Array2, ArrayView2};

/// Eigenvalues below this part of the largest count as 0.
const CUT: f64 = 1e-12;

/// Features exp(x·z − |z|²/2) of m landmarks, times V λ^(−½): as many columns as eigenvalues are not 0.
#[derive(Clone, Debug)]
pub struct NystromFeatures {
    /// Z (m×d).
    landmarks: Array2<f64>,
    /// |z|²/2.
    halves: Array1<f64>,
    /// V λ^(−½) (m×r).
    factor: Array2<f64>,
}

impl NystromFeatures {
    /// The features of these landmarks (rows of `landmarks`, m×d): O(m³) time on one thread.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn new(landmarks: Array2<f64>) -> Result<Self, AttentionError> {
        let halves: Array1<f64> = landmarks.rows().into_iter().map(|z| z.dot(&z) / 2.0).collect();
        let mut gram = inner_products(landmarks.view(), landmarks.view(), LANDMARKS)?;
        for (mut row, half) in gram.rows_mut().into_iter().zip(&halves) {
            row.zip_mut_with(&halves, |entry, other| *entry = (*entry - half - other).exp());
        }
        let m = landmarks.nrows();
        memory::probe::<f64>((2 * m, m), LANDMARKS)?;
        let eigen = DMatrix::from_row_iterator(m, m, gram.iter().copied()).symmetric_eigen();
        let least = CUT * eigen.eigenvalues.max();
        let kept: Vec<usize> = (0..m).filter(|&i| eigen.eigenvalues[i] > least).collect();
        let factor = Array2::from_shape_fn((m, kept.len()), |(i, l)| {
            eigen.eigenvectors[(i, kept[l])] / eigen.eigenvalues[kept[l]].sqrt()
        });
        Ok(Self { landmarks, halves, factor })
    }

    /// L × r for the rows of `x` (L×d).
    fn map(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, AttentionError> {
        let mut kernel = inner_products(x, self.landmarks.view(), FEATURES)?;
        for mut row in kernel.rows_mut() {
            row.zip_mut_with(&self.halves, |entry, half| *entry = (*entry - half).exp());
        }
        inner_products(kernel.view(), self.factor.t(), FEATURES)
    }
}

const LANDMARKS: &str = "the kernel of the landmarks";
const FEATURES: &str = "the features of the landmarks";

impl Sketch for NystromFeatures {
    fn queries(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, AttentionError> {
        self.map(x)
    }

    fn keys(&self, y: ArrayView2<'_, f64>) -> Result<Array2<f64>, AttentionError> {
        self.map(y)
    }

    fn features(&self) -> usize {
        self.factor.ncols()
    }
}
