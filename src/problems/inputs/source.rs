//! Reads or draws the matrices of a run, one after another.

use super::checkpoint::ModelHeads;
use super::files::{FileHead, FileHeads};
use super::params::{CHECKPOINT_FILE, InputScale, KEYS, QUERIES, SCALE, distribution};
use super::plan::{HeadPlace, InputSource};
use crate::attention::Inputs;
use crate::lab::{Params, RunContext, RunError};
use crate::problems::limits::failure;
use ndarray::Array2;

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

/// Reads heads of one run; files and models stay open between them.
#[derive(Default)]
pub struct InputReader {
    files: Option<FileHeads>,
    model: Option<ModelHeads>,
}

impl InputReader {
    /// The matrices of `place`. Drawn ones come from the generator that the run names `draw`.
    ///
    /// # Errors
    /// A file or checkpoint cannot be read or does not fit.
    pub fn read(
        &mut self,
        place: HeadPlace,
        draw: &str,
        params: &Params,
        context: &RunContext,
    ) -> Result<HeadInputs, RunError> {
        let (layer, head) = (place.layer.unwrap_or(0), place.head.unwrap_or(0));
        let (source, queries, keys, values) = match place.source {
            InputSource::Drawn(kind) => {
                let mut generator = context.generator(draw, 0);
                let drawn = kind.with(distribution(place.dim, params)).draw(place.queries, place.dim, &mut generator);
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
                    None => self.model.insert(ModelHeads::open(params, context.folder().parent(), context.data())?),
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
