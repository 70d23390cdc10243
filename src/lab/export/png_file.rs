//! PNG files with texts inside.

use crate::lab::LabError;

/// A PNG file of that width and height with texts; `density` is pixels an inch.
pub fn encoded(
    (width, height): (u32, u32),
    colours: png::ColorType,
    pixels: &[u8],
    texts: &[(&str, &str)],
    density: Option<f64>,
) -> Result<Vec<u8>, LabError> {
    let mut file = Vec::new();
    let mut encode = || {
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(colours);
        encoder.set_pixel_dims(density.map(|density| {
            let a_metre = (density / 0.0254).round() as u32;
            png::PixelDimensions { xppu: a_metre, yppu: a_metre, unit: png::Unit::Meter }
        }));
        for (keyword, text) in texts {
            encoder.add_itxt_chunk((*keyword).to_owned(), (*text).to_owned())?;
        }
        encoder.write_header()?.write_image_data(pixels)
    };
    encode().map_err(|error| LabError::Refused(format!("the picture cannot be written as PNG: {error}")))?;
    Ok(file)
}
