//! The batches of a training, one after the other: each image of an epoch once, in the epoch's order.

use super::dataset::{Augment, Images, Patcher, Split};
use super::error::VisionError;
use super::model::DeviceBatch;
use super::samples::Samples;

/// What one step trains on.
#[derive(Default)]
pub(super) struct TrainingBatch {
    /// The step whose batch this is, counted from 0; none before it is filled.
    of: Option<u64>,
    /// Patches `[image, token, patch_dim]`.
    pub patches: Vec<f32>,
    /// Labels `[image]`.
    pub labels: Vec<u32>,
    /// Both on the device that computes the model, where they were copied there ahead of the step.
    pub copied: Option<DeviceBatch>,
}

impl TrainingBatch {
    /// Whether it was filled.
    pub const fn is_filled(&self) -> bool {
        self.of.is_some()
    }
}

/// Makes the batches.
pub(super) struct TrainingBatches<'a> {
    images: &'a Images,
    split: &'a Split,
    patcher: &'a Patcher,
    size: usize,
    augment: Augment,
    seed: u64,
    /// The order of the images in the epoch that was last asked for.
    order: Vec<usize>,
    order_of: Option<u64>,
}

impl<'a> TrainingBatches<'a> {
    /// Those of a training on `split` in steps of `size` images, which `augment` changes, in orders of this seed.
    pub fn new(
        (images, split): (&'a Images, &'a Split),
        patcher: &'a Patcher,
        size: usize,
        augment: Augment,
        seed: u64,
    ) -> Self {
        Self { images, split, patcher, size, augment, seed, order: Vec::new(), order_of: None }
    }

    /// Puts what `step`, counted from 0, trains on into `batch`, unless it is there.
    ///
    /// # Errors
    /// The images cannot be read.
    pub fn fill(&mut self, step: u64, batch: &mut TrainingBatch) -> Result<(), VisionError> {
        if batch.of == Some(step) {
            return Ok(());
        }
        (batch.of, batch.copied) = (None, None);
        let Self { seed, size, augment, .. } = *self;
        let count = self.split.train.len();
        let epoch_steps = count.div_ceil(size) as u64;
        let (epoch, within) = (step / epoch_steps, step % epoch_steps);
        if self.order_of != Some(epoch) {
            self.order = self.split.epoch(seed, epoch);
            self.order_of = Some(epoch);
        }
        let from = within as usize * size;
        let indices = &self.order[from..(from + size).min(count)];
        batch.patches.resize(indices.len() * self.images.bytes(), 0.0);
        self.patcher.write_augmented(self.images, indices, &augment, (seed, epoch), &mut batch.patches)?;
        batch.labels = Samples { images: self.images, indices, patcher: self.patcher }.labels(indices);
        batch.of = Some(step);
        Ok(())
    }
}
