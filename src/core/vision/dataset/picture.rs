//! A picture of an image folder, before it is decoded.

use std::path::PathBuf;

/// A picture that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    /// Its file.
    pub path: PathBuf,
    /// Its class.
    pub label: u32,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last changed, in nanoseconds since 1970.
    pub changed: u128,
}
