//! The estimators that are compared, each with its draws and its theory.

use super::pairs::is_spherical;
use crate::attention::hybrid::{self, HybridSpec, HybridTheory, Weight};
use crate::attention::theory::{Theory, is_visible};
use crate::attention::{AttentionError, FeatureMap, Projection, RandomFeatures};
use crate::lab::{Optimum, Params};
use crate::named::named;
use crate::random::Generator;
use ndarray::{Array1, ArrayView1, ArrayView2};

named! {
    /// The estimators that can be compared.
    pub(super) enum Base {
        Positive = "positive", "positive features alone, with m1 projections";
        Hyperbolic = "hyperbolic", "hyperbolic features alone, with m1 projections";
        Trigonometric = "trigonometric", "trigonometric features alone, with m2 projections";
        HybridPositive = "hybrid-positive", "positive and trigonometric features, weighed by the angle";
        HybridHyperbolic = "hybrid-hyperbolic", "hyperbolic and trigonometric features, weighed by the angle";
        AveragePositive = "average-positive", "the plain average of positive and trigonometric features";
        AverageHyperbolic = "average-hyperbolic", "the plain average of hyperbolic and trigonometric features";
    }
}

named! {
    /// What single estimators have in common with the hybrid they are compared with.
    pub(super) enum EqualBudget {
        Projections = "projections", "single estimators and averages take as many projections as the hybrid's part of that kind";
        Features = "features", "single estimators and averages take as many features as the whole hybrid";
    }
}

impl Base {
    pub const fn is_hybrid(self) -> bool {
        matches!(self, Self::HybridPositive | Self::HybridHyperbolic)
    }

    /// Whether it is the plain average of two parts, which have the weights ½ and ½ whatever the angle.
    pub const fn is_average(self) -> bool {
        matches!(self, Self::AveragePositive | Self::AverageHyperbolic)
    }

    /// The map of a single estimator, or of the first of two parts.
    const fn map(self) -> FeatureMap {
        match self {
            Self::Positive | Self::HybridPositive | Self::AveragePositive => FeatureMap::Positive,
            Self::Hyperbolic | Self::HybridHyperbolic | Self::AverageHyperbolic => FeatureMap::Hyperbolic,
            Self::Trigonometric => FeatureMap::Trigonometric,
        }
    }
}

/// An estimator with its sizes, ready to draw.
#[derive(Clone, Debug)]
pub(super) enum HybridEstimator {
    /// A single estimator with so many projections.
    Single { base: Base, map: FeatureMap, projection: Projection, m: usize },
    /// A hybrid, or a plain average, which is one without sign features.
    Hybrid { base: Base, spec: HybridSpec },
}

/// λ = ½, known without sign features: the relative error is (V₁ + V₂ + 2C)/4.
const AVERAGE: Weight = Weight { a: 0.5, b: 0.0 };

/// The hybrid of `params` with the first part of `base` and this weight.
fn spec(params: &Params, base: Base, weight: Weight) -> HybridSpec {
    sized_spec(params, base, weight, given_sizes(params))
}

/// m1, m2 and n.
fn given_sizes(params: &Params) -> [usize; 3] {
    ["m1", "m2", "n"].map(|key| params.size(key))
}

fn sized_spec(params: &Params, base: Base, weight: Weight, [m1, m2, n]: [usize; 3]) -> HybridSpec {
    let projection = params.choice("projection");
    HybridSpec { first: base.map(), projection, m1, m2, n, weight, shared: params.flag("shared") }
}

/// The weight of a hybrid at `radius`; what is `auto` makes the largest error over the angle smallest.
fn weight(params: &Params, base: Base, dim: usize, radius: f64) -> Weight {
    let given = |key: &str| params.text(key).parse::<f64>().ok();
    match (given("a"), given("b")) {
        (Some(a), Some(b)) => Weight { a, b },
        (a, b) => best_weight(&spec(params, base, Weight::ANGLE), dim, radius, (a, b)).unwrap_or(Weight::ANGLE),
    }
}

/// The weight with the smallest largest error over the angle, with what is given of (a, b). Where theory has no closed form,
/// that of unshared projections decides, or that of independent Gaussian ones.
fn best_weight(spec: &HybridSpec, dim: usize, radius: f64, given: (Option<f64>, Option<f64>)) -> Option<Weight> {
    let unshared = HybridSpec { shared: false, ..spec.clone() };
    let independent = HybridSpec { projection: Projection::Gaussian, ..unshared.clone() };
    [spec, &unshared, &independent].into_iter().find_map(|spec| {
        let best = match given {
            (_, Some(b)) => hybrid::best_with_b(spec, dim, radius, b),
            (a, None) => hybrid::best(spec, dim, radius, a),
        };
        best.ok().map(|best| best.weight)
    })
}

/// The weight that makes the largest error smallest, as texts of `a` and `b`, for the first hybrid and radius.
pub(super) fn optimise(params: &Params) -> Option<Optimum> {
    if !is_spherical(params.text("inputs")) {
        // Theory knows the best weight on a sphere only.
        return None;
    }
    let base = params.choices::<Base>("base").into_iter().find(|base| base.is_hybrid())?;
    let radius = params.floats("radius").first().copied()?;
    let best = best_weight(&spec(params, base, Weight::ANGLE), params.size("dim"), radius, (None, None))?;
    let text = |value: f64| format!("{}", (value * 1e4).round() / 1e4);
    let (a, b) = (text(best.a), text(best.b));
    Some(Optimum { message: format!("best by theory: a={a}, b={b}"), changes: vec![("a", a), ("b", b)] })
}

impl HybridEstimator {
    pub fn new(params: &Params, base: Base, dim: usize, radius: f64) -> Self {
        let weight = if base.is_hybrid() { weight(params, base, dim, radius) } else { Weight::ANGLE };
        Self::sized(params, base, weight, given_sizes(params))
    }

    /// The estimator with this weight and these m1, m2 and n.
    pub fn sized(params: &Params, base: Base, weight: Weight, sizes: [usize; 3]) -> Self {
        if base.is_hybrid() {
            return Self::Hybrid { base, spec: sized_spec(params, base, weight, sizes) };
        }
        let equal_features = params.choice::<EqualBudget>("budget") == EqualBudget::Features;
        if base.is_average() {
            // A hybrid has its parts' features once more for every sign.
            let [m1, m2, n] = sizes;
            let times = if equal_features { n + 1 } else { 1 };
            return Self::Hybrid { base, spec: sized_spec(params, base, AVERAGE, [m1 * times, m2 * times, 0]) };
        }
        let projection: Projection = params.choice("projection");
        let map = base.map();
        let [m1, m2, _] = sizes;
        let m = if equal_features {
            // The hybrid it is compared with: the one of its own kind, the hyperbolic one for trigonometric features.
            let other = if base == Base::Positive { Base::HybridPositive } else { Base::HybridHyperbolic };
            sized_spec(params, other, Weight::ANGLE, sizes).features() / map.features_per_projection()
        } else if base == Base::Trigonometric {
            m2
        } else {
            m1
        };
        Self::Single { base, map, projection, m: m.max(1) }
    }

    pub const fn base(&self) -> Base {
        match self {
            Self::Single { base, .. } | Self::Hybrid { base, .. } => *base,
        }
    }

    /// Columns of Φ.
    pub fn features(&self) -> usize {
        match self {
            Self::Single { map, m, .. } => map.features(*m),
            Self::Hybrid { spec, .. } => spec.features(),
        }
    }

    /// Bytes of one estimate of so many pairs of vectors of so many coordinates: the projections and hyperplanes, and the features of
    /// both sides, in 64 bits.
    pub fn estimate_bytes(&self, (pairs, dim): (usize, usize)) -> u64 {
        let (m1, m2) = self.projections();
        let signs = self.spec().map_or(0, |spec| spec.n);
        // A hybrid estimates pairs from its parts and its signs, without the columns of their products.
        let columns = self.spec().map_or_else(|| self.features(), |spec| spec.part_features() + spec.n);
        8 * ((m1 + m2 + signs) * dim + 2 * pairs * columns) as u64
    }

    /// Projections of the first and second part; 0 for a part that is not there.
    pub const fn projections(&self) -> (usize, usize) {
        match self {
            Self::Single { base: Base::Trigonometric, m, .. } => (0, *m),
            Self::Single { m, .. } => (*m, 0),
            Self::Hybrid { spec, .. } => (spec.m1, spec.m2),
        }
    }

    pub const fn spec(&self) -> Option<&HybridSpec> {
        match self {
            Self::Single { .. } => None,
            Self::Hybrid { spec, .. } => Some(spec),
        }
    }

    /// Estimates of exp(x_i·y_i) for all rows from one draw.
    pub fn trial(
        &self,
        x: ArrayView2<'_, f64>,
        y: ArrayView2<'_, f64>,
        rng: &mut Generator,
    ) -> Result<Array1<f64>, AttentionError> {
        match self {
            Self::Single { map, projection, m, .. } => {
                let projections = projection.draw(*m, x.ncols(), rng)?;
                hybrid::pairs(&RandomFeatures { map: map.clone(), projections }, x, y)
            }
            Self::Hybrid { spec, .. } => spec.draw(x.ncols(), rng)?.pairs(x, y),
        }
    }

    /// The relative mean squared error of one pair, and whether `trials` draws can be expected to show at least half of it; or why
    /// it has no closed form.
    pub fn theory(
        &self,
        x: ArrayView1<'_, f64>,
        y: ArrayView1<'_, f64>,
        trials: usize,
    ) -> Result<(f64, bool), &'static str> {
        match self {
            Self::Single { map, projection, m, .. } => {
                let theory = Theory::new(map, *projection, x.len())?;
                let moments = theory.pair(x, y);
                let error = moments.relative_mse(*m, theory.block());
                Ok((error, error == 0.0 || is_visible(moments.rarity, (m * trials) as f64)))
            }
            Self::Hybrid { spec, .. } => Ok(HybridTheory::new(spec, x.len())?.observable(x, y, trials)),
        }
    }
}
