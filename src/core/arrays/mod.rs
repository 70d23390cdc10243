//! Arrays of numbers in files of other programs: `.npy`, `.npz` and `.safetensors`, whole or a slice of one, as matrices of f64.
//!
//! What is read is named by one text, `PATH`, `PATH#NAME`, `PATH#[SLICE]` or `PATH#NAME[SLICE]` (`docs/array-files.md`).
//! Opening a file reads its head; a matrix reads its own bytes only, so that one head of a large file costs little.

mod bytes;
mod error;
mod file;
mod foreign;
mod head;
mod heads;
mod matrix;
mod names;
mod npy;
mod npz;
mod number;
mod place;
mod safetensors;
mod slice;
mod view;

pub use error::ArrayError;
pub use file::ArrayFile;
pub use foreign::known_kind;
pub use heads::{HeadGroups, HeadsFile, HeadsLayout, Transpose, grouped};
