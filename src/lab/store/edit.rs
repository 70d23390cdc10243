//! What is done to runs that are there: names and tags.

use crate::lab::LabError;
use crate::lab::param::ParamError;
use crate::lab::store::summary::Marks;
use std::path::Path;

/// Names the run in `folder`; with an empty name it has the name again that it began with.
///
/// # Errors
/// The name cannot be written.
pub fn rename(folder: &Path, title: &str) -> Result<(), LabError> {
    let mut marks = Marks::read(folder)?;
    marks.title = Some(title.trim().to_owned()).filter(|title| !title.is_empty());
    marks.write(folder)
}

/// Gives the run in `folder` these tags in place of those it has.
///
/// # Errors
/// A tag has a space or a comma, or the tags cannot be written.
pub fn tag(folder: &Path, tags: &[String]) -> Result<(), LabError> {
    if let Some(wrong) = tags.iter().find(|tag| tag.is_empty() || tag.contains([' ', ',', '"', '='])) {
        let allowed = "a word without spaces, commas, quotes and `=`";
        return Err(ParamError::new("tag", wrong, allowed).into());
    }
    let mut marks = Marks::read(folder)?;
    marks.tags = tags.to_vec();
    marks.write(folder)
}
