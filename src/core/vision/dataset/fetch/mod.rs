//! Fetching data sets from their public homes.

mod download;
mod trust;

pub(super) use download::digest;
pub use download::download;

pub use super::facts::Published;
pub use super::sets::cifar::unpack;

use super::error::DataError;
use super::files::spelled;
use super::loaded::Watch;
use super::sets::DataSource;
use std::fs;
use std::path::{Path, PathBuf};

/// The files of `source` as published; none where they cannot be fetched.
#[must_use]
pub fn files(source: DataSource) -> &'static [Published] {
    source.facts().published
}

/// Where the files of `source` are published: the addresses that a file's name is put behind, in order of preference.
#[must_use]
pub fn homes(source: DataSource) -> &'static [&'static str] {
    source.facts().homes
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
pub fn fetch(source: DataSource, data_dir: &Path, homes: &[&str], watch: Watch) -> Result<Vec<PathBuf>, DataError> {
    let site = source.site(data_dir, None);
    let Some(folder) = site.folders().into_iter().next().filter(|_| !site.facts.published.is_empty()) else {
        return Err(DataError::Option(format!("{}: cannot be fetched; {}", site.name, site.facts.advice)));
    };
    fs::create_dir_all(&folder).map_err(DataError::io(&folder, "create"))?;
    let loader = site.facts.loader;
    if let Some(files) = loader.unpacked(&folder) {
        return Ok(files);
    }
    let mut there = Vec::new();
    for file in site.facts.published {
        let target = folder.join(file.name);
        // A plain file stands for a packed one.
        let plain = spelled(&folder, file.name.trim_end_matches(".gz")).filter(|path| *path != target);
        if let Some(plain) = plain {
            there.push(plain);
            continue;
        }
        download(site.name, homes, file, &target, watch)?;
        if let Some(unpacked) = loader.unpack(&target, &folder) {
            unpacked?;
            fs::remove_file(&target).map_err(DataError::io(&target, "remove"))?;
        } else {
            there.push(target);
        }
    }
    Ok(loader.unpacked(&folder).unwrap_or(there))
}
