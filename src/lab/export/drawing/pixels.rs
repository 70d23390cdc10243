//! A sheet in pixels, 300 to the inch, with smooth edges.

use super::font::{face, placed};
use super::sheet::{Anchor, Rgb, Sheet, SheetPlace, SheetShape, Stroke};
use crate::lab::LabError;
use crate::lab::export::png_file::encoded;
use tiny_skia::{Color, FillRule, Paint, Path, PathBuilder, Pixmap, Rect, StrokeDash, Transform};

/// Pixels an inch.
const DENSITY: f64 = 300.0;

/// The most pixels of a side.
const LARGEST: f64 = 20_000.0;

/// The picture as a PNG file with texts inside.
///
/// # Errors
/// The picture is too large, or cannot be written.
pub fn png(sheet: &Sheet, texts: &[(&str, &str)]) -> Result<Vec<u8>, LabError> {
    let scale = DENSITY / 72.0;
    let (width, height) = ((sheet.width * scale).round(), (sheet.height * scale).round());
    let too_large =
        || LabError::Refused(format!("a figure of {width} × {height} pixels is too large; take a smaller width"));
    if width > LARGEST || height > LARGEST {
        return Err(too_large());
    }
    let mut pixmap = Pixmap::new(width as u32, height as u32).ok_or_else(too_large)?;
    pixmap.fill(Color::WHITE);
    let mut brush = Brush { pixmap, turn: Transform::from_scale(scale as f32, scale as f32) };
    for shape in &sheet.shapes {
        brush.draw(shape)?;
    }
    let pixels: Vec<u8> =
        brush.pixmap.data().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    encoded((width as u32, height as u32), png::ColorType::Rgb, &pixels, texts, Some(DENSITY))
}

struct Brush {
    pixmap: Pixmap,
    turn: Transform,
}

impl Brush {
    fn draw(&mut self, shape: &SheetShape) -> Result<(), LabError> {
        match shape {
            SheetShape::Path { places, closed, fill, stroke } => {
                if let Some(path) = polyline(places, *closed) {
                    if let Some((colour, opacity)) = fill {
                        self.fill(&path, *colour, *opacity, self.turn);
                    }
                    self.stroke(&path, stroke.as_ref());
                }
            }
            SheetShape::Circle { at, radius, fill, stroke } => {
                if let Some(path) = PathBuilder::from_circle(at.0 as f32, at.1 as f32, *radius as f32) {
                    self.fill(&path, *fill, 1.0, self.turn);
                    self.stroke(&path, stroke.as_ref());
                }
            }
            SheetShape::Text { at, size, text, anchor, upwards, colour } => {
                self.write((*at, *size), text, *anchor, *upwards, *colour)?;
            }
            SheetShape::Cells { at, size, columns, colours } => self.cells(*at, *size, *columns, colours),
            SheetShape::Begin(_) | SheetShape::End => {}
        }
        Ok(())
    }

    fn fill(&mut self, path: &Path, colour: Rgb, opacity: f64, turn: Transform) {
        self.pixmap.fill_path(path, &paint(colour, opacity), FillRule::Winding, turn, None);
    }

    fn stroke(&mut self, path: &Path, stroke: Option<&Stroke>) {
        let Some(stroke) = stroke else { return };
        let dash = stroke.dash.iter().map(|length| *length as f32).collect::<Vec<_>>();
        let line = tiny_skia::Stroke {
            width: stroke.width as f32,
            line_join: tiny_skia::LineJoin::Round,
            dash: StrokeDash::new(dash, 0.0),
            ..tiny_skia::Stroke::default()
        };
        self.pixmap.stroke_path(path, &paint(stroke.colour, 1.0), &line, self.turn, None);
    }

    fn write(
        &mut self,
        (at, size): (SheetPlace, f64),
        text: &str,
        anchor: Anchor,
        upwards: bool,
        colour: Rgb,
    ) -> Result<(), LabError> {
        let face = face()?;
        let unit = size / f64::from(face.units_per_em());
        let (letters, width) = placed(text);
        let begin = size * width * share(anchor);
        let mut builder = Outline(PathBuilder::new(), 0.0);
        for letter in letters {
            builder.1 = ((letter.at * size - begin) / unit) as f32;
            face.outline_glyph(letter.glyph, &mut builder);
        }
        if let Some(path) = builder.0.finish() {
            let (unit, x, y) = (unit as f32, at.0 as f32, at.1 as f32);
            let own = if upwards {
                Transform::from_row(0.0, -unit, -unit, 0.0, x, y)
            } else {
                Transform::from_row(unit, 0.0, 0.0, -unit, x, y)
            };
            self.fill(&path, colour, 1.0, own.post_concat(self.turn));
        }
        Ok(())
    }

    fn cells(&mut self, at: SheetPlace, size: (f64, f64), columns: usize, colours: &[Rgb]) {
        let columns = columns.max(1);
        let rows = colours.len().div_ceil(columns).max(1);
        let (width, height) = (size.0 / columns as f64, size.1 / rows as f64);
        for (index, colour) in colours.iter().enumerate() {
            // Edges on whole pixels leave no seams.
            let edge =
                |from: f64, step: f64, count: usize| ((from + step * count as f64) * DENSITY / 72.0).round() as f32;
            let (column, row) = (index % columns, index / columns);
            let (left, right) = (edge(at.0, width, column), edge(at.0, width, column + 1));
            let (top, bottom) = (edge(at.1, height, row), edge(at.1, height, row + 1));
            if let Some(cell) = Rect::from_ltrb(left, top, right, bottom) {
                let mut paint = paint(*colour, 1.0);
                paint.anti_alias = false;
                self.pixmap.fill_rect(cell, &paint, Transform::identity(), None);
            }
        }
    }
}

/// How much of a text stands before its place.
pub(super) const fn share(anchor: Anchor) -> f64 {
    match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => 0.5,
        Anchor::End => 1.0,
    }
}

fn paint(colour: Rgb, opacity: f64) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(colour[0], colour[1], colour[2], (opacity * 255.0).round() as u8);
    paint
}

fn polyline(places: &[SheetPlace], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (index, (x, y)) in places.iter().enumerate() {
        if index == 0 {
            builder.move_to(*x as f32, *y as f32);
        } else {
            builder.line_to(*x as f32, *y as f32);
        }
    }
    if closed {
        builder.close();
    }
    builder.finish()
}

/// The outline of letters, moved to the right.
struct Outline(PathBuilder, f32);

impl ttf_parser::OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x + self.1, y);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x + self.1, y);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1 + self.1, y1, x + self.1, y);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1 + self.1, y1, x2 + self.1, y2, x + self.1, y);
    }
    fn close(&mut self) {
        self.0.close();
    }
}
