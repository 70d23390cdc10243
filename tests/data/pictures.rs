//! Pictures of every kind, whole and cut, large and packed.

use crate::make::{BLUE, RED, gzip, halves, names, place, put, save};
use attnlab::vision::dataset::{DataSource, Dataset, Options, check, contents, load};
use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Pnm, Tiff, WebP};
use image::{DynamicImage, ImageFormat};
use std::fs;
use std::io::Cursor;
use std::path::Path;

const KINDS: [(ImageFormat, &str); 7] =
    [(Jpeg, "jpg"), (Png, "png"), (WebP, "webp"), (Bmp, "bmp"), (Gif, "gif"), (Tiff, "tif"), (Pnm, "ppm")];

/// A picture with much in it, so that its data are most of its file.
fn encoded(format: ImageFormat) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(48, 48, |x, y| {
        let noise = x.wrapping_mul(2_654_435_761).wrapping_add(y.wrapping_mul(40_503 * 977));
        image::Rgb([(noise >> 3) as u8, (noise >> 11) as u8, (noise >> 19) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A set of one class in `image-folder`, with one small picture of each part.
fn one_class(data: &Path) {
    save(data.join("image-folder/train/cat/0.png"), halves(8, 8, RED, BLUE), Png);
    save(data.join("image-folder/val/cat/0.png"), halves(8, 8, RED, BLUE), Png);
}

fn loaded(data: &Path) -> Dataset {
    load("folder", data, &Options { image_size: Some(8), ..Options::default() }).unwrap()
}

#[test]
fn a_picture_is_what_its_first_bytes_say_packed_or_not() {
    let data = place();
    one_class(data.path());
    let folder = data.path().join("image-folder/train/cat");
    for (format, suffix) in KINDS {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::from(halves(16, 16, RED, BLUE)).write_to(&mut bytes, format).unwrap();
        let bytes = bytes.into_inner();
        put(&folder.join(format!("plain.{suffix}")), &bytes);
        put(&folder.join(format!("packed.{suffix}.gz")), &gzip(&bytes));
        put(&folder.join(format!("packed too.{suffix}")), &gzip(&bytes));
        put(&folder.join(format!("{suffix} by another name.jpeg")), &bytes);
        put(&folder.join(format!("no suffix {suffix}")), &bytes);
    }
    let set = loaded(data.path());
    assert_eq!(
        (set.train.count(), set.skipped.len(), set.notes.len()),
        (1 + 5 * KINDS.len(), 0, 0),
        "{:?}",
        set.skipped
    );
    let mut scratch = Vec::new();
    for index in 0..set.train.count() {
        let pixels = set.train.image(index, &mut scratch).unwrap();
        let (red, blue) = (&pixels[..64], &pixels[128..]);
        assert!(red[0] > 180 && red[7] < 20 && blue[0] < 20 && blue[7] > 180, "{index}: {red:?} {blue:?}");
    }
}

#[test]
fn what_is_passed_over_is_counted_by_suffix() {
    let data = place();
    let folder = data.path().join("image-folder");
    save(folder.join("train/cat/1.jpg"), halves(16, 16, RED, BLUE), Jpeg);
    for number in 2..=10 {
        save(folder.join(format!("train/cat/{number}.webp")), halves(16, 16, RED, BLUE), WebP);
    }
    save(folder.join("val/cat/1.bmp"), halves(16, 16, RED, BLUE), Bmp);
    let set = loaded(data.path());
    assert_eq!((set.train.count(), set.test.count(), set.notes.as_slice()), (10, 1, [].as_slice()));

    put(&folder.join("train/cat/11.heic"), b"\0\0\0\x18ftypheic");
    put(&folder.join("train/cat/12.HEIC"), b"\0\0\0\x18ftypheic");
    put(&folder.join("val/cat/about"), b"BM of cats");
    put(&folder.join("val/cat/.hidden"), b"");
    save(folder.join("val/cat/more/1.png"), halves(16, 16, RED, BLUE), Png);
    save(folder.join("val/cover.png"), halves(16, 16, RED, BLUE), Png);
    let passed = contents(DataSource::Folder, data.path(), None).unwrap().passed_over;
    assert_eq!((passed.files["heic"], passed.files[""], passed.folders, passed.outside), (2, 1, 1, 1));
    let set = loaded(data.path());
    assert_eq!(set.train.count(), 10);
    names(
        &set.notes[0],
        &["3 files (2 .heic, 1 without a suffix)", "1 picture outside", "1 folder", "read are JPEG, PNG, WebP"],
    );
}

#[test]
fn a_picture_that_is_cut_is_unreadable_and_named() {
    let data = place();
    one_class(data.path());
    let folder = data.path().join("image-folder/train/cat");
    let mut cuts = Vec::new();
    for (format, suffix) in KINDS {
        let bytes = encoded(format);
        put(&folder.join(format!("whole.{suffix}")), &bytes);
        for percent in [30, 60, 95] {
            let name = format!("{percent}.{suffix}");
            put(&folder.join(&name), &bytes[..bytes.len() * percent / 100]);
            cuts.push(name);
        }
        let name = format!("packed.{suffix}.gz");
        let packed = gzip(&bytes);
        put(&folder.join(&name), &packed[..packed.len() / 2]);
        cuts.push(name);
    }
    let set = loaded(data.path());
    let mut named: Vec<_> =
        set.skipped.iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    named.sort();
    cuts.sort();
    assert_eq!(named, cuts, "{:?}", set.skipped);
    assert_eq!(set.train.count(), 1 + KINDS.len());
    let jpeg = set.skipped.iter().find(|(path, _)| path.ends_with("30.jpg")).unwrap();
    names(&jpeg.1, &["is cut short", "without its end marker"]);
    let checked = check(DataSource::Folder, data.path(), None, &mut |_| true).unwrap();
    assert_eq!(checked.skipped.len(), cuts.len());
}

/// A thumbnail inside of a picture has an end marker of its own.
#[test]
fn the_thumbnail_of_a_cut_picture_does_not_make_it_whole() {
    let data = place();
    one_class(data.path());
    let picture = encoded(Jpeg);
    let thumbnail = &picture[..400];
    let segment = [&[0xff, 0xe1], &(thumbnail.len() as u16 + 4).to_be_bytes()[..], thumbnail, &[0xff, 0xd9]].concat();
    let whole = [&picture[..2], &segment, &picture[2..]].concat();
    let path = data.path().join("image-folder/train/cat/1.jpg");
    put(&path, &whole);
    assert_eq!(loaded(data.path()).skipped, []);
    put(&path, &whole[..whole.len() - 300]);
    assert_eq!(loaded(data.path()).skipped.len(), 1);
}

#[test]
fn a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() {
    let data = place();
    one_class(data.path());
    let folder = data.path().join("image-folder/train/cat");
    for (name, width, height) in [("side.png", 40_000, 10), ("area.png", 30_000, 30_000)] {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        drop(encoder.write_header().unwrap());
        // Data begin, so that a decoder would go on.
        bytes.truncate(33);
        bytes.extend(b"\0\0\0\x04IDAT\x78\x9c\x63\x60\0\0\0\0");
        put(&folder.join(name), &bytes);
    }
    // A few bytes that unpack to more than a picture may have.
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), (512 << 20) + 1), &mut packer).unwrap();
    put(&folder.join("zeros.jpg.gz"), &packer.finish().unwrap());
    let mut skipped = loaded(data.path()).skipped;
    skipped.sort();
    names(
        &skipped[0].1,
        &["has 30000×30000 pixels, 900000000 bytes", "536870912 bytes are decoded", "make it smaller"],
    );
    names(&skipped[1].1, &["has 40000×10 pixels", "at most 32768 pixels a side"]);
    names(&skipped[2].1, &["more than 536870912 bytes"]);
}

/// Pictures that an earlier version decoded, cut ones among them, are not taken from its cache.
#[test]
fn a_cache_of_an_earlier_form_is_made_anew() {
    let data = place();
    one_class(data.path());
    let cache = data.path().join("cache");
    let options = Options { image_size: Some(8), cache: Some(cache.clone()), ..Options::default() };
    load("folder", data.path(), &options).unwrap();
    for entry in fs::read_dir(&cache).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        assert!(bytes.starts_with(b"attnlab images2\n"));
        bytes[14] = b'1';
        let pixels = bytes.len() - 192;
        bytes[pixels..].fill(7);
        fs::write(path, bytes).unwrap();
    }
    let set = load("folder", data.path(), &options).unwrap();
    let mut scratch = Vec::new();
    assert_eq!(set.train.image(0, &mut scratch).unwrap()[0], 200);
}
