//! The data set `idx`: any IDX files of images and labels.

use crate::make::{gzip, header, idx_images, idx_labels, names, place, put, real, small_mnist};
use attnlab::vision::dataset::{DataError, Dataset, Options, load};
use std::fs;
use std::path::Path;

fn from(data: &Path, folder: &str) -> Result<Dataset, DataError> {
    load("idx", data, &Options { folder: Some(folder.into()), ..Options::default() })
}

/// The one line that loading `folder` ends with.
fn trouble(data: &Path, folder: &str) -> String {
    let message = from(data, folder).expect_err("this cannot be loaded").to_string();
    assert!(!message.contains('\n'), "one line: {message}");
    message
}

fn labels(labels: &[u8]) -> Vec<u8> {
    [header(&[2049, labels.len() as u32]), labels.to_vec()].concat()
}

/// Colour images of 2×2 whose values are their place in `[image, channel, row, column]`, stored as `sizes` say.
fn colours(count: u32, channel_last: bool) -> Vec<u8> {
    let sizes = if channel_last { [2052, count, 2, 2, 3] } else { [2052, count, 3, 2, 2] };
    let mut bytes = header(&sizes);
    for image in 0..count {
        for at in 0..12 {
            let value = if channel_last { image * 12 + at % 3 * 4 + at / 3 } else { image * 12 + at };
            bytes.push(value as u8);
        }
    }
    bytes
}

#[test]
fn a_set_is_found_by_its_first_bytes_and_names_and_its_classes_are_counted() {
    let data = place();
    let folder = data.path().join("emnist");
    put(&folder.join("emnist-letters-train-images-idx3-ubyte.gz"), &gzip(&idx_images(6, 4)));
    put(&folder.join("emnist-letters-train-labels-idx1-ubyte.gz"), &gzip(&labels(&[1, 26, 3, 1, 3, 26])));
    put(&folder.join("emnist-letters-test-images-idx3-ubyte"), &idx_images(3, 4));
    put(&folder.join("emnist-letters-test-labels-idx1-ubyte"), &labels(&[26, 1, 3]));
    put(&folder.join("emnist-letters-train-mapping.txt"), b"1 65 97");
    let letters = from(data.path(), "emnist").unwrap();
    assert_eq!(letters.classes, ["1", "3", "26"]);
    assert_eq!(letters.train.labels(), [0, 2, 1, 0, 1, 2]);
    assert_eq!(letters.test.labels(), [2, 0, 1]);
    assert_eq!((letters.train.channels(), letters.train.size(), letters.test.count()), (1, 4, 3));

    // Beside another set, the beginning of the files' names says which.
    for (part, count) in [("train", 5), ("test", 2)] {
        put(&folder.join(format!("emnist-digits-{part}-images-idx3-ubyte")), &idx_images(count, 4));
        put(&folder.join(format!("emnist-digits-{part}-labels-idx1-ubyte")), &idx_labels(count));
    }
    names(
        &trouble(data.path(), "emnist"),
        &["several IDX files of images for training", "emnist-digits-train", "BEGINNING"],
    );
    assert_eq!(from(data.path(), "emnist/emnist-digits").unwrap().train.count(), 5);
    assert_eq!(from(data.path(), "emnist/emnist-letters").unwrap().classes.len(), 3);

    // The same file plain and packed is one.
    put(&folder.join("emnist-letters-train-images-idx3-ubyte"), &idx_images(6, 4));
    assert_eq!(from(data.path(), "emnist/emnist-letters").unwrap().train.count(), 6);
    let resized = Options { folder: Some("emnist/emnist-letters".into()), image_size: Some(8), ..Options::default() };
    assert_eq!(load("idx", data.path(), &resized).unwrap().train.size(), 8);
}

#[test]
fn colours_may_lie_side_by_side_or_in_planes_and_labels_may_be_wide() {
    let data = place();
    let folder = data.path().join("set");
    put(&folder.join("train-images"), &colours(3, true));
    put(&folder.join("test-images"), &colours(2, false));
    let wide = [vec![0, 0, 0x0C, 1], header(&[3, 700, 5, 700])].concat();
    put(&folder.join("train-labels"), &wide);
    put(&folder.join("test-labels"), &[vec![0, 0, 0x0B, 1], header(&[2]), vec![2, 188, 0, 5]].concat());
    let set = from(data.path(), "set").unwrap();
    assert_eq!((set.classes, set.train.channels()), (vec!["5".to_owned(), "700".to_owned()], 3));
    assert_eq!((set.train.labels(), set.test.labels()), ([1, 0, 1].as_slice(), [1, 0].as_slice()));
    let mut scratch = Vec::new();
    for images in [&set.train, &set.test] {
        let expected: Vec<u8> = (12..24).collect();
        assert_eq!(images.image(1, &mut scratch).unwrap(), expected);
    }
}

#[test]
fn what_is_missing_damaged_or_does_not_fit_is_named() {
    let data = place();
    names(&trouble(data.path(), "nowhere"), &["idx: no IDX files in", "nowhere", "`folder`"]);
    let folder = data.path().join("set");
    let fresh = || small_mnist(&folder);
    fresh();
    fs::remove_file(folder.join("t10k-labels-idx1-ubyte")).unwrap();
    names(&trouble(data.path(), "set"), &["set: no IDX file of labels for testing", "t10k"]);
    let negative = [vec![0, 0, 0x0B, 1], header(&[5]), vec![0, 0, 0, 1, 255, 255, 0, 0, 0, 0]].concat();
    let beyond = [vec![0, 0, 0x0C, 1], header(&[5, 0, 1, 2, 70_000, 3])].concat();
    for (name, bytes, parts) in [
        (
            "train-images-idx3-ubyte.gz",
            gzip(&idx_images(12, 4)[..100]),
            &["12 images, 192 bytes; there are only 84"][..],
        ),
        ("train-labels-idx1-ubyte.gz", gzip(&idx_labels(11)), &["11 labels", "holds 12 images"]),
        ("t10k-images-idx3-ubyte", idx_images(5, 6), &["images of 6×6×1, but those for training are 4×4×1"]),
        ("t10k-images-idx3-ubyte", header(&[2051, 5, 4, 3]), &["4×3", "square"]),
        ("t10k-labels-idx1-ubyte", labels(&[0, 1, 2, 3, 40]), &["label 40 does not occur in", "train-labels"]),
        ("t10k-labels-idx1-ubyte", negative, &["label -1 at place 2", "0 to 65535"]),
        ("t10k-labels-idx1-ubyte", beyond, &["label 70000 at place 3", "0 to 65535"]),
    ] {
        fresh();
        put(&folder.join(name), &bytes);
        let message = trouble(data.path(), "set");
        names(&message, &[name.trim_end_matches(".gz")]);
        names(&message, parts);
    }
}

#[test]
fn mnist_is_an_idx_set() {
    let Some(data) = real() else { return };
    let (mnist, idx) = (load("mnist", &data, &Options::default()).unwrap(), from(&data, "mnist").unwrap());
    assert_eq!((mnist.classes, mnist.train.labels()), (idx.classes, idx.train.labels()));
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for image in [0, 59_999] {
        assert_eq!(mnist.train.image(image, &mut a).unwrap(), idx.train.image(image, &mut b).unwrap());
    }
}

/// Every data set has a row in the document, in the order they are offered.
#[test]
fn the_document_lists_every_set() {
    let text = include_str!("../../docs/data.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name);
    let sets: Vec<_> = attnlab::vision::dataset::DataSource::ALL.iter().map(|source| source.name()).collect();
    assert_eq!(rows.take(sets.len()).collect::<Vec<_>>(), sets);
}
