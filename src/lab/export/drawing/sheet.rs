//! The shapes that a picture is made of.

/// Red, green and blue.
pub type Rgb = [u8; 3];

/// A place on a sheet: points from the left and from the top.
pub type SheetPlace = (f64, f64);

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub colour: Rgb,
    /// Its width in points.
    pub width: f64,
    /// Lengths of strokes and gaps in points; none for a whole line.
    pub dash: &'static [f64],
}

/// Which part of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// What shapes belong to, so that people who change a drawing find them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Points, lines and intervals.
    Data,
    /// The legend; its first shape is the box around it.
    Legend,
}

impl Group {
    /// The name in a drawing.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Legend => "legend",
        }
    }
}

/// One thing that is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum SheetShape {
    /// Straight lines through places.
    Path {
        /// The places.
        places: Vec<SheetPlace>,
        /// Whether the last is joined with the first.
        closed: bool,
        /// What fills it, with its opacity.
        fill: Option<(Rgb, f64)>,
        /// Its line.
        stroke: Option<Stroke>,
    },
    /// A circle.
    Circle {
        /// Its middle.
        at: SheetPlace,
        /// Its radius.
        radius: f64,
        /// What fills it.
        fill: Rgb,
        /// Its line.
        stroke: Option<Stroke>,
    },
    /// A line of text.
    Text {
        /// Where its base line is.
        at: SheetPlace,
        /// Its size in points.
        size: f64,
        /// The words.
        text: String,
        /// Which part of it stands there.
        anchor: Anchor,
        /// Whether it runs upwards.
        upwards: bool,
        /// Its colour.
        colour: Rgb,
    },
    /// A rectangle of square-edged colours.
    Cells {
        /// Its upper left corner.
        at: SheetPlace,
        /// Width and height.
        size: (f64, f64),
        /// Columns of cells.
        columns: usize,
        /// The colours of cells by rows.
        colours: Vec<Rgb>,
    },
    /// What follows belongs to a group.
    Begin(Group),
    /// The group ends.
    End,
}

/// A picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    /// Its width in points.
    pub width: f64,
    /// Its height in points.
    pub height: f64,
    /// What is on it, the lowest first.
    pub shapes: Vec<SheetShape>,
}

impl Sheet {
    /// Draws a straight line.
    pub fn line(&mut self, from: SheetPlace, to: SheetPlace, stroke: Stroke) {
        self.path(vec![from, to], stroke);
    }

    /// Draws straight lines through places.
    pub fn path(&mut self, places: Vec<SheetPlace>, stroke: Stroke) {
        self.shapes.push(SheetShape::Path { places, closed: false, fill: None, stroke: Some(stroke) });
    }

    /// Draws a polygon.
    pub fn polygon(&mut self, places: Vec<SheetPlace>, fill: Option<(Rgb, f64)>, stroke: Option<Stroke>) {
        self.shapes.push(SheetShape::Path { places, closed: true, fill, stroke });
    }

    /// Draws a rectangle between two corners.
    pub fn rectangle(
        &mut self,
        (left, top): SheetPlace,
        (right, bottom): SheetPlace,
        fill: Option<Rgb>,
        stroke: Option<Stroke>,
    ) {
        let corners = vec![(left, top), (right, top), (right, bottom), (left, bottom)];
        self.polygon(corners, fill.map(|colour| (colour, 1.0)), stroke);
    }

    /// Writes a line of text.
    pub fn text(&mut self, at: SheetPlace, size: f64, text: &str, anchor: Anchor, colour: Rgb) {
        let text = text.to_owned();
        self.shapes.push(SheetShape::Text { at, size, text, anchor, upwards: false, colour });
    }

    /// Writes a line of text that runs upwards.
    pub fn text_upwards(&mut self, at: SheetPlace, size: f64, text: &str, anchor: Anchor, colour: Rgb) {
        let text = text.to_owned();
        self.shapes.push(SheetShape::Text { at, size, text, anchor, upwards: true, colour });
    }
}
