//! The parameters of the problem `masked`, what no single one can say, and the cost.

use super::choices::{MaskKind, MaskedTask};
use super::memory;
use crate::attention::Projection;
use crate::attention::masked::{MaskedMethod, Shares};
use crate::lab::{Estimate, Param, ParamError, Params, Schema, common};
use crate::problems::inputs::params::{
    ARRAY, BATCH, CHECKPOINT_FILE, CLUSTERS, DIM, HEAD, HEADS, HUB, IMAGE, INPUTS, KEYS, LAYER, LENGTH, MATCH, OUTLIER,
    QUERIES, RADIUS, SCALE, SIGMA, SPREAD, TRANSPOSE, VALUES,
};
use crate::problems::inputs::{check_inputs, places};
use crate::problems::limits::{check_dims, check_memory, check_stored_dims, largest};

fn is_shares(text: &str) -> bool {
    Shares::from_text(text).is_some()
}

pub(super) static PARAMS: &[Param] = &[
    Param::choice("task", "task", MaskedTask::CHOICES, "estimate").help("what is looked at").group("run"),
    Param::choice("inputs", "inputs", INPUTS, "gauss").help("where queries and keys come from").group("inputs"),
    Param::choice("mask", "mask", MaskKind::CHOICES, "relu-normal")
        .help("where mask vectors come from")
        .group("inputs")
        .list(),
    Param { default: "256", ..LENGTH }.steps(&["64", "128", "256", "512", "1024", "4096", "16384", "65536"]),
    DIM,
    Param::int("mask_dim", "mask dimension d_v", 1, 4096, "16")
        .help("length of a mask vector; files have their own")
        .steps(&["1", "4", "8", "16", "32", "64"])
        .group("inputs")
        .read_with("mask", &["relu-normal", "half-normal", "one-hot", "flat"]),
    SCALE,
    SIGMA,
    Param { default: "1", special: None, ..RADIUS }
        .help("length of tokens where the inputs have one, after scaling")
        .steps(&["0.5", "1", "1.5", "2"]),
    SPREAD,
    MATCH,
    CLUSTERS,
    HUB,
    OUTLIER,
    QUERIES,
    KEYS,
    VALUES.help("file: values, of the form of the keys, for task attention; none: drawn ones"),
    Param::text("mask_queries", "file of query masks", ARRAY, |_| true, "")
        .help("mask vectors of the queries where mask=file: [L, d_v] for all heads, or of the form of the queries")
        .group("inputs")
        .read_with("mask", &["file"]),
    Param::text("mask_keys", "file of key masks", ARRAY, |_| true, "")
        .help("mask vectors of the keys where mask=file: [L, d_v] for all heads, or of the form of the keys")
        .group("inputs")
        .read_with("mask", &["file"]),
    CHECKPOINT_FILE,
    LAYER,
    HEAD,
    IMAGE,
    HEADS,
    BATCH,
    TRANSPOSE,
    Param::choice(
        "method",
        "method",
        MaskedMethod::CHOICES,
        "tensor,projection-gaussian,projection-rademacher,coordinate,stratified,tensor-sketch",
    )
    .help("how the mask enters the features; several at a time")
    .group("estimator")
    .list(),
    Param::choice("projection", "projection", Projection::NORMAL, "gaussian")
        .help("how the rows of the positive features are drawn")
        .group("estimator")
        .list(),
    Param::int("features", "features M", 1, 1 << 20, "64,256,1024")
        .help("features that a method may use: columns of Φ")
        .steps(&["64", "128", "256", "512", "1024", "2048"])
        .group("estimator")
        .list(),
    Param::int("m", "sketched projections m", 0, 1 << 22, "0")
        .help("projections under a tensor sketch: they cost time, not features; auto takes 4 M")
        .stands_for("0", "auto")
        .resolved_by(|_| Some("4 M".to_owned()))
        .steps(&["0", "256", "1024", "4096"])
        .group("estimator")
        .read_with("method", &["tensor-sketch"]),
    Param::text(
        "probabilities",
        "probabilities",
        "uniform, norm, or numbers with commas that sum to 1",
        is_shares,
        "uniform",
    )
    .help("of the coordinates, for method coordinate; norm goes by the masks' columns")
    .steps(&["uniform", "norm"])
    .group("estimator")
    .read_with("method", &["coordinate"]),
    Param::text(
        "allocation",
        "allocation",
        "uniform, norm, or whole numbers with commas that sum to M",
        is_shares,
        "uniform",
    )
    .help("features of each coordinate, for method stratified; norm goes by the masks' columns")
    .steps(&["uniform", "norm"])
    .group("estimator")
    .read_with("method", &["stratified"]),
    Param::int("trials", "trials", 1, 10_000_000, "15")
        .help("task estimate: fresh draws for every point")
        .steps(&["1", "5", "15", "50", "200"])
        .group("run")
        .read_with("task", &["estimate"]),
    Param::flag("causal", "causal", "no")
        .help("task attention: token i sees keys up to i")
        .group("run")
        .read_with("task", &["attention"]),
    Param::int("value_dim", "value dimension", 1, 4096, "16")
        .help("task attention: length of a drawn value")
        .steps(&["16", "32", "64"])
        .group("run")
        .read_with("task", &["attention"]),
    Param::int("exact_limit", "exact up to L", 0, 1 << 20, "8192")
        .help("task attention: the longest sequence that the exact product is done for")
        .steps(&["0", "4096", "8192", "16384"])
        .group("run")
        .read_with("task", &["attention"]),
    common::SEED,
    common::THREADS,
];

/// The methods asked for.
pub(super) fn methods(params: &Params) -> Vec<MaskedMethod> {
    params.choices("method")
}

/// The shares of `key`, which the declaration has read already.
pub(super) fn shares(params: &Params, key: &str) -> Shares {
    Shares::from_text(params.text(key)).unwrap_or(Shares::Uniform)
}

pub(super) fn check(params: &Params) -> Result<(), ParamError> {
    check_inputs(params)?;
    if params.texts("mask").contains(&"file") {
        let missing = ["mask_queries", "mask_keys"].into_iter().find(|key| params.text(key).is_empty());
        if let Some(key) = missing {
            return Err(ParamError::new(key, "nothing", format!("{ARRAY}, with mask=file")));
        }
    }
    let attention = params.choice::<MaskedTask>("task") == MaskedTask::Attention;
    let values = params.text(VALUES.key);
    if !attention && !values.is_empty() {
        return Err(ParamError::new(VALUES.key, values, "nothing with task=estimate, which looks at no values"));
    }
    if memory::is_drawn(params) {
        check_dims(params)?;
    } else {
        check_stored_dims(params, places(params, None).unwrap_or_default().iter().map(|place| place.dim))?;
    }
    if attention && params.flag("causal") {
        let methods = methods(params);
        for (key, method) in [("probabilities", MaskedMethod::Coordinate), ("allocation", MaskedMethod::Stratified)] {
            if params.text(key) == "norm" && methods.contains(&method) {
                let allowed = "uniform or numbers with causal=yes: column norms of the whole sequence leak its future";
                return Err(ParamError::new(key, "norm", allowed));
            }
        }
    }
    check_memory(params, &Schema(PARAMS), memory::KEYS, |size| memory::peak(params, size))?;
    Ok(())
}

/// Products and functions of every trial at rates that two cores of a recent machine reach in a release build.
pub(super) fn estimate(params: &Params) -> Estimate {
    let combinations = params.texts("method").len() * params.texts("projection").len() * params.texts("mask").len();
    let budgets = params.sizes("features");
    let attention = params.choice::<MaskedTask>("task") == MaskedTask::Attention;
    let mut seconds = 0.0;
    let places = places(params, None).unwrap_or_default();
    for place in &places {
        let (queries, keys) = (place.queries as f64, place.keys as f64);
        let entries = queries * keys;
        for features in budgets.iter().map(|&features| features as f64) {
            let map = (queries + keys) * features * (place.dim as f64 * 2e-11 + 1e-8);
            seconds += if attention {
                let exact = if queries.max(keys) <= params.int("exact_limit") as f64 { entries * 4e-9 } else { 0.0 };
                let values = memory::value_dim(place, params.size("value_dim")) as f64;
                map + queries.max(keys) * features * 4e-11 * values + exact
            } else {
                (map + entries * (features * 3e-11 + 4e-9)) * params.int("trials") as f64
            };
        }
    }
    Estimate {
        rows: combinations * places.len() * budgets.len(),
        seconds: Some(seconds * combinations as f64).filter(|_| !places.is_empty()),
        bytes: Some(memory::peak(params, &|key| largest(params, key)) as u64),
    }
}
