//! Where a block hides no data.

use super::panel::PanelPlace;
use crate::lab::export::drawing::{Group, Sheet, SheetPlace, SheetShape};

/// The corner of a place for a block of this size in a plot that no data touch: a corner of the plot, or near one.
pub fn free_place(
    sheet: &Sheet,
    place: &PanelPlace,
    (block_width, block_height): (f64, f64),
    em: f64,
) -> Option<SheetPlace> {
    const STEPS: usize = 12;
    let margin = 0.9 * em;
    let (left, top) = (place.corner.0 + margin, place.corner.1 + margin);
    let (free_x, free_y) =
        (place.opposite.0 - margin - block_width - left, place.opposite.1 - margin - block_height - top);
    if free_x < 0.0 || free_y < 0.0 {
        return None;
    }
    let data = data(sheet);
    let mut all: Vec<(f64, SheetPlace)> = Vec::new();
    for column in 0..=STEPS {
        for row in 0..=STEPS {
            let along = (column as f64 / STEPS as f64, row as f64 / STEPS as f64);
            // Corners first, the upper right one before all.
            let far = |along: f64| along.min(1.0 - along);
            let wish = far(along.0) + far(along.1) + 0.01 * (1.0 - along.0) + 0.02 * along.1;
            all.push((wish, (left + along.0 * free_x, top + along.1 * free_y)));
        }
    }
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let is_free = |(_, (x, y)): &&(f64, SheetPlace)| {
        let corners = ((x - margin, y - margin), (x + block_width + margin, y + block_height + margin));
        data.iter().all(|shape| !touches(shape, corners))
    };
    all.iter().find(is_free).map(|(_, at)| *at)
}

/// The shapes of data.
fn data(sheet: &Sheet) -> Vec<&SheetShape> {
    let mut inside = false;
    let mut all = Vec::new();
    for shape in &sheet.shapes {
        match shape {
            SheetShape::Begin(group) => inside = *group == Group::Data,
            SheetShape::End => inside = false,
            shape if inside => all.push(shape),
            _ => {}
        }
    }
    all
}

/// Whether a shape reaches into a rectangle.
fn touches(shape: &SheetShape, corners: (SheetPlace, SheetPlace)) -> bool {
    let ((left, top), (right, bottom)) = corners;
    match shape {
        SheetShape::Circle { at: (x, y), radius, .. } => {
            x + radius > left && x - radius < right && y + radius > top && y - radius < bottom
        }
        SheetShape::Path { places, closed, fill, .. } => {
            let back = closed.then(|| places.last().zip(places.first())).flatten();
            let pairs = places.windows(2).map(|pair| (pair[0], pair[1])).chain(back.map(|(one, other)| (*one, *other)));
            let crosses = pairs.into_iter().any(|(from, to)| crosses(from, to, corners));
            crosses || (fill.is_some() && holds(places, ((left + right) / 2.0, (top + bottom) / 2.0)))
        }
        _ => false,
    }
}

/// Whether a straight line reaches into a rectangle (Liang and Barsky).
fn crosses(from: SheetPlace, to: SheetPlace, ((left, top), (right, bottom)): (SheetPlace, SheetPlace)) -> bool {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (step, room) in [(-dx, from.0 - left), (dx, right - from.0), (-dy, from.1 - top), (dy, bottom - from.1)] {
        if step == 0.0 {
            if room < 0.0 {
                return false;
            }
        } else if step < 0.0 {
            enter = enter.max(room / step);
        } else {
            leave = leave.min(room / step);
        }
    }
    enter <= leave
}

/// Whether a polygon holds a place.
fn holds(places: &[SheetPlace], (x, y): SheetPlace) -> bool {
    let mut inside = false;
    for (index, (x1, y1)) in places.iter().enumerate() {
        let (x2, y2) = places[(index + 1) % places.len()];
        if (*y1 > y) != (y2 > y) && x < (x2 - x1) * (y - y1) / (y2 - y1) + x1 {
            inside = !inside;
        }
    }
    inside
}
