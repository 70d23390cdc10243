//! Image data sets: loading, splitting, normalising, cutting into patches.
//!
//! [`load`] gives a [`Dataset`]; a [`Split`] says which of its training images are held out; [`Normalisation`] is taken
//! over those trained on; a [`Patcher`] writes a batch. All of it is a function of files, options and seed.

mod augment;
mod batch;
mod cache;
mod check;
pub mod cifar;
mod decode;
mod digits;
mod error;
pub mod fetch;
mod files;
pub mod folder;
pub mod idx;
mod images;
mod source;
mod split;

pub use augment::Augment;
pub use batch::{Normalisation, Patcher};
pub use cache::default_cache;
pub use check::{Checked, Contents, check, contents};
pub use error::DataError;
pub use images::Images;
pub use source::Source;
pub use split::Split;

use std::path::{Path, PathBuf};

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
    /// Height and width wanted, in pixels; none: [`Source::native_size`].
    pub image_size: Option<usize>,
    /// The folder of [`Source::Folder`]: below the data directory, or from the root; none: `image-folder`.
    pub folder: Option<PathBuf>,
    /// Where decoded pictures of image folders are kept; none: nowhere. Callers take [`default_cache`].
    pub cache: Option<PathBuf>,
    /// A part of the images only; of image folders no others are decoded.
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

/// Loads the data set called `name` from below `data_dir`.
///
/// # Errors
/// No set has that name, files are missing or not what they should be, or an option does not fit.
pub fn load(name: &str, data_dir: &Path, options: &Options) -> Result<Dataset, DataError> {
    load_watched(name, data_dir, options, &mut |_| true)
}

/// As [`load`], with someone looking on while pictures are decoded (only image folders take time enough).
///
/// # Errors
/// As [`load`], and [`DataError::Stopped`].
pub fn load_watched(name: &str, data_dir: &Path, options: &Options, watch: Watch) -> Result<Dataset, DataError> {
    let source = Source::from_name(name)?;
    if let Some(size) = options.image_size.filter(|size| !(1..=4096).contains(size)) {
        return Err(DataError::Option(format!("image size {size}; 1 to 4096 pixels are allowed")));
    }
    let mut dataset = match source {
        Source::Digits => digits::load()?,
        Source::Mnist | Source::FashionMnist => idx::load(source, data_dir)?,
        Source::Cifar10 => cifar::load(data_dir)?,
        // A folder chooses and resizes as it decodes.
        Source::ImageNet | Source::Places365 | Source::Folder => {
            return folder::load(source, data_dir, options, watch);
        }
    };
    if let Some(only) = options.only {
        let part = |images: Images, most, name| {
            if most == 0 || most >= images.count() {
                return Ok(images);
            }
            images.select(&split::sample(images.count(), most, only.seed, name))
        };
        dataset.train = part(dataset.train, only.train, "train")?;
        dataset.test = part(dataset.test, only.test, "val")?;
    }
    if let Some(size) = options.image_size {
        dataset.train = dataset.train.resized(size)?;
        dataset.test = dataset.test.resized(size)?;
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
        let larger =
            load("digits", Path::new("nowhere"), &Options { image_size: Some(16), ..Options::default() }).unwrap();
        assert_eq!((larger.train.size(), larger.train.count()), (16, 1437));
    }
}
