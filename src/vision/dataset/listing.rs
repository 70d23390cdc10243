//! What an image folder holds, found without decoding a picture.

use super::error::DataError;
use super::facts::Site;
use super::picture::Picture;
use rayon::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Suffixes of pictures, in lower case; what a file *is* is told by its first bytes.
const SUFFIXES: [&str; 3] = ["jpg", "jpeg", "png"];

/// Files that were passed over, each with the reason.
pub(super) type Skipped = Vec<(PathBuf, String)>;

/// What an image folder holds, before anything is decoded.
#[derive(Debug)]
pub(super) struct Listing {
    /// The folder with `train` and `val`.
    pub folder: PathBuf,
    /// Class names in label order: the folders of `train`, sorted; or their names by `classes.txt` (`folder TAB name`).
    pub classes: Vec<String>,
    /// Pictures to train on, by class and then by file name.
    pub train: Vec<Picture>,
    /// Pictures to test on.
    pub test: Vec<Picture>,
    /// What is named like a picture and is not a file.
    pub skipped: Vec<(PathBuf, String)>,
}

impl Listing {
    /// Finds the folder and lists its pictures.
    ///
    /// # Errors
    /// There is no such folder, no `train` or `val` in it, no class, a class without pictures, or a class in `val` that
    /// `train` has not.
    pub(super) fn new(site: &Site<'_>) -> Result<Self, DataError> {
        let folders = site.folders();
        let Some(folder) = folders.iter().find(|folder| folder.join("train").exists()) else {
            return Err(site.missing("`train/CLASS/`".to_owned()));
        };
        let names = class_folders(&folder.join("train"))?;
        let found = class_folders(&folder.join("val"))?;
        if let Some(stranger) = found.iter().find(|name| names.binary_search(name).is_err()) {
            let path = folder.join("val").join(stranger);
            return Err(DataError::malformed(&path, format!("`train` has no class `{stranger}`")));
        }
        let (train, mut skipped) = pictures(&folder.join("train"), &names)?;
        let (test, others) = pictures(&folder.join("val"), &names)?;
        skipped.extend(others);
        Ok(Self { folder: folder.clone(), classes: spoken(folder, &names)?, train, test, skipped })
    }
}

/// The names of the folders in `folder`, sorted; hidden ones are none.
fn class_folders(folder: &Path) -> Result<Vec<String>, DataError> {
    if folder.is_file() {
        return Err(DataError::malformed(folder, "is a file; a folder with one folder a class is expected"));
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(DataError::io(folder, "read"))? {
        let entry = entry.map_err(DataError::io(folder, "read"))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !name.starts_with('.') {
            names.push(name);
        }
    }
    if names.is_empty() {
        return Err(DataError::malformed(folder, "holds no folder; one folder a class is expected"));
    }
    names.sort();
    Ok(names)
}

/// The pictures of every class below `part`, by class and then by file name.
fn pictures(part: &Path, classes: &[String]) -> Result<(Vec<Picture>, Skipped), DataError> {
    let lists = classes.par_iter().enumerate().map(|(label, class)| {
        let folder = part.join(class);
        let mut pictures = Vec::new();
        let mut skipped = Vec::new();
        for entry in fs::read_dir(&folder).map_err(DataError::io(&folder, "read"))? {
            let path = entry.map_err(DataError::io(&folder, "read"))?.path();
            let suffix = path.extension().map(|suffix| suffix.to_string_lossy().to_lowercase()).unwrap_or_default();
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if hidden || !SUFFIXES.contains(&suffix.as_str()) {
                continue;
            }
            match fs::metadata(&path) {
                Ok(about) if about.is_file() => {
                    let changed = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                    pictures.push(Picture {
                        path,
                        label: label as u32,
                        bytes: about.len(),
                        changed: changed.map_or(0, |time| time.as_nanos()),
                    });
                }
                Ok(_) => skipped.push((path, "is a folder; a picture is expected".to_owned())),
                Err(trouble) => skipped.push((path, trouble.to_string())),
            }
        }
        if pictures.is_empty() {
            return Err(DataError::malformed(&folder, "no pictures (.jpg, .jpeg, .png); every class needs one"));
        }
        pictures.sort_by(|a, b| a.path.cmp(&b.path));
        Ok((pictures, skipped))
    });
    let lists: Vec<(Vec<Picture>, Skipped)> = lists.collect::<Result<_, DataError>>()?;
    let (pictures, mut skipped): (Vec<_>, Vec<_>) = lists.into_iter().unzip();
    let mut skipped: Skipped = skipped.drain(..).flatten().collect();
    skipped.sort();
    Ok((pictures.into_iter().flatten().collect(), skipped))
}

/// What the classes are called: by `classes.txt` where it has a line `folder TAB name`, otherwise as their folders.
fn spoken(folder: &Path, names: &[String]) -> Result<Vec<String>, DataError> {
    let path = folder.join("classes.txt");
    if !path.is_file() {
        return Ok(names.to_vec());
    }
    let text = fs::read_to_string(&path).map_err(DataError::io(&path, "read"))?;
    let called = |name: &String| {
        let spoken = text.lines().filter_map(|line| line.split_once('\t')).find(|(folder, _)| folder.trim() == name);
        spoken.map_or_else(|| name.clone(), |(_, spoken)| spoken.trim().to_owned())
    };
    Ok(names.iter().map(called).collect())
}
