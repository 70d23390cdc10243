//! Text for a terminal: what comes from outside made harmless and visible, and text measured in columns.
//!
//! A title, a tag, a note, the name of a folder or host may hold control characters that a terminal obeys, or invisible
//! ones that change what is read. Everything that is shown passes [`visible`] first.

use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Stands for a character that would be invisible or reorder what stands around it.
const UNKNOWN: char = '\u{fffd}';

/// What is shown in the place of `character`; none where it may be shown as it is. Control characters have pictures of
/// their own in Unicode (␛ for escape); other invisible characters become [`UNKNOWN`]: C1 controls, marks and overrides
/// of the direction of writing, zero-width characters, separators of lines and paragraphs, tags.
const fn replacement(character: char) -> Option<char> {
    match character {
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + character as u32),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => Some(UNKNOWN),
        _ => None,
    }
}

/// Whether a terminal, or a program that opens a file, obeys `character` or hides it instead of showing it.
pub const fn is_obeyed(character: char) -> bool {
    replacement(character).is_some()
}

/// `text` as one line that a terminal shows and does not obey; line feeds are replaced as well.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    shown(text, |_| false)
}

/// `text` as lines that a terminal shows and does not obey; line feeds and tabs stay.
#[must_use]
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    shown(text, |character| matches!(character, '\n' | '\t'))
}

fn shown(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let replaced = |character: char| replacement(character).filter(|_| !stays(character));
    if text.chars().all(|character| replaced(character).is_none()) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|character| replaced(character).unwrap_or(character)).collect()
}

/// A JSON text whose strings a terminal shows and does not obey: the same document, with the characters that [`visible`]
/// would replace written as escapes.
#[must_use]
pub fn visible_json(json: &str) -> Cow<'_, str> {
    // Outside of strings JSON has no such character but line feeds, tabs and carriage returns.
    let escaped = |character: char| !character.is_ascii_control() && is_obeyed(character) || character == '\u{7f}';
    if !json.chars().any(escaped) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if escaped(character) {
            let mut units = [0; 2];
            character.encode_utf16(&mut units).iter().for_each(|unit| text += &format!("\\u{unit:04x}"));
        } else {
            text.push(character);
        }
    }
    Cow::Owned(text)
}

/// The columns that `text` takes on a terminal: wide characters take two, combining ones none.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` made visible and cut to `room` columns, with an ellipsis where something was cut.
#[must_use]
pub fn fit(text: &str, room: usize) -> String {
    let text = visible(text);
    if width(&text) <= room {
        return text.into_owned();
    }
    if room == 0 {
        return String::new();
    }
    let mut used = 0;
    let fits = |character: &char| {
        used += character.width().unwrap_or(0);
        used < room
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// `text` made visible and cut or filled up with blanks to `room` columns.
#[must_use]
pub fn pad(text: &str, room: usize) -> String {
    let mut text = fit(text, room);
    text.extend(std::iter::repeat_n(' ', room.saturating_sub(width(&text))));
    text
}

/// `text` made visible, in lines of at most `columns` columns, broken between words where possible; runs of white space
/// count as one blank.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        return Vec::new();
    }
    let options = textwrap::Options::new(columns.max(1))
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
    textwrap::wrap(&visible(&words), options).into_iter().map(Cow::into_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_that_comes_from_outside() {
        assert_eq!(visible("title\u{1b}]0;mine\u{7}"), "title␛]0;mine␇");
        assert_eq!(visible("one\r\ntwo\u{9b}31m"), "one␍␊two\u{fffd}31m");
        assert_eq!(visible("safe\u{202e}exe\u{2066}\u{200b}\u{feff}\u{e0041}"), "safe�exe����");
        assert_eq!(visible_lines("one\ntwo\tthree\u{1b}[2J"), "one\ntwo\tthree␛[2J");
        assert!(matches!(visible("größe 漢字 é θ ±"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_stays_the_same_document() {
        let value = serde_json::json!({"title": "a\u{1b}\u{9b}\u{202e}\u{7f}\u{e0041}ö\n"});
        let text = serde_json::to_string_pretty(&value).unwrap();
        let harmless = visible_json(&text);
        assert!(harmless.contains("a\\u001b\\u009b\\u202e\\u007f\\udb40\\udc41ö\\n"), "{harmless}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&harmless).unwrap(), value);
    }

    #[test]
    fn columns_are_counted_and_not_characters() {
        assert_eq!((width("漢字"), width("e\u{301}")), (4, 1));
        assert_eq!(fit("orthogonal", 6), "ortho…");
        assert_eq!(fit("orthogonal", 10), "orthogonal");
        assert_eq!(fit("x", 0), "");
        assert_eq!(fit("漢字漢字", 6), "漢字…");
        assert_eq!((pad("漢", 4), pad("漢字", 3)), ("漢  ".to_owned(), "漢…".to_owned()));
    }

    #[test]
    fn sentences_break_between_words() {
        assert_eq!(wrap("a whole number from 1 to 64", 12), ["a whole", "number from", "1 to 64"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("漢字漢字", 4), ["漢字", "漢字"]);
        assert!(wrap("  ", 3).is_empty());
    }
}
