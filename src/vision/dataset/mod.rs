//! Image data sets: loading, splitting, normalising, cutting into patches.
//!
//! [`load`] gives a [`Dataset`]; a [`Split`] says which of its training images are held out; [`Normalisation`] is taken
//! over those trained on; a [`Patcher`] writes a batch. All of it is a function of files, options and seed.

mod batch;
mod digits;
mod error;
mod files;
pub mod idx;
mod images;
mod source;
mod split;

pub use batch::{Normalisation, Patcher};
pub use error::DataError;
pub use images::Images;
pub use source::Source;
pub use split::Split;

use std::path::{Path, PathBuf};

/// A data set in memory.
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
    /// Files that could not be read, each with the reason; the rest is whole.
    pub skipped: Vec<(PathBuf, String)>,
}

/// How to load a data set.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Height and width wanted, in pixels; none: as published.
    pub image_size: Option<usize>,
}

/// Loads the data set called `name` from below `data_dir`.
///
/// # Errors
/// No set has that name, files are missing or not what they should be, or an option does not fit.
pub fn load(name: &str, data_dir: &Path, options: &Options) -> Result<Dataset, DataError> {
    let source = Source::from_name(name)?;
    let mut dataset = match source {
        Source::Digits => digits::load()?,
        Source::Mnist | Source::FashionMnist => idx::load(source, data_dir)?,
    };
    if let Some(size) = options.image_size {
        if !(1..=4096).contains(&size) {
            return Err(DataError::Option(format!("image size {size}; 1 to 4096 pixels are allowed")));
        }
        dataset.train = dataset.train.resized(size);
        dataset.test = dataset.test.resized(size);
    }
    Ok(dataset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_built_in() {
        let digits = load("digits", Path::new("nowhere"), &Options::default()).unwrap();
        assert_eq!((digits.train.count(), digits.test.count()), (1437, 360));
        assert_eq!(digits.test.class_counts(10), [36; 10]);
        assert_eq!(digits.train.labels()[..3], [0, 1, 2]);
        let mut scratch = Vec::new();
        // The first image of the file begins 0 0 5 13 9 1 0 0 of 16.
        assert_eq!(digits.train.image(0, &mut scratch).unwrap()[..8], [0, 0, 80, 207, 143, 16, 0, 0]);
        let larger = load("digits", Path::new("nowhere"), &Options { image_size: Some(16) }).unwrap();
        assert_eq!((larger.train.size(), larger.train.count()), (16, 1437));
    }
}
