//! From bytes to what a model reads: normalised patches.

use super::augment::Augment;
use super::error::DataError;
use super::images::Images;
use rayon::prelude::*;

/// Mean and standard deviation of each channel, of values in 0..=1.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalisation {
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel.
    pub deviation: Vec<f32>,
}

impl Normalisation {
    /// Over the images `indices` (the training part: test images must not leak into it). Sums are exact integers, so
    /// the result does not depend on order or threads.
    ///
    /// # Errors
    /// There are no images, or they cannot be read.
    pub fn of(images: &Images, indices: &[usize]) -> Result<Self, DataError> {
        if indices.is_empty() {
            return Err(DataError::Option("no training images to take the mean of".to_owned()));
        }
        let (channels, plane) = (images.channels(), images.size() * images.size());
        let sums = indices
            .par_iter()
            .try_fold(
                || (vec![[0_u64; 2]; channels], Vec::new()),
                |(mut sums, mut scratch), &index| {
                    let pixels = images.image(index, &mut scratch)?;
                    for (sum, plane) in sums.iter_mut().zip(pixels.chunks_exact(plane)) {
                        sum[0] += plane.iter().map(|&value| u64::from(value)).sum::<u64>();
                        sum[1] += plane.iter().map(|&value| u64::from(value).pow(2)).sum::<u64>();
                    }
                    Ok((sums, scratch))
                },
            )
            .map(|part| part.map(|(sums, _)| sums))
            .try_reduce(
                || vec![[0; 2]; channels],
                |mut left, right| {
                    left.iter_mut().zip(right).for_each(|(left, right)| {
                        left[0] += right[0];
                        left[1] += right[1];
                    });
                    Ok::<_, DataError>(left)
                },
            )?;
        let values = (indices.len() * plane) as f64;
        let moments = |[sum, squares]: [u64; 2]| {
            let mean = sum as f64 / values;
            // A constant channel has no spread to divide by.
            let deviation = (squares as f64 / values - mean * mean).max(0.0).sqrt().max(1.0);
            ((mean / 255.0) as f32, (deviation / 255.0) as f32)
        };
        let (mean, deviation) = sums.into_iter().map(moments).unzip();
        Ok(Self { mean, deviation })
    }
}

/// Cuts images into normalised patches.
#[derive(Clone, Debug)]
pub struct Patcher {
    patch: usize,
    /// Every byte's value, by channel.
    tables: Vec<[f32; 256]>,
}

impl Patcher {
    /// For patches of `patch`×`patch` pixels.
    #[must_use]
    pub fn new(patch: usize, normalisation: &Normalisation) -> Self {
        let tables = normalisation.mean.iter().zip(&normalisation.deviation);
        let table =
            |(mean, deviation): (&f32, &f32)| std::array::from_fn(|byte| (byte as f32 / 255.0 - mean) / deviation);
        Self { patch, tables: tables.map(table).collect() }
    }

    /// Writes the images `indices` into `out`, `[image, token, patch_dim]`: tokens row by row over the grid, the numbers
    /// of a patch by (channel, row, column).
    ///
    /// # Errors
    /// The patch does not divide the images, `out` has another length, or the images cannot be read.
    pub fn write(&self, images: &Images, indices: &[usize], out: &mut [f32]) -> Result<(), DataError> {
        self.write_each(images, indices, out, |_, pixels, _| pixels)
    }

    /// As [`Patcher::write`], with every image changed by `augment`: how, is known by `seed`, `epoch` and the image's
    /// index alone.
    ///
    /// # Errors
    /// As [`Patcher::write`].
    pub fn write_augmented(
        &self,
        images: &Images,
        indices: &[usize],
        augment: &Augment,
        (seed, epoch): (u64, u64),
        out: &mut [f32],
    ) -> Result<(), DataError> {
        if *augment == Augment::NONE {
            return self.write(images, indices, out);
        }
        self.write_each(images, indices, out, |index, pixels, changed| {
            let mut random = Augment::generator(seed, epoch, index, images.count());
            augment.apply(pixels, images.size(), &mut random, changed);
            changed
        })
    }

    fn write_each(
        &self,
        images: &Images,
        indices: &[usize],
        out: &mut [f32],
        change: impl for<'a> Fn(usize, &'a [u8], &'a mut Vec<u8>) -> &'a [u8] + Sync,
    ) -> Result<(), DataError> {
        let (size, bytes) = (images.size(), images.bytes());
        if self.patch == 0 || !size.is_multiple_of(self.patch) || self.tables.len() != images.channels() {
            return Err(DataError::Option(format!(
                "patches of {0}×{0} in {1} channels do not tile images of {size}×{size} in {2}",
                self.patch,
                self.tables.len(),
                images.channels()
            )));
        }
        if out.len() != indices.len() * bytes {
            return Err(DataError::Option(format!(
                "room for {} numbers; {} images have {}",
                out.len(),
                indices.len(),
                indices.len() * bytes
            )));
        }
        out.par_chunks_mut(bytes).zip(indices).try_for_each_init(
            || (Vec::new(), Vec::new()),
            |(scratch, changed), (out, &index)| {
                self.cut(change(index, images.image(index, scratch)?, changed), size, out);
                Ok(())
            },
        )
    }

    fn cut(&self, pixels: &[u8], size: usize, out: &mut [f32]) {
        let (patch, side) = (self.patch, size / self.patch);
        let patch_dim = self.tables.len() * patch * patch;
        for (channel, (plane, table)) in pixels.chunks_exact(size * size).zip(&self.tables).enumerate() {
            for (y, row) in plane.chunks_exact(size).enumerate() {
                let inside = (channel * patch + y % patch) * patch;
                for (x, piece) in row.chunks_exact(patch).enumerate() {
                    let start = (y / patch * side + x) * patch_dim + inside;
                    for (out, &byte) in out[start..start + patch].iter_mut().zip(piece) {
                        *out = table[usize::from(byte)];
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_are_tokens_by_rows_and_numbers_by_channel() {
        let pixels: Vec<u8> = (0..32).collect();
        let images = Images::new(2, 4, pixels, vec![0]).unwrap();
        let plain = Normalisation { mean: vec![0.0; 2], deviation: vec![1.0 / 255.0; 2] };
        let mut out = vec![0.0; 32];
        Patcher::new(2, &plain).write(&images, &[0], &mut out).unwrap();
        let whole: Vec<u8> = out.iter().map(|value| value.round() as u8).collect();
        assert_eq!(whole[..8], [0, 1, 4, 5, 16, 17, 20, 21]);
        assert_eq!(whole[8..16], [2, 3, 6, 7, 18, 19, 22, 23]);
        assert_eq!(whole[16..24], [8, 9, 12, 13, 24, 25, 28, 29]);
    }

    #[test]
    fn normalised_training_images_have_mean_zero_and_deviation_one() {
        let pixels: Vec<u8> = (0..4 * 18).map(|i| (i * i % 251) as u8).collect();
        let images = Images::new(2, 3, pixels, vec![0, 1, 0, 1]).unwrap();
        let normalisation = Normalisation::of(&images, &[0, 1, 2, 3]).unwrap();
        let mut out = vec![0.0; 4 * 18];
        Patcher::new(3, &normalisation).write(&images, &[0, 1, 2, 3], &mut out).unwrap();
        for channel in 0..2 {
            let values: Vec<f32> = out.chunks_exact(18).flat_map(|image| image[channel * 9..][..9].to_vec()).collect();
            let mean = values.iter().sum::<f32>() / 36.0;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 36.0;
            assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4, "{mean} {variance}");
        }
        assert!(Normalisation::of(&images, &[]).is_err());
        assert!(Patcher::new(2, &normalisation).write(&images, &[0], &mut out[..18]).is_err());
    }
}
