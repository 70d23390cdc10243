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
//! | custom | h(w·x, \|x\|²) for a function h that a user typed; E φ(x)·φ(y) is another kernel in general |
//!
//! Every family but the last is one of three [`FeatureShape`]s of exponents offset_i + w_i·x, with projections of its own
//! ([`FeatureMap::prepare`]): whatever computes features needs to know the shape alone. Typed functions are evaluated in
//! 64 bits, in blocks of rows.

use super::AttentionError;
use super::typed::{self, TypedSide};
use crate::function::Function;
use crate::memory;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView2, CowArray, Ix2, s};

/// A pair of finite feature maps: the estimate of the matrix is Φ_q Φ_kᵀ.
pub trait Sketch {
    /// Φ_q for queries (rows of `x`, L×d): L × [`Sketch::features`].
    ///
    /// # Errors
    /// There is not enough memory; so for the other two.
    fn queries(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, AttentionError>;
    /// Φ_k for keys (rows of `y`, L×d): L × [`Sketch::features`].
    ///
    /// # Errors
    /// As [`Sketch::queries`].
    fn keys(&self, y: ArrayView2<'_, f64>) -> Result<Array2<f64>, AttentionError>;
    /// The number of features M.
    fn features(&self) -> usize;
    /// The estimated matrix Φ_q Φ_kᵀ, stored whole: for small problems.
    ///
    /// # Errors
    /// As [`Sketch::queries`].
    fn matrix(&self, x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Result<Array2<f64>, AttentionError> {
        inner_products(self.queries(x)?.view(), self.keys(y)?.view(), "the estimated matrix")
    }
}

/// The inner products a·bᵀ of the rows of `a` (n×k) and `b` (m×k): n×m. `what` names them where memory is short.
pub(super) fn inner_products(
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
    what: &'static str,
) -> Result<Array2<f64>, AttentionError> {
    let mut out = memory::array((a.nrows(), b.nrows()), 0.0, what)?;
    general_mat_mul(1.0, &a, &b.t(), 0.0, &mut out);
    Ok(out)
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
    /// A function that a user typed, of p = w·x and n = |x|²; made by [`FeatureMap::custom`].
    Custom(&'static Function),
}

/// How features follow from the exponents e_i = offset_i + w_i·x of the projections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureShape {
    /// exp(e_i − |x|²/2).
    Exponential,
    /// exp(±e_i − |x|²/2)/√2.
    BothSigns,
    /// exp(|x|²/2)·(cos e_i, sin e_i).
    Circular,
    /// So many values of a typed function of e_i and |x|².
    Typed(usize),
}

impl FeatureShape {
    /// Columns of Φ for one projection.
    #[must_use]
    pub const fn features_per_projection(self) -> usize {
        match self {
            Self::Exponential => 1,
            Self::BothSigns | Self::Circular => 2,
            Self::Typed(components) => components,
        }
    }
}

/// What a feature map makes of projections: features of its [`FeatureShape`] come from these w and offsets.
#[derive(Clone, Debug)]
pub struct Prepared<'a> {
    /// Effective projections (m×d); the given ones where the family takes them as they are.
    pub projections: CowArray<'a, f64, Ix2>,
    /// An exponent added for each projection (m); zero but for gerf and sderf.
    pub offsets: Array1<f64>,
}

impl FeatureMap {
    /// The features of a typed function; its learned scalars stay at their start.
    ///
    /// # Errors
    /// The function needs coordinates of x, one by one.
    pub fn custom(function: &'static Function) -> Result<Self, AttentionError> {
        typed::check(function).map(|()| Self::Custom(function))
    }

    /// Whether every feature is an exponential, so that every entry of an estimate is positive.
    #[must_use]
    pub fn is_exponential(&self) -> bool {
        match self {
            Self::Positive | Self::Hyperbolic | Self::Gerf { .. } | Self::Sderf { .. } => true,
            Self::Trigonometric => false,
            Self::Custom(function) => function.exponents().is_some(),
        }
    }

    /// The shape of the features.
    #[must_use]
    pub fn shape(&self) -> FeatureShape {
        match self {
            Self::Positive | Self::Gerf { .. } | Self::Sderf { .. } => FeatureShape::Exponential,
            Self::Hyperbolic => FeatureShape::BothSigns,
            Self::Trigonometric => FeatureShape::Circular,
            Self::Custom(function) => FeatureShape::Typed(function.components()),
        }
    }

    /// Columns of Φ for one projection.
    #[must_use]
    pub fn features_per_projection(&self) -> usize {
        self.shape().features_per_projection()
    }

    /// Columns of Φ for `m` projections.
    #[must_use]
    pub fn features(&self, m: usize) -> usize {
        m * self.features_per_projection()
    }

    /// Projections and offsets that bring the family to its [`FeatureShape`].
    ///
    /// # Errors
    /// There is not enough memory for projections of its own.
    pub fn prepare<'a>(&self, w: ArrayView2<'a, f64>) -> Result<Prepared<'a>, AttentionError> {
        let scaled = |factors: &Array1<f64>| -> Result<Array2<f64>, AttentionError> {
            let mut own = memory::array(w.dim(), 0.0, "the projections of the family")?;
            own.assign(&w);
            own *= factors;
            Ok(own)
        };
        let offset = |constant: f64, a: &Array1<f64>| {
            w.rows().into_iter().map(|row| constant + (&row * &row).dot(a)).collect::<Array1<f64>>()
        };
        Ok(match self {
            Self::Positive | Self::Hyperbolic | Self::Trigonometric | Self::Custom(_) => {
                Prepared { projections: w.into(), offsets: Array1::zeros(w.nrows()) }
            }
            Self::Gerf { a } => {
                let b = 1.0 - 4.0 * a;
                let constant = w.ncols() as f64 / 4.0 * b.ln();
                Prepared {
                    projections: scaled(&Array1::from_elem(w.ncols(), b.sqrt()))?.into(),
                    offsets: w.rows().into_iter().map(|row| constant + a * row.dot(&row)).collect(),
                }
            }
            Self::Sderf { rotation, a } => {
                let b = a.mapv(|a| 1.0 - 4.0 * a);
                let constant = b.mapv(f64::ln).sum() / 4.0;
                let rotated = inner_products(
                    scaled(&b.mapv(f64::sqrt))?.view(),
                    rotation.view(),
                    "the rotated projections of the family",
                )?;
                Prepared { projections: rotated.into(), offsets: offset(constant, a) }
            }
        })
    }

    /// Φ (L×M) of the rows of `x` (L×d) on the projections `w` (m×d). The features of projection i are the columns from
    /// [`FeatureMap::features`]`(i)` on, so that a prefix of projections is a prefix of columns, but for the factor 1/√m and for
    /// typed functions that reduce over p, which see all m.
    ///
    /// # Errors
    /// There is not enough memory.
    ///
    /// # Panics
    /// Lengths of vectors and projections differ.
    pub fn map(&self, x: ArrayView2<'_, f64>, w: ArrayView2<'_, f64>) -> Result<Array2<f64>, AttentionError> {
        if let Self::Custom(function) = self {
            return self.map_typed(&TypedSide { function, side: "row", tokens: x, projections: w });
        }
        let prepared = self.prepare(w)?;
        let products = inner_products(x, prepared.projections.view(), FEATURES)?;
        drop(prepared.projections);
        let (count, m) = products.dim();
        let scale = 1.0 / (m as f64).sqrt();
        let halves = x.rows().into_iter().map(|row| row.dot(&row) / 2.0);
        if self.shape() == FeatureShape::Exponential {
            let mut out = products;
            for (mut features, half) in out.rows_mut().into_iter().zip(halves) {
                for (feature, offset) in features.iter_mut().zip(&prepared.offsets) {
                    *feature = scale * (offset + *feature - half).exp();
                }
            }
            return Ok(out);
        }
        let mut out = memory::array((count, self.features(m)), 0.0, FEATURES)?;
        for ((product, half), mut features) in products.rows().into_iter().zip(halves).zip(out.rows_mut()) {
            let pairs = features.exact_chunks_mut(2).into_iter().zip(product);
            if self.shape() == FeatureShape::BothSigns {
                let scale = scale * std::f64::consts::FRAC_1_SQRT_2;
                for (mut pair, product) in pairs {
                    pair[0] = scale * (product - half).exp();
                    pair[1] = scale * (-product - half).exp();
                }
            } else {
                let scale = scale * half.exp();
                for (mut pair, product) in pairs {
                    pair[0] = scale * product.cos();
                    pair[1] = scale * product.sin();
                }
            }
        }
        Ok(out)
    }

    fn map_typed(&self, side: &TypedSide<'_>) -> Result<Array2<f64>, AttentionError> {
        let (count, m) = (side.tokens.nrows(), side.projections.nrows());
        let mut out = memory::array((count, self.features(m)), 0.0, FEATURES)?;
        let scale = 1.0 / (m as f64).sqrt();
        for rows in side.blocks(0..count) {
            let (block, is_exponent) = match side.exponents(rows.clone()) {
                Some(exponents) => (exponents?, true),
                None => (side.values(rows.clone())?, false),
            };
            let value = |number: f64| if is_exponent { number.exp() } else { number };
            for (l, mut column) in out.slice_mut(s![rows, ..]).columns_mut().into_iter().enumerate() {
                column.iter_mut().zip(block.feature(l)).for_each(|(out, number)| *out = scale * value(number));
            }
        }
        Ok(out)
    }
}

/// What is short where features do not fit into memory.
const FEATURES: &str = "the features";

/// A feature map on drawn projections.
#[derive(Clone, Debug)]
pub struct RandomFeatures {
    /// The family.
    pub map: FeatureMap,
    /// The projections W (m×d).
    pub projections: Array2<f64>,
}

impl Sketch for RandomFeatures {
    fn queries(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, AttentionError> {
        self.map.map(x, self.projections.view())
    }

    fn keys(&self, y: ArrayView2<'_, f64>) -> Result<Array2<f64>, AttentionError> {
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
            let found = sketch.matrix(x.view(), y.view()).unwrap()[[0, 0]];
            assert!((found - expected).abs() < 1e-12, "{:?}: {found}", sketch.map);
        }
    }
}
