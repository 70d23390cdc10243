//! Data sets in IDX files, each a file of images and one of labels for training, and the same for testing.

use crate::vision::dataset::error::DataError;
use crate::vision::dataset::facts::{Loader, Published, SetFacts, Site};
use crate::vision::dataset::files::{SetFolder, open, there};
use crate::vision::dataset::idx::{read_images, read_labels};
use crate::vision::dataset::images::Images;
use crate::vision::dataset::loaded::{Dataset, Options, Watch};
use std::path::{Path, PathBuf};

/// Both published sets have the labels 0 to 9.
const LARGEST_LABEL: u32 = 9;

/// The four files, training images first.
const FILES: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

const fn published(name: &'static str, bytes: u64, md5: &'static str) -> Published {
    Published { name, bytes, md5 }
}

/// A set with the four files of MNIST.
const fn four_files(
    folders: &'static [&'static str],
    classes: &'static [&'static str],
    published: &'static [Published],
    homes: &'static [&'static str],
) -> SetFacts {
    SetFacts {
        size: Some(28),
        channels: Some(1),
        images: [60_000, 10_000],
        classes,
        folders,
        own_folder: false,
        advice: "`attnlab data fetch` fetches it; or put the four IDX files there, or name another data directory \
                 (--data-dir, ATTNLAB_DATA)",
        published,
        homes,
        loader: &FourFiles,
    }
}

/// MNIST.
pub(super) static MNIST: SetFacts = four_files(
    &["mnist", "MNIST/raw", "MNIST", "mnist/raw"],
    &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    &[
        published("train-images-idx3-ubyte.gz", 9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        published("train-labels-idx1-ubyte.gz", 28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
        published("t10k-images-idx3-ubyte.gz", 1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
        published("t10k-labels-idx1-ubyte.gz", 4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
    ],
    &["https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"],
);

/// Fashion-MNIST.
pub(super) static FASHION_MNIST: SetFacts = four_files(
    &["fashion-mnist", "FashionMNIST/raw", "FashionMNIST", "fashion_mnist"],
    &["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
    &[
        published("train-images-idx3-ubyte.gz", 26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        published("train-labels-idx1-ubyte.gz", 29_515, "25c81989df183df01b3e8a0aad5dffbe"),
        published("t10k-images-idx3-ubyte.gz", 4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
        published("t10k-labels-idx1-ubyte.gz", 5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
    ],
    &[
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ],
);

/// Reads the four files.
struct FourFiles;

fn plain_or_packed(name: &str) -> String {
    format!("`{name}` (or `{name}.gz`)")
}

impl Loader for FourFiles {
    fn load(&self, site: &Site<'_>, _: &Options, _: Watch) -> Result<Dataset, DataError> {
        let place = SetFolder::find(*site, &FILES, plain_or_packed)?;
        let part = |images: &str, labels: &str| {
            let (images, labels) = (place.file(images, plain_or_packed)?, place.file(labels, plain_or_packed)?);
            read_part(&images, &labels, LARGEST_LABEL)
        };
        let (train, test) = (part(FILES[0], FILES[1])?, part(FILES[2], FILES[3])?);
        Ok(Dataset { name: site.name, classes: site.class_names(), train, test, skipped: Vec::new() })
    }

    fn files(&self, site: &Site<'_>) -> Vec<PathBuf> {
        there(site, &FILES)
    }
}

/// Reads a file of images and the file of their labels, which are at most `largest_label`.
fn read_part(images_file: &Path, labels_file: &Path, largest_label: u32) -> Result<Images, DataError> {
    let images = read_images(open(images_file)?, images_file)?;
    let labels = read_labels(open(labels_file)?, labels_file, largest_label)?;
    if labels.len() != images.count {
        return Err(DataError::malformed(
            labels_file,
            format!("{} labels, but {} holds {} images", labels.len(), images_file.display(), images.count),
        ));
    }
    Images::new(images.channels, images.size, images.pixels, labels)
}
