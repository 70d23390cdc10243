//! How a batch is cut into slices and leaves: a function of the batch and the model alone, so that sums do not depend on the
//! number of threads.

use super::shape::Shape;

/// Rows (tokens) per slice for training.
const TRAINING_ROWS: usize = 200;

/// Rows (tokens) per slice for inference.
const INFERENCE_ROWS: usize = 400;

/// Most leaves of the tree along which gradients are summed: as many threads can share a batch.
const MOST_LEAVES: usize = 16;

/// A batch for training.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrainingCut {
    /// Images that go through the network at once.
    pub slice_images: usize,
    /// Images whose gradients are summed into one buffer.
    pub leaf_images: usize,
    /// Buffers that the batch makes.
    pub leaves: usize,
}

impl TrainingCut {
    /// Of `batch` images, at least one.
    pub fn new(shape: &Shape, batch: usize) -> Self {
        let slice_images = (TRAINING_ROWS / shape.tokens).max(1);
        let leaf_images = batch.div_ceil(slice_images).div_ceil(MOST_LEAVES) * slice_images;
        Self { slice_images, leaf_images, leaves: batch.div_ceil(leaf_images) }
    }

    /// Gradient buffers that `threads` threads hold at once at most: each takes a part of the tree and holds one for each of
    /// its levels.
    pub fn gradients(&self, threads: usize) -> usize {
        let threads = threads.min(self.leaves);
        let levels = self.leaves.div_ceil(threads).next_power_of_two().ilog2() as usize + 1;
        (threads * levels).min(self.leaves)
    }
}

/// Images that each of `threads` threads takes through the network at once for inference of `batch` images.
pub(super) fn inference_images(shape: &Shape, batch: usize, threads: usize) -> usize {
    (INFERENCE_ROWS / shape.tokens).max(1).min(batch.div_ceil(threads)).max(1)
}
