//! One array of several in a file, by name.

use super::error::ArrayError;
use crate::nearest::hint;

/// How many names a message lists.
const LISTED: usize = 20;

/// What stands behind the `#` of a text: a name, a slice in brackets, both or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NameAndSlice<'a> {
    /// The name; empty where none stands there.
    pub name: &'a str,
    /// The slice with its brackets.
    pub slice: Option<&'a str>,
}

impl<'a> NameAndSlice<'a> {
    /// Reads `text`: what it ends with in brackets is a slice.
    pub(super) fn of(text: &'a str) -> Self {
        let slice = if text.ends_with(']') { text.rfind('[') } else { None };
        slice.map_or(Self { name: text, slice: None }, |at| Self { name: &text[..at], slice: Some(&text[at..]) })
    }
}

/// Which of `names` the text behind the `#` means, and which slice of it; a lone one needs no name. `kind` is what they are,
/// in the singular, and `names` are in order.
///
/// # Errors
/// None has this name, or there are several and none is named; the names there are and the nearest one are listed.
pub(super) fn choose<'a>(kind: &str, names: &[&str], text: &'a str) -> Result<(usize, Option<&'a str>), ArrayError> {
    // A name that ends with brackets itself is found first.
    if let Some(place) = names.iter().position(|name| *name == text && !text.is_empty()) {
        return Ok((place, None));
    }
    let NameAndSlice { name, slice } = NameAndSlice::of(text);
    match (name, names) {
        (_, []) => Err(ArrayError::Refused(format!("holds no {kind}"))),
        ("", [_]) => Ok((0, slice)),
        ("", _) => Err(ArrayError::Refused(format!(
            "holds {} {kind}s, write FILE#NAME with one of: {}",
            names.len(),
            list(names)
        ))),
        (name, _) => match names.iter().position(|known| *known == name) {
            Some(place) => Ok((place, slice)),
            None => {
                let near = hint(name, names.iter().copied());
                Err(ArrayError::Refused(format!("has no {kind} `{name}`{near}, allowed: {}", list(names))))
            }
        },
    }
}

fn list(names: &[&str]) -> String {
    let listed = names[..names.len().min(LISTED)].join(", ");
    if names.len() > LISTED { format!("{listed} and {} more", names.len() - LISTED) } else { listed }
}
