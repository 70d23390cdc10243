//! One run: every estimator in every set of layers, draw by draw.

use super::curves;
use super::layers::LayerSet;
use super::maps::HeadEstimator;
use super::rows::{ReplacementResults, ReplacementSubject};
use super::schema::{BATCH, layer_sets, open_device};
use super::source::TrainedModel;
use crate::attention::Projection;
use crate::device::OpenDevice;
use crate::lab::{ParamError, Params, RunContext, RunError};
use crate::problems::devices;
use crate::problems::estimators::{estimators, rising_sizes};
use crate::problems::toolkit::{Burst, FinishedPoints, Meter};
use crate::vision::{Attention, ExactBlocks, Outputs, Samples, Vit, VitConfig, class_of, outputs};
use std::time::Instant;

pub(super) fn run(params: &Params, context: &mut RunContext) -> Result<(), RunError> {
    let wrong = |error: ParamError| RunError::Input(error.to_string());
    devices::check_there(params).map_err(wrong)?;
    let trained = TrainedModel::new(params, context)?;
    let depth = trained.model.config().depth;
    let sets = layer_sets(params, depth).map_err(wrong)?;
    let device = open_device(params, trained.model.config()).map_err(wrong)?;
    devices::tell(context, &device);
    let trained = trained.on(&device.device)?;
    let (estimators, projections): (_, Vec<Projection>) = (estimators(params), params.choices("projection"));
    let (sizes, draws) = (rising_sizes(params, "m"), params.size("draws"));
    let indices: Vec<usize> = (0..trained.dataset.test.count()).collect();
    let test = Samples { images: &trained.dataset.test, indices: &indices, patcher: &trained.patcher };
    let control = context.control();
    let exact = outputs(&trained.model, &test, BATCH, || !control.is_stopping())?.ok_or(RunError::Stopped)?;
    let blocks = exact_blocks(params, &trained)?;
    let mut replacement = Replacement {
        exact_accuracy: accuracy(&exact, test.images.labels()),
        trained: &trained,
        test,
        exact,
        blocks,
        device: &device,
        several: sets.len() > 1,
        draws,
        meter: Meter::new(estimators.len() * projections.len() * sizes.len() * draws * sets.len(), "tests"),
        points: FinishedPoints::new::<ReplacementSubject>(context),
    };
    let speed = indices.len() as f64 / replacement.exact.seconds;
    curves::declare(context, &sizes, replacement.exact_accuracy, speed);
    for estimator in &estimators {
        for projection in &projections {
            let config = trained.model.config();
            let fitted = HeadEstimator::new(*estimator, *projection, params, config, &replacement.blocks)?;
            replacement.curve(&fitted, &sets, &sizes, context)?;
        }
    }
    Ok(())
}

/// Queries, keys, values and outputs of the model on the images that errors are measured on.
fn exact_blocks(params: &Params, trained: &TrainedModel) -> Result<ExactBlocks, RunError> {
    let images = params.size("error_images").min(trained.dataset.test.count());
    let mut patches = vec![0.0; images * trained.dataset.test.bytes()];
    trained.patcher.write(&trained.dataset.test, &(0..images).collect::<Vec<_>>(), &mut patches)?;
    Ok(ExactBlocks::new(&trained.model, &patches)?)
}

fn accuracy(outputs: &Outputs, labels: &[u32]) -> f64 {
    let rows = outputs.logits.chunks_exact(outputs.logits.len() / labels.len());
    rows.zip(labels).filter(|(row, label)| class_of(row) == **label as usize).count() as f64 / labels.len() as f64
}

/// What the curves of one run have in common.
struct Replacement<'a> {
    trained: &'a TrainedModel,
    test: Samples<'a>,
    exact: Outputs,
    exact_accuracy: f64,
    blocks: ExactBlocks,
    /// What computes the model.
    device: &'a OpenDevice,
    /// Whether there are several sets of layers, which curves are then named by.
    several: bool,
    draws: usize,
    meter: Meter,
    points: FinishedPoints,
}

impl Replacement<'_> {
    fn config(&self) -> &VitConfig {
        self.trained.model.config()
    }

    /// Tests an estimator with every m.
    fn curve(
        &mut self,
        estimator: &HeadEstimator<'_>,
        sets: &[LayerSet],
        sizes: &[usize],
        context: &mut RunContext,
    ) -> Result<(), RunError> {
        let name = format!("{} {}", estimator.label(), estimator.projection());
        let names: Vec<String> = sets
            .iter()
            .map(|set| if self.several { format!("{name} layers {}", set.name) } else { name.clone() })
            .collect();
        names.iter().for_each(|name| curves::declare_curve(context, name));
        curves::declare_layers(context, &name, self.config().depth);
        for m in sizes {
            let subjects: Vec<ReplacementSubject> = sets
                .iter()
                .flat_map(|set| (0..self.draws).map(move |draw| (set, draw)))
                .map(|(set, draw)| self.subject(estimator, set, *m, draw))
                .collect();
            if self.points.find(&subjects.iter().collect::<Vec<_>>(), context).is_some() {
                self.meter.skip(subjects.len());
                continue;
            }
            let (results, layers) = self.measure(estimator, sets, *m, &name, context)?;
            let mut burst = Burst::new();
            for (name, results) in names.iter().zip(results.chunks_exact(self.draws)) {
                curves::points(&mut burst, name, *m, results);
            }
            curves::layer_points(&mut burst, &name, *m, &layers);
            subjects.iter().zip(&results).for_each(|(subject, results)| burst.row(subject, results));
            self.points.tell(burst, context);
        }
        Ok(())
    }

    fn subject(&self, estimator: &HeadEstimator<'_>, set: &LayerSet, m: usize, draw: usize) -> ReplacementSubject {
        ReplacementSubject {
            checkpoint: self.trained.name.clone(),
            dataset: self.trained.dataset.name.to_owned(),
            layers: set.name.clone(),
            estimator: estimator.name(),
            f: estimator.function(),
            projection: estimator.projection().name(),
            m,
            draw,
        }
    }

    /// The results of every set of layers, draw by draw, and the errors of every layer of each draw.
    fn measure(
        &mut self,
        estimator: &HeadEstimator<'_>,
        sets: &[LayerSet],
        m: usize,
        name: &str,
        context: &mut RunContext,
    ) -> Result<(Vec<ReplacementResults>, Vec<Vec<f64>>), RunError> {
        let config = VitConfig { attention: Attention::Favor(estimator.map(m)?), ..self.config().clone() };
        let whole = self.trained.model.attending(&config)?;
        let mut of_sets: Vec<Vec<ReplacementResults>> = sets.iter().map(|_| Vec::new()).collect();
        let mut of_layers = Vec::new();
        for draw in 0..self.draws {
            let began = Instant::now();
            estimator.draw(whole.parameters(), &config, context.seed(), draw as u64)?;
            let layers = self.blocks.errors(&whole)?;
            let shared = began.elapsed().as_secs_f64() / sets.len() as f64;
            for (set, results) in sets.iter().zip(&mut of_sets) {
                let began = Instant::now();
                let exact = set.exact_blocks(config.depth);
                let model = whole.attending(&VitConfig { softmax_blocks: exact, ..config.clone() })?;
                let mut found = self.test(&model, set, &layers, context)?;
                found.seconds = shared + began.elapsed().as_secs_f64();
                results.push(found);
                self.meter.advance(1, &format!("{name} m={m}"), context);
            }
            of_layers.push(layers);
        }
        Ok((of_sets.into_iter().flatten().collect(), of_layers))
    }

    /// Tests `model`, whose attention is replaced in `set`.
    fn test(
        &self,
        model: &Vit,
        set: &LayerSet,
        layers: &[f64],
        context: &mut RunContext,
    ) -> Result<ReplacementResults, RunError> {
        let control = context.control();
        let found = outputs(model, &self.test, BATCH, || !control.is_stopping())?.ok_or(RunError::Stopped)?;
        context.check_cancelled()?;
        let (classes, images) = (self.config().classes, self.test.indices.len());
        let pairs = || found.logits.chunks_exact(classes).zip(self.exact.logits.chunks_exact(classes));
        let agreed = pairs().filter(|(found, exact)| class_of(found) == class_of(exact)).count();
        let square = |value: f32| f64::from(value) * f64::from(value);
        let error: f64 = found.logits.iter().zip(&self.exact.logits).map(|(a, b)| square(a - b)).sum();
        let whole: f64 = self.exact.logits.iter().copied().map(square).sum();
        let test_accuracy = accuracy(&found, self.test.images.labels());
        let rows = images * self.config().tokens() * self.config().heads * set.layers.len();
        let errors = set.layers.iter().map(|layer| layers[*layer]);
        Ok(ReplacementResults {
            features: model.config().attention.favor().map_or(0, |map| map.features()),
            test_accuracy,
            exact_accuracy: self.exact_accuracy,
            accuracy_drop: self.exact_accuracy - test_accuracy,
            agreement: agreed as f64 / images as f64,
            logit_rel_error: (error / whole).sqrt(),
            output_rel_error: errors.sum::<f64>() / set.layers.len() as f64,
            nonpositive_rows: model.not_positive(),
            attention_rows: rows as u64,
            device: self.device.label.clone(),
            inference_images_per_second: images as f64 / found.seconds,
            seconds: 0.0,
        })
    }
}
