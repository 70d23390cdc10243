//! The parameters of the problem `vit`, what they make of a model, and what it will cost.

use crate::lab::{Estimate, Machine, Param, ParamError, Params, common};
use crate::threads;
use crate::vision::dataset::{Augmentation, DataSource};
use crate::vision::{ATTENTIONS, Attention, AttentionKernel, ConfigError, Kernels, TYPED, TypedMap, Vit, VitConfig};

pub(super) static PARAMS: &[Param] = &[
    Param::choice("attention", "attention", ATTENTIONS, "softmax")
        .help("the attention kernel of every block")
        .group("model"),
    Param::function("f", "f(u)", "relu(u) + 0.001")
        .help("the feature map of attention custom: u a coordinate of a query or key x, p of Wx + b, n = |x|²; names are learned")
        .group("model")
        .read_with("attention", &[TYPED.name]),
    Param::int("features", "features of p", 0, 4096, "0")
        .help("rows of the projection p = Wx + b of attention custom; 0 takes as many as a head has coordinates")
        .steps(&["0", "8", "16", "32", "64", "128", "256"])
        .group("model")
        .read_with("attention", &[TYPED.name]),
    Param::choice("dataset", "data set", DataSource::CHOICES, "digits")
        .help("the images; all but digits lie in the data directory")
        .group("data"),
    Param::int("epochs", "epochs", 1, 100_000, "20")
        .help("passes over the training images")
        .steps(&["1", "2", "3", "5", "10", "20", "50", "100"])
        .group("training"),
    Param::int("train_images", "train images", 0, 100_000_000, "0")
        .help("images to train on, chosen by seed; 0 takes all that are not held out")
        .steps(&["0", "1000", "2000", "5000", "10000", "20000", "50000"])
        .group("data"),
    Param::int("test_images", "test images", 0, 100_000_000, "0")
        .help("images to test on, chosen by seed; 0 takes all")
        .steps(&["0", "500", "1000", "2000", "5000", "10000"])
        .group("data"),
    Param::float("validation", "validation", 0.0, 0.5, "0.1")
        .help("share of the training images that is held out and evaluated while training; 0 does without")
        .steps(&["0", "0.05", "0.1", "0.2"])
        .group("data"),
    Param::choice("augment", "augment", Augmentation::CHOICES, "none")
        .help("random changes to training images")
        .group("data"),
    Param::int("image_size", "image size", 0, 1024, "0")
        .help("height and width the images are brought to; 0 takes them as published, 64 for image folders")
        .steps(&["0", "8", "16", "28", "32", "64", "96", "128", "224"])
        .unit("px")
        .group("data"),
    Param::text("folder", "folder", "a folder's name", |_| true, "image-folder")
        .help(
            "where the files of data set `folder` (train/CLASS/*, val/CLASS/*) or `idx` lie, below the data directory",
        )
        .group("data")
        .read_with("dataset", &["folder", "idx"]),
    Param::int("patch", "patch", 0, 512, "0")
        .help("height and width of a patch; 0 goes by the image: 2 up to 16 pixels, 4 up to 64, 16 above")
        .steps(&["0", "1", "2", "4", "7", "8", "14", "16"])
        .unit("px")
        .group("model"),
    Param::int("dim", "dim", 1, 4096, "64")
        .help("width of the residual stream")
        .steps(&["16", "32", "64", "128", "192", "256", "384"])
        .group("model"),
    Param::int("depth", "depth", 1, 128, "4")
        .help("number of blocks")
        .steps(&["1", "2", "3", "4", "6", "8", "12"])
        .group("model"),
    Param::int("heads", "heads", 1, 256, "4")
        .help("attention heads a block; divides dim")
        .steps(&["1", "2", "3", "4", "6", "8", "12"])
        .group("model"),
    Param::int("mlp_ratio", "mlp ratio", 1, 64, "2")
        .help("width of the hidden layer over dim")
        .steps(&["1", "2", "3", "4"])
        .group("model"),
    Param::int("batch", "batch", 1, 65_536, "16")
        .help("images a step")
        .steps(&["8", "16", "32", "64", "128", "256"])
        .group("training"),
    Param::float("lr", "learning rate", 0.0, 10.0, "0.002")
        .help("highest learning rate of AdamW; half a cosine brings it down to zero")
        .steps(&["1e-4", "3e-4", "1e-3", "2e-3", "3e-3", "1e-2"])
        .group("training"),
    Param::float("weight_decay", "weight decay", 0.0, 10.0, "0.05")
        .help("decoupled weight decay of matrices")
        .steps(&["0", "0.01", "0.05", "0.1"])
        .group("training"),
    Param::float("warmup", "warm-up", 0.0, 1.0, "0.05")
        .help("share of all steps over which the learning rate rises")
        .steps(&["0", "0.05", "0.1", "0.2"])
        .group("training"),
    Param::float("clip", "clip", 0.0, 1e6, "0")
        .help("largest norm of a gradient; 0 does not clip")
        .steps(&["0", "0.5", "1", "5"])
        .group("training"),
    Param::float("label_smoothing", "label smoothing", 0.0, 0.99, "0")
        .help("share of a label's probability spread over all classes")
        .steps(&["0", "0.05", "0.1", "0.2"])
        .group("training"),
    super::init::INIT,
    Param::int("attention_image", "shown image", 0, 100_000_000, "0")
        .help("the test image whose attention is shown at the end; counts from 0")
        .steps(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
        .group("run"),
    Param::choice("kernels", "kernels", Kernels::CHOICES, "fused")
        .help("what computes the model; both agree to rounding")
        .group("run"),
    common::SEED,
    common::THREADS,
];

/// What is known of images: height and width in pixels, and colour channels.
#[derive(Clone, Copy, Debug)]
pub(super) struct ImageShape {
    pub size: usize,
    pub channels: usize,
}

impl ImageShape {
    /// The images that `params` ask for, as far as that is known before they are read. Where only the files say their size,
    /// it is one that every patch divides.
    pub fn expected(params: &Params) -> Self {
        let source: DataSource = params.choice("dataset");
        let patch = params.size("patch").max(1);
        let size = match (params.size("image_size"), source.native_size()) {
            (0, Some(size)) => size,
            (0, None) => 28_usize.div_ceil(patch) * patch,
            (size, _) => size,
        };
        Self { size, channels: source.channels().unwrap_or(3) }
    }
}

/// The model of `params` for such images of so many classes.
pub(super) fn config(params: &Params, images: ImageShape, classes: usize) -> VitConfig {
    let patch = match (params.size("patch"), images.size) {
        (0, ..=16) => 2,
        (0, ..=64) => 4,
        (0, _) => 16,
        (patch, _) => patch,
    };
    VitConfig {
        channels: images.channels,
        image_size: images.size,
        patch,
        dim: params.size("dim"),
        depth: params.size("depth"),
        heads: params.size("heads"),
        mlp_ratio: params.size("mlp_ratio"),
        classes,
        attention: attention(params),
    }
}

/// How the blocks attend.
fn attention(params: &Params) -> Attention {
    if params.text("attention") != TYPED.name {
        return params.choice::<AttentionKernel>("attention").into();
    }
    let rows = Some(params.size("features")).filter(|rows| *rows > 0);
    Attention::Typed(TypedMap::new(params.text("f"), rows).expect("the function was read when it was typed"))
}

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
    // What goes by itself cannot be lowered, but for the images, all of which are taken.
    let lower = lower.into_iter().filter(|(key, _)| *key == "train_images" || params.int(key) > 0);
    lower.min_by_key(|(_, bytes)| *bytes).map_or("batch", |(key, _)| key)
}

fn divisors(of: usize) -> String {
    let all: Vec<_> = (1..=of).filter(|size| of.is_multiple_of(*size)).map(|size| size.to_string()).collect();
    all.join(", ")
}

/// How many of the `asked` threads would have work; more are not made. A fused pass shares images among threads, a composed
/// pass shares rows of matrix products.
pub(super) fn useful_threads(params: &Params, asked: usize, tokens: usize) -> usize {
    let work = match params.choice("kernels") {
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
    let threads = useful_threads(params, threads, config.tokens());
    Vit::training_bytes(config, params.choice("kernels"), threads, batch)
}

/// Peak memory of a run whose images take `data` bytes.
fn bytes(params: &Params, config: &VitConfig, data: u64) -> u64 {
    model_bytes(params, config, largest_batch(params), threads(params)) + data
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
    let config = config(params, ImageShape::expected(params), 10);
    if config.check().is_err() {
        return Estimate { rows: 1, ..Estimate::default() };
    }
    let [all, test] = params.choice::<DataSource>("dataset").published_images();
    let train = match params.size("train_images") {
        0 => all,
        asked => asked,
    };
    let cores = threads(params).min(threads::granted());
    // Multiply-adds per second and core reached in training; a backward pass costs two forward passes.
    let rate = cores as f64
        * match params.choice("kernels") {
            Kernels::Composed => COMPOSED_RATE,
            Kernels::Fused => FUSED_RATE,
        };
    let trained = params.int("epochs") as f64 * train as f64;
    let images = trained * 3.0 + 2.0 * test as f64;
    let steps = trained / params.int("batch") as f64;
    let seconds = (train > 0).then(|| images * products(&config) / rate + steps * STEP_SECONDS);
    Estimate { rows: 1, seconds, bytes: Some(bytes(params, &config, expected_data(params))) }
}

/// Multiply-adds of one image's forward pass.
fn products(config: &VitConfig) -> f64 {
    let [tokens, dim, hidden] = [config.tokens(), config.dim, config.hidden()].map(|size| size as f64);
    let attention = match config.attention {
        Attention::Kernel(AttentionKernel::Softmax) => 2.0 * tokens * dim,
        Attention::Kernel(_) => 2.0 * config.head_dim() as f64 * dim,
        Attention::Typed(map) => 2.0 * map.features(config.head_dim()) as f64 * dim,
    };
    let block = 4.0 * dim * dim + 2.0 * dim * hidden + attention;
    tokens * (config.patch_dim() as f64 * dim + config.depth as f64 * block)
}

/// Multiply-adds per second and core, for estimates.
const FUSED_RATE: f64 = 4e10;
const COMPOSED_RATE: f64 = 4e9;
/// What a step takes beside its images: the update, handing out and gathering.
const STEP_SECONDS: f64 = 1.5e-3;
