//! How sets of pictures are laid out where people got them from, and what is said where they are not.

use crate::make::{BLUE, RED, cifar_batch, halves, names, place, put, save};
use attnlab::vision::dataset::fetch;
use attnlab::vision::dataset::{DataError, DataSource, Dataset, Options, check, contents, load};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::ImageFormat::Png;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

fn picture(path: &Path) {
    save(path.to_owned(), halves(8, 8, RED, BLUE), Png);
}

fn from(name: &str, data: &Path, folder: Option<&str>) -> Result<Dataset, DataError> {
    let options = Options { image_size: Some(8), folder: folder.map(Into::into), ..Options::default() };
    load(name, data, &options)
}

/// The one line that loading ends with.
fn trouble(name: &str, data: &Path, folder: Option<&str>) -> String {
    let message = from(name, data, folder).expect_err("this cannot be loaded").to_string();
    assert!(!message.contains('\n'), "one line: {message}");
    message
}

#[test]
fn parts_may_be_called_as_is_usual_in_any_case() {
    for (train, test) in
        [("train", "valid"), ("Train", "Validation"), ("TRAIN", "TEST"), ("training", "Val"), ("train", "test")]
    {
        let data = place();
        for class in ["ant", "bee"] {
            picture(&data.path().join("image-folder").join(train).join(class).join("1.png"));
            picture(&data.path().join("image-folder").join(test).join(class).join("1.png"));
        }
        let set = from("folder", data.path(), None).unwrap();
        assert_eq!((set.train.count(), set.test.count(), set.notes.len()), (2, 2, 0), "{train} {test}");
    }
    // `val` before `test`, whose pictures are often without classes.
    let data = place();
    for path in ["train/ant/1.png", "val/ant/1.png", "val/ant/2.png", "test/1.png"] {
        picture(&data.path().join("image-folder").join(path));
    }
    let set = from("folder", data.path(), None).unwrap();
    assert_eq!(set.test.count(), 2);
    names(&set.notes[0], &["tests on the pictures of `val`", "those of test are not read"]);
}

#[test]
fn classes_may_be_nested_as_in_places365() {
    let data = place();
    let root = data.path().join("places365");
    for class in ["a/airfield", "a/arena/hockey", "b/barn"] {
        for picture_name in ["1.png", "2.png"] {
            picture(&root.join("data_256_standard").join(class).join(picture_name));
        }
    }
    for (number, class) in [(1, 2), (2, 0), (3, 1), (4, 3)] {
        picture(&root.join(format!("val_256/Places365_val_0000000{number}.png")));
        let line = format!("Places365_val_0000000{number}.jpg {class}\n");
        let list = root.join("places365_val.txt");
        let text = fs::read_to_string(&list).unwrap_or_default();
        fs::write(list, text + &line).unwrap();
    }
    names(&trouble("places365", data.path(), None), &["places365_val.txt", "categories_places365.txt"]);
    put(&root.join("categories_places365.txt"), b"/a/airfield 0\n/a/arena/hockey 1\n/b/barn 2\n/z/zen_garden 3\n");
    let set = from("places365", data.path(), None).unwrap();
    assert_eq!(set.classes, ["a/airfield", "a/arena/hockey", "b/barn"]);
    assert_eq!((set.train.labels(), set.test.labels()), ([0, 0, 1, 1, 2, 2].as_slice(), [0, 1, 2].as_slice()));
    names(&set.notes[0], &["1 pictures to test on are of classes that are not trained on"]);
    picture(&root.join("val_256/Places365_val_00000009.png"));
    let set = from("places365", data.path(), None).unwrap();
    names(&set.skipped[0].1, &["does not stand in", "places365_val.txt"]);
    put(&root.join("places365_val.txt"), b"Places365_val_00000001.jpg\n");
    names(&trouble("places365", data.path(), None), &["places365_val.txt: line 1", "`PICTURE NUMBER` is expected"]);

    // The version with folders of one level, and its list in the folder of lists.
    let data = place();
    let root = data.path().join("places365_standard");
    picture(&root.join("train/airfield/1.png"));
    picture(&root.join("train/arena-hockey/1.png"));
    picture(&root.join("val/Places365_val_00000001.png"));
    picture(&root.join("val/Places365_val_00000002.png"));
    put(
        &root.join("filelist_places365-standard/places365_val.txt"),
        b"Places365_val_00000001.jpg 1\nPlaces365_val_00000002.jpg 0\n",
    );
    put(&root.join("filelist_places365-standard/categories_places365.txt"), b"/a/airfield 0\n/a/arena/hockey 1\n");
    let set = from("places365", data.path(), None).unwrap();
    assert_eq!(
        (set.classes.as_slice(), set.test.labels()),
        (["airfield", "arena-hockey"].map(String::from).as_slice(), [0, 1].as_slice())
    );
    let mut scratch = Vec::new();
    assert_eq!(set.test.image(0, &mut scratch).unwrap()[0], 200);
}

/// An ImageNet of two classes with four flat pictures to test on, of classes b, a, b, c.
fn flat_imagenet(root: &Path) {
    picture(&root.join("train/n01440764/n01440764_1.png"));
    picture(&root.join("train/n02119789/n02119789_1.png"));
    for number in 1..=4 {
        picture(&root.join(format!("val/ILSVRC2012_val_0000000{number}.png")));
    }
}

#[test]
fn the_classes_of_imagenet_s_flat_pictures_come_from_its_lists() {
    let data = place();
    let root = data.path().join("imagenet");
    flat_imagenet(&root);
    names(
        &trouble("imagenet", data.path(), None),
        &["val: holds pictures", "LOC_val_solution.csv", "ILSVRC2012_validation_ground_truth.txt", "is expected"],
    );
    let tested = |data: &Path| {
        let set = from("imagenet", data, None).unwrap();
        names(&set.notes[0], &["1 pictures to test on are of classes that are not trained on"]);
        assert_eq!(set.test.labels(), [0, 1, 1]);
        assert_eq!(set.skipped, []);
    };
    let truth = root.join("ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt");
    put(&truth, b"1\n449\n1\n2\n");
    names(&trouble("imagenet", data.path(), None), &["gives classes as numbers", "meta.mat"]);
    for packed in [true, false] {
        put(
            &truth.with_file_name("meta.mat"),
            &meta(&[(1, "n02119789"), (2, "n02100735"), (449, "n01440764")], packed),
        );
        tested(data.path());
    }
    put(&truth.with_file_name("meta.mat"), &meta(&[(1, "n02119789")], true));
    names(&trouble("imagenet", data.path(), None), &["class 449 does not stand in", "meta.mat"]);
    put(&truth.with_file_name("meta.mat"), b"no MAT-file");
    names(&trouble("imagenet", data.path(), None), &["meta.mat: is no MAT-file of level 5"]);
    fs::remove_file(truth.with_file_name("meta.mat")).unwrap();
    put(&truth.with_file_name("map_clsloc.txt"), b"n02119789 1 kit_fox\nn02100735 2 setter\nn01440764 449 tench\n");
    tested(data.path());

    // As Kaggle packs it: the parts far below, the list at the top.
    let data = place();
    let root = data.path().join("imagenet");
    flat_imagenet(&root.join("ILSVRC/Data/CLS-LOC"));
    put(
        &root.join("LOC_val_solution.csv"),
        b"ImageId,PredictionString\nILSVRC2012_val_00000001,n02119789 1 2 3 4 n02119789 5 6 7 8\n\
          ILSVRC2012_val_00000002,n01440764 1 2 3 4\nILSVRC2012_val_00000003,n02119789 1 2 3 4\n\
          ILSVRC2012_val_00000004,n02100735 1 2 3 4\n",
    );
    tested(data.path());
}

/// `meta.mat` with these numbers and ids, its array packed or not.
fn meta(classes: &[(u16, &str)], packed: bool) -> Vec<u8> {
    let element = |kind: u32, data: &[u8]| {
        let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    };
    let array = |class: u8, sizes: [i32; 2], name: &[u8], rest: &[Vec<u8>]| {
        let flags = element(6, &[class, 0, 0, 0, 0, 0, 0, 0]);
        let sizes = element(5, &sizes.map(i32::to_le_bytes).concat());
        element(14, &[flags, sizes, element(1, name), rest.concat()].concat())
    };
    // A number in the place of its length.
    let small = |number: u16| [&[4, 0, 2, 0], &number.to_le_bytes()[..], &[0, 0]].concat();
    let mut rest = vec![[&[5, 0, 4, 0], &16_u32.to_le_bytes()[..]].concat()];
    let field = |name: &str| [name.as_bytes(), &vec![0; 16 - name.len()]].concat();
    rest.push(element(1, &[field("ILSVRC2012_ID"), field("WNID"), field("words")].concat()));
    for (number, id) in classes {
        rest.push(array(6, [1, 1], b"", &[small(*number)]));
        let codes: Vec<u8> = id.encode_utf16().flat_map(u16::to_le_bytes).collect();
        rest.push(array(4, [1, id.len() as i32], b"", &[element(4, &codes)]));
        rest.push(array(4, [0, 0], b"", &[element(4, b"")]));
    }
    let synsets = array(2, [classes.len() as i32, 1], b"synsets", &rest);
    let other = array(6, [1, 1], b"version", &[small(1)]);
    let pack = |bytes: Vec<u8>| {
        let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(&bytes).unwrap();
        let bytes = packer.finish().unwrap();
        [&15_u32.to_le_bytes()[..], &(bytes.len() as u32).to_le_bytes(), &bytes].concat()
    };
    let mut file = vec![b' '; 124];
    file.extend([0, 1, b'I', b'M']);
    for array in [other, synsets] {
        file.extend(if packed { pack(array) } else { array });
    }
    file
}

#[test]
fn tiny_imagenet_is_read_as_it_is_unpacked() {
    let data = place();
    let root = data.path().join("tiny-imagenet-200");
    for class in ["n01443537", "n01629819"] {
        picture(&root.join("train").join(class).join("images/1.png"));
        put(&root.join("train").join(class).join("boxes.txt"), b"1.png 0 0 8 8");
    }
    for name in ["val_0.png", "val_1.png"] {
        picture(&root.join("val/images").join(name));
    }
    put(
        &root.join("val/val_annotations.txt"),
        b"val_0.JPEG\tn01629819\t0\t32\t44\t62\nval_1.JPEG\tn01443537\t0\t1\t2\t3\n",
    );
    let set = from("folder", data.path(), Some("tiny-imagenet-200")).unwrap();
    assert_eq!(set.classes, ["n01443537", "n01629819"]);
    assert_eq!(set.test.labels(), [0, 1]);
}

#[test]
fn a_folder_without_parts_is_split_the_same_way_in_every_run() {
    let data = place();
    let root = data.path().join("image-folder");
    for (class, count) in [("cat", 10), ("dog", 5), ("train", 3)] {
        for number in 0..count {
            picture(&root.join(class).join(format!("{number}.png")));
        }
    }
    fs::create_dir(root.join("notes")).unwrap();
    let there = contents(DataSource::Folder, data.path(), None).unwrap();
    assert_eq!(
        (there.train, there.test, there.classes.as_slice()),
        (14, 4, ["cat", "dog", "train"].map(String::from).as_slice())
    );
    names(
        &there.notes[0],
        &["no folders `train` and `val`", "4 of the 18 pictures", "one in 5 of each class", "seed 0"],
    );
    assert_eq!(there.passed_over.folders, 1);
    let set = from("folder", data.path(), None).unwrap();
    assert_eq!((set.train.class_counts(3), set.test.class_counts(3)), (vec![8, 4, 2], vec![2, 1, 1]));
    // Which pictures: told from their first pixel.
    let marked = place();
    for number in 0..20_u8 {
        for class in ["a", "b"] {
            let path = marked.path().join("image-folder").join(class).join(format!("{number:02}.png"));
            save(path, halves(8, 8, [number; 3], [number; 3]), Png);
        }
    }
    let firsts = |seed: u64| {
        let only = attnlab::vision::dataset::Only { train: 0, test: 0, seed };
        let options = Options { image_size: Some(8), only: Some(only), ..Options::default() };
        let set = load("folder", marked.path(), &options).unwrap();
        let mut scratch = Vec::new();
        let first = |index| set.test.image(index, &mut scratch).unwrap()[0];
        (0..set.test.count()).map(first).collect::<Vec<u8>>()
    };
    let found = firsts(1);
    assert_eq!(found, firsts(2));
    assert_eq!(found.len(), 8);
    assert!(found[..4].is_sorted() && found[..4] != found[4..] && found[..4] != [0, 1, 2, 3], "{found:?}");
    fs::remove_file(root.join("dog/0.png")).unwrap();
    (1..4).for_each(|number| fs::remove_file(root.join(format!("dog/{number}.png"))).unwrap());
    names(&trouble("folder", data.path(), None), &["dog: one picture", "every class needs two"]);
}

#[test]
fn names_are_compared_composed_and_kept_as_they_are() {
    let data = place();
    let root = data.path().join("set #1 ~new");
    let latin = Path::new(OsStr::from_bytes(b"caf\xe9"));
    picture(&root.join("train").join(latin).join("1.png"));
    picture(&root.join("train/stra\u{df}e/1.png"));
    picture(&root.join("train/zu\u{308}rich/1.png"));
    picture(&root.join("val/cafe\u{301}/1.png"));
    picture(&root.join("val/stra\u{df}e/1.png"));
    picture(&root.join("val/z\u{fc}rich/1.png"));
    put(&root.join("classes.txt"), b"caf\xe9\tCaf\xe9 bar\n");
    let set = from("folder", data.path(), Some("set #1 ~new")).unwrap();
    assert_eq!(set.classes, ["Café bar", "straße", "zu\u{308}rich"]);
    assert_eq!((set.train.labels(), set.test.labels()), ([0, 1, 2].as_slice(), [0, 1, 2].as_slice()));
    // Two folders that differ in their bytes alone are two classes, as long as both parts spell them alike.
    for part in ["train", "val"] {
        picture(&root.join(part).join("z\u{fc}rich/1.png"));
        picture(&root.join(part).join("zu\u{308}rich/1.png"));
    }
    assert_eq!(from("folder", data.path(), Some("set #1 ~new")).unwrap().classes.len(), 4);
}

/// A batch of CIFAR-100: coarse label, fine label, pixels.
fn cifar_100(count: usize) -> Vec<u8> {
    (0..count)
        .flat_map(|i| [(i % 20) as u8, (i % 100) as u8].into_iter().chain((0..3072).map(move |j| (i + j) as u8)))
        .collect()
}

#[test]
fn cifar_100_is_read_by_its_fine_labels() {
    let data = place();
    let folder = data.path().join("cifar-100-binary");
    put(&folder.join("train.bin"), &cifar_100(150));
    put(&folder.join("test.bin"), &cifar_100(20));
    let set = from("cifar-100", data.path(), None).unwrap();
    assert_eq!((set.train.count(), set.test.count(), set.classes.len()), (150, 20, 100));
    assert_eq!((set.train.labels()[149], set.classes[49].as_str()), (49, "mountain"));
    let full = load("cifar-100", data.path(), &Options::default()).unwrap();
    let mut scratch = Vec::new();
    assert_eq!(full.train.image(3, &mut scratch).unwrap()[..2], [3, 4]);
    put(&folder.join("test.bin"), &cifar_batch(20));
    names(&trouble("cifar-100", data.path(), None), &["test.bin", "records of 3074", "CIFAR-100's binary version"]);
    let mut high = cifar_100(3);
    high[2 * 3074 + 1] = 100;
    put(&folder.join("test.bin"), &high);
    names(&trouble("cifar-100", data.path(), None), &["label 100 in record 2", "0 to 99"]);
}

/// Files of the published size stand for the archive.
#[test]
fn cifar_100_that_is_there_is_not_fetched() {
    let data = place();
    let folder = data.path().join("cifar-100");
    fs::create_dir(&folder).unwrap();
    for (name, records) in [("train.bin", 50_000), ("test.bin", 10_000)] {
        fs::File::create(folder.join(name)).unwrap().set_len(records * 3074).unwrap();
    }
    let files = fetch::fetch(DataSource::Cifar100, data.path(), &[], &mut |_| true).unwrap();
    assert_eq!(files, [folder.join("train.bin"), folder.join("test.bin")]);
    fs::remove_file(folder.join("test.bin")).unwrap();
    let message = fetch::fetch(DataSource::Cifar100, data.path(), &[], &mut |_| true).unwrap_err().to_string();
    names(&message, &["cannot fetch cifar-100-binary.tar.gz", "put cifar-100-binary.tar.gz"]);
}

#[test]
fn the_python_version_of_cifar_is_named() {
    let data = place();
    put(&data.path().join("cifar-10-batches-py/data_batch_1"), b"\x80\x02}q\x01(U");
    let message = trouble("cifar-10", data.path(), None);
    names(&message, &["cifar-10-batches-py/data_batch_1", "cifar-10's Python version", "attnlab data fetch"]);
    put(&data.path().join("cifar-100/train"), b"\x80\x02}q\x01(U");
    names(&trouble("cifar-100", data.path(), None), &["cifar-100/train", "cifar-100's Python version"]);
}

#[test]
fn files_of_other_forms_are_named_with_what_to_do() {
    let data = place();
    put(&data.path().join("mnist.npz"), b"PK\x03\x04");
    names(
        &trouble("mnist", data.path(), None),
        &["mnist.npz is a file of NumPy, which is not read", "IDX files", "docs/data.md"],
    );
    put(&data.path().join("fashion-mnist/fashion-mnist_train.csv"), b"label,pixel1\n");
    names(&trouble("fashion-mnist", data.path(), None), &["fashion-mnist_train.csv is a table of text"]);
    put(&data.path().join("cifar-10-binary.tar.gz"), b"\x1f\x8b");
    names(&trouble("cifar-10", data.path(), None), &["cifar-10-binary.tar.gz is an archive", "unpack it"]);
    put(&data.path().join("mine/training.pt"), b"PK\x03\x04");
    for name in ["folder", "idx"] {
        names(&trouble(name, data.path(), Some("mine")), &["training.pt is a file of PyTorch"]);
        names(&trouble(name, data.path(), Some("mine/training.pt")), &["training.pt is a file of PyTorch"]);
    }
    assert!(check(DataSource::Folder, data.path(), Some(Path::new("mine")), &mut |_| true).is_err());
}
