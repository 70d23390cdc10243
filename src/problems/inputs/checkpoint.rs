//! Queries, keys and values of a trained vision transformer.

use super::params::{CHECKPOINT_FILE, IMAGE};
use crate::lab::{Params, RunError, logs_of_process};
use crate::vision::dataset::{Dataset, Options, Patcher, default_cache, load};
use crate::vision::{Checkpoint, Kernels, VisionError, Vit, VitConfig};
use ndarray::Array2;
use std::path::{Path, PathBuf};

/// A file, a run's folder, or the id of a run in `logs`.
pub fn checkpoint_file(text: &str, logs: Option<&Path>) -> PathBuf {
    let given = PathBuf::from(text);
    let beside = logs.map_or_else(|| logs_of_process().map(|logs| logs.join(text)), |logs| Some(logs.join(text)));
    let found = match beside {
        Some(beside) if !given.exists() && beside.is_dir() => beside,
        _ => given,
    };
    if found.is_dir() { found.join("checkpoint.safetensors") } else { found }
}

/// Checks that the model `what` is for such images as `dataset` has.
pub fn check_dataset(what: &str, config: &VitConfig, dataset: &Dataset) -> Result<(), RunError> {
    let (channels, classes) = (dataset.test.channels(), dataset.classes.len());
    if (channels, classes) == (config.channels, config.classes) {
        return Ok(());
    }
    Err(RunError::Input(format!(
        "{what}: a model for {} channels and {} classes; {} has {channels} and {classes}",
        config.channels, config.classes, dataset.name
    )))
}

fn refuse(error: VisionError) -> RunError {
    RunError::Input(format!("{}: {error}", CHECKPOINT_FILE.key))
}

/// Layers and heads of the model, and queries, keys, their coordinates and those of a value. Only the file's head is read.
pub(super) fn model_shape(params: &Params, logs: Option<&Path>) -> Result<(usize, usize, [usize; 4]), RunError> {
    let config = Checkpoint::shape(&checkpoint_file(params.text(CHECKPOINT_FILE.key), logs)).map_err(refuse)?;
    let (tokens, dim) = (config.tokens(), config.head_dim());
    Ok((config.depth, config.heads, [tokens, tokens, dim, dim]))
}

/// A model with one test image, which attention of every block is computed for.
pub(super) struct ModelHeads {
    model: Vit,
    patches: Vec<f32>,
    shape: (usize, usize),
    /// The block whose heads were computed last.
    block: Option<(usize, Vec<[Array2<f64>; 3]>)>,
}

impl ModelHeads {
    /// Loads the model and the image that `params` name.
    pub fn open(params: &Params, logs: Option<&Path>, data: &Path) -> Result<Self, RunError> {
        let file = checkpoint_file(params.text(CHECKPOINT_FILE.key), logs);
        let Checkpoint { config, parameters, normalisation, facts, .. } = Checkpoint::load(&file).map_err(refuse)?;
        let name = facts.get("dataset").ok_or_else(|| {
            RunError::Input(format!("checkpoint: {} does not say which data set it was trained on", file.display()))
        })?;
        let options = Options { image_size: Some(config.image_size), cache: default_cache(), ..Options::default() };
        let dataset = load(name, data, &options)?;
        let (image, last) = (params.size(IMAGE.key), dataset.test.count().saturating_sub(1));
        if image > last {
            let allowed = format!("a whole number from 0 to {last}, the last test image");
            return Err(RunError::Input(format!("{}: found `{image}`, allowed: {allowed}", IMAGE.key)));
        }
        let mut patches = vec![0.0; config.tokens() * config.patch_dim()];
        Patcher::new(config.patch, &normalisation).write(&dataset.test, &[image], &mut patches)?;
        let shape = (config.tokens(), config.head_dim());
        Ok(Self { model: Vit::new(config, parameters, Kernels::Composed, 1)?, patches, shape, block: None })
    }

    /// Queries, keys and values of one head, each tokens×head dimension.
    pub fn read(&mut self, layer: usize, head: usize) -> Result<[Array2<f64>; 3], RunError> {
        if self.block.as_ref().is_none_or(|(block, _)| *block != layer) {
            let matrix = |numbers: Vec<f32>| {
                Array2::from_shape_vec(self.shape, numbers.into_iter().map(f64::from).collect())
                    .map_err(|error| RunError::Failed(error.to_string()))
            };
            let heads = self
                .model
                .attention_inputs(&self.patches, layer)?
                .into_iter()
                .map(|[q, k, v]| Ok::<_, RunError>([matrix(q)?, matrix(k)?, matrix(v)?]));
            self.block = Some((layer, heads.collect::<Result<_, _>>()?));
        }
        let heads = self.block.as_ref().map_or(&[][..], |(_, heads)| heads.as_slice());
        heads.get(head).cloned().ok_or_else(|| RunError::Failed(format!("the model has no head {head}")))
    }
}
