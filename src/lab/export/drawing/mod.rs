//! One drawing for every kind of picture: shapes on a sheet measured in points, written as SVG, as pixels or as PDF.

mod font;
mod pdf;
mod pixels;
mod sheet;
mod svg;

pub use font::{LINE, width, wrapped};
pub use pdf::pdf;
pub use pixels::png;
pub use sheet::{Anchor, Group, Rgb, Sheet, SheetPlace, SheetShape, Stroke};
pub use svg::svg;
