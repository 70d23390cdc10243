//! What can be done with data sets apart from training on them: listing, fetching and checking them, by name.

pub use crate::vision::dataset::{Checked, Contents, DataError, Loading, PassedOver};

use crate::named::Choice;
use crate::vision::dataset::{self, DataSource, Watch, fetch as published};
use std::path::{Path, PathBuf};

/// What is there of one data set.
#[derive(Debug)]
pub struct ListedSet {
    /// Its name and what it is.
    pub set: Choice,
    /// Whether it can be fetched.
    pub can_be_fetched: bool,
    /// What it holds, or why that is not known.
    pub found: Result<Contents, DataError>,
}

/// The names of the data sets asked for; of all where none is named.
///
/// # Errors
/// No data set has one of the names.
pub fn names(asked: &[String]) -> Result<Vec<&'static str>, DataError> {
    if asked.is_empty() {
        return Ok(DataSource::ALL.iter().map(|source| source.name()).collect());
    }
    asked.iter().map(|name| Ok(DataSource::named(name)?.name())).collect()
}

/// What is there of the data set `name` below the directory `data`, or in `folder` where a set may lie anywhere.
///
/// # Errors
/// No data set has that name.
pub fn list(name: &str, data: &Path, folder: Option<&Path>) -> Result<ListedSet, DataError> {
    let source = DataSource::named(name)?;
    let found = dataset::contents(source, data, folder);
    Ok(ListedSet { set: source.choice(), can_be_fetched: !published::files(source).is_empty(), found })
}

/// Fetches what is missing of the data set `name`, from `mirrors` first, and returns the files that are there now.
///
/// # Errors
/// As [`fetch`](published::fetch).
pub fn fetch(name: &str, data: &Path, mirrors: &[String], watch: Watch) -> Result<Vec<PathBuf>, DataError> {
    let source = DataSource::named(name)?;
    let mirrors = mirrors.iter().map(String::as_str);
    let homes: Vec<&str> = mirrors.chain(published::homes(source).iter().copied()).collect();
    published::fetch(source, data, &homes, watch)
}

/// Reads all of the data set `name` and compares its files with published checksums.
///
/// # Errors
/// As [`check`](dataset::check).
pub fn check(name: &str, data: &Path, folder: Option<&Path>, watch: Watch) -> Result<Checked, DataError> {
    dataset::check(DataSource::named(name)?, data, folder, watch)
}
