//! What an image folder holds, found without decoding a picture.

use super::class_folders::{ClassFolder, Explored, Skipped, explore, shallow_classes};
use super::class_lists::{ClassList, lists};
use super::error::DataError;
use super::facts::Site;
use super::names::{composed, spoken, text_of};
use super::parts::PartFolders;
use super::passed_over::PassedOver;
use super::picture::Picture;
use crate::random::generator;
use rand::seq::SliceRandom;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Where a folder has no parts, one picture of so many of each class is for testing.
const TEST_SHARE: usize = 5;
/// The seed by which they are chosen: the same in every run, so that no model is tested on what another run trained it on.
const SPLIT_SEED: u64 = 0;

/// What an image folder holds, before anything is decoded.
pub(super) struct Listing {
    /// The folder with both parts, or with the classes.
    pub folder: PathBuf,
    /// Class names in label order: the folders of the training part, sorted; or their names by `classes.txt` (`folder TAB name`).
    pub classes: Vec<String>,
    /// Pictures to train on, by class and then by file name.
    pub train: Vec<Picture>,
    /// Pictures to test on.
    pub test: Vec<Picture>,
    /// What is named like a picture and is not a file, or is of no class.
    pub skipped: Skipped,
    /// Files that nothing says to be pictures.
    pub passed_over: PassedOver,
    /// What is to be known of how the folder is read, a line each.
    pub notes: Vec<String>,
}

impl Listing {
    /// Finds the folder and lists its pictures.
    ///
    /// # Errors
    /// There is no such folder, nothing in it that is laid out as pictures by class are, a class without pictures, or a class to
    /// test on that is not trained on.
    pub(super) fn new(site: &Site<'_>) -> Result<Self, DataError> {
        let folders = site.folders();
        let parts = folders.iter().map(|folder| (folder, PartFolders::of(folder))).find(|(_, parts)| !parts.none());
        let Some((folder, parts)) = parts else {
            for folder in &folders {
                if let Some(listing) = Self::without_parts(folder)? {
                    return Ok(listing);
                }
            }
            return Err(site.missing("`train/CLASS/`".to_owned()));
        };
        if parts.test.is_none() {
            // A class may be called `train`.
            let class =
                parts.train.as_deref().and_then(|train| explore(train).ok()).is_some_and(|part| !part.loose.is_empty());
            if let Some(listing) = class.then(|| Self::without_parts(folder)).transpose()?.flatten() {
                return Ok(listing);
            }
        }
        let (train, test) = parts.both(folder)?;
        let mut listing = Self::with_parts(folder, train, test)?;
        if !parts.unused.is_empty() {
            listing.notes.push(format!(
                "tests on the pictures of `{}`; those of {} are not read",
                test.file_name().map(spoken).unwrap_or_default(),
                parts.unused.join(", ")
            ));
        }
        Ok(listing)
    }

    fn with_parts(folder: &Path, train_folder: &Path, test_folder: &Path) -> Result<Self, DataError> {
        let mut train = explore(train_folder)?;
        if train.classes.is_empty() {
            return Err(DataError::malformed(
                train_folder,
                "holds no folder with pictures; one folder a class is expected",
            ));
        }
        let mut test = explore(test_folder)?;
        let names = ClassNames::of(&train.classes);
        let mut notes = Vec::new();
        let tested = match flat(&mut test, &names) {
            Some(pictures) => {
                let Some(list) = ClassList::find(folder, test_folder)? else {
                    let problem = format!(
                        "holds pictures and not one folder a class, and no list beside it says what they show; {} is expected",
                        lists()
                    );
                    return Err(DataError::malformed(test_folder, problem));
                };
                by_list(pictures, &list, &names, &mut test.skipped, &mut notes)
            }
            None => by_folder(std::mem::take(&mut test.classes), &names, train_folder, test_folder)?,
        };
        let labels: Vec<bool> = tested.iter().fold(vec![false; train.classes.len()], |mut seen, picture| {
            seen[picture.label as usize] = true;
            seen
        });
        if let Some(label) = labels.iter().position(|seen| !seen) {
            let path = test_folder.join(&train.classes[label].name);
            return Err(DataError::malformed(&path, "no pictures to test on; every class needs one"));
        }
        let mut passed_over = train.passed_over;
        passed_over.extend(test.passed_over);
        passed_over.outside += train.loose.len() + test.loose.len();
        train.skipped.extend(test.skipped);
        Ok(Self {
            folder: folder.to_owned(),
            classes: called(folder, &train.classes)?,
            train: (0..).zip(train.classes).flat_map(|(label, class)| class.labelled(label)).collect(),
            test: tested,
            skipped: train.skipped,
            passed_over,
            notes,
        })
    }

    /// A folder with one folder a class and no parts; none where fewer than two folders hold pictures.
    fn without_parts(folder: &Path) -> Result<Option<Self>, DataError> {
        if !folder.is_dir() {
            return Ok(None);
        }
        let found = shallow_classes(folder)?;
        if found.classes.len() < 2 {
            return Ok(None);
        }
        if let Some(class) = found.classes.iter().find(|class| class.pictures.len() < 2) {
            return Err(DataError::malformed(
                &class.path,
                "one picture; where there are no folders `train` and `val`, every class needs two, to train and to test on",
            ));
        }
        let mut passed_over = found.passed_over;
        passed_over.outside += found.loose.len();
        let classes = called(folder, &found.classes)?;
        let (mut train, mut test) = (Vec::new(), Vec::new());
        for (label, class) in (0..).zip(found.classes) {
            let mut pictures: Vec<Picture> = class.labelled(label).collect();
            let mut order: Vec<usize> = (0..pictures.len()).collect();
            order.shuffle(&mut generator(SPLIT_SEED, "parts", u64::from(label)));
            order.truncate((pictures.len() / TEST_SHARE).max(1));
            let mut place = 0..;
            let tested = |_: &mut Picture| place.next().is_some_and(|place| order.contains(&place));
            test.extend(pictures.extract_if(.., tested));
            train.extend(pictures);
        }
        let notes = vec![format!(
            "no folders `train` and `val`: {} of the {} pictures are held back for testing, one in {TEST_SHARE} of each class, chosen \
             by seed {SPLIT_SEED}, the same in every run",
            test.len(),
            test.len() + train.len()
        )];
        Ok(Some(Self { folder: folder.to_owned(), classes, train, test, skipped: found.skipped, passed_over, notes }))
    }
}

/// The labels of classes by their names.
struct ClassNames {
    exact: HashMap<Vec<u8>, u32>,
    /// In the form in which names are compared; none for a name that two classes have.
    compared: HashMap<String, Option<u32>>,
}

impl ClassNames {
    fn of(classes: &[ClassFolder]) -> Self {
        let mut names = Self { exact: HashMap::new(), compared: HashMap::new() };
        for (label, class) in (0..).zip(classes) {
            names.exact.insert(class.name.as_encoded_bytes().to_vec(), label);
            names.compared.entry(class.key()).and_modify(|found| *found = None).or_insert(Some(label));
        }
        names
    }

    /// The label of a folder called so.
    fn folder(&self, name: &OsStr) -> Option<u32> {
        let exact = self.exact.get(name.as_encoded_bytes()).copied();
        exact.or_else(|| self.compared.get(&composed(&spoken(name))).copied().flatten())
    }

    /// The label of a class that a list calls so; Places365 writes `/a/arena/hockey` for the folders `a/arena/hockey` and
    /// `arena-hockey`.
    fn listed(&self, name: &str) -> Option<u32> {
        let name = composed(name.trim_matches('/'));
        let folder = |name: &str| self.compared.get(name).copied().flatten();
        folder(&name).or_else(|| {
            let (_, below) = name.split_once('/').filter(|(letter, _)| letter.len() == 1)?;
            folder(below).or_else(|| folder(&below.replace('/', "-"))).or_else(|| folder(&below.replace('/', "_")))
        })
    }
}

/// The pictures of a part without folders by class: they lie in it directly, or in one folder that is no class.
fn flat(test: &mut Explored, names: &ClassNames) -> Option<Vec<Picture>> {
    match test.classes.as_slice() {
        [] if !test.loose.is_empty() => Some(std::mem::take(&mut test.loose)),
        [only] if names.folder(&only.name).is_none() && only.name == "images" => {
            test.classes.pop().map(|only| only.pictures)
        }
        _ => None,
    }
}

/// The pictures of a flat folder with the labels that `list` gives them, by class and then by file name.
fn by_list(
    pictures: Vec<Picture>,
    list: &ClassList,
    names: &ClassNames,
    skipped: &mut Skipped,
    notes: &mut Vec<String>,
) -> Vec<Picture> {
    let (mut tested, mut foreign) = (Vec::new(), 0);
    for picture in pictures {
        match list.class(&picture.path).map(|class| names.listed(class)) {
            Some(Some(label)) => tested.push(Picture { label, ..picture }),
            Some(None) => foreign += 1,
            None => skipped.push((picture.path, format!("does not stand in {}", list.file.display()))),
        }
    }
    if foreign > 0 {
        notes.push(format!("{foreign} pictures to test on are of classes that are not trained on; they are left out"));
    }
    tested.sort_by(|a, b| (a.label, &a.path).cmp(&(b.label, &b.path)));
    tested
}

/// The pictures of a part with one folder a class.
fn by_folder(
    classes: Vec<ClassFolder>,
    names: &ClassNames,
    train_folder: &Path,
    test_folder: &Path,
) -> Result<Vec<Picture>, DataError> {
    if classes.is_empty() {
        return Err(DataError::malformed(test_folder, "holds no folder with pictures; one folder a class is expected"));
    }
    let part = train_folder.file_name().map(spoken).unwrap_or_default();
    let mut tested = Vec::new();
    for class in classes {
        let Some(label) = names.folder(&class.name) else {
            let problem = format!("`{part}` has no class `{}`", spoken(&class.name));
            return Err(DataError::malformed(&class.path, problem));
        };
        tested.extend(class.labelled(label));
    }
    tested.sort_by(|a, b| (a.label, &a.path).cmp(&(b.label, &b.path)));
    Ok(tested)
}

/// What the classes are called: by `classes.txt` where it has a line `folder TAB name`, otherwise as their folders.
fn called(folder: &Path, classes: &[ClassFolder]) -> Result<Vec<String>, DataError> {
    let path = folder.join("classes.txt");
    let bytes = if path.is_file() { fs::read(&path).map_err(DataError::io(&path, "read"))? } else { Vec::new() };
    let text = text_of(&bytes);
    let mut spoken_names = HashMap::new();
    for (folder, name) in text.lines().filter_map(|line| line.split_once('\t')) {
        spoken_names.entry(composed(folder.trim())).or_insert_with(|| name.trim().to_owned());
    }
    let name = |class: &ClassFolder| {
        spoken_names.get(&class.key()).cloned().unwrap_or_else(|| spoken(&class.name).into_owned())
    };
    Ok(classes.iter().map(name).collect())
}
