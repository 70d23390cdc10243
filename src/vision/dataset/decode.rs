//! One picture: from a file of any size and kind to a square of RGB bytes.

use image::imageops::FilterType;
use image::{ImageReader, Limits};
use std::fs;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Height or width a picture may have.
const LARGEST: u32 = 32_768;

/// The picture in `path`, whatever its suffix says: the largest centred square, brought to `size`×`size` (the same as
/// resizing the short side and cropping the centre), grey turned into RGB, transparency dropped; `[channel][row][column]`.
/// The orientation that a camera noted is not applied, as is usual with ImageNet.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn decode(path: &Path, size: usize) -> Result<Vec<u8>, String> {
    let bytes = fs::read(path).map_err(|trouble| trouble.to_string())?;
    decode_bytes(&bytes, size)
}

/// As [`decode`], from the file's bytes.
pub(super) fn decode_bytes(bytes: &[u8], size: usize) -> Result<Vec<u8>, String> {
    if bytes.is_empty() {
        return Err("is empty".to_owned());
    }
    // A decoder that panics on a damaged file must cost that file only, not the run.
    catch_unwind(AssertUnwindSafe(|| square(bytes, size)))
        .unwrap_or_else(|_| Err("damaged: the decoder gave up".to_owned()))
}

fn square(bytes: &[u8], size: usize) -> Result<Vec<u8>, String> {
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|trouble| trouble.to_string())?;
    if reader.format().is_none() {
        return Err("is neither JPEG nor PNG".to_owned());
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST);
    limits.max_image_height = Some(LARGEST);
    reader.limits(limits);
    // Messages of decoders may run over several lines.
    let picture = reader.decode().map_err(|trouble| trouble.to_string().replace('\n', " "))?;
    let (width, height) = (picture.width(), picture.height());
    let side = width.min(height);
    if side == 0 {
        return Err("has no pixels".to_owned());
    }
    let mut picture = image::DynamicImage::from(picture.into_rgb8());
    if width != height {
        picture = picture.crop_imm((width - side) / 2, (height - side) / 2, side, side);
    }
    if side as usize != size {
        picture = picture.resize_exact(size as u32, size as u32, FilterType::Triangle);
    }
    let interleaved = picture.into_rgb8().into_raw();
    let mut planes = Vec::with_capacity(interleaved.len());
    for channel in 0..3 {
        planes.extend(interleaved.iter().skip(channel).step_by(3));
    }
    Ok(planes)
}
