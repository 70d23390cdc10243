//! Image data sets: loading, splitting, normalising, cutting into patches.
//!
//! [`load`] gives a [`Dataset`]; a [`Split`] says which of its training images are held out; [`Normalisation`] is taken
//! over those trained on; a [`Patcher`] writes a batch. All of it is a function of files, options and seed.

mod augment;
mod batch;
mod cache;
mod check;
mod class_folders;
mod class_lists;
mod decode;
pub(in crate::vision) mod error;
mod facts;
pub mod fetch;
mod files;
pub mod idx;
mod images;
mod kinds;
mod listing;
mod load;
mod loaded;
mod matlab;
mod names;
mod parts;
mod passed_over;
mod picture;
mod room_budget;
mod sets;
mod split;
mod strangers;
mod whole;

pub use augment::{Augment, Augmentation};
pub use batch::{Normalisation, Patcher};
pub use cache::default_cache;
pub use check::{Checked, check, contents};
pub use error::DataError;
pub use facts::Contents;
pub use images::Images;
pub use load::{load, load_watched};
pub use loaded::{Dataset, Loading, Only, Options, Watch};
pub use passed_over::PassedOver;
pub use sets::{DataSource, cifar};
pub use split::Split;
