//! The IDX format of MNIST (LeCun, Cortes, Burges 1998).
//!
//! Big-endian: two zero bytes, the type of a value, the number of sizes, the sizes, the values. Images are unsigned bytes in
//! sizes `[count, rows, columns]`, or in colour `[count, rows, columns, 3]` or `[count, 3, rows, columns]`; labels are whole
//! numbers of one, two or four bytes in a size `[count]`.

use super::error::DataError;
use crate::vision::room::reserve;
use std::io::Read;
use std::path::Path;

/// Values of one unsigned byte.
const BYTE: u8 = 0x08;
/// Labels of two and four bytes, with a sign.
const SHORT: u8 = 0x0B;
const INT: u8 = 0x0C;
/// Height or width an image may have.
const LARGEST_SIDE: u32 = 4096;
/// Bytes of values that are read; larger sets do better as image folders, which need not fit into memory.
const LARGEST_BODY: u64 = 2 << 30;

/// The images of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct IdxImages {
    /// How many.
    pub count: usize,
    /// Colour channels: 1 or 3.
    pub channels: usize,
    /// Height and width in pixels.
    pub size: usize,
    /// Their pixels, `[image, channel, row, column]`.
    pub pixels: Vec<u8>,
}

/// Reads an IDX file of square 8-bit images. `path` is named in errors.
///
/// # Errors
/// [`DataError::Malformed`]: wrong magic number, not square, no images, more or fewer bytes than the header says, or more than
/// are read.
pub fn read_images(mut reader: impl Read, path: &Path) -> Result<IdxImages, DataError> {
    let [_, _, kind, sizes] = magic(&mut reader, path)?;
    if kind != BYTE || !(3..=4).contains(&sizes) {
        return Err(foreign(path, [0, 0, kind, sizes], "images", "2051, in colour 2052"));
    }
    let count = number(&mut reader, path)?;
    let mut sides = [number(&mut reader, path)?, number(&mut reader, path)?, 1];
    if sizes == 4 {
        sides[2] = number(&mut reader, path)?;
    }
    let (rows, columns, channels, last) = match sides {
        [rows, columns, channels @ (1 | 3)] => (rows, columns, channels, true),
        [channels @ (1 | 3), rows, columns] => (rows, columns, channels, false),
        _ => {
            let problem =
                format!("images of {}×{}×{} values; 1 or 3 colour channels are expected", sides[0], sides[1], sides[2]);
            return Err(DataError::malformed(path, problem));
        }
    };
    if rows != columns || rows == 0 || rows > LARGEST_SIDE {
        let problem = format!("images of {rows}×{columns} pixels; square ones of 1 to {LARGEST_SIDE} are expected");
        return Err(DataError::malformed(path, problem));
    }
    let image = u64::from(rows) * u64::from(columns) * u64::from(channels);
    let mut pixels = body(reader, path, count, "images", image)?;
    let (size, channels) = (rows as usize, channels as usize);
    if channels == 3 && last {
        planes(&mut pixels, size * size);
    }
    Ok(IdxImages { count: count as usize, channels, size, pixels })
}

/// Brings each image from colours side by side to one plane a colour.
fn planes(pixels: &mut [u8], plane: usize) {
    let mut image = vec![0; 3 * plane];
    for pixels in pixels.chunks_exact_mut(3 * plane) {
        image.copy_from_slice(pixels);
        for (channel, into) in pixels.chunks_exact_mut(plane).enumerate() {
            for (value, colours) in into.iter_mut().zip(image.chunks_exact(3)) {
                *value = colours[channel];
            }
        }
    }
}

/// Reads an IDX file of labels from 0 to `largest`. `path` is named in errors.
///
/// # Errors
/// [`DataError::Malformed`]: wrong magic number, no labels, more or fewer bytes than the header says, a label out of range.
pub fn read_labels(mut reader: impl Read, path: &Path, largest: u32) -> Result<Vec<u32>, DataError> {
    let [_, _, kind, sizes] = magic(&mut reader, path)?;
    let width = match (kind, sizes) {
        (BYTE, 1) => 1,
        (SHORT, 1) => 2,
        (INT, 1) => 4,
        _ => return Err(foreign(path, [0, 0, kind, sizes], "labels", "2049")),
    };
    let count = number(&mut reader, path)?;
    let bytes = body(reader, path, count, "labels", width)?;
    let label = |bytes: &[u8]| match *bytes {
        [byte] => i64::from(byte),
        [high, low] => i64::from(i16::from_be_bytes([high, low])),
        [a, b, c, d] => i64::from(i32::from_be_bytes([a, b, c, d])),
        _ => unreachable!("labels have one, two or four bytes"),
    };
    let labels = bytes.chunks_exact(width as usize).map(label).enumerate().map(|(place, label)| {
        u32::try_from(label).ok().filter(|label| *label <= largest).ok_or_else(|| {
            DataError::malformed(path, format!("label {label} at place {place}; 0 to {largest} are allowed"))
        })
    });
    labels.collect()
}

/// What an IDX file holds, told by its first bytes; none for another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdxKind {
    Images,
    Labels,
}

/// What `reader` holds.
pub(super) fn kind(mut reader: impl Read) -> Option<IdxKind> {
    let mut magic = [0; 4];
    reader.read_exact(&mut magic).ok()?;
    match magic {
        [0, 0, BYTE, 3 | 4] => Some(IdxKind::Images),
        [0, 0, BYTE | SHORT | INT, 1] => Some(IdxKind::Labels),
        _ => None,
    }
}

fn magic(reader: &mut impl Read, path: &Path) -> Result<[u8; 4], DataError> {
    let magic = number(reader, path)?.to_be_bytes();
    match magic {
        [0, 0, ..] => Ok(magic),
        _ => Err(foreign(path, magic, "images or labels", "2051, 2052 or 2049")),
    }
}

fn foreign(path: &Path, magic: [u8; 4], what: &str, expected: &str) -> DataError {
    let found = u32::from_be_bytes(magic);
    DataError::malformed(path, format!("magic number {found}; an IDX file of {what} begins with {expected}"))
}

fn number(reader: &mut impl Read, path: &Path) -> Result<u32, DataError> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes).map_err(|trouble| {
        DataError::malformed(path, format!("the file ends within its header ({})", cause(&trouble)))
    })?;
    Ok(u32::from_be_bytes(bytes))
}

/// Exactly `count` times `each` bytes to the end. What the header claims is held against the limit before room is made for it,
/// and no more than it claims is read.
fn body(mut reader: impl Read, path: &Path, count: u32, what: &str, each: u64) -> Result<Vec<u8>, DataError> {
    let malformed = |problem: String| Err(DataError::malformed(path, problem));
    if count == 0 {
        return malformed(format!("the header says 0 {what}; at least one is expected"));
    }
    // No product of a count and two sides within their limits overflows.
    let bytes = u64::from(count) * each;
    if bytes > LARGEST_BODY {
        return malformed(format!(
            "the header says {count} {what}, {bytes} bytes; at most {LARGEST_BODY} are read: lay a larger set out as an image \
             folder"
        ));
    }
    let mut body = reserve(bytes as usize)?;
    let read = reader.by_ref().take(bytes).read_to_end(&mut body);
    let found = body.len() as u64;
    if let Err(trouble) = read {
        let cause = cause(&trouble);
        return malformed(format!("cannot be read to its end ({cause}): {found} of {bytes} bytes for {count} {what}"));
    }
    if found < bytes {
        return malformed(format!("the header says {count} {what}, {bytes} bytes; there are only {found}"));
    }
    match reader.read(&mut [0]) {
        Ok(0) => Ok(body),
        Ok(_) => malformed(format!("the header says {count} {what}, {bytes} bytes; there are more")),
        Err(trouble) => malformed(format!("cannot be read to its end ({})", cause(&trouble))),
    }
}

fn cause(trouble: &std::io::Error) -> String {
    match trouble.kind() {
        std::io::ErrorKind::UnexpectedEof => "it is cut short".to_owned(),
        _ => trouble.to_string(),
    }
}
