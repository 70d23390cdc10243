//! The model whose attention is replaced, with the images it is tested on.

use super::shape::{is_comparable, small};
use crate::lab::{Event, Params, Progress, RunContext, RunError};
use crate::problems::inputs::{check_dataset, checkpoint_file};
use crate::vision::dataset::{Augment, Dataset, Normalisation, Only, Options, Patcher, Split, default_cache, load};
use crate::vision::{
    Attention, AttentionKernel, Checkpoint, Evaluation, Kernels, Parameters, Precision, Redraw, StepReport,
    TrainObserver, TrainOptions, Trainer, Vit, VitConfig, train,
};
use candle_core::Device;
use std::ops::ControlFlow;

/// A trained model of softmax attention and its test images.
pub(super) struct TrainedModel {
    /// With softmax attention.
    pub model: Vit,
    pub dataset: Dataset,
    pub patcher: Patcher,
    /// As it stands in rows.
    pub name: String,
}

impl TrainedModel {
    /// Reads the model that `params` name, or trains a small one.
    pub fn new(params: &Params, context: &mut RunContext) -> Result<Self, RunError> {
        let text = params.text("checkpoint");
        if text.is_empty() { Self::trained(params, context) } else { Self::read(text, params, context) }
    }

    /// The same with a model that `device` computes: on a GPU by composed operations.
    ///
    /// # Errors
    /// The device has no memory for it.
    pub fn on(self, device: &Device) -> Result<Self, RunError> {
        Ok(Self { model: self.model.on(device, Precision::F32)?, ..self })
    }

    fn read(text: &str, params: &Params, context: &mut RunContext) -> Result<Self, RunError> {
        let file = checkpoint_file(text, context.folder().parent());
        let Checkpoint { config, parameters, normalisation, facts, .. } = Checkpoint::load(&file)?;
        if !is_comparable(config.attention) {
            let attention = config.attention;
            return Err(RunError::Input(format!(
                "checkpoint: {text} attends by {attention}, which estimates no softmax"
            )));
        }
        let name = facts.get("dataset").ok_or_else(|| {
            RunError::Input(format!("checkpoint: {} does not say which data set it was trained on", file.display()))
        })?;
        let options = Options {
            image_size: Some(config.image_size),
            folder: Some(params.text("folder").into()),
            cache: default_cache(),
            only: Some(Only { train: 1, test: params.size("test_images"), seed: context.seed() }),
        };
        let dataset = load(name, context.data(), &options)?;
        check_dataset(&format!("checkpoint: {text}"), &config, &dataset)?;
        if dataset.test.count() == 0 {
            return Err(RunError::Input(format!("{}: no test images", dataset.name)));
        }
        let patcher = Patcher::new(config.patch, &normalisation);
        let threads = context.threads(params.size("threads"));
        let mut model = Vit::new(config.clone(), parameters, Kernels::Fused, threads)?;
        if let Some(map) = config.attention.favor() {
            context.note(format!(
                "the model was trained with random features ({map}); exact is softmax attention on the same weights"
            ));
            let attention = Attention::Kernel(AttentionKernel::Softmax);
            model = model.attending(&VitConfig { attention, ..config })?;
        }
        Ok(Self { model, dataset, patcher, name: text.to_owned() })
    }

    /// Trains the small model of digits.
    fn trained(params: &Params, context: &mut RunContext) -> Result<Self, RunError> {
        let only = Only { train: 0, test: params.size("test_images"), seed: context.seed() };
        let dataset = load("digits", context.data(), &Options { only: Some(only), ..Options::default() })?;
        let config = small();
        let split = Split::new(dataset.train.count(), 0, 0, context.seed());
        let normalisation = Normalisation::of(&dataset.train, &split.train)?;
        let patcher = Patcher::new(config.patch, &normalisation);
        let parameters = Parameters::new(&config, context.seed())?;
        let model = Vit::new(config, parameters, Kernels::Fused, context.threads(params.size("threads")))?;
        let options = TrainOptions {
            epochs: params.int("epochs").unsigned_abs(),
            batch: 16,
            learning_rate: 0.002,
            feature_rate: 1.0,
            weight_decay: 0.05,
            warmup: 0.05,
            clip: None,
            label_smoothing: 0.0,
            seed: context.seed(),
            augment: Augment::NONE,
            validations: 1,
            redraw: Redraw::Never,
        };
        let mut trainer = Trainer::new(model, options)?;
        let mut observer = SmallTraining { context, ended: None };
        if train(&mut trainer, &dataset.train, &split, &patcher, &mut observer)?.is_break() {
            return Err(observer.ended.unwrap_or(RunError::Stopped));
        }
        Ok(Self { model: trainer.model, dataset, patcher, name: format!("digits, {} epochs", params.int("epochs")) })
    }
}

/// Reports the training of the small model.
struct SmallTraining<'a> {
    context: &'a mut RunContext,
    ended: Option<RunError>,
}

impl TrainObserver for SmallTraining<'_> {
    fn step(&mut self, _: &Trainer, report: &StepReport) -> ControlFlow<()> {
        if report.step.is_multiple_of(32) || report.step == report.steps {
            self.context.emit(Event::Progress(Progress {
                done: report.step,
                total: report.steps,
                unit: "steps".to_owned(),
                rate: 0.0,
                stage: "training the model".to_owned(),
            }));
        }
        match self.context.check_cancelled() {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.ended = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn validated(&mut self, _: &Trainer, _: f64, _: &Evaluation) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
