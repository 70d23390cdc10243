//! The parameters of the problem `replacement`, what no single one can say, and the cost.

use super::layers::{ALLOWED, LayerSet, is_layers, sets};
use super::maps::{self, sized};
use super::shape::{DEPTH, is_comparable, small};
use crate::attention::Projection;
use crate::device::OpenDevice;
use crate::lab::{Estimate, Param, ParamError, Params, Schema, common};
use crate::named::Named;
use crate::problems::devices::{self, DeviceNeeds};
use crate::problems::estimators::{EstimatorName, FeatureEstimator, estimator_params, estimators, rising_sizes};
use crate::problems::inputs::checkpoint_file;
use crate::problems::inputs::params::CHECKPOINT_FILE;
use crate::problems::limits::{check_memory, check_stored_dims, largest};
use crate::threads;
use crate::vision::{Attention, BlockSet, Checkpoint, FavorMap, Kernels, Vit, VitConfig};
use std::sync::LazyLock;

/// Images that go through a model at a time.
pub(super) const BATCH: usize = 64;

pub(super) static PARAMS: LazyLock<Vec<Param>> =
    LazyLock::new(|| BEFORE.iter().copied().chain(estimator_params()).chain(AFTER.iter().copied()).collect());

static BEFORE: &[Param] = &[
    Param { read_with: None, ..CHECKPOINT_FILE }
        .stands_for("", "small model of digits")
        .help("a trained model that attends by softmax; without one a small model of digits is trained first")
        .group("model"),
    Param::int("epochs", "epochs", 1, 10_000, "20")
        .help("training of the small model of digits")
        .steps(&["5", "10", "20", "40"])
        .group("model")
        .read_with("checkpoint", &[""]),
    Param::text("folder", "folder", "a folder's name", |_| true, "image-folder")
        .help("where the files lie if the model was trained on data set `folder` or `idx`, below the data directory")
        .group("model"),
    Param::text("layers", "layers", ALLOWED, is_layers, "all")
        .help("layers whose attention is replaced together: all, each one alone, or some (0+2)")
        .steps(&["all", "each", "all,each"])
        .group("model"),
    Param::choice("estimator", "estimator", EstimatorName::CHOICES, "positive")
        .help("what takes the place of softmax")
        .group("estimator")
        .list(),
    Param::choice("projection", "projection", Projection::CHOICES, "orthogonal")
        .help("how the rows of W are drawn")
        .group("estimator")
        .list(),
    Param::int("m", "projections m", 1, 1 << 16, "16,64,256,1024")
        .help("rows of W for each head; hyperbolic and trigonometric features are twice as many")
        .steps(&["16", "64", "256", "1024", "4096"])
        .group("estimator")
        .list(),
];

static AFTER: &[Param] = &[
    Param::int("draws", "draws", 1, 10_000, "5")
        .help("fresh draws of W for every point")
        .steps(&["1", "3", "5", "10", "20"])
        .group("run"),
    Param::int("test_images", "test images", 0, 100_000_000, "0")
        .help("images to test on, chosen by seed")
        .stands_for("0", "all")
        .steps(&["0", "500", "1000", "2000", "10000"])
        .group("run"),
    Param::int("error_images", "images for errors", 1, 1000, "8")
        .help("test images on which the outputs of attention are compared, and constants fitted")
        .steps(&["1", "4", "8", "32"])
        .group("run"),
    common::SEED,
    common::THREADS,
    devices::device_param(
        "what computes the model; auto takes a GPU if the program was built for one, one is there and a batch is large enough",
    ),
];

/// The shape of the model named, none where one is trained first.
fn shape(params: &Params) -> Result<Option<VitConfig>, ParamError> {
    let text = params.text("checkpoint");
    if text.is_empty() {
        return Ok(None);
    }
    let refuse =
        |reason: String| ParamError::new("checkpoint", text, format!("{}; {reason}", CHECKPOINT_FILE.allowed()));
    let config = Checkpoint::shape(&checkpoint_file(text, None)).map_err(|error| refuse(error.to_string()))?;
    if !is_comparable(config.attention) {
        return Err(refuse(format!(
            "this model attends by {}, which estimates no softmax: only models of softmax or favor can be compared with their exact attention",
            config.attention
        )));
    }
    Ok(Some(config))
}

/// The sets of layers asked for in a model of `depth` layers.
pub(super) fn layer_sets(params: &Params, depth: usize) -> Result<Vec<LayerSet>, ParamError> {
    sets(params.text("layers"), depth).map_err(|beyond| {
        let allowed = format!("layers from 0 to {}: the model has {depth}", depth - 1);
        ParamError::new("layers", beyond.to_string(), allowed)
    })
}

pub(super) fn check(params: &Params) -> Result<(), ParamError> {
    devices::check_built(params)?;
    for estimator in estimators(params) {
        for projection in params.choices::<Projection>("projection") {
            maps::check(estimator, projection, params)?;
        }
    }
    let Some(config) = shape(params)? else { return layer_sets(params, DEPTH).map(drop) };
    layer_sets(params, config.depth)?;
    check_stored_dims(params, [config.head_dim()])?;
    let takes_masks = |estimator: &FeatureEstimator| sized(*estimator, params, 1).is_ok_and(FavorMap::takes_masks);
    if config.mask_dim > 0
        && let Some(other) = estimators(params).into_iter().find(|estimator| !takes_masks(estimator))
    {
        let allowed = "positive, hyperbolic, gerf or sderf: the model has learned masks, which others do not take";
        return Err(ParamError::new("estimator", other.name(), allowed));
    }
    check_memory(params, &Schema(&PARAMS), &["m"], |size| peak(params, &config, size("m")))
}

/// Models of the shape `config` whose attention every estimator replaces with `m` projections.
fn replaced(params: &Params, config: &VitConfig, m: usize) -> impl Iterator<Item = (FavorMap, VitConfig)> {
    estimators(params).into_iter().filter_map(move |estimator| {
        let map = sized(estimator, params, m).ok()?;
        let attention = Attention::Favor(map);
        Some((map, VitConfig { attention, softmax_blocks: BlockSet::NONE, ..config.clone() }))
    })
}

/// The peak memory of a run in bytes, on the processor.
fn peak(params: &Params, config: &VitConfig, m: usize) -> f64 {
    if devices::device(params).is_gpu() {
        // What is drawn and copied: parameters of the exact model and of the one that is tested, and a batch.
        let patches = 2 * BATCH * config.tokens() * config.patch_dim();
        let parameters = replaced(params, config, m).map(|(_, config)| config.parameters()).max();
        return 4.0 * (4 * parameters.unwrap_or_default() + patches) as f64;
    }
    let threads = threads::or_default(params.size("threads"));
    let bytes = replaced(params, config, m).map(|(map, config)| {
        // The features of one image in the composed operations that compare outputs, in single precision.
        let features = 8 * config.tokens() * map.features() * config.heads;
        let inference = Vit::inference_bytes(&config, Kernels::Fused, threads, BATCH);
        inference as f64 + 4.0 * (features + 2 * config.parameters()) as f64
    });
    bytes.fold(0.0, f64::max)
}

/// Multiply-adds of a batch with the largest features.
fn batch_products(params: &Params, config: &VitConfig) -> f64 {
    let of_image = |(_, config): (FavorMap, VitConfig)| config.multiply_adds();
    BATCH as f64 * replaced(params, config, largest(params, "m")).map(of_image).fold(0.0, f64::max)
}

/// The same of the model that `params` name.
pub(super) fn expected_products(params: &Params) -> f64 {
    batch_products(params, &shape(params).ok().flatten().unwrap_or_else(small))
}

/// The device of a run of a model of the shape `config`, with room for a batch with the largest features.
///
/// # Errors
/// It cannot be used, or has too little memory.
pub(super) fn open_device(params: &Params, config: &VitConfig) -> Result<OpenDevice, ParamError> {
    let m = largest(params, "m");
    let of_model = |(_, replaced): (FavorMap, VitConfig)| {
        Vit::inference_bytes(&replaced, Kernels::Composed, 1, BATCH) + 4 * config.parameters() as u64
    };
    let bytes = replaced(params, config, m).map(of_model).max().unwrap_or_default();
    let needs = DeviceNeeds { bytes, what: "the model needs", key: ("m", m) };
    devices::open(params, batch_products(params, config), &needs)
}

/// Multiply-adds of every draw at a rate that a core of a recent machine reaches in a release build.
pub(super) fn estimate(params: &Params) -> Estimate {
    const RATE: f64 = 2e10;
    let config = shape(params).ok().flatten();
    let config = config.unwrap_or_else(small);
    let sets = layer_sets(params, config.depth).map_or(1, |sets| sets.len());
    let pairs = params.choices::<Projection>("projection").len();
    let each: Vec<FeatureEstimator> = estimators(params);
    let images = match params.size("test_images") {
        0 => 2000.0,
        images => images as f64,
    };
    let draws = params.size("draws") * sets * pairs;
    let plain = 12.0 * (config.dim * config.dim) as f64;
    let mut products = 0.0;
    for estimator in &each {
        for m in rising_sizes(params, "m") {
            let features = sized(*estimator, params, m).map_or(m, |map| map.features()) as f64;
            products += draws as f64 * (plain + 6.0 * features * config.dim as f64);
        }
    }
    let seconds = products * images * (config.tokens() * config.depth) as f64 / RATE;
    // Nothing is known of GPUs.
    let seconds = (!devices::device(params).is_gpu()).then_some(seconds);
    let rows = draws * each.len() * rising_sizes(params, "m").len();
    let bytes = peak(params, &config, largest(params, "m"));
    Estimate { rows, seconds, bytes: Some(bytes as u64) }
}
