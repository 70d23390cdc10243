//! Fetching data sets from their public homes.

mod download;

pub(super) use download::digest;
pub use download::download;

use super::files::spelled;
use super::{DataError, Source, Watch};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A published file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its name, below every home.
    pub name: &'static str,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its published MD5, in lower-case hexadecimal digits.
    pub md5: &'static str,
}

const fn published(name: &'static str, bytes: u64, md5: &'static str) -> Published {
    Published { name, bytes, md5 }
}

const MNIST: [Published; 4] = [
    published("train-images-idx3-ubyte.gz", 9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
    published("train-labels-idx1-ubyte.gz", 28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
    published("t10k-images-idx3-ubyte.gz", 1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
    published("t10k-labels-idx1-ubyte.gz", 4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
];

const FASHION_MNIST: [Published; 4] = [
    published("train-images-idx3-ubyte.gz", 26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    published("train-labels-idx1-ubyte.gz", 29_515, "25c81989df183df01b3e8a0aad5dffbe"),
    published("t10k-images-idx3-ubyte.gz", 4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
    published("t10k-labels-idx1-ubyte.gz", 5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
];

const CIFAR_10: [Published; 1] = [published("cifar-10-binary.tar.gz", 170_052_171, "c32a1d4ab5d03f1284b67883e8d87530")];

/// The files of `source` as published; none where they cannot be fetched.
#[must_use]
pub const fn files(source: Source) -> &'static [Published] {
    match source {
        Source::Mnist => &MNIST,
        Source::FashionMnist => &FASHION_MNIST,
        Source::Cifar10 => &CIFAR_10,
        Source::Digits | Source::ImageNet | Source::Places365 | Source::Folder => &[],
    }
}

/// Where the files of `source` are published: the addresses that a file's name is put behind, in order of preference.
#[must_use]
pub const fn homes(source: Source) -> &'static [&'static str] {
    match source {
        Source::Mnist => {
            &["https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"]
        }
        Source::FashionMnist => &[
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ],
        Source::Cifar10 => &["https://www.cs.toronto.edu/~kriz/"],
        Source::Digits | Source::ImageNet | Source::Places365 | Source::Folder => &[],
    }
}

/// Fetches what is missing of `source` into its folder below `data_dir` and returns the files that are there now.
/// `homes` are tried in their order (usually [`homes`]); `watch` sees bytes.
///
/// A file appears under its name only when it is whole and its MD5 is the published one; until then it grows as
/// `NAME.part`, and a later call goes on where an earlier one was cut.
///
/// # Errors
/// [`DataError::Fetch`] says why no home had a file, and what to put where by hand; [`DataError::Stopped`];
/// [`DataError::Option`] for sets that cannot be fetched; the folder cannot be written.
pub fn fetch(source: Source, data_dir: &Path, homes: &[&str], watch: Watch) -> Result<Vec<PathBuf>, DataError> {
    if files(source).is_empty() {
        return Err(DataError::Option(match source {
            Source::Digits => "digits: nothing to fetch, it is built in".to_owned(),
            _ => format!("{0}: cannot be fetched; {1}", source.name(), source.advice()),
        }));
    }
    let Some(folder) = source.folders(data_dir).into_iter().next() else { return Ok(Vec::new()) };
    fs::create_dir_all(&folder).map_err(DataError::io(&folder, "create"))?;
    if source == Source::Cifar10 && super::cifar::is_whole(&folder) {
        return Ok(super::cifar::files(&folder));
    }
    let mut there = Vec::new();
    for file in files(source) {
        let target = folder.join(file.name);
        // A plain file stands for a packed one.
        let plain = spelled(&folder, file.name.trim_end_matches(".gz")).filter(|path| *path != target);
        if let Some(plain) = plain {
            there.push(plain);
            continue;
        }
        download(source.name(), homes, file, &target, watch)?;
        there.push(target);
    }
    if source != Source::Cifar10 {
        return Ok(there);
    }
    for archive in &there {
        unpack(archive, &folder)?;
        fs::remove_file(archive).map_err(DataError::io(archive, "remove"))?;
    }
    Ok(super::cifar::files(&folder))
}

/// Unpacks the batches of CIFAR-10's archive into `folder`; anything else in it is left out, and so is every path.
///
/// # Errors
/// The archive is damaged or lacks a batch, or the folder cannot be written.
pub fn unpack(archive: &Path, folder: &Path) -> Result<(), DataError> {
    let damaged = |trouble: io::Error| DataError::malformed(archive, format!("damaged archive: {trouble}"));
    let mut packed = tar::Archive::new(super::files::open(archive)?);
    for entry in packed.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let name = match entry.path().ok().as_deref().and_then(Path::file_name).and_then(|name| name.to_str()) {
            Some(name) if super::cifar::is_batch(name) && entry.header().entry_type().is_file() => name.to_owned(),
            _ => continue,
        };
        let target = folder.join(&name);
        let part = folder.join(format!("{name}.part"));
        let mut out = File::create(&part).map_err(DataError::io(&part, "write"))?;
        if let Err(trouble) = io::copy(&mut entry, &mut out) {
            // The archive is still there to begin again from.
            let _ = fs::remove_file(&part);
            return Err(DataError::malformed(archive, format!("cannot unpack into {}: {trouble}", target.display())));
        }
        out.sync_all().map_err(DataError::io(&part, "write"))?;
        fs::rename(&part, &target).map_err(DataError::io(&target, "write"))?;
    }
    if super::cifar::is_whole(folder) {
        return Ok(());
    }
    Err(DataError::malformed(
        archive,
        "lacks a batch: data_batch_1.bin to data_batch_5.bin and test_batch.bin are expected",
    ))
}
