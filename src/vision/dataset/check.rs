//! What is there of a data set, and whether it is as it should be.

use super::fetch::{digest, files};
use super::folder::Listing;
use super::{DataError, Options, Source, Watch, load_watched};
use std::fs::File;
use std::path::{Path, PathBuf};

/// What a data set holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Where it lies; none: built in.
    pub folder: Option<PathBuf>,
    /// Training images.
    pub train: usize,
    /// Test images.
    pub test: usize,
    /// Class names in label order.
    pub classes: Vec<String>,
    /// Height and width of its images; none: of any size.
    pub size: Option<usize>,
    /// Colour channels.
    pub channels: usize,
}

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

/// What `source` holds below `data_dir` (for [`Source::Folder`]: in `folder`). Pictures are counted, not decoded.
///
/// # Errors
/// As [`load`](super::load).
pub fn contents(source: Source, data_dir: &Path, folder: Option<&Path>) -> Result<Contents, DataError> {
    if source.is_folder() {
        let listing = Listing::new(source, data_dir, folder)?;
        return Ok(Contents {
            folder: Some(listing.folder),
            train: listing.train.len(),
            test: listing.test.len(),
            classes: listing.classes,
            size: None,
            channels: source.channels(),
        });
    }
    let dataset = super::load(source.name(), data_dir, &Options::default())?;
    Ok(Contents {
        folder: source.files_there(data_dir).first().and_then(|file| file.parent()).map(Path::to_owned),
        train: dataset.train.count(),
        test: dataset.test.count(),
        classes: dataset.classes,
        size: Some(dataset.train.size()),
        channels: dataset.train.channels(),
    })
}

/// Reads all of `source`, decoding every picture, and compares files with their published MD5 where there is one.
///
/// # Errors
/// As [`load_watched`].
pub fn check(source: Source, data_dir: &Path, folder: Option<&Path>, watch: Watch) -> Result<Checked, DataError> {
    let contents = contents(source, data_dir, folder)?;
    let mut skipped = Vec::new();
    if source.is_folder() {
        // Small, so that a large set needs little memory; whether a picture can be decoded does not depend on it.
        let options = Options { image_size: Some(1), folder: folder.map(Path::to_owned), cache: None, only: None };
        skipped = load_watched(source.name(), data_dir, &options, watch)?.skipped;
    }
    let (mut published, mut others) = (Vec::new(), Vec::new());
    for path in source.files_there(data_dir) {
        let found = digest(File::open(&path)).map_err(DataError::io(&path, "read"))?;
        if files(source).iter().any(|file| file.md5 == found) { &mut published } else { &mut others }.push(path);
    }
    Ok(Checked { contents, published, others, skipped })
}
