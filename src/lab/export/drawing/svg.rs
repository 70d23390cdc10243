//! A sheet as SVG: text as text, a line of the file for each shape.

use super::sheet::{Anchor, Rgb, Sheet, SheetShape, Stroke};
use crate::lab::LabError;
use crate::lab::export::png_file::encoded;
use crate::lab::export::text::escaped;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

/// The fonts to write with: that of the other forms, and one whose letters are as wide.
const FONTS: &str = "DejaVu Sans, Verdana, sans-serif";

/// The drawing; `head` stands just inside of it.
///
/// # Errors
/// Cells cannot be written as a picture.
pub fn svg(sheet: &Sheet, head: &str) -> Result<String, LabError> {
    let (width, height) = (number(sheet.width), number(sheet.height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}pt\" height=\"{height}pt\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"{FONTS}\" stroke-linejoin=\"round\">\n{head}<rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for shape in &sheet.shapes {
        out += &one(shape)?;
        out.push('\n');
    }
    out += "</svg>\n";
    Ok(out)
}

fn one(shape: &SheetShape) -> Result<String, LabError> {
    Ok(match shape {
        SheetShape::Path { places, closed, fill, stroke } => {
            let mut points = String::new();
            for (x, y) in places {
                let space = if points.is_empty() { "" } else { " " };
                let _ = write!(points, "{space}{},{}", number(*x), number(*y));
            }
            let tag = if *closed { "polygon" } else { "polyline" };
            let fill = match fill {
                None => " fill=\"none\"".to_owned(),
                Some((colour, opacity)) if *opacity < 1.0 => {
                    format!(" fill=\"{}\" fill-opacity=\"{}\"", hex(*colour), number(*opacity))
                }
                Some((colour, _)) => format!(" fill=\"{}\"", hex(*colour)),
            };
            format!("<{tag} points=\"{points}\"{fill}{}/>", line(stroke.as_ref()))
        }
        SheetShape::Circle { at, radius, fill, stroke } => format!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"{}/>",
            number(at.0),
            number(at.1),
            number(*radius),
            hex(*fill),
            line(stroke.as_ref())
        ),
        SheetShape::Text { at, size, text, anchor, upwards, colour } => {
            let anchor = match anchor {
                Anchor::Start => "",
                Anchor::Middle => " text-anchor=\"middle\"",
                Anchor::End => " text-anchor=\"end\"",
            };
            let (x, y) = (number(at.0), number(at.1));
            let turn = if *upwards { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
            let (size, colour) = (number(*size), hex(*colour));
            format!(
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{colour}\"{anchor}{turn}>{}</text>",
                escaped(text)
            )
        }
        SheetShape::Cells { at, size, columns, colours } => {
            let columns = (*columns).max(1);
            let bytes: Vec<u8> = colours.concat();
            let file =
                encoded((columns as u32, (colours.len() / columns) as u32), png::ColorType::Rgb, &bytes, &[], None)?;
            format!(
                "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
                 style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>",
                number(at.0),
                number(at.1),
                number(size.0),
                number(size.1),
                STANDARD.encode(file)
            )
        }
        SheetShape::Begin(group) => format!("<g class=\"{}\">", group.name()),
        SheetShape::End => "</g>".to_owned(),
    })
}

fn line(stroke: Option<&Stroke>) -> String {
    let Some(Stroke { colour, width, dash }) = stroke else { return String::new() };
    let lengths: Vec<String> = dash.iter().map(|length| number(*length)).collect();
    let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{}\"", lengths.join(" ")) };
    format!(" stroke=\"{}\" stroke-width=\"{}\"{dash}", hex(*colour), number(*width))
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// A number to a hundredth, without zeros at its end.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
