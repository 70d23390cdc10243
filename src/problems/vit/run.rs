//! One run: it loads the data, trains, tests, and measures the speed of inference.

use super::computing::{self, DEVICE_FACT};
use super::model::{self, ImageShape};
use super::observer::{Observed, Reporter, declare};
use super::processor::ProcessorClock;
use super::stopping::StoppingRule;
use super::{cost, evaluation, init, pictures, stopping};
use crate::device::OpenDevice;
use crate::lab::{Column, Event, ParamError, Params, Progress, Row, RunContext, RunError};
use crate::problems::devices::check_there;
use crate::statistics::wilson_interval;
use crate::vision::dataset::{
    Augment, Dataset, Normalisation, Only, Options, Patcher, Split, default_cache, load_watched,
};
use crate::vision::{
    Checkpoint, Denominators, Evaluation, FavorEstimator, FavorMap, Parameters, Redraw, Samples, TrainOptions, Trainer,
    Vit, VitConfig, evaluate, time_inference, train,
};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Least number of validations in a whole run.
const VALIDATIONS: u64 = 20;

pub(super) fn run(params: &Params, context: &mut RunContext) -> Result<(), RunError> {
    let seed = context.seed();
    let wrong = |error: ParamError| RunError::Input(error.to_string());
    check_there(params).map_err(wrong)?;
    let dataset = load(params, context)?;
    let images = ImageShape { size: dataset.train.size(), channels: dataset.train.channels() };
    let config = model::config(params, images, dataset.classes.len()).map_err(wrong)?;
    cost::check(params, &config, (dataset.train.memory() + dataset.test.memory()) as u64).map_err(wrong)?;
    let opened = computing::open(params, &config, cost::step_products(params, &config)).map_err(wrong)?;
    let doubts = config.attention.typed().map_or(&[][..], |map| map.function().doubts());
    doubts.iter().for_each(|doubt| context.note(doubt.clone()));
    let split = split(params, &dataset, seed);
    if split.train.len() < params.size("train_images") {
        context.note(format!("trains on {} images: there are no more", split.train.len()));
    }
    stopping::check_held_out(params, split.validation.len()).map_err(wrong)?;
    let normalisation = Normalisation::of(&dataset.train, &split.train)?;
    let patcher = Patcher::new(config.patch, &normalisation);

    let Beginning { mut trainer, observed, best, initial_accuracy, processor } =
        beginning(params, context, (&config, &opened), &dataset, &patcher)?;
    let rule = StoppingRule::of(params);
    let epochs = trainer.options.epochs;
    let epoch_steps = split.train.len().div_ceil(trainer.options.batch.max(1)) as u64;
    declare(context, epochs, epoch_steps, !split.validation.is_empty());
    pictures::declare_shapes(context, &config);
    if trainer.position.trained == 0 {
        pictures::shape_references(context, &trainer.model)?;
    }
    let mut facts = BTreeMap::from([
        ("dataset".to_owned(), dataset.name.to_owned()),
        ("class_names".to_owned(), dataset.classes.join("\t")),
    ]);
    facts.insert(DEVICE_FACT.to_owned(), opened.label.clone());
    facts.extend(initial_accuracy.map(|accuracy| (INITIAL_ACCURACY.to_owned(), accuracy.to_string())));
    let size = (epochs, split.train.len());
    let mut reporter = Reporter::new(context, &normalisation, facts, size, (rule, observed, best), processor);
    // A run that was ended while it tested has its training behind it.
    if reporter.observed.watch.stopped().is_none() {
        let outcome = train(&mut trainer, &dataset.train, &split, &patcher, &mut reporter)?;
        if outcome.is_break() && reporter.observed.watch.stopped().is_none() {
            return Err(reporter.ended.unwrap_or(RunError::Stopped));
        }
    }
    if let Some(best) = reporter.best.take() {
        trainer.model.parameters().assign(best)?;
    }
    reporter.save(&trainer)?;
    let watch = reporter.observed.watch;
    let (cpu_seconds, busy) = reporter.processor.read(&trainer.model);
    busy.into_iter().for_each(|remark| context.note(remark));
    watch.tell(&rule, context, epochs);
    let trained = watch.stopped().unwrap_or(epochs as f64);

    let indices: Vec<usize> = (0..dataset.test.count()).collect();
    let test = Samples { images: &dataset.test, indices: &indices, patcher: &patcher };
    let batch = trainer.options.batch;
    stage(context, &trainer, &split, "testing");
    let found = evaluate(&trainer.model, &test, batch)?;
    stage(context, &trainer, &split, "timing inference");
    let inference = time_inference(&trainer.model, &test, batch)?;
    pictures::confusion(context, &dataset.classes, &found);
    pictures::learned_shapes(context, &trainer.model, trained)?;
    note_denominators(context, &trainer.model, &dataset, &patcher)?;
    pictures::attention(context, &trainer.model, &dataset, &patcher, params.size("attention_image"))?;
    let mut row = row(params, seed, &trainer, &split, &found, inference);
    row.insert(INITIAL_ACCURACY.to_owned(), initial_accuracy.into());
    let data = (dataset.train.memory() + dataset.test.memory()) as u64;
    row.insert("train_cpu_seconds".to_owned(), cpu_seconds.into());
    row.insert("device".to_owned(), opened.label.clone().into());
    row.extend(watch.columns(&rule, trained).map(|(key, value)| (key.to_owned(), value)));
    let threads = context.threads(params.size("threads"));
    row.insert(Column::ESTIMATED_PEAK_BYTES.key.to_owned(), cost::bytes_on(threads, params, &config, data).into());
    context.emit(Event::Row { row: row.clone() });
    evaluation::fresh_draws(params, context, &trainer.model, &test, &row)
}

/// Test images whose denominators are counted.
const COUNTED: usize = 16;

/// Says how many denominators of attention are not positive, where a typed function or random features can be negative.
fn note_denominators(
    context: &mut RunContext,
    model: &Vit,
    dataset: &Dataset,
    patcher: &Patcher,
) -> Result<(), RunError> {
    if model.config().attention.favor().is_some_and(|map| !map.is_positive())
        && let Some(not_positive) = model.not_positive()
    {
        context.note(format!(
            "entries of the estimate can be negative: {not_positive} denominators of attention were not above 0, in training and testing together"
        ));
    }
    let Some(at) = model.config().attention.typed().and_then(|map| map.function().negative()) else { return Ok(()) };
    let indices: Vec<usize> = (0..COUNTED.min(dataset.test.count())).collect();
    let mut patches = vec![0.0; indices.len() * dataset.test.bytes()];
    patcher.write(&dataset.test, &indices, &mut patches)?;
    let Denominators { rows, not_positive, .. } = model.denominators(&patches)?;
    context.note(format!(
        "f is negative at {at}, so denominators of attention need not be positive: {not_positive} of {rows} rows of the first {} test images have one that is not",
        indices.len()
    ));
    Ok(())
}

/// Loads the data set and reports progress where that takes time.
fn load(params: &Params, context: &mut RunContext) -> Result<Dataset, RunError> {
    let train = match params.size("train_images") {
        0 => 0,
        asked => asked + held_out(params, asked),
    };
    let options = Options {
        image_size: Some(params.size("image_size")).filter(|size| *size > 0),
        folder: Some(params.text("folder").into()),
        cache: default_cache(),
        only: Some(Only { train, test: params.size("test_images"), seed: context.seed() }),
    };
    let (control, data) = (context.control(), context.data().to_owned());
    let mut told = Instant::now();
    let dataset = load_watched(params.text("dataset"), &data, &options, &mut |loading| {
        if told.elapsed() >= Duration::from_millis(100) {
            told = Instant::now();
            context.emit(Event::Progress(Progress {
                done: loading.done as u64,
                total: loading.total as u64,
                unit: "pictures".to_owned(),
                rate: 0.0,
                stage: format!("decoding {}", loading.stage),
            }));
        }
        !control.is_stopping()
    })?;
    if let Some((file, reason)) = dataset.skipped.first() {
        let count = dataset.skipped.len();
        context.note(format!("{count} files could not be read, the first: {}: {reason}", file.display()));
    }
    dataset.notes.iter().for_each(|note| context.note(note.clone()));
    if dataset.test.count() == 0 {
        return Err(RunError::Input(format!("{}: no test images", dataset.name)));
    }
    context.check_cancelled()?;
    Ok(dataset)
}

/// Images held out for validation when so many are asked for.
fn held_out(params: &Params, images: usize) -> usize {
    (images as f64 * params.float("validation")).round() as usize
}

fn split(params: &Params, dataset: &Dataset, seed: u64) -> Split {
    let (there, asked) = (dataset.train.count(), params.size("train_images"));
    let images = if asked == 0 { there } else { asked.min(there) };
    Split::new(there, held_out(params, images), asked, seed)
}

/// Where the training begins or goes on.
struct Beginning {
    trainer: Trainer,
    observed: Observed,
    /// θ at the best evaluation, of a continued run that keeps it.
    best: Option<Vec<f32>>,
    /// Of a model that starts from another one's weights: its accuracy on the test images before it is trained.
    initial_accuracy: Option<f64>,
    processor: ProcessorClock,
}

/// The column, and the fact in checkpoints, of a model's accuracy before it is trained.
const INITIAL_ACCURACY: &str = "initial_accuracy";

/// A fresh trainer, or one that starts from another model, or the trainer that the checkpoint of a continued run holds.
fn beginning(
    params: &Params,
    context: &mut RunContext,
    (config, opened): (&VitConfig, &OpenDevice),
    dataset: &Dataset,
    patcher: &Patcher,
) -> Result<Beginning, RunError> {
    let options = TrainOptions {
        epochs: params.int("epochs").unsigned_abs(),
        batch: params.size("batch"),
        learning_rate: params.float("lr"),
        feature_rate: params.float("feature_rate"),
        weight_decay: params.float("weight_decay"),
        warmup: params.float("warmup"),
        clip: Some(params.float("clip")).filter(|limit| *limit > 0.0),
        label_smoothing: params.float("label_smoothing"),
        augment: Augment::new(params.choice("augment"), config.image_size),
        validations: VALIDATIONS,
        redraw: Redraw::from_text(&params.typed("redraw")).unwrap_or_default(),
        seed: context.seed(),
    };
    let threads = cost::useful_threads(params, context.threads(params.size("threads")), config.tokens());
    if let (Some(observed), Some(file)) = (context.resume_state()?, context.resume_file()) {
        let mut checkpoint = Checkpoint::load(&file)?;
        if checkpoint.config != *config {
            return Err(RunError::Input(format!("{}: a model of another shape", file.display())));
        }
        computing::tell(context, opened, checkpoint.facts.get(DEVICE_FACT));
        let model = computing::model(params, opened, (config, checkpoint.parameters.clone()), threads)?;
        model.make_room(options.batch)?;
        let initial_accuracy = checkpoint.facts.get(INITIAL_ACCURACY).and_then(|text| text.parse().ok());
        let processor = ProcessorClock::go_on(&model, &checkpoint.facts);
        let trainer = Trainer::resume(model, options, &mut checkpoint)?;
        return Ok(Beginning { trainer, observed, best: checkpoint.best, initial_accuracy, processor });
    }
    let started = init::parameters(params, context, config, dataset)?;
    let from_another = started.is_some();
    let parameters = started.map_or_else(|| Parameters::new(config, context.seed()), Ok)?;
    computing::tell(context, opened, None);
    let model = computing::model(params, opened, (config, parameters), threads)?;
    model.make_room(options.batch)?;
    let initial_accuracy = if from_another {
        let indices: Vec<usize> = (0..dataset.test.count()).collect();
        let test = Samples { images: &dataset.test, indices: &indices, patcher };
        Some(evaluate(&model, &test, options.batch)?.accuracy)
    } else {
        None
    };
    let processor = ProcessorClock::begin(&model);
    let trainer = Trainer::new(model, options)?;
    Ok(Beginning { trainer, observed: Observed::default(), best: None, initial_accuracy, processor })
}

fn stage(context: &mut RunContext, trainer: &Trainer, split: &Split, stage: &str) {
    context.emit(Event::Progress(Progress {
        done: trainer.position.trained,
        total: trainer.options.epochs * split.train.len() as u64,
        unit: "images".to_owned(),
        rate: 0.0,
        stage: stage.to_owned(),
    }));
}

fn row(params: &Params, seed: u64, trainer: &Trainer, split: &Split, test: &Evaluation, inference_seconds: f64) -> Row {
    let (position, config) = (&trainer.position, trainer.model.config());
    let favor = config.attention.favor();
    let function = config.attention.typed().or_else(|| match favor?.estimator() {
        FavorEstimator::Custom(map) => Some(map),
        _ => None,
    });
    let over_images = wilson_interval(test.accuracy, test.images);
    let row = serde_json::json!({
        "attention": params.text("attention"),
        "f": function.map(|map| map.function().text()),
        "estimator": favor.map(|map| map.estimator().name()),
        "projection": favor.map(|map| map.projection().name()),
        "m": favor.map(FavorMap::m),
        "redraw": favor.map(|_| params.typed("redraw")),
        "mask": (config.mask_dim > 0).then(|| format!("{} {}", params.text("mask"), config.mask_dim)),
        "eval_m": null,
        "eval_draws": null,
        "dataset": params.text("dataset"),
        "seed": seed,
        "epochs": trainer.options.epochs,
        "train_images": split.train.len(),
        "test_images": test.images,
        "parameters": trainer.model.parameters().layout().learned(),
        "init": Some(params.text("init")).filter(|init| !init.is_empty()),
        "initial_accuracy": null,
        "train_seconds": position.seconds,
        "train_images_per_second": position.trained as f64 / position.seconds,
        "inference_seconds": inference_seconds,
        "inference_images_per_second": test.images as f64 / inference_seconds,
        "test_accuracy": test.accuracy,
        "accuracy_error": null,
        "test_loss": test.loss,
        "final_train_loss": position.epoch_loss,
        "tokens": config.tokens(),
        "multiply_adds": config.multiply_adds() as u64,
        "accuracy_lo": over_images.map(|[low, _]| low),
        "accuracy_hi": over_images.map(|[_, high]| high),
        "train_cpu_seconds": null,
    });
    match row {
        serde_json::Value::Object(row) => row,
        _ => Row::new(),
    }
}
