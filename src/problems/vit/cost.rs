//! Whether a run fits into memory, and what it will cost.

use super::computing;
use super::model::{ImageShape, config, eval_sizes};
use crate::lab::{Estimate, Machine, ParamError, Params};
use crate::problems::devices::device;
use crate::threads;
use crate::vision::dataset::DataSource;
use crate::vision::{Attention, ConfigError, Kernels, Vit, VitConfig};

/// Checks what depends on several parameters: that the sizes of the model fit together, and that the run fits into memory,
/// `data` bytes of which are images.
pub(super) fn check(params: &Params, config: &VitConfig, data: u64) -> Result<(), ParamError> {
    let refuse = |key: &str, allowed: String| Err(ParamError::new(key, params.values(key)[0].to_string(), allowed));
    match config.check() {
        Ok(()) => {}
        Err(ConfigError::Patch { image_size, .. }) => {
            return refuse("patch", format!("a divisor of the image size, {}", divisors(image_size)));
        }
        Err(ConfigError::Heads { dim, .. }) => {
            return refuse("heads", format!("a divisor of dim, {}", divisors(dim)));
        }
        Err(error @ ConfigError::Uneven(_)) => return refuse("features", error.to_string()),
        Err(error @ ConfigError::Mask) => return refuse("mask", format!("none: {error}")),
        Err(ConfigError::Strata { mask_dim }) => {
            let least = mask_dim + 1;
            return refuse(
                "m",
                format!(
                    "at least {least} with mask_dim={mask_dim}: one for each coordinate and one for the constant 0.001"
                ),
            );
        }
        Err(error @ ConfigError::Projection(_)) => return refuse("projection", error.to_string()),
        Err(error) => return refuse("dim", error.to_string()),
    }
    let (needed, there) = (bytes(params, config, data), Machine::here().memory << 20);
    if there == 0 || needed <= there {
        return Ok(());
    }
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let key = most_lowered(params, config, data);
    let allowed = if params.int(key) == 0 { "a number of its own, as 0 takes all" } else { "a smaller number" };
    let (needed, there) = (gib(needed), gib(there));
    refuse(key, format!("{allowed}: the run needs about {needed:.1} GiB of memory, this machine has {there:.1}"))
}

/// The parameter whose lowering saves most memory.
fn most_lowered(params: &Params, config: &VitConfig, data: u64) -> &'static str {
    let batch = largest_batch(params);
    let half = |size: usize| (size / 2).max(1);
    let model = |key, config: VitConfig| (key, model_bytes(params, &config, batch, threads(params)) + data);
    let work = |key, batch, threads| (key, model_bytes(params, config, batch, threads) + data);
    let images = |key, data: u64| (key, bytes(params, config, data / 2));
    let lower = [
        model("dim", VitConfig { dim: half(config.dim), ..config.clone() }),
        model("depth", VitConfig { depth: half(config.depth), ..config.clone() }),
        model("mlp_ratio", VitConfig { mlp_ratio: half(config.mlp_ratio), ..config.clone() }),
        model("image_size", VitConfig { image_size: half(config.image_size).max(config.patch), ..config.clone() }),
        work("batch", half(batch), threads(params)),
        work("threads", batch, half(threads(params))),
        images("train_images", data),
    ];
    let fewer = config.attention.favor().and_then(|map| map.of(half(map.m())).ok());
    let fewer = fewer.map(|map| model("m", VitConfig { attention: Attention::Favor(map), ..config.clone() }));
    // What goes by itself cannot be lowered, but for the images, all of which are taken.
    let lower = lower.into_iter().chain(fewer).filter(|(key, _)| *key == "train_images" || params.int(key) > 0);
    lower.min_by_key(|(_, bytes)| *bytes).map_or("batch", |(key, _)| key)
}

fn divisors(of: usize) -> String {
    let all: Vec<_> = (1..=of).filter(|size| of.is_multiple_of(*size)).map(|size| size.to_string()).collect();
    all.join(", ")
}

/// How many of the `asked` threads would have work; more are not made. A fused pass shares images among threads, a composed
/// pass shares rows of matrix products.
pub(super) fn useful_threads(params: &Params, asked: usize, tokens: usize) -> usize {
    let work = match computing::kernels(params) {
        Kernels::Fused => params.size("batch"),
        Kernels::Composed => params.size("batch").saturating_mul(tokens),
    };
    asked.min(work)
}

/// Threads as far as they are known before the run.
fn threads(params: &Params) -> usize {
    threads::or_default(params.size("threads"))
}

fn model_bytes(params: &Params, config: &VitConfig, batch: usize, threads: usize) -> u64 {
    if device(params).is_gpu() {
        // What a checkpoint copies: θ and two moments, each as tensors and as bytes, and two batches of patches.
        let patches = 2 * batch * config.tokens() * config.patch_dim();
        return 4 * (6 * config.parameters() + patches) as u64;
    }
    let threads = useful_threads(params, threads, config.tokens());
    Vit::training_bytes(config, computing::kernels(params), threads, batch)
}

/// Peak memory of a run whose images take `data` bytes.
fn bytes(params: &Params, config: &VitConfig, data: u64) -> u64 {
    bytes_on(threads(params), params, config, data)
}

/// The same on so many threads.
pub(super) fn bytes_on(threads: usize, params: &Params, config: &VitConfig, data: u64) -> u64 {
    // θ at the best evaluation.
    let best = if params.int("patience") > 0 { 4 * config.parameters() as u64 } else { 0 };
    model_bytes(params, config, largest_batch(params), threads) + best + data
}

/// Images that go through the model at a time: a batch, or every image where there are fewer.
fn largest_batch(params: &Params) -> usize {
    let known = |key| match params.size(key) {
        0 => usize::MAX,
        images => images,
    };
    params.size("batch").min(known("train_images").max(known("test_images")))
}

/// Bytes of images in memory, as far as that is known before they are read: zero where only the files say how many.
pub(super) fn expected_data(params: &Params) -> u64 {
    let source: DataSource = params.choice("dataset");
    let ImageShape { size, channels } = ImageShape::expected(params);
    let held_out = 1.0 + params.float("validation");
    let parts = source.published_images().into_iter().zip(["train_images", "test_images"]);
    let images = parts.map(|(all, key)| match params.size(key) {
        0 => all,
        asked if key == "train_images" => ((asked as f64 * held_out) as usize).min(if all == 0 { asked } else { all }),
        asked => asked.min(if all == 0 { asked } else { all }),
    });
    (images.sum::<usize>() * (channels * size * size + 4)) as u64
}

/// What a run will cost, roughly.
pub(super) fn estimate(params: &Params) -> Estimate {
    let rows = 1 + eval_sizes(params).len();
    let Ok(config) = config(params, ImageShape::expected(params), 10) else {
        return Estimate { rows, ..Estimate::default() };
    };
    if config.check().is_err() {
        return Estimate { rows, ..Estimate::default() };
    }
    let [all, test] = params.choice::<DataSource>("dataset").published_images();
    let train = match params.size("train_images") {
        0 => all,
        asked => asked,
    };
    let cores = threads(params).min(threads::granted());
    // Multiply-adds per second and core reached in training; a backward pass costs two forward passes.
    let rate = cores as f64
        * match computing::kernels(params) {
            Kernels::Composed => COMPOSED_RATE,
            Kernels::Fused => FUSED_RATE,
        };
    let trained = params.int("epochs") as f64 * train as f64;
    let images = trained * 3.0 + 2.0 * test as f64;
    let steps = trained / params.int("batch") as f64;
    // Nothing is known of GPUs.
    let is_known = train > 0 && !device(params).is_gpu();
    let seconds = is_known.then(|| images * config.multiply_adds() / rate + steps * STEP_SECONDS);
    Estimate { rows, seconds, bytes: Some(bytes(params, &config, expected_data(params))) }
}

/// Multiply-adds of a training step: a backward pass costs two forward passes.
pub(super) fn step_products(params: &Params, config: &VitConfig) -> f64 {
    3.0 * params.size("batch") as f64 * config.multiply_adds()
}

/// Multiply-adds per second and core, for estimates.
const FUSED_RATE: f64 = 4e10;
const COMPOSED_RATE: f64 = 4e9;
/// What a step takes beside its images: the update, handing out and gathering.
const STEP_SECONDS: f64 = 1.5e-3;
