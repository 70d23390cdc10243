//! What fuzzers call of the readers of matrices, models and images, see [`crate::fuzzing`].

use super::matrices;
use crate::vision::Checkpoint;
use crate::vision::dataset::{DataSource, cifar, contents, idx};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A matrix as NumPy writes it.
pub fn npy(bytes: &[u8]) {
    in_folder(&[("a.npy", bytes)], |folder| drop(matrices::matrix("x", &folder.join("a.npy").to_string_lossy())));
}

/// A safetensors file, as a matrix and as a trained model.
pub fn safetensors(bytes: &[u8]) {
    in_folder(&[("a.safetensors", bytes)], |folder| {
        let path = folder.join("a.safetensors");
        matrices::matrix("x", &path.to_string_lossy()).ok();
        Checkpoint::load(&path).ok();
    });
}

/// An IDX file, of images and of labels, packed or not.
pub fn idx(bytes: &[u8]) {
    idx::read_images(bytes, Path::new("images")).ok();
    idx::read_labels(bytes, Path::new("labels"), 255).ok();
}

/// A batch of CIFAR-10.
pub fn cifar(bytes: &[u8]) {
    cifar::read_batch(bytes, Path::new("batch"), &mut Vec::new(), &mut Vec::new()).ok();
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
