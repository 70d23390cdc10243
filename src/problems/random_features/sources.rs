//! Queries and keys: drawn, from files, or from a trained vision transformer.

use crate::attention::Inputs;
use crate::attention::inputs::{InputKind, InputParameters};
use crate::lab::{Params, RunContext, RunError};
use crate::named::Named;
use crate::problems::limits::failure;
use crate::problems::matrices;
use crate::vision::dataset::{Options, Patcher, default_cache, load};
use crate::vision::{Checkpoint, Kernels, Vit};
use ndarray::Array2;
use std::path::PathBuf;

/// Inputs with their name.
pub(super) struct NamedInputs {
    /// The name, as typed.
    pub name: String,
    /// The scaled queries and keys.
    pub inputs: Inputs,
}

/// One of the grid: inputs `name` of `length` and `dim`.
///
/// # Errors
/// A file or checkpoint cannot be read or does not fit.
pub(super) fn source(
    name: &str,
    length: usize,
    dim: usize,
    params: &Params,
    context: &mut RunContext,
) -> Result<NamedInputs, RunError> {
    let scaled = |inputs: Inputs| if params.text("scale") == "sqrt-d" { inputs.scaled() } else { inputs };
    let inputs = match name {
        "file" => scaled(from_files(params)?),
        "checkpoint" => scaled(from_checkpoint(params, context)?),
        drawn => {
            let kind = InputKind::parse(drawn).map_err(|error| RunError::Input(format!("inputs: {error}")))?;
            let mut generator = context.generator(&format!("inputs {name} {length} {dim}"), 0);
            kind.with(parameters(dim, params)).draw(length, dim, &mut generator).map_err(failure)?
        }
    };
    Ok(NamedInputs { name: name.to_owned(), inputs })
}

/// The parameters of the distributions in dimension `dim`.
fn parameters(dim: usize, params: &Params) -> InputParameters {
    InputParameters {
        sigma: params.float("sigma"),
        scale: if params.text("scale") == "sqrt-d" { (dim as f64).powf(-0.25) } else { 1.0 },
        radius: Some(params.float("radius")).filter(|radius| *radius > 0.0),
        spread: params.float("spread"),
        cosine: params.float("match"),
        centres: params.size("clusters"),
        hub: params.float("hub"),
        outlier: params.float("outlier"),
    }
}

fn from_files(params: &Params) -> Result<Inputs, RunError> {
    let read = |key: &str| matrices::matrix(key, params.text(key));
    let (queries, keys) = (read("queries")?, read("keys")?);
    Inputs::new(queries, keys).map_err(|error| RunError::Input(format!("queries, keys: {error}")))
}

/// The queries and keys of `layer`, `head` for the test image `image` of the data set the model was trained on.
fn from_checkpoint(params: &Params, context: &RunContext) -> Result<Inputs, RunError> {
    let file = checkpoint_file(params.text("checkpoint"), context);
    let Checkpoint { config, parameters, normalisation, facts, .. } =
        Checkpoint::load(&file).map_err(|error| RunError::Input(format!("checkpoint: {error}")))?;
    let refuse = |key: &str, found: usize, count: usize, what: &str| {
        let last = count.saturating_sub(1);
        RunError::Input(format!("{key}: found `{found}`, allowed: a whole number from 0 to {last}, the last {what}"))
    };
    let (layer, head, image) = (params.size("layer"), params.size("head"), params.size("image"));
    if layer >= config.depth {
        return Err(refuse("layer", layer, config.depth, "block of the model"));
    }
    if head >= config.heads {
        return Err(refuse("head", head, config.heads, "head of a block"));
    }
    let name = facts.get("dataset").ok_or_else(|| {
        RunError::Input(format!("checkpoint: {} does not say which data set it was trained on", file.display()))
    })?;
    let options = Options { image_size: Some(config.image_size), cache: default_cache(), ..Options::default() };
    let dataset = load(name, context.data(), &options)?;
    if image >= dataset.test.count() {
        return Err(refuse("image", image, dataset.test.count(), "test image"));
    }
    let mut patches = vec![0.0; config.tokens() * config.patch_dim()];
    Patcher::new(config.patch, &normalisation).write(&dataset.test, &[image], &mut patches)?;
    let shape = (config.tokens(), config.head_dim());
    let model = Vit::new(config, parameters, Kernels::Composed, 1)?;
    let [queries, keys] = model.queries_and_keys(&patches, layer, head)?.map(|side| {
        Array2::from_shape_vec(shape, side.into_iter().map(f64::from).collect())
            .map_err(|error| RunError::Failed(error.to_string()))
    });
    Inputs::new(queries?, keys?).map_err(failure)
}

/// A file, a run's folder, or the id of a run beside this one.
fn checkpoint_file(text: &str, context: &RunContext) -> PathBuf {
    let given = PathBuf::from(text);
    let beside = context.folder().parent().map(|logs| logs.join(text));
    let found = match beside {
        Some(beside) if !given.exists() && beside.is_dir() => beside,
        _ => given,
    };
    if found.is_dir() { found.join("checkpoint.safetensors") } else { found }
}
