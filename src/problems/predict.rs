//! Logits of a trained model, for checking its weights in another framework.

use crate::lab::RunError;
use crate::problems::inputs::check_dataset;
use crate::vision::dataset::{Images, Options, Patcher, default_cache, load};
use crate::vision::{Checkpoint, Kernels, Samples, Vit, outputs};
use ndarray::Array2;
use std::path::Path;

/// Images in one forward pass.
const BATCH: usize = 64;

/// The logits of a model for some images.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Logits, images × classes.
    pub logits: Array2<f32>,
    /// The true classes.
    pub labels: Vec<u32>,
}

/// Which images to predict.
#[derive(Clone, Copy, Debug)]
pub struct PredictInput<'a> {
    /// The data set's name; of an image folder the folder `image-folder` of the data directory.
    pub dataset: &'a str,
    /// The data directory.
    pub data: &'a Path,
    /// `train` or `test`.
    pub split: &'a str,
    /// Only the first so many images; 0 for all.
    pub limit: usize,
    /// Threads; 0 for one a core.
    pub threads: usize,
}

/// The logits of the model in `checkpoint`, in the order of the data set's files.
///
/// # Errors
/// The checkpoint or the data cannot be read, or one does not fit the other.
pub fn predict(checkpoint: &Path, input: &PredictInput<'_>) -> Result<Prediction, RunError> {
    let Checkpoint { config, parameters, normalisation, .. } = Checkpoint::load(checkpoint)?;
    let classes = config.classes;
    let options = Options { image_size: Some(config.image_size), cache: default_cache(), ..Options::default() };
    let dataset = load(input.dataset, input.data, &options)?;
    let images: &Images = match input.split {
        "train" => &dataset.train,
        "test" => &dataset.test,
        other => return Err(RunError::Input(format!("split: found `{other}`, allowed: one of train, test"))),
    };
    check_dataset(&checkpoint.display().to_string(), &config, &dataset)?;
    let count = if input.limit == 0 { images.count() } else { input.limit.min(images.count()) };
    let patcher = Patcher::new(config.patch, &normalisation);
    let model = Vit::new(config, parameters, Kernels::default(), input.threads.min(BATCH))?;
    let indices: Vec<usize> = (0..count).collect();
    let samples = Samples { images, indices: &indices, patcher: &patcher };
    let logits = outputs(&model, &samples, BATCH, || true)?.map(|outputs| outputs.logits).unwrap_or_default();
    let logits =
        Array2::from_shape_vec((count, classes), logits).map_err(|error| RunError::Failed(error.to_string()))?;
    Ok(Prediction { logits, labels: images.labels()[..count].to_vec() })
}

impl Prediction {
    /// Writes the logits as a NumPy file, images × classes, f32.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_logits(&self, file: &Path) -> Result<(), RunError> {
        ndarray_npy::write_npy(file, &self.logits)
            .map_err(|error| RunError::Failed(format!("{}: {error}", file.display())))
    }
}
