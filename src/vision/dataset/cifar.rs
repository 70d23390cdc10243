//! The binary version of CIFAR-10 (Krizhevsky 2009): records of one label byte and 3×32×32 pixels, channel-first.

use super::files::{Place, open};
use super::{DataError, Dataset, Images, Source};
use std::io::Read;
use std::path::{Path, PathBuf};

const SIZE: usize = 32;
const CHANNELS: usize = 3;
const CLASSES: u8 = 10;
/// Bytes a record.
const RECORD: usize = 1 + CHANNELS * SIZE * SIZE;
/// A file as published has 10,000 records; a larger one than ten times that is something else.
const MOST: u64 = 100_000;

/// The training batches; those that are there are read.
pub(super) const BATCHES: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];
/// The test batch.
pub(super) const TEST: &str = "test_batch.bin";

/// Whether a batch is called `name`.
pub(super) fn is_batch(name: &str) -> bool {
    name == TEST || BATCHES.contains(&name)
}

/// The batches that are in `folder`.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    BATCHES.iter().chain([&TEST]).map(|name| folder.join(name)).filter(|path| path.is_file()).collect()
}

/// Whether all batches are in `folder`, none of them cut short.
pub(super) fn is_whole(folder: &Path) -> bool {
    let whole = |path: &PathBuf| path.metadata().is_ok_and(|about| about.len() == 10_000 * RECORD as u64);
    files(folder).iter().filter(|path| whole(path)).count() == BATCHES.len() + 1
}

/// Reads the training batches that are there and the test batch.
///
/// # Errors
/// No training batch or no test batch is there, or one is malformed.
pub(super) fn load(data_dir: &Path) -> Result<Dataset, DataError> {
    let source = Source::Cifar10;
    let place = Place::find(source, data_dir, &BATCHES)?;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for name in BATCHES {
        if let Ok(file) = place.file(name) {
            read_batch(open(&file)?, &file, &mut pixels, &mut labels)?;
        }
    }
    let train = Images::new(CHANNELS, SIZE, pixels, labels)?;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    let file = place.file(TEST)?;
    read_batch(open(&file)?, &file, &mut pixels, &mut labels)?;
    Ok(Dataset {
        name: source.name(),
        classes: source.class_names().iter().map(|&name| name.to_owned()).collect(),
        train,
        test: Images::new(CHANNELS, SIZE, pixels, labels)?,
        skipped: Vec::new(),
    })
}

/// Reads one batch, appending pixels `[image, channel, row, column]` and labels. `path` is named in errors.
///
/// # Errors
/// [`DataError::Malformed`]: no records, a record cut short, a label out of range, far too many records.
pub fn read_batch(
    reader: impl Read,
    path: &Path,
    pixels: &mut Vec<u8>,
    labels: &mut Vec<u32>,
) -> Result<(), DataError> {
    let mut bytes = Vec::new();
    let most = MOST * RECORD as u64;
    reader.take(most + 1).read_to_end(&mut bytes).map_err(DataError::io(path, "read"))?;
    let records = bytes.len() / RECORD;
    if bytes.is_empty() {
        return Err(DataError::malformed(path, format!("is empty; records of {RECORD} bytes are expected")));
    }
    if bytes.len() as u64 > most {
        return Err(DataError::malformed(path, format!("more than {MOST} records; a batch has 10000")));
    }
    if !bytes.len().is_multiple_of(RECORD) {
        return Err(DataError::malformed(
            path,
            format!(
                "{} bytes: {records} records of {RECORD} and {} bytes over; the file is cut short or not CIFAR-10's \
                 binary version",
                bytes.len(),
                bytes.len() % RECORD
            ),
        ));
    }
    for (place, record) in bytes.chunks_exact(RECORD).enumerate() {
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
