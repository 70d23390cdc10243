//! Finding and opening the files of a data set below the data directory.

use super::error::DataError;
use super::facts::Site;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

/// The folder of a data set.
pub(super) struct SetFolder<'a> {
    site: Site<'a>,
    folder: PathBuf,
}

impl<'a> SetFolder<'a> {
    /// The first of the folders of `site` that holds one of `names` (plain or `.gz`).
    ///
    /// # Errors
    /// [`DataError::Missing`] names every folder searched.
    pub(super) fn find(site: Site<'a>, names: &[&str], spoken: fn(&str) -> String) -> Result<Self, DataError> {
        let holds = |folder: &PathBuf| names.iter().any(|name| spelled(folder, name).is_some());
        match site.folders().into_iter().find(holds) {
            Some(folder) => Ok(Self { site, folder }),
            None => Err(site.missing(spoken(names[0]))),
        }
    }

    /// The file `name`, plain or `.gz`; a plain one is preferred.
    ///
    /// # Errors
    /// [`DataError::Malformed`]: the set is there without this file.
    pub(super) fn file(&self, name: &str, spoken: fn(&str) -> String) -> Result<PathBuf, DataError> {
        spelled(&self.folder, name).ok_or_else(|| {
            let problem = format!("no {} beside the other files; {}", spoken(name), self.site.facts.advice);
            DataError::malformed(&self.folder, problem)
        })
    }
}

/// Those of `names` that are in the first folder of `site` that has any, as they are spelled.
pub(super) fn there(site: &Site<'_>, names: &[&str]) -> Vec<PathBuf> {
    let there = |folder: PathBuf| names.iter().filter_map(|name| spelled(&folder, name)).collect::<Vec<_>>();
    site.folders().into_iter().map(there).find(|files| !files.is_empty()).unwrap_or_default()
}

/// `name` as it may be spelled on disk: as published, with a dot before the type (`train-images.idx3-ubyte`), packed. A folder of
/// one of these names, as some archives unpack to, counts only where there is no file.
pub(super) fn spelled(folder: &Path, name: &str) -> Option<PathBuf> {
    let dotted = name.replace("-idx", ".idx");
    let spellings = || [name, &dotted].into_iter().flat_map(|name| [name.to_owned(), format!("{name}.gz")]);
    let there = |is: fn(&Path) -> bool| spellings().map(|name| folder.join(name)).find(|path| is(path));
    there(Path::is_file).or_else(|| there(Path::exists))
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
    let packed = is_packed(&mut file).map_err(DataError::io(path, "read"))?;
    let file = BufReader::with_capacity(1 << 16, file);
    Ok(if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// Whether a file begins as gzip does; it is left at its beginning.
pub(super) fn is_packed(file: &mut File) -> io::Result<bool> {
    let mut start = Vec::new();
    file.by_ref().take(2).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(start == [0x1f, 0x8b])
}
