//! `attnlab predict`: the logits of a trained model, so that its weights can be checked in another framework.

use super::args::Predict;
use super::failure::Failure;
use super::{output, store};
use crate::lab::{Places, RunError};
use crate::problems::predict::{PredictInput, predict};
use serde_json::json;

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Stopped => Self::stopped("stopped"),
            error if error.is_bad_input() => Self::bad_input(error.to_string()),
            other => Self::failed(other.to_string()),
        }
    }
}

/// Predicts, writes the logits and says how many of the classes are right.
pub fn logits(arguments: &Predict, places: &Places) -> Result<(), Failure> {
    let checkpoint = if arguments.checkpoint.is_file() {
        arguments.checkpoint.clone()
    } else {
        store::find(&arguments.checkpoint.to_string_lossy(), places)?.join("checkpoint.safetensors")
    };
    let input = PredictInput {
        dataset: &arguments.dataset,
        data: &places.data,
        split: &arguments.split,
        limit: arguments.limit.unwrap_or(0),
        threads: arguments.threads,
    };
    let prediction = predict(&checkpoint, &input)?;
    if let Some(file) = &arguments.logits {
        prediction.write_logits(file)?;
    }
    let best = prediction.logits.rows().into_iter().map(|row| {
        row.iter().enumerate().fold(
            (0, f32::NEG_INFINITY),
            |best, (class, logit)| {
                if *logit > best.1 { (class, *logit) } else { best }
            },
        )
    });
    let right = best.zip(&prediction.labels).filter(|((class, _), label)| *class == **label as usize).count();
    let count = prediction.labels.len();
    let accuracy = right as f64 / count.max(1) as f64;
    if arguments.json {
        return output::print_json(&json!({
            "schema": 1, "checkpoint": checkpoint, "dataset": arguments.dataset, "split": arguments.split,
            "images": count, "classes": prediction.logits.ncols(), "accuracy": accuracy, "logits": arguments.logits,
        }));
    }
    output::print(&format!("{count} images, {right} right: accuracy {accuracy:.4}\n"))
}
