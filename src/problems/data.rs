//! Data sets for the faces: what there is, what it holds, fetching and checking it.

pub use crate::vision::dataset::fetch::{fetch, files, homes};
pub use crate::vision::dataset::{Checked, Contents, DataError, Loading, Source, check, contents};
