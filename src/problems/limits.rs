//! What the problems on estimators have in common: failures of the mathematics as ends of a run, and rows that
//! projections do not have.

use crate::attention::{AttentionError, Projection};
use crate::lab::{ParamError, Params, RunError};

/// A failure of the attention floor, as the end of a run.
pub(super) fn failure(error: impl Into<AttentionError>) -> RunError {
    match error.into() {
        AttentionError::Stopped => RunError::Stopped,
        AttentionError::Memory(short) => RunError::Failed(short.to_string()),
        error => RunError::Input(error.to_string()),
    }
}

/// Checks that the projections asked for have rows of the length `dim`.
pub(super) fn check_dims(params: &Params) -> Result<(), ParamError> {
    for projection in params.choices::<Projection>("projection") {
        for dim in params.sizes("dim") {
            if let Err(AttentionError::Dimension { least, most, .. }) = projection.check_dim(dim) {
                let limit = if dim < least { format!("at least {least}") } else { format!("at most {most}") };
                return Err(ParamError::new("dim", dim.to_string(), format!("{limit} with projection={projection}")));
            }
        }
    }
    Ok(())
}
