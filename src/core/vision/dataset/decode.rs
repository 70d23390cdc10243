//! One picture: from a file of any size and kind to a square of RGB bytes.

use super::files::is_packed;
use super::kinds::{kind_of, kinds};
use super::room_budget::{RoomBudget, RoomLease};
use super::whole::check_whole;
use flate2::read::MultiGzDecoder;
use image::imageops::FilterType;
use image::{ColorType, DynamicImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Limits, Pixel};
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Height or width a picture may have.
const LARGEST_SIDE: u32 = 32_768;
/// Bytes that the pixels of a picture may take, as they are stored.
const LARGEST_PICTURE: u64 = 512 << 20;
/// Bytes that a picture's file may have, unpacked.
const LARGEST_FILE: u64 = 512 << 20;

/// Bytes of files that all threads together hold. A thread takes of this budget first and keeps it while it waits for the other.
static FILES: RoomBudget = RoomBudget::new(LARGEST_FILE);
/// Bytes that all threads together spend on decoding.
static DECODING: RoomBudget = RoomBudget::new(1 << 30);

/// The picture in `path`, whatever its suffix says, packed by gzip or not: the largest centred square, brought to `size`×`size`
/// (the same as resizing the short side and cropping the centre), grey turned into RGB, transparency dropped;
/// `[channel][row][column]`. Of an animation it is the first frame. The orientation that a camera noted is not applied, as is usual
/// with ImageNet.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn decode(path: &Path, size: usize) -> Result<Vec<u8>, String> {
    let (bytes, _lease) = contents(path)?;
    if bytes.is_empty() {
        return Err("is empty".to_owned());
    }
    // A decoder that panics on a damaged file must cost that file only, not the run.
    catch_unwind(AssertUnwindSafe(|| square(&bytes, size)))
        .unwrap_or_else(|_| Err("damaged: the decoder gave up".to_owned()))
}

/// The bytes of the file, unpacked, with the room they take.
fn contents(path: &Path) -> Result<(Vec<u8>, RoomLease<'static>), String> {
    let said = |trouble: io::Error| trouble.to_string();
    let mut file = File::open(path).map_err(said)?;
    let packed = is_packed(&mut file).map_err(said)?;
    let mut from_start = || file.rewind().and_then(|()| file.try_clone()).map(BufReader::new).map_err(said);
    let unpacking = |trouble: io::Error| format!("cannot be unpacked: {trouble}");
    let length = if packed {
        // Unpacked twice, so that room is taken once it is known how much.
        let mut unpacked = MultiGzDecoder::new(from_start()?).take(LARGEST_FILE + 1);
        io::copy(&mut unpacked, &mut io::sink()).map_err(unpacking)?
    } else {
        std::fs::metadata(path).map_err(said)?.len()
    };
    if length > LARGEST_FILE {
        return Err(format!("has more than {LARGEST_FILE} bytes, too many for a picture"));
    }
    let lease = FILES.take(length);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length as usize).map_err(|_| format!("no memory for its {length} bytes"))?;
    if packed {
        MultiGzDecoder::new(from_start()?).take(length).read_to_end(&mut bytes).map_err(unpacking)?;
    } else {
        from_start()?.take(length).read_to_end(&mut bytes).map_err(said)?;
    }
    Ok((bytes, lease))
}

fn square(bytes: &[u8], size: usize) -> Result<Vec<u8>, String> {
    let Some(kind) = kind_of(bytes) else { return Err(format!("is none of {}", kinds())) };
    check_whole(kind.format, bytes)?;
    // Messages of decoders may run over several lines.
    let said = |trouble: image::ImageError| trouble.to_string().replace('\n', " ");
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind.format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(LARGEST_PICTURE);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(said)?;
    let (width, height) = decoder.dimensions();
    let (side, stored) = (width.min(height), decoder.total_bytes());
    if side == 0 {
        return Err("has no pixels".to_owned());
    }
    if width.max(height) > LARGEST_SIDE || stored > LARGEST_PICTURE {
        return Err(format!(
            "has {width}×{height} pixels, {stored} bytes; at most {LARGEST_SIDE} pixels a side and {LARGEST_PICTURE} bytes are \
             decoded: make it smaller"
        ));
    }
    let _lease = DECODING.take(room(kind.format, decoder.color_type(), stored, u64::from(side), size as u64));
    let picture = DynamicImage::from_decoder(decoder).map_err(said)?;
    let place = ((width - side) / 2, (height - side) / 2);
    let square = match picture {
        DynamicImage::ImageLuma8(picture) => cut(picture, place, side).into(),
        DynamicImage::ImageRgb8(picture) => cut(picture, place, side).into(),
        picture if width == height => picture,
        picture => picture.crop_imm(place.0, place.1, side, side),
    };
    let square: DynamicImage = match square {
        DynamicImage::ImageLumaA8(_) | DynamicImage::ImageLuma16(_) | DynamicImage::ImageLumaA16(_) => {
            square.into_luma8().into()
        }
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_) => square,
        square => square.into_rgb8().into(),
    };
    let small = if side as usize == size {
        square
    } else {
        square.resize_exact(size as u32, size as u32, FilterType::Triangle)
    };
    Ok(planes(&small))
}

/// The square of `side` pixels at `place` of a picture of bytes, in the room of the picture itself.
fn cut<P: Pixel<Subpixel = u8>>(
    picture: ImageBuffer<P, Vec<u8>>,
    (left, top): (u32, u32),
    side: u32,
) -> ImageBuffer<P, Vec<u8>> {
    let channels = usize::from(P::CHANNEL_COUNT);
    let (line, row) = (picture.width() as usize * channels, side as usize * channels);
    let mut bytes = picture.into_raw();
    for y in 0..side as usize {
        let from = (y + top as usize) * line + left as usize * channels;
        bytes.copy_within(from..from + row, y * row);
    }
    bytes.truncate(side as usize * row);
    // So many bytes make such a picture.
    ImageBuffer::from_raw(side, side, bytes).unwrap_or_else(|| ImageBuffer::new(side, side))
}

/// Bytes that decoding takes, about: the picture as its decoder holds it, its square in eight bits, and what resizing needs, a row
/// of four numbers for each pixel of the new height.
fn room(format: ImageFormat, color: ColorType, stored: u64, side: u64, size: u64) -> u64 {
    let held = match format {
        // Coefficients of two bytes beside the pixels.
        ImageFormat::Jpeg => 3 * stored,
        ImageFormat::Png | ImageFormat::Pnm | ImageFormat::Bmp => stored,
        _ => 2 * stored,
    };
    let changed = if matches!(color, ColorType::L8 | ColorType::Rgb8) { 0 } else { stored + 3 * side * side };
    held + changed + 16 * side * size + 6 * size * size
}

/// The pixels of a picture in grey or RGB as three planes; grey is the same in all of them.
fn planes(picture: &DynamicImage) -> Vec<u8> {
    let (interleaved, channels) = (picture.as_bytes(), usize::from(picture.color().channel_count()));
    let mut planes = Vec::with_capacity(3 * interleaved.len() / channels);
    for channel in 0..3 {
        planes.extend(interleaved.iter().skip(channel.min(channels - 1)).step_by(channels));
    }
    planes
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Luma, LumaA, Rgb, Rgba};

    /// What the planes of a picture are by definition: turned into RGB of eight bits whole, cut, then resized.
    fn by_definition(picture: &DynamicImage, size: u32) -> Vec<u8> {
        let (width, height) = (picture.width(), picture.height());
        let side = width.min(height);
        let mut picture = DynamicImage::from(picture.to_rgb8());
        picture = picture.crop_imm((width - side) / 2, (height - side) / 2, side, side);
        if side != size {
            picture = picture.resize_exact(size, size, FilterType::Triangle);
        }
        let interleaved = picture.into_rgb8().into_raw();
        (0..3).flat_map(|channel| interleaved.iter().skip(channel).step_by(3).copied().collect::<Vec<_>>()).collect()
    }

    #[test]
    fn every_kind_of_pixel_gives_what_the_whole_picture_in_rgb_gives() {
        let noise = |x: u32, y: u32, c: u32| {
            x.wrapping_mul(2_654_435_761).wrapping_add(y * 40_503 + c * 977).rotate_left(x % 13 + c)
        };
        let eight = |x, y, c| (noise(x, y, c) >> 9) as u8;
        let sixteen = |x, y, c| (noise(x, y, c) >> 7) as u16;
        for (width, height) in [(37, 23), (16, 16), (9, 40)] {
            let pictures: Vec<DynamicImage> = vec![
                ImageBuffer::from_fn(width, height, |x, y| Luma([eight(x, y, 0)])).into(),
                ImageBuffer::from_fn(width, height, |x, y| LumaA([eight(x, y, 0), eight(x, y, 1)])).into(),
                ImageBuffer::from_fn(width, height, |x, y| Rgb([eight(x, y, 0), eight(x, y, 1), eight(x, y, 2)]))
                    .into(),
                ImageBuffer::from_fn(width, height, |x, y| Rgba([0, 1, 2, 3].map(|c| eight(x, y, c)))).into(),
                ImageBuffer::from_fn(width, height, |x, y| Luma([sixteen(x, y, 0)])).into(),
                ImageBuffer::from_fn(width, height, |x, y| LumaA([sixteen(x, y, 0), sixteen(x, y, 1)])).into(),
                ImageBuffer::from_fn(width, height, |x, y| Rgb([0, 1, 2].map(|c| sixteen(x, y, c)))).into(),
                ImageBuffer::from_fn(width, height, |x, y| Rgba([0, 1, 2, 3].map(|c| sixteen(x, y, c)))).into(),
            ];
            for picture in pictures {
                let mut bytes = Cursor::new(Vec::new());
                picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
                for size in [8, 16, 24] {
                    let decoded = square(bytes.get_ref(), size).unwrap();
                    assert_eq!(decoded, by_definition(&picture, size as u32), "{:?} {width}×{height}", picture.color());
                }
            }
        }
    }
}
