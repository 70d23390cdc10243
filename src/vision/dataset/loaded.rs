//! A data set in memory, and how it is asked for.

use super::images::Images;
use std::path::PathBuf;

/// A data set.
#[derive(Debug)]
pub struct Dataset {
    /// Its name.
    pub name: &'static str,
    /// Class names in label order.
    pub classes: Vec<String>,
    /// Images to train and validate on.
    pub train: Images,
    /// Images to test on.
    pub test: Images,
    /// Files that could not be read, each with the reason; everything else is there.
    pub skipped: Vec<(PathBuf, String)>,
}

/// How to load a data set; the default is all of it as published.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Height and width wanted, in pixels; none: as published, 64 for folders of pictures.
    pub image_size: Option<usize>,
    /// Where the files of a set of one's own lie: below the data directory, or from the root; none: where they are usual.
    pub folder: Option<PathBuf>,
    /// Where decoded pictures of image folders are kept; none: nowhere. Callers take [`default_cache`].
    pub cache: Option<PathBuf>,
    /// A part of the images only; of image folders no other pictures are decoded.
    pub only: Option<Only>,
}

/// A part of a data set, chosen by seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Only {
    /// At most this many training images; 0: all.
    pub train: usize,
    /// At most this many test images; 0: all.
    pub test: usize,
    /// The seed of the choice.
    pub seed: u64,
}

/// How far loading or fetching has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loading {
    /// The part that is being decoded, `train` or `val`; or the file that is being fetched.
    pub stage: &'static str,
    /// Pictures decoded, or bytes there.
    pub done: usize,
    /// Pictures to decode (those in the cache are not counted), or bytes in all.
    pub total: usize,
}

/// Looks on while a data set is loaded; `false` stops it with [`DataError::Stopped`].
pub type Watch<'a> = &'a mut dyn FnMut(&Loading) -> bool;
