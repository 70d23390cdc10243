//! The estimators that the parameters ask for.

use super::inputs::MaskedInputs;
use super::rows::MaskedSubject;
use super::schema::shares;
use crate::attention::Projection;
use crate::attention::masked::{Budget, MaskedError, MaskedEstimator, MaskedMethod};
use crate::lab::{Params, RunError};

/// The estimator of one point: `method` on rows from `projection`, with up to `features` columns.
///
/// # Errors
/// The parameters do not fit each other; the message names the parameter to change.
pub(super) fn estimator(
    params: &Params,
    masks: &MaskedInputs,
    method: MaskedMethod,
    projection: Projection,
    features: usize,
) -> Result<MaskedEstimator, RunError> {
    let inner = match params.size("m") {
        0 => 4 * features,
        m => m,
    };
    let (probabilities, allocation) = (shares(params, "probabilities"), shares(params, "allocation"));
    let budget = Budget { features, inner, probabilities: &probabilities, allocation: &allocation };
    let sides = (masks.queries.view(), masks.keys.view());
    MaskedEstimator::new(method, projection, masks.tokens.dim(), sides, budget).map_err(|error| {
        let key = match error {
            MaskedError::Budget { .. } => "features",
            MaskedError::Projection(_) => "projection",
            _ if method == MaskedMethod::Coordinate => "probabilities",
            _ => "allocation",
        };
        RunError::Input(format!("{key}: {error}"))
    })
}

/// What a row about this estimator says that it is about.
pub(super) fn subject(
    masks: &MaskedInputs,
    method: MaskedMethod,
    projection: Projection,
    estimator: &MaskedEstimator,
) -> MaskedSubject {
    MaskedSubject {
        inputs: masks.place.source.name().to_owned(),
        source: masks.source.clone(),
        layer: masks.place.layer,
        head: masks.place.head,
        mask: masks.name.clone(),
        length: masks.tokens.queries.nrows(),
        dim: masks.tokens.dim(),
        mask_dim: masks.queries.ncols(),
        method: method.name(),
        projection: projection.name(),
        m: estimator.projections(),
        features: estimator.features(),
    }
}
