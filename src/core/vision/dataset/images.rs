//! Labelled square images, eight bits a channel.

use super::cache::Cache;
use super::error::DataError;
use crate::vision::room::zeros;
use image::imageops::FilterType;
use image::{ImageBuffer, Luma};
use rayon::prelude::*;

/// Labelled images of one size: 8 bits a value, channel-first (`[channel][row][column]`), square.
#[derive(Debug)]
pub struct Images {
    channels: usize,
    size: usize,
    labels: Vec<u32>,
    pixels: Pixels,
}

/// Where the pixels are.
#[derive(Debug)]
pub(super) enum Pixels {
    /// All of them, `[image, channel, row, column]`.
    Memory(Vec<u8>),
    /// In these slots of a file, read as they are needed.
    File {
        /// The file.
        cache: Cache,
        /// The slot of each image.
        slots: Vec<usize>,
    },
}

impl Images {
    /// From pixels `[image, channel, row, column]` and one label per image.
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
        Ok(Self::over(channels, size, Pixels::Memory(pixels), labels))
    }

    /// From pixels known to fit.
    pub(super) const fn over(channels: usize, size: usize, pixels: Pixels, labels: Vec<u32>) -> Self {
        Self { channels, size, labels, pixels }
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

    /// Bytes per image.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.channels * self.size * self.size
    }

    /// Bytes that the images take in memory, with their labels.
    #[must_use]
    pub fn memory(&self) -> usize {
        let pixels = match &self.pixels {
            Pixels::Memory(pixels) => pixels.len(),
            Pixels::File { slots, .. } => size_of_val(slots.as_slice()),
        };
        pixels + size_of_val(self.labels.as_slice())
    }

    /// The pixels of image `index`, `[channel][row][column]`; `scratch` holds them if they come from a file.
    ///
    /// # Errors
    /// The file behind the images cannot be read.
    ///
    /// # Panics
    /// There is no image `index`.
    pub fn image<'a>(&'a self, index: usize, scratch: &'a mut Vec<u8>) -> Result<&'a [u8], DataError> {
        let bytes = self.bytes();
        match &self.pixels {
            Pixels::Memory(pixels) => Ok(&pixels[index * bytes..(index + 1) * bytes]),
            Pixels::File { cache, slots } => {
                scratch.resize(bytes, 0);
                cache.read_into(slots[index], scratch)?;
                Ok(scratch)
            }
        }
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

    /// The images `indices` alone, in that order.
    ///
    /// # Errors
    /// The file behind the images cannot be read, or there is no memory.
    pub(super) fn select(&self, indices: &[usize]) -> Result<Self, DataError> {
        let mut pixels = zeros(indices.len() * self.bytes())?;
        let mut scratch = Vec::new();
        for (into, &index) in pixels.chunks_exact_mut(self.bytes()).zip(indices) {
            into.copy_from_slice(self.image(index, &mut scratch)?);
        }
        let labels = indices.iter().map(|&index| self.labels[index]).collect();
        Self::new(self.channels, self.size, pixels, labels)
    }

    /// The same images at another size (triangle filter).
    ///
    /// # Errors
    /// The file behind the images cannot be read, or there is no memory.
    pub(super) fn resized(self, size: usize) -> Result<Self, DataError> {
        if size == self.size {
            return Ok(self);
        }
        let (old, new, plane) = (self.size as u32, size as u32, size * size);
        let mut pixels = zeros(self.count() * self.channels * plane)?;
        pixels.par_chunks_exact_mut(self.channels * plane).enumerate().try_for_each_init(
            Vec::new,
            |scratch, (index, into)| {
                let planes = self.image(index, scratch)?.chunks_exact(self.size * self.size);
                for (plane, into) in planes.zip(into.chunks_exact_mut(plane)) {
                    let plane: Option<ImageBuffer<Luma<u8>, &[u8]>> = ImageBuffer::from_raw(old, old, plane);
                    if let Some(plane) = plane {
                        let resized = image::imageops::resize(&plane, new, new, FilterType::Triangle);
                        into.copy_from_slice(resized.as_raw());
                    }
                }
                Ok::<_, DataError>(())
            },
        )?;
        Self::new(self.channels, size, pixels, self.labels)
    }
}
