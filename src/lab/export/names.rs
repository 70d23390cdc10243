//! Names of exported files: each is one component of a path, and no two are the same.

use crate::text::is_obeyed;
use std::fs;
use std::path::Path;

/// Bytes of a name at most: file systems allow 255, and endings are put behind it.
const LONGEST: usize = 120;

/// `text` as one component of a path. It may come from a run that somebody else made: separators and
/// characters that are obeyed or hidden instead of shown become `-`, and so does a leading dot.
pub fn component(text: &str) -> String {
    let allowed = |c: char| if is_obeyed(c) || "/\\:".contains(c) { '-' } else { c };
    let mut name: String = text.trim().chars().map(allowed).collect();
    if name.starts_with('.') {
        name.replace_range(..1, "-");
    }
    while name.len() > LONGEST {
        name.pop();
    }
    if name.is_empty() { "run".to_owned() } else { name }
}

/// The names in order, those that were there before with a number behind them. Letter case does not count: not every
/// file system tells it apart.
pub fn distinct(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        let taken = |candidate: &String| all.iter().any(|other| other.to_lowercase() == candidate.to_lowercase());
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|candidate| !taken(candidate));
        all.push(free.unwrap_or(name));
    }
    all
}

/// Whether `path` may be written: nothing is there, or an earlier export that mentions all of `words`.
pub fn is_ours<'a>(path: &Path, words: impl IntoIterator<Item = &'a str>) -> bool {
    match fs::symlink_metadata(path) {
        Err(_) => true,
        Ok(there) if !there.is_file() => false,
        Ok(_) => fs::read(path).is_ok_and(|bytes| {
            words
                .into_iter()
                .all(|word| word.is_empty() || bytes.windows(word.len()).any(|window| window == word.as_bytes()))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_component() {
        let long = "é".repeat(200);
        for (text, name) in [
            ("20260101-120000-vit-00", "20260101-120000-vit-00"),
            ("/elsewhere/X", "-elsewhere-X"),
            ("../../X", "-.-..-X"),
            ("..", "-."),
            ("a\0b\u{1b}[2J\u{202e}c", "a-b-[2J-c"),
            ("C:\\X", "C--X"),
            ("", "run"),
            (&long, &long[..120]),
        ] {
            assert_eq!(component(text), name);
            assert_eq!(Path::new(name).components().count(), 1);
        }
    }

    #[test]
    fn the_same_name_comes_once() {
        let names = ["bias", "Bias", "bias-2", "error", "bias"].map(str::to_owned);
        assert_eq!(distinct(names), ["bias", "Bias-2", "bias-2-2", "error", "bias-3"]);
    }
}
