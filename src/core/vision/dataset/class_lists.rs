//! Lists that say of which class each picture of a flat folder is, as ImageNet, Places365 and Tiny ImageNet are published.

use super::error::DataError;
use super::matlab::synsets;
use super::names::{composed, text_of};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The most bytes of a list that are read.
const LARGEST: u64 = 64 << 20;
/// Where lists lie below the folder of the parts and those above it.
const FOLDERS: [&str; 6] =
    ["", "ILSVRC2012_devkit_t12/data", "ILSVRC2012_devkit_t12", "devkit/data", "data", "filelist_places365-standard"];
/// How far above the folder of the parts lists are looked for: Kaggle puts ImageNet into `ILSVRC/Data/CLS-LOC`.
const ABOVE: usize = 3;

const SOLUTION: &str = "LOC_val_solution.csv";
const GROUND_TRUTH: &str = "ILSVRC2012_validation_ground_truth.txt";
const META: &str = "meta.mat";
const CLASS_IDS: &str = "map_clsloc.txt";
const PLACES: &str = "places365_val.txt";
const CATEGORIES: &str = "categories_places365.txt";
const ANNOTATIONS: &str = "val_annotations.txt";

/// The lists that are looked for, as messages name them.
pub(super) fn lists() -> String {
    format!("{SOLUTION}, {GROUND_TRUTH} with {META}, {PLACES} with {CATEGORIES}, or {ANNOTATIONS}")
}

/// The class of each picture of a flat folder.
pub(super) struct ClassList {
    /// The list it was read from.
    pub file: PathBuf,
    classes: ListedClasses,
}

enum ListedClasses {
    /// By the name of the picture, without its suffix and in the form in which names are compared.
    Named(HashMap<String, String>),
    /// By the number at the end of the picture's name, from 1.
    Numbered(Vec<String>),
}

impl ClassList {
    /// The list that belongs to the flat folder `part` below `root`; none where there is none.
    ///
    /// # Errors
    /// A list is there and cannot be read, is not what it should be, or needs another file that is not there.
    pub(super) fn find(root: &Path, part: &Path) -> Result<Option<Self>, DataError> {
        let above = root.ancestors().take(1 + ABOVE).flat_map(|folder| FOLDERS.map(|below| folder.join(below)));
        let folders: Vec<PathBuf> =
            [part.to_owned(), part.parent().unwrap_or(root).to_owned()].into_iter().chain(above).collect();
        let found = |name: &str| folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
        let need = |list: &Path, names: &[&str]| {
            names.iter().find_map(|name| found(name)).ok_or_else(|| {
                DataError::malformed(
                    list,
                    format!("gives classes as numbers; {} that names them is expected beside it", names.join(" or ")),
                )
            })
        };
        let (file, classes) = if let Some(file) = found(SOLUTION) {
            let classes = ListedClasses::Named(solution(&file)?);
            (file, classes)
        } else if let Some(file) = found(GROUND_TRUTH) {
            let ids = need(&file, &[META, CLASS_IDS])?;
            let classes = ListedClasses::Numbered(ground_truth(&file, &ids)?);
            (file, classes)
        } else if let Some(file) = found(PLACES) {
            let categories = need(&file, &[CATEGORIES])?;
            let classes = ListedClasses::Named(places(&file, &categories)?);
            (file, classes)
        } else if let Some(file) = found(ANNOTATIONS) {
            let classes = ListedClasses::Named(annotations(&file)?);
            (file, classes)
        } else {
            return Ok(None);
        };
        Ok(Some(Self { file, classes }))
    }

    /// The class of the picture at `path`; none where it does not stand in the list.
    pub(super) fn class(&self, path: &Path) -> Option<&str> {
        let name = stem(&text_of(path.file_name()?.as_encoded_bytes()));
        match &self.classes {
            ListedClasses::Named(classes) => classes.get(&name).map(String::as_str),
            ListedClasses::Numbered(classes) => {
                let digits = name.len() - name.trim_end_matches(|digit: char| digit.is_ascii_digit()).len();
                let number: usize = name[name.len() - digits..].parse().ok()?;
                classes.get(number.checked_sub(1)?).map(String::as_str)
            }
        }
    }
}

/// The name of a picture's file without its suffix, in the form in which names are compared.
fn stem(name: &str) -> String {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    composed(name.rsplit_once('.').map_or(name, |(stem, _)| stem))
}

fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(DataError::io(path, "read"))?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(DataError::io(path, "read"))?;
    if bytes.len() as u64 > LARGEST {
        return Err(DataError::malformed(
            path,
            format!("has more than {LARGEST} bytes; a list of classes is expected"),
        ));
    }
    Ok(bytes)
}

/// The lines of a list that are not empty, each with its number and cut by `cut`; a line that cannot be cut is an error.
fn lines<T>(path: &Path, form: &str, cut: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, DataError> {
    let bytes = read(path)?;
    let text = text_of(&bytes);
    let filled = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    filled
        .map(|(number, line)| {
            cut(line.trim())
                .ok_or_else(|| DataError::malformed(path, format!("line {}: `{form}` is expected", number + 1)))
        })
        .collect()
}

/// `ILSVRC2012_val_00048981,n03995372 85 1 499 272`, below a line with the names of the columns.
fn solution(path: &Path) -> Result<HashMap<String, String>, DataError> {
    let rows = lines(path, "PICTURE,CLASS …", |line| {
        let (picture, class) = line.split_once(',')?;
        Some((stem(picture.trim_matches('"')), class.trim_matches('"').split_whitespace().next()?.to_owned()))
    })?;
    Ok(rows.into_iter().filter(|(picture, _)| picture != "ImageId").collect())
}

/// `val_0.JPEG TAB n03444034 TAB …`.
fn annotations(path: &Path) -> Result<HashMap<String, String>, DataError> {
    let rows = lines(path, "PICTURE TAB CLASS", |line| {
        let mut words = line.split_whitespace();
        Some((stem(words.next()?), words.next()?.to_owned()))
    })?;
    Ok(rows.into_iter().collect())
}

/// A word and a number, one pair a line.
fn numbered(path: &Path, form: &str) -> Result<Vec<(String, usize)>, DataError> {
    lines(path, form, |line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
    })
}

/// `Places365_val_00000001.jpg 165`, with `/a/airfield 0` in the list of categories.
fn places(path: &Path, categories: &Path) -> Result<HashMap<String, String>, DataError> {
    let names: HashMap<usize, String> =
        numbered(categories, "CLASS NUMBER")?.into_iter().map(|(name, number)| (number, name)).collect();
    let rows = numbered(path, "PICTURE NUMBER")?.into_iter().map(|(picture, number)| match names.get(&number) {
        Some(name) => Ok((stem(&picture), name.clone())),
        None => Err(unknown(path, number, categories)),
    });
    rows.collect()
}

/// A number a line, the class of the picture with the line's number; the other file says what the numbers stand for.
fn ground_truth(path: &Path, ids: &Path) -> Result<Vec<String>, DataError> {
    let names: HashMap<usize, String> = if ids.ends_with(META) {
        synsets(&read(ids)?).map_err(|problem| DataError::malformed(ids, problem))?
    } else {
        numbered(ids, "CLASS NUMBER …")?.into_iter().map(|(name, number)| (number, name)).collect()
    };
    let numbers = lines(path, "NUMBER", |line| line.parse::<usize>().ok())?;
    numbers.into_iter().map(|number| names.get(&number).cloned().ok_or_else(|| unknown(path, number, ids))).collect()
}

fn unknown(path: &Path, number: usize, names: &Path) -> DataError {
    DataError::malformed(path, format!("class {number} does not stand in {}", names.display()))
}
