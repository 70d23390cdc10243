//! Image folders: `train/CLASS/*` and `val/CLASS/*`, pictures of any kind and size; ImageNet, Places365 or any part of them.

use crate::vision::dataset::cache::{Cache, CacheKey};
use crate::vision::dataset::class_folders::Skipped;
use crate::vision::dataset::decode::decode;
use crate::vision::dataset::error::DataError;
use crate::vision::dataset::facts::{Contents, Loader, SetFacts, Site};
use crate::vision::dataset::images::{Images, Pixels};
use crate::vision::dataset::listing::Listing;
use crate::vision::dataset::loaded::{Dataset, Loading, Options, Watch};
use crate::vision::dataset::picture::Picture;
use crate::vision::dataset::split::sample;
use crate::vision::room::reserve;
use rayon::prelude::*;
use std::fs;
use std::path::Path;

/// Pictures decoded between two reports of progress.
const CHUNK: usize = 128;
/// Pixels up to this many bytes are held in memory, more are read from the cache as they are needed.
const IN_MEMORY: usize = 2 << 30;

/// Reads image folders.
struct ImageFolders;

/// An image folder that is looked for in `folders`.
const fn pictures(folders: &'static [&'static str], own_folder: bool, advice: &'static str) -> SetFacts {
    SetFacts {
        size: Some(64),
        channels: Some(3),
        images: [0, 0],
        classes: &[],
        folders,
        own_folder,
        advice,
        published: &[],
        homes: &[],
        loader: &ImageFolders,
    }
}

const PUBLISHED_ADVICE: &str = "lay it out as train/CLASS/* and val/CLASS/* there, or as docs/data.md lists, or name another data directory \
                                (--data-dir, ATTNLAB_DATA)";

/// ImageNet (ILSVRC 2012) or any part of it.
pub(super) static IMAGENET: SetFacts = pictures(
    &["imagenet", "ImageNet", "ILSVRC2012", "imagenet/ILSVRC/Data/CLS-LOC", "ILSVRC/Data/CLS-LOC"],
    false,
    PUBLISHED_ADVICE,
);

/// Places365 or any part of it.
pub(super) static PLACES365: SetFacts =
    pictures(&["places365", "Places365", "places365_standard"], false, PUBLISHED_ADVICE);

/// Any image folder.
pub(super) static FOLDER: SetFacts = pictures(
    &["image-folder"],
    true,
    "lay it out as train/CLASS/* and val/CLASS/*, or as docs/data.md lists, and name it by `folder` (below the data directory, or from the root)",
);

impl Loader for ImageFolders {
    fn fits_itself(&self) -> bool {
        true
    }

    fn contents(&self, site: &Site<'_>) -> Option<Result<Contents, DataError>> {
        Some(Listing::new(site).map(|listing| Contents {
            folder: Some(listing.folder),
            train: listing.train.len(),
            test: listing.test.len(),
            classes: listing.classes,
            size: None,
            channels: 3,
            passed_over: listing.passed_over,
            notes: listing.notes,
        }))
    }

    fn load(&self, site: &Site<'_>, options: &Options, watch: Watch) -> Result<Dataset, DataError> {
        let listing = Listing::new(site)?;
        let size = options.image_size.unwrap_or(64);
        let mut skipped = listing.skipped;
        let mut part = |pictures: &[Picture], most: usize, name: &'static str| {
            let seed = options.only.map_or(0, |only| only.seed);
            let wanted = sample(pictures.len(), most, seed, name);
            let root = fs::canonicalize(&listing.folder).map_err(DataError::io(&listing.folder, "read"))?;
            let part = FolderPart { pictures, wanted: &wanted, size, root: &root, name };
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
        let mut notes = listing.notes;
        notes.extend(listing.passed_over.told());
        Ok(Dataset { name: site.name, classes: listing.classes, train, test, skipped, notes })
    }
}

/// One of the two parts of a folder, to be decoded.
struct FolderPart<'a> {
    pictures: &'a [Picture],
    wanted: &'a [usize],
    size: usize,
    root: &'a Path,
    name: &'static str,
}

impl FolderPart<'_> {
    fn load(&self, cache: Option<&Path>, watch: Watch) -> Result<(Images, Skipped), DataError> {
        if let Some(folder) = cache {
            match self.cached(folder, watch) {
                Err(trouble @ DataError::Io { .. }) => log::warn!("pictures are not cached: {trouble}"),
                done => return done,
            }
        }
        let bytes = 3 * self.size * self.size;
        let mut pixels = reserve(self.wanted.len() * bytes)?;
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
        let key = CacheKey::new(self.root, self.name, self.size, self.pictures);
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
