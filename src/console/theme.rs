//! Colours, symbols and borders: every style on screen comes from here, nothing is coloured elsewhere.
//!
//! Series use the Okabe–Ito set (readable for colour-blind people) in the nearest xterm-256 entries, and differ by
//! marker as well, so that nothing is told by colour alone. No background is ever set except for selections.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

use crate::lab::RunState;

/// What curves are drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// 2×4 dots a cell.
    #[default]
    Braille,
    /// One round dot a cell, for fonts without Braille.
    Dot,
    /// ASCII only, for terminals without Unicode.
    Ascii,
}

impl Glyphs {
    /// Every kind with its name in options and files.
    pub const ALL: [(&'static str, Self); 3] = [("braille", Self::Braille), ("dot", Self::Dot), ("ascii", Self::Ascii)];

    /// The kind called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, glyphs)| *glyphs)
    }
}

/// Okabe–Ito in xterm-256: blue, orange, bluish green, vermillion, sky blue, reddish purple, grey, yellow (last: poor
/// on white).
const INKS: [u8; 8] = [32, 214, 36, 166, 74, 175, 247, 227];
const SYMBOLS: [char; 8] = ['●', '▲', '■', '◆', '○', '△', '□', '◇'];
const ASCII_SYMBOLS: [char; 8] = ['*', 'o', '+', 'x', '#', '@', '%', '&'];
/// How everything looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// Attributes only, no colour (`NO_COLOR`).
    pub mono: bool,
    /// What curves are drawn with.
    pub glyphs: Glyphs,
}

impl Theme {
    /// The theme that the environment asks for: `NO_COLOR` (any non-empty value) and `ATTNLAB_GLYPHS`
    /// (`braille`, `dot`, `ascii`); without the latter, ASCII where the locale says it is not UTF-8.
    #[must_use]
    pub fn from_environment(read: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| read(name).filter(|value| !value.is_empty());
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
        let plain = locale.to_ascii_uppercase().contains("ISO") || set("TERM").as_deref() == Some("vt100");
        let glyphs = set("ATTNLAB_GLYPHS").and_then(|name| Glyphs::from_name(&name)).unwrap_or(if plain {
            Glyphs::Ascii
        } else {
            Glyphs::Braille
        });
        Self { mono: set("NO_COLOR").is_some(), glyphs }
    }

    /// Whether only ASCII may be written.
    #[must_use]
    pub fn ascii(&self) -> bool {
        self.glyphs == Glyphs::Ascii
    }

    /// Either form of a symbol, for cases in which the general replacement of Unicode ([`super::ascii`]) would lose too
    /// much.
    #[must_use]
    pub fn either<T>(&self, unicode: T, ascii: T) -> T {
        if self.ascii() { ascii } else { unicode }
    }

    fn coloured(&self, index: u8) -> Style {
        if self.mono { Style::new() } else { Style::new().fg(Color::Indexed(index)) }
    }

    /// The style of series number `index`.
    #[must_use]
    pub fn ink(&self, index: usize) -> Style {
        self.coloured(INKS[index % INKS.len()])
    }

    /// The marker of series number `index`.
    #[must_use]
    pub fn symbol(&self, index: usize) -> char {
        // The markers shift by one at each round of colours, so that 64 series have different pairs.
        let index = index + index / INKS.len();
        self.either(SYMBOLS, ASCII_SYMBOLS)[index % SYMBOLS.len()]
    }

    /// Secondary text.
    #[must_use]
    pub fn dim(&self) -> Style {
        if self.mono { Style::new().add_modifier(Modifier::DIM) } else { self.coloured(245) }
    }

    /// Grid lines and bands: fainter than secondary text.
    #[must_use]
    pub fn faint(&self) -> Style {
        if self.mono { Style::new().add_modifier(Modifier::DIM) } else { self.coloured(240) }
    }

    /// Keys, headings, what has the focus.
    #[must_use]
    pub fn accent(&self) -> Style {
        self.coloured(74).add_modifier(Modifier::BOLD)
    }

    /// Headings without the focus.
    #[must_use]
    pub fn title(&self) -> Style {
        // The colour is set so that a heading on a faint border is not faint.
        Style::new().fg(Color::Reset).add_modifier(Modifier::BOLD)
    }

    /// The selected line.
    #[must_use]
    pub fn selected(&self) -> Style {
        // The colours of the cells are reset, because reversing each of them would make a patchwork.
        Style::new().fg(Color::Reset).bg(Color::Reset).add_modifier(Modifier::REVERSED)
    }

    /// Text being typed.
    #[must_use]
    pub fn editing(&self) -> Style {
        Style::new().add_modifier(Modifier::UNDERLINED)
    }

    /// What went wrong.
    #[must_use]
    pub fn bad(&self) -> Style {
        self.coloured(166).add_modifier(Modifier::BOLD)
    }

    /// What went well.
    #[must_use]
    pub fn good(&self) -> Style {
        self.coloured(36)
    }

    /// What wants attention.
    #[must_use]
    pub fn warn(&self) -> Style {
        self.coloured(214)
    }

    /// A border's lines.
    #[must_use]
    pub fn border(&self, focused: bool) -> Style {
        if focused { self.accent() } else { self.faint() }
    }

    /// A border's symbols.
    #[must_use]
    pub fn border_set(&self) -> border::Set<'static> {
        border::ROUNDED
    }

    /// The symbol and style of a run's state.
    #[must_use]
    pub fn state(&self, state: RunState) -> (char, Style) {
        match state {
            RunState::Queued => ('◌', self.dim()),
            RunState::Running => ('●', self.accent()),
            RunState::Paused => ('‖', self.warn()),
            RunState::Finished => ('✔', self.good()),
            RunState::Stopped => ('■', self.warn()),
            RunState::Failed => ('✘', self.bad()),
            RunState::Diverged => ('∞', self.bad()),
            RunState::Lost => ('?', self.bad()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides() {
        let theme = |pairs: &[(&str, &str)]| {
            Theme::from_environment(|name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(theme(&[]), Theme { mono: false, glyphs: Glyphs::Braille });
        assert!(theme(&[("NO_COLOR", "1")]).mono);
        assert!(!theme(&[("NO_COLOR", "")]).mono);
        assert_eq!(theme(&[("ATTNLAB_GLYPHS", "dot")]).glyphs, Glyphs::Dot);
        assert_eq!(theme(&[("LANG", "de_DE.ISO-8859-1")]).glyphs, Glyphs::Ascii);
    }

    #[test]
    fn series_have_pairs_of_their_own() {
        let theme = Theme::default();
        let pairs: std::collections::HashSet<_> =
            (0..64).map(|index| (format!("{:?}", theme.ink(index)), theme.symbol(index))).collect();
        assert_eq!(pairs.len(), 64);
    }
}
