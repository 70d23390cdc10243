//! The 1,797 handwritten digits that come with the program.
//!
//! Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, UCI 1998): 8×8 counts in 0..=16. The order of the
//! file is by writer, so the test part is the *tail* of every class, its last 36 images (360 in all): mostly other
//! hands than those trained on, and every class equally often. The other 1,437 are for training.

use super::{DataError, Dataset, Images};
use smartcore::dataset::digits::load_dataset;

const SIZE: usize = 8;
const CLASSES: usize = 10;
/// Test images of each class.
const TEST_EACH: usize = 36;

/// The digits; they cannot be missing.
///
/// # Errors
/// The copy inside the program is damaged.
pub(super) fn load() -> Result<Dataset, DataError> {
    let raw = load_dataset();
    let labels: Vec<u32> = raw.target.iter().map(|&label| label as u32).collect();
    let mut left = [0_usize; CLASSES];
    for &label in &labels {
        left[label as usize] += 1;
    }
    let (mut train, mut test) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for (counts, &label) in raw.data.chunks_exact(SIZE * SIZE).zip(&labels) {
        let part = if left[label as usize] > TEST_EACH { &mut train } else { &mut test };
        left[label as usize] -= 1;
        part.0.extend(counts.iter().map(|&count| (count * (255.0 / 16.0)).round() as u8));
        part.1.push(label);
    }
    Ok(Dataset {
        name: "digits",
        classes: (0..CLASSES).map(|digit| digit.to_string()).collect(),
        train: Images::new(1, SIZE, train.0, train.1)?,
        test: Images::new(1, SIZE, test.0, test.1)?,
        skipped: Vec::new(),
    })
}
