//! Advice for every head and for all of them.

use super::cost::{exact_bytes, exact_seconds, linear_bytes, linear_seconds};
use super::request::{ErrorKind, RecommendRequest};
use super::search::{FittedPair, HeadSearch};
use crate::attention::rowwise::{ExactHead, window_width};
use crate::attention::spikiness::Exact;
use crate::attention::{AttentionError, Projection};
use crate::lab::RunError;
use crate::problems::estimators::FeatureEstimator;
use crate::problems::inputs::{HeadPlace, InputReader, places};
use crate::problems::limits::failure;
use serde::Serialize;
use std::collections::HashMap;
use std::path::Path;

/// An estimator with what it takes to reach the error.
#[derive(Clone, Debug, Serialize)]
pub struct RankedEstimator {
    /// The estimator's name.
    pub estimator: &'static str,
    /// The projection's name.
    pub projection: &'static str,
    /// The smallest number of projections that reaches the error, else the largest that was tried; none where the pair does not fit.
    pub m: Option<usize>,
    /// The columns of Φ with it.
    pub features: Option<usize>,
    /// The error with it.
    pub error: Option<f64>,
    /// Whether the error is small enough.
    pub reached: bool,
    /// Whether it comes from a closed form, and was not measured.
    pub from_theory: bool,
    /// Slope of ln error over ln m.
    pub slope: Option<f64>,
    /// Half of its 95 % interval.
    pub slope_interval: Option<f64>,
    /// Measured seconds a token of linear attention with these features, on one thread.
    pub seconds_per_token: Option<f64>,
    /// Bytes a token of its running sums.
    pub bytes_per_token: Option<f64>,
    /// The sequence length from which on it takes fewer multiplications than exact attention.
    pub pays_from_length: Option<usize>,
    /// Why there is no number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Attention to a window of keys that costs as much as the best estimator.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WindowAdvice {
    /// Keys.
    pub width: usize,
    /// The error with them.
    pub error: Option<f64>,
    /// Whether that is less than the estimator's.
    pub better: bool,
}

/// Advice for one head.
#[derive(Clone, Debug, Serialize)]
pub struct HeadAdvice {
    /// Layer, counted from 0; none for drawn inputs.
    pub layer: Option<usize>,
    /// Head, counted from 0.
    pub head: Option<usize>,
    /// Mean entropy of the rows, in nats.
    pub entropy: f64,
    /// The estimators, the best first: those that reach the error by features, then the others by error.
    pub ranking: Vec<RankedEstimator>,
    /// The fewest features that reach the error.
    pub features_for_target: Option<usize>,
    /// The window of equal cost.
    pub window: Option<WindowAdvice>,
}

/// What holds for all heads.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Heads on which some estimator reaches the error.
    pub reached: usize,
    /// Heads.
    pub of: usize,
    /// The number of features that suffices for 90 % of the heads; none where fewer can reach the error.
    pub m_for_90_percent: Option<usize>,
    /// Heads that need more than that, or cannot reach the error: (layer, head).
    pub keep_exact: Vec<(usize, usize)>,
    /// Heads on which a window of equal cost has the smaller error.
    pub window_better: usize,
}

/// Seconds and bytes a token of exact attention.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ExactCost {
    /// Measured seconds a token, on one thread.
    pub seconds_per_token: f64,
    /// Bytes a token of keys and values.
    pub bytes_per_token: f64,
}

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub struct Recommendation {
    /// Version of this document.
    pub schema: u32,
    /// Where queries and keys come from.
    pub inputs: String,
    /// Layers, heads, queries, coordinates of a query; those that are looked at.
    pub shape: Vec<usize>,
    /// Whether token i sees keys up to i only.
    pub causal: bool,
    /// Which error.
    pub measure: &'static str,
    /// The error to reach.
    pub target: f64,
    /// The most features.
    pub most_features: usize,
    /// Exact attention at this length.
    pub exact: ExactCost,
    /// Advice by head.
    pub heads: Vec<HeadAdvice>,
    /// All heads.
    pub summary: Summary,
}

/// Answers `request`. `logs` is where a checkpoint named by its run's id lies, `data` where data sets lie. `watch` is told the heads
/// done and all of them.
///
/// # Errors
/// Inputs that cannot be read, an output error without values, not enough memory.
pub fn recommend(
    request: &RecommendRequest,
    logs: Option<&Path>,
    data: &Path,
    watch: &mut dyn FnMut(usize, usize),
) -> Result<Recommendation, RunError> {
    let params = &request.params;
    let places = places(params, logs)?;
    let first = places[0];
    if request.measure == ErrorKind::Output && places.iter().any(|place| place.value_dim == 0) {
        return Err(RunError::Input(
            "values: found nothing, allowed: a file of values for --measure output, or --measure normalized or frobenius"
                .to_owned(),
        ));
    }
    let seed = params.size("seed") as u64;
    let mut reader = InputReader::new(params, logs.map(Path::to_path_buf), data.to_path_buf(), seed);
    let most_features = request.most_features.unwrap_or(first.keys);
    let mut heads = Vec::new();
    let mut source = first.source.name().to_owned();
    let mut times = HashMap::new();
    for (done, place) in places.iter().enumerate() {
        watch(done, places.len());
        let input = reader.read(*place, &place.draw_name())?;
        if let Some(named) = &input.source {
            source.clone_from(named);
        }
        let stop = || false;
        let exact = Exact::survey(&input.inputs, &stop).map_err(failure)?;
        let head = ExactHead::new(&input.inputs, input.values.as_ref(), params.flag("causal"), &stop);
        let head = head.map_err(failure)?;
        let search =
            HeadSearch { request, inputs: &input.inputs, exact: &exact, head: &head, most_features, stop: &stop };
        heads.push(advise(&search, place, &mut times)?);
    }
    watch(places.len(), places.len());
    let causal = params.flag("causal");
    let seen = if causal { first.keys.div_ceil(2) } else { first.keys };
    let value_dim = value_dim(&first);
    let layers: std::collections::BTreeSet<_> = places.iter().map(|place| place.layer).collect();
    let head_count = places.len() / layers.len().max(1);
    Ok(Recommendation {
        schema: 1,
        inputs: source,
        shape: vec![layers.len(), head_count, first.queries, first.dim],
        causal,
        measure: request.measure.name(),
        target: request.target,
        most_features,
        exact: ExactCost {
            seconds_per_token: exact_seconds(seen, first.dim, value_dim),
            bytes_per_token: exact_bytes(first.dim, value_dim),
        },
        summary: summary(&heads),
        heads,
    })
}

fn value_dim(place: &HeadPlace) -> usize {
    if place.value_dim > 0 { place.value_dim } else { place.dim }
}

/// Seconds a token by estimator and m: heads of one shape share them.
type Times = HashMap<(&'static str, usize, usize), f64>;

fn advise(search: &HeadSearch<'_>, place: &HeadPlace, times: &mut Times) -> Result<HeadAdvice, RunError> {
    let mut ranking = Vec::new();
    for estimator in search.request.estimators() {
        for projection in search.request.projections() {
            match rank(search, place, estimator, projection, times) {
                Ok(ranked) => ranking.push(ranked),
                Err(AttentionError::Stopped) => return Err(RunError::Stopped),
                Err(error @ AttentionError::Memory(_)) => return Err(failure(error)),
                Err(error) => ranking.push(RankedEstimator {
                    estimator: estimator.name(),
                    projection: projection.name(),
                    m: None,
                    features: None,
                    error: None,
                    reached: false,
                    from_theory: false,
                    slope: None,
                    slope_interval: None,
                    seconds_per_token: None,
                    bytes_per_token: None,
                    pays_from_length: None,
                    reason: Some(error.to_string()),
                }),
            }
        }
    }
    let order = |ranked: &RankedEstimator| {
        let number = if ranked.reached { ranked.features.map(|features| features as f64) } else { ranked.error };
        (!ranked.reached, number.unwrap_or(f64::INFINITY), ranked.seconds_per_token.unwrap_or(f64::INFINITY))
    };
    ranking.sort_by(|a, b| {
        let (a, b) = (order(a), order(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
    });
    let best = &ranking[0];
    let window = best.m.zip(best.features).map(|(m, features)| {
        let width = window_width(m, features, place.dim, value_dim(place)).min(place.keys);
        let errors = search.head.window(width);
        let error = match search.request.measure {
            ErrorKind::Output => errors.output,
            ErrorKind::Normalized => Some(errors.normalized),
            ErrorKind::Frobenius => errors.frobenius,
        };
        WindowAdvice { width, error, better: error.zip(best.error).is_some_and(|(window, own)| window < own) }
    });
    Ok(HeadAdvice {
        layer: place.layer,
        head: place.head,
        entropy: search.head.entropy(),
        features_for_target: best.features.filter(|_| best.reached),
        window,
        ranking,
    })
}

fn rank(
    search: &HeadSearch<'_>,
    place: &HeadPlace,
    estimator: FeatureEstimator,
    projection: Projection,
    times: &mut Times,
) -> Result<RankedEstimator, AttentionError> {
    let pair = FittedPair::new(search.request, search.inputs, search.most_features, estimator, projection)?;
    let found = search.find(&pair)?;
    let features = pair.method.features(found.m);
    let value_dim = value_dim(place);
    let seconds = *times
        .entry((estimator.name(), found.m, place.dim))
        .or_insert_with(|| linear_seconds(&pair.method, found.m, place.dim, value_dim));
    // Exact attention sees half of the sequence on average where it is causal.
    let pays = window_width(found.m, features, place.dim, value_dim)
        * if search.request.params.flag("causal") { 2 } else { 1 };
    Ok(RankedEstimator {
        estimator: estimator.name(),
        projection: projection.name(),
        m: Some(found.m),
        features: Some(features),
        error: Some(found.error),
        reached: found.reached,
        from_theory: found.from_theory,
        slope: found.slope.map(|(slope, _)| slope),
        slope_interval: found.slope.map(|(_, interval)| interval),
        seconds_per_token: Some(seconds),
        bytes_per_token: Some(linear_bytes(features, value_dim, place.keys)),
        pays_from_length: Some(pays + 1),
        reason: None,
    })
}

fn summary(heads: &[HeadAdvice]) -> Summary {
    let mut needed: Vec<usize> = heads.iter().filter_map(|head| head.features_for_target).collect();
    needed.sort_unstable();
    let enough = (0.9 * heads.len() as f64).ceil() as usize;
    let most = enough.checked_sub(1).and_then(|place| needed.get(place).copied());
    let keep = heads.iter().filter(|head| match (head.features_for_target, most) {
        (Some(own), Some(most)) => own > most,
        (own, _) => own.is_none(),
    });
    Summary {
        reached: needed.len(),
        of: heads.len(),
        m_for_90_percent: most,
        keep_exact: keep.map(|head| (head.layer.unwrap_or(0), head.head.unwrap_or(0))).collect(),
        window_better: heads.iter().filter(|head| head.window.is_some_and(|window| window.better)).count(),
    }
}
