//! The font of pictures: how wide words are, and where each letter stands, pairs of letters moved together as the font says.

use crate::lab::LabError;
use std::sync::LazyLock;
use ttf_parser::{Face, GlyphId};

/// The height of a line of text, in sizes of the text.
pub const LINE: f64 = 1.25;

static FACE: LazyLock<Option<Face<'static>>> = LazyLock::new(|| Face::parse(dejavu::sans::regular(), 0).ok());

/// A letter with its place from the beginning of the line, in sizes of the text.
#[derive(Clone, Copy, Debug)]
pub struct PlacedGlyph {
    /// The letter.
    pub letter: char,
    /// Its picture in the font.
    pub glyph: GlyphId,
    /// Where it begins.
    pub at: f64,
}

/// The font itself.
///
/// # Errors
/// The built-in font is damaged.
pub fn face() -> Result<&'static Face<'static>, LabError> {
    FACE.as_ref().ok_or_else(|| LabError::Refused("the built-in font cannot be read".to_owned()))
}

/// The letters of a line with their places, and the width of all, in sizes of the text.
pub fn placed(text: &str) -> (Vec<PlacedGlyph>, f64) {
    let Ok(face) = face() else { return (Vec::new(), 0.6 * text.chars().count() as f64) };
    let unit = f64::from(face.units_per_em());
    let (mut at, mut before) = (0.0, None);
    let mut all = Vec::new();
    for letter in text.chars() {
        let glyph = face.glyph_index(letter).unwrap_or(GlyphId(0));
        at += before.map_or(0.0, |before| kerning(face, before, glyph)) / unit;
        all.push(PlacedGlyph { letter, glyph, at });
        at += f64::from(face.glyph_hor_advance(glyph).unwrap_or(0)) / unit;
        before = Some(glyph);
    }
    (all, at)
}

/// How far a letter moves towards the one before it.
fn kerning(face: &Face<'_>, left: GlyphId, right: GlyphId) -> f64 {
    let tables = face.tables().kern.iter().flat_map(|kern| kern.subtables);
    let mut found = tables
        .filter(|table| table.horizontal && !table.variable)
        .filter_map(|table| table.glyphs_kerning(left, right));
    found.next().map_or(0.0, f64::from)
}

/// The width of a line in points.
#[must_use]
pub fn width(text: &str, size: f64) -> f64 {
    placed(text).1 * size
}

/// `text` as lines of whole words, none wider than `room` points unless a single word is.
#[must_use]
pub fn wrapped(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if let Some(last) = lines.last_mut() {
            let longer = format!("{last} {word}");
            if width(&longer, size) <= room {
                *last = longer;
                continue;
            }
        }
        lines.extend(pieces(word, size, room));
    }
    lines
}

/// A word, cut where it is wider than a line.
fn pieces(word: &str, size: f64, room: f64) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for letter in word.chars() {
        let last = pieces.len() - 1;
        if !pieces[last].is_empty() && width(&format!("{}{letter}", pieces[last]), size) > room {
            pieces.push(String::new());
        }
        let last = pieces.len() - 1;
        pieces[last].push(letter);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_letters_stand_as_the_font_says() {
        assert!(width("AV", 10.0) < width("A", 10.0) + width("V", 10.0) - 0.3);
        assert!((width("mm", 10.0) - 2.0 * width("m", 10.0)).abs() < 1e-9);
        assert!(face().unwrap().glyph_index('‖').is_some());
    }

    #[test]
    fn lines_hold_whole_words_and_long_words_are_cut() {
        assert_eq!(wrapped("one two three", 10.0, width("one two", 10.0)), ["one two", "three"]);
        let cut = wrapped("abcdefgh", 10.0, 20.0);
        assert!(cut.len() > 1 && cut.concat() == "abcdefgh" && cut.iter().all(|part| width(part, 10.0) <= 20.0));
        assert!(wrapped("", 10.0, 20.0).is_empty());
    }
}
