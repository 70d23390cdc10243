//! Whether the bytes of a picture go to its end. Decoders of JPEG and WebP fill up with grey what a file that was cut lacks; of
//! the other kinds they say so themselves.

use image::ImageFormat;

/// Checks that `bytes`, a picture of kind `format`, are not cut short.
///
/// # Errors
/// What is missing.
pub(super) fn check_whole(format: ImageFormat, bytes: &[u8]) -> Result<(), String> {
    match format {
        ImageFormat::Jpeg if !jpeg_ends(bytes) => {
            Err(format!("is cut short: {} bytes of a JPEG without its end marker", bytes.len()))
        }
        ImageFormat::WebP => match riff_size(bytes).filter(|&size| size > bytes.len() as u64) {
            Some(size) => Err(format!("is cut short: {} of {size} bytes", bytes.len())),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Whether the marker that ends an image (EOI; ITU T.81, annex B) follows the segments and coded data of a JPEG. Markers inside of
/// segments, as of a thumbnail, are passed over with them.
fn jpeg_ends(bytes: &[u8]) -> bool {
    const START: u8 = 0xd8;
    const END: u8 = 0xd9;
    let mut at = 2;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|&byte| byte == 0xff)) {
        at += found + 1;
        match bytes.get(at) {
            Some(&END) => return true,
            // A data byte of 255, restart markers, and what else has no length.
            Some(&(0x00 | 0x01 | 0xd0..=0xd7 | START)) => at += 1,
            // A byte that fills up.
            Some(&0xff) => {}
            Some(_) => match bytes.get(at + 1..at + 3) {
                Some(&[high, low]) => at += 1 + usize::from(u16::from_be_bytes([high, low])).max(2),
                _ => return false,
            },
            None => return false,
        }
    }
    false
}

/// The size of the file that the container of a WebP claims.
fn riff_size(bytes: &[u8]) -> Option<u64> {
    Some(8 + u64::from(u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_thumbnail_is_not_the_end_of_the_picture() {
        let thumbnail =
            [0xff, 0xd8, 0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9, 0xff, 0xda, 0, 2, 7, 0xff, 0, 0xff, 0xd0];
        assert!(!jpeg_ends(&thumbnail));
        assert!(jpeg_ends(&[&thumbnail[..], &[9, 0xff, 0xff, 0xd9, 1, 2]].concat()));
        assert!(!jpeg_ends(&thumbnail[..5]) && !jpeg_ends(&[0xff, 0xd8, 0xff]) && !jpeg_ends(&[]));
    }
}
