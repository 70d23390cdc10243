//! Colours, symbols and borders: every style on screen comes from here, nothing is coloured elsewhere.
//!
//! Series differ by marker as well as by colour, so that nothing is told by colour alone.

use super::palette::Palette;
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

const SYMBOLS: [char; 8] = ['●', '▲', '■', '◆', '○', '△', '□', '◇'];
const ASCII_SYMBOLS: [char; 8] = ['*', 'o', '+', 'x', '#', '@', '%', '&'];
/// How everything looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// Attributes only, no colour (`NO_COLOR`).
    pub mono: bool,
    /// What curves are drawn with.
    pub glyphs: Glyphs,
    /// The colours, where there are any.
    pub palette: Palette,
    /// Whether matrices have colours of 24 bits rather than the nearest of 256.
    pub true_colour: bool,
}

/// Whether terminals of this kind have 16 colours and no more.
fn has_16_colours(term: &str) -> bool {
    ["linux", "ansi", "cons25", "xterm-color"].contains(&term) || term.ends_with("-16color")
}

/// Whether a character set named in a locale is UTF-8.
fn is_utf8(locale: &str) -> bool {
    // A locale without a character set has one of its own, from before UTF-8; so have `C` and `POSIX`.
    let set = locale.split('@').next().and_then(|name| name.split_once('.')).map_or("", |(_, set)| set);
    set.replace('-', "").eq_ignore_ascii_case("utf8")
}

impl Theme {
    /// The theme that the environment asks for. What is named there wins: `NO_COLOR` (any value but an empty one),
    /// `ATTNLAB_GLYPHS` (`braille`, `dot`, `ascii`), `ATTNLAB_THEME` (`light`, `dark`, `ansi`, or `auto` as without it).
    /// Otherwise the terminal's kind (`TERM`) decides about glyphs and colours, the character set of the locale about
    /// glyphs, `COLORTERM` (`truecolor`, `24bit`) about colours of matrices, and `COLORFGBG` about light or dark; where nothing says that, [`asks_for_paper`] tells whether to ask the
    /// terminal.
    ///
    /// # Errors
    /// The terminal cannot show the console, or a variable has a value that is not allowed.
    pub fn from_environment(read: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let set = |name: &str| read(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        if term == "dumb" {
            return Err(
                "the console needs a terminal that can place its cursor, and TERM is `dumb`; `attnlab run` does \
                        the same jobs (see `attnlab run --help`)"
                    .to_owned(),
            );
        }
        let old = term.starts_with("vt");
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let glyphs = match set("ATTNLAB_GLYPHS") {
            Some(name) => Glyphs::from_name(&name)
                .ok_or_else(|| format!("ATTNLAB_GLYPHS: found `{name}`, allowed: braille, dot, ascii"))?,
            None if old || locale.is_some_and(|locale| !is_utf8(&locale)) => Glyphs::Ascii,
            // The console of the kernel has a font without Braille.
            None if term == "linux" => Glyphs::Dot,
            None => Glyphs::Braille,
        };
        let palette = match set("ATTNLAB_THEME").as_deref() {
            Some("light") => Palette::Light,
            Some("dark") => Palette::Dark,
            Some("ansi") => Palette::Ansi,
            // `COLORTERM` is set by terminals of more colours than their kind promises.
            None | Some("auto") if set("COLORTERM").is_none() && has_16_colours(&term) => Palette::Ansi,
            None | Some("auto") => {
                match set("COLORFGBG").and_then(|pair| pair.rsplit(';').next()?.parse::<u8>().ok()) {
                    // Numbers of the 16 colours: white, and the bright ones but dark grey.
                    Some(7 | 9..=15) => Palette::Light,
                    _ => Palette::Dark,
                }
            }
            Some(other) => return Err(format!("ATTNLAB_THEME: found `{other}`, allowed: auto, light, dark, ansi")),
        };
        let mono = set("NO_COLOR").is_some() || old;
        let promised = set("COLORTERM").is_some_and(|kind| ["truecolor", "24bit"].contains(&kind.as_str()));
        Ok(Self { mono, glyphs, palette, true_colour: promised && !mono && palette != Palette::Ansi })
    }

    /// Whether the terminal has to be asked what colour its paper has: nothing in the environment says it, and the terminal
    /// is of a kind that understands the question.
    #[must_use]
    pub fn asks_for_paper(&self, read: impl Fn(&str) -> Option<String>) -> bool {
        let set = |name: &str| read(name).filter(|value| !value.is_empty());
        let is_open = set("ATTNLAB_THEME").is_none_or(|name| name == "auto") && set("COLORFGBG").is_none();
        is_open && !self.mono && self.palette != Palette::Ansi
    }

    /// Whether shades are made of characters: where colours cannot be shaded.
    #[must_use]
    pub fn shades_with_characters(&self) -> bool {
        self.mono || self.ascii() || self.palette == Palette::Ansi
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

    fn coloured(&self, colour: Color) -> Style {
        if self.mono { Style::new() } else { Style::new().fg(colour) }
    }

    /// The style of series number `index`.
    #[must_use]
    pub fn ink(&self, index: usize) -> Style {
        let inks = &self.palette.inks().series;
        self.coloured(inks[index % inks.len()])
    }

    /// The marker of series number `index`.
    #[must_use]
    pub fn symbol(&self, index: usize) -> char {
        // The markers shift by one at each round of colours, so that 64 series have different pairs.
        let index = index + index / self.palette.inks().series.len();
        self.either(SYMBOLS, ASCII_SYMBOLS)[index % SYMBOLS.len()]
    }

    /// Secondary text.
    #[must_use]
    pub fn dim(&self) -> Style {
        if self.mono { Style::new().add_modifier(Modifier::DIM) } else { self.coloured(self.palette.inks().dim) }
    }

    /// Grid lines and bands: fainter than secondary text.
    #[must_use]
    pub fn faint(&self) -> Style {
        if self.mono { Style::new().add_modifier(Modifier::DIM) } else { self.coloured(self.palette.inks().faint) }
    }

    /// Keys, headings, what has the focus.
    #[must_use]
    pub fn accent(&self) -> Style {
        self.coloured(self.palette.inks().accent).add_modifier(Modifier::BOLD)
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
        self.coloured(self.palette.inks().bad).add_modifier(Modifier::BOLD)
    }

    /// What went well.
    #[must_use]
    pub fn good(&self) -> Style {
        self.coloured(self.palette.inks().good)
    }

    /// What wants attention.
    #[must_use]
    pub fn warn(&self) -> Style {
        self.coloured(self.palette.inks().warn)
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

    fn theme(pairs: &[(&str, &str)]) -> Result<Theme, String> {
        Theme::from_environment(reader(pairs))
    }

    fn reader(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        let pairs: Vec<(String, String)> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        move |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn the_environment_decides() {
        let usual = Theme::default();
        let with = |glyphs, palette, mono| Theme { mono, glyphs, palette, true_colour: false };
        let fine = Theme { true_colour: true, ..usual };
        for (pairs, expected) in [
            (&[][..], usual),
            (&[("TERM", "xterm-256color"), ("LANG", "C.UTF-8")], usual),
            (&[("LANG", "de_DE.utf8@euro")], usual),
            (&[("NO_COLOR", "1")], with(Glyphs::Braille, Palette::Dark, true)),
            (&[("NO_COLOR", "")], usual),
            (&[("ATTNLAB_GLYPHS", "dot")], with(Glyphs::Dot, Palette::Dark, false)),
            (&[("TERM", "linux")], with(Glyphs::Dot, Palette::Ansi, false)),
            (&[("TERM", "linux"), ("ATTNLAB_THEME", "light")], with(Glyphs::Dot, Palette::Light, false)),
            (&[("TERM", "xterm-16color")], with(Glyphs::Braille, Palette::Ansi, false)),
            (&[("TERM", "xterm-16color"), ("COLORTERM", "truecolor")], fine),
            (&[("COLORTERM", "24bit")], fine),
            (&[("COLORTERM", "yes")], usual),
            (&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")], with(Glyphs::Braille, Palette::Dark, true)),
            (&[("COLORTERM", "24bit"), ("ATTNLAB_THEME", "ansi")], with(Glyphs::Braille, Palette::Ansi, false)),
            (&[("TERM", "vt220")], with(Glyphs::Ascii, Palette::Dark, true)),
            (&[("COLORFGBG", "0;15")], with(Glyphs::Braille, Palette::Light, false)),
            (&[("COLORFGBG", "0;default;15")], with(Glyphs::Braille, Palette::Light, false)),
            (&[("COLORFGBG", "15;0")], usual),
            (&[("COLORFGBG", "15;0"), ("ATTNLAB_THEME", "light")], with(Glyphs::Braille, Palette::Light, false)),
            (&[("ATTNLAB_THEME", "ansi")], with(Glyphs::Braille, Palette::Ansi, false)),
        ] {
            assert_eq!(theme(pairs), Ok(expected), "{pairs:?}");
        }
        for locale in
            ["de_DE.ISO-8859-1", "ja_JP.eucJP", "zh_CN.GBK", "ru_RU.KOI8-R", "C", "POSIX", "de_DE", "de_DE@euro"]
        {
            assert_eq!(theme(&[("LC_ALL", locale), ("LANG", "C.UTF-8")]).unwrap().glyphs, Glyphs::Ascii, "{locale}");
        }
        let refused = |pairs: &[(&str, &str)]| theme(pairs).unwrap_err();
        assert!(refused(&[("TERM", "dumb")]).contains("attnlab run"));
        assert_eq!(
            refused(&[("ATTNLAB_THEME", "pink")]),
            "ATTNLAB_THEME: found `pink`, allowed: auto, light, dark, ansi"
        );
        assert!(refused(&[("ATTNLAB_GLYPHS", "runes")]).contains("allowed: braille, dot, ascii"));
    }

    #[test]
    fn the_terminal_is_asked_only_where_nothing_says_what_paper_it_has() {
        let asks = |pairs: &[(&str, &str)]| theme(pairs).unwrap().asks_for_paper(reader(pairs));
        assert!(asks(&[]) && asks(&[("ATTNLAB_THEME", "auto")]));
        for (name, value) in
            [("ATTNLAB_THEME", "dark"), ("COLORFGBG", "15;0"), ("TERM", "linux"), ("TERM", "vt100"), ("NO_COLOR", "1")]
        {
            assert!(!asks(&[(name, value)]), "{name}={value}");
        }
    }

    #[test]
    fn series_have_pairs_of_their_own() {
        let theme = Theme::default();
        let pairs: std::collections::HashSet<_> =
            (0..64).map(|index| (format!("{:?}", theme.ink(index)), theme.symbol(index))).collect();
        assert_eq!(pairs.len(), 64);
    }
}
