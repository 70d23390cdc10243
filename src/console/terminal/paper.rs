//! The terminal's answer about the colour of its paper, found among the keys: however late it comes, no part of it is a key.

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

/// The most characters of an answer: `11;rgba:ffff/ffff/ffff/ffff` has fewer.
const LONGEST: usize = 64;

/// An answer (`ESC ] 11 ; rgb:RRRR/GGGG/BBBB`, ended by `BEL` or `ESC \\`) as it comes, key by key: `ESC ]` is read as Alt-],
/// the end as Ctrl-G or Alt-\\.
#[derive(Debug, Default)]
pub struct PaperAnswer {
    /// What has come of it; none while no answer is on its way.
    text: Option<String>,
    /// A colour that has come and was not fetched yet.
    colour: Option<[f64; 3]>,
}

impl PaperAnswer {
    /// Whether the event is part of an answer, and so no key.
    pub fn takes(&mut self, event: &Event) -> bool {
        let Event::Key(KeyEvent { code: KeyCode::Char(character), modifiers, .. }) = event else {
            return false;
        };
        let alt = modifiers.contains(KeyModifiers::ALT);
        let Some(text) = &mut self.text else {
            if alt && *character == ']' {
                self.text = Some(String::new());
            }
            return self.text.is_some();
        };
        let is_end = (alt && *character == '\\') || (modifiers.contains(KeyModifiers::CONTROL) && *character == 'g');
        if is_end {
            self.colour = colour(text);
            self.text = None;
            return true;
        }
        text.push(*character);
        // Somebody has pressed Alt-] and goes on typing.
        let begins = "11;".starts_with(text.as_str()) || text.starts_with("11;");
        if !begins || text.len() > LONGEST {
            self.text = None;
        }
        self.text.is_some()
    }

    /// The colour, once: red, green and blue from 0 to 1.
    pub fn paper(&mut self) -> Option<[f64; 3]> {
        self.colour.take()
    }
}

/// The colour in `11;rgb:1e1e/1e/1e1`: each part has one to four hexadecimal digits.
fn colour(text: &str) -> Option<[f64; 3]> {
    let (_, parts) = text.strip_prefix("11;rgb")?.split_once(':')?;
    let part = |text: &str| {
        let digits = u32::try_from(text.len()).ok().filter(|digits| (1..=4).contains(digits))?;
        Some(f64::from(u32::from_str_radix(text, 16).ok()?) / f64::from(16_u32.pow(digits) - 1))
    };
    let mut parts = parts.split('/').map(part);
    Some([parts.next()??, parts.next()??, parts.next()??])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(character: char, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(KeyCode::Char(character), modifiers))
    }

    /// What an answer says that ends with `end`; every part of it must be taken.
    fn said(text: &str, end: &Event) -> Option<[f64; 3]> {
        let mut answer = PaperAnswer::default();
        assert!(answer.takes(&key(']', KeyModifiers::ALT)));
        assert!(text.chars().all(|character| answer.takes(&key(character, KeyModifiers::NONE))), "{text}");
        assert!(answer.takes(end));
        assert!(!answer.takes(&key('r', KeyModifiers::NONE)), "keys are keys again");
        answer.paper()
    }

    #[test]
    fn an_answer_is_read_and_no_part_of_it_is_a_key() {
        let ends = [key('g', KeyModifiers::CONTROL), key('\\', KeyModifiers::ALT)];
        for end in &ends {
            assert_eq!(said("11;rgb:ffff/0000/8000", end), Some([1.0, 0.0, 32768.0 / 65535.0]));
            assert_eq!(said("11;rgb:f/0/ff", end), Some([1.0, 0.0, 1.0]));
            assert_eq!(said("11;rgba:ffff/ffff/ffff/0000", end), Some([1.0; 3]));
            assert_eq!(said("11;nothing", end), None);
        }
    }

    #[test]
    fn keys_are_not_taken_for_an_answer() {
        let mut answer = PaperAnswer::default();
        assert!(!answer.takes(&key('1', KeyModifiers::NONE)));
        assert!(answer.takes(&key(']', KeyModifiers::ALT)));
        assert!(!answer.takes(&key('r', KeyModifiers::NONE)), "somebody has pressed Alt-]");
        assert!(!answer.takes(&key('1', KeyModifiers::NONE)));
        assert!(answer.takes(&key(']', KeyModifiers::ALT)));
        let taken = (0..100).filter(|at| answer.takes(&key("11;".chars().nth(*at).unwrap_or('a'), KeyModifiers::NONE)));
        assert!(taken.count() <= LONGEST, "an answer without an end does not swallow keys for ever");
        assert_eq!(answer.paper(), None);
    }
}
