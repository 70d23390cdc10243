//! Which matrices a run looks at, known from its parameters and the heads of its files.

use super::checkpoint::model_shape;
use super::files::FileHeads;
use super::params::{CHECKPOINT, CHECKPOINT_FILE, FILE, HEAD, KEYS, LAYER, QUERIES};
use crate::attention::inputs::InputKind;
use crate::lab::{ParamError, Params, RunError};
use crate::named::Named;

/// Where one matrix comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputSource {
    /// Drawn from a distribution.
    Drawn(InputKind),
    /// From files.
    File,
    /// From a trained vision transformer.
    Checkpoint,
}

/// One matrix of a run: where it comes from and its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadPlace {
    /// Where it comes from.
    pub source: InputSource,
    /// Layer and head, counted from 0; none for drawn inputs, and where the file has no such axis.
    pub layer: Option<usize>,
    /// See `layer`.
    pub head: Option<usize>,
    /// Queries.
    pub queries: usize,
    /// Keys.
    pub keys: usize,
    /// Coordinates of a query.
    pub dim: usize,
    /// Coordinates of a value; 0 without values.
    pub value_dim: usize,
}

impl HeadPlace {
    /// The name of the generator that drawn inputs of this place come from.
    #[must_use]
    pub fn draw_name(&self) -> String {
        format!("inputs {} {} {}", self.source.name(), self.queries, self.dim)
    }
}

impl InputSource {
    /// The name as typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drawn(kind) => kind.name(),
            Self::File => FILE,
            Self::Checkpoint => CHECKPOINT,
        }
    }

    /// Whether the matrices are drawn.
    #[must_use]
    pub const fn is_drawn(self) -> bool {
        matches!(self, Self::Drawn(_))
    }

    fn named(name: &str) -> Result<Self, RunError> {
        Ok(match name {
            FILE => Self::File,
            CHECKPOINT => Self::Checkpoint,
            drawn => Self::Drawn(InputKind::parse(drawn).map_err(|error| RunError::Input(format!("inputs: {error}")))?),
        })
    }
}

impl HeadPlace {
    /// Layer and head with a blank before each, as far as there are any: ` layer 3 head 0`.
    #[must_use]
    pub fn mark(&self) -> String {
        let entry =
            |name: &str, entry: Option<usize>| entry.map_or_else(String::new, |entry| format!(" {name} {entry}"));
        entry(LAYER.key, self.layer) + &entry(HEAD.key, self.head)
    }
}

/// Every matrix that a run of `params` looks at, in order. Drawn inputs take every length and dimension, stored ones every
/// layer and head that are asked for. Of files and checkpoints only the heads are read. `logs` is where a checkpoint named by its
/// run's id lies.
///
/// # Errors
/// A file or a checkpoint cannot be read, files do not fit each other, or a layer or head is not there.
pub fn places(params: &Params, logs: Option<&std::path::Path>) -> Result<Vec<HeadPlace>, RunError> {
    let mut places = Vec::new();
    for name in params.texts("inputs") {
        let source = InputSource::named(name)?;
        let stored = |layers: Option<usize>, heads: Option<usize>, shape: [usize; 4]| {
            let layers = chosen(params, LAYER.key, layers)?;
            let heads = chosen(params, HEAD.key, heads)?;
            let [queries, keys, dim, value_dim] = shape;
            let place = |layer, head| HeadPlace { source, layer, head, queries, keys, dim, value_dim };
            Ok::<_, RunError>(
                layers.iter().flat_map(|&layer| heads.iter().map(move |&head| place(layer, head))).collect(),
            )
        };
        let found: Vec<HeadPlace> = match source {
            InputSource::Drawn(_) => {
                let (lengths, dims) = (params.sizes("length"), params.sizes("dim"));
                let place = |length, dim| HeadPlace {
                    source,
                    layer: None,
                    head: None,
                    queries: length,
                    keys: length,
                    dim,
                    value_dim: 0,
                };
                lengths.iter().flat_map(|&length| dims.iter().map(move |&dim| place(length, dim))).collect()
            }
            InputSource::File => {
                let files = FileHeads::open(params)?;
                stored(files.layers(), files.heads(), files.shape())?
            }
            InputSource::Checkpoint => {
                let (layers, heads, shape) = model_shape(params, logs)?;
                stored(Some(layers), Some(heads), shape)?
            }
        };
        places.extend(found);
    }
    Ok(places)
}

/// The entries that the parameter `key` chooses of an axis with `count` entries; one that is none where there is no axis.
fn chosen(params: &Params, key: &str, count: Option<usize>) -> Result<Vec<Option<usize>>, RunError> {
    let asked = params.sizes_or_all(key);
    let refuse =
        |found: usize, allowed: &str| Err(RunError::Input(format!("{key}: found `{found}`, allowed: {allowed}")));
    let Some(count) = count else {
        return match asked.and_then(|asked| asked.into_iter().find(|entry| *entry > 0)) {
            Some(found) => refuse(found, &format!("0, as the file has one {key} only")),
            None => Ok(vec![None]),
        };
    };
    let asked = asked.unwrap_or_else(|| (0..count).collect());
    match asked.iter().find(|entry| **entry >= count) {
        Some(found) => refuse(*found, &format!("a whole number from 0 to {}, or all", count - 1)),
        None => Ok(asked.into_iter().map(Some).collect()),
    }
}

/// Checks that what `inputs` asks for is named, without opening it.
///
/// # Errors
/// Names the parameter that is missing.
pub fn check_inputs(params: &Params) -> Result<(), ParamError> {
    let inputs = params.texts("inputs");
    for (kind, needed) in [(FILE, [QUERIES, KEYS].as_slice()), (CHECKPOINT, &[CHECKPOINT_FILE])] {
        for param in needed {
            if inputs.contains(&kind) && params.text(param.key).is_empty() {
                let allowed = format!("{}, with inputs={kind}", param.allowed());
                return Err(ParamError::new(param.key, "nothing", allowed));
            }
        }
    }
    Ok(())
}
