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
    /// What is to be known of how the set was read, a line each.
    pub notes: Vec<String>,
}

impl Dataset {
    /// A set of which every file could be read, and nothing is to be said.
    pub(super) const fn whole(name: &'static str, classes: Vec<String>, train: Images, test: Images) -> Self {
        Self { name, classes, train, test, skipped: Vec::new(), notes: Vec::new() }
    }
}

/// How to load a data set. The default loads all of it as it was published.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Height and width wanted, in pixels; with none images are as published, and 64 where they come from folders of pictures.
    pub image_size: Option<usize>,
    /// The folder of a data set that the user names: an absolute path, or one below the data directory. With none the usual
    /// folders are searched.
    pub folder: Option<PathBuf>,
    /// Where decoded pictures of image folders are kept; with none they are kept nowhere. Callers take [`default_cache`].
    pub cache: Option<PathBuf>,
    /// A part of the images only; of image folders no other pictures are decoded.
    pub only: Option<Only>,
}

/// A part of a data set, chosen by seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Only {
    /// At most this many training images; 0 for all.
    pub train: usize,
    /// At most this many test images; 0 for all.
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

/// Is called with the progress of loading; by returning `false` it stops the loading, which then ends with
/// `DataError::Stopped`.
pub type Watch<'a> = &'a mut dyn FnMut(&Loading) -> bool;
