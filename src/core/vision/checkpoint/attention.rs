//! How a model attends, as it stands in the metadata of its checkpoint.

use crate::attention::Projection;
use crate::attention::hybrid::Weight;
use crate::named::Named;
use crate::vision::kernel::{Attention, AttentionKernel, FAVOR, FavorEstimator, FavorMap, TYPED, TypedMap};
use std::collections::BTreeMap;
use std::str::FromStr;

/// The keys of the metadata: the kernel; a typed function and the rows of its projection; random features.
const ATTENTION: &str = "attention";
const FUNCTION: &str = "f";
const PROJECTION_ROWS: &str = "features";
const ESTIMATOR: &str = "estimator";
const PROJECTION: &str = "projection";
const PROJECTIONS: &str = "m";
const GERF_A: &str = "gerf_a";
const HYBRID: [&str; 4] = ["hybrid_first", "hybrid_n", "hybrid_a", "hybrid_b"];

/// Far above every real number of projections, far below what would overflow a product of two.
const LARGEST: usize = 1 << 20;

/// What the metadata say of `attention`.
pub(super) fn facts(attention: Attention) -> Vec<(String, String)> {
    let mut facts = vec![(ATTENTION, attention.name().to_owned())];
    let typed = |map: TypedMap| (FUNCTION, map.function().text().to_owned());
    match attention {
        Attention::Kernel(_) => {}
        Attention::Typed(map) => {
            facts.push(typed(map));
            facts.extend(map.rows().map(|rows| (PROJECTION_ROWS, rows.to_string())));
        }
        Attention::Favor(map) => {
            facts.push((ESTIMATOR, map.estimator().name().to_owned()));
            facts.push((PROJECTION, map.projection().name().to_owned()));
            facts.push((PROJECTIONS, map.m().to_string()));
            match map.estimator() {
                FavorEstimator::Gerf { a } => facts.push((GERF_A, a.to_string())),
                FavorEstimator::Hybrid { hyperbolic, signs, weight } => {
                    let first = if hyperbolic { FavorEstimator::Hyperbolic } else { FavorEstimator::Positive };
                    let values =
                        [first.name().to_owned(), signs.to_string(), weight.a.to_string(), weight.b.to_string()];
                    facts.extend(HYBRID.into_iter().zip(values));
                }
                FavorEstimator::Custom(map) => facts.push(typed(map)),
                FavorEstimator::Positive | FavorEstimator::Hyperbolic | FavorEstimator::Trigonometric => {}
            }
        }
    }
    facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Takes out of `facts` how the model attends.
pub(super) fn read(facts: &mut BTreeMap<String, String>) -> Result<Attention, String> {
    let name: String = take(facts, ATTENTION)?;
    if name == FAVOR.name {
        return favor(facts).map(Attention::Favor);
    }
    if name != TYPED.name {
        let kernel =
            AttentionKernel::parse(&name).map_err(|error| format!("`{ATTENTION}` in the metadata: {error}"))?;
        return Ok(kernel.into());
    }
    let rows = if facts.contains_key(PROJECTION_ROWS) { Some(positive(facts, PROJECTION_ROWS)?) } else { None };
    typed(facts, rows).map(Attention::Typed)
}

fn typed(facts: &mut BTreeMap<String, String>, rows: Option<usize>) -> Result<TypedMap, String> {
    let text: String = take(facts, FUNCTION)?;
    TypedMap::new(&text, rows).map_err(|error| format!("`{FUNCTION}` in the metadata: {error}"))
}

fn favor(facts: &mut BTreeMap<String, String>) -> Result<FavorMap, String> {
    let (name, m): (String, usize) = (take(facts, ESTIMATOR)?, positive(facts, PROJECTIONS)?);
    let projection = Projection::parse(&take::<String>(facts, PROJECTION)?)
        .map_err(|error| format!("`{PROJECTION}` in the metadata: {error}"))?;
    let hyperbolic = FavorEstimator::Hyperbolic;
    let plain = [FavorEstimator::Positive, hyperbolic, FavorEstimator::Trigonometric];
    let estimator = if let Some(estimator) = plain.into_iter().find(|estimator| estimator.name() == name) {
        estimator
    } else if name == (FavorEstimator::Gerf { a: 0.0 }).name() {
        FavorEstimator::Gerf { a: take(facts, GERF_A)? }
    } else if name == crate::attention::hybrid::NAME {
        let [first, signs, a, b] = HYBRID;
        FavorEstimator::Hybrid {
            hyperbolic: take::<String>(facts, first)? == hyperbolic.name(),
            signs: take(facts, signs).map(|signs: usize| signs.min(LARGEST))?,
            weight: Weight { a: take(facts, a)?, b: take(facts, b)? },
        }
    } else if name == TYPED.name {
        FavorEstimator::Custom(typed(facts, Some(m))?)
    } else {
        return Err(format!("`{ESTIMATOR}` in the metadata is `{name}`, which is none"));
    };
    FavorMap::new(estimator, projection, m).map_err(|error| format!("the metadata: {error}"))
}

fn positive(facts: &mut BTreeMap<String, String>, key: &str) -> Result<usize, String> {
    match take(facts, key)? {
        size @ 1..=LARGEST => Ok(size),
        size => Err(format!("`{key}` in the metadata is {size}, not a size")),
    }
}

/// Takes out the value of `key`.
pub(super) fn take<T: FromStr>(facts: &mut BTreeMap<String, String>, key: &str) -> Result<T, String> {
    let text = facts.remove(key).ok_or_else(|| format!("the metadata has no `{key}`"))?;
    text.parse().map_err(|_| format!("`{key}` in the metadata is `{text}`, which cannot be read"))
}
