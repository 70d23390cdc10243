//! Paths as people write them where no shell has read them first: `~/pictures`, `$SCRATCH/pictures`.

use std::path::{Path, PathBuf};

/// `text` as a path, with the home directory for a leading `~/`, and the value of the environment variable for a leading `$NAME/`.
pub fn expanded(text: &str) -> PathBuf {
    if let (Some(below), Some(home)) = (text.strip_prefix("~/"), std::env::home_dir()) {
        return home.join(below);
    }
    match variable(text) {
        Some((name, below)) if std::env::var_os(name).is_some_and(|value| !value.is_empty()) => {
            PathBuf::from(std::env::var_os(name).unwrap_or_default()).join(below)
        }
        _ => PathBuf::from(text),
    }
}

/// As [`expanded`], for a path below `root`; where something lies at the path as it is written, that is meant.
pub fn expanded_below(root: &Path, path: &Path) -> PathBuf {
    let literal = root.join(path);
    match path.to_str() {
        Some(text) if !literal.exists() => root.join(expanded(text)),
        _ => literal,
    }
}

/// The name of the environment variable that `text` begins with, and what stands below it.
pub fn variable(text: &str) -> Option<(&str, &str)> {
    let (name, below) = text.strip_prefix('$')?.split_once('/')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    is_name.then_some((name, below))
}
