//! What is known of a data set before its files are read, and how they are read.

use super::error::DataError;
use super::loaded::{Dataset, Options, Watch};
use super::passed_over::PassedOver;
use super::strangers;
use crate::paths::expanded_below;
use std::path::{Path, PathBuf};

/// What is known of a data set: it is declared once, beside the loader that reads it.
pub(super) struct SetFacts {
    /// Height and width of its images in pixels when nothing else is wanted; none where only its files say.
    pub size: Option<usize>,
    /// Colour channels of its images; none where only its files say.
    pub channels: Option<usize>,
    /// Training and test images as published; zero where its files say.
    pub images: [usize; 2],
    /// Its classes in label order; none where its files say.
    pub classes: &'static [&'static str],
    /// The folders below the data directory its files may lie in, in order of search.
    pub folders: &'static [&'static str],
    /// Whether the user may name another folder.
    pub own_folder: bool,
    /// What to do when files are missing.
    pub advice: &'static str,
    /// What can be fetched; nothing for most.
    pub published: &'static [Published],
    /// Where that is published: addresses that a file's name is put behind, in order of preference.
    pub homes: &'static [&'static str],
    /// What reads it.
    pub loader: &'static dyn Loader,
}

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

/// A data set and where its files are looked for.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub name: &'static str,
    pub facts: &'static SetFacts,
    pub data_dir: &'a Path,
    /// The folder that the user named.
    pub folder: Option<&'a Path>,
}

impl Site<'_> {
    /// The folders its files may lie in, in order of search.
    pub fn folders(&self) -> Vec<PathBuf> {
        match self.folder {
            Some(folder) if self.facts.own_folder => vec![expanded_below(self.data_dir, folder)],
            _ => self.facts.folders.iter().map(|name| self.data_dir.join(name)).collect(),
        }
    }

    /// The names of the published classes.
    pub fn class_names(&self) -> Vec<String> {
        self.facts.classes.iter().map(|&name| name.to_owned()).collect()
    }

    /// The error that says that `expected` was looked for, where, and what to do.
    pub fn missing(&self, expected: String) -> DataError {
        let folders = self.folders();
        let searched: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let advice = match strangers::found(self.name, self.data_dir, &folders) {
            Some(found) => format!("{found}; or {}", self.facts.advice),
            None => self.facts.advice.to_owned(),
        };
        DataError::Missing { name: self.name, expected, searched: searched.join(", "), advice }
    }
}

/// What a data set holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Where it lies; none for a set that is built in.
    pub folder: Option<PathBuf>,
    /// Training images.
    pub train: usize,
    /// Test images.
    pub test: usize,
    /// Class names in label order.
    pub classes: Vec<String>,
    /// Height and width of its images in pixels; none where they are of any size.
    pub size: Option<usize>,
    /// Colour channels.
    pub channels: usize,
    /// Files in folders of pictures that are not read.
    pub passed_over: PassedOver,
    /// What is to be known of how the set is read, a line each.
    pub notes: Vec<String>,
}

/// Reads data sets of one kind.
pub(super) trait Loader: Sync {
    /// Loads a set. Where [`Loader::fits_itself`], images are chosen and resized as `options` say; otherwise all of them
    /// come as they are.
    ///
    /// # Errors
    /// Files are missing or not what they should be, an option does not fit, or the watcher wants an end.
    fn load(&self, site: &Site<'_>, options: &Options, watch: Watch) -> Result<Dataset, DataError>;

    /// Whether images are chosen and resized as they are read.
    fn fits_itself(&self) -> bool {
        false
    }

    /// What a set holds, found without decoding pictures; none where loading is quick and tells it.
    ///
    /// # Errors
    /// As [`Loader::load`].
    fn contents(&self, _site: &Site<'_>) -> Option<Result<Contents, DataError>> {
        None
    }

    /// The files that are compared with published checksums, as far as they are there.
    fn files(&self, _site: &Site<'_>) -> Vec<PathBuf> {
        Vec::new()
    }

    /// For sets published as an archive: the files it is unpacked to, if all of them are in `folder` and whole.
    fn unpacked(&self, _folder: &Path) -> Option<Vec<PathBuf>> {
        None
    }

    /// Unpacks a fetched archive into `folder`; none where a fetched file is used as it is.
    fn unpack(&self, _archive: &Path, _folder: &Path) -> Option<Result<(), DataError>> {
        None
    }
}
