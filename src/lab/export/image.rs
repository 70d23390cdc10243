//! Figures as SVG and PNG, with the provenance inside.

use super::figure::{ExportFigure, SIZE};
use super::source::NamedRun;
use super::text::{self, escaped};
use crate::lab::LabError;
use plotters::backend::{BitMapBackend, SVGBackend};

/// Pixels a point of a pixel figure: about 300 dots an inch at the width of a column.
const ZOOM: u32 = 2;

/// The figure as a vector drawing.
pub fn svg(figure: &ExportFigure, runs: &[NamedRun<'_>]) -> Result<String, LabError> {
    let mut text = String::new();
    figure.draw(SVGBackend::with_string(&mut text, SIZE), 1.0)?;
    // Just inside the opening tag, where the format wants its title and metadata.
    let inside = text.find("<svg").and_then(|start| Some(start + text[start..].find('>')? + 1)).unwrap_or(0);
    let lines = runs.iter().flat_map(NamedRun::provenance);
    let facts: String = lines.map(|(name, text)| format!("{}: {}\n", escaped(&name), escaped(&text))).collect();
    text.insert_str(inside, &format!("\n<title>{}</title>\n<metadata>\n{facts}</metadata>", escaped(&figure.title)));
    Ok(text)
}

/// The figure in pixels.
pub fn png(figure: &ExportFigure, runs: &[NamedRun<'_>]) -> Result<Vec<u8>, LabError> {
    let (width, height) = (SIZE.0 * ZOOM, SIZE.1 * ZOOM);
    let mut pixels = vec![0; (width * height * 3) as usize];
    figure.draw(BitMapBackend::with_buffer(&mut pixels, (width, height)), f64::from(ZOOM))?;
    let lines = runs.iter().flat_map(NamedRun::provenance);
    let facts: String =
        lines.map(|(name, fact)| format!("{}\n", text::printable(&format!("{name}: {fact}")))).collect();
    encoded(width, height, png::ColorType::Rgb, &pixels, &[("Title", &figure.title), ("Description", &facts)])
}

/// A PNG file with texts.
pub(super) fn encoded(
    width: u32,
    height: u32,
    colours: png::ColorType,
    pixels: &[u8],
    texts: &[(&str, &str)],
) -> Result<Vec<u8>, LabError> {
    let mut file = Vec::new();
    let mut encode = || {
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(colours);
        for (keyword, text) in texts {
            encoder.add_itxt_chunk((*keyword).to_owned(), (*text).to_owned())?;
        }
        encoder.write_header()?.write_image_data(pixels)
    };
    encode().map_err(|error| LabError::Refused(format!("the picture cannot be written as PNG: {error}")))?;
    Ok(file)
}
