//! What a model is worth: accuracy and loss on images it has not seen, and how fast it is.

use super::error::VisionError;
use super::model::Vit;
use super::samples::Samples;
use std::time::Instant;

/// What an evaluation found.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Images seen.
    pub images: usize,
    /// Mean cross-entropy, without label smoothing.
    pub loss: f64,
    /// Share of images whose class has the largest logit.
    pub accuracy: f64,
    /// Images by true class (rows) and class found (columns), `[class][class]`.
    pub confusion: Vec<u32>,
}

/// Evaluates `model` on all of `samples`, `size` images at a time.
///
/// # Errors
/// There are no images, or they cannot be read.
pub fn evaluate(model: &Vit, samples: &Samples, size: usize) -> Result<Evaluation, VisionError> {
    if samples.indices.is_empty() {
        return Err(VisionError::Empty("to evaluate"));
    }
    let classes = model.config().classes;
    let mut found =
        Evaluation { images: samples.indices.len(), loss: 0.0, accuracy: 0.0, confusion: vec![0; classes * classes] };
    let (mut patches, mut right) = (Vec::new(), 0_usize);
    for places in samples.indices.chunks(size.max(1)) {
        let labels = samples.batch(places, &mut patches)?;
        let logits = model.logits(&patches)?;
        for (row, &label) in logits.chunks_exact(classes).zip(&labels) {
            let label = label as usize;
            let best = class_of(row);
            found.loss += surprise(row, label);
            found.confusion[label * classes + best] += 1;
            right += usize::from(best == label);
        }
    }
    found.loss /= found.images as f64;
    found.accuracy = right as f64 / found.images as f64;
    Ok(found)
}

/// What a model makes of images.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs {
    /// Logits `[image, class]`.
    pub logits: Vec<f32>,
    /// Seconds of the forward passes; cutting the patches is not counted.
    pub seconds: f64,
}

/// The logits of `model` on all of `samples`, `size` images at a time, until `go_on` is false; then none.
///
/// # Errors
/// The images cannot be read.
pub fn outputs(
    model: &Vit,
    samples: &Samples,
    size: usize,
    mut go_on: impl FnMut() -> bool,
) -> Result<Option<Outputs>, VisionError> {
    let mut found = Outputs { logits: Vec::new(), seconds: 0.0 };
    let mut patches = Vec::new();
    for places in samples.indices.chunks(size.max(1)) {
        if !go_on() {
            return Ok(None);
        }
        samples.batch(places, &mut patches)?;
        let began = Instant::now();
        let logits = model.logits(&patches)?;
        found.seconds += began.elapsed().as_secs_f64();
        found.logits.extend(logits);
    }
    Ok(Some(found))
}

/// The class with the largest of these logits; the first of several.
#[must_use]
pub fn class_of(logits: &[f32]) -> usize {
    (0..logits.len()).fold(0, |best, class| if logits[class] > logits[best] { class } else { best })
}

/// −log softmax(logits)[label] in f64.
fn surprise(logits: &[f32], label: usize) -> f64 {
    let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|logit| (f64::from(*logit) - largest).exp()).sum();
    largest + sum.ln() - f64::from(logits[label])
}

/// Seconds that one forward pass over all of `samples` takes, `size` images at a time: the median of passes that last a
/// third of a second together, after a warm-up; cutting the patches is not counted.
///
/// # Errors
/// There are no images, or they cannot be read.
pub fn time_inference(model: &Vit, samples: &Samples, size: usize) -> Result<f64, VisionError> {
    if samples.indices.is_empty() {
        return Err(VisionError::Empty("to time"));
    }
    let size = size.max(1);
    let mut patches = Vec::new();
    let mut pass = |places: &[usize]| {
        let mut seconds = 0.0;
        for places in places.chunks(size) {
            samples.batch(places, &mut patches)?;
            let began = Instant::now();
            std::hint::black_box(model.logits(&patches)?);
            seconds += began.elapsed().as_secs_f64();
        }
        Ok::<_, VisionError>(seconds)
    };
    pass(&samples.indices[..samples.indices.len().min(2 * size)])?;
    let mut passes = Vec::new();
    while passes.iter().sum::<f64>() < 1.0 / 3.0 && passes.len() < 31 {
        passes.push(pass(samples.indices)?);
    }
    passes.sort_by(f64::total_cmp);
    Ok(passes[passes.len() / 2])
}
