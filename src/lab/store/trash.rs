//! The trash: a hidden folder among the runs. What lies there can be listed and put back.

use crate::lab::LabError;
use crate::lab::record::Owner;
use crate::lab::record::lease::busy;
use crate::lab::store::summary::RunSummary;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where deleted runs lie, in the directory of runs.
const TRASH: &str = ".trash";

/// Moves the run in `folder` to the trash beside it and says where it lies now.
///
/// # Errors
/// A process works on the run, or it cannot be moved.
pub fn delete(folder: &Path) -> Result<PathBuf, LabError> {
    if let Some(owner) = Owner::surely_of(folder) {
        return Err(busy(folder, &owner));
    }
    let trash = folder.with_file_name(TRASH);
    fs::create_dir_all(&trash).map_err(LabError::io("create", &trash))?;
    if !is_folder(&trash) {
        return Err(LabError::content(&trash, None, "is a symbolic link, which is not followed; allowed: a folder"));
    }
    move_into(folder, &trash)
}

/// The runs in the trash of the directory `logs`, the newest first. None where nothing was deleted.
///
/// # Errors
/// The trash cannot be read.
pub fn trash(logs: &Path) -> Result<Vec<RunSummary>, LabError> {
    let trash = logs.join(TRASH);
    if !is_folder(&trash) {
        return Ok(Vec::new());
    }
    let read = LabError::io("read", &trash);
    let entries = match fs::read_dir(&trash) {
        Ok(entries) => entries.flatten(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(read(error)),
    };
    let folders = entries.map(|entry| entry.path()).filter(|path| is_folder(path));
    let mut runs: Vec<RunSummary> = folders.map(|folder| RunSummary::read(&folder)).collect();
    runs.sort_by(|a, b| (&b.started, &b.id).cmp(&(&a.started, &a.id)));
    Ok(runs)
}

/// Moves the run called `id` from the trash of the directory `logs` back among the runs and says where it lies now. Where
/// another run has its name meanwhile, a number is added.
///
/// # Errors
/// There is no such run in the trash, or it cannot be moved.
pub fn restore(logs: &Path, id: &str) -> Result<PathBuf, LabError> {
    let trash = logs.join(TRASH);
    let folder = trash.join(id);
    let is_name = Path::new(id).components().count() == 1 && folder.file_name().is_some_and(|name| name == id);
    if !is_name || !is_folder(&trash) || !is_folder(&folder) {
        let text = format!("{id}: no run of this name is in the trash of {} (see `attnlab trash`)", logs.display());
        return Err(LabError::Refused(text));
    }
    move_into(&folder, logs)
}

/// Moves `folder` into `target`, under its name or with a number behind it.
fn move_into(folder: &Path, target: &Path) -> Result<PathBuf, LabError> {
    let name = folder.file_name().unwrap_or_default();
    let mut place = target.join(name);
    let mut number = 2;
    while fs::symlink_metadata(&place).is_ok() {
        place = target.join(format!("{}-{number}", name.to_string_lossy()));
        number += 1;
    }
    fs::rename(folder, &place).map_err(LabError::io("move", folder))?;
    Ok(place)
}

/// Whether there is a folder, and no link to one.
fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).as_ref().is_ok_and(Metadata::is_dir)
}
