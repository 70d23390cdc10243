//! Image folders: `train/CLASS/*` and `val/CLASS/*`, JPEG and PNG, any size; ImageNet, Places365 or any part of them.

use super::cache::{Cache, Key};
use super::decode::decode;
use super::files::missing;
use super::images::Pixels;
use super::split::sample;
use super::{DataError, Dataset, Images, Loading, Options, Source, Watch};
use rayon::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Pictures decoded between two looks at the caller.
const CHUNK: usize = 128;
/// Suffixes of pictures, in lower case; what a file *is* is told by its first bytes.
const SUFFIXES: [&str; 3] = ["jpg", "jpeg", "png"];
/// Pixels up to this many bytes are held in memory, more are read from the cache as they are needed.
const IN_MEMORY: usize = 2 << 30;

/// A picture that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its file.
    pub path: PathBuf,
    /// Its class.
    pub label: u32,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last changed, in nanoseconds since 1970.
    pub changed: u128,
}

/// What an image folder holds, before anything is decoded.
#[derive(Debug)]
pub struct Listing {
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
    /// Finds the folder of `source` (for [`Source::Folder`]: `folder`, below the data directory or from the root) and
    /// lists its pictures.
    ///
    /// # Errors
    /// There is no such folder, no `train` or `val` in it, no class, a class without pictures, or a class in `val` that
    /// `train` has not.
    pub fn new(source: Source, data_dir: &Path, folder: Option<&Path>) -> Result<Self, DataError> {
        let folders = match (source, folder) {
            (Source::Folder, Some(folder)) => vec![data_dir.join(folder)],
            _ => source.folders(data_dir),
        };
        let Some(folder) = folders.iter().find(|folder| folder.join("train").exists()) else {
            return Err(missing(source, "train/CLASS/", &folders));
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

/// Loads the image folder of `source`.
///
/// # Errors
/// As [`Listing::new`]; a class of which no picture can be read; the caller wants an end.
pub(super) fn load(source: Source, data_dir: &Path, options: &Options, watch: Watch) -> Result<Dataset, DataError> {
    let listing = Listing::new(source, data_dir, options.folder.as_deref())?;
    let size = options.image_size.unwrap_or(source.native_size());
    let mut skipped = listing.skipped;
    let mut part = |pictures: &[Picture], most: usize, name: &'static str| {
        let seed = options.only.map_or(0, |only| only.seed);
        let wanted = sample(pictures.len(), most, seed, name);
        let root = fs::canonicalize(&listing.folder).map_err(DataError::io(&listing.folder, "read"))?;
        let part = Part { pictures, wanted: &wanted, size, root: &root, name };
        let (images, trouble) = part.load(options.cache.as_deref(), watch)?;
        skipped.extend(trouble);
        // A sample may lack a class; a whole part must not.
        let counts = images.class_counts(listing.classes.len());
        match counts.iter().position(|&count| count == 0).filter(|_| wanted.len() == pictures.len()) {
            Some(class) => {
                let file = pictures.iter().find(|picture| picture.label as usize == class);
                let path = file.and_then(|picture| picture.path.parent()).unwrap_or(&listing.folder);
                Err(DataError::malformed(path, "none of its pictures can be read"))
            }
            None => Ok(images),
        }
    };
    let train = part(&listing.train, options.only.map_or(0, |only| only.train), "train")?;
    let test = part(&listing.test, options.only.map_or(0, |only| only.test), "val")?;
    Ok(Dataset { name: source.name(), classes: listing.classes, train, test, skipped })
}

/// One of the two parts, to be decoded.
struct Part<'a> {
    pictures: &'a [Picture],
    wanted: &'a [usize],
    size: usize,
    root: &'a Path,
    name: &'static str,
}

type Skipped = Vec<(PathBuf, String)>;

impl Part<'_> {
    fn load(&self, cache: Option<&Path>, watch: Watch) -> Result<(Images, Skipped), DataError> {
        if let Some(folder) = cache {
            match self.cached(folder, watch) {
                Err(trouble @ DataError::Io { .. }) => log::warn!("pictures are not cached: {trouble}"),
                done => return done,
            }
        }
        let bytes = 3 * self.size * self.size;
        let mut pixels = Vec::with_capacity((self.wanted.len() * bytes).min(IN_MEMORY));
        let mut read = Vec::new();
        let skipped = self.decode(self.wanted, watch, |chunk| {
            for (index, picture) in chunk {
                pixels.extend_from_slice(picture);
                read.push(*index);
            }
            Ok(())
        })?;
        Ok((Images::new(3, self.size, pixels, self.labels(&read))?, skipped))
    }

    fn cached(&self, folder: &Path, watch: Watch) -> Result<(Images, Skipped), DataError> {
        let bytes = 3 * self.size * self.size;
        let key = Key::new(self.root, self.name, self.size, self.pictures);
        let mut cache = Cache::open(folder, &key, self.pictures.len(), bytes)?;
        let absent: Vec<usize> = self.wanted.iter().copied().filter(|&index| !cache.has(index)).collect();
        let skipped = self.decode(&absent, watch, |chunk| cache.put(chunk))?;
        let slots: Vec<usize> = self.wanted.iter().copied().filter(|&index| cache.has(index)).collect();
        let labels = self.labels(&slots);
        let pixels = if slots.len() * bytes <= IN_MEMORY {
            Pixels::Memory(cache.read(&slots)?)
        } else {
            Pixels::File { cache, slots }
        };
        Ok((Images::over(3, self.size, pixels, labels), skipped))
    }

    /// Decodes the pictures `indices`, a chunk at a time, and gives those that could be read to `keep`.
    fn decode(
        &self,
        indices: &[usize],
        watch: Watch,
        mut keep: impl FnMut(&[(usize, Vec<u8>)]) -> Result<(), DataError>,
    ) -> Result<Skipped, DataError> {
        let mut skipped = Vec::new();
        for (number, chunk) in indices.chunks(CHUNK).enumerate() {
            let done = number * CHUNK;
            if !watch(&Loading { stage: self.name, done, total: indices.len() }) {
                return Err(DataError::Stopped);
            }
            let results: Vec<_> =
                chunk.par_iter().map(|&index| (index, decode(&self.pictures[index].path, self.size))).collect();
            let mut read = Vec::with_capacity(results.len());
            for (index, result) in results {
                match result {
                    Ok(pixels) => read.push((index, pixels)),
                    Err(reason) => skipped.push((self.pictures[index].path.clone(), reason)),
                }
            }
            keep(&read)?;
        }
        if !indices.is_empty() {
            watch(&Loading { stage: self.name, done: indices.len(), total: indices.len() });
        }
        Ok(skipped)
    }

    fn labels(&self, indices: &[usize]) -> Vec<u32> {
        indices.iter().map(|&index| self.pictures[index].label).collect()
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
