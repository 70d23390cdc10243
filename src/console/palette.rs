//! The colours, one set for each kind of paper that a terminal writes on.
//!
//! Series use the Okabe–Ito set (readable for colour-blind people) in the nearest entries of the xterm palette that stand out
//! from their paper. A background is never set except for selections and matrices.

use ratatui::style::Color;

/// A set of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// For dark paper.
    #[default]
    Dark,
    /// For light paper.
    Light,
    /// The 16 colours of old terminals, on dark paper.
    Ansi,
}

/// What the colours of a set are for.
#[derive(Clone, Copy, Debug)]
pub struct Inks {
    /// Series, one after the other: blue, orange, bluish green, vermillion, sky blue, reddish purple, grey, yellow.
    pub series: [Color; 8],
    /// Keys, headings, what has the focus.
    pub accent: Color,
    /// Secondary text.
    pub dim: Color,
    /// Grid lines and bands.
    pub faint: Color,
    /// What went wrong.
    pub bad: Color,
    /// What went well.
    pub good: Color,
    /// What wants attention.
    pub warn: Color,
}

const fn indexed(entries: [u8; 8]) -> [Color; 8] {
    let mut colours = [Color::Reset; 8];
    let mut at = 0;
    while at < entries.len() {
        colours[at] = Color::Indexed(entries[at]);
        at += 1;
    }
    colours
}

const DARK: Inks = Inks {
    series: indexed([39, 214, 36, 202, 117, 175, 250, 227]),
    accent: Color::Indexed(74),
    dim: Color::Indexed(248),
    faint: Color::Indexed(246),
    bad: Color::Indexed(202),
    good: Color::Indexed(36),
    warn: Color::Indexed(214),
};

const LIGHT: Inks = Inks {
    series: indexed([20, 94, 22, 124, 24, 127, 240, 58]),
    accent: Color::Indexed(24),
    dim: Color::Indexed(240),
    faint: Color::Indexed(241),
    bad: Color::Indexed(124),
    good: Color::Indexed(22),
    warn: Color::Indexed(94),
};

const ANSI: Inks = Inks {
    series: [
        Color::LightCyan,
        Color::LightYellow,
        Color::Green,
        Color::LightRed,
        Color::Cyan,
        Color::LightMagenta,
        Color::Gray,
        Color::White,
    ],
    accent: Color::LightCyan,
    dim: Color::Gray,
    faint: Color::Gray,
    bad: Color::LightRed,
    good: Color::LightGreen,
    warn: Color::LightYellow,
};

impl Palette {
    /// Its colours.
    #[must_use]
    pub const fn inks(self) -> &'static Inks {
        match self {
            Self::Dark => &DARK,
            Self::Light => &LIGHT,
            Self::Ansi => &ANSI,
        }
    }

    /// The set for paper of this colour: red, green and blue from 0 to 1.
    #[must_use]
    pub fn on(paper: [f64; 3]) -> Self {
        if is_light(paper) { Self::Light } else { Self::Dark }
    }
}

/// Whether black stands out from a colour better than white.
pub(super) fn is_light(colour: [f64; 3]) -> bool {
    // Both have the same contrast where (Y + 0.05)² = 0.05 · 1.05.
    luminance(colour) > 0.179
}

/// Red, green and blue from 0 to 1 of a colour that every terminal shows alike: of 24 bits, or from the cube and the greys of
/// the 256 colours.
pub(super) fn parts(colour: Color) -> Option<[f64; 3]> {
    let step = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    let parts = match colour {
        Color::Rgb(red, green, blue) => [red, green, blue],
        Color::Indexed(index @ 232..) => [8 + 10 * (index - 232); 3],
        Color::Indexed(index @ 16..) => [(index - 16) / 36, (index - 16) / 6 % 6, (index - 16) % 6].map(step),
        _ => return None,
    };
    Some(parts.map(|part| f64::from(part) / 255.0))
}

/// Relative luminance of a colour in sRGB (WCAG 2.1): 0 for black, 1 for white.
pub(super) fn luminance(colour: [f64; 3]) -> f64 {
    let linear = |part: f64| if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
    let [red, green, blue] = colour.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rgb(red: u8, green: u8, blue: u8) -> [f64; 3] {
        [red, green, blue].map(|part| f64::from(part) / 255.0)
    }

    /// The colour as xterm shows it, and a VGA console the first 16.
    fn shown(colour: Color) -> [f64; 3] {
        match colour {
            Color::Indexed(_) => parts(colour).unwrap(),
            Color::Green => rgb(0, 170, 0),
            Color::Cyan => rgb(0, 170, 170),
            Color::Gray => rgb(170, 170, 170),
            Color::LightRed => rgb(255, 85, 85),
            Color::LightGreen => rgb(85, 255, 85),
            Color::LightYellow => rgb(255, 255, 85),
            Color::LightMagenta => rgb(255, 85, 255),
            Color::LightCyan => rgb(85, 255, 255),
            Color::White => rgb(255, 255, 255),
            other => panic!("{other:?} has no colour of its own"),
        }
    }

    #[test]
    fn every_ink_stands_out_from_its_paper() {
        let dark = [rgb(0, 0, 0), rgb(30, 30, 30), rgb(40, 40, 40)];
        let light = [rgb(255, 255, 255), rgb(253, 246, 227), rgb(238, 238, 238)];
        for (palette, papers) in
            [(Palette::Dark, &dark[..]), (Palette::Light, &light), (Palette::Ansi, &[rgb(0, 0, 0)])]
        {
            let Inks { series, accent, dim, faint, bad, good, warn } = *palette.inks();
            for ink in series.into_iter().chain([accent, dim, faint, bad, good, warn]) {
                for paper in papers {
                    let (a, b) = (luminance(shown(ink)) + 0.05, luminance(*paper) + 0.05);
                    let contrast = a.max(b) / a.min(b);
                    assert!(contrast >= 4.5, "{palette:?} {ink:?} on {paper:?}: {contrast:.2} : 1");
                }
            }
            for paper in papers {
                assert_eq!(Palette::on(*paper) == Palette::Light, palette == Palette::Light);
            }
        }
    }

    #[test]
    fn series_have_different_colours() {
        for palette in [Palette::Dark, Palette::Light, Palette::Ansi] {
            let series: std::collections::HashSet<_> =
                palette.inks().series.iter().map(|ink| format!("{ink:?}")).collect();
            assert_eq!(series.len(), 8);
        }
    }
}
