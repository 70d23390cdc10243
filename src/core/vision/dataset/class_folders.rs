//! The classes of one part of an image folder: the folders that hold pictures, however deep they lie.

use super::error::DataError;
use super::kinds::{NameEnding, begins_as_picture, ending};
use super::names::{composed, spoken};
use super::passed_over::PassedOver;
use super::picture::Picture;
use rayon::prelude::*;
use std::ffi::OsString;
use std::fs::{self, DirEntry};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// How deep below a part a class may lie: Places365 has `a/arena/hockey`.
const DEEPEST: usize = 4;
/// The folder between a class and its pictures in Tiny ImageNet, which is no part of the class's name.
const IMAGES: &[u8] = b"images";

/// Files that were passed over, each with the reason.
pub(super) type Skipped = Vec<(PathBuf, String)>;

/// A class: a folder with the pictures in it.
pub(super) struct ClassFolder {
    /// The folder.
    pub path: PathBuf,
    /// Its path below the part, byte by byte as it is stored, with `/` between folders.
    pub name: OsString,
    /// Its pictures by file name, without their label.
    pub pictures: Vec<Picture>,
}

impl ClassFolder {
    /// Its name in the form in which names are compared.
    pub(super) fn key(&self) -> String {
        composed(&spoken(&self.name))
    }

    /// Its pictures with their label.
    pub(super) fn labelled(self, label: u32) -> impl Iterator<Item = Picture> {
        self.pictures.into_iter().map(move |picture| Picture { label, ..picture })
    }
}

/// What lies below a part, or below one of its folders.
#[derive(Default)]
pub(super) struct Explored {
    /// The classes, by the bytes of their names.
    pub classes: Vec<ClassFolder>,
    /// Pictures that lie directly in the folder.
    pub loose: Vec<Picture>,
    /// What is named as a picture and is not a file.
    pub skipped: Skipped,
    /// What else lies there.
    pub passed_over: PassedOver,
}

impl Explored {
    fn join(&mut self, other: Self) {
        self.classes.extend(other.classes);
        self.skipped.extend(other.skipped);
        self.passed_over.extend(other.passed_over);
    }
}

/// What the folder `part` holds.
///
/// # Errors
/// It cannot be read, or is no folder; a folder without pictures and without further folders lies in it.
pub(super) fn explore(part: &Path) -> Result<Explored, DataError> {
    if part.is_file() {
        return Err(DataError::malformed(part, "is a file; a folder with one folder a class is expected"));
    }
    let (mut explored, folders) = entries(part)?;
    let found = folders.par_iter().map(|folder| descend(folder, folder.file_name().unwrap_or_default().into(), 1));
    found.collect::<Result<Vec<_>, _>>()?.into_iter().for_each(|below| explored.join(below));
    explored.classes.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    explored.skipped.sort();
    Ok(explored)
}

/// The folders of `root` that hold pictures, as classes; what lies deeper, or holds none, is no class.
///
/// # Errors
/// `root` cannot be read.
pub(super) fn shallow_classes(root: &Path) -> Result<Explored, DataError> {
    let (mut explored, folders) = entries(root)?;
    for folder in folders {
        // What cannot be read holds no pictures that could be trained on.
        let Ok((mut below, inner)) = entries(&folder) else { continue };
        if below.loose.is_empty() {
            explored.passed_over.folders += 1;
            continue;
        }
        below.passed_over.folders += inner.len();
        let name = folder.file_name().unwrap_or_default().to_owned();
        let pictures = std::mem::take(&mut below.loose);
        below.classes.push(ClassFolder { path: folder, name, pictures });
        explored.join(below);
    }
    explored.classes.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    explored.skipped.sort();
    Ok(explored)
}

/// The classes at `folder`, which is called `name` below its part: itself where it holds pictures, otherwise those below it.
fn descend(folder: &Path, name: OsString, depth: usize) -> Result<Explored, DataError> {
    let (mut explored, folders) = entries(folder)?;
    let pictures = std::mem::take(&mut explored.loose);
    if !pictures.is_empty() {
        explored.passed_over.folders += folders.len();
        explored.classes.push(ClassFolder { path: folder.to_owned(), name: without_images(name), pictures });
        return Ok(explored);
    }
    if folders.is_empty() || depth == DEEPEST {
        let others = explored.passed_over.told().map_or_else(String::new, |told| format!(" ({told})"));
        return Err(DataError::malformed(
            folder,
            format!("no pictures (.jpg, .jpeg, .png, .webp, …); every class needs one{others}"),
        ));
    }
    for below in folders {
        let mut inner = name.clone();
        inner.push("/");
        inner.push(below.file_name().unwrap_or_default());
        explored.join(descend(&below, inner, depth + 1)?);
    }
    Ok(explored)
}

/// The name of a class without the folder `images` at its end.
fn without_images(name: OsString) -> OsString {
    match name.as_bytes().rsplitn(2, |byte| *byte == b'/').collect::<Vec<_>>()[..] {
        [last, class] if last == IMAGES => OsString::from_vec(class.to_vec()),
        _ => name,
    }
}

/// What lies directly in `folder`, pictures by file name, and its folders, sorted; hidden ones are none.
fn entries(folder: &Path) -> Result<(Explored, Vec<PathBuf>), DataError> {
    let (mut found, mut folders) = (Explored::default(), Vec::new());
    for entry in fs::read_dir(folder).map_err(DataError::io(folder, "read"))? {
        let entry = entry.map_err(DataError::io(folder, "read"))?;
        let (path, hidden) = (entry.path(), entry.file_name().as_bytes().starts_with(b"."));
        if hidden {
            continue;
        }
        let is_picture = match ending(&path) {
            NameEnding::Picture => true,
            _ if is_folder(&entry) => {
                folders.push(path);
                continue;
            }
            NameEnding::None if path.is_file() && begins_as_picture(&path) => true,
            NameEnding::None => {
                found.passed_over.add("");
                false
            }
            NameEnding::Other(suffix) => {
                found.passed_over.add(&suffix);
                false
            }
        };
        if is_picture {
            match picture(&path) {
                Ok(picture) => found.loose.push(picture),
                Err(reason) => found.skipped.push((path, reason)),
            }
        }
    }
    found.loose.sort_by(|a, b| a.path.cmp(&b.path));
    folders.sort();
    Ok((found, folders))
}

/// Whether `entry` is a folder, or a link to one.
fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_dir() || kind.is_symlink() && entry.path().is_dir())
}

/// The picture at `path`, of class 0.
fn picture(path: &Path) -> Result<Picture, String> {
    let about = fs::metadata(path).map_err(|trouble| trouble.to_string())?;
    if !about.is_file() {
        return Err(format!("is a {}; a picture is expected", if about.is_dir() { "folder" } else { "device" }));
    }
    let changed = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(Picture {
        path: path.to_owned(),
        label: 0,
        bytes: about.len(),
        changed: changed.map_or(0, |time| time.as_nanos()),
    })
}
