//! The IDX format of MNIST and Fashion-MNIST (LeCun, Cortes, Burges 1998), plain or gzip.
//!
//! Big-endian: magic 2051, count, rows, columns, then one byte a pixel; magic 2049, count, then one byte a label.

use super::files::{Place, open};
use super::{DataError, Dataset, Images, Source};
use std::io::Read;
use std::path::Path;

const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;
/// Both sets have ten classes.
const CLASSES: u8 = 10;

/// The four files, training images first.
pub(super) const FILES: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// Reads the four files of `source` below `data_dir`.
///
/// # Errors
/// Files are missing or malformed.
pub(super) fn load(source: Source, data_dir: &Path) -> Result<Dataset, DataError> {
    let place = Place::find(source, data_dir, &FILES)?;
    let part = |images: &str, labels: &str| {
        let (images, labels) = (place.file(images)?, place.file(labels)?);
        read_part(&images, &labels)
    };
    Ok(Dataset {
        name: source.name(),
        classes: source.class_names().iter().map(|&name| name.to_owned()).collect(),
        train: part(FILES[0], FILES[1])?,
        test: part(FILES[2], FILES[3])?,
        skipped: Vec::new(),
    })
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
