//! Files as loaders may meet them.

use flate2::Compression;
use flate2::write::GzEncoder;
use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub fn place() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

pub fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

pub fn header(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// An IDX file of `count` images of `size`×`size`.
pub fn idx_images(count: u32, size: u32) -> Vec<u8> {
    let mut bytes = header(&[2051, count, size, size]);
    bytes.extend((0..count * size * size).map(|i| (i % 251) as u8));
    bytes
}

/// An IDX file of `count` labels 0, 1, …, 9, 0, ….
pub fn idx_labels(count: u32) -> Vec<u8> {
    let mut bytes = header(&[2049, count]);
    bytes.extend((0..count).map(|i| (i % 10) as u8));
    bytes
}

/// A small MNIST in `folder`: 12 training and 5 test images, training files packed.
pub fn small_mnist(folder: &Path) {
    put(&folder.join("train-images-idx3-ubyte.gz"), &gzip(&idx_images(12, 4)));
    put(&folder.join("train-labels-idx1-ubyte.gz"), &gzip(&idx_labels(12)));
    put(&folder.join("t10k-images-idx3-ubyte"), &idx_images(5, 4));
    put(&folder.join("t10k-labels-idx1-ubyte"), &idx_labels(5));
}

/// Asserts that `message` names all of `parts`.
#[track_caller]
pub fn names(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

/// A CIFAR-10 batch of `count` records.
pub fn cifar_batch(count: usize) -> Vec<u8> {
    (0..count).flat_map(|i| std::iter::once((i % 10) as u8).chain((0..3072).map(move |j| (i + j) as u8))).collect()
}

/// A picture whose left half is `left` and whose right half is `right`.
pub fn halves(width: u32, height: u32, left: [u8; 3], right: [u8; 3]) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| Rgb(if x < width / 2 { left } else { right }))
}

pub fn save(path: PathBuf, picture: impl Into<DynamicImage>, format: image::ImageFormat) {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    put(&path, &bytes.into_inner());
}

pub const RED: [u8; 3] = [200, 0, 0];
pub const BLUE: [u8; 3] = [0, 0, 200];

/// Two classes, pictures of all kinds, and what else lies around in such folders.
pub fn small_folder(folder: &Path) {
    use image::ImageFormat::{Jpeg, Png};
    save(folder.join("train/cat/1.jpg"), halves(40, 30, RED, BLUE), Jpeg);
    save(folder.join("train/cat/2.JPEG"), GrayImage::from_pixel(17, 33, Luma([90])), Jpeg);
    save(folder.join("train/ant/3.png"), halves(12, 8, BLUE, RED), Png);
    save(folder.join("train/ant/a png.JPEG"), halves(50, 50, RED, RED), Png);
    save(folder.join("train/ant/deep.png"), DynamicImage::new_luma_a16(9, 9), Png);
    put(&folder.join("train/ant/notes.txt"), b"not a picture and not named like one");
    put(&folder.join("train/ant/.hidden.jpg"), b"nor this");
    put(&folder.join("train/readme.txt"), b"beside the classes");
    save(folder.join("val/ant/1.Png"), halves(8, 8, BLUE, BLUE), Png);
    save(folder.join("val/cat/1.jpeg"), halves(8, 16, RED, RED), Jpeg);
}

/// The data directory with real sets; tests that need it say so when it is not there.
pub fn real() -> Option<PathBuf> {
    let data = std::env::var_os("ATTNLAB_DATA").map(PathBuf::from);
    if data.is_none() {
        eprintln!("skipped: set ATTNLAB_DATA to a directory with mnist/, fashion-mnist/, cifar-10/, image-folder/");
    }
    data
}
