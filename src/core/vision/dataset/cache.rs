//! Decoded pictures kept on disk: one file per part and size, with a slot per picture that is filled when the picture is
//! first needed. So a sample of a large set decodes no more than itself, and what was decoded before a stop is kept.
//!
//! Layout: a magic line, the key, one byte per picture (1: its slot is filled), the slots. A slot's byte is written only
//! after its pixels have reached the disk.

use super::error::DataError;
use super::picture::Picture;
use crate::vision::room::zeros;
use md5::{Digest, Md5};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The digit rises when pictures are read otherwise than before: 2 refuses pictures that are cut short.
const MAGIC: &[u8; 16] = b"attnlab images2\n";
const KEY: usize = 32;

/// What a cache file belongs to: one part of a folder at one size, with the names, sizes and times of its files.
pub(super) struct CacheKey {
    place: String,
    files: String,
}

impl CacheKey {
    /// Names the part `name` of the folder `root` (canonical) at `size` pixels, holding `pictures`.
    pub(super) fn new(root: &Path, name: &str, size: usize, pictures: &[Picture]) -> Self {
        let mut place = Md5::new();
        place.update(root.as_os_str().as_encoded_bytes());
        place.update([0]);
        place.update(name);
        let mut files = Md5::new();
        for picture in pictures {
            files.update(picture.path.strip_prefix(root).unwrap_or(&picture.path).as_os_str().as_encoded_bytes());
            files.update([0]);
            files.update(picture.bytes.to_le_bytes());
            files.update(picture.changed.to_le_bytes());
        }
        Self { place: format!("{}-{name}-{size}", &hex(&place.finalize())[..12]), files: hex(&files.finalize()) }
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An open cache file.
#[derive(Debug)]
pub(super) struct Cache {
    file: File,
    path: PathBuf,
    filled: Vec<u8>,
    bytes: usize,
}

impl Cache {
    /// Opens the cache of `key` in `folder`, or creates it; a cache made before the folder's files changed is removed.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(super) fn open(folder: &Path, key: &CacheKey, count: usize, bytes: usize) -> Result<Self, DataError> {
        let path = folder.join(format!("{}-{}.pixels", key.place, &key.files[..12]));
        if let Some(cache) = Self::existing(&path, key, count, bytes) {
            return Ok(cache);
        }
        fs::create_dir_all(folder).map_err(DataError::io(folder, "create"))?;
        for entry in fs::read_dir(folder).map_err(DataError::io(folder, "read"))?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&format!("{}-", key.place)) {
                // An outdated cache that cannot be removed does no harm beyond the room it takes.
                let _ = fs::remove_file(entry.path());
            }
        }
        let part = path.with_extension(format!("{}.part", std::process::id()));
        let whole = (MAGIC.len() + KEY + count * (1 + bytes)) as u64;
        let begin = || {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&part)?;
            file.set_len(whole)?;
            file.write_all_at(MAGIC, 0)?;
            file.write_all_at(key.files.as_bytes(), MAGIC.len() as u64)?;
            fs::rename(&part, &path)?;
            Ok(file)
        };
        let file = begin().map_err(DataError::io(&path, "write"))?;
        Ok(Self { file, path, filled: vec![0; count], bytes })
    }

    fn existing(path: &Path, key: &CacheKey, count: usize, bytes: usize) -> Option<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path).ok()?;
        let head = MAGIC.len() + KEY;
        let mut start = vec![0; head + count];
        file.read_exact_at(&mut start, 0).ok()?;
        let whole = (head + count * (1 + bytes)) as u64;
        let fits = start.starts_with(MAGIC)
            && start[MAGIC.len()..head] == *key.files.as_bytes()
            && file.metadata().ok()?.len() == whole;
        fits.then(|| Self { file, path: path.to_owned(), filled: start.split_off(head), bytes })
    }

    /// Whether the slot `index` is filled.
    pub(super) fn has(&self, index: usize) -> bool {
        self.filled[index] == 1
    }

    /// Fills slots.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn put(&mut self, pictures: &[(usize, Vec<u8>)]) -> Result<(), DataError> {
        let write = || {
            for (index, pixels) in pictures {
                self.file.write_all_at(pixels, self.offset(*index))?;
            }
            self.file.sync_data()?;
            for (index, _) in pictures {
                self.file.write_all_at(&[1], (MAGIC.len() + KEY + index) as u64)?;
            }
            Ok(())
        };
        write().map_err(DataError::io(&self.path, "write"))?;
        for (index, _) in pictures {
            self.filled[*index] = 1;
        }
        Ok(())
    }

    /// The pixels of the slots `indices`, one after another.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn read(&self, indices: &[usize]) -> Result<Vec<u8>, DataError> {
        let mut pixels = zeros(indices.len() * self.bytes)?;
        for (pixels, &index) in pixels.chunks_exact_mut(self.bytes).zip(indices) {
            self.read_into(index, pixels)?;
        }
        Ok(pixels)
    }

    /// The pixels of the slot `index`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn read_into(&self, index: usize, pixels: &mut [u8]) -> Result<(), DataError> {
        self.file.read_exact_at(pixels, self.offset(index)).map_err(DataError::io(&self.path, "read"))
    }

    fn offset(&self, index: usize) -> u64 {
        (MAGIC.len() + KEY + self.filled.len()) as u64 + index as u64 * self.bytes as u64
    }
}

/// Where caches lie when nothing else is said: `ATTNLAB_CACHE`, otherwise `attnlab` in `XDG_CACHE_HOME` or `~/.cache`;
/// none where neither is known.
#[must_use]
pub fn default_cache() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("ATTNLAB_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("attnlab")))
        .or_else(|| set("HOME").map(|folder| folder.join(".cache/attnlab")))
}
