//! Constants of generalised exponential features that suit the data.

use crate::attention::FeatureMap;
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// A* = [1 − 2c − √((2c+1)² + 8c)]/16 with c = s/d: the A that minimises E X² of generalised exponential features for
/// |x+y|² = s in dimension d (after Likhosherstov et al. 2022, Theorem 3.3).
#[must_use]
pub fn gerf_a(d: usize, s: f64) -> f64 {
    let c = s / d as f64;
    if c < 1e-6 {
        // The difference of the two terms would lose its digits.
        return -c / 2.0;
    }
    (1.0 - 2.0 * c - ((2.0 * c + 1.0).powi(2) + 8.0 * c).sqrt()) / 16.0
}

/// Generalised exponential features with the A* of the mean of |x_i+y_j|² over all pairs.
///
/// # Panics
/// There are no queries or no keys.
#[must_use]
pub fn gerf(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> FeatureMap {
    FeatureMap::Gerf { a: gerf_a(x.ncols(), second_moments(x, y).diag().sum()) }
}

/// Dense exponential features: coordinates are the eigenvectors of mean (x_i+y_j)(x_i+y_j)ᵀ, each with the A* of its
/// eigenvalue in dimension 1 (Likhosherstov et al. 2023, Theorem 4.3).
///
/// # Panics
/// There are no queries or no keys.
#[must_use]
pub fn sderf(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> FeatureMap {
    let (values, rotation) = eigen(second_moments(x, y));
    FeatureMap::Sderf { rotation, a: values.mapv(|value| gerf_a(1, value.max(0.0))) }
}

/// mean_ij (x_i+y_j)(x_i+y_j)ᵀ in O((L_q+L_k)d²).
fn second_moments(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Array2<f64> {
    let mean = |x: ArrayView2<'_, f64>| x.mean_axis(Axis(0)).unwrap_or_else(|| panic!("no tokens"));
    let own = |x: ArrayView2<'_, f64>| x.t().dot(&x) / x.nrows() as f64;
    let (mean_x, mean_y) = (mean(x).insert_axis(Axis(1)), mean(y).insert_axis(Axis(1)));
    let cross = mean_x.dot(&mean_y.t());
    own(x) + own(y) + &cross + cross.t()
}

/// Eigenvalues and eigenvectors (columns) of a symmetric matrix, by Jacobi's cyclic rotations.
fn eigen(mut matrix: Array2<f64>) -> (Array1<f64>, Array2<f64>) {
    let d = matrix.nrows();
    let mut vectors = Array2::eye(d);
    let size = matrix.iter().map(|v| v * v).sum::<f64>();
    for _ in 0..64 {
        let off: f64 = (0..d).flat_map(|i| (0..i).map(move |j| (i, j))).map(|at| matrix[at] * matrix[at]).sum();
        if off <= 1e-30 * size {
            break;
        }
        for p in 0..d {
            for q in p + 1..d {
                if matrix[[p, q]] == 0.0 {
                    continue;
                }
                let theta = (matrix[[q, q]] - matrix[[p, p]]) / (2.0 * matrix[[p, q]]);
                let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let sine = tangent * cosine;
                for i in 0..d {
                    let (a, b) = (matrix[[i, p]], matrix[[i, q]]);
                    (matrix[[i, p]], matrix[[i, q]]) = (cosine * a - sine * b, sine * a + cosine * b);
                }
                for i in 0..d {
                    let (a, b) = (matrix[[p, i]], matrix[[q, i]]);
                    (matrix[[p, i]], matrix[[q, i]]) = (cosine * a - sine * b, sine * a + cosine * b);
                    let (a, b) = (vectors[[i, p]], vectors[[i, q]]);
                    (vectors[[i, p]], vectors[[i, q]]) = (cosine * a - sine * b, sine * a + cosine * b);
                }
            }
        }
    }
    (matrix.diag().to_owned(), vectors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::generator;
    use rand::Rng;

    #[test]
    fn known_optima() {
        for (d, s) in [(4, 1.0), (16, 4.0), (64, 16.0)] {
            assert!((gerf_a(d, s) + 0.0975970508006).abs() < 1e-12);
        }
        assert!((gerf_a(4, 0.73) + 0.0742482172).abs() < 1e-10);
        assert!((gerf_a(8, 2.83) + 0.1315305623).abs() < 1e-10);
        assert!((gerf_a(1, 1e-6) - gerf_a(1, 1.001e-6)).abs() < 1e-9);
    }

    #[test]
    fn eigenvectors_diagonalise() {
        let mut rng = generator(1, "matrix", 0);
        let a = Array2::from_shape_simple_fn((9, 9), || rng.random::<f64>() - 0.5);
        let symmetric = a.dot(&a.t());
        let (values, vectors) = eigen(symmetric.clone());
        let back = (&vectors * &values).dot(&vectors.t());
        assert!((back - &symmetric).iter().all(|v| v.abs() < 1e-12));
        assert!((vectors.t().dot(&vectors) - Array2::<f64>::eye(9)).iter().all(|v| v.abs() < 1e-12));
    }
}
