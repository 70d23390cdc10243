//! Random changes to training images that leave their class as it is.

use crate::named::named;
use crate::random::{Generator, generator};
use rand::Rng;

named! {
    /// Random changes that can be chosen by name.
    pub enum Augmentation {
        None = "none", "images as they are";
        Shift = "shift", "moved by up to an eighth of the image";
        Flip = "flip", "mirrored left to right, every second time";
        Crop = "crop", "a random square of at least half the area, enlarged";
        ShiftFlip = "shift+flip", "moved and mirrored";
        CropFlip = "crop+flip", "cropped and mirrored";
    }
}

/// What may happen to a training image, each time it is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augment {
    /// Moved by up to this many pixels up or down and left or right; the uncovered edge is black.
    pub shift: usize,
    /// Mirrored left to right, every second time.
    pub flip: bool,
    /// A square cut out at random and enlarged (bilinear); its area is uniform in this share of the image to all of it.
    /// At 1 nothing is cut.
    pub crop: f32,
}

impl Augment {
    /// Nothing happens.
    pub const NONE: Self = Self { shift: 0, flip: false, crop: 1.0 };

    /// What `chosen` means for images of `size` pixels.
    #[must_use]
    pub fn new(chosen: Augmentation, size: usize) -> Self {
        use Augmentation as A;
        Self {
            shift: if matches!(chosen, A::Shift | A::ShiftFlip) { (size / 8).max(1) } else { 0 },
            flip: matches!(chosen, A::Flip | A::ShiftFlip | A::CropFlip),
            crop: if matches!(chosen, A::Crop | A::CropFlip) { 0.5 } else { 1.0 },
        }
    }

    /// The generator of image `index` of `count` in `epoch`: what happens to an image does not depend on the batch it
    /// is in or on threads.
    pub(super) fn generator(seed: u64, epoch: u64, index: usize, count: usize) -> Generator {
        generator(seed, "augment", epoch * count as u64 + index as u64)
    }

    /// Writes a changed copy of `pixels` (`[channel][row][column]`, `size`×`size`) into `out`.
    pub(super) fn apply(&self, pixels: &[u8], size: usize, random: &mut Generator, out: &mut Vec<u8>) {
        out.clear();
        out.resize(pixels.len(), 0);
        let flipped = self.flip && random.random();
        let span = self.shift.min(size);
        let mut shift = || random.random_range(0..=2 * span) as isize - span as isize;
        let (dy, dx) = (shift(), shift());
        let area: f32 = random.random_range(self.crop.clamp(0.0, 1.0)..=1.0);
        let side = ((size as f32 * area.sqrt()).round() as usize).clamp(1, size);
        let (top, left) = (random.random_range(0..=size - side), random.random_range(0..=size - side));
        let (rows, mut columns) = (Taps::of(size, side, top, dy), Taps::of(size, side, left, dx));
        if flipped {
            columns.0.reverse();
        }
        for (plane, out) in pixels.chunks_exact(size * size).zip(out.chunks_exact_mut(size * size)) {
            for (row, out) in rows.0.iter().zip(out.chunks_exact_mut(size)) {
                let Some(row) = row else { continue };
                let line = |y: usize| &plane[y * size..(y + 1) * size];
                let (upper, lower) = (line(row.first), line(row.second));
                for (column, out) in columns.0.iter().zip(out) {
                    let Some(column) = column else { continue };
                    let between =
                        |line: &[u8]| mix(f32::from(line[column.first]), f32::from(line[column.second]), column.weight);
                    *out = mix(between(upper), between(lower), row.weight).round() as u8;
                }
            }
        }
    }
}

fn mix(first: f32, second: f32, weight: f32) -> f32 {
    first + (second - first) * weight
}

/// Two neighbouring pixels along one axis and the weight of the second.
#[derive(Clone, Copy)]
struct Tap {
    first: usize,
    second: usize,
    weight: f32,
}

/// Where each pixel of a line comes from; none for a pixel from outside the image.
struct Taps(Vec<Option<Tap>>);

impl Taps {
    /// A line of `size` pixels, enlarged from the `side` pixels at `start`, then moved by `shift`.
    fn of(size: usize, side: usize, start: usize, shift: isize) -> Self {
        let last = start + side - 1;
        let tap = |place: usize| {
            let place = place.checked_add_signed(-shift).filter(|&place| place < size)?;
            let centre = (place as f32 + 0.5) * side as f32 / size as f32 - 0.5;
            let centre = (centre + start as f32).clamp(start as f32, last as f32);
            let first = centre as usize;
            Some(Tap { first, second: (first + 1).min(last), weight: centre - first as f32 })
        };
        Self((0..size).map(tap).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(augment: Augment, epoch: u64) -> Vec<u8> {
        let pixels: Vec<u8> = (1..=2 * 64).collect();
        let mut out = Vec::new();
        augment.apply(&pixels, 8, &mut Augment::generator(1, epoch, 0, 10), &mut out);
        out
    }

    #[test]
    fn none_changes_nothing_and_choices_are_made_of_parts() {
        assert_eq!(changed(Augment::NONE, 0), (1..=128).collect::<Vec<u8>>());
        assert_eq!(Augment::new(Augmentation::None, 8), Augment::NONE);
        assert_eq!(Augment::new(Augmentation::ShiftFlip, 32), Augment { shift: 4, flip: true, crop: 1.0 });
        assert_eq!(Augment::new(Augmentation::CropFlip, 32), Augment { shift: 0, flip: true, crop: 0.5 });
    }

    #[test]
    fn flips_mirror_every_row_half_of_the_time() {
        let flip = Augment { flip: true, ..Augment::NONE };
        let mirrored: Vec<u8> =
            (1..=128).collect::<Vec<u8>>().chunks(8).flat_map(|row| row.iter().rev().copied()).collect();
        let flips = (0..200).filter(|&epoch| changed(flip, epoch) == mirrored).count();
        let kept = (0..200).filter(|&epoch| changed(flip, epoch) == changed(Augment::NONE, 0)).count();
        assert_eq!(flips + kept, 200);
        assert!((70..=130).contains(&flips), "{flips}");
    }

    #[test]
    fn shifts_move_whole_pixels_and_bring_in_black() {
        let shift = Augment { shift: 2, ..Augment::NONE };
        let mut seen = std::collections::BTreeSet::new();
        for epoch in 0..300 {
            let out = changed(shift, epoch);
            let (place, value) = out.iter().enumerate().find(|(_, value)| **value > 0).unwrap();
            let (y, x) = ((*value as usize - 1) / 8, (*value as usize - 1) % 8);
            let moved = ((place / 8) as isize - y as isize, (place % 8) as isize - x as isize);
            assert!(moved.0.abs() <= 2 && moved.1.abs() <= 2);
            assert_eq!(
                out.iter().filter(|value| **value == 0).count(),
                2 * (64 - (8 - moved.0.unsigned_abs()) * (8 - moved.1.unsigned_abs()))
            );
            seen.insert(moved);
        }
        assert_eq!(seen.len(), 25);
    }

    #[test]
    fn crops_stay_inside_the_image() {
        let crop = Augment { crop: 0.5, ..Augment::NONE };
        for epoch in 0..100 {
            let out = changed(crop, epoch);
            assert!(out.iter().all(|value| (1..=128).contains(value)));
            let rows: Vec<u8> = out[..64].iter().step_by(8).copied().collect();
            assert!(rows.is_sorted() && out[..8].is_sorted(), "{rows:?}");
        }
        assert_eq!(changed(crop, 3), changed(crop, 3));
        assert_ne!(changed(crop, 3), changed(crop, 4));
    }
}
