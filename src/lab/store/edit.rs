//! What is done to runs that are there: names, tags, the trash.

use crate::lab::LabError;
use crate::lab::param::ParamError;
use crate::lab::record::Owner;
use crate::lab::record::lease::busy;
use crate::lab::store::summary::Marks;
use std::fs;
use std::path::{Path, PathBuf};

/// Where deleted runs lie, in the directory of runs.
const TRASH: &str = ".trash";

/// Names the run in `folder`; with an empty name it has the name again that it began with.
///
/// # Errors
/// The name cannot be written.
pub fn rename(folder: &Path, title: &str) -> Result<(), LabError> {
    let mut marks = Marks::read(folder)?;
    marks.title = Some(title.trim().to_owned()).filter(|title| !title.is_empty());
    marks.write(folder)
}

/// Gives the run in `folder` these tags in place of those it has.
///
/// # Errors
/// A tag has a space or a comma, or the tags cannot be written.
pub fn tag(folder: &Path, tags: &[String]) -> Result<(), LabError> {
    if let Some(wrong) = tags.iter().find(|tag| tag.is_empty() || tag.contains([' ', ',', '"', '='])) {
        let allowed = "a word without spaces, commas, quotes and `=`";
        return Err(ParamError::new("tag", wrong, allowed).into());
    }
    let mut marks = Marks::read(folder)?;
    marks.tags = tags.to_vec();
    marks.write(folder)
}

/// Moves the run in `folder` to the trash beside it and says where it lies now.
///
/// # Errors
/// A process works on the run, or it cannot be moved.
pub fn delete(folder: &Path) -> Result<PathBuf, LabError> {
    let name = folder.file_name().unwrap_or_default();
    if let Some(owner) = Owner::surely_of(folder) {
        return Err(busy(folder, &owner));
    }
    let trash = folder.with_file_name(TRASH);
    fs::create_dir_all(&trash).map_err(LabError::io("create", &trash))?;
    if !fs::symlink_metadata(&trash).is_ok_and(|metadata| metadata.is_dir()) {
        return Err(LabError::content(&trash, None, "is a symbolic link, which is not followed; allowed: a folder"));
    }
    let mut target = trash.join(name);
    let mut number = 2;
    while fs::symlink_metadata(&target).is_ok() {
        target = trash.join(format!("{}-{number}", name.to_string_lossy()));
        number += 1;
    }
    fs::rename(folder, &target).map_err(LabError::io("move to the trash", folder))?;
    Ok(target)
}
