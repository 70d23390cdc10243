//! The text that names an array: a path, and behind a `#` a name, a slice or both.

use super::error::ArrayError;
use crate::paths::{expanded, variable};
use std::path::{Path, PathBuf};

/// A path with what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ArrayPlace<'a> {
    /// The file.
    pub path: PathBuf,
    /// What stands behind the `#`; empty where there is none.
    pub rest: &'a str,
}

impl<'a> ArrayPlace<'a> {
    /// Splits `text` at the last `#` before which an existing file stands, or at the last one where there is no such file. An
    /// existing file of the whole text comes first.
    ///
    /// # Errors
    /// Nothing stands behind the `#`.
    pub(super) fn of(text: &'a str) -> Result<Self, ArrayError> {
        let whole = expanded(text);
        if whole.exists() {
            return Ok(Self { path: whole, rest: "" });
        }
        let parts = || text.rmatch_indices('#').map(|(at, _)| (expanded(&text[..at]), &text[at + 1..]));
        let Some((path, rest)) = parts().find(|(path, _)| path.exists()).or_else(|| parts().next()) else {
            return Ok(Self { path: whole, rest: "" });
        };
        if rest.trim().is_empty() {
            return Err(ArrayError::refused(
                "nothing stands behind the #, allowed: a name, a slice in brackets or both",
            ));
        }
        Ok(Self { path, rest })
    }

    /// What to say where the file is not there: a variable that is not set, or a slice without its `#`.
    pub(super) fn absence(&self) -> Option<String> {
        if let Some((name, below)) = self.path.to_str().and_then(variable) {
            return Some(format!(
                "the environment variable {name} is not set, allowed: the directory that holds {below}"
            ));
        }
        let text = self.path.to_str().filter(|text| text.ends_with(']'))?;
        let (path, slice) = text.split_at(text.rfind('[')?);
        Path::new(path).is_file().then(|| format!("there is no such file; a slice stands behind a #: {path}#{slice}"))
    }
}
