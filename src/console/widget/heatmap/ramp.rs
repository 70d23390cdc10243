//! The colours and characters of the scale of a matrix, from low to high.

use crate::console::palette;
use crate::console::theme::Theme;
use ratatui::style::Color;

/// Viridis from low to high in the nearest xterm-256 entries, in the order of their luminance.
pub const RAMP: [u8; 12] = [53, 54, 24, 60, 61, 30, 35, 36, 71, 77, 148, 226];

/// Viridis (Smith and van der Walt, 2015) at equal steps, for terminals with 24 bits for a colour.
const VIRIDIS: [[u8; 3]; 16] = [
    [68, 1, 84],
    [72, 26, 108],
    [71, 47, 125],
    [65, 68, 135],
    [57, 86, 140],
    [49, 104, 142],
    [42, 120, 142],
    [35, 136, 142],
    [31, 152, 139],
    [34, 168, 132],
    [53, 183, 121],
    [84, 197, 104],
    [122, 209, 81],
    [165, 219, 54],
    [210, 226, 27],
    [253, 231, 37],
];

/// Steps of the scale in 24 bits: as many as an eye tells apart, so that neighbours mostly share a colour and a frame
/// stays short.
const FINE: usize = 64;

/// Low to high where there is no colour.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];
const ASCII_SHADES: [char; 10] = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];

/// The place of a value among `levels` steps of a scale.
pub fn level(value: f32, (lo, hi): (f32, f32), levels: usize) -> usize {
    let along = if hi > lo { (value - lo) / (hi - lo) } else { 0.0 };
    ((along * levels as f32) as usize).min(levels - 1)
}

/// Step number `step` of [`FINE`].
fn fine(step: usize) -> Color {
    let along = step as f64 / (FINE - 1) as f64 * (VIRIDIS.len() - 1) as f64;
    let low = (along.floor() as usize).min(VIRIDIS.len() - 2);
    let mixed = |part: usize| {
        let (one, other) = (f64::from(VIRIDIS[low][part]), f64::from(VIRIDIS[low + 1][part]));
        (one + (along - low as f64) * (other - one)).round() as u8
    };
    Color::Rgb(mixed(0), mixed(1), mixed(2))
}

/// The colour of a value; grey where there is none.
pub fn colour(theme: &Theme, value: Option<f32>, range: (f32, f32)) -> Color {
    match value {
        None => Color::Indexed(240),
        Some(value) if theme.true_colour => fine(level(value, range, FINE)),
        Some(value) => Color::Indexed(RAMP[level(value, range, RAMP.len())]),
    }
}

/// The character of a value.
pub fn shade(theme: &Theme, value: Option<f32>, range: (f32, f32)) -> char {
    let shades: &[char] = if theme.ascii() { &ASCII_SHADES } else { &SHADES };
    value.map_or('?', |value| shades[level(value, range, shades.len())])
}

/// The black or white of the 256 colours that is read better on a colour.
pub fn ink(colour: Color) -> Color {
    Color::Indexed(if palette::is_light(palette::parts(colour).unwrap_or_default()) { 16 } else { 231 })
}
