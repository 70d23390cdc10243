//! The data sets there are, by name.

use super::files::spelled;
use super::{DataError, cifar, idx};
use std::path::{Path, PathBuf};

/// A data set's name and where its files are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// 1,797 handwritten digits of 8×8, built in.
    Digits,
    /// MNIST: handwritten digits of 28×28.
    Mnist,
    /// Fashion-MNIST: clothing of 28×28.
    FashionMnist,
    /// CIFAR-10: colour photographs of 32×32.
    Cifar10,
    /// ImageNet (ILSVRC 2012) or any part of it, as an image folder.
    ImageNet,
    /// Places365 or any part of it, as an image folder.
    Places365,
    /// Any image folder.
    Folder,
}

impl Source {
    /// Every data set, in the order they are offered.
    pub const ALL: &[Self] =
        &[Self::Digits, Self::Mnist, Self::FashionMnist, Self::Cifar10, Self::ImageNet, Self::Places365, Self::Folder];

    /// The name on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::Cifar10 => "cifar-10",
            Self::ImageNet => "imagenet",
            Self::Places365 => "places365",
            Self::Folder => "folder",
        }
    }

    /// One line saying what it is.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Digits => "1,797 handwritten digits, 8×8 grey, built in",
            Self::Mnist => "70,000 handwritten digits, 28×28 grey",
            Self::FashionMnist => "70,000 pieces of clothing, 28×28 grey",
            Self::Cifar10 => "60,000 photographs of ten things, 32×32 colour",
            Self::ImageNet => "photographs of up to 1,000 things, an image folder",
            Self::Places365 => "photographs of up to 365 places, an image folder",
            Self::Folder => "photographs in folders named by class",
        }
    }

    /// The data set called `name`.
    ///
    /// # Errors
    /// [`DataError::Name`] lists the names there are.
    pub fn from_name(name: &str) -> Result<Self, DataError> {
        Self::ALL.iter().copied().find(|source| source.name() == name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|source| source.name()).collect();
            DataError::Name { found: name.to_owned(), known: known.join(", ") }
        })
    }

    /// Whether it is a folder of pictures of any size, to be brought to one.
    #[must_use]
    pub const fn is_folder(self) -> bool {
        matches!(self, Self::ImageNet | Self::Places365 | Self::Folder)
    }

    /// Height and width of its images in pixels when nothing else is wanted: as published; 64 for folders of pictures.
    #[must_use]
    pub const fn native_size(self) -> usize {
        match self {
            Self::Digits => 8,
            Self::Mnist | Self::FashionMnist => 28,
            Self::Cifar10 => 32,
            Self::ImageNet | Self::Places365 | Self::Folder => 64,
        }
    }

    /// Colour channels of its images.
    #[must_use]
    pub const fn channels(self) -> usize {
        match self {
            Self::Digits | Self::Mnist | Self::FashionMnist => 1,
            _ => 3,
        }
    }

    /// Its classes in label order; none for folders, which name their own.
    pub(super) const fn class_names(self) -> &'static [&'static str] {
        match self {
            Self::Digits | Self::Mnist => &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
            Self::FashionMnist => &[
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ],
            Self::Cifar10 => {
                &["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
            }
            Self::ImageNet | Self::Places365 | Self::Folder => &[],
        }
    }

    /// The folders its files may lie in, in order of search.
    #[must_use]
    pub fn folders(self, data_dir: &Path) -> Vec<PathBuf> {
        let names: &[&str] = match self {
            Self::Digits => &[],
            Self::Mnist => &["mnist", "MNIST/raw", "MNIST", "mnist/raw"],
            Self::FashionMnist => &["fashion-mnist", "FashionMNIST/raw", "FashionMNIST", "fashion_mnist"],
            Self::Cifar10 => &["cifar-10", "cifar-10-batches-bin", "cifar-10/cifar-10-batches-bin", "cifar10"],
            Self::ImageNet => &["imagenet", "ImageNet", "ILSVRC2012"],
            Self::Places365 => &["places365", "Places365", "places365_standard"],
            Self::Folder => &["image-folder"],
        };
        names.iter().map(|name| data_dir.join(name)).collect()
    }

    /// The files of a set that is not an image folder, as far as they are there.
    pub(super) fn files_there(self, data_dir: &Path) -> Vec<PathBuf> {
        let names: Vec<&str> = match self {
            Self::Mnist | Self::FashionMnist => idx::FILES.to_vec(),
            Self::Cifar10 => cifar::BATCHES.into_iter().chain([cifar::TEST]).collect(),
            Self::Digits | Self::ImageNet | Self::Places365 | Self::Folder => return Vec::new(),
        };
        let there = |folder: PathBuf| names.iter().filter_map(|name| spelled(&folder, name)).collect::<Vec<_>>();
        self.folders(data_dir).into_iter().map(there).find(|files| !files.is_empty()).unwrap_or_default()
    }

    /// What to do when files are missing.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::Digits => "it is built in",
            Self::Mnist | Self::FashionMnist => {
                "`attnlab data fetch` fetches it; or put the four IDX files there, or name another data directory (--data-dir, ATTNLAB_DATA)"
            }
            Self::Cifar10 => {
                "`attnlab data fetch` fetches it; or put data_batch_*.bin and test_batch.bin of the binary version there, or name another data directory \
                 (--data-dir, ATTNLAB_DATA)"
            }
            Self::ImageNet | Self::Places365 => {
                "lay it out as train/CLASS/* and val/CLASS/* there, or name another data directory (--data-dir, \
                 ATTNLAB_DATA)"
            }
            Self::Folder => {
                "lay it out as train/CLASS/* and val/CLASS/*, and name it by `folder` (below the data directory, or from \
                 the root)"
            }
        }
    }
}
