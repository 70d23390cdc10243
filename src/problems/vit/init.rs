//! Starting a training from the weights of another run: fine-tuning a model under another attention.

use crate::lab::{Param, ParamError, Params, RunContext, RunError};
use crate::problems::inputs::checkpoint_file;
use crate::vision::dataset::Dataset;
use crate::vision::{Checkpoint, Misfit, Parameters, Transfer, VisionError, VitConfig};
use std::path::{Path, PathBuf};

/// The model to start from.
pub(super) const INIT: Param =
    Param::text("init", "start from", "a run's folder or id, a .safetensors file, or nothing", |_| true, "")
        .help("weights to start from, under whatever attention; what has no place starts anew and is named")
        .stands_for("", "fresh weights")
        .group("training");

/// The file to start from, if there is one.
fn file(params: &Params, logs: Option<&Path>) -> Option<PathBuf> {
    Some(params.text(INIT.key)).filter(|text| !text.is_empty()).map(|text| checkpoint_file(text, logs))
}

fn refuse(params: &Params, reason: &str) -> ParamError {
    ParamError::new(INIT.key, params.text(INIT.key), format!("{}; {reason}", INIT.allowed()))
}

/// Checks that the model to start from can be read and has the shape of `config`, apart from its head. Shapes that only the
/// data set tells are not compared before it is read.
pub(super) fn check(params: &Params, config: &VitConfig) -> Result<(), ParamError> {
    let Some(file) = file(params, None) else { return Ok(()) };
    let from = Checkpoint::shape(&file).map_err(|error| refuse(params, &error.to_string()))?;
    let config =
        VitConfig { channels: from.channels, image_size: from.image_size, patch: from.patch, ..config.clone() };
    Transfer::new(&config, &from, false).map(|_| ()).map_err(|misfit| refuse(params, &misfit.to_string()))
}

/// The parameters to start from, and what is to be said of them; none where all start fresh.
pub(super) fn parameters(
    params: &Params,
    context: &mut RunContext,
    config: &VitConfig,
    dataset: &Dataset,
) -> Result<Option<Parameters>, RunError> {
    let Some(file) = file(params, context.folder().parent()) else { return Ok(None) };
    let wrong = |reason: String| RunError::Input(refuse(params, &reason).to_string());
    let from = Checkpoint::load(&file).map_err(|error: VisionError| wrong(error.to_string()))?;
    let classes = from.facts.get("class_names").map(|names| names.split('\t').collect::<Vec<_>>());
    let same_classes = classes.is_some_and(|classes| classes == dataset.classes);
    let transfer = Transfer::new(config, &from.config, same_classes)
        .map_err(|misfit: Misfit| wrong(format!("{}: {misfit}", file.display())))?;
    let mut words = format!("starts from {}, trained with {}", params.text(INIT.key), from.config.attention);
    if !same_classes {
        words += "; the head starts anew, as the classes are others";
    }
    let anew: Vec<&str> = transfer.anew.iter().filter(|name| !name.starts_with("head.")).map(String::as_str).collect();
    for (names, what) in [(anew, "start anew"), (transfer.left.iter().map(String::as_str).collect(), "are left out")] {
        if !names.is_empty() {
            words += &format!("; {what}: {}", names.join(", "));
        }
    }
    context.note(words);
    let fresh = Parameters::new(config, context.seed())?;
    Ok(Some(transfer.apply(&fresh, &from.parameters)?))
}
