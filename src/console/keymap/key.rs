//! A key as it is written in the key table, in a user's key file and on screen.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;

/// One key with its modifiers; a capital letter stands for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    control: bool,
    alt: bool,
    /// Held with a key that types nothing.
    shift: bool,
}

const NAMES: [(&str, KeyCode); 16] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

impl Key {
    /// The key of a terminal event.
    #[must_use]
    pub fn of(event: &KeyEvent) -> Self {
        let has = |modifier| event.modifiers.contains(modifier);
        let code = match event.code {
            KeyCode::Tab if has(KeyModifiers::SHIFT) => KeyCode::BackTab,
            code => code,
        };
        // A character with Shift is another character, and Shift-Tab has a code of its own.
        let shift = has(KeyModifiers::SHIFT) && !matches!(code, KeyCode::Char(_) | KeyCode::BackTab);
        Self { code, control: has(KeyModifiers::CONTROL), alt: has(KeyModifiers::ALT), shift }
    }

    /// The same key without Shift; none where Shift is not held.
    #[must_use]
    pub const fn without_shift(self) -> Option<Self> {
        if self.shift { Some(Self { shift: false, ..self }) } else { None }
    }

    /// Whether it types a character.
    #[must_use]
    pub const fn types(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && !self.control && !self.alt
    }

    /// Reads `q`, `Y`, `?`, `enter`, `f5`, `ctrl-c`, `alt-x`, `shift-left`.
    ///
    /// # Errors
    /// Says what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refuse = || {
            let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
            format!(
                "`{text}` is no key; allowed: one character, {}, f1 to f12, with ctrl- or alt- before it, \
                 and shift- before a key with a name",
                names.join(", ")
            )
        };
        let (mut rest, mut control, mut alt, mut shift) = (text, false, false, false);
        while rest.chars().count() > 1 {
            if let Some(tail) = rest.strip_prefix("ctrl-").filter(|_| !control) {
                (rest, control) = (tail, true);
            } else if let Some(tail) = rest.strip_prefix("alt-").filter(|_| !alt) {
                (rest, alt) = (tail, true);
            } else if let Some(tail) = rest.strip_prefix("shift-").filter(|_| !shift) {
                (rest, shift) = (tail, true);
            } else {
                break;
            }
        }
        let mut characters = rest.chars();
        let code = match (characters.next(), characters.next()) {
            // With Shift a character is another one.
            (Some(_), None) if shift => return Err(refuse()),
            (Some(character), None) => KeyCode::Char(character),
            _ => match NAMES.iter().find(|(name, _)| *name == rest) {
                Some((_, code)) => *code,
                None => {
                    let number = rest.strip_prefix('f').and_then(|number| number.parse().ok());
                    KeyCode::F(number.filter(|number| (1..=12).contains(number)).ok_or_else(refuse)?)
                }
            },
        };
        Ok(Self { code, control, alt, shift })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.control {
            f.write_str("Ctrl-")?;
        }
        if self.alt {
            f.write_str("Alt-")?;
        }
        if self.shift {
            f.write_str("Shift-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(character) if self.control => write!(f, "{}", character.to_ascii_uppercase()),
            KeyCode::Char(character) => write!(f, "{character}"),
            KeyCode::F(number) => write!(f, "F{number}"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::Enter => f.write_str("Enter"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            code => write!(f, "{code:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_shown() {
        let show = |text| Key::parse(text).map(|key| key.to_string());
        assert_eq!(show("ctrl-c").as_deref(), Ok("Ctrl-C"));
        assert_eq!(show("Y").as_deref(), Ok("Y"));
        assert_eq!(show("-").as_deref(), Ok("-"));
        assert_eq!(show("ctrl--").as_deref(), Ok("Ctrl--"));
        assert_eq!(show("f5").as_deref(), Ok("F5"));
        assert_eq!(show("pagedown").as_deref(), Ok("PgDn"));
        assert_eq!(show("shift-left").as_deref(), Ok("Shift-←"));
        for bad in ["", "f13", "hyper-x", "enterr", "shift-a", "shift-"] {
            assert!(show(bad).is_err(), "{bad}");
        }
        let event = KeyEvent::new(KeyCode::Char('Y'), KeyModifiers::SHIFT);
        assert_eq!(Ok(Key::of(&event)), Key::parse("Y"));
        let event = KeyEvent::new(KeyCode::Left, KeyModifiers::SHIFT);
        assert_eq!(Ok(Key::of(&event)), Key::parse("shift-left"));
        assert_eq!(Key::of(&event).without_shift().map(Ok), Some(Key::parse("left")));
    }
}
