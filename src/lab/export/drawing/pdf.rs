//! A sheet as a page of PDF: text as text, with the letters of the font that are used inside.

use super::font::{PlacedGlyph, face, placed};
use super::pixels::share;
use super::sheet::{Rgb, Sheet, SheetPlace, SheetShape, Stroke};
use crate::lab::LabError;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{CidFontType, FontFlags, LineJoinStyle, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str};
use std::collections::BTreeMap;
use std::io::Write;
use subsetter::GlyphRemapper;

const FONT: Name<'_> = Name(b"F");
const FONT_NAME: Name<'_> = Name(b"ATTLAB+DejaVuSans");
const SYSTEM: SystemInfo<'_> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// How far a control point of a quarter of a circle lies from its end, in radii.
const ROUND: f64 = 0.552_284_75;

/// The page as a file; `metadata` is its XMP packet.
///
/// # Errors
/// The font cannot be put inside.
pub fn pdf(sheet: &Sheet, metadata: &str) -> Result<Vec<u8>, LabError> {
    let mut page = Page {
        content: Content::new(),
        height: sheet.height,
        glyphs: GlyphRemapper::new(),
        letters: BTreeMap::new(),
        opacities: Vec::new(),
        images: Vec::new(),
    };
    page.content.set_line_join(LineJoinStyle::RoundJoin);
    for shape in &sheet.shapes {
        page.draw(shape);
    }
    page.finish(sheet, metadata)
}

/// Columns and rows of a rectangle of colours, and the bytes of the colours.
type Raster = ((i32, i32), Vec<u8>);

struct Page {
    content: Content,
    height: f64,
    glyphs: GlyphRemapper,
    /// The letter of each glyph of the smaller font, with its width.
    letters: BTreeMap<u16, (char, f32)>,
    /// Opacities that are used, in hundredths.
    opacities: Vec<u8>,
    images: Vec<Raster>,
}

impl Page {
    fn at(&self, (x, y): SheetPlace) -> (f32, f32) {
        (x as f32, (self.height - y) as f32)
    }

    fn draw(&mut self, shape: &SheetShape) {
        match shape {
            SheetShape::Path { places, closed, fill, stroke } => {
                self.set(fill.map(|(colour, _)| colour), stroke.as_ref(), fill.map_or(1.0, |(_, opacity)| opacity));
                for (index, place) in places.iter().enumerate() {
                    let (x, y) = self.at(*place);
                    if index == 0 {
                        self.content.move_to(x, y)
                    } else {
                        self.content.line_to(x, y)
                    };
                }
                if *closed {
                    self.content.close_path();
                }
                self.paint(fill.is_some(), stroke.is_some());
            }
            SheetShape::Circle { at, radius, fill, stroke } => {
                self.set(Some(*fill), stroke.as_ref(), 1.0);
                let (x, y) = self.at(*at);
                let (r, k) = (*radius as f32, (radius * ROUND) as f32);
                self.content.move_to(x + r, y);
                self.content.cubic_to(x + r, y + k, x + k, y + r, x, y + r);
                self.content.cubic_to(x - k, y + r, x - r, y + k, x - r, y);
                self.content.cubic_to(x - r, y - k, x - k, y - r, x, y - r);
                self.content.cubic_to(x + k, y - r, x + r, y - k, x + r, y);
                self.content.close_path();
                self.paint(true, stroke.is_some());
            }
            SheetShape::Text { at, size, text, anchor, upwards, colour } => {
                let (letters, width) = placed(text);
                let begin = width * size * share(*anchor);
                self.set(Some(*colour), None, 1.0);
                let (x, y) = self.at(*at);
                let back = begin as f32;
                self.content.begin_text();
                self.content.set_font(FONT, *size as f32);
                let matrix =
                    if *upwards { [0.0, 1.0, -1.0, 0.0, x, y - back] } else { [1.0, 0.0, 0.0, 1.0, x - back, y] };
                self.content.set_text_matrix(matrix);
                self.show(&letters);
                self.content.end_text();
                self.content.restore_state();
            }
            SheetShape::Cells { at, size, columns, colours } => {
                let columns = (*columns).max(1);
                let number = self.images.len();
                self.images.push(((columns as i32, (colours.len() / columns) as i32), colours.concat()));
                let (x, y) = self.at((at.0, at.1 + size.1));
                self.content.save_state();
                self.content.transform([size.0 as f32, 0.0, 0.0, size.1 as f32, x, y]);
                self.content.x_object(Name(image_name(number).as_bytes()));
                self.content.restore_state();
            }
            SheetShape::Begin(_) | SheetShape::End => {}
        }
    }

    /// Sets colours and line of what follows, up to the next `restore_state`.
    fn set(&mut self, fill: Option<Rgb>, stroke: Option<&Stroke>, opacity: f64) {
        let part = |value: u8| f32::from(value) / 255.0;
        self.content.save_state();
        if let Some([red, green, blue]) = fill {
            self.content.set_fill_rgb(part(red), part(green), part(blue));
        }
        if opacity < 1.0 {
            let hundredths = (opacity * 100.0).round() as u8;
            if !self.opacities.contains(&hundredths) {
                self.opacities.push(hundredths);
            }
            self.content.set_parameters(Name(format!("O{hundredths}").as_bytes()));
        }
        if let Some(Stroke { colour: [red, green, blue], width, dash }) = stroke {
            self.content.set_stroke_rgb(part(*red), part(*green), part(*blue));
            self.content.set_line_width(*width as f32);
            if !dash.is_empty() {
                self.content.set_dash_pattern(dash.iter().map(|length| *length as f32), 0.0);
            }
        }
    }

    fn paint(&mut self, fill: bool, stroke: bool) {
        match (fill, stroke) {
            (true, true) => self.content.fill_nonzero_and_stroke(),
            (true, false) => self.content.fill_nonzero(),
            (false, true) => self.content.stroke(),
            (false, false) => self.content.end_path(),
        };
        self.content.restore_state();
    }

    /// Shows a line of text, each letter in its place.
    fn show(&mut self, letters: &[PlacedGlyph]) {
        let Ok(face) = face() else { return };
        let unit = f32::from(face.units_per_em());
        let mut shown = Vec::new();
        let mut expected = 0.0;
        for letter in letters {
            let number = self.glyphs.remap(letter.glyph.0);
            let advance = f32::from(face.glyph_hor_advance(letter.glyph).unwrap_or(0)) / unit;
            self.letters.entry(number).or_insert((letter.letter, advance * 1000.0));
            shown.push((number, expected - letter.at as f32));
            expected = letter.at as f32 + advance;
        }
        let mut operation = self.content.show_positioned();
        let mut items = operation.items();
        for (number, back) in shown {
            if back.abs() > 1e-4 {
                items.adjust(back * 1000.0);
            }
            items.show(Str(&number.to_be_bytes()));
        }
    }

    fn finish(self, sheet: &Sheet, metadata: &str) -> Result<Vec<u8>, LabError> {
        let mut pdf = Pdf::new();
        let mut last = 0;
        let mut next = || {
            last += 1;
            Ref::new(last)
        };
        let [catalog, pages, page, content, info] = [next(), next(), next(), next(), next()];
        let [font, cid, descriptor, file, unicode] = [next(), next(), next(), next(), next()];
        let images: Vec<Ref> = self.images.iter().map(|_| next()).collect();
        pdf.catalog(catalog).pages(pages).metadata(info);
        pdf.pages(pages).kids([page]).count(1);
        let mut leaf = pdf.page(page);
        leaf.media_box(Rect::new(0.0, 0.0, sheet.width as f32, sheet.height as f32)).parent(pages).contents(content);
        let mut resources = leaf.resources();
        resources.fonts().pair(FONT, font);
        let mut objects = resources.x_objects();
        for (number, image) in images.iter().enumerate() {
            objects.pair(Name(image_name(number).as_bytes()), *image);
        }
        objects.finish();
        let mut states = resources.ext_g_states();
        for hundredths in &self.opacities {
            let mut state = states
                .insert(Name(format!("O{hundredths}").as_bytes()))
                .start::<pdf_writer::writers::ExtGraphicsState<'_>>();
            state.non_stroking_alpha(f32::from(*hundredths) / 100.0);
        }
        states.finish();
        resources.finish();
        leaf.finish();
        pdf.stream(content, &self.content.finish());
        pdf.metadata(info, metadata.as_bytes());
        for (image, ((columns, rows), bytes)) in images.into_iter().zip(&self.images) {
            let bytes = packed(bytes);
            let mut object = pdf.image_xobject(image, &bytes);
            object.filter(Filter::FlateDecode);
            object.width(*columns).height(*rows).bits_per_component(8).interpolate(false);
            object.color_space().device_rgb();
        }

        let whole = dejavu::sans::regular();
        let refused = |error| LabError::Refused(format!("the font cannot be put into the PDF: {error}"));
        let small = subsetter::subset(whole, 0, &self.glyphs).map_err(refused)?;
        pdf.type0_font(font)
            .base_font(FONT_NAME)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid)
            .to_unicode(unicode);
        let mut letters = pdf.cid_font(cid);
        letters.subtype(CidFontType::Type2).base_font(FONT_NAME).system_info(SYSTEM).font_descriptor(descriptor);
        letters.default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = letters.widths();
        for (number, (_, width)) in &self.letters {
            widths.consecutive(*number, [*width]);
        }
        widths.finish();
        letters.finish();
        let face = face()?;
        let unit = |value: i16| f32::from(value) * 1000.0 / f32::from(face.units_per_em());
        let bounds = face.global_bounding_box();
        pdf.font_descriptor(descriptor)
            .name(FONT_NAME)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(unit(bounds.x_min), unit(bounds.y_min), unit(bounds.x_max), unit(bounds.y_max)))
            .italic_angle(0.0)
            .ascent(unit(face.ascender()))
            .descent(unit(face.descender()))
            .cap_height(unit(face.capital_height().unwrap_or(face.ascender())))
            .stem_v(80.0)
            .font_file2(file);
        let packed_font = packed(&small);
        let mut stream = pdf.stream(file, &packed_font);
        stream.filter(Filter::FlateDecode);
        stream.pair(Name(b"Length1"), small.len() as i32);
        stream.finish();
        let mut map = UnicodeCmap::new(Name(b"Custom"), SYSTEM);
        self.letters.iter().for_each(|(number, (letter, _))| map.pair(*number, *letter));
        pdf.cmap(unicode, &map.finish());
        Ok(pdf.finish())
    }
}

fn image_name(number: usize) -> String {
    format!("I{number}")
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing into memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
