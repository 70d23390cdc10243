//! Colours, markers and dashes of curves, with the numbers that the console has.

use crate::lab::Style;
use crate::lab::export::drawing::{Rgb, Sheet, SheetPlace, Stroke};

/// The colours of Okabe and Ito (2008), told apart by colour-blind people too; the yellow, hardly seen on paper, is darker.
const INKS: [Rgb; 8] = [
    [0, 114, 178],
    [230, 159, 0],
    [0, 158, 115],
    [213, 94, 0],
    [86, 180, 233],
    [204, 121, 167],
    [110, 110, 110],
    [178, 165, 20],
];

/// Text and axes.
pub const DARK: Rgb = [50, 50, 50];
/// Lines behind the data.
pub const FAINT: Rgb = [226, 226, 226];
pub const WHITE: Rgb = [255, 255, 255];

/// The dash of theory.
const BROKEN: &[f64] = &[4.0, 2.2];
/// The dashes of lines, one for each round of colours.
const ROUNDS: [&[f64]; 4] = [&[], &[7.0, 1.6, 1.4, 1.6], &[1.3, 1.6], &[9.0, 1.6, 3.0, 1.6, 1.3, 1.6]];

/// What a curve is drawn with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// How it is drawn.
    pub style: Style,
    /// Number of its colour; none for what belongs to no series.
    pub ink: Option<usize>,
    /// Number of its marker.
    pub symbol: usize,
}

impl Mark {
    pub fn colour(&self) -> Rgb {
        self.ink.map_or(DARK, |ink| INKS[ink % INKS.len()])
    }

    pub fn line(&self, width: f64) -> Stroke {
        let round = self.ink.map_or(0, |ink| ink / INKS.len()) % ROUNDS.len();
        let dash = if self.style == Style::Dashed { BROKEN } else { ROUNDS[round] };
        Stroke { colour: self.colour(), width, dash }
    }

    /// Draws the marker: circle, triangle, square, diamond, full and then hollow.
    pub fn draw(&self, sheet: &mut Sheet, (x, y): SheetPlace, radius: f64) {
        let colour = self.colour();
        // The markers shift by one at each round of colours, as on screen.
        let number = (self.symbol + self.symbol / INKS.len()) % 8;
        let fill = if number < 4 { colour } else { WHITE };
        let stroke = Stroke { colour, width: radius * 0.4, dash: &[] };
        let corners: &[SheetPlace] = match number % 4 {
            0 => {
                let fill =
                    crate::lab::export::drawing::SheetShape::Circle { at: (x, y), radius, fill, stroke: Some(stroke) };
                return sheet.shapes.push(fill);
            }
            1 => &[(0.0, -1.25), (1.15, 0.8), (-1.15, 0.8)],
            2 => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            _ => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
        };
        let places = corners.iter().map(|(right, down)| (x + right * radius, y + down * radius)).collect();
        sheet.polygon(places, Some((fill, 1.0)), Some(stroke));
    }
}
