//! Passes what happens in training on to the run as events, and tells training when the run is to stop.

use super::pictures;
use super::processor::ProcessorClock;
use super::stopping::{EvaluationWatch, StoppingRule};
use crate::lab::{Axis, Event, Plot, Point, Progress, RunContext, RunError, Series, Style, decimal};
use crate::vision::dataset::Normalisation;
use crate::vision::{Evaluation, StepReport, TrainObserver, Trainer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Most points of a training curve; a plot could not show more.
const POINTS: u64 = 400;

/// How many times the learned feature maps are shown in a whole run.
const SHAPES: u64 = 20;

/// Time between two reports of progress.
const PROGRESS: Duration = Duration::from_millis(100);

/// The sums since the last point of the training curve. They are saved with a checkpoint, so that a continued run has the same
/// points.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Interval {
    loss: f64,
    images: usize,
    seconds: f64,
}

/// What is saved with a checkpoint beside the state of the training.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Observed {
    #[serde(flatten)]
    pub interval: Interval,
    /// None in a checkpoint of a version that did not watch.
    #[serde(default)]
    pub watch: EvaluationWatch,
}

/// Observes the training loop on behalf of the run.
pub(super) struct Reporter<'a> {
    pub context: &'a mut RunContext,
    pub normalisation: &'a Normalisation,
    /// What a checkpoint records beside the state of the training: data set and class names.
    pub facts: BTreeMap<String, String>,
    pub epochs: u64,
    pub epoch_images: usize,
    pub observed: Observed,
    pub processor: ProcessorClock,
    pub rule: StoppingRule,
    /// θ at the best evaluation, where it is kept.
    pub best: Option<Vec<f32>>,
    /// Why training was told to end.
    pub ended: Option<RunError>,
    told: Instant,
    /// Images per second, as a moving average.
    rate: f64,
}

/// Declares the plots and series of a run of so many epochs, each of so many steps.
pub(super) fn declare(context: &mut RunContext, epochs: u64, epoch_steps: u64, validates: bool) {
    let x = || Axis::linear("epoch").over(0.0, epochs as f64).of_steps(epoch_steps as f64);
    for (id, title, y) in [
        ("loss", "Loss", Axis::linear("cross-entropy")),
        ("accuracy", "Validation accuracy", Axis::linear("share of images").over(0.0, 1.0)),
        ("speed", "Training speed", Axis::linear("images a second")),
    ] {
        if id != "accuracy" || validates {
            context.emit(Event::Plot(Plot { id: id.to_owned(), title: title.to_owned(), x: x(), y }));
        }
    }
    for series in [
        Series::new("train_loss", "loss", "train loss"),
        Series::new("validation_loss", "loss", "validation loss").drawn(Style::Dashed).beside("train_loss"),
        Series::new("validation_accuracy", "accuracy", "validation accuracy"),
        Series::new("train_images_per_second", "speed", "images/s"),
    ] {
        if !series.id.starts_with("validation") || validates {
            context.emit(Event::Series(series));
        }
    }
}

impl<'a> Reporter<'a> {
    pub(super) fn new(
        context: &'a mut RunContext,
        normalisation: &'a Normalisation,
        facts: BTreeMap<String, String>,
        (epochs, epoch_images): (u64, usize),
        (rule, observed, best): (StoppingRule, Observed, Option<Vec<f32>>),
        processor: ProcessorClock,
    ) -> Self {
        let told = Instant::now() - PROGRESS;
        let (ended, rate) = (None, 0.0);
        Self { context, normalisation, facts, epochs, epoch_images, observed, processor, rule, best, ended, told, rate }
    }

    fn point(&mut self, series: &str, x: f64, y: f64) {
        self.context.emit(Event::Point(Point::new(series, x, y)));
    }

    /// Saves the model with all that is needed to go on.
    pub(super) fn save(&mut self, trainer: &Trainer) -> Result<(), RunError> {
        let mut checkpoint = trainer.checkpoint(self.normalisation)?;
        checkpoint.facts.extend(self.facts.clone());
        checkpoint.facts.extend(self.processor.facts(&trainer.model));
        checkpoint.best = self.best.take();
        let write = |path: &std::path::Path| checkpoint.save(path).map_err(|error| error.to_string());
        let saved = self.context.save_checkpoint(&self.observed, write);
        self.best = checkpoint.best;
        saved
    }

    fn check_cancelled(&mut self, trainer: &Trainer) -> ControlFlow<()> {
        let mut go_on = Ok(());
        if self.context.checkpoint_due() {
            go_on = self.save(trainer);
        }
        match go_on.and_then(|()| self.context.check_cancelled()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.ended = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn progress(&mut self, trainer: &Trainer, stage: String) {
        self.told = Instant::now();
        self.context.emit(Event::Progress(Progress {
            done: trainer.position.trained,
            total: self.epochs * self.epoch_images as u64,
            unit: "images".to_owned(),
            rate: self.rate,
            stage,
        }));
    }
}

impl TrainObserver for Reporter<'_> {
    fn step(&mut self, trainer: &Trainer, report: &StepReport) -> ControlFlow<()> {
        let now = report.images as f64 / report.seconds;
        self.rate = if self.rate == 0.0 { now } else { 0.9 * self.rate + 0.1 * now };
        let interval = &mut self.observed.interval;
        interval.loss += report.loss * report.images as f64;
        interval.images += report.images;
        interval.seconds += report.seconds;
        if report.step.is_multiple_of((report.steps / POINTS).max(1)) {
            let Interval { loss, images, seconds } = std::mem::take(interval);
            self.point("train_loss", report.epoch, loss / images as f64);
            self.point("train_images_per_second", report.epoch, images as f64 / seconds);
        }
        // After the last step they are shown with the results.
        if report.step.is_multiple_of((report.steps / SHAPES).max(1))
            && report.step < report.steps
            && let Err(error) = pictures::learned_shapes(self.context, &trainer.model, report.epoch)
        {
            self.ended = Some(error.into());
            return ControlFlow::Break(());
        }
        if self.told.elapsed() >= PROGRESS || report.step == report.steps {
            let epoch = (report.epoch.ceil() as u64).max(1);
            self.progress(trainer, format!("epoch {epoch} of {}", self.epochs));
        }
        self.check_cancelled(trainer)
    }

    fn validated(&mut self, trainer: &Trainer, epoch: f64, validation: &Evaluation) -> ControlFlow<()> {
        self.point("validation_loss", epoch, validation.loss);
        self.point("validation_accuracy", epoch, validation.accuracy);
        let is_best = self.observed.watch.take(&self.rule, trainer, epoch, validation);
        if is_best && self.rule.keeps_best() {
            // The copy before goes first: there is room for one.
            self.best = None;
            match trainer.model.parameters().values() {
                Ok(theta) => self.best = Some(theta),
                Err(error) => {
                    self.ended = Some(error.into());
                    return ControlFlow::Break(());
                }
            }
        }
        if self.observed.watch.stopped().is_some() {
            return ControlFlow::Break(());
        }
        if self.context.is_held_at(epoch) {
            let held = format!("held after {} of {} epochs", decimal(epoch, 2), self.epochs);
            self.ended = Some(self.save(trainer).err().unwrap_or(RunError::Held(held)));
            return ControlFlow::Break(());
        }
        self.check_cancelled(trainer)
    }
}
