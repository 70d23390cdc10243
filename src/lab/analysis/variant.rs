//! Runs as a study reads them, and variants: runs that differ in nothing but the seed.

use crate::lab::{RunView, StoredParams};

/// A run as a study reads it.
#[derive(Clone, Copy, Debug)]
pub struct StudyRun<'a> {
    /// Its parameters.
    pub params: &'a StoredParams,
    /// What it has said.
    pub view: &'a RunView,
}

/// Runs that differ in nothing but the seed.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyVariant {
    /// What tells it from the others: one text for each of [`Study::keys`].
    pub at: Vec<String>,
    /// The words for it; empty where the study has only this one.
    pub label: String,
    /// Indices of its runs.
    pub runs: Vec<usize>,
}
