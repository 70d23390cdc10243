//! Reads or draws the matrices of a run, one after another.

use super::checkpoint::ModelHeads;
use super::files::{FileHead, FileHeads};
use super::params::{CHECKPOINT_FILE, InputScale, KEYS, QUERIES, SCALE, distribution};
use super::plan::{HeadPlace, InputSource};
use crate::attention::Inputs;
use crate::lab::{Params, RunContext, RunError};
use crate::problems::limits::failure;
use crate::random::generator;
use ndarray::Array2;
use std::path::{Path, PathBuf};

/// Queries, keys and values of one head, with where they come from.
pub struct HeadInputs {
    /// Where they come from.
    pub place: HeadPlace,
    /// The file of the queries or the checkpoint, as typed; none for drawn inputs.
    pub source: Option<String>,
    /// The scaled queries and keys.
    pub inputs: Inputs,
    /// Values (L_k×d_v).
    pub values: Option<Array2<f64>>,
}

/// Reads heads one after another; files and models stay open between them.
pub struct InputReader<'a> {
    params: &'a Params,
    /// Where a checkpoint named by its run's id lies.
    logs: Option<PathBuf>,
    /// The data sets that models were trained on.
    data: PathBuf,
    seed: u64,
    /// The length of drawn tokens in place of the parameter's.
    radius: Option<f64>,
    files: Option<FileHeads>,
    model: Option<ModelHeads>,
}

impl<'a> InputReader<'a> {
    /// A reader of what `params` name.
    #[must_use]
    pub const fn new(params: &'a Params, logs: Option<PathBuf>, data: PathBuf, seed: u64) -> Self {
        Self { params, logs, data, seed, radius: None, files: None, model: None }
    }

    /// A reader for the run of `context`.
    #[must_use]
    pub fn of_run(params: &'a Params, context: &RunContext) -> Self {
        let logs = context.folder().parent().map(Path::to_path_buf);
        Self::new(params, logs, context.data().to_path_buf(), context.seed())
    }

    /// Draws tokens of exactly this length, which may be 0, where the distribution has one.
    #[must_use]
    pub const fn with_radius(mut self, radius: f64) -> Self {
        self.radius = Some(radius);
        self
    }

    /// The matrices of `place`. Drawn ones come from the generator called `draw`.
    ///
    /// # Errors
    /// A file or checkpoint cannot be read or does not fit.
    pub fn read(&mut self, place: HeadPlace, draw: &str) -> Result<HeadInputs, RunError> {
        let params = self.params;
        let (layer, head) = (place.layer.unwrap_or(0), place.head.unwrap_or(0));
        let (source, queries, keys, values) = match place.source {
            InputSource::Drawn(kind) => {
                let mut generator = generator(self.seed, draw, 0);
                let mut parameters = distribution(place.dim, params);
                parameters.radius = self.radius.or(parameters.radius);
                let drawn = kind.with(parameters).draw(place.queries, place.dim, &mut generator);
                return Ok(HeadInputs { place, source: None, inputs: drawn.map_err(failure)?, values: None });
            }
            InputSource::File => {
                let files = match &self.files {
                    Some(files) => files,
                    None => self.files.insert(FileHeads::open(params)?),
                };
                let FileHead { queries, keys, values } = files.read(layer, head, params)?;
                (params.text(QUERIES.key), queries, keys, values)
            }
            InputSource::Checkpoint => {
                let model = match &mut self.model {
                    Some(model) => model,
                    None => self.model.insert(ModelHeads::open(params, self.logs.as_deref(), &self.data)?),
                };
                let [queries, keys, values] = model.read(layer, head)?;
                (params.text(CHECKPOINT_FILE.key), queries, keys, Some(values))
            }
        };
        let inputs = Inputs::new(queries, keys)
            .map_err(|error| RunError::Input(format!("{}, {}: {error}", QUERIES.key, KEYS.key)))?;
        let inputs = if params.choice::<InputScale>(SCALE.key) == InputScale::SqrtD { inputs.scaled() } else { inputs };
        Ok(HeadInputs { place, source: Some(source.to_owned()), inputs, values })
    }
}
