//! The estimator, projection and number of features that do best over all heads, for a form that is to be filled in.

use super::super::schema::PARAMS;
use super::report::{Recommendation, recommend};
use super::request::{ErrorKind, RecommendRequest};
use crate::lab::{Draft, Optimum, Params, Places, RunError, Schema, common};
use std::cmp::Reverse;

/// The error that is to be reached.
const TARGET: f64 = 0.1;

/// One estimator on one projection, over all heads on which it reaches the error.
struct BestPair {
    estimator: &'static str,
    projection: &'static str,
    /// Heads on which it reaches the error.
    reached: usize,
    /// The projections that suffice for all of them.
    m: usize,
    /// The columns of Φ with so many projections.
    features: usize,
}

impl Recommendation {
    /// The pair that reaches the error on most heads; of several, the one with the fewest features. None where no pair
    /// reaches it on any head.
    fn best(&self) -> Option<BestPair> {
        let mut pairs: Vec<BestPair> = Vec::new();
        for ranked in self.heads.iter().flat_map(|head| &head.ranking).filter(|ranked| ranked.reached) {
            let (Some(m), Some(features)) = (ranked.m, ranked.features) else { continue };
            let (estimator, projection) = (ranked.estimator, ranked.projection);
            match pairs.iter_mut().find(|pair| (pair.estimator, pair.projection) == (estimator, projection)) {
                Some(pair) => {
                    pair.reached += 1;
                    (pair.m, pair.features) = (pair.m.max(m), pair.features.max(features));
                }
                None => pairs.push(BestPair { estimator, projection, reached: 1, m, features }),
            }
        }
        pairs.into_iter().min_by_key(|pair| (Reverse(pair.reached), pair.features))
    }
}

/// The best estimator, projection and m for the inputs of `params`, where these are a file or a checkpoint.
///
/// # Errors
/// As [`recommend`].
pub(in crate::problems::random_features) fn optimise(
    params: &Params,
    places: &Places,
) -> Result<Option<Optimum>, RunError> {
    let stored = |name: &&str| matches!(*name, "file" | "checkpoint");
    if !params.texts("inputs").iter().all(stored) {
        return Ok(None);
    }
    let (schema, draft) = (Schema(&PARAMS), Draft::from_params(params));
    // What says where the inputs come from; the estimators are those that a recommendation looks at.
    let asked = schema.iter().filter(|param| param.group == "inputs" || param.key == common::SEED.key);
    let asked = asked.filter(|param| draft.reads(&schema, param));
    let changes: Vec<_> = asked.map(|param| (param.key.to_owned(), params.typed(param.key))).collect();
    let params = RecommendRequest::parameters(&changes).map_err(RunError::input)?;
    let measure = ErrorKind::of_inputs(&params);
    let request = RecommendRequest { params, target: TARGET, measure, most_features: None };
    let answer = recommend(&request, Some(&places.logs), &places.data, &mut |_, _| {})?;

    let (heads, window) = (answer.summary.of, answer.summary.window_better);
    let error = format!("{} error {TARGET}", measure.name());
    let Some(BestPair { estimator, projection, reached, m, features }) = answer.best() else {
        let any = if heads == 1 { String::new() } else { format!(" on any of {heads} heads") };
        let most = answer.most_features;
        let message = match window {
            0 => format!("nothing reaches the {error}{any} with up to {most} features: nothing was set"),
            _ if heads == 1 => format!(
                "nothing reaches the {error} with up to {most} features: nothing was set; a window of equal cost does better"
            ),
            _ => format!(
                "nothing reaches the {error}{any} with up to {most} features: nothing was set; a window of equal cost does \
                 better on {window}"
            ),
        };
        return Ok(Some(Optimum { changes: Vec::new(), message }));
    };
    let width = if features == m { String::new() } else { format!(", {features} features") };
    let on = if heads == 1 { String::new() } else { format!(" on {reached} of {heads} heads") };
    Ok(Some(Optimum {
        changes: vec![("estimator", estimator.to_owned()), ("projection", projection.to_owned()), ("m", m.to_string())],
        message: format!("{error}: reached{on} by estimator={estimator} projection={projection} m={m}{width}"),
    }))
}
