//! The IDX format of MNIST and Fashion-MNIST (LeCun, Cortes, Burges 1998), plain or gzip.
//!
//! Big-endian: magic 2051, count, rows, columns, then one byte a pixel; magic 2049, count, then one byte a label.

use crate::vision::dataset::error::DataError;
use crate::vision::dataset::facts::{Loader, Published, SetFacts, Site};
use crate::vision::dataset::files::{SetFolder, open, there};
use crate::vision::dataset::images::Images;
use crate::vision::dataset::loaded::{Dataset, Options, Watch};
use std::io::Read;
use std::path::{Path, PathBuf};

const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;
/// Both published sets have ten classes.
const CLASSES: u8 = 10;

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
            read_part(&images, &labels)
        };
        let (train, test) = (part(FILES[0], FILES[1])?, part(FILES[2], FILES[3])?);
        Ok(Dataset { name: site.name, classes: site.class_names(), train, test, skipped: Vec::new() })
    }

    fn files(&self, site: &Site<'_>) -> Vec<PathBuf> {
        there(site, &FILES)
    }
}

fn read_part(images_file: &Path, labels_file: &Path) -> Result<Images, DataError> {
    let (size, pixels) = read_images(open(images_file)?, images_file)?;
    let labels = read_labels(open(labels_file)?, labels_file)?;
    let count = pixels.len() / (size * size);
    if labels.len() != count {
        return Err(DataError::malformed(
            labels_file,
            format!("{} labels, but {} holds {count} images", labels.len(), images_file.display()),
        ));
    }
    Images::new(1, size, pixels, labels)
}

/// Reads an IDX file of square 8-bit images: (height, pixels by image and row). `path` is named in errors.
///
/// # Errors
/// [`DataError::Malformed`]: wrong magic, not square, no images, more or fewer bytes than the header says.
pub fn read_images(mut reader: impl Read, path: &Path) -> Result<(usize, Vec<u8>), DataError> {
    header(&mut reader, path, IMAGES, "images")?;
    let count = number(&mut reader, path)?;
    let (rows, columns) = (number(&mut reader, path)?, number(&mut reader, path)?);
    if rows != columns || rows == 0 || rows > 4096 {
        return Err(DataError::malformed(
            path,
            format!("images of {rows}×{columns} pixels; square ones of 1 to 4096 are expected"),
        ));
    }
    let bytes = u64::from(count) * u64::from(rows) * u64::from(columns);
    let pixels = body(reader, path, count, "images", bytes)?;
    Ok((rows as usize, pixels))
}

/// Reads an IDX file of labels 0 to 9. `path` is named in errors.
///
/// # Errors
/// [`DataError::Malformed`]: wrong magic, no labels, more or fewer bytes than the header says, a label out of range.
pub fn read_labels(mut reader: impl Read, path: &Path) -> Result<Vec<u32>, DataError> {
    header(&mut reader, path, LABELS, "labels")?;
    let count = number(&mut reader, path)?;
    let labels = body(reader, path, count, "labels", u64::from(count))?;
    if let Some(place) = labels.iter().position(|&label| label >= CLASSES) {
        return Err(DataError::malformed(
            path,
            format!("label {} at place {place}; 0 to {} are allowed", labels[place], CLASSES - 1),
        ));
    }
    Ok(labels.into_iter().map(u32::from).collect())
}

fn number(reader: &mut impl Read, path: &Path) -> Result<u32, DataError> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes).map_err(|trouble| {
        DataError::malformed(path, format!("the file ends within its header ({})", cause(&trouble)))
    })?;
    Ok(u32::from_be_bytes(bytes))
}

fn header(reader: &mut impl Read, path: &Path, expected: u32, what: &str) -> Result<(), DataError> {
    let found = number(reader, path)?;
    if found == expected {
        return Ok(());
    }
    Err(DataError::malformed(path, format!("magic number {found}; an IDX file of {what} begins with {expected}")))
}

/// Exactly `bytes` bytes to the end; memory grows with what is there, not with what a header claims.
fn body(reader: impl Read, path: &Path, count: u32, what: &str, bytes: u64) -> Result<Vec<u8>, DataError> {
    if count == 0 {
        return Err(DataError::malformed(path, format!("the header says 0 {what}; at least one is expected")));
    }
    let mut body = Vec::new();
    let read = reader.take(bytes + 1).read_to_end(&mut body);
    let found = body.len() as u64;
    if let Err(trouble) = read {
        return Err(DataError::malformed(
            path,
            format!("cannot be read to its end ({}): {found} of {bytes} bytes for {count} {what}", cause(&trouble)),
        ));
    }
    if found == bytes {
        return Ok(body);
    }
    let found = if found > bytes { "more".to_owned() } else { format!("only {found}") };
    Err(DataError::malformed(path, format!("the header says {count} {what}, {bytes} bytes; there are {found}")))
}

fn cause(trouble: &std::io::Error) -> String {
    match trouble.kind() {
        std::io::ErrorKind::UnexpectedEof => "it is cut short".to_owned(),
        _ => trouble.to_string(),
    }
}
