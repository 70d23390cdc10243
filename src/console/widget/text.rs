//! Numbers, sizes and sentences in little room.

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

/// `text` cut to `room` characters, with an ellipsis where something was cut.
#[must_use]
pub fn fit(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    match room {
        0 => String::new(),
        _ => text.chars().take(room - 1).chain(['…']).collect(),
    }
}

/// `text` in lines of at most `width` characters, broken between words where possible.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        let used = line.chars().count();
        if used > 0 && used + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        } else if used > 0 {
            line.push(' ');
        }
        while word.len() > width {
            lines.push(word.drain(..width).collect());
        }
        line.extend(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
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
    fn long_names_are_cut() {
        assert_eq!(fit("orthogonal", 6), "ortho…");
        assert_eq!(fit("orthogonal", 10), "orthogonal");
        assert_eq!(fit("x", 0), "");
    }

    #[test]
    fn sentences_break_between_words() {
        assert_eq!(wrap("a whole number from 1 to 64", 12), ["a whole", "number from", "1 to 64"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert!(wrap("  ", 3).is_empty());
    }
}
