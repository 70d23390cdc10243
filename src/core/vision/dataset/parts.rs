//! Where the parts of an image folder lie: the pictures to train on and those to test on, whatever their folders are called.

use super::error::DataError;
use super::names::spoken;
use std::fs;
use std::path::{Path, PathBuf};

/// What the folder of pictures to train on may be called, in any case; the last four as Places365 is published.
const TRAIN: [&str; 6] = ["train", "training", "data_256_standard", "data_large_standard", "data_256", "data_large"];
/// What the folder of pictures to test on may be called.
const TEST: [&str; 7] = ["val", "valid", "validation", "test", "testing", "val_256", "val_large"];

/// The folders of the two parts, as far as they are there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PartFolders {
    /// Pictures to train on.
    pub train: Option<PathBuf>,
    /// Pictures to test on.
    pub test: Option<PathBuf>,
    /// Further folders that could be those to test on.
    pub unused: Vec<String>,
}

impl PartFolders {
    /// The parts below `root`; the name that stands first in the lists above counts, in lower case before others.
    pub(super) fn of(root: &Path) -> Self {
        let mut there: Vec<(String, PathBuf)> = fs::read_dir(root)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| (spoken(&entry.file_name()).into_owned(), entry.path()))
            .collect();
        there.sort();
        let called = |names: &[&str]| -> Vec<PathBuf> {
            let each = names.iter().flat_map(|name| {
                let exact = there.iter().filter(move |(found, _)| found == name);
                exact.chain(there.iter().filter(move |(found, _)| found != name && found.to_lowercase() == **name))
            });
            each.map(|(_, path)| path.clone()).collect()
        };
        let mut tests = called(&TEST).into_iter();
        let test = tests.next();
        let unused = tests.filter_map(|path| Some(spoken(path.file_name()?).into_owned())).collect();
        Self { train: called(&TRAIN).into_iter().next(), test, unused }
    }

    /// Whether there is neither of them.
    pub(super) const fn none(&self) -> bool {
        self.train.is_none() && self.test.is_none()
    }

    /// Both parts.
    ///
    /// # Errors
    /// One is missing below `root`: which, and what to do.
    pub(super) fn both(&self, root: &Path) -> Result<(&Path, &Path), DataError> {
        let problem = match (&self.train, &self.test) {
            (Some(train), Some(test)) => return Ok((train, test)),
            (Some(train), None) => format!(
                "no folder of pictures to test on beside `{}`: val, valid, validation or test is expected; to have a part of `{0}` \
                 held back for testing, name {} by `folder`",
                train.file_name().map(spoken).unwrap_or_default(),
                train.display()
            ),
            (None, _) => "no folder of pictures to train on: train is expected beside the part to test on".to_owned(),
        };
        Err(DataError::malformed(root, problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_are_found_in_any_case_and_the_first_counts() {
        let root = tempfile::tempdir().unwrap();
        let make = |name: &str| fs::create_dir(root.path().join(name)).unwrap();
        assert!(PartFolders::of(root.path()).none());
        make("Test");
        make("TRAIN");
        let found = PartFolders::of(root.path());
        assert_eq!((found.train, found.test), (Some(root.path().join("TRAIN")), Some(root.path().join("Test"))));
        make("train");
        make("Validation");
        let found = PartFolders::of(root.path());
        assert_eq!(found.train.as_deref(), Some(root.path().join("train").as_path()));
        assert_eq!((found.test, found.unused), (Some(root.path().join("Validation")), vec!["Test".to_owned()]));
    }
}
