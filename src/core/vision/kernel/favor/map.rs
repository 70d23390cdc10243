//! What is known of random features before a model is made: the estimator, its projections, and how they are drawn.

use crate::attention::feature_map::FeatureShape;
use crate::attention::hybrid::{self, Weight};
use crate::attention::{AttentionError, Family, FeatureMap, Projection};
use crate::random::Generator;
use crate::vision::kernel::{TYPED, TypedMap};
use ndarray::{Array1, ArrayView2, Axis, concatenate};
use std::fmt;

/// How exp(q·k/√d) is estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FavorEstimator {
    /// exp(w·x − |x|²/2).
    Positive,
    /// exp(±w·x − |x|²/2).
    Hyperbolic,
    /// exp(|x|²/2)·(cos w·x, sin w·x): entries of the estimate may be negative.
    Trigonometric,
    /// Generalised exponential features with one A < 1/8.
    Gerf {
        /// The parameter A.
        a: f64,
    },
    /// Hyperbolic or positive features and trigonometric ones, weighed by the estimated angle between query and key; entries
    /// of the estimate may be negative.
    Hybrid {
        /// Whether the first part is hyperbolic; positive otherwise.
        hyperbolic: bool,
        /// Sign features that estimate the angle.
        signs: usize,
        /// The weight of the first part.
        weight: Weight,
    },
    /// A function of p = w·x and n = |x|² that the user typed; an estimate of another kernel in general. Its scalars stay at
    /// their start.
    Custom(TypedMap),
}

impl FavorEstimator {
    /// The name in parameters and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Positive => Family::Positive.name(),
            Self::Hyperbolic => Family::Hyperbolic.name(),
            Self::Trigonometric => Family::Trigonometric.name(),
            Self::Gerf { .. } => Family::Gerf.name(),
            Self::Hybrid { .. } => hybrid::NAME,
            Self::Custom(_) => TYPED.name,
        }
    }
}

/// Random features of the scaled queries and keys x = q/d^¼ as the feature map of every head.
///
/// A head's parameters, a row of `blocks.N.attention.feature`, are drawn and not learned: the projections W by rows, then one
/// exponent for each of them. Rows of W are m; of a hybrid, those of its first part (m), of its second (m), and the
/// hyperplanes of its signs. A typed function's scalars stand before W.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FavorMap {
    estimator: FavorEstimator,
    projection: Projection,
    m: usize,
}

impl FavorMap {
    /// Features of `m` projections.
    ///
    /// # Errors
    /// The estimator does not work on rows of `projection`, or its function does not use projections alone.
    pub fn new(estimator: FavorEstimator, projection: Projection, m: usize) -> Result<Self, AttentionError> {
        match estimator {
            FavorEstimator::Gerf { .. } => Family::Gerf.check(projection)?,
            FavorEstimator::Hybrid { .. } => hybrid::check(projection)?,
            FavorEstimator::Custom(map) => {
                FeatureMap::custom(map.function())?;
                if map.rows() != Some(m) {
                    return Err(AttentionError::Function {
                        found: map.function().text().to_owned(),
                        allowed: "a function of p: random features are made of p = w·x",
                    });
                }
            }
            _ => {}
        }
        Ok(Self { estimator, projection, m })
    }

    /// The estimator.
    #[must_use]
    pub const fn estimator(self) -> FavorEstimator {
        self.estimator
    }

    /// How the rows of W are drawn.
    #[must_use]
    pub const fn projection(self) -> Projection {
        self.projection
    }

    /// The number of projections; of each part, in a hybrid.
    #[must_use]
    pub const fn m(self) -> usize {
        self.m
    }

    /// The same with another number of projections.
    ///
    /// # Errors
    /// As [`FavorMap::new`].
    pub fn of(self, m: usize) -> Result<Self, AttentionError> {
        let estimator = match self.estimator {
            FavorEstimator::Custom(map) => FavorEstimator::Custom(map.with_rows(m)),
            other => other,
        };
        Self::new(estimator, self.projection, m)
    }

    /// Whether every entry of an estimate is positive, so that denominators are.
    #[must_use]
    pub fn is_positive(self) -> bool {
        match self.estimator {
            FavorEstimator::Positive | FavorEstimator::Hyperbolic | FavorEstimator::Gerf { .. } => true,
            FavorEstimator::Trigonometric | FavorEstimator::Hybrid { .. } => false,
            FavorEstimator::Custom(map) => map.function().negative().is_none(),
        }
    }

    /// Whether a learned mask can be estimated with the kernel: where every feature is an exponential that is drawn.
    #[must_use]
    pub const fn takes_masks(self) -> bool {
        matches!(self.estimator, FavorEstimator::Positive | FavorEstimator::Hyperbolic | FavorEstimator::Gerf { .. })
    }

    /// Rows of W.
    pub(in crate::vision) const fn rows(self) -> usize {
        match self.estimator {
            FavorEstimator::Hybrid { signs, .. } => 2 * self.m + signs,
            _ => self.m,
        }
    }

    /// Features of a head.
    #[must_use]
    pub fn features(self) -> usize {
        match self.estimator {
            FavorEstimator::Positive | FavorEstimator::Gerf { .. } => self.m,
            FavorEstimator::Hyperbolic | FavorEstimator::Trigonometric => 2 * self.m,
            FavorEstimator::Hybrid { hyperbolic, signs, .. } => (signs + 1) * (self.m * if hyperbolic { 4 } else { 3 }),
            FavorEstimator::Custom(map) => map.function().components() * self.m,
        }
    }

    /// How many numbers a head's parameters are; none where it overflows.
    #[must_use]
    pub fn parameters(self, head_dim: usize) -> Option<usize> {
        let FavorEstimator::Custom(map) = self.estimator else {
            return self.rows().checked_mul(head_dim.checked_add(1)?);
        };
        map.parameters(head_dim)
    }

    /// The parameters of one head of width `head_dim`, drawn.
    ///
    /// # Errors
    /// The projection has no rows of this length, or there is not enough memory.
    pub fn draw(self, head_dim: usize, random: &mut Generator) -> Result<Vec<f32>, AttentionError> {
        let first = self.projection.draw(self.m, head_dim, random)?;
        match self.estimator {
            FavorEstimator::Hybrid { signs, .. } => {
                let second = self.projection.draw(self.m, head_dim, random)?;
                // Signs need Gaussian hyperplanes: with ±1 entries a query can lie on one.
                let hyperplanes = Projection::Gaussian.draw(signs, head_dim, random)?;
                let all = concatenate(Axis(0), &[first.view(), second.view(), hyperplanes.view()])
                    .unwrap_or_else(|_| unreachable!("rows of one length"));
                Ok(numbers(all.view(), &Array1::zeros(all.nrows())))
            }
            FavorEstimator::Custom(map) => {
                let mut start = map.start(head_dim);
                let at = map.function().scalars().len();
                for (value, drawn) in start[at..].iter_mut().zip(&first) {
                    *value = *drawn as f32;
                }
                Ok(start)
            }
            FavorEstimator::Positive => self.prepared(&FeatureMap::Positive, first.view()),
            FavorEstimator::Hyperbolic => self.prepared(&FeatureMap::Hyperbolic, first.view()),
            FavorEstimator::Trigonometric => self.prepared(&FeatureMap::Trigonometric, first.view()),
            FavorEstimator::Gerf { a } => self.prepared(&FeatureMap::Gerf { a }, first.view()),
        }
    }

    /// The parameters of one head for a feature map of the same shape on given projections `[m, head_dim]`: how a map fitted to
    /// data takes the place of a drawn one.
    ///
    /// # Errors
    /// There is not enough memory.
    ///
    /// # Panics
    /// The feature map has another shape than this one.
    pub fn prepared(self, map: &FeatureMap, projections: ArrayView2<'_, f64>) -> Result<Vec<f32>, AttentionError> {
        let expected = match self.estimator {
            FavorEstimator::Positive | FavorEstimator::Gerf { .. } => FeatureShape::Exponential,
            FavorEstimator::Hyperbolic => FeatureShape::BothSigns,
            _ => FeatureShape::Circular,
        };
        assert_eq!(map.shape(), expected, "the shape of the features");
        let prepared = map.prepare(projections)?;
        Ok(numbers(prepared.projections.view(), &prepared.offsets))
    }
}

impl fmt::Display for FavorMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { estimator, projection, m } = self;
        match estimator {
            FavorEstimator::Custom(map) => write!(f, "f = {}", map.function())?,
            FavorEstimator::Gerf { a } => write!(f, "{} A={a}", estimator.name())?,
            _ => f.write_str(estimator.name())?,
        }
        write!(f, " {projection} m={m}")
    }
}

/// W by rows, then the exponents.
fn numbers(rows: ArrayView2<'_, f64>, exponents: &Array1<f64>) -> Vec<f32> {
    rows.iter().chain(exponents).map(|value| *value as f32).collect()
}

/// What queries and keys are multiplied by: d^(−1/4), so that x·y = q·k/√d.
pub(super) fn scale(head_dim: usize) -> f32 {
    (head_dim as f32).sqrt().sqrt().recip()
}
