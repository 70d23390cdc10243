//! Estimated outputs as files, so that a model's own code can measure what they do to its loss.

use super::report::Recommendation;
use super::request::RecommendRequest;
use super::search::FittedPair;
use crate::attention::rowwise::ExactHead;
use crate::lab::RunError;
use crate::named::Named;
use crate::problems::estimators::DrawnSketch;
use crate::problems::inputs::{InputReader, places};
use crate::problems::limits::failure;
use crate::random::generator;
use ndarray::{Array2, ArrayD, Axis, IxDyn};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes into the directory `into`, which is made: `outputs.npy` (f32, the shape of the values: layers and heads where the inputs have them,
/// tokens, coordinates), for each head the W that it was drawn with (`w-layerL-headH.npy`, m×d), and the recommendation as
/// `recommendation.json`. Every head takes the first estimator of its ranking. Returns the files.
///
/// # Errors
/// There are no values, a file cannot be written, or as [`super::recommend`].
pub fn write_outputs(
    recommendation: &Recommendation,
    request: &RecommendRequest,
    logs: Option<&Path>,
    data: &Path,
    into: &Path,
) -> Result<Vec<PathBuf>, RunError> {
    let params = &request.params;
    let failed = |path: &Path, error: &dyn std::fmt::Display| RunError::Failed(format!("{}: {error}", path.display()));
    fs::create_dir_all(into).map_err(|error| failed(into, &error))?;
    let places = places(params, logs)?;
    let seed = params.size("seed") as u64;
    let mut reader = InputReader::new(params, logs.map(Path::to_path_buf), data.to_path_buf(), seed);
    let (mut outputs, mut files): (Vec<Array2<f32>>, Vec<PathBuf>) = (Vec::new(), Vec::new());
    for (place, advice) in places.iter().zip(&recommendation.heads) {
        let input = reader.read(*place, &place.draw_name())?;
        let Some(values) = &input.values else {
            return Err(RunError::Input(
                "values: found nothing, allowed: a file of values, to write outputs".to_owned(),
            ));
        };
        let best = &advice.ranking[0];
        let Some(m) = best.m else {
            return Err(RunError::Failed(best.reason.clone().unwrap_or_default()));
        };
        let stop = || false;
        let head = ExactHead::new(&input.inputs, Some(values), params.flag("causal"), &stop).map_err(failure)?;
        let named = |error: crate::named::UnknownName| RunError::Failed(error.to_string());
        let estimators = request.estimators();
        let estimator = estimators.into_iter().find(|estimator| estimator.name() == best.estimator);
        let estimator =
            estimator.ok_or_else(|| RunError::Failed(format!("no estimator is called {}", best.estimator)))?;
        let projection = Named::parse(best.projection).map_err(named)?;
        let most = recommendation.most_features;
        let pair = FittedPair::new(request, &input.inputs, most, estimator, projection).map_err(failure)?;
        let name = format!("{}{}", suffix("layer", place.layer), suffix("head", place.head));
        let mut rng = generator(seed, &format!("output{name}"), 0);
        let draw = pair.method.draw(projection, m, input.inputs.dim(), &mut rng).map_err(failure)?;
        let estimate = draw.exponents(&input.inputs).map_err(failure)?;
        let output = head.estimated_output(&estimate, &stop).map_err(failure)?;
        outputs.push(output.mapv(|value| value as f32));
        if let DrawnSketch::Features(features) = &draw {
            let path = into.join(format!("w{name}.npy"));
            ndarray_npy::write_npy(&path, &features.projections).map_err(|error| failed(&path, &error))?;
            files.push(path);
        }
    }
    let path = into.join("outputs.npy");
    ndarray_npy::write_npy(&path, &stacked(&outputs, recommendation)?).map_err(|error| failed(&path, &error))?;
    files.push(path);
    let path = into.join("recommendation.json");
    let text = serde_json::to_string_pretty(recommendation).map_err(|error| failed(&path, &error))?;
    fs::write(&path, text + "\n").map_err(|error| failed(&path, &error))?;
    files.push(path);
    Ok(files)
}

fn suffix(axis: &str, entry: Option<usize>) -> String {
    entry.map_or_else(String::new, |entry| format!("-{axis}{entry}"))
}

/// All outputs as one array: an axis of layers and one of heads where the inputs have them.
fn stacked(outputs: &[Array2<f32>], recommendation: &Recommendation) -> Result<ArrayD<f32>, RunError> {
    let views: Vec<_> = outputs.iter().map(|output| output.view()).collect();
    let all = ndarray::stack(Axis(0), &views).map_err(|error| RunError::Failed(error.to_string()))?;
    let first = &recommendation.heads[0];
    let [tokens, width] = [all.len_of(Axis(1)), all.len_of(Axis(2))];
    let mut shape = Vec::new();
    if first.layer.is_some() {
        shape.push(recommendation.shape[0]);
    }
    if first.head.is_some() {
        shape.push(recommendation.shape[1]);
    }
    shape.extend([tokens, width]);
    all.into_shape_with_order(IxDyn(&shape)).map_err(|error| RunError::Failed(error.to_string()))
}
