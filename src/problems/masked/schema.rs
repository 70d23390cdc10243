//! The parameters of the problem `masked`, what no single one can say, and the cost.

use super::choices::{MaskKind, MaskedTask, TokenSource};
use super::memory;
use crate::attention::Projection;
use crate::attention::masked::{MaskedMethod, Shares};
use crate::lab::{Estimate, Param, ParamError, Params, Schema, common};
use crate::named::Named;
use crate::problems::limits::{check_dims, check_memory, largest};

fn is_shares(text: &str) -> bool {
    Shares::from_text(text).is_some()
}

const FILE: &str = "a .npy file or FILE.safetensors#TENSOR";

pub(super) static PARAMS: &[Param] = &[
    Param::choice("task", "task", MaskedTask::CHOICES, "estimate").help("what is looked at").group("run"),
    Param::choice("inputs", "inputs", TokenSource::CHOICES, "gauss")
        .help("where queries and keys come from")
        .group("inputs"),
    Param::choice("mask", "mask", MaskKind::CHOICES, "relu-normal")
        .help("where mask vectors come from")
        .group("inputs")
        .list(),
    Param::int("length", "length L", 1, 1 << 20, "256")
        .help("number of queries and of keys; files have their own")
        .steps(&["64", "128", "256", "512", "1024", "4096", "16384", "65536"])
        .group("inputs")
        .list(),
    Param::int("dim", "dimension d", 1, 4096, "16")
        .help("length of a query; files have their own")
        .steps(&["4", "8", "16", "32", "64"])
        .group("inputs"),
    Param::int("mask_dim", "mask dimension d_v", 1, 4096, "16")
        .help("length of a mask vector; files have their own")
        .steps(&["1", "4", "8", "16", "32", "64"])
        .group("inputs"),
    Param::float("sigma", "sigma", 0.0, 100.0, "0.5")
        .help("standard deviation of gauss, before the scaling by d^-1/4")
        .steps(&["0.25", "0.5", "0.7", "1"])
        .group("inputs"),
    Param::float("radius", "radius R", 0.0, 100.0, "1")
        .help("length of the tokens of sphere, planted and cluster, after scaling")
        .steps(&["0.5", "1", "1.5", "2"])
        .group("inputs"),
    Param::text("queries", "file of queries", FILE, |_| true, "")
        .help("queries where inputs=file, L×d")
        .group("inputs"),
    Param::text("keys", "file of keys", FILE, |_| true, "").help("keys where inputs=file, L×d").group("inputs"),
    Param::text("mask_queries", "file of query masks", FILE, |_| true, "")
        .help("mask vectors of the queries where mask=file, L×d_v")
        .group("inputs"),
    Param::text("mask_keys", "file of key masks", FILE, |_| true, "")
        .help("mask vectors of the keys where mask=file, L×d_v")
        .group("inputs"),
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
        .help("projections under a tensor sketch: they cost time, not features; 0 takes 4 M")
        .steps(&["0", "256", "1024", "4096"])
        .group("estimator"),
    Param::text(
        "probabilities",
        "probabilities",
        "uniform, norm, or numbers with commas that sum to 1",
        is_shares,
        "uniform",
    )
    .help("of the coordinates, for method coordinate; norm goes by the masks' columns")
    .steps(&["uniform", "norm"])
    .group("estimator"),
    Param::text(
        "allocation",
        "allocation",
        "uniform, norm, or whole numbers with commas that sum to M",
        is_shares,
        "uniform",
    )
    .help("features of each coordinate, for method stratified; norm goes by the masks' columns")
    .steps(&["uniform", "norm"])
    .group("estimator"),
    Param::int("trials", "trials", 1, 10_000_000, "15")
        .help("fresh draws for every point")
        .steps(&["1", "5", "15", "50", "200"])
        .group("run"),
    Param::flag("causal", "causal", "no").help("task attention: token i sees keys up to i").group("run"),
    Param::int("value_dim", "value dimension", 1, 4096, "16")
        .help("task attention: length of a value")
        .steps(&["16", "32", "64"])
        .group("run"),
    Param::int("exact_limit", "exact up to L", 0, 1 << 20, "8192")
        .help("task attention: the longest sequence that the exact product is done for")
        .steps(&["0", "4096", "8192", "16384"])
        .group("run"),
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
    for (choice, keys) in [("inputs", ["queries", "keys"]), ("mask", ["mask_queries", "mask_keys"])] {
        let missing = keys.into_iter().find(|key| params.text(key).is_empty());
        if let (true, Some(key)) = (params.texts(choice).contains(&"file"), missing) {
            return Err(ParamError::new(key, "nothing", format!("{FILE}, with {choice}=file")));
        }
    }
    check_dims(params)?;
    let attention = params.choice::<MaskedTask>("task") == MaskedTask::Attention;
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
    let points = params.texts("method").len() * params.texts("projection").len() * params.texts("mask").len();
    let points = points * params.sizes("length").len();
    let budgets = params.sizes("features");
    let attention = params.choice::<MaskedTask>("task") == MaskedTask::Attention;
    let mut seconds = 0.0;
    for length in params.sizes("length").into_iter().map(|length| length as f64) {
        for features in budgets.iter().map(|&features| features as f64) {
            let map = 2.0 * length * features * (params.size("dim") as f64 * 2e-11 + 1e-8);
            seconds += if attention {
                let exact = if length <= params.int("exact_limit") as f64 { length * length * 4e-9 } else { 0.0 };
                map + length * features * 4e-11 * params.size("value_dim") as f64 + exact
            } else {
                (map + length * length * (features * 3e-11 + 4e-9)) * params.int("trials") as f64
            };
        }
    }
    let combinations = points as f64 / params.sizes("length").len() as f64;
    let bytes = memory::peak(params, &|key| largest(params, key)) as u64;
    Estimate { rows: points * budgets.len(), seconds: Some(seconds * combinations), bytes: Some(bytes) }
}
