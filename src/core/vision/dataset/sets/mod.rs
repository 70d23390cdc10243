//! The data sets there are: each is declared once, its name and help in the table below, what else is known of it beside the
//! loader that reads it. A further set is a constant there and a line here.

pub mod cifar;
mod digits;
mod folder;
mod idx_files;

use super::error::DataError;
use super::facts::{SetFacts, Site};
use crate::named::{Named, named};
use std::path::Path;

/// Declares the data sets with what is known of each.
macro_rules! data_sets {
    ($($Set:ident = $name:literal, $help:literal => $facts:expr;)+) => {
        named! {
            /// A data set that can be trained on.
            pub enum DataSource {
                $($Set = $name, $help;)+
            }
        }

        impl DataSource {
            pub(super) fn facts(self) -> &'static SetFacts {
                match self {
                    $(Self::$Set => &$facts,)+
                }
            }
        }
    };
}

data_sets! {
    Digits = "digits", "1,797 handwritten digits, 8×8 grey, built in" => digits::DIGITS;
    Mnist = "mnist", "70,000 handwritten digits, 28×28 grey" => idx_files::MNIST;
    FashionMnist = "fashion-mnist", "70,000 pieces of clothing, 28×28 grey" => idx_files::FASHION_MNIST;
    Cifar10 = "cifar-10", "60,000 photographs of ten things, 32×32 colour" => cifar::CIFAR_10;
    Cifar100 = "cifar-100", "60,000 photographs of a hundred things, 32×32 colour" => cifar::CIFAR_100;
    ImageNet = "imagenet", "photographs of up to 1,000 things, an image folder" => folder::IMAGENET;
    Places365 = "places365", "photographs of up to 365 places, an image folder" => folder::PLACES365;
    Idx = "idx", "any IDX files of images and labels, such as EMNIST or KMNIST" => idx_files::IDX;
    Folder = "folder", "photographs in folders named by class" => folder::FOLDER;
}

impl DataSource {
    /// The data set called `name`.
    ///
    /// # Errors
    /// [`DataError::Name`] lists the names there are.
    pub fn named(name: &str) -> Result<Self, DataError> {
        Self::parse(name).map_err(|unknown| DataError::Name { found: unknown.found, known: unknown.known })
    }

    /// Height and width of its images in pixels when nothing else is wanted; none where only its files say.
    #[must_use]
    pub fn native_size(self) -> Option<usize> {
        self.facts().size
    }

    /// Colour channels of its images; none where only its files say.
    #[must_use]
    pub fn channels(self) -> Option<usize> {
        self.facts().channels
    }

    /// Training and test images as published; zero where its files say.
    #[must_use]
    pub fn published_images(self) -> [usize; 2] {
        self.facts().images
    }

    /// The set with where its files are looked for.
    pub(super) fn site<'a>(self, data_dir: &'a Path, folder: Option<&'a Path>) -> Site<'a> {
        Site { name: self.name(), facts: self.facts(), data_dir, folder }
    }
}
