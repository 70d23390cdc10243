//! What can be picked as an estimator, in every problem that has one: a feature family, a hybrid of two, or features of a
//! function that was typed; and the parameters of each.

use crate::attention::hybrid::{self, HybridSketch, HybridSpec, Weight};
use crate::attention::rowwise::HeadEstimate;
use crate::attention::{AttentionError, Family, FeatureMap, Inputs, Projection, RandomFeatures, Sketch};
use crate::function::Function;
use crate::lab::{Choice, Param, ParamError, Params, choice};
use crate::named::{self, Named};
use crate::random::Generator;
use crate::vision::{FavorEstimator, TypedMap};
use ndarray::Array2;

/// What the parameter `estimator` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::problems) enum EstimatorName {
    /// One feature family.
    Family(Family),
    /// Two families weighed by the angle.
    Hybrid,
    /// Each of the functions typed.
    Custom,
}

/// An estimator before the data are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::problems) enum FeatureEstimator {
    /// One feature family.
    Family(Family),
    /// Two families weighed by the angle.
    Hybrid,
    /// Features of a function that was typed.
    Custom(&'static Function),
}

/// An estimator fitted to the data.
#[derive(Clone, Debug)]
pub(in crate::problems) enum FittedEstimator {
    /// One feature map, that of a typed function included.
    Features(FeatureMap),
    /// Two feature maps weighed by the angle, each on m projections.
    Hybrid(HybridSpec),
}

/// What a hybrid weighs against trigonometric features.
static FIRST: &[Choice] = &[Family::Hyperbolic.choice(), Family::Positive.choice()];

/// The parameters of the families' constants.
fn constants() -> impl Iterator<Item = Param> {
    Family::ALL.iter().flat_map(|family| family.constants()).map(|constant| {
        Param::text(constant.key, constant.label, constant.allowed, constant.accepts, constant.default)
            .help(constant.help)
            .steps(constant.steps)
            .group("estimator")
            .read_with("estimator", constant.families)
    })
}

/// The parameters of a hybrid.
pub(in crate::problems) static HYBRID_PARAMS: [Param; 4] = [
    Param::choice("hybrid_first", "hybrid, first part", FIRST, "hyperbolic")
        .help("hybrid: what is weighed against trigonometric features")
        .group("estimator")
        .read_with("estimator", &[hybrid::NAME]),
    Param::int("hybrid_n", "hybrid, sign features", 0, 4096, "4")
        .help("hybrid: hyperplanes that estimate the angle; they multiply the features by n + 1")
        .steps(&["0", "1", "2", "4", "8"])
        .group("estimator")
        .read_with("estimator", &[hybrid::NAME]),
    Param::float("hybrid_a", "hybrid, weight a", -10.0, 10.0, "0")
        .help("hybrid: weight of the first part at angle 0")
        .group("estimator")
        .read_with("estimator", &[hybrid::NAME]),
    Param::float("hybrid_b", "hybrid, weight b", -10.0, 10.0, "1")
        .help("hybrid: what that weight gains from angle 0 to π")
        .group("estimator")
        .read_with("estimator", &[hybrid::NAME]),
];

/// The functions of the estimator `custom`.
const FUNCTION: Param = Param::function("f", "function f", "exp(p - n/2)")
    .help("custom: features f(p, n)/√m of p = w·x and n = |x|²; several between |; learned scalars stay at their start")
    .steps(&[
        "exp(p - n/2)",
        "[exp(p - n/2), exp(-p - n/2)]",
        "[cos(p), sin(p)]*exp(n/2)",
        "[exp(p), exp(-p)]",
        "relu(p)",
        "relu(p)^2",
        "elu(p) + 1",
    ])
    .group("estimator")
    .list()
    .read_with("estimator", &[CUSTOM.name]);

/// What the estimators of a problem read beside projections and m: constants, functions, the parts of a hybrid.
pub(in crate::problems) fn estimator_params() -> impl Iterator<Item = Param> {
    constants().chain([FUNCTION]).chain(HYBRID_PARAMS)
}

/// The values of `key`, numbers of projections, rising and each once.
pub(in crate::problems) fn rising_sizes(params: &Params, key: &str) -> Vec<usize> {
    let mut sizes = params.sizes(key);
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Why `estimator` cannot be used on rows of `projection`, as an error of the parameter to change.
pub(in crate::problems) fn refusal(estimator: &str, projection: Projection, error: AttentionError) -> ParamError {
    match error {
        AttentionError::Function { found, allowed } => ParamError::new("f", found, allowed),
        AttentionError::Combination { reason, .. } => {
            let found = format!("{projection} with estimator={estimator}");
            ParamError::new("projection", found, format!("{}: {reason}", Projection::normal_names()))
        }
        error => ParamError::new("estimator", estimator, error.to_string()),
    }
}

/// Name and help of the hybrid.
const HYBRID: Choice =
    choice(hybrid::NAME, "two families on m projections each, weighed by the angle between query and key");

/// Name and help of typed functions.
pub(in crate::problems) const CUSTOM: Choice =
    choice("custom", "your own function of p = w·x and n = |x|², typed as `f`");

const COUNT: usize = Family::ALL.len() + 2;

impl Named for EstimatorName {
    const ALL: &'static [Self] = &{
        let mut all = [Self::Hybrid; COUNT];
        all[COUNT - 1] = Self::Custom;
        let mut i = 0;
        while i < Family::ALL.len() {
            all[i] = Self::Family(Family::ALL[i]);
            i += 1;
        }
        all
    };
    const CHOICES: &'static [Choice] = &named::joined::<COUNT>(Family::CHOICES, &[HYBRID, CUSTOM]);
}

/// The estimators asked for: `custom` stands for each of the functions typed.
pub(in crate::problems) fn estimators(params: &Params) -> Vec<FeatureEstimator> {
    let mut all = Vec::new();
    for name in params.choices("estimator") {
        match name {
            EstimatorName::Family(family) => all.push(FeatureEstimator::Family(family)),
            EstimatorName::Hybrid => all.push(FeatureEstimator::Hybrid),
            EstimatorName::Custom => all.extend(functions(params).into_iter().map(FeatureEstimator::Custom)),
        }
    }
    all
}

/// The functions typed, each once.
fn functions(params: &Params) -> Vec<&'static Function> {
    let mut functions = Vec::new();
    for text in params.texts("f") {
        let function = Function::shared(text).unwrap_or_else(|_| unreachable!("a checked parameter holds a function"));
        if !functions.contains(&function) {
            functions.push(function);
        }
    }
    functions
}

impl FeatureEstimator {
    /// The name in parameters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Family(family) => family.name(),
            Self::Hybrid => HYBRID.name,
            Self::Custom(_) => CUSTOM.name,
        }
    }

    /// The text of the typed function.
    pub fn function(self) -> Option<&'static str> {
        match self {
            Self::Custom(function) => Some(function.text()),
            Self::Family(_) | Self::Hybrid => None,
        }
    }

    /// What it is called in figures: its name, or the typed function.
    pub fn label(self) -> &'static str {
        self.function().unwrap_or(self.name())
    }

    /// Seconds that a feature of a token takes beside the products, on one thread, in a release build.
    pub fn feature_seconds(self) -> f64 {
        let steps = match self {
            Self::Family(_) | Self::Hybrid => 0,
            Self::Custom(function) => function.features().steps.len(),
        };
        4e-9 + 2e-9 * steps as f64
    }

    /// Whether its draws of m projections can be the first of a larger draw.
    pub fn has_nested_draws(self) -> bool {
        match self {
            Self::Family(_) => true,
            Self::Hybrid => false,
            Self::Custom(function) => !function.reduces(),
        }
    }

    /// Whether it works on `projection`.
    pub fn check(self, projection: Projection) -> Result<(), AttentionError> {
        match self {
            Self::Family(family) => family.check(projection),
            Self::Hybrid => hybrid::check(projection),
            Self::Custom(function) => FeatureMap::custom(function).map(drop),
        }
    }

    /// What a reader should know of the pair.
    pub const fn caveat(self, projection: Projection) -> Option<&'static str> {
        match self {
            Self::Family(family) => family.caveat(projection),
            Self::Hybrid => Some(
                "hybrid: m counts the projections of each part, features all of (n + 1)(f₁ + f₂) columns: compare at equal features",
            ),
            Self::Custom(_) => projection.caveat(),
        }
    }

    /// Fits it to `inputs`.
    pub fn fit(self, inputs: &Inputs, params: &Params) -> Result<FittedEstimator, AttentionError> {
        match self {
            Self::Family(family) => family.fit(inputs, |key| params.text(key)).map(FittedEstimator::Features),
            Self::Hybrid => Ok(FittedEstimator::Hybrid(hybrid_of(params))),
            Self::Custom(function) => FeatureMap::custom(function).map(FittedEstimator::Features),
        }
    }

    /// The random features of a transformer that have its shape; families that are fitted have the shape of positive features.
    pub fn favor(self, params: &Params, m: usize) -> FavorEstimator {
        match self {
            Self::Family(Family::Positive | Family::Gerf | Family::Sderf) => FavorEstimator::Positive,
            Self::Family(Family::Hyperbolic) => FavorEstimator::Hyperbolic,
            Self::Family(Family::Trigonometric) => FavorEstimator::Trigonometric,
            Self::Hybrid => {
                let HybridSpec { first, n, weight, .. } = hybrid_of(params);
                FavorEstimator::Hybrid { hyperbolic: first == FeatureMap::Hyperbolic, signs: n, weight }
            }
            Self::Custom(function) => FavorEstimator::Custom(TypedMap::of(function, Some(m))),
        }
    }

    /// Columns of Φ for m projections.
    pub fn features(self, m: usize, params: &Params) -> usize {
        match self {
            Self::Family(family) => m * family.features_per_projection(),
            Self::Hybrid => hybrid_of(params).of(m).features(),
            Self::Custom(function) => m * function.components(),
        }
    }
}

/// The hybrid of `params` with one projection a part; its rows are those of the estimator's curve.
fn hybrid_of(params: &Params) -> HybridSpec {
    HybridSpec {
        first: if params.choice::<Family>("hybrid_first") == Family::Positive {
            FeatureMap::Positive
        } else {
            FeatureMap::Hyperbolic
        },
        projection: Projection::Gaussian,
        m1: 1,
        m2: 1,
        n: params.size("hybrid_n"),
        weight: Weight { a: params.float("hybrid_a"), b: params.float("hybrid_b") },
        shared: false,
    }
}

impl FittedEstimator {
    /// The same on another kind of projection.
    pub fn on(self, projection: Projection) -> Self {
        match self {
            Self::Features(map) => Self::Features(map),
            Self::Hybrid(spec) => Self::Hybrid(HybridSpec { projection, ..spec }),
        }
    }

    /// Columns of Φ for m projections.
    pub fn features(&self, m: usize) -> usize {
        match self {
            Self::Features(map) => map.features(m),
            Self::Hybrid(spec) => spec.of(m).features(),
        }
    }

    /// A draw of m projections, rows of `projection`, for vectors of length `d`.
    pub fn draw(
        &self,
        projection: Projection,
        m: usize,
        d: usize,
        rng: &mut Generator,
    ) -> Result<DrawnSketch, AttentionError> {
        Ok(match self {
            Self::Features(map) => {
                let projections = projection.draw(m, d, rng)?;
                DrawnSketch::Features(RandomFeatures { map: map.clone(), projections })
            }
            Self::Hybrid(spec) => DrawnSketch::Hybrid(Box::new(spec.of(m).draw(d, rng)?)),
        })
    }
}

/// One draw of an estimator.
pub(in crate::problems) enum DrawnSketch {
    Features(RandomFeatures),
    Hybrid(Box<HybridSketch>),
}

impl DrawnSketch {
    /// Its features as exponents, for measuring row by row.
    pub fn exponents(&self, inputs: &Inputs) -> Result<HeadEstimate, AttentionError> {
        match self {
            Self::Features(draw) => HeadEstimate::of_features(inputs, &draw.map, draw.projections.view()),
            Self::Hybrid(sketch) => HeadEstimate::of_hybrid(inputs, sketch),
        }
    }

    /// The estimated matrix of a small problem.
    pub fn matrix(&self, inputs: &Inputs) -> Result<Array2<f64>, AttentionError> {
        let (queries, keys) = (inputs.queries.view(), inputs.keys.view());
        match self {
            Self::Features(draw) => draw.matrix(queries, keys),
            Self::Hybrid(sketch) => sketch.matrix(queries, keys),
        }
    }
}
