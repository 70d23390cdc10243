//! Finding the files of a data set below the data directory.

use super::{DataError, Source};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

/// The folder of a data set.
pub(super) struct Place {
    source: Source,
    folder: PathBuf,
}

impl Place {
    /// The first of the source's folders that holds one of `names` (plain or `.gz`).
    ///
    /// # Errors
    /// [`DataError::Missing`] names every folder searched.
    pub(super) fn find(source: Source, data_dir: &Path, names: &[&str]) -> Result<Self, DataError> {
        let folders = source.folders(data_dir);
        match folders.iter().find(|folder| names.iter().any(|name| spelled(folder, name).is_some())) {
            Some(folder) => Ok(Self { source, folder: folder.clone() }),
            None => Err(missing(source, names[0], &folders)),
        }
    }

    /// The file `name`, plain or `.gz`; a plain one is preferred.
    ///
    /// # Errors
    /// [`DataError::Malformed`]: the set is there without this file.
    pub(super) fn file(&self, name: &str) -> Result<PathBuf, DataError> {
        spelled(&self.folder, name).ok_or_else(|| {
            let problem =
                format!("no {} beside the other files; {}", expected(self.source, name), self.source.advice());
            DataError::malformed(&self.folder, problem)
        })
    }
}

/// A file's name as messages tell it.
fn expected(source: Source, name: &str) -> String {
    match source {
        Source::Mnist | Source::FashionMnist => format!("`{name}` (or `{name}.gz`)"),
        _ => format!("`{name}`"),
    }
}

/// `name` as it may be spelled on disk: as published, with a dot before the type (`train-images.idx3-ubyte`), packed.
pub(super) fn spelled(folder: &Path, name: &str) -> Option<PathBuf> {
    let dotted = name.replace("-idx", ".idx");
    [name, &dotted]
        .into_iter()
        .flat_map(|name| [name.to_owned(), format!("{name}.gz")])
        .map(|name| folder.join(name))
        .find(|path| path.exists())
}

/// The error that says what was looked for, where, and what to do.
pub(super) fn missing(source: Source, name: &str, folders: &[PathBuf]) -> DataError {
    let searched: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    DataError::Missing {
        name: source.name(),
        expected: expected(source, name),
        searched: searched.join(", "),
        advice: source.advice().to_owned(),
    }
}

/// Opens a file for reading, unpacking it if it begins as gzip does (whatever its name).
///
/// # Errors
/// It cannot be read, or is a folder.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, DataError> {
    if path.is_dir() {
        return Err(DataError::malformed(path, "is a folder; a file is expected"));
    }
    let mut file = File::open(path).map_err(DataError::io(path, "read"))?;
    let mut start = Vec::new();
    file.by_ref().take(2).read_to_end(&mut start).map_err(DataError::io(path, "read"))?;
    file.rewind().map_err(DataError::io(path, "read"))?;
    let file = BufReader::with_capacity(1 << 16, file);
    Ok(if start == [0x1f, 0x8b] { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}
