//! The binary version of CIFAR-10 (Krizhevsky 2009): records of one label byte and 3×32×32 pixels, channel-first.

use crate::vision::dataset::error::DataError;
use crate::vision::dataset::facts::{Loader, Published, SetFacts, Site};
use crate::vision::dataset::files::{SetFolder, open, there};
use crate::vision::dataset::images::Images;
use crate::vision::dataset::loaded::{Dataset, Options, Watch};
use crate::vision::room::reserve;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

const SIZE: usize = 32;
const CHANNELS: usize = 3;
const CLASSES: u8 = 10;
/// Bytes per record.
const RECORD: usize = 1 + CHANNELS * SIZE * SIZE;
/// Pixels of a batch as published.
const BATCH: usize = 10_000 * (RECORD - 1);
/// Most records of a file: a published one has 10,000, and a file of more than ten times that is no batch.
const MOST: usize = 100_000;

/// The training batches; those that are there are read.
const BATCHES: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];
/// The test batch.
const TEST: &str = "test_batch.bin";

/// CIFAR-10. At least one of its training batches has to be there.
pub(super) static CIFAR_10: SetFacts = SetFacts {
    size: Some(SIZE),
    channels: Some(CHANNELS),
    images: [50_000, 10_000],
    classes: &["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
    folders: &["cifar-10", "cifar-10-batches-bin", "cifar-10/cifar-10-batches-bin", "cifar10"],
    own_folder: false,
    advice: "`attnlab data fetch` fetches it; or put data_batch_*.bin and test_batch.bin of the binary version there, or name \
             another data directory (--data-dir, ATTNLAB_DATA)",
    published: &[Published {
        name: "cifar-10-binary.tar.gz",
        bytes: 170_052_171,
        md5: "c32a1d4ab5d03f1284b67883e8d87530",
    }],
    homes: &["https://www.cs.toronto.edu/~kriz/"],
    loader: &Batches,
};

/// Reads the batches.
struct Batches;

fn quoted(name: &str) -> String {
    format!("`{name}`")
}

/// The names of all batches.
fn names() -> impl Iterator<Item = &'static str> {
    BATCHES.into_iter().chain([TEST])
}

impl Loader for Batches {
    /// Reads the training batches that are there and the test batch.
    fn load(&self, site: &Site<'_>, _: &Options, _: Watch) -> Result<Dataset, DataError> {
        let place = SetFolder::find(*site, &BATCHES, quoted)?;
        let files: Vec<_> = BATCHES.iter().filter_map(|name| place.file(name, quoted).ok()).collect();
        let (mut pixels, mut labels) = (reserve(files.len() * BATCH)?, Vec::new());
        for file in files {
            read_batch(open(&file)?, &file, &mut pixels, &mut labels)?;
        }
        let train = Images::new(CHANNELS, SIZE, pixels, labels)?;
        let (mut pixels, mut labels) = (reserve(BATCH)?, Vec::new());
        let file = place.file(TEST, quoted)?;
        read_batch(open(&file)?, &file, &mut pixels, &mut labels)?;
        let test = Images::new(CHANNELS, SIZE, pixels, labels)?;
        Ok(Dataset { name: site.name, classes: site.class_names(), train, test, skipped: Vec::new() })
    }

    fn files(&self, site: &Site<'_>) -> Vec<PathBuf> {
        there(site, &names().collect::<Vec<_>>())
    }

    fn unpacked(&self, folder: &Path) -> Option<Vec<PathBuf>> {
        let files: Vec<_> = names().map(|name| folder.join(name)).collect();
        let whole = |path: &PathBuf| path.metadata().is_ok_and(|about| about.len() == 10_000 * RECORD as u64);
        files.iter().all(whole).then_some(files)
    }

    fn unpack(&self, archive: &Path, folder: &Path) -> Option<Result<(), DataError>> {
        Some(unpack(archive, folder))
    }
}

/// Reads one batch record by record, appending pixels `[image, channel, row, column]` and labels. `path` is named in errors.
///
/// # Errors
/// [`DataError::Malformed`]: no records, a record cut short, a label out of range, far too many records.
pub fn read_batch(
    mut reader: impl Read,
    path: &Path,
    pixels: &mut Vec<u8>,
    labels: &mut Vec<u32>,
) -> Result<(), DataError> {
    let mut record = [0; RECORD];
    for place in 0..=MOST {
        let filled = fill(&mut reader, &mut record).map_err(DataError::io(path, "read"))?;
        match filled {
            0 if place == 0 => {
                return Err(DataError::malformed(path, format!("is empty; records of {RECORD} bytes are expected")));
            }
            0 => return Ok(()),
            RECORD if place == MOST => {
                return Err(DataError::malformed(path, format!("more than {MOST} records; a batch has 10000")));
            }
            RECORD => {}
            over => {
                return Err(DataError::malformed(
                    path,
                    format!(
                        "{} bytes: {place} records of {RECORD} and {over} bytes over; the file is cut short or not \
                         CIFAR-10's binary version",
                        place * RECORD + over
                    ),
                ));
            }
        }
        if record[0] >= CLASSES {
            return Err(DataError::malformed(
                path,
                format!("label {} in record {place}; 0 to {} are allowed", record[0], CLASSES - 1),
            ));
        }
        labels.push(u32::from(record[0]));
        pixels.extend_from_slice(&record[1..]);
    }
    Ok(())
}

/// Fills `record` as far as there are bytes; returns how far.
fn fill(reader: &mut impl Read, record: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < record.len() {
        match reader.read(&mut record[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(trouble) if trouble.kind() == io::ErrorKind::Interrupted => {}
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(filled)
}

/// Unpacks the batches of CIFAR-10's archive into `folder` under their bare names; everything else in it is left out.
///
/// # Errors
/// The archive is damaged or lacks a batch, or the folder cannot be written.
pub fn unpack(archive: &Path, folder: &Path) -> Result<(), DataError> {
    let damaged = |trouble: io::Error| DataError::malformed(archive, format!("damaged archive: {trouble}"));
    let mut packed = tar::Archive::new(open(archive)?);
    for entry in packed.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let name = match entry.path().ok().as_deref().and_then(Path::file_name).and_then(|name| name.to_str()) {
            Some(name) if names().any(|batch| batch == name) && entry.header().entry_type().is_file() => {
                name.to_owned()
            }
            _ => continue,
        };
        let target = folder.join(&name);
        let part = folder.join(format!("{name}.part"));
        let mut out = File::create(&part).map_err(DataError::io(&part, "write"))?;
        if let Err(trouble) = io::copy(&mut entry, &mut out) {
            // The archive stays, so that unpacking can be repeated.
            let _ = fs::remove_file(&part);
            return Err(DataError::malformed(archive, format!("cannot unpack into {}: {trouble}", target.display())));
        }
        out.sync_all().map_err(DataError::io(&part, "write"))?;
        fs::rename(&part, &target).map_err(DataError::io(&target, "write"))?;
    }
    if Batches.unpacked(folder).is_some() {
        return Ok(());
    }
    Err(DataError::malformed(
        archive,
        "lacks a batch: data_batch_1.bin to data_batch_5.bin and test_batch.bin are expected",
    ))
}
