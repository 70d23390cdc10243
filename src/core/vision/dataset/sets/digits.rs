//! The 1,797 handwritten digits that come with the program.
//!
//! Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, UCI 1998): 8×8 counts in 0..=16. The order of the
//! file is by writer, so the test part is the *tail* of every class, its last 36 images (360 in all): mostly other
//! hands than those trained on, and every class equally often. The other 1,437 are for training.

use crate::vision::dataset::error::DataError;
use crate::vision::dataset::facts::{Loader, SetFacts, Site};
use crate::vision::dataset::images::Images;
use crate::vision::dataset::loaded::{Dataset, Options, Watch};
use smartcore::dataset::digits::load_dataset;

const SIZE: usize = 8;
const CLASSES: usize = 10;
/// Test images of each class.
const TEST_EACH: usize = 36;

/// The digits that are built in.
pub(super) static DIGITS: SetFacts = SetFacts {
    size: Some(SIZE),
    channels: Some(1),
    images: [1437, 360],
    classes: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    folders: &[],
    own_folder: false,
    advice: "it is built in",
    published: &[],
    homes: &[],
    loader: &BuiltIn,
};

/// Reads the digits; they cannot be missing.
struct BuiltIn;

impl Loader for BuiltIn {
    fn load(&self, site: &Site<'_>, _: &Options, _: Watch) -> Result<Dataset, DataError> {
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
        Ok(Dataset::whole(
            site.name,
            site.class_names(),
            Images::new(1, SIZE, train.0, train.1)?,
            Images::new(1, SIZE, test.0, test.1)?,
        ))
    }
}
