//! Data sets in IDX files, each a file of images and one of labels for training, and the same for testing.

use crate::vision::dataset::error::DataError;
use crate::vision::dataset::facts::{Loader, Published, SetFacts, Site};
use crate::vision::dataset::files::{SetFolder, open, there};
use crate::vision::dataset::idx::{IdxImages, IdxKind, kind, read_images, read_labels};
use crate::vision::dataset::images::Images;
use crate::vision::dataset::loaded::{Dataset, Options, Watch};
use std::fs;
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
            let (images, labels) = read_pair(&images, &labels, LARGEST_LABEL)?;
            labelled(images, labels)
        };
        let (train, test) = (part(FILES[0], FILES[1])?, part(FILES[2], FILES[3])?);
        Ok(Dataset::whole(site.name, site.class_names(), train, test))
    }

    fn files(&self, site: &Site<'_>) -> Vec<PathBuf> {
        there(site, &FILES)
    }
}

/// Reads a file of images and the file of their labels, which are at most `largest_label`.
fn read_pair(images_file: &Path, labels_file: &Path, largest_label: u32) -> Result<(IdxImages, Vec<u32>), DataError> {
    let images = read_images(open(images_file)?, images_file)?;
    let labels = read_labels(open(labels_file)?, labels_file, largest_label)?;
    if labels.len() != images.count {
        return Err(DataError::malformed(
            labels_file,
            format!("{} labels, but {} holds {} images", labels.len(), images_file.display(), images.count),
        ));
    }
    Ok((images, labels))
}

fn labelled(images: IdxImages, labels: Vec<u32>) -> Result<Images, DataError> {
    Images::new(images.channels, images.size, images.pixels, labels)
}

/// Any IDX files: a pair of images and labels for training and one for testing.
pub(super) static IDX: SetFacts = SetFacts {
    size: None,
    channels: None,
    images: [0, 0],
    classes: &[],
    folders: &["idx"],
    own_folder: true,
    advice: "put IDX files of images and of labels there, packed or not, `train` in the names of those for training and `test` \
             or `t10k` in the others, and name the folder by `folder` (below the data directory, or from the root); what \
             follows the folder's name is the beginning of the files' names, for folders with several sets",
    published: &[],
    homes: &[],
    loader: &IdxPairs,
};

/// The largest label that is accepted; classes are counted from the labels that occur.
const LARGEST_OWN_LABEL: u32 = 65_535;

/// Reads the two pairs of a folder that the user names.
struct IdxPairs;

/// The files of images and of labels of a part.
struct PairFiles {
    images: PathBuf,
    labels: PathBuf,
}

impl IdxPairs {
    /// The pairs for training and for testing.
    fn find(site: &Site<'_>) -> Result<[PairFiles; 2], DataError> {
        let Some(place) = site.folders().into_iter().next() else { return Err(missing(site)) };
        let (folder, beginning) = if place.is_dir() {
            (place, String::new())
        } else {
            let beginning = place.file_name().map(|name| name.to_string_lossy().into_owned());
            match (place.parent().filter(|folder| folder.is_dir()), beginning) {
                (Some(folder), Some(beginning)) => (folder.to_owned(), beginning),
                _ => return Err(missing(site)),
            }
        };
        let mut found: [[Vec<PathBuf>; 2]; 2] = Default::default();
        for entry in fs::read_dir(&folder).map_err(DataError::io(&folder, "read"))? {
            let path = entry.map_err(DataError::io(&folder, "read"))?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let lower = name.to_lowercase();
            let part = match (lower.contains("train"), lower.contains("test") || lower.contains("t10k")) {
                (true, _) => 0,
                (_, true) => 1,
                _ => continue,
            };
            if !name.starts_with(&beginning) || !path.is_file() {
                continue;
            }
            match open(&path).ok().and_then(kind) {
                Some(IdxKind::Images) => found[part][0].push(path),
                Some(IdxKind::Labels) => found[part][1].push(path),
                None => {}
            }
        }
        if found.iter().flatten().all(Vec::is_empty) {
            return Err(missing(site));
        }
        let [train, test] = found;
        let pair = |[images, labels]: [Vec<PathBuf>; 2], part: &str| {
            Ok::<_, DataError>(PairFiles {
                images: only(&folder, images, &format!("images for {part}"))?,
                labels: only(&folder, labels, &format!("labels for {part}"))?,
            })
        };
        Ok([pair(train, "training")?, pair(test, "testing")?])
    }
}

fn missing(site: &Site<'_>) -> DataError {
    site.missing("IDX files".to_owned())
}

/// The only one of `files`; where a file lies there plain and packed, the plain one counts.
fn only(folder: &Path, mut files: Vec<PathBuf>, what: &str) -> Result<PathBuf, DataError> {
    files.sort();
    let all = files.clone();
    files
        .retain(|file| file.extension().is_none_or(|suffix| suffix != "gz") || !all.contains(&file.with_extension("")));
    match files.as_slice() {
        [file] => Ok(file.clone()),
        [] => Err(DataError::malformed(folder, format!("no IDX file of {what}; {}", IDX.advice))),
        several => {
            let names: Vec<_> =
                several.iter().filter_map(|file| file.file_name()).map(|name| name.to_string_lossy()).collect();
            let problem = format!(
                "several IDX files of {what}: {}; put one set into a folder of its own, or name the folder with the beginning \
                 of the files' names, FOLDER/BEGINNING",
                names.join(", ")
            );
            Err(DataError::malformed(folder, problem))
        }
    }
}

impl Loader for IdxPairs {
    fn load(&self, site: &Site<'_>, _: &Options, _: Watch) -> Result<Dataset, DataError> {
        let [train_files, test_files] = Self::find(site)?;
        let read = |files: &PairFiles| read_pair(&files.images, &files.labels, LARGEST_OWN_LABEL);
        let ((train, mut train_labels), (test, mut test_labels)) = (read(&train_files)?, read(&test_files)?);
        if (train.channels, train.size) != (test.channels, test.size) {
            let shape = |images: &IdxImages| format!("{0}×{0}×{1}", images.size, images.channels);
            let problem = format!("images of {}, but those for training are {}", shape(&test), shape(&train));
            return Err(DataError::malformed(&test_files.images, problem));
        }
        let mut classes = train_labels.clone();
        classes.sort_unstable();
        classes.dedup();
        if let Some(stranger) = test_labels.iter().find(|label| classes.binary_search(label).is_err()) {
            let problem = format!("label {stranger} does not occur in {}", train_files.labels.display());
            return Err(DataError::malformed(&test_files.labels, problem));
        }
        for label in train_labels.iter_mut().chain(&mut test_labels) {
            *label = classes.partition_point(|class| *class < *label) as u32;
        }
        Ok(Dataset::whole(
            site.name,
            classes.iter().map(u32::to_string).collect(),
            labelled(train, train_labels)?,
            labelled(test, test_labels)?,
        ))
    }

    fn files(&self, site: &Site<'_>) -> Vec<PathBuf> {
        let pairs = Self::find(site).into_iter().flatten();
        pairs.flat_map(|PairFiles { images, labels }| [images, labels]).collect()
    }
}
