//! Labelled square images, eight bits a channel.

use super::DataError;
use image::imageops::FilterType;
use image::{ImageBuffer, Luma};
use rayon::prelude::*;

/// Labelled images of one size: 8 bits a value, channel-first (`[channel][row][column]`), square.
#[derive(Debug)]
pub struct Images {
    channels: usize,
    size: usize,
    labels: Vec<u32>,
    pixels: Vec<u8>,
}

impl Images {
    /// From pixels `[image, channel, row, column]` and one label an image.
    ///
    /// # Errors
    /// A size is zero, or the number of pixels does not fit the number of labels.
    pub fn new(channels: usize, size: usize, pixels: Vec<u8>, labels: Vec<u32>) -> Result<Self, DataError> {
        let bytes = channels * size * size;
        if bytes == 0 || pixels.len() != bytes * labels.len() {
            return Err(DataError::Option(format!(
                "{} pixels do not make {} images of {channels}×{size}×{size}",
                pixels.len(),
                labels.len()
            )));
        }
        Ok(Self { channels, size, labels, pixels })
    }

    /// Number of images.
    #[must_use]
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// Colour channels: 1 or 3.
    #[must_use]
    pub const fn channels(&self) -> usize {
        self.channels
    }

    /// Height and width in pixels.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// The class of each image.
    #[must_use]
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Bytes an image.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.channels * self.size * self.size
    }

    /// The pixels of image `index`, `[channel][row][column]`; `scratch` holds them if they come from a file.
    ///
    /// # Errors
    /// The file behind the images cannot be read.
    ///
    /// # Panics
    /// There is no image `index`.
    pub fn image<'a>(&'a self, index: usize, _scratch: &'a mut Vec<u8>) -> Result<&'a [u8], DataError> {
        let bytes = self.bytes();
        Ok(&self.pixels[index * bytes..(index + 1) * bytes])
    }

    /// Images of each class, for `classes` classes.
    #[must_use]
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for &label in &self.labels {
            if let Some(count) = counts.get_mut(label as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// The same images at another size (triangle filter).
    pub(super) fn resized(self, size: usize) -> Self {
        if size == self.size {
            return self;
        }
        let side = self.size as u32;
        let pixels = self
            .pixels
            .par_chunks(self.size * self.size)
            .flat_map_iter(|plane| {
                let plane: ImageBuffer<Luma<u8>, &[u8]> =
                    ImageBuffer::from_raw(side, side, plane).expect("a plane has size² pixels");
                image::imageops::resize(&plane, size as u32, size as u32, FilterType::Triangle).into_raw()
            })
            .collect();
        Self { size, pixels, ..self }
    }
}
