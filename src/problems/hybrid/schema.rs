//! The parameters of the problem `hybrid`, what no single one can say, and the cost.

use super::memory;
use super::pairs::{ANGLE, PAIR_INPUTS, PAIRS, PairPlan, PairShape, is_direct, is_spherical};
use super::parts::{Base, EqualBudget};
use crate::attention::Projection;
use crate::lab::{Estimate, Param, ParamError, Params, Schema, common};
use crate::problems::inputs::check_inputs;
use crate::problems::inputs::params::{
    ARRAY, BATCH, CHECKPOINT_FILE, CLUSTERS, FILE, HEAD, HEADS, HUB, IMAGE, KEYS, LAYER, LENGTH, MATCH, OUTLIER,
    QUERIES, SCALE, SIGMA, SPREAD, TRANSPOSE,
};
use crate::problems::limits::{check_dims, check_memory, check_stored_dims};

fn is_weight(text: &str) -> bool {
    text == "auto" || text.parse::<f64>().is_ok_and(|value| value.abs() <= 10.0)
}

const WEIGHT: &str = "auto, or a number from -10 to 10";

/// How many pairs are taken where nothing else is said.
const DEFAULT_PAIRS: &str = "64";

const HYBRIDS: &[&str] = &["hybrid-positive", "hybrid-hyperbolic"];

/// The estimators of two parts.
const PAIRED: &[&str] = &["hybrid-positive", "hybrid-hyperbolic", "average-positive", "average-hyperbolic"];

pub(super) static PARAMS: &[Param] = &[
    Param::choice("base", "estimators", Base::CHOICES, "hyperbolic,trigonometric,hybrid-hyperbolic")
        .help("what is compared; several at a time")
        .group("estimator")
        .list(),
    Param::choice("inputs", "inputs", PAIR_INPUTS, ANGLE).help("which pairs are estimated").group("inputs"),
    Param::float("radius", "radius R", 0.01, 6.0, "1")
        .help("length of x and y where the inputs have one; the spread of kernel values is e^±R²")
        .steps(&["0.5", "0.75", "1", "1.25", "1.5", "2"])
        .group("inputs")
        .list()
        .read_with("inputs", &[ANGLE, "sphere", "lognorm", "planted", "cluster", "hub", "band"]),
    Param::int("angles", "angles", 2, 361, "19")
        .help("pairs at equal steps of the angle from 0 to π")
        .steps(&["7", "13", "19", "37", "73"])
        .group("inputs")
        .read_with("inputs", &[ANGLE]),
    Param::int("dim", "dimension d", 2, 4096, "16")
        .help("length of the vectors; a file or checkpoint has its own")
        .steps(&["2", "4", "8", "16", "32", "64", "128"])
        .group("inputs")
        .read_with("inputs", &[ANGLE, "gauss", "sphere", "lognorm", "planted", "cluster", "hub", "outlier", "band"]),
    Param::int(PAIRS, "pairs", 1, 1 << 20, DEFAULT_PAIRS)
        .help("every input but angle: the first so many queries, each with the key beside it")
        .steps(&["16", "64", "256", "1024"])
        .group("inputs")
        .read_with(
            "inputs",
            &["gauss", "sphere", "lognorm", "planted", "cluster", "hub", "outlier", "band", "file", "checkpoint"],
        ),
    Param { default: "64", list: false, ..LENGTH },
    SCALE,
    SIGMA,
    SPREAD,
    MATCH,
    CLUSTERS,
    HUB,
    OUTLIER,
    QUERIES,
    KEYS,
    CHECKPOINT_FILE,
    Param { list: false, words: &[], ..LAYER }
        .help("file, checkpoint: layer (block), counted from 0")
        .steps(&["0", "1", "2"]),
    Param { list: false, words: &[], ..HEAD }
        .help("file, checkpoint: head of the layer, counted from 0")
        .steps(&["0", "1", "2"]),
    IMAGE,
    HEADS,
    BATCH,
    TRANSPOSE,
    Param::text("x", "file of x", ARRAY, |_| true, "")
        .help("file, in place of queries: first vectors of all pairs, rows of one matrix, taken as scaled: exp(x·y)")
        .group("inputs")
        .read_with("inputs", &[FILE]),
    Param::text("y", "file of y", ARRAY, |_| true, "")
        .help("file, in place of keys: second vectors of all pairs, as many rows and columns as x")
        .group("inputs")
        .read_with("inputs", &[FILE]),
    Param::int("m1", "projections m1", 1, 1 << 20, "16")
        .help("projections of the first part (positive or hyperbolic)")
        .steps(&["4", "8", "16", "32", "64", "128", "256"])
        .group("estimator"),
    Param::int("m2", "projections m2", 1, 1 << 20, "16")
        .help("projections of the second part (trigonometric)")
        .steps(&["4", "8", "16", "32", "64", "128", "256"])
        .group("estimator"),
    Param::int("n", "sign features n", 0, 4096, "4")
        .help("random hyperplanes that estimate the angle; none fixes the weight at a + b/2")
        .stands_for("0", "none")
        .steps(&["0", "1", "2", "4", "8", "16"])
        .group("estimator"),
    Param::text("a", "weight a", WEIGHT, is_weight, "0")
        .help("weight of the first part at angle 0; auto makes the largest error smallest")
        .steps(&["0", "auto"])
        .group("estimator")
        .read_with("base", HYBRIDS),
    Param::text("b", "weight b", WEIGHT, is_weight, "1")
        .help("what the weight gains from angle 0 to π; auto makes the largest error smallest")
        .steps(&["1", "auto", "0"])
        .group("estimator")
        .read_with("base", HYBRIDS),
    Param::flag("shared", "shared rows", "no")
        .help("both parts take the same projections (m1 = m2)")
        .group("estimator")
        .read_with("base", PAIRED),
    Param::choice("projection", "projection", Projection::NORMAL, "gaussian")
        .help("how the rows of both parts are drawn")
        .group("estimator"),
    Param::choice("budget", "compare at equal", EqualBudget::CHOICES, "projections")
        .help("what single estimators have in common with the hybrid")
        .group("estimator")
        .read_with("base", &["positive", "hyperbolic", "trigonometric", "average-positive", "average-hyperbolic"]),
    Param::int("trials", "trials", 1, 100_000_000, "2000")
        .help("fresh draws of everything")
        .steps(&["100", "500", "1000", "2000", "5000", "20000", "100000"])
        .group("run"),
    common::SEED,
    common::THREADS,
];

pub(super) fn check(params: &Params) -> Result<(), ParamError> {
    if params.flag("shared") && params.int("m1") != params.int("m2") {
        let found = format!("yes with m1 = {}, m2 = {}", params.int("m1"), params.int("m2"));
        return Err(ParamError::new("shared", found, "m1 = m2, where both parts take the same rows"));
    }
    check_pairs(params)?;
    let inputs = params.text("inputs");
    if !is_spherical(inputs)
        && let Some(key) = ["a", "b"].into_iter().find(|key| params.text(key) == "auto")
    {
        let allowed = format!("a number with inputs={inputs}: theory knows the best on a sphere only");
        return Err(ParamError::new(key, "auto", allowed));
    }
    check_memory(params, &Schema(PARAMS), memory::KEYS, |size| memory::peak(params, size))?;
    // A kernel value of e^(R²) and a trigonometric feature of e^(R²/2) stay far within f64 up to the largest radius.
    Ok(())
}

/// Checks what says which pairs there are.
fn check_pairs(params: &Params) -> Result<(), ParamError> {
    if is_direct(params) {
        for key in ["x", "y"] {
            if params.text(key).is_empty() {
                return Err(ParamError::new(key, "nothing", format!("{ARRAY}, with the other of x and y")));
            }
        }
        if let Some(key) = [QUERIES.key, KEYS.key].into_iter().find(|key| !params.text(key).is_empty()) {
            return Err(ParamError::new(key, params.text(key), "nothing with x and y, which give the pairs"));
        }
        if params.typed(PAIRS) != DEFAULT_PAIRS {
            return Err(ParamError::new(PAIRS, params.typed(PAIRS), "no number with x and y, which give all pairs"));
        }
    } else {
        check_inputs(params)?;
    }
    let plan = PairPlan::new(params, None);
    match plan {
        Ok(PairPlan::Heads(place)) => {
            let (pairs, tokens) = (params.size(PAIRS), place.queries.min(place.keys));
            if pairs > tokens {
                let allowed =
                    format!("at most {tokens}, as there are {} queries and {} keys", place.queries, place.keys);
                return Err(ParamError::new(PAIRS, pairs.to_string(), allowed));
            }
            if place.source.is_drawn() { check_dims(params) } else { check_stored_dims(params, [place.dim]) }
        }
        Ok(PairPlan::Direct) => {
            let shape = PairPlan::Direct.shape(params, &|key| params.size(key));
            check_stored_dims(params, shape.map(|shape| shape.dim))
        }
        Ok(PairPlan::Angles) => check_dims(params),
        // What cannot be read is refused when the run opens it.
        Err(_) => Ok(()),
    }
}

pub(super) fn estimate(params: &Params) -> Estimate {
    let bases: Vec<Base> = params.choices("base");
    let plan = PairPlan::new(params, None).ok();
    let bytes = Some(memory::peak(params, &|key| params.size(key)) as u64);
    let Some(shape) = plan.and_then(|plan| plan.shape(params, &|key| params.size(key))) else {
        return Estimate { rows: 0, seconds: None, bytes };
    };
    let PairShape { pairs, dim, radii, .. } = shape;
    let (m1, m2, n) = (params.size("m1"), params.size("m2"), params.size("n"));
    let products = bases.len() as f64 * (m1 + m2 + n) as f64 * dim as f64 * (pairs + 4) as f64;
    let functions = bases.len() as f64 * (m1 + m2) as f64 * pairs as f64;
    let seconds = params.int("trials") as f64 * radii as f64 * (products * 1e-9 + functions * 2e-8);
    Estimate { rows: bases.len() * radii * pairs, seconds: Some(seconds), bytes }
}
