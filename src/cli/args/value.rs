//! Values of arguments that several commands take.

/// What an argument should have been.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArgumentError {
    #[error("allowed: KEY=VALUE")]
    Assignment,
    #[error("allowed: a whole number of at least 1")]
    Positive,
}

/// `key=value`.
pub(super) fn assignment(text: &str) -> Result<(String, String), ArgumentError> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err(ArgumentError::Assignment),
    }
}

/// A number of at least one.
pub(super) fn positive(text: &str) -> Result<usize, ArgumentError> {
    text.parse().ok().filter(|number| *number > 0).ok_or(ArgumentError::Positive)
}
