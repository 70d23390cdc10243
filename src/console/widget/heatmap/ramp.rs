//! The colours and characters of the scale of a matrix, from low to high.

use crate::console::palette;
use crate::console::theme::Theme;
use crate::lab::viridis;
use ratatui::style::Color;

/// Viridis from low to high in the nearest xterm-256 entries, in the order of their luminance.
pub const RAMP: [u8; 12] = [53, 54, 24, 60, 61, 30, 35, 36, 71, 77, 148, 226];

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
    let [red, green, blue] = viridis(step as f64 / (FINE - 1) as f64);
    Color::Rgb(red, green, blue)
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
