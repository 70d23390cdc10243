//! The parameters of the problem `random-features`, what no single one can say, and the cost.

use super::baselines;
use super::heads::HeadMap;
use super::memory;
use super::sample::{measured_rows, trial_products};
use super::series::ErrorAxis;
use super::surveyed::Recentring;
use crate::attention::baseline::Baseline;
use crate::attention::frobenius::{Precision, device_bytes};
use crate::attention::{AttentionError, FeatureMap, Projection};
use crate::device::OpenDevice;
use crate::lab::{Estimate, Param, ParamError, Params, Schema, common};
use crate::named::Named;
use crate::problems::devices::{self, DeviceNeeds};
use crate::problems::estimators::{
    EstimatorName, FeatureEstimator, estimator_params, estimators, refusal, rising_sizes,
};
use crate::problems::inputs::params::{
    BATCH, CHECKPOINT_FILE, CLUSTERS, DIM, HEAD, HEADS, HUB, IMAGE, INPUTS, KEYS, LAYER, LENGTH, MATCH, OUTLIER,
    QUERIES, RADIUS, SCALE, SIGMA, SPREAD, TRANSPOSE, VALUES,
};
use crate::problems::inputs::{HeadPlace, check_inputs, places};
use crate::problems::limits::{check_dims, check_memory, largest};
use crate::threads;
use std::sync::LazyLock;

/// The parameters, those of the families' constants in their place.
pub(super) static PARAMS: LazyLock<Vec<Param>> = LazyLock::new(|| {
    BEFORE_CONSTANTS.iter().copied().chain(estimator_params()).chain(AFTER_CONSTANTS.iter().copied()).collect()
});

static BEFORE_CONSTANTS: &[Param] = &[
    Param::choice("inputs", "inputs", INPUTS, "gauss").help("where queries and keys come from").group("inputs").list(),
    LENGTH,
    DIM.list(),
    SCALE,
    SIGMA,
    RADIUS,
    SPREAD,
    MATCH,
    CLUSTERS,
    HUB,
    OUTLIER,
    QUERIES,
    KEYS,
    VALUES,
    CHECKPOINT_FILE,
    LAYER,
    HEAD,
    IMAGE,
    HEADS,
    BATCH,
    TRANSPOSE,
    Param::flag("causal", "causal", "no")
        .help("token i sees keys up to i: in row-normalised errors, outputs and denominators; un-normalised errors take every entry")
        .group("inputs"),
    Param::choice("estimator", "estimator", EstimatorName::CHOICES, "positive")
        .help("the feature family, or a function of your own")
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
    Param::choice("recentre", "re-centre", Recentring::CHOICES, "none")
        .help("exact shift of the keys that takes variance away")
        .group("estimator"),
    Param::choice("baselines", "baselines", Baseline::CHOICES, "none")
        .help("what as many features can do at best, and what other methods do with them")
        .group("estimator")
        .list(),
    Param::int("trials", "trials", 1, 10_000_000, "200")
        .help("fresh draws of W for every point")
        .steps(&["1", "5", "15", "50", "200", "1000"])
        .group("run"),
    Param::int("sample_rows", "rows looked at", 0, 1 << 20, "0")
        .help("rows of the matrix that errors are measured on, drawn by the seed; the table says how far they may lie from all")
        .stands_for("0", "all")
        .group("run"),
    Param::flag("nested", "nested draws", "no")
        .help("all m from one draw, in one pass: several times faster, but the points of a curve are correlated")
        .group("run"),
    Param::choice("precision", "precision", Precision::CHOICES, "auto").help("of the streamed products").group("run"),
    Param::choice("axis", "axis", ErrorAxis::CHOICES, "projections").help("what the error is drawn over").group("run"),
    Param::choice("map", "map of heads", HeadMap::CHOICES, "output")
        .help("what the map of layers × heads shows, where there are several")
        .group("run")
        .read_with("inputs", &["file", "checkpoint"]),
    devices::device_param(
        "what compares estimates with the exact matrix; auto takes a GPU if the program was built for one, one is there and a trial is large enough",
    ),
    common::SEED,
    common::THREADS,
];

/// The projections asked for.
pub(super) fn projections(params: &Params) -> Vec<Projection> {
    params.choices("projection")
}

/// Rising values of m without repetitions.
pub(super) fn sizes(params: &Params) -> Vec<usize> {
    rising_sizes(params, "m")
}

pub(super) fn check(params: &Params) -> Result<(), ParamError> {
    for estimator in estimators(params) {
        if let FeatureEstimator::Custom(function) = estimator
            && let Err(error) = FeatureMap::custom(function)
        {
            return Err(refusal(estimator.name(), Projection::Gaussian, error));
        }
    }
    let mut misfit = None;
    for estimator in estimators(params) {
        for projection in projections(params) {
            match estimator.check(projection) {
                Err(error @ AttentionError::Combination { .. }) => misfit = Some((estimator, projection, error)),
                _ => return check_rest(params),
            }
        }
    }
    // No combination fits; where one does, the others have rows that say why they have no numbers.
    match misfit {
        Some((estimator, projection, error)) => Err(refusal(estimator.name(), projection, error)),
        None => Ok(()),
    }
}

fn check_rest(params: &Params) -> Result<(), ParamError> {
    if let Some(estimator) = estimators(params).into_iter().find(|estimator| !estimator.has_nested_draws())
        && params.flag("nested")
    {
        let (found, allowed) = match estimator.function() {
            Some(text) => (
                format!("yes with f={text}"),
                "no: sum, mean, max_over and norm of p change with the number of projections, so draws are not nested",
            ),
            None => (format!("yes with estimator={}", estimator.name()), "no: a hybrid has no nested draws"),
        };
        return Err(ParamError::new("nested", found, allowed));
    }
    if estimators(params).contains(&FeatureEstimator::Hybrid) {
        let found = |text: &str| format!("{text} with estimator=hybrid");
        if params.text("precision") == "f32" {
            return Err(ParamError::new(
                "precision",
                found("f32"),
                "auto, f64 or log: a hybrid is measured in f64 or log",
            ));
        }
    }
    let precision: Precision = params.choice("precision");
    if matches!(precision, Precision::Single | Precision::Double)
        && let Some(because) = row_by_row(params)
    {
        let found = format!("{} with {because}", precision.name());
        return Err(ParamError::new("precision", found, "auto or log: such errors are computed row by row"));
    }
    check_sample(params)?;
    check_device(params)?;
    check_inputs(params)?;
    check_dims(params)?;
    let places = places(params, None).unwrap_or_default();
    check_memory(params, &Schema(&PARAMS), memory::KEYS, |size| memory::peak(params, &places, size))?;
    Ok(())
}

/// Refuses a sample of rows where not every row can be measured alone, at the scale of the matrix.
fn check_sample(params: &Params) -> Result<(), ParamError> {
    let baselines: Vec<Baseline> = params.choices("baselines");
    let has_baselines = baselines.iter().any(|baseline| *baseline != Baseline::None);
    let because = row_by_row(params).or(in_logarithms(params)).or(has_baselines.then_some("baselines"));
    match (params.size("sample_rows"), because) {
        (0, _) | (_, None) => Ok(()),
        (rows, Some(because)) => Err(ParamError::new(
            "sample_rows",
            format!("{rows} with {because}"),
            "0: every row of the matrix is needed",
        )),
    }
}

/// Why errors are computed row by row from the start, if they are.
fn row_by_row(params: &Params) -> Option<&'static str> {
    if params.flag("causal") {
        return Some("causal=yes");
    }
    let has_values = !params.text("values").is_empty() || params.texts("inputs").contains(&"checkpoint");
    has_values.then_some("values")
}

/// The same of the number format.
fn in_logarithms(params: &Params) -> Option<&'static str> {
    (params.choice::<Precision>("precision") == Precision::Log).then_some("precision=log")
}

/// Refuses a device that the program was not built for, or that would have nothing to do.
fn check_device(params: &Params) -> Result<(), ParamError> {
    devices::check_built(params)?;
    match row_by_row(params).or(in_logarithms(params)) {
        Some(because) if devices::device(params).is_gpu() => {
            Err(devices::unusable(params, &format!("errors with {because} are computed row by row, on the processor")))
        }
        _ => Ok(()),
    }
}

/// Multiply-adds of the largest trial at `places`.
pub(super) fn largest_trial(params: &Params, places: &[HeadPlace]) -> f64 {
    let features = width(params, largest(params, "m"));
    places.iter().map(|place| trial_products(params, place, features)).fold(0.0, f64::max)
}

/// The device of a run that looks at `places`, with room for the features of the largest.
///
/// # Errors
/// It cannot be used, or has too little memory.
pub(super) fn open_device(params: &Params, places: &[HeadPlace]) -> Result<OpenDevice, ParamError> {
    let m = largest(params, "m");
    let of_place = |place: &HeadPlace| {
        device_bytes((measured_rows(params, place.queries), place.keys), place.dim, width(params, m))
    };
    let bytes = places.iter().map(of_place).max().unwrap_or_default();
    let needs = DeviceNeeds { bytes, what: "its features need", key: ("m", m) };
    devices::open(params, largest_trial(params, places), &needs)
}

/// Features of the widest estimator for m projections.
fn width(params: &Params, m: usize) -> usize {
    estimators(params).into_iter().map(|estimator| estimator.features(m, params)).max().unwrap_or(m)
}

/// Products and element-wise work of every trial at rates that two cores of a recent machine reach in a release build.
pub(super) fn estimate(params: &Params) -> Estimate {
    let sizes = sizes(params);
    let pairs = estimators(params).len() * projections(params).len();
    let threads = threads::or_default(params.size("threads"));
    let mut seconds = 0.0;
    let places = places(params, None).unwrap_or_default();
    for place in &places {
        let (queries, keys) = (measured_rows(params, place.queries) as f64, place.keys as f64);
        let entries = queries * keys;
        let features = |m: usize| width(params, m) as f64;
        let columns: f64 = if params.flag("nested") {
            sizes.last().map_or(0.0, |&m| features(m))
        } else {
            sizes.iter().map(|&m| features(m)).sum()
        };
        let passes = if params.flag("nested") { 1.0 } else { sizes.len() as f64 };
        let products = 2.0 * entries * (columns + passes * place.dim as f64) / 1e11;
        let rowwise = params.flag("causal") || place.value_dim > 0;
        let each = if rowwise { 6e-9 } else { 1.5e-9 };
        let of_feature = estimators(params).into_iter().map(FeatureEstimator::feature_seconds).fold(0.0, f64::max);
        let rest = entries * sizes.len() as f64 * each + queries.max(keys) * columns * of_feature;
        seconds += (products + rest) * params.size("trials") as f64 * pairs as f64 + entries * 3e-8;
        seconds += threads as f64 * baselines::seconds(params, place);
    }
    Estimate {
        rows: places.len() * pairs * sizes.len()
            + places.iter().map(|place| baselines::rows(params, place)).sum::<usize>(),
        seconds: Some(seconds / threads as f64),
        bytes: Some(memory::peak(params, &places, &|key| largest(params, key)) as u64),
    }
}
