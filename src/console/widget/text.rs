//! Numbers, sizes, sentences and text fields in little room.

pub use crate::text::{fit, pad, width, wrap};

use crate::console::theme::Theme;
use ratatui::style::Style;
use ratatui::text::Span;
use tui_input::Input;

/// A number in at most about eight characters, with four digits that count.
#[must_use]
pub fn short(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        return "–".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(1e-3..1e7).contains(&size) {
        let text = format!("{value:.2e}");
        return match text.split_once('e') {
            Some((digits, power)) if digits.contains('.') => {
                format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'))
            }
            _ => text,
        };
    }
    if value.fract() == 0.0 {
        return format!("{value}");
    }
    let digits = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A time in UTC as RFC 3339 writes it, to the minute in this machine's time zone; as it is where it is no such time.
#[must_use]
pub fn local(time: &str) -> String {
    time.parse::<jiff::Timestamp>().map_or_else(
        |_| time.to_owned(),
        |time| time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}

/// A count or a rate with a unit of thousands: `950`, `12.4k`, `3.10M`.
#[must_use]
pub fn count(value: f64) -> String {
    let size = value.abs();
    let (scaled, suffix) = match size {
        ..1e4 => (value, ""),
        ..1e6 => (value / 1e3, "k"),
        ..1e9 => (value / 1e6, "M"),
        _ => (value / 1e9, "G"),
    };
    match (suffix, scaled.abs()) {
        ("", size) if size >= 100.0 || value.fract() == 0.0 => format!("{scaled:.0}"),
        ("", size) if size < 1.0 => format!("{scaled:.2}"),
        (_, size) if size >= 100.0 => format!("{scaled:.0}{suffix}"),
        _ => format!("{scaled:.1}{suffix}"),
    }
}

/// A size in bytes: `640 KB`, `1.2 GB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let size = bytes as f64;
    match size {
        ..1e6 => format!("{:.0} KB", size / 1e3),
        ..1e9 => format!("{:.0} MB", size / 1e6),
        _ => format!("{:.1} GB", size / 1e9),
    }
}

/// A text being typed in `room` columns: scrolled so that the cursor is seen, which stands on a character or behind the
/// last one.
#[must_use]
pub fn typed(input: &Input, room: usize, theme: &Theme) -> Vec<Span<'static>> {
    typed_in_styles(input, room, theme, |_| Style::new())
}

/// The same with a style of its own for each character, by its number.
#[must_use]
pub fn typed_in_styles(
    input: &Input,
    room: usize,
    theme: &Theme,
    style: impl Fn(usize) -> Style,
) -> Vec<Span<'static>> {
    let (room, scroll) = (room.max(1), scroll(input, room));
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut column = 0;
    let text = crate::text::visible(input.value());
    let behind = (input.cursor() >= text.chars().count()).then_some(' ');
    for (index, character) in text.chars().chain(behind).enumerate() {
        let at = column;
        column += width(character.encode_utf8(&mut [0; 4]));
        if at < scroll || column > scroll + room {
            continue;
        }
        let is_cursor = index == input.cursor();
        let style = if is_cursor { theme.selected() } else { theme.editing().patch(style(index)) };
        match spans.last_mut() {
            Some(span) if span.style == style && !is_cursor => span.content.to_mut().push(character),
            _ => spans.push(Span::styled(character.to_string(), style)),
        }
    }
    spans
}

/// `text` made visible, in lines of `columns` columns that end wherever they are full.
#[must_use]
pub fn cut(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for character in crate::text::visible(text).chars() {
        let width = width(character.encode_utf8(&mut [0; 4]));
        if used + width > columns {
            lines.push(String::new());
            used = 0;
        }
        used += width;
        lines.last_mut().into_iter().for_each(|line| line.push(character));
    }
    lines
}

/// The columns of a text being typed that have no place to the left of `room` columns.
#[must_use]
pub fn scroll(input: &Input, room: usize) -> usize {
    input.visual_scroll(room.max(1) - 1)
}

/// The characters on a buffer, line by line, without styles; trailing blanks cut.
#[cfg(test)]
pub(crate) fn screen(buffer: &ratatui::buffer::Buffer) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let line = |cells: &[ratatui::buffer::Cell]| cells.iter().map(|cell| cell.symbol()).collect::<String>();
    buffer.content.chunks(width).map(|cells| line(cells).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 1.0, 0.123456, 12.3456, 1234.56, 123_456.0, 1.5e-5, 2e9, f64::NAN, -0.5].map(short);
        assert_eq!(texts, ["0", "1", "0.1235", "12.35", "1235", "123456", "1.5e-5", "2e9", "–", "-0.5"]);
        assert_eq!([950.0, 12_400.0, 3.1e6, 0.25].map(count), ["950", "12.4k", "3.1M", "0.25"]);
    }

    #[test]
    fn long_words_fill_lines() {
        assert_eq!(cut("abc defgh", 4), ["abc ", "defg", "h"]);
        assert_eq!(cut("漢字é", 3), ["漢", "字é"]);
        assert_eq!(cut("", 3), [""]);
    }

    #[test]
    fn the_cursor_of_a_text_field_is_seen() {
        let parts = |text: &str, cursor: usize, room: usize| {
            let input = Input::new(text.to_owned()).with_cursor(cursor);
            typed(&input, room, &Theme::default()).into_iter().map(|span| span.content.into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(parts("abcdef", 2, 10), ["ab", "c", "def"]);
        assert_eq!(parts("abcdef", 6, 4), ["def", " "]);
        assert_eq!(parts("abcdef", 0, 4), ["a", "bcd"]);
        assert_eq!(parts("漢字漢字", 4, 5), ["漢字", " "]);
        assert_eq!(parts("a\u{202e}b", 3, 9), ["a�b", " "]);
    }
}
