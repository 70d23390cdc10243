//! Images as a model sees them.

use super::dataset::{DataError, Images, Patcher};

/// Images with the way they become patches.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// The images.
    pub images: &'a Images,
    /// Which of them, in which order.
    pub indices: &'a [usize],
    /// How they are normalised and cut.
    pub patcher: &'a Patcher,
}

impl Samples<'_> {
    /// Fills `patches` (resized to fit) with the images `indices` and gives their labels.
    ///
    /// # Errors
    /// The images cannot be read.
    pub(super) fn batch(&self, indices: &[usize], patches: &mut Vec<f32>) -> Result<Vec<u32>, DataError> {
        patches.resize(indices.len() * self.images.bytes(), 0.0);
        self.patcher.write(self.images, indices, patches)?;
        Ok(self.labels(indices))
    }

    /// The labels of the images `indices`.
    pub(super) fn labels(&self, indices: &[usize]) -> Vec<u32> {
        indices.iter().map(|&index| self.images.labels()[index]).collect()
    }
}
