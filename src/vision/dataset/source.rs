//! The data sets there are, by name.

use super::DataError;
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
}

impl Source {
    /// Every data set, in the order they are offered.
    pub const ALL: &[Self] = &[Self::Digits, Self::Mnist, Self::FashionMnist];

    /// The name on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
        }
    }

    /// One line saying what it is.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Digits => "1,797 handwritten digits, 8×8 grey, built in",
            Self::Mnist => "70,000 handwritten digits, 28×28 grey",
            Self::FashionMnist => "70,000 pieces of clothing, 28×28 grey",
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

    /// Height and width of its images as published, in pixels.
    #[must_use]
    pub const fn native_size(self) -> usize {
        match self {
            Self::Digits => 8,
            Self::Mnist | Self::FashionMnist => 28,
        }
    }

    /// Colour channels of its images.
    #[must_use]
    pub const fn channels(self) -> usize {
        match self {
            Self::Digits | Self::Mnist | Self::FashionMnist => 1,
        }
    }

    /// Its classes in label order.
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
        }
    }

    /// The folders its files may lie in, in order of search.
    #[must_use]
    pub fn folders(self, data_dir: &Path) -> Vec<PathBuf> {
        let names: &[&str] = match self {
            Self::Digits => &[],
            Self::Mnist => &["mnist", "MNIST/raw", "MNIST", "mnist/raw"],
            Self::FashionMnist => &["fashion-mnist", "FashionMNIST/raw", "FashionMNIST", "fashion_mnist"],
        };
        names.iter().map(|name| data_dir.join(name)).collect()
    }

    /// What to do when files are missing.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::Digits => "it is built in",
            Self::Mnist | Self::FashionMnist => {
                "put the four IDX files there, or name another data directory (--data-dir, ATTNLAB_DATA)"
            }
        }
    }
}
