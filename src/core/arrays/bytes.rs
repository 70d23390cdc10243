//! The bytes of an array: a part of a file, or a compressed part of it.

use super::error::ArrayError;
use flate2::read::DeflateDecoder;
use rawzip::{FileReader, RangeReader};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Opens a regular file; its size in bytes with it.
///
/// # Errors
/// There is none, or something else: a pipe would wait for ever, a device never end.
pub(super) fn open(path: &Path) -> Result<(File, u64), ArrayError> {
    let facts = fs::metadata(path)?;
    if facts.is_dir() {
        return Err(ArrayError::refused("is a directory, allowed: a file"));
    }
    if !facts.is_file() {
        return Err(ArrayError::refused("is a pipe or a device, allowed: a regular file"));
    }
    Ok((File::open(path)?, facts.len()))
}

/// Bytes that can be read from any place on.
#[derive(Debug)]
pub(super) enum ArrayBytes {
    /// They lie in the file as they are.
    Plain {
        /// The file.
        file: File,
        /// Bytes of the file before them.
        start: u64,
        /// How many there are.
        length: u64,
    },
    /// They are deflated: reading runs through all bytes before; reading on from where it stands is cheap.
    Deflated {
        /// Where the stream stands.
        stream: Box<Mutex<InflatedStream>>,
        /// How many bytes there are, inflated.
        length: u64,
    },
}

impl ArrayBytes {
    /// How many bytes there are.
    pub(super) const fn length(&self) -> u64 {
        match self {
            Self::Plain { length, .. } | Self::Deflated { length, .. } => *length,
        }
    }

    /// Fills `buffer` with the bytes from `place` on.
    ///
    /// # Errors
    /// There are fewer, or they cannot be read.
    pub(super) fn read(&self, place: u64, buffer: &mut [u8]) -> Result<(), ArrayError> {
        if place.checked_add(buffer.len() as u64).is_none_or(|end| end > self.length()) {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        match self {
            Self::Plain { file, start, .. } => file.read_exact_at(buffer, start + place)?,
            Self::Deflated { stream, .. } => {
                stream.lock().unwrap_or_else(PoisonError::into_inner).read(place, buffer).map_err(|error| {
                    ArrayError::Refused(format!("its compressed bytes cannot be unpacked: {error}"))
                })?;
            }
        }
        Ok(())
    }
}

/// A deflated part of a file, read forwards.
pub(super) struct InflatedStream {
    file: Arc<FileReader>,
    /// Its first byte in the file, and the one behind its last.
    range: (u64, u64),
    decoder: DeflateDecoder<RangeReader<Arc<FileReader>>>,
    /// Inflated bytes that have been read.
    place: u64,
}

impl InflatedStream {
    /// The deflated bytes of `file` in `range`.
    pub(super) fn new(file: FileReader, range: (u64, u64)) -> Self {
        let file = Arc::new(file);
        Self { decoder: decoder(&file, range), file, range, place: 0 }
    }

    fn read(&mut self, place: u64, buffer: &mut [u8]) -> io::Result<()> {
        if place < self.place {
            self.decoder = decoder(&self.file, self.range);
            self.place = 0;
        }
        self.place += io::copy(&mut self.decoder.by_ref().take(place - self.place), &mut io::sink())?;
        if self.place < place {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let outcome = self.decoder.read_exact(buffer);
        // After a failure the place is not known: the next call begins anew.
        self.place = if outcome.is_ok() { place + buffer.len() as u64 } else { u64::MAX };
        outcome
    }
}

fn decoder(file: &Arc<FileReader>, (start, end): (u64, u64)) -> DeflateDecoder<RangeReader<Arc<FileReader>>> {
    DeflateDecoder::new(RangeReader::new(Arc::clone(file), start..end))
}

impl fmt::Debug for InflatedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InflatedStream").field("range", &self.range).field("place", &self.place).finish_non_exhaustive()
    }
}
