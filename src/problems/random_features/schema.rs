//! The parameters of the problem `random-features`, what no single one can say, and the cost.

use super::memory;
use super::methods::FeatureEstimator;
use crate::attention::frobenius::Precision;
use crate::attention::inputs::InputKind;
use crate::attention::{AttentionError, Family, Projection};
use crate::lab::{Choice, Estimate, Param, ParamError, Params, Schema, choice, common};
use crate::named::{self, Named};
use crate::problems::limits::{check_dims, check_memory, largest};
use std::sync::LazyLock;

static INPUTS: &[Choice] = &named::joined::<{ InputKind::ALL.len() + 2 }>(
    InputKind::CHOICES,
    &[
        choice("file", "matrices from the files of queries and keys"),
        choice("checkpoint", "queries and keys of a trained vision transformer: layer, head, image"),
    ],
);

/// What a hybrid weighs against trigonometric features.
static FIRST: &[Choice] = &[Family::Hyperbolic.choice(), Family::Positive.choice()];

static SCALES: &[Choice] = &[choice("sqrt-d", "A = exp(q·k/√d), as in transformers"), choice("none", "A = exp(q·k)")];

static RECENTRE: &[Choice] = &[
    choice("none", "features of queries and keys as they are"),
    choice("mean", "keys shifted by mean query + mean key, exactly undone by a factor for each row"),
    choice("weighted", "keys shifted by the mean of query + key weighted with A²"),
];

static AXES: &[Choice] = &[
    choice("projections", "the number of projections m"),
    choice("features", "the number of features, columns of Φ"),
    choice("length", "the sequence length"),
];

const FILE: &str = "a .npy file or FILE.safetensors#TENSOR";

/// The parameters, those of the families' constants in their place.
pub(super) static PARAMS: LazyLock<Vec<Param>> = LazyLock::new(|| {
    let constants = Family::ALL.iter().flat_map(|family| family.constants()).map(|constant| {
        Param::text(constant.key, constant.label, constant.allowed, constant.accepts, constant.default)
            .help(constant.help)
            .steps(constant.steps)
            .group("estimator")
    });
    BEFORE_CONSTANTS.iter().copied().chain(constants).chain(AFTER_CONSTANTS.iter().copied()).collect()
});

static BEFORE_CONSTANTS: &[Param] = &[
    Param::choice("inputs", "inputs", INPUTS, "gauss").help("where queries and keys come from").group("inputs").list(),
    Param::int("length", "length L", 1, 1 << 20, "512")
        .help("number of queries and of keys; a file or checkpoint has its own")
        .steps(&["64", "256", "512", "1024", "2048", "4096", "16384", "65536"])
        .group("inputs")
        .list(),
    Param::int("dim", "dimension d", 1, 1 << 14, "16")
        .help("length of a query; a file or checkpoint has its own")
        .steps(&["4", "8", "16", "32", "64", "128"])
        .group("inputs")
        .list(),
    Param::choice("scale", "scale", SCALES, "sqrt-d")
        .help("of gauss, outlier, files and checkpoints; the other inputs state lengths after scaling")
        .group("inputs"),
    Param::float("sigma", "sigma", 0.0, 100.0, "0.5")
        .help("standard deviation of gauss and outlier")
        .steps(&["0.25", "0.5", "0.7", "1", "1.5"])
        .group("inputs"),
    Param::float("radius", "radius R", 0.0, 100.0, "0")
        .help("length of tokens where the inputs have one; 0: what shows the pattern (sphere 1, planted 1.5, …)")
        .steps(&["0", "0.5", "1", "1.5", "2", "2.5"])
        .group("inputs"),
    Param::float("spread", "spread", 0.0, 5.0, "0.5").help("lognorm: deviation of ln length").group("inputs"),
    Param::float("match", "match cosine", -1.0, 1.0, "0.9")
        .help("planted: cosine between a query and its key")
        .group("inputs"),
    Param::int("clusters", "clusters", 1, 1 << 16, "8").help("cluster: number of centres").group("inputs"),
    Param::float("hub", "hub length", 0.0, 100.0, "2.4").help("hub: length of the hub keys").group("inputs"),
    Param::float("outlier", "outlier size", 0.0, 100.0, "2")
        .help("outlier: size of the massive coordinate")
        .group("inputs"),
    Param::text("queries", "file of queries", FILE, |_| true, "")
        .help("queries where inputs=file, L×d")
        .group("inputs"),
    Param::text("keys", "file of keys", FILE, |_| true, "").help("keys where inputs=file, L×d").group("inputs"),
    Param::text("checkpoint", "checkpoint", "a run's folder or id, or a .safetensors file", |_| true, "")
        .help("trained vision transformer where inputs=checkpoint")
        .group("inputs"),
    Param::int("layer", "layer", 0, 1000, "0").help("checkpoint: block, counted from 0").group("inputs"),
    Param::int("head", "head", 0, 1000, "0").help("checkpoint: head, counted from 0").group("inputs"),
    Param::int("image", "image", 0, i64::MAX, "0").help("checkpoint: test image, counted from 0").group("inputs"),
    Param::choice("estimator", "estimator", FeatureEstimator::CHOICES, "positive")
        .help("the feature family")
        .group("estimator")
        .list(),
    Param::choice("projection", "projection", Projection::CHOICES, "gaussian,orthogonal")
        .help("how the rows of W are drawn")
        .group("estimator")
        .list(),
    Param::int("m", "projections m", 1, 1 << 20, "16,32,64,128,256")
        .help("rows of W; hyperbolic and trigonometric features are twice as many")
        .steps(&["16", "32", "64", "128", "256", "512", "1024"])
        .group("estimator")
        .list(),
];

static AFTER_CONSTANTS: &[Param] = &[
    Param::choice("hybrid_first", "hybrid, first part", FIRST, "hyperbolic")
        .help("hybrid: what is weighed against trigonometric features")
        .group("estimator"),
    Param::int("hybrid_n", "hybrid, sign features", 0, 4096, "4")
        .help("hybrid: hyperplanes that estimate the angle; they multiply the features by n + 1")
        .steps(&["0", "1", "2", "4", "8"])
        .group("estimator"),
    Param::float("hybrid_a", "hybrid, weight a", -10.0, 10.0, "0")
        .help("hybrid: weight of the first part at angle 0")
        .group("estimator"),
    Param::float("hybrid_b", "hybrid, weight b", -10.0, 10.0, "1")
        .help("hybrid: what that weight gains from angle 0 to π")
        .group("estimator"),
    Param::choice("recentre", "re-centre", RECENTRE, "none")
        .help("exact shift of the keys that takes variance away")
        .group("estimator"),
    Param::int("trials", "trials", 1, 10_000_000, "15")
        .help("fresh draws of W for every point")
        .steps(&["1", "5", "15", "50", "200", "1000"])
        .group("run"),
    Param::flag("nested", "nested draws", "no")
        .help("all m from one draw, in one pass: several times faster, but the points of a curve are correlated")
        .group("run"),
    Param::choice("precision", "precision", Precision::CHOICES, "auto").help("of the streamed products").group("run"),
    Param::choice("axis", "axis", AXES, "projections").help("what the error is drawn over").group("run"),
    common::SEED,
    common::THREADS,
];

/// The estimators asked for.
pub(super) fn estimators(params: &Params) -> Vec<FeatureEstimator> {
    params.choices("estimator")
}

/// The projections asked for.
pub(super) fn projections(params: &Params) -> Vec<Projection> {
    params.choices("projection")
}

/// Rising values of m without repetitions.
pub(super) fn sizes(params: &Params) -> Vec<usize> {
    let mut sizes = params.sizes("m");
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

pub(super) fn check(params: &Params) -> Result<(), ParamError> {
    for estimator in estimators(params) {
        for projection in projections(params) {
            if let Err(AttentionError::Combination { reason, .. }) = estimator.check(projection) {
                let found = format!("{} with estimator={}", projection.name(), estimator.name());
                let allowed = format!("{}: {reason}", Projection::normal_names());
                return Err(ParamError::new("projection", found, allowed));
            }
        }
    }
    if estimators(params).contains(&FeatureEstimator::Hybrid) {
        let found = |text: &str| format!("{text} with estimator=hybrid");
        if params.flag("nested") {
            return Err(ParamError::new("nested", found("yes"), "no: a hybrid has no nested draws"));
        }
        if params.text("precision") == "f32" {
            return Err(ParamError::new("precision", found("f32"), "auto or f64: a hybrid is measured in f64"));
        }
    }
    let inputs = params.texts("inputs");
    for (kind, keys) in [("file", ["queries", "keys"].as_slice()), ("checkpoint", &["checkpoint"])] {
        for &key in keys {
            if inputs.contains(&kind) && params.text(key).is_empty() {
                let allowed = params_allowed(key);
                return Err(ParamError::new(key, "nothing", format!("{allowed}, with inputs={kind}")));
            }
        }
    }
    check_dims(params)?;
    check_memory(params, &Schema(&PARAMS), memory::KEYS, |size| memory::peak(params, size))?;
    Ok(())
}

fn params_allowed(key: &str) -> String {
    PARAMS.iter().find(|param| param.key == key).map_or_else(String::new, Param::allowed)
}

/// Features of the widest estimator for m projections.
fn width(params: &Params, m: usize) -> usize {
    estimators(params).into_iter().map(|estimator| estimator.features(m, params)).max().unwrap_or(m)
}

/// Products and element-wise work of every trial at rates that two cores of a recent machine reach in a release build.
pub(super) fn estimate(params: &Params) -> Estimate {
    let sizes = sizes(params);
    let pairs = params.texts("estimator").len() * params.texts("projection").len();
    let combinations = params.texts("inputs").len() * params.sizes("dim").len();
    let threads = match params.size("threads") {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let mut seconds = 0.0;
    for length in params.sizes("length") {
        let entries = length as f64 * length as f64;
        for dim in params.sizes("dim") {
            let features = |m: usize| width(params, m) as f64;
            let columns: f64 = if params.flag("nested") {
                sizes.last().map_or(0.0, |&m| features(m))
            } else {
                sizes.iter().map(|&m| features(m)).sum()
            };
            let passes = if params.flag("nested") { 1.0 } else { sizes.len() as f64 };
            let products = 2.0 * entries * (columns + passes * dim as f64) / 1e11;
            let rest = entries * sizes.len() as f64 * 1.5e-9 + length as f64 * columns * 4e-9;
            seconds += (products + rest) * params.size("trials") as f64 * pairs as f64 + entries * 3e-8;
        }
    }
    Estimate {
        rows: combinations * params.sizes("length").len() * pairs * sizes.len(),
        seconds: Some(seconds * params.texts("inputs").len() as f64 / threads as f64),
        bytes: Some(memory::peak(params, &|key| largest(params, key)) as u64),
    }
}
