//! Text quoted for a POSIX shell: every command that the program shows can be pasted into one.

use std::borrow::Cow;

/// `word` as one word of a command line: as it is where a shell reads nothing into it, in single quotes otherwise.
///
/// A line feed stands inside the quotes as it is. No quoting keeps a NUL character, which cannot be in an argument.
#[must_use]
pub fn quote(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-,+/:=".contains(c);
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(plain) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}
