//! The kinds of picture files that are read: what they are called, how they begin, how their names end.

use super::names::spoken;
use image::ImageFormat;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A kind of picture files.
pub(super) struct PictureKind {
    name: &'static str,
    pub format: ImageFormat,
    /// Suffixes that files of this kind usually have, in lower case.
    suffixes: &'static [&'static str],
}

const fn kind(name: &'static str, format: ImageFormat, suffixes: &'static [&'static str]) -> PictureKind {
    PictureKind { name, format, suffixes }
}

/// Every kind that is read. What a file is, its first bytes say; that it is meant as a picture, its suffix.
static KINDS: [PictureKind; 7] = [
    kind("JPEG", ImageFormat::Jpeg, &["jpg", "jpeg", "jpe", "jfif"]),
    kind("PNG", ImageFormat::Png, &["png"]),
    kind("WebP", ImageFormat::WebP, &["webp"]),
    kind("BMP", ImageFormat::Bmp, &["bmp", "dib"]),
    kind("GIF", ImageFormat::Gif, &["gif"]),
    kind("TIFF", ImageFormat::Tiff, &["tif", "tiff"]),
    kind("PNM", ImageFormat::Pnm, &["pnm", "pbm", "pgm", "ppm", "pam"]),
];

/// The kind of the picture that begins with `start`; none for anything else.
pub(super) fn kind_of(start: &[u8]) -> Option<&'static PictureKind> {
    let format = image::guess_format(start).ok()?;
    KINDS.iter().find(|kind| kind.format == format)
}

/// The names of all kinds, as they stand in messages.
pub(super) fn kinds() -> String {
    KINDS.each_ref().map(|kind| kind.name).join(", ")
}

/// How a file's name says what the file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NameEnding {
    /// As pictures of a kind that is read, packed by gzip or not.
    Picture,
    /// With this suffix, in lower case.
    Other(String),
    /// It has no suffix.
    None,
}

/// What the name of `path` says that the file is.
pub(super) fn ending(path: &Path) -> NameEnding {
    let suffix = |path: &Path| path.extension().map(|suffix| spoken(suffix).to_lowercase());
    let Some(last) = suffix(path) else { return NameEnding::None };
    let inner = if last == "gz" { suffix(&path.with_extension("")) } else { None };
    let meant = inner.as_deref().unwrap_or(&last);
    if KINDS.iter().any(|kind| kind.suffixes.contains(&meant)) { NameEnding::Picture } else { NameEnding::Other(last) }
}

/// Whether the file at `path`, whose name says nothing, begins as a picture does. A text may begin with the two letters of
/// BMP and PNM; they count only where the bytes behind them fit as well.
pub(super) fn begins_as_picture(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut start));
    read.is_ok()
        && kind_of(&start).is_some_and(|kind| match kind.format {
            ImageFormat::Bmp => start.get(6..10) == Some(&[0; 4]),
            ImageFormat::Pnm => start.get(2).is_some_and(u8::is_ascii_whitespace),
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_count_in_any_case_and_packed() {
        for name in ["a.JPEG", "a.jpg.gz", "a.b.WebP", "a.tif", "x/a.PGM.GZ"] {
            assert_eq!(ending(Path::new(name)), NameEnding::Picture, "{name}");
        }
        assert_eq!(ending(Path::new("a.tar.gz")), NameEnding::Other("gz".to_owned()));
        assert_eq!(ending(Path::new("a.HEIC")), NameEnding::Other("heic".to_owned()));
        assert_eq!(ending(Path::new("0a1b2c")), NameEnding::None);
    }
}
