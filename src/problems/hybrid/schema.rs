//! The parameters of the problem `hybrid`, what no single one can say, and the cost.

use super::memory;
use super::pairs::PairSource;
use super::parts::{Base, EqualBudget};
use crate::attention::Projection;
use crate::lab::{Estimate, Param, ParamError, Params, Schema, common};
use crate::problems::limits::{check_dims, check_memory};

fn is_weight(text: &str) -> bool {
    text == "auto" || text.parse::<f64>().is_ok_and(|value| value.abs() <= 10.0)
}

const WEIGHT: &str = "auto, or a number from -10 to 10";

pub(super) static PARAMS: &[Param] = &[
    Param::choice("base", "estimators", Base::CHOICES, "hyperbolic,trigonometric,hybrid-hyperbolic")
        .help("what is compared; several at a time")
        .group("estimator")
        .list(),
    Param::choice("inputs", "inputs", PairSource::CHOICES, "angle").help("which pairs are estimated").group("inputs"),
    Param::float("radius", "radius R", 0.01, 6.0, "1")
        .help("length of x and y; the spread of kernel values is e^±R²")
        .steps(&["0.5", "0.75", "1", "1.25", "1.5", "2"])
        .group("inputs")
        .list(),
    Param::int("angles", "angles", 2, 361, "19")
        .help("pairs at equal steps of the angle from 0 to π")
        .steps(&["7", "13", "19", "37", "73"])
        .group("inputs"),
    Param::int("dim", "dimension d", 2, 4096, "16")
        .help("length of the vectors")
        .steps(&["2", "4", "8", "16", "32", "64", "128"])
        .group("inputs"),
    Param::text("x", "file of x", "a .npy file or FILE.safetensors#TENSOR", |_| true, "")
        .help("first vectors of the pairs where inputs=file: rows of a matrix; scaled as exp(x·y)")
        .group("inputs"),
    Param::text("y", "file of y", "a .npy file or FILE.safetensors#TENSOR", |_| true, "")
        .help("second vectors of the pairs where inputs=file, as many rows and columns")
        .group("inputs"),
    Param::int("m1", "projections m1", 1, 1 << 20, "16")
        .help("projections of the first part (positive or hyperbolic)")
        .steps(&["4", "8", "16", "32", "64", "128", "256"])
        .group("estimator"),
    Param::int("m2", "projections m2", 1, 1 << 20, "16")
        .help("projections of the second part (trigonometric)")
        .steps(&["4", "8", "16", "32", "64", "128", "256"])
        .group("estimator"),
    Param::int("n", "sign features n", 0, 4096, "4")
        .help("random hyperplanes that estimate the angle; 0 fixes the weight at a + b/2")
        .steps(&["0", "1", "2", "4", "8", "16"])
        .group("estimator"),
    Param::text("a", "weight a", WEIGHT, is_weight, "0")
        .help("weight of the first part at angle 0; auto makes the largest error smallest")
        .steps(&["0", "auto"])
        .group("estimator"),
    Param::text("b", "weight b", WEIGHT, is_weight, "1")
        .help("what the weight gains from angle 0 to π; auto makes the largest error smallest")
        .steps(&["1", "auto", "0"])
        .group("estimator"),
    Param::flag("shared", "shared rows", "no")
        .help("both parts take the same projections (m1 = m2)")
        .group("estimator"),
    Param::choice("projection", "projection", Projection::NORMAL, "gaussian")
        .help("how the rows of both parts are drawn")
        .group("estimator"),
    Param::choice("budget", "compare at equal", EqualBudget::CHOICES, "projections")
        .help("what single estimators have in common with the hybrid")
        .group("estimator"),
    Param::int("trials", "trials", 1, 100_000_000, "2000")
        .help("fresh draws of everything")
        .steps(&["100", "500", "1000", "2000", "5000", "20000", "100000"])
        .group("run"),
    common::SEED,
    common::THREADS,
];

pub(super) fn check(params: &Params) -> Result<(), ParamError> {
    check_dims(params)?;
    if params.flag("shared") && params.int("m1") != params.int("m2") {
        let found = format!("yes with m1 = {}, m2 = {}", params.int("m1"), params.int("m2"));
        return Err(ParamError::new("shared", found, "m1 = m2, where both parts take the same rows"));
    }
    if params.choice::<PairSource>("inputs") == PairSource::File {
        for key in ["x", "y"] {
            if params.text(key).is_empty() {
                return Err(ParamError::new(
                    key,
                    "nothing",
                    "a .npy file or FILE.safetensors#TENSOR, with inputs=file",
                ));
            }
        }
        if let Some(key) = ["a", "b"].into_iter().find(|key| params.text(key) == "auto") {
            return Err(ParamError::new(
                key,
                "auto",
                "a number with inputs=file: theory knows the best on a sphere only",
            ));
        }
    }
    check_memory(params, &Schema(PARAMS), memory::KEYS, |size| memory::peak(params, size))?;
    // A kernel value of e^(R²) and a trigonometric feature of e^(R²/2) stay far within f64 up to the largest radius.
    Ok(())
}

pub(super) fn estimate(params: &Params) -> Estimate {
    let bases: Vec<Base> = params.choices("base");
    let from_file = params.choice::<PairSource>("inputs") == PairSource::File;
    let radii = if from_file { 1 } else { params.floats("radius").len() };
    let angles = params.size("angles");
    let (m1, m2, n, dim) = (params.size("m1"), params.size("m2"), params.size("n"), params.size("dim"));
    let products = bases.len() as f64 * (m1 + m2 + n) as f64 * dim as f64 * (angles + 4) as f64;
    let functions = bases.len() as f64 * (m1 + m2) as f64 * angles as f64;
    let seconds = params.int("trials") as f64 * radii as f64 * (products * 1e-9 + functions * 2e-8);
    let bytes = memory::peak(params, &|key| params.size(key)) as u64;
    Estimate { rows: bases.len() * radii * angles, seconds: (!from_file).then_some(seconds), bytes: Some(bytes) }
}
