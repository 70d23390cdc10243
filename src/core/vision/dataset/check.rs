//! What a data set holds, and whether its files are complete and readable.

use super::error::DataError;
use super::facts::Contents;
use super::fetch::digest;
use super::load::load_watched;
use super::loaded::{Options, Watch};
use super::passed_over::PassedOver;
use super::sets::DataSource;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A data set that was read from its first byte to its last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What it holds.
    pub contents: Contents,
    /// Files whose MD5 is the published one.
    pub published: Vec<PathBuf>,
    /// Files that can be read and are not the published ones, byte for byte: unpacked or packed anew.
    pub others: Vec<PathBuf>,
    /// Files that cannot be read, with the reason.
    pub skipped: Vec<(PathBuf, String)>,
}

/// What `source` holds below `data_dir`, or in `folder` where a set may lie anywhere. Pictures are counted, not decoded.
///
/// # Errors
/// As [`load`](super::load()).
pub fn contents(source: DataSource, data_dir: &Path, folder: Option<&Path>) -> Result<Contents, DataError> {
    let site = source.site(data_dir, folder);
    if let Some(contents) = site.facts.loader.contents(&site) {
        return contents;
    }
    let options = Options { folder: folder.map(Path::to_owned), ..Options::default() };
    let dataset = load_watched(source.name(), data_dir, &options, &mut |_| true)?;
    let files = site.facts.loader.files(&site);
    Ok(Contents {
        folder: files.first().and_then(|file| file.parent()).map(Path::to_owned),
        train: dataset.train.count(),
        test: dataset.test.count(),
        classes: dataset.classes,
        size: Some(dataset.train.size()),
        channels: dataset.train.channels(),
        passed_over: PassedOver::default(),
        notes: dataset.notes,
    })
}

/// Reads all of `source`, decoding every picture, and compares files with their published MD5 where there is one.
///
/// # Errors
/// As [`load_watched`].
pub fn check(source: DataSource, data_dir: &Path, folder: Option<&Path>, watch: Watch) -> Result<Checked, DataError> {
    let contents = contents(source, data_dir, folder)?;
    let site = source.site(data_dir, folder);
    let mut skipped = Vec::new();
    if contents.size.is_none() {
        // Small, so that a large set needs little memory; whether a picture can be decoded does not depend on it.
        let options = Options { image_size: Some(1), folder: folder.map(Path::to_owned), cache: None, only: None };
        skipped = load_watched(source.name(), data_dir, &options, watch)?.skipped;
    }
    let (mut published, mut others) = (Vec::new(), Vec::new());
    for path in site.facts.loader.files(&site) {
        let found = digest(File::open(&path)).map_err(DataError::io(&path, "read"))?;
        let known = site.facts.published.iter().any(|file| file.md5 == found);
        if known { &mut published } else { &mut others }.push(path);
    }
    Ok(Checked { contents, published, others, skipped })
}
