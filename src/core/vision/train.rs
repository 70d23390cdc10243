//! The training loop. It knows no run and no screen: an observer of its own kind is told what happened and says whether
//! to go on.

use super::batches::{TrainingBatch, TrainingBatches};
use super::checkpoint::Checkpoint;
use super::dataset::{Augment, Images, Normalisation, Patcher, Split};
use super::error::VisionError;
use super::evaluate::{Evaluation, evaluate};
use super::model::{Pass, Vit};
use super::optimizer::{AdamW, Schedule, clip_factor};
use super::samples::Samples;
use candle_core::{DType, Device, Storage, Tensor};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::time::Instant;

/// How to train.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainOptions {
    /// Passes over the training images.
    pub epochs: u64,
    /// Images per step; the last step of an epoch takes what is left.
    pub batch: usize,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// The learning rate of learned feature maps over that of the other parameters.
    pub feature_rate: f64,
    /// Decoupled weight decay of matrices.
    pub weight_decay: f64,
    /// Share of all steps that warms the learning rate up.
    pub warmup: f64,
    /// Largest norm of a gradient; with none gradients are not clipped.
    pub clip: Option<f64>,
    /// Share of a label's probability spread over all classes.
    pub label_smoothing: f64,
    /// Seed of the order of samples.
    pub seed: u64,
    /// What may happen to a training image each time it is seen.
    pub augment: Augment,
    /// Validations in the whole training, spread evenly; each epoch's end has one in any case.
    pub validations: u64,
    /// When the projections of random features are drawn anew.
    pub redraw: Redraw,
}

/// When the projections of random features are drawn anew, under the seed of the training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redraw {
    /// One draw serves the whole training.
    #[default]
    Never,
    /// At the beginning of each epoch.
    Epoch,
    /// Every so many steps.
    Steps(u64),
}

impl Redraw {
    /// Reads `never`, `epoch` or a number of steps of at least 1; none where it is neither.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "never" => Some(Self::Never),
            "epoch" => Some(Self::Epoch),
            number => number.parse().ok().filter(|steps| *steps > 0).map(Self::Steps),
        }
    }

    /// The number of the draw that begins with `step`, counted from 0, where an epoch has so many steps; none where no draw
    /// begins with it. Draw 0 is the one that the model starts with.
    fn draw_at(self, step: u64, epoch_steps: u64) -> Option<u64> {
        let every = match self {
            Self::Never => return None,
            Self::Epoch => epoch_steps,
            Self::Steps(every) => every,
        };
        (step > 0 && step.is_multiple_of(every)).then(|| step / every)
    }
}

/// How far training is. Enough, with parameters and moments, to go on from exactly here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Position {
    /// Steps done.
    pub step: u64,
    /// Sum of the losses of this epoch's images so far.
    pub loss_sum: f64,
    /// Images of this epoch so far.
    pub images: usize,
    /// Mean loss over the last whole epoch.
    pub epoch_loss: Option<f64>,
    /// Seconds of training: forward, backward and update; not data loading, not evaluation.
    pub seconds: f64,
    /// Images trained on in those seconds.
    pub trained: u64,
    /// The last step after which the validation images were evaluated.
    pub validated: u64,
}

impl Position {
    /// As text: the shortest decimal form of a number, which reads back to the same one.
    fn to_facts(&self) -> BTreeMap<String, String> {
        let mut facts = BTreeMap::from([
            ("training.step".to_owned(), self.step.to_string()),
            ("training.loss_sum".to_owned(), self.loss_sum.to_string()),
            ("training.images".to_owned(), self.images.to_string()),
            ("training.seconds".to_owned(), self.seconds.to_string()),
            ("training.trained".to_owned(), self.trained.to_string()),
            ("training.validated".to_owned(), self.validated.to_string()),
        ]);
        if let Some(loss) = self.epoch_loss {
            facts.insert("training.epoch_loss".to_owned(), loss.to_string());
        }
        facts
    }

    fn from_facts(facts: &BTreeMap<String, String>) -> Option<Self> {
        fn read<T: FromStr>(facts: &BTreeMap<String, String>, key: &str) -> Option<T> {
            facts.get(key)?.parse().ok()
        }
        Some(Self {
            step: read(facts, "training.step")?,
            loss_sum: read(facts, "training.loss_sum")?,
            images: read(facts, "training.images")?,
            epoch_loss: read(facts, "training.epoch_loss"),
            seconds: read(facts, "training.seconds")?,
            trained: read(facts, "training.trained")?,
            validated: read(facts, "training.validated")?,
        })
    }
}

/// A model in training.
#[derive(Clone)]
pub struct Trainer {
    /// The model.
    pub model: Vit,
    /// The optimiser.
    pub optimizer: AdamW,
    /// How to train.
    pub options: TrainOptions,
    /// How far it is.
    pub position: Position,
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// The step, from 1.
    pub step: u64,
    /// Steps of the whole training.
    pub steps: u64,
    /// Epochs done, with the fraction of this one.
    pub epoch: f64,
    /// Loss of the batch before the step.
    pub loss: f64,
    /// Norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// The learning rate used.
    pub learning_rate: f64,
    /// Images of the batch.
    pub images: usize,
    /// Seconds of the step.
    pub seconds: f64,
}

/// Sees training happen and may end it.
pub trait TrainObserver {
    /// After each step.
    fn step(&mut self, trainer: &Trainer, report: &StepReport) -> ControlFlow<()>;
    /// After each evaluation on the validation images, `epoch` epochs into the training.
    fn validated(&mut self, trainer: &Trainer, epoch: f64, validation: &Evaluation) -> ControlFlow<()>;
}

impl Trainer {
    /// A model at the beginning of its training.
    ///
    /// # Errors
    /// The device fails.
    pub fn new(model: Vit, options: TrainOptions) -> Result<Self, VisionError> {
        let layout = model.parameters().layout();
        let optimizer = AdamW::new(layout, options.weight_decay, options.feature_rate)?.on(model.device())?;
        Ok(Self { model, optimizer, options, position: Position::default() })
    }

    /// Continues the training of `checkpoint`, whose parameters `model` has. The steps to come are the same, bit for bit,
    /// as if the training had never been interrupted.
    ///
    /// # Errors
    /// The checkpoint is of a finished model, without moments and position.
    pub fn resume(model: Vit, options: TrainOptions, checkpoint: &mut Checkpoint) -> Result<Self, VisionError> {
        let mut trainer = Self::new(model, options)?;
        let position = Position::from_facts(&checkpoint.facts);
        let (Some(position), Some(moments)) = (position, checkpoint.moments.take()) else {
            return Err(VisionError::Unfinished);
        };
        trainer.optimizer.restore(moments, position.step)?;
        trainer.position = position;
        Ok(trainer)
    }

    /// All that is needed to go on from here, or to use the model.
    ///
    /// # Errors
    /// The device fails.
    pub fn checkpoint(&self, normalisation: &Normalisation) -> Result<Checkpoint, VisionError> {
        let (moments, _) = self.optimizer.state();
        Ok(Checkpoint {
            config: self.model.config().clone(),
            parameters: self.model.parameters().to_device(&Device::Cpu)?,
            normalisation: normalisation.clone(),
            moments: Some([moments[0].to_vec1()?, moments[1].to_vec1()?]),
            best: None,
            facts: self.position.to_facts(),
        })
    }

    /// One step on a batch; `epoch_steps` steps make an epoch. Does `meanwhile` with the model while a GPU is at work; without one,
    /// never.
    fn step(
        &mut self,
        TrainingBatch { patches, labels, copied, .. }: &TrainingBatch,
        schedule: &Schedule,
        epoch_steps: u64,
        meanwhile: impl FnOnce(&Vit) -> Result<(), VisionError>,
    ) -> Result<StepReport, VisionError> {
        let began = Instant::now();
        let pass = match copied {
            Some(copied) => self.model.pass_of(copied)?,
            None => self.model.pass(patches, labels, self.options.label_smoothing)?,
        };
        if !self.model.device().is_cpu() {
            meanwhile(&self.model)?;
        }
        let (loss, gradient_norm) = loss_and_norm(&pass)?;
        let step = self.position.step + 1;
        if !loss.is_finite() || !gradient_norm.is_finite() {
            let fault = self.model.function_fault(patches)?;
            return Err(VisionError::Diverged { fault, step, loss });
        }
        let learning_rate = schedule.rate(self.position.step);
        let scale = clip_factor(gradient_norm, self.options.clip);
        self.optimizer.step(self.model.parameters().theta(), &pass.gradient, scale, learning_rate)?;
        let seconds = began.elapsed().as_secs_f64();
        let (loss, images) = (f64::from(loss), labels.len());

        let position = &mut self.position;
        position.step = step;
        position.loss_sum += loss * images as f64;
        position.images += images;
        position.seconds += seconds;
        position.trained += images as u64;
        if step.is_multiple_of(epoch_steps) {
            position.epoch_loss = Some(position.loss_sum / position.images as f64);
            (position.loss_sum, position.images) = (0.0, 0);
        }
        let epoch = step as f64 / epoch_steps as f64;
        Ok(StepReport { step, steps: schedule.steps, epoch, loss, gradient_norm, learning_rate, images, seconds })
    }
}

/// Trains from where `trainer` is to the end of its options, or until the observer breaks. Every epoch takes each image of
/// `split.train` once in an order of its own.
///
/// # Errors
/// [`VisionError::Diverged`], [`VisionError::Empty`], or the images cannot be read.
pub fn train(
    trainer: &mut Trainer,
    images: &Images,
    split: &Split,
    patcher: &Patcher,
    observer: &mut dyn TrainObserver,
) -> Result<ControlFlow<()>, VisionError> {
    let (count, size) = (split.train.len(), trainer.options.batch);
    if count == 0 || size == 0 {
        return Err(VisionError::Empty("to train on"));
    }
    let epoch_steps = count.div_ceil(size) as u64;
    let steps = epoch_steps * trainer.options.epochs;
    let schedule = Schedule { peak: trainer.options.learning_rate, steps, warmup: trainer.options.warmup };
    let between = (steps / trainer.options.validations.max(1)).max(1);
    let validation = Samples { images, indices: &split.validation, patcher };
    let mut batches =
        TrainingBatches::new((images, split), patcher, size, trainer.options.augment, trainer.options.seed);
    let [mut batch, mut next] = [TrainingBatch::default(), TrainingBatch::default()];
    loop {
        // Validation stands before the step, not after it, so that a training stopped between the two makes it up.
        let step = trainer.position.step;
        let due = step.is_multiple_of(epoch_steps) || step.is_multiple_of(between);
        if due && trainer.position.validated < step && !split.validation.is_empty() {
            let found = evaluate(&trainer.model, &validation, size)?;
            trainer.position.validated = step;
            if observer.validated(trainer, step as f64 / epoch_steps as f64, &found).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if step >= steps {
            return Ok(ControlFlow::Continue(()));
        }
        // Before the step, so that a training stopped between the two draws the same projections once more.
        if let Some(draw) = trainer.options.redraw.draw_at(step, epoch_steps) {
            let Trainer { model, options, .. } = &*trainer;
            model.parameters().redraw(model.config(), options.seed, draw)?;
        }
        batches.fill(step, &mut batch)?;
        let smoothing = trainer.options.label_smoothing;
        let meanwhile = |model: &Vit| {
            if step + 1 < steps {
                batches.fill(step + 1, &mut next)?;
                next.copied = Some(model.copied(&next.patches, &next.labels, smoothing)?);
            }
            Ok(())
        };
        let report = trainer.step(&batch, &schedule, epoch_steps, meanwhile)?;
        if next.is_filled() {
            std::mem::swap(&mut batch, &mut next);
        }
        if observer.step(trainer, &report).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
}

/// The loss of a pass and the Euclidean norm of its gradient, summed in f64; from a GPU both come in one copy. Apple's sum in f32,
/// which is what they have.
fn loss_and_norm(Pass { loss, gradient }: &Pass) -> Result<(f32, f64), VisionError> {
    if loss.device().is_cpu() {
        return Ok((loss.to_scalar()?, norm(gradient)?));
    }
    let kind = if loss.device().is_metal() { DType::F32 } else { DType::F64 };
    let square = gradient.to_dtype(kind)?.sqr()?.sum_all()?;
    let both = Tensor::stack(&[loss.to_dtype(kind)?, square], 0)?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
    let both: Vec<f64> = both.to_vec1()?;
    Ok((both[0] as f32, both[1].sqrt()))
}

/// The Euclidean norm on the processor, summed in f64.
fn norm(gradient: &Tensor) -> Result<f64, VisionError> {
    let (storage, layout) = gradient.storage_and_layout();
    let (Storage::Cpu(storage), Some((start, end))) = (&*storage, layout.contiguous_offsets()) else {
        return Ok(gradient.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>()?.sqrt());
    };
    let values = &storage.as_slice::<f32>()?[start..end];
    // Eight sums at a time, so that the compiler need not wait for each addition.
    let mut sums = [0.0_f64; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += f64::from(*value) * f64::from(*value);
        }
    }
    let rest: f64 = rest.iter().map(|value| f64::from(*value) * f64::from(*value)).sum();
    Ok((sums.iter().sum::<f64>() + rest).sqrt())
}
