//! How figures look where it differs from their declaration: sizes in print, legend, which of them.

use crate::lab::{LabError, Scale};

/// The least and the largest width of a figure, in points.
const WIDTHS: (f64, f64) = (108.0, 3600.0);
/// The least and the largest size of text, in points.
const SIZES: (f64, f64) = (4.0, 48.0);
/// A figure is at least so many sizes of its text wide.
const NARROWEST: f64 = 18.0;

/// Where the legend is. Wherever that is, it covers no data: where it has no room, it stands below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LegendPlace {
    /// Beside the plot, or below it where the figure is narrow.
    #[default]
    Outside,
    /// In a part of the plot without data.
    Inside,
    /// A name at the end of each curve.
    Direct,
    /// Nowhere.
    Nowhere,
}

/// How figures look.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureLook {
    /// The scale of horizontal axes, where not as declared.
    pub x: Option<Scale>,
    /// The scale of vertical axes, where not as declared.
    pub y: Option<Scale>,
    /// The width in print, in points of 1/72 inch.
    pub width: f64,
    /// The size of text in print, in points.
    pub font_size: f64,
    /// Where the legend is.
    pub legend: LegendPlace,
    /// The figures that are wanted, by name; all where there is none.
    pub figures: Vec<String>,
    /// The parameter, or `problem`, each of whose values has a panel of its own.
    pub facet: Option<String>,
    /// The heading, where not as declared; an empty one for none.
    pub title: Option<String>,
    /// Whether the parameters that all runs share stand below.
    pub caption: bool,
}

impl Default for FigureLook {
    fn default() -> Self {
        Self {
            x: None,
            y: None,
            width: 6.5 * 72.0,
            font_size: 8.0,
            legend: LegendPlace::Outside,
            figures: Vec::new(),
            facet: None,
            title: None,
            caption: false,
        }
    }
}

impl FigureLook {
    /// Whether figures can be drawn so.
    ///
    /// # Errors
    /// The width or the size of text is too small or too large.
    pub fn check(&self) -> Result<(), LabError> {
        let inches = |points: f64| points / 72.0;
        let refuse = |words: String| Err(LabError::Refused(words));
        if !(SIZES.0..=SIZES.1).contains(&self.font_size) {
            return refuse(format!("font size: found {} pt, allowed: {} to {} pt", self.font_size, SIZES.0, SIZES.1));
        }
        let least = WIDTHS.0.max(NARROWEST * self.font_size);
        if !(least..=WIDTHS.1).contains(&self.width) {
            return refuse(format!(
                "width: found {:.2} in, allowed with text of {} pt: {:.2} to {:.0} in",
                inches(self.width),
                self.font_size,
                inches(least),
                inches(WIDTHS.1)
            ));
        }
        Ok(())
    }
}

/// A length as people write it, `3.3in`, `12cm`, `84mm`, `252pt`, in points.
///
/// # Errors
/// It is no length.
pub fn length(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let points = match unit.trim() {
        "in" => 72.0,
        "cm" => 72.0 / 2.54,
        "mm" => 72.0 / 25.4,
        "pt" => 1.0,
        _ => return Err(format!("found `{text}`, allowed: a number with in, cm, mm or pt, e.g. 3.3in")),
    };
    number
        .parse()
        .map(|number: f64| number * points)
        .map_err(|_| format!("found `{text}`, allowed: e.g. 3.3in or 84mm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_a_unit() {
        assert_eq!(length("3.3in").map(f64::round), Ok(238.0));
        assert_eq!(length("25.4 mm").map(f64::round), Ok(72.0));
        assert_eq!(length("2.54cm").map(f64::round), Ok(72.0));
        assert_eq!(length("100pt"), Ok(100.0));
        assert!(["3", "in", "-1in", "1..2in", "3px", ""].iter().all(|text| length(text).is_err()));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused_in_a_line() {
        let narrow = FigureLook { width: 72.0, ..FigureLook::default() };
        let words = narrow.check().unwrap_err().to_string();
        assert!(words.contains("found 1.00 in, allowed with text of 8 pt: 2.00 to 50 in"), "{words}");
        let small = FigureLook { font_size: 1.0, ..FigureLook::default() };
        assert!(small.check().is_err() && FigureLook::default().check().is_ok());
    }
}
