//! Data sets: what each loader makes of good files, of damaged ones and of real ones.

mod command;
mod fetch;
#[path = "../support/http.rs"]
mod http;
mod idx_pairs;
mod layouts;
mod make;
mod pictures;
mod trust;

use attnlab::vision::dataset::{
    Augment, Augmentation, DataError, DataSource, Loading, Normalisation, Only, Options, Patcher, Split, check, cifar,
    idx, load, load_watched,
};
use make::{
    BLUE, RED, cifar_batch, gzip, halves, header, idx_images, idx_labels, names, place, put, real, save, small_folder,
    small_mnist,
};
use proptest::prelude::*;
use std::fs;
use std::io::Read;
use std::path::Path;
use tempfile::TempDir;

/// A few bytes that unpack to gigabytes: no more is unpacked than the header says, and no more than the limit.
#[test]
fn a_small_file_that_unpacks_to_gigabytes_is_refused() {
    struct Endless(u64);
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += buffer.len() as u64;
            buffer.fill(0);
            Ok(buffer.len())
        }
    }
    let file = Path::new("file");
    let mut endless = Endless(0);
    let begun = header(&[2051, 100, 28, 28]);
    let error = idx::read_images(begun.as_slice().chain(&mut endless), file).unwrap_err().to_string();
    names(&error, &["100 images, 78400 bytes; there are more"]);
    assert!(endless.0 < 200_000, "{} bytes were read", endless.0);

    let mut endless = Endless(0);
    let begun = header(&[2051, 4_000_000, 28, 28]);
    let error = idx::read_images(begun.as_slice().chain(&mut endless), file).unwrap_err().to_string();
    names(&error, &["4000000 images", "at most 2147483648 are read", "image folder"]);
    assert_eq!(endless.0, 0);

    let mut endless = Endless(0);
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    let error = cifar::read_batch(&mut endless, file, &mut pixels, &mut labels).unwrap_err().to_string();
    names(&error, &["more than 100000 records"]);
    assert_eq!(endless.0, 100_001 * 3073);
}

/// The one line that loading `name` ends with.
fn trouble(name: &str, data: &Path) -> String {
    let message = load(name, data, &Options::default()).expect_err("this cannot be loaded").to_string();
    assert!(!message.contains('\n'), "one line: {message}");
    message
}

#[test]
fn idx_files_are_read_packed_and_plain_wherever_they_are_usual() {
    for folder in ["mnist", "MNIST/raw"] {
        let data = place();
        small_mnist(&data.path().join(folder));
        let mnist = load("mnist", data.path(), &Options::default()).unwrap();
        assert_eq!((mnist.train.count(), mnist.test.count(), mnist.train.size()), (12, 5, 4));
        assert_eq!(mnist.train.labels()[8..], [8, 9, 0, 1]);
        let mut scratch = Vec::new();
        assert_eq!(mnist.train.image(1, &mut scratch).unwrap()[..3], [16, 17, 18]);
        assert_eq!(mnist.classes.len(), 10);
    }
    let data = place();
    small_mnist(&data.path().join("fashion-mnist"));
    let file = |name: &str| data.path().join("fashion-mnist").join(name);
    fs::rename(file("t10k-images-idx3-ubyte"), file("t10k-images.idx3-ubyte")).unwrap();
    let fashion = load("fashion-mnist", data.path(), &Options::default()).unwrap();
    assert_eq!((fashion.test.count(), fashion.classes[9].as_str()), (5, "Ankle boot"));
}

#[test]
fn missing_files_say_where_and_what_was_looked_for_and_what_to_do() {
    let data = place();
    let message = trouble("mnist", data.path());
    let searched = data.path().join("mnist").display().to_string();
    names(&message, &["mnist: no `train-images-idx3-ubyte`", ".gz`", &searched, "ATTNLAB_DATA"]);
    small_mnist(&data.path().join("mnist"));
    fs::remove_file(data.path().join("mnist/t10k-labels-idx1-ubyte")).unwrap();
    names(&trouble("mnist", data.path()), &["no `t10k-labels-idx1-ubyte`", &searched]);
    names(&trouble("cifar-10", data.path()), &["data_batch_1.bin", "cifar-10-batches-bin"]);
    names(&trouble("imagenet", data.path()), &["train/CLASS", "imagenet"]);
    names(&trouble("mnits", data.path()), &["`mnits`", "digits, mnist, fashion-mnist, cifar-10, cifar-100, imagenet"]);
}

#[test]
fn damaged_idx_files_are_named_with_what_is_wrong() {
    let cut = |bytes: Vec<u8>, by: usize| bytes[..bytes.len() - by].to_vec();
    let mut high = idx_labels(12);
    high[8 + 7] = 11;
    let mut flipped = gzip(&idx_images(12, 4));
    let middle = flipped.len() - 6;
    flipped[middle] ^= 0xff;
    const IMAGES: &str = "train-images-idx3-ubyte.gz";
    const LABELS: &str = "train-labels-idx1-ubyte.gz";
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        (IMAGES, cut(idx_images(12, 4), 5), &["12 images, 192 bytes; there are only 187"]),
        (IMAGES, [idx_images(12, 4), vec![0]].concat(), &["192 bytes; there are more"]),
        (IMAGES, idx_labels(12), &["magic number 2049", "2051"]),
        (IMAGES, idx_images(12, 4)[..9].to_vec(), &["within its header"]),
        (IMAGES, Vec::new(), &["within its header"]),
        (IMAGES, header(&[2051, 0, 4, 4]), &["0 images"]),
        (IMAGES, header(&[2051, 3, 4, 5]), &["4×5", "square"]),
        (IMAGES, header(&[2051, u32::MAX, 4096, 4096]), &["4294967295 images", "at most 2147483648 are read"]),
        (IMAGES, header(&[2051, 1000, 28, 28]), &["784000 bytes; there are only 0"]),
        (IMAGES, header(&[2052, 1, 28, 28, 4]), &["28×28×4", "1 or 3 colour channels"]),
        (IMAGES, cut(gzip(&idx_images(12, 4)), 10), &["cut short"]),
        (IMAGES, flipped, &["cannot be read to its end"]),
        (LABELS, gzip(&idx_labels(11)), &["11 labels", IMAGES, "12 images"]),
        (LABELS, high, &["label 11 at place 7", "0 to 9"]),
        (LABELS, idx_images(12, 4), &["magic number 2051", "2049"]),
    ];
    for (name, bytes, parts) in cases {
        let data = place();
        let folder = data.path().join("mnist");
        small_mnist(&folder);
        put(&folder.join(name), &bytes);
        let message = trouble("mnist", data.path());
        names(&message, &[&folder.join(name).display().to_string()]);
        names(&message, parts);
    }
    let data = place();
    small_mnist(&data.path().join("mnist"));
    // A folder of that name counts only where no file is.
    fs::create_dir(data.path().join("mnist/train-images-idx3-ubyte")).unwrap();
    assert_eq!(load("mnist", data.path(), &Options::default()).unwrap().train.count(), 12);
    let file = data.path().join("mnist").join(IMAGES);
    fs::rename(&file, data.path().join("mnist/train-images.idx3-ubyte")).unwrap();
    assert_eq!(load("mnist", data.path(), &Options::default()).unwrap().train.count(), 12);
    fs::remove_file(data.path().join("mnist/train-images.idx3-ubyte")).unwrap();
    names(&trouble("mnist", data.path()), &["train-images-idx3-ubyte: is a folder"]);
}

#[test]
fn cifar_takes_the_batches_that_are_there() {
    let data = place();
    let folder = data.path().join("cifar-10-batches-bin");
    put(&folder.join("data_batch_2.bin"), &cifar_batch(20));
    put(&folder.join("data_batch_5.bin"), &cifar_batch(10));
    put(&folder.join("test_batch.bin"), &cifar_batch(10));
    let cifar = load("cifar-10", data.path(), &Options::default()).unwrap();
    assert_eq!((cifar.train.count(), cifar.train.channels(), cifar.train.size()), (30, 3, 32));
    assert_eq!((cifar.train.labels()[21], cifar.classes[6].as_str()), (1, "frog"));
    let only = Options { only: Some(Only { train: 7, test: 3, seed: 1 }), image_size: Some(16), ..Options::default() };
    let part = load("cifar-10", data.path(), &only).unwrap();
    assert_eq!((part.train.count(), part.test.count(), part.train.size()), (7, 3, 16));

    put(&folder.join("data_batch_5.bin"), &cifar_batch(10)[..5000]);
    names(&trouble("cifar-10", data.path()), &["data_batch_5.bin", "1 records of 3073 and 1927 bytes over"]);
    put(&folder.join("data_batch_5.bin"), b"");
    names(&trouble("cifar-10", data.path()), &["data_batch_5.bin", "is empty"]);
    let mut high = cifar_batch(10);
    high[3 * 3073] = 10;
    put(&folder.join("data_batch_5.bin"), &high);
    names(&trouble("cifar-10", data.path()), &["data_batch_5.bin", "label 10 in record 3", "0 to 9"]);
    fs::remove_file(folder.join("test_batch.bin")).unwrap();
    put(&folder.join("data_batch_5.bin"), &cifar_batch(10));
    names(&trouble("cifar-10", data.path()), &["test_batch.bin"]);
}

#[test]
fn image_folders_take_every_kind_and_size_of_picture() {
    let data = place();
    small_folder(&data.path().join("image-folder"));
    put(&data.path().join("image-folder/classes.txt"), b"cat\tHouse cat\n");
    let options = Options { image_size: Some(8), ..Options::default() };
    let folder = load("folder", data.path(), &options).unwrap();
    assert_eq!(folder.classes, ["ant", "House cat"]);
    assert_eq!((folder.train.labels(), folder.test.labels()), ([0, 0, 0, 1, 1].as_slice(), [0, 1].as_slice()));
    assert_eq!((folder.train.channels(), folder.train.size(), folder.skipped.len()), (3, 8, 0));
    let mut scratch = Vec::new();
    // ant: `3.png` is 12×8, its centre 8×8 shows 4 blue and 4 red columns.
    let pixels = folder.train.image(0, &mut scratch).unwrap();
    assert_eq!(pixels[..8], [0, 0, 0, 0, 200, 200, 200, 200], "red");
    assert_eq!(pixels[128..136], [200, 200, 200, 200, 0, 0, 0, 0], "blue");
    // cat: `2.JPEG` is grey.
    let grey = folder.train.image(4, &mut scratch).unwrap();
    assert!(grey.iter().all(|value| value.abs_diff(90) <= 2), "{grey:?}");
}

#[test]
fn unreadable_pictures_are_counted_and_named_and_cost_nothing_else() {
    let data = place();
    let folder = data.path().join("set");
    small_folder(&folder);
    put(&folder.join("train/cat/3.JPEG"), b"this is a text file");
    put(&folder.join("train/cat/4.jpg"), b"");
    let whole = fs::read(folder.join("train/cat/1.jpg")).unwrap();
    put(&folder.join("train/cat/5.jpg"), &whole[..60]);
    fs::create_dir(folder.join("train/cat/6.jpg")).unwrap();
    let options = Options { folder: Some("set".into()), ..Options::default() };
    let loaded = load("folder", data.path(), &options).unwrap();
    assert_eq!((loaded.train.count(), loaded.train.size()), (5, 64));
    let mut skipped: Vec<_> = loaded.skipped.iter().map(|(path, why)| format!("{}: {why}", path.display())).collect();
    skipped.sort();
    assert_eq!(skipped.len(), 4, "{skipped:?}");
    names(&skipped[0], &["3.JPEG", "is none of JPEG, PNG, WebP"]);
    names(&skipped[1], &["4.jpg", "empty"]);
    names(&skipped[2], &["5.jpg"]);
    names(&skipped[3], &["6.jpg", "is a folder"]);
    assert!(skipped.iter().all(|line| !line.contains('\n')));
}

#[test]
fn malformed_image_folders_are_one_clear_line() {
    let data = place();
    let folder = data.path().join("image-folder");
    small_folder(&folder);
    fs::create_dir(folder.join("train/bee")).unwrap();
    names(&trouble("folder", data.path()), &["train/bee", "no pictures", ".png"]);
    put(&folder.join("train/bee/1.jpg"), b"text");
    names(&trouble("folder", data.path()), &["val/bee"]);
    put(&folder.join("val/bee/1.jpg"), b"text");
    names(&trouble("folder", data.path()), &["train/bee", "none of its pictures can be read"]);
    fs::remove_dir_all(folder.join("train/bee")).unwrap();
    names(&trouble("folder", data.path()), &["val/bee", "`train` has no class `bee`"]);
    fs::remove_dir_all(folder.join("val")).unwrap();
    names(&trouble("folder", data.path()), &["no folder of pictures to test on beside `train`", "valid", "`folder`"]);
    put(&folder.join("val"), b"");
    names(&trouble("folder", data.path()), &["val", "is a file"]);
    fs::remove_dir_all(folder.join("train")).unwrap();
    fs::create_dir(folder.join("train")).unwrap();
    names(&trouble("folder", data.path()), &["train", "holds no folder"]);
    let wrong = Options { image_size: Some(0), ..Options::default() };
    names(&load("folder", data.path(), &wrong).unwrap_err().to_string(), &["image size 0", "1 to 4096"]);
}

/// Pictures decoded while loading.
fn decoded(data: &Path, options: &Options) -> usize {
    let mut decoded = 0;
    let mut watch = |loading: &Loading| {
        decoded += if loading.done == loading.total { loading.total } else { 0 };
        true
    };
    load_watched("folder", data, options, &mut watch).unwrap();
    decoded
}

#[test]
fn decoded_pictures_are_kept_until_a_file_changes() {
    let data = place();
    let folder = data.path().join("image-folder");
    small_folder(&folder);
    let cache = data.path().join("cache");
    let options = Options { image_size: Some(8), cache: Some(cache.clone()), ..Options::default() };
    let only = Options { only: Some(Only { train: 2, test: 1, seed: 3 }), ..options.clone() };
    assert_eq!(decoded(data.path(), &only), 3, "a part decodes itself alone");
    assert_eq!(decoded(data.path(), &options), 4, "the rest");
    assert_eq!(decoded(data.path(), &options), 0, "all are kept");
    let plain = load("folder", data.path(), &Options { cache: None, ..options.clone() }).unwrap();
    let kept = load("folder", data.path(), &options).unwrap();
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for index in 0..5 {
        assert_eq!(plain.train.image(index, &mut a).unwrap(), kept.train.image(index, &mut b).unwrap());
    }
    assert_eq!(decoded(data.path(), &Options { image_size: Some(4), ..options.clone() }), 7, "another size");
    save(folder.join("train/cat/1.jpg"), halves(40, 31, RED, BLUE), image::ImageFormat::Jpeg);
    assert_eq!(decoded(data.path(), &options), 5, "a file of `train` changed");
    let files = || fs::read_dir(&cache).unwrap().count();
    assert_eq!(files(), 4, "two parts, two sizes; outdated ones are gone");

    // A damaged cache is made anew; one that cannot be written costs a warning only.
    for entry in fs::read_dir(&cache).unwrap() {
        fs::write(entry.unwrap().path(), b"damaged").unwrap();
    }
    assert_eq!(decoded(data.path(), &options), 7);
    fs::remove_dir_all(&cache).unwrap();
    fs::write(&cache, b"a file").unwrap();
    assert_eq!(decoded(data.path(), &options), 7);
}

#[test]
fn loading_stops_when_asked_and_keeps_what_was_decoded() {
    let data = place();
    small_folder(&data.path().join("image-folder"));
    let options = Options { cache: Some(data.path().join("cache")), ..Options::default() };
    let stopped = load_watched("folder", data.path(), &options, &mut |loading| loading.stage == "train");
    assert!(matches!(stopped, Err(DataError::Stopped)));
    assert_eq!(decoded(data.path(), &options), 2, "only `val` is left");
}

#[test]
fn batches_are_functions_of_the_seed_on_any_number_of_threads() {
    let digits = load("digits", Path::new(""), &Options::default()).unwrap();
    let split = Split::new(digits.train.count(), 137, 0, 7);
    assert_eq!((split.train.len(), split.validation.len()), (1300, 137));
    let augment = Augment::new(Augmentation::ShiftFlip, 8);
    let batch = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let normalisation = Normalisation::of(&digits.train, &split.train).unwrap();
            let mut out = vec![0.0; 64 * 64];
            let patcher = Patcher::new(4, &normalisation);
            patcher.write_augmented(&digits.train, &split.epoch(7, 2)[..64], &augment, (7, 2), &mut out).unwrap();
            out
        })
    };
    assert_eq!(batch(1), batch(3));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_a_parser(bytes in proptest::collection::vec(any::<u8>(), 0..400), kind in 0..4_u8) {
        let file = Path::new("file");
        let begun: Vec<u8> = match kind {
            0 => bytes,
            1 => [header(&[2051]), bytes].concat(),
            2 => [header(&[2049]), bytes].concat(),
            _ => [header(&[2051, 1, 4, 4]), bytes].concat(),
        };
        let _ = idx::read_images(begun.as_slice(), file);
        let _ = idx::read_labels(begun.as_slice(), file, 9);
        let _ = cifar::read_batch(begun.as_slice(), file, &mut Vec::new(), &mut Vec::new());
        let packed = gzip(&begun);
        let _ = idx::read_images(flate2::read::MultiGzDecoder::new(&packed[..packed.len() - packed.len() / 3]), file);
    }

    #[test]
    fn a_whole_idx_file_is_read_and_no_part_of_it(count in 1..9_u32, size in 1..7_u32, cut in 1..400_usize) {
        let file = Path::new("file");
        let bytes = idx_images(count, size);
        let read = idx::read_images(bytes.as_slice(), file).unwrap();
        prop_assert_eq!((read.size, read.pixels.len()), (size as usize, (count * size * size) as usize));
        let rest = &bytes[..bytes.len().saturating_sub(cut)];
        prop_assert!(idx::read_images(rest, file).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damaged_pictures_never_panic(place in 0..2000_usize, value in any::<u8>(), keep in 1..2000_usize, png in any::<bool>()) {
        let folder = place_of_damage(place, value, keep, png);
        let loaded = load("folder", folder.path(), &Options { image_size: Some(8), ..Options::default() });
        prop_assert!(loaded.is_ok());
    }
}

/// An image folder of which one picture has a byte changed and its end cut off.
fn place_of_damage(place: usize, value: u8, keep: usize, png: bool) -> TempDir {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("image-folder");
    small_folder(&folder);
    let path = folder.join(if png { "train/ant/3.png" } else { "train/cat/1.jpg" });
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(keep);
    let place = place % bytes.len();
    bytes[place] = value;
    fs::write(&path, bytes).unwrap();
    data
}

#[test]
fn the_real_sets_have_the_labels_that_are_known_of_them() {
    let Some(data) = real() else { return };
    let mnist = load("mnist", &data, &Options::default()).unwrap();
    assert_eq!(mnist.train.class_counts(10), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(mnist.test.class_counts(10), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    assert_eq!(mnist.train.labels()[..4], [5, 0, 4, 1]);
    let all: Vec<usize> = (0..mnist.train.count()).collect();
    let normalisation = Normalisation::of(&mnist.train, &all).unwrap();
    assert!((normalisation.mean[0] - 0.1307).abs() < 5e-5, "{normalisation:?}");
    assert!((normalisation.deviation[0] - 0.3081).abs() < 5e-5, "{normalisation:?}");

    let checked = check(DataSource::Mnist, &data, None, &mut |_| true).unwrap();
    assert_eq!((checked.published.len(), checked.others.len()), (4, 0));
    let fashion = load("fashion-mnist", &data, &Options::default()).unwrap();
    assert_eq!((fashion.train.class_counts(10), fashion.test.class_counts(10)), (vec![6000; 10], vec![1000; 10]));

    let cifar = load("cifar-10", &data, &Options::default()).unwrap();
    assert_eq!(cifar.test.class_counts(10), [1000; 10]);
    assert_eq!(cifar.train.labels()[0], 6);
    assert_eq!(cifar.test.labels()[0], 3);
    if cifar.train.count() == 10_000 {
        assert_eq!(cifar.train.class_counts(10), [1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981]);
    }

    let options = Options { image_size: Some(32), ..Options::default() };
    let folder = load("folder", &data, &options).unwrap();
    assert_eq!((folder.train.class_counts(10), folder.test.class_counts(10)), (vec![100; 10], vec![41; 10]));
    assert_eq!(folder.skipped, []);
}

/// `ATTNLAB_DATA=… cargo test --release --test data decoding -- --ignored --nocapture`
#[test]
#[ignore = "a measurement: decoding of 224×224 JPEGs"]
fn decoding_keeps_up() {
    let Some(data) = real() else { return };
    for size in [64, 224] {
        let options = Options { image_size: Some(size), ..Options::default() };
        let since = std::time::Instant::now();
        let folder = load("folder", &data, &options).unwrap();
        let count = folder.train.count() + folder.test.count();
        println!("{count} pictures to {size}×{size}: {:.0} a second", count as f64 / since.elapsed().as_secs_f64());
    }
}
