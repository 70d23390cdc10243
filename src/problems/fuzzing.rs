//! What fuzzers call of the readers of matrices, models and images, see [`crate::fuzzing`].

use crate::arrays::{ArrayFile, HeadsFile, HeadsLayout, Transpose};
use crate::vision::Checkpoint;
use crate::vision::dataset::{DataSource, Options, cifar, contents, idx, load};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// An array as NumPy writes it.
pub fn npy(bytes: &[u8]) {
    in_folder(&[("a.npy", bytes)], |folder| every_matrix(&folder.join("a.npy").to_string_lossy()));
}

/// Several arrays in a zip archive: the lone one, and those that the corpus has.
pub fn npz(bytes: &[u8]) {
    in_folder(&[("a.npz", bytes)], |folder| {
        let path = folder.join("a.npz").to_string_lossy().into_owned();
        ["", "#q", "#k.npy[0]"].iter().for_each(|rest| every_matrix(&(path.clone() + rest)));
    });
}

/// A safetensors file, as matrices and as a trained model.
pub fn safetensors(bytes: &[u8]) {
    in_folder(&[("a.safetensors", bytes)], |folder| {
        let path = folder.join("a.safetensors");
        let text = path.to_string_lossy();
        every_matrix(&text);
        every_matrix(&format!("{text}#a"));
        Checkpoint::load(&path).ok();
    });
}

/// The index of a model in several files, beside a file that it may name.
pub fn model_indexes(bytes: &[u8]) {
    let tensor = with_head(r#"{"a": {"dtype": "U8", "shape": [1,2], "data_offsets": [0,2]}}"#, &[1, 2]);
    in_folder(&[("a.index.json", bytes), ("a.safetensors", &tensor)], |folder| {
        let path = folder.join("a.index.json").to_string_lossy().into_owned();
        ["", "#a", "#b[:]"].iter().for_each(|rest| every_matrix(&(path.clone() + rest)));
    });
}

/// What stands behind the `#` of an array's file, of an array and of two named ones.
pub fn array_slices(bytes: &[u8]) {
    const HEAD: &str = r#"{"a": {"dtype": "I8", "shape": [3,2], "data_offsets": [0,6]},
        "a[0]": {"dtype": "I8", "shape": [1,2], "data_offsets": [0,2]}}"#;
    const SHAPE: &str = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4)}";
    let npy = [b"\x93NUMPY\x01\0", &(SHAPE.len() as u16).to_le_bytes()[..], SHAPE.as_bytes(), &[7; 24]].concat();
    let tensors = with_head(HEAD, &[5; 6]);
    let rest = String::from_utf8_lossy(bytes);
    in_folder(&[("a.npy", &npy), ("a.safetensors", &tensors)], |folder| {
        for name in ["a.npy", "a.safetensors"] {
            every_matrix(&format!("{}#{rest}", folder.join(name).display()));
        }
    });
}

/// A safetensors file.
fn with_head(head: &str, numbers: &[u8]) -> Vec<u8> {
    [&(head.len() as u64).to_le_bytes()[..], head.as_bytes(), numbers].concat()
}

/// Opens the array in both ways and reads its first and last matrix.
fn every_matrix(text: &str) {
    if let Ok(file) = ArrayFile::open(text) {
        let leading = &file.shape()[..file.shape().len() - 2];
        let last: Vec<usize> = leading.iter().map(|length| length - 1).collect();
        file.matrix(&vec![0; leading.len()]).ok();
        file.matrix(&last).ok();
    }
    for (heads, batch, transpose) in [(None, None, Transpose::Yes), (Some(2), Some(0), Transpose::No)] {
        if let Ok(file) = HeadsFile::open(text, HeadsLayout { heads, batch, transpose }) {
            file.head(file.layers() - 1, file.heads() - 1).ok();
        }
    }
}

/// An IDX file, of images and of labels, packed or not.
pub fn idx(bytes: &[u8]) {
    idx::read_images(bytes, Path::new("images")).ok();
    idx::read_labels(bytes, Path::new("labels"), 255).ok();
}

/// A batch of CIFAR-10, and the same bytes as both files of CIFAR-100.
pub fn cifar(bytes: &[u8]) {
    cifar::read_batch(bytes, Path::new("batch"), &mut Vec::new(), &mut Vec::new()).ok();
    in_set(&[("cifar-100/train.bin", bytes), ("cifar-100/test.bin", bytes)], |folder| {
        load("cifar-100", folder, &Options::default()).ok();
    });
}

/// A picture of any kind, packed or not, decoded.
pub fn pictures(bytes: &[u8]) {
    in_set(&[("train/a/1.jpg", bytes), ("train/a/2.pgm", PICTURE), ("val/a/1.pgm", PICTURE)], |folder| {
        let options = Options { image_size: Some(8), folder: Some(folder.to_owned()), ..Options::default() };
        load("folder", folder, &options).ok();
    });
}

/// A list of the classes of flat pictures, as each of those that are known.
pub fn class_lists(bytes: &[u8]) {
    let ids = ("map_clsloc.txt", &b"a 1 first\nb 2 second\n"[..]);
    let categories = ("categories_places365.txt", &b"/a/a 0\n/b/b 1\n"[..]);
    let alone: [&[(&str, &[u8])]; 6] = [
        &[("LOC_val_solution.csv", bytes)],
        &[("ILSVRC2012_validation_ground_truth.txt", bytes), ids],
        &[("ILSVRC2012_validation_ground_truth.txt", b"1\n2\n"), ("map_clsloc.txt", bytes)],
        &[("places365_val.txt", bytes), categories],
        &[("places365_val.txt", b"Places365_val_00000001.jpg 1\n"), ("categories_places365.txt", bytes)],
        &[("val_annotations.txt", bytes), ("classes.txt", bytes)],
    ];
    alone.iter().for_each(|lists| listed(lists));
}

/// The MATLAB file that says which class of ImageNet has which number.
pub fn synsets(bytes: &[u8]) {
    listed(&[("ILSVRC2012_validation_ground_truth.txt", b"1\n2\n"), ("meta.mat", bytes)]);
}

/// Lists a set of two classes whose flat pictures `lists` are about.
fn listed(lists: &[(&str, &[u8])]) {
    let pictures = [
        ("train/a/1.pgm", PICTURE),
        ("train/b/1.pgm", PICTURE),
        ("val/ILSVRC2012_val_00000001.pgm", PICTURE),
        ("val/Places365_val_00000001.pgm", PICTURE),
        ("val/val_0.pgm", PICTURE),
    ];
    in_set(&[&pictures, lists].concat(), |folder| drop(contents(DataSource::Folder, folder, Some(folder))));
}

/// One grey pixel.
const PICTURE: &[u8] = b"P5 1 1 255\n\x80";

/// As [`in_folder`], with files in folders below it.
fn in_set(files: &[(&str, &[u8])], read: impl FnOnce(&Path)) {
    in_folder(&[], |folder| {
        for (name, bytes) in files {
            let path = folder.join(name);
            path.parent().map(fs::create_dir_all);
            fs::write(path, bytes).ok();
        }
        read(folder);
    });
}

/// A folder of pictures by class: a path a line, an empty file at each.
pub fn picture_folders(bytes: &[u8]) {
    in_folder(&[], |folder| {
        for line in bytes.split(|byte| *byte == b'\n').take(64) {
            let path = Path::new(OsStr::from_bytes(line));
            let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
            if inside && !line.contains(&0) && !line.is_empty() {
                let path = folder.join(path);
                path.parent().map(fs::create_dir_all);
                fs::write(path, "").ok();
            }
        }
        contents(DataSource::Folder, folder, Some(folder)).ok();
    });
}

/// Calls `read` with a folder that holds `files` (of several of one name the last), and removes it.
pub(crate) fn in_folder(files: &[(&str, &[u8])], read: impl FnOnce(&Path)) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("attnlab-fuzzing-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = Removed(std::env::temp_dir().join(name));
    if fs::create_dir(&folder.0).is_err() {
        return;
    }
    files.iter().for_each(|(name, bytes)| drop(fs::write(folder.0.join(name), bytes)));
    read(&folder.0);
}

/// A folder that goes when it is dropped, after a panic too.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
