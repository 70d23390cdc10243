//! Files that are passed over because nothing says that they are pictures, counted by suffix.

use super::kinds::kinds;
use std::collections::BTreeMap;

/// Most suffixes that a message names.
const NAMED: usize = 6;

/// How many files of each suffix (in lower case, without its dot; empty for none) were passed over in folders of pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// Files by suffix.
    pub files: BTreeMap<String, usize>,
    /// Pictures that lie beside the folders of the classes.
    pub outside: usize,
    /// Folders below folders that hold pictures themselves, and folders without pictures where there are no parts.
    pub folders: usize,
}

impl PassedOver {
    /// Counts one more file with `suffix`.
    pub(super) fn add(&mut self, suffix: &str) {
        *self.files.entry(suffix.to_owned()).or_default() += 1;
    }

    /// Adds what was counted elsewhere.
    pub(super) fn extend(&mut self, other: Self) {
        for (suffix, count) in other.files {
            *self.files.entry(suffix).or_default() += count;
        }
        self.outside += other.outside;
        self.folders += other.folders;
    }

    /// One line that says how many and which; none where nothing was passed over.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let mut counts: Vec<_> = self.files.iter().collect();
        counts.sort_by_key(|&(suffix, count)| (std::cmp::Reverse(*count), suffix));
        let files: usize = self.files.values().sum();
        let named: usize = counts.iter().take(NAMED).map(|(_, count)| **count).sum();
        let mut parts: Vec<String> = counts
            .into_iter()
            .take(NAMED)
            .map(|(suffix, count)| match suffix.as_str() {
                "" => format!("{count} without a suffix"),
                _ => format!("{count} .{suffix}"),
            })
            .collect();
        if named < files {
            parts.push(format!("{} others", files - named));
        }
        let counted = |count: usize, one: &str, several: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {several}")),
        };
        let of_suffixes = counted(files, "file", "files").map(|files| format!("{files} ({})", parts.join(", ")));
        let outside = counted(self.outside, "picture outside of the classes", "pictures outside of the classes");
        let folders = counted(self.folders, "folder", "folders");
        let all: Vec<String> = [of_suffixes, outside, folders].into_iter().flatten().collect();
        (!all.is_empty()).then(|| format!("passed over: {}; read are {}", all.join(", "), kinds()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_suffixes_are_named_first() {
        let mut passed = PassedOver::default();
        assert_eq!(passed.told(), None);
        for suffix in ["heic", "txt", "heic", "", "b", "c", "d", "e", "f"] {
            passed.add(suffix);
        }
        passed.extend(PassedOver { folders: 2, outside: 1, ..PassedOver::default() });
        let told = passed.told().unwrap();
        let expected = "passed over: 9 files (2 .heic, 1 without a suffix, 1 .b, 1 .c, 1 .d, 1 .e, 2 others), 1 picture outside of the \
                        classes, 2 folders; read are JPEG, PNG,";
        assert!(told.starts_with(expected), "{told}");
    }
}
