//! What is asked.

use super::super::schema::PARAMS;
use crate::attention::Projection;
use crate::lab::{Draft, Param, ParamError, Params, Schema, common};
use crate::named::named;
use crate::problems::estimators::{FeatureEstimator, estimators};

named! {
    /// The error that is to be reached.
    pub enum ErrorKind {
        Output = "output", "‖P̂V−PV‖/‖PV‖, of the output of attention";
        Normalized = "normalized", "‖P̂−P‖/‖P‖, of the row-normalised matrix";
        Frobenius = "frobenius", "‖Â−A‖/‖A‖, of the un-normalised matrix over all entries";
    }
}

impl ErrorKind {
    /// The error that matters where none is named: of the output where the inputs of `params` have values, else of the
    /// row-normalised matrix.
    #[must_use]
    pub fn of_inputs(params: &Params) -> Self {
        let has_values = !params.text("values").is_empty() || params.texts("inputs").contains(&"checkpoint");
        if has_values { Self::Output } else { Self::Normalized }
    }
}

/// A question: inputs, and what an estimate is to reach.
#[derive(Clone, Debug)]
pub struct RecommendRequest {
    /// Parameters of the problem `random-features`: inputs, estimators, projections, causal, seed.
    pub params: Params,
    /// The error to reach.
    pub target: f64,
    /// Which error.
    pub measure: ErrorKind,
    /// The most features; none for as many as there are keys, from where on exact attention is no dearer.
    pub most_features: Option<usize>,
}

impl RecommendRequest {
    /// From parameters as typed; those that are not named keep the values that suit a recommendation: every feature family (custom
    /// only where it is asked for), Gaussian and orthogonal projections, every layer and head.
    ///
    /// # Errors
    /// A parameter is not declared, its value is not allowed, or nothing reads it.
    pub fn parameters(changes: &[(String, String)]) -> Result<Params, ParamError> {
        let defaults = [
            ("estimator", "positive,hyperbolic,trigonometric,gerf,sderf"),
            ("projection", "gaussian,orthogonal"),
            ("layer", "all"),
            ("head", "all"),
            ("trials", "8"),
        ];
        let typed = changes.iter().map(|(key, text)| (key.as_str(), text.as_str()));
        let all: Vec<(&str, &str)> = defaults.into_iter().chain(typed.clone()).collect();
        let (schema, mut draft) = (Schema(&PARAMS), Draft::new(&Schema(&PARAMS)));
        all.iter().try_for_each(|(key, text)| draft.set(&schema, key, text))?;
        let ignored = |(key, _): &(&str, &str)| schema.get(key).is_some_and(|param| !is_read(param));
        if let Some((key, text)) = typed.clone().find(ignored) {
            return Err(ParamError::new(key, text, "nothing: a recommendation does not read it"));
        }
        let unread = draft.unread(&schema).into_iter().find(|error| typed.clone().any(|(key, _)| key == error.key));
        let params = unread.map_or_else(|| Params::with(&schema, &all), Err)?;
        if estimators(&params).iter().filter(|estimator| estimator.function().is_some()).count() > 1 {
            return Err(ParamError::new(
                "f",
                params.typed("f"),
                "one function: a recommendation ranks estimators by name",
            ));
        }
        Ok(params)
    }

    pub(super) fn estimators(&self) -> Vec<FeatureEstimator> {
        estimators(&self.params)
    }

    pub(super) fn projections(&self) -> Vec<Projection> {
        self.params.choices("projection")
    }

    pub(super) fn trials(&self) -> usize {
        self.params.size("trials").max(2)
    }
}

/// Whether a recommendation reads `param`: it looks for m itself, and draws no figures.
fn is_read(param: &Param) -> bool {
    let known = ["estimator", "projection", "trials", common::SEED.key].contains(&param.key);
    known || param.group == "inputs" || param.read_with.is_some_and(|(key, _)| key == "estimator")
}
