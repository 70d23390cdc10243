//! The binary versions of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): records of label bytes (one, and two: coarse and fine) and
//! 3×32×32 pixels, channel-first.

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
/// Values of an image.
const PIXELS: usize = CHANNELS * SIZE * SIZE;
/// Most records of a file: a published one has at most 50,000, and a file of more than twice that is none.
const MOST: usize = 100_000;

/// One of the two sets in this form: its files, and the bytes before the pixels of a record.
struct Batches {
    /// The files to train on; those that are there are read.
    train: &'static [&'static str],
    /// The file to test on.
    test: &'static str,
    /// Records of each file to train on, as published.
    records: usize,
    /// Labels of a record; the last is the class.
    labels: usize,
    classes: u8,
    /// The files of the Python version, which lie in the folders of the same names with `py` or `python`.
    python: &'static [&'static str],
}

static TEN: Batches = Batches {
    train: &["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
    test: "test_batch.bin",
    records: 10_000,
    labels: 1,
    classes: 10,
    python: &["data_batch_1", "cifar-10-batches-py/data_batch_1"],
};

static HUNDRED: Batches = Batches {
    train: &["train.bin"],
    test: "test.bin",
    records: 50_000,
    labels: 2,
    classes: 100,
    python: &["train", "cifar-100-python/train"],
};

/// Records of each file to test on, as published.
const TEST_RECORDS: usize = 10_000;
/// Where both sets are published.
const HOMES: &[&str] = &["https://www.cs.toronto.edu/~kriz/"];

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
    homes: HOMES,
    loader: &TEN,
};

/// CIFAR-100, by its fine classes.
pub(super) static CIFAR_100: SetFacts = SetFacts {
    size: Some(SIZE),
    channels: Some(CHANNELS),
    images: [50_000, 10_000],
    classes: &[
        "apple",
        "aquarium_fish",
        "baby",
        "bear",
        "beaver",
        "bed",
        "bee",
        "beetle",
        "bicycle",
        "bottle",
        "bowl",
        "boy",
        "bridge",
        "bus",
        "butterfly",
        "camel",
        "can",
        "castle",
        "caterpillar",
        "cattle",
        "chair",
        "chimpanzee",
        "clock",
        "cloud",
        "cockroach",
        "couch",
        "crab",
        "crocodile",
        "cup",
        "dinosaur",
        "dolphin",
        "elephant",
        "flatfish",
        "forest",
        "fox",
        "girl",
        "hamster",
        "house",
        "kangaroo",
        "keyboard",
        "lamp",
        "lawn_mower",
        "leopard",
        "lion",
        "lizard",
        "lobster",
        "man",
        "maple_tree",
        "motorcycle",
        "mountain",
        "mouse",
        "mushroom",
        "oak_tree",
        "orange",
        "orchid",
        "otter",
        "palm_tree",
        "pear",
        "pickup_truck",
        "pine_tree",
        "plain",
        "plate",
        "poppy",
        "porcupine",
        "possum",
        "rabbit",
        "raccoon",
        "ray",
        "road",
        "rocket",
        "rose",
        "sea",
        "seal",
        "shark",
        "shrew",
        "skunk",
        "skyscraper",
        "snail",
        "snake",
        "spider",
        "squirrel",
        "streetcar",
        "sunflower",
        "sweet_pepper",
        "table",
        "tank",
        "telephone",
        "television",
        "tiger",
        "tractor",
        "train",
        "trout",
        "tulip",
        "turtle",
        "wardrobe",
        "whale",
        "willow_tree",
        "wolf",
        "woman",
        "worm",
    ],
    folders: &["cifar-100", "cifar-100-binary", "cifar-100/cifar-100-binary", "cifar100"],
    own_folder: false,
    advice: "`attnlab data fetch` fetches it; or put train.bin and test.bin of the binary version there, or name another data \
             directory (--data-dir, ATTNLAB_DATA)",
    published: &[Published {
        name: "cifar-100-binary.tar.gz",
        bytes: 168_513_733,
        md5: "03b5dce01913d631647c71ecec9e9cb8",
    }],
    homes: HOMES,
    loader: &HUNDRED,
};

fn quoted(name: &str) -> String {
    format!("`{name}`")
}

impl Batches {
    /// The names of all files.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.train.iter().copied().chain([self.test])
    }

    /// Bytes of a record.
    const fn record(&self) -> usize {
        self.labels + PIXELS
    }

    /// Says that a folder holds the Python version, where that is all there is.
    fn python_version(&self, site: &Site<'_>) -> Option<DataError> {
        let beside =
            self.python.iter().filter_map(|name| name.split_once('/')).map(|(folder, _)| site.data_dir.join(folder));
        let folders: Vec<PathBuf> = site.folders().into_iter().chain(beside).collect();
        let files = folders.iter().flat_map(|folder| self.python.iter().map(move |name| folder.join(name)));
        let pickle = |path: &PathBuf| {
            let mut start = [0; 2];
            File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
                && start[0] == 0x80
                && start[1] <= 5
        };
        let file = files.into_iter().find(pickle)?;
        let problem = format!(
            "is of {}'s Python version (a pickle), which is not read; the binary version is: {}",
            site.name, site.facts.advice
        );
        Some(DataError::malformed(&file, problem))
    }

    /// Reads the images of `files`, of which each has about `records`.
    fn read(&self, files: &[PathBuf], records: usize) -> Result<Images, DataError> {
        let (mut pixels, mut labels) = (reserve(files.len() * records * PIXELS)?, Vec::new());
        for file in files {
            read_records(open(file)?, file, (self.labels, self.classes), &mut pixels, &mut labels)?;
        }
        Images::new(CHANNELS, SIZE, pixels, labels)
    }
}

impl Loader for Batches {
    /// Reads the training batches that are there and the test batch.
    fn load(&self, site: &Site<'_>, _: &Options, _: Watch) -> Result<Dataset, DataError> {
        let place = SetFolder::find(*site, self.train, quoted)
            .map_err(|missing| self.python_version(site).unwrap_or(missing))?;
        let files: Vec<_> = self.train.iter().filter_map(|name| place.file(name, quoted).ok()).collect();
        let train = self.read(&files, self.records)?;
        let test = self.read(&[place.file(self.test, quoted)?], TEST_RECORDS)?;
        Ok(Dataset::whole(site.name, site.class_names(), train, test))
    }

    fn files(&self, site: &Site<'_>) -> Vec<PathBuf> {
        there(site, &self.names().collect::<Vec<_>>())
    }

    fn unpacked(&self, folder: &Path) -> Option<Vec<PathBuf>> {
        let files: Vec<_> = self.names().map(|name| folder.join(name)).collect();
        let whole = |path: &PathBuf| {
            let records = if path.ends_with(self.test) { TEST_RECORDS } else { self.records };
            path.metadata().is_ok_and(|about| about.len() == (records * self.record()) as u64)
        };
        files.iter().all(whole).then_some(files)
    }

    fn unpack(&self, archive: &Path, folder: &Path) -> Option<Result<(), DataError>> {
        Some(self.unpack_into(archive, folder))
    }
}

/// Reads one batch of CIFAR-10 record by record, appending pixels `[image, channel, row, column]` and labels. `path` is named in
/// errors.
///
/// # Errors
/// [`DataError::Malformed`]: no records, a record cut short, a label out of range, far too many records.
pub fn read_batch(
    reader: impl Read,
    path: &Path,
    pixels: &mut Vec<u8>,
    labels: &mut Vec<u32>,
) -> Result<(), DataError> {
    read_records(reader, path, (TEN.labels, TEN.classes), pixels, labels)
}

/// Reads records of `label_bytes` labels, of which the last counts and is below `classes`, and the pixels of an image.
fn read_records(
    mut reader: impl Read,
    path: &Path,
    (label_bytes, classes): (usize, u8),
    pixels: &mut Vec<u8>,
    labels: &mut Vec<u32>,
) -> Result<(), DataError> {
    let mut record = vec![0; label_bytes + PIXELS];
    let size = record.len();
    for place in 0..=MOST {
        let filled = fill(&mut reader, &mut record).map_err(DataError::io(path, "read"))?;
        match filled {
            0 if place == 0 => {
                return Err(DataError::malformed(path, format!("is empty; records of {size} bytes are expected")));
            }
            0 => return Ok(()),
            filled if filled == size && place == MOST => {
                return Err(DataError::malformed(
                    path,
                    format!("more than {MOST} records; a file of CIFAR has at most 50000"),
                ));
            }
            filled if filled == size => {}
            over => {
                return Err(DataError::malformed(
                    path,
                    format!(
                        "{} bytes: {place} records of {size} and {over} bytes over; the file is cut short or not \
                         CIFAR-{classes}'s binary version",
                        place * size + over
                    ),
                ));
            }
        }
        let label = record[label_bytes - 1];
        if label >= classes {
            let problem = format!("label {label} in record {place}; 0 to {} are allowed", classes - 1);
            return Err(DataError::malformed(path, problem));
        }
        labels.push(u32::from(label));
        pixels.extend_from_slice(&record[label_bytes..]);
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
    TEN.unpack_into(archive, folder)
}

impl Batches {
    /// Unpacks the files of the set from its archive.
    fn unpack_into(&self, archive: &Path, folder: &Path) -> Result<(), DataError> {
        let damaged = |trouble: io::Error| DataError::malformed(archive, format!("damaged archive: {trouble}"));
        let mut packed = tar::Archive::new(open(archive)?);
        for entry in packed.entries().map_err(damaged)? {
            let mut entry = entry.map_err(damaged)?;
            let name = match entry.path().ok().as_deref().and_then(Path::file_name).and_then(|name| name.to_str()) {
                Some(name) if self.names().any(|batch| batch == name) && entry.header().entry_type().is_file() => {
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
                return Err(DataError::malformed(
                    archive,
                    format!("cannot unpack into {}: {trouble}", target.display()),
                ));
            }
            out.sync_all().map_err(DataError::io(&part, "write"))?;
            fs::rename(&part, &target).map_err(DataError::io(&target, "write"))?;
        }
        if self.unpacked(folder).is_some() {
            return Ok(());
        }
        let expected: Vec<_> = self.names().collect();
        Err(DataError::malformed(
            archive,
            format!("lacks a file, or one is cut short: {} are expected", expected.join(", ")),
        ))
    }
}
