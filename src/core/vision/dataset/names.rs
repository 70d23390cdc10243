//! Names and texts from outside, whatever their encoding: UTF-8, otherwise Latin-1; compared in the composed form of Unicode.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use unicode_normalization::UnicodeNormalization;

/// A file's name as text.
pub(super) fn spoken(name: &OsStr) -> Cow<'_, str> {
    text_of(name.as_bytes())
}

/// `bytes` as text, without a byte order mark. What is no UTF-8 is read as Latin-1, in which every byte is a character.
pub(super) fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

/// `text` with composed accents (NFC): the same for `é` as one character, as some systems store it, and as two.
pub(super) fn composed(text: &str) -> String {
    text.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_spellings_of_a_name_are_one() {
        let spellings: [&[u8]; 3] = ["caf\u{e9}".as_bytes(), "cafe\u{301}".as_bytes(), b"caf\xe9"];
        for name in spellings {
            assert_eq!(composed(&spoken(OsStr::from_bytes(name))), "café");
        }
        assert_eq!(text_of(b"\xef\xbb\xbfcat\t1"), "cat\t1");
    }
}
