//! Loading a data set: all of it, or a part, at the size wanted.

use super::error::DataError;
use super::images::Images;
use super::loaded::{Dataset, Options, Watch};
use super::sets::DataSource;
use super::split;
use std::path::Path;

/// Loads the data set called `name` from below `data_dir`.
///
/// # Errors
/// No set has that name, files are missing or not what they should be, or an option does not fit.
pub fn load(name: &str, data_dir: &Path, options: &Options) -> Result<Dataset, DataError> {
    load_watched(name, data_dir, options, &mut |_| true)
}

/// As [`load`]; `watch` is told how far decoding is (only image folders take long enough) and can stop it.
///
/// # Errors
/// As [`load`], and [`DataError::Stopped`].
pub fn load_watched(name: &str, data_dir: &Path, options: &Options, watch: Watch) -> Result<Dataset, DataError> {
    let source = DataSource::named(name)?;
    if let Some(size) = options.image_size.filter(|size| !(1..=4096).contains(size)) {
        return Err(DataError::Option(format!("image size {size}; 1 to 4096 pixels are allowed")));
    }
    let site = source.site(data_dir, options.folder.as_deref());
    let loader = site.facts.loader;
    let mut dataset = loader.load(&site, options, watch)?;
    if loader.fits_itself() {
        return Ok(dataset);
    }
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
