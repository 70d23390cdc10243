//! Files that lie where a data set is looked for and are of another form: what they are, and what to do with them.

use super::names::spoken;
use std::fs;
use std::path::{Path, PathBuf};

/// Most entries of a folder that are looked at.
const MOST: usize = 1000;

const AS_IDX: &str = "docs/data.md shows how to write it as IDX files for dataset=idx";

/// Endings of names in lower case, what a file is that has one, and what to do.
const KINDS: &[(&[&str], &str, &str)] = &[
    (&[".tar", ".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz", ".7z", ".rar"], "an archive", "unpack it there"),
    (&[".pt", ".pth"], "a file of PyTorch", AS_IDX),
    (&[".npz", ".npy"], "a file of NumPy", AS_IDX),
    (&[".csv", ".tsv"], "a table of text", AS_IDX),
    (&[".pkl", ".pickle", ".pkl.gz"], "a pickle of Python", AS_IDX),
    (&[".parquet", ".arrow", ".feather"], "a table of Arrow", AS_IDX),
    (&[".h5", ".hdf5"], "an HDF5 file", AS_IDX),
    (&[".mat"], "a MATLAB file", AS_IDX),
    (&[".safetensors"], "a safetensors file", AS_IDX),
    (
        &[".tfrecord", ".tfrecords", ".mdb"],
        "a container of another program",
        "write its pictures out as train/CLASS/* and val/CLASS/*",
    ),
];

/// What lies in `folders`, is one of them, or is called as the set `name` in `data_dir`, and is of a form that is not read; none where
/// nothing of that kind is there.
pub(super) fn found(name: &str, data_dir: &Path, folders: &[PathBuf]) -> Option<String> {
    let themselves = folders.iter().filter(|path| path.is_file()).find_map(|path| told(path));
    let inside = || folders.iter().find_map(|folder| entries(folder).iter().find_map(|path| told(path)));
    let plain = |text: &str| text.to_lowercase().replace(['-', '_'], "");
    let beside = || {
        let of_the_set =
            |path: &&PathBuf| path.file_name().is_some_and(|found| plain(&spoken(found)).starts_with(&plain(name)));
        entries(data_dir).iter().filter(of_the_set).find_map(|path| told(path))
    };
    themselves.or_else(inside).or_else(beside)
}

/// The files of `folder`, sorted.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().take(MOST).flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// What the file at `path` is and what to do with it, by its name.
fn told(path: &Path) -> Option<String> {
    let name = path.file_name().map(spoken)?.to_lowercase();
    // Lists of classes lie beside the pictures that they are about.
    if name.starts_with("loc_") {
        return None;
    }
    let (_, what, advice) = KINDS.iter().find(|(endings, ..)| endings.iter().any(|ending| name.ends_with(ending)))?;
    Some(format!("{} is {what}, which is not read: {advice}", path.display()))
}
