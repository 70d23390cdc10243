//! Feature maps: φ with E φ(x)·φ(y) = exp(x·y) for projections w ~ N(0, I).
//!
//! Vectors are the *scaled* queries and keys x = q/d^¼, y = k/d^¼, so that exp(x·y) is softmax attention before
//! normalisation. m counts projections (rows of W), M = [`FeatureMap::features`]`(m)` counts features (columns of Φ).
//!
//! | family | features of one projection, times 1/√m |
//! |---|---|
//! | positive | exp(w·x − \|x\|²/2) |
//! | hyperbolic | exp(±w·x − \|x\|²/2)/√2 |
//! | trigonometric | exp(+\|x\|²/2)·(cos w·x, sin w·x) |
//! | generalised exponential (gerf) | (1−4A)^(d/4) exp(A\|w\|² + √(1−4A) w·x − \|x\|²/2), A < 1/8 |
//! | dense exponential (sderf) | the same a coordinate of Uᵀx, with its own A |

use ndarray::{Array1, Array2, ArrayView2};

/// A pair of finite feature maps: the estimate of the matrix is Φ_q Φ_kᵀ.
pub trait Sketch {
    /// Φ_q for queries (rows of `x`, L×d): L × [`Sketch::features`].
    fn queries(&self, x: ArrayView2<'_, f64>) -> Array2<f64>;
    /// Φ_k for keys (rows of `y`, L×d): L × [`Sketch::features`].
    fn keys(&self, y: ArrayView2<'_, f64>) -> Array2<f64>;
    /// The number of features M.
    fn features(&self) -> usize;
    /// The estimated matrix Φ_q Φ_kᵀ, stored whole: for small problems.
    fn matrix(&self, x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Array2<f64> {
        self.queries(x).dot(&self.keys(y).t())
    }
}

/// A feature family with its constants.
#[derive(Clone, Debug, PartialEq)]
pub enum FeatureMap {
    /// exp(w·x − |x|²/2) (FAVOR+; Choromanski et al. 2021, Lemma 1).
    Positive,
    /// exp(±w·x − |x|²/2)/√2 (FAVOR+ hyperbolic; ibid.).
    Hyperbolic,
    /// exp(|x|²/2)·(cos, sin) (Rahimi & Recht 2007).
    Trigonometric,
    /// Generalised exponential features with one A < 1/8 (OPRF; Likhosherstov et al. 2022).
    Gerf {
        /// The parameter A; 0 gives positive features.
        a: f64,
    },
    /// Dense exponential features: a rotation and an A a coordinate (SDERF; Likhosherstov et al. 2023).
    Sderf {
        /// U (d×d, orthonormal columns); coordinates are Uᵀx.
        rotation: Array2<f64>,
        /// A of each coordinate, all < 1/8.
        a: Array1<f64>,
    },
}

/// What a feature map makes of projections: features are g(offset_i + w_i·x ∓ |x|²/2) with these w and offsets.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Effective projections (m×d).
    pub projections: Array2<f64>,
    /// An exponent added for each projection (m); zero but for gerf and sderf.
    pub offsets: Array1<f64>,
}

impl FeatureMap {
    /// Columns of Φ for one projection.
    #[must_use]
    pub const fn features_per_projection(&self) -> usize {
        match self {
            Self::Hyperbolic | Self::Trigonometric => 2,
            Self::Positive | Self::Gerf { .. } | Self::Sderf { .. } => 1,
        }
    }

    /// Columns of Φ for `m` projections.
    #[must_use]
    pub const fn features(&self, m: usize) -> usize {
        m * self.features_per_projection()
    }

    /// Brings every exponential family to the form exp(offset + w·x − |x|²/2); the other families pass through.
    #[must_use]
    pub fn prepare(&self, w: ArrayView2<'_, f64>) -> Prepared {
        let plain = || Prepared { projections: w.to_owned(), offsets: Array1::zeros(w.nrows()) };
        match self {
            Self::Positive | Self::Hyperbolic | Self::Trigonometric => plain(),
            Self::Gerf { a } => {
                let b = 1.0 - 4.0 * a;
                let constant = w.ncols() as f64 / 4.0 * b.ln();
                Prepared {
                    projections: &w * b.sqrt(),
                    offsets: w.rows().into_iter().map(|row| constant + a * row.dot(&row)).collect(),
                }
            }
            Self::Sderf { rotation, a } => {
                let b = a.mapv(|a| 1.0 - 4.0 * a);
                let constant = b.mapv(f64::ln).sum() / 4.0;
                Prepared {
                    projections: (&w * &b.mapv(f64::sqrt)).dot(&rotation.t()),
                    offsets: w.rows().into_iter().map(|row| constant + (&row * &row).dot(a)).collect(),
                }
            }
        }
    }

    /// Φ (L×M) of the rows of `x` (L×d) on the projections `w` (m×d). The features of projection i are the columns from
    /// [`FeatureMap::features`]`(i)` on, so that a prefix of projections is a prefix of columns, but for the factor 1/√m.
    ///
    /// # Panics
    /// Lengths of vectors and projections differ.
    #[must_use]
    pub fn map(&self, x: ArrayView2<'_, f64>, w: ArrayView2<'_, f64>) -> Array2<f64> {
        let prepared = self.prepare(w);
        let products = x.dot(&prepared.projections.t());
        let (count, m) = products.dim();
        let scale = 1.0 / (m as f64).sqrt();
        let mut out = Array2::zeros((count, self.features(m)));
        for ((row, product), mut features) in x.rows().into_iter().zip(products.rows()).zip(out.rows_mut()) {
            let half = row.dot(&row) / 2.0;
            match self {
                Self::Positive | Self::Gerf { .. } | Self::Sderf { .. } => {
                    for ((feature, product), offset) in features.iter_mut().zip(product).zip(&prepared.offsets) {
                        *feature = scale * (offset + product - half).exp();
                    }
                }
                Self::Hyperbolic => {
                    let scale = scale * std::f64::consts::FRAC_1_SQRT_2;
                    for (i, product) in product.iter().enumerate() {
                        features[2 * i] = scale * (product - half).exp();
                        features[2 * i + 1] = scale * (-product - half).exp();
                    }
                }
                Self::Trigonometric => {
                    let scale = scale * half.exp();
                    for (i, product) in product.iter().enumerate() {
                        features[2 * i] = scale * product.cos();
                        features[2 * i + 1] = scale * product.sin();
                    }
                }
            }
        }
        out
    }
}

/// A feature map on drawn projections.
#[derive(Clone, Debug)]
pub struct RandomFeatures {
    /// The family.
    pub map: FeatureMap,
    /// The projections W (m×d).
    pub projections: Array2<f64>,
}

impl Sketch for RandomFeatures {
    fn queries(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        self.map.map(x, self.projections.view())
    }

    fn keys(&self, y: ArrayView2<'_, f64>) -> Array2<f64> {
        self.map.map(y, self.projections.view())
    }

    fn features(&self) -> usize {
        self.map.features(self.projections.nrows())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn known_projections_give_known_estimates() {
        let w = array![[0.4, -1.1, 0.3, 0.8], [-0.6, 0.2, 1.5, -0.3], [1.2, 0.7, -0.4, 0.1]];
        let x = array![[0.5, -0.2, 0.3, 0.1]];
        let y = array![[0.2, 0.4, 0.1, -0.3]];
        for (map, expected) in [
            (FeatureMap::Positive, 1.0785894000178222),
            (FeatureMap::Hyperbolic, 0.7972416995401425),
            (FeatureMap::Trigonometric, 1.123545009143683),
            (FeatureMap::Gerf { a: -0.05 }, 1.294831141584863),
            (FeatureMap::Sderf { rotation: Array2::eye(4), a: Array1::from_elem(4, -0.05) }, 1.294831141584863),
        ] {
            let sketch = RandomFeatures { map, projections: w.clone() };
            let found = sketch.matrix(x.view(), y.view())[[0, 0]];
            assert!((found - expected).abs() < 1e-12, "{:?}: {found}", sketch.map);
        }
    }
}
