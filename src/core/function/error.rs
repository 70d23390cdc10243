//! What is wrong with a typed function, and where.

use std::ops::Range;

/// The characters of `text` at `place`.
pub(super) fn excerpt(text: &str, place: &Range<usize>) -> String {
    text.chars().skip(place.start).take(place.len()).collect()
}

/// Why a text is no function that can be used, with the place in the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}, at character {}; allowed: {allowed}", place.start + 1)]
pub struct FunctionError {
    /// The characters meant, counted from 0; empty at the place where something is missing.
    pub place: Range<usize>,
    /// What is wrong, without a capital or a full stop.
    pub reason: String,
    /// What is allowed there, or what to do.
    pub allowed: String,
}

impl FunctionError {
    pub(super) fn new(place: Range<usize>, reason: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { place, reason: reason.into(), allowed: allowed.into() }
    }

    /// A line of carets below the characters meant, for a text that stands above it in one line.
    #[must_use]
    pub fn carets(&self) -> String {
        " ".repeat(self.place.start) + &"^".repeat(self.place.len().max(1))
    }
}
