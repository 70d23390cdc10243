//! The parameters of the problem `vit`.

use super::computing;
use super::model::patch_of;
use crate::attention::Projection;
use crate::lab::{Choice, Param, TextOf, choice, common};
use crate::named::Named;
use crate::problems::estimators::{CUSTOM, EstimatorName, HYBRID_PARAMS};
use crate::vision::dataset::{Augmentation, DataSource};
use crate::vision::{ATTENTIONS, FAVOR, TYPED};
use std::sync::LazyLock;

/// The parameters; those of random features stand last.
pub(super) static PARAMS: LazyLock<Vec<Param>> =
    LazyLock::new(|| [MODEL_PARAMS, ESTIMATOR_PARAMS, &[GERF_A], &HYBRID_PARAMS].concat());

/// A of generalised exponential features: a number, since queries and keys change in training.
const GERF_A: Param = Param::float("gerf_a", "A of gerf", -10.0, 0.1249, "-0.05")
    .help("A of gerf; 0 gives positive features; the best falls with the lengths of queries and keys")
    .steps(&["0", "-0.02", "-0.05", "-0.1", "-0.2"])
    .group("estimator")
    .read_with("estimator", &["gerf"]);

/// The kernels whose f has parameters of its own.
const LEARNED: &[&str] = &["softplus", "tempered", "rational", "focused", "hedgehog", "projection", TYPED.name];

/// Whether attention is masked.
const MASKS: &[Choice] = &[
    choice("none", "attention as it is"),
    choice("relu", "the kernel times relu(v_q)·relu(v_k) + 0.001, v learned by every head"),
];

/// The whole number that a field holds, where it holds one.
fn whole(text_of: &TextOf<'_>, key: &str) -> Option<usize> {
    text_of(key).parse().ok()
}

/// Height and width of the images in pixels, where one data set and one size say it.
fn image_size(text_of: &TextOf<'_>) -> Option<usize> {
    let source = DataSource::parse(&text_of("dataset")).ok()?;
    let asked = whole(text_of, "image_size").filter(|size| *size > 0);
    let is_published = || matches!(text_of("image_size").as_str(), "0" | "native");
    asked.or_else(|| source.native_size().filter(|_| is_published()))
}

fn pixels(size: usize) -> String {
    format!("{size} px")
}

static MODEL_PARAMS: &[Param] = &[
    Param::choice("attention", "attention", ATTENTIONS, "softmax")
        .help("the attention kernel of every block")
        .group("model"),
    Param::function("f", "f(u)", "relu(u) + 0.001")
        .help("the feature map of attention custom: u a coordinate of a query or key x, p of Wx + b, n = |x|²; names are learned. With estimator custom: features of p = w·x and n for drawn w, where names stay at their start")
        .group("model")
        .read_with("attention", &[TYPED.name])
        .or_with("estimator", &[CUSTOM.name]),
    Param::int("features", "features of p", 0, 4096, "0")
        .help("rows of the projection p = Wx + b of attention custom; auto takes as many as a head has coordinates")
        .stands_for("0", "auto")
        .resolved_by(|text_of| whole(text_of, "dim")?.checked_div(whole(text_of, "heads")?).map(|rows| rows.to_string()))
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
        .help("images to train on, chosen by seed; all that are not held out, or so many of them")
        .stands_for("0", "all")
        .steps(&["0", "1000", "2000", "5000", "10000", "20000", "50000"])
        .group("data"),
    Param::int("test_images", "test images", 0, 100_000_000, "0")
        .help("images to test on, chosen by seed")
        .stands_for("0", "all")
        .steps(&["0", "500", "1000", "2000", "5000", "10000"])
        .group("data"),
    Param::float("validation", "validation", 0.0, 0.5, "0.1")
        .help("share of the training images that is held out and evaluated while training")
        .stands_for("0", "none")
        .steps(&["0", "0.05", "0.1", "0.2"])
        .group("data"),
    Param::choice("augment", "augment", Augmentation::CHOICES, "none")
        .help("random changes to training images")
        .group("data"),
    Param::int("image_size", "image size", 0, 1024, "0")
        .help("height and width the images are brought to; native: as published, 64 for image folders")
        .stands_for("0", "native")
        .resolved_by(|text_of| image_size(text_of).map(pixels))
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
        .help("height and width of a patch; auto goes by the image: 2 up to 16 pixels, 4 up to 64, 16 above")
        .stands_for("0", "auto")
        .resolved_by(|text_of| image_size(text_of).map(patch_of).map(pixels))
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
    Param::choice("mask", "mask", MASKS, "none")
        .help("a learned mask on the kernel: exact with softmax, estimated by stratified features with favor")
        .group("model")
        .read_with("attention", &["softmax", FAVOR.name]),
    Param::int("mask_dim", "mask coordinates", 1, 256, "4")
        .help("coordinates of v_q and v_k in every head")
        .steps(&["1", "2", "4", "8"])
        .group("model")
        .read_with("mask", &["relu"]),
    Param::int("batch", "batch", 1, 65_536, "16")
        .help("images a step")
        .steps(&["8", "16", "32", "64", "128", "256"])
        .group("training"),
    Param::float("lr", "learning rate", 0.0, 10.0, "0.002")
        .help("highest learning rate of AdamW; half a cosine brings it down to zero")
        .steps(&["1e-4", "3e-4", "1e-3", "2e-3", "3e-3", "1e-2"])
        .group("training"),
    Param::float("feature_rate", "rate of f", 0.0, 1000.0, "1")
        .help("learning rate of the parameters of a learned f over that of all others; 0 leaves them as they start")
        .steps(&["0", "0.1", "0.3", "1", "3", "10"])
        .group("training")
        .read_with("attention", LEARNED),
    Param::float("weight_decay", "weight decay", 0.0, 10.0, "0.05")
        .help("decoupled weight decay of matrices")
        .steps(&["0", "0.01", "0.05", "0.1"])
        .group("training"),
    Param::float("warmup", "warm-up", 0.0, 1.0, "0.05")
        .help("share of all steps over which the learning rate rises")
        .steps(&["0", "0.05", "0.1", "0.2"])
        .group("training"),
    Param::float("clip", "clip", 0.0, 1e6, "0")
        .help("largest norm of a gradient")
        .stands_for("0", "off")
        .steps(&["0", "0.5", "1", "5"])
        .group("training"),
    Param::float("label_smoothing", "label smoothing", 0.0, 0.99, "0")
        .help("share of a label's probability spread over all classes")
        .steps(&["0", "0.05", "0.1", "0.2"])
        .group("training"),
    Param::int("patience", "patience", 0, 100_000, "0")
        .help("evaluations without a better validation accuracy after which training stops; the best weights are tested")
        .stands_for("0", "off")
        .steps(&["0", "3", "5", "10", "20"])
        .group("training"),
    Param::float("target_accuracy", "target accuracy", 0.0, 1.0, "0")
        .help("validation accuracy at which training stops; the row has the time and the steps to it")
        .stands_for("0", "none")
        .steps(&["0", "0.5", "0.8", "0.9", "0.95", "0.99"])
        .group("training"),
    Param::flag("past_target", "go on past target", "no")
        .help("whether training goes on after it has reached target_accuracy")
        .group("training"),
    super::init::INIT,
    Param::int("attention_image", "shown image", 0, 100_000_000, "0")
        .help("the test image whose attention is shown at the end; counts from 0")
        .steps(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
        .group("run"),
    computing::KERNELS,
    computing::DEVICE,
    computing::PRECISION,
    common::SEED,
    common::THREADS,
];

static ESTIMATOR_PARAMS: &[Param] = &[
    Param::choice("estimator", "estimator", EstimatorName::CHOICES, "positive")
        .help("favor: the random features that estimate softmax")
        .group("estimator")
        .read_with("attention", &[FAVOR.name]),
    Param::choice("projection", "projection", Projection::CHOICES, "orthogonal")
        .help("favor: how the projections are drawn")
        .group("estimator")
        .read_with("attention", &[FAVOR.name]),
    Param::int("m", "projections m", 1, 65_536, "64")
        .help("favor: projections of a head; hyperbolic and trigonometric features are twice as many")
        .steps(&["16", "32", "64", "128", "256"])
        .group("estimator")
        .read_with("attention", &[FAVOR.name]),
    Param::int("redraw", "redraw", 1, 1_000_000_000, "never")
        .or_words(&["never", "epoch"])
        .help("favor: when projections are drawn anew while training: at each epoch, or every so many steps")
        .steps(&["never", "epoch", "100", "10", "1"])
        .group("estimator")
        .read_with("attention", &[FAVOR.name]),
    Param::int("eval_m", "test with m", 0, 65_536, "0")
        .help("favor: also test with fresh draws of so many projections, a row for each; off tests with those trained with alone")
        .stands_for("0", "off")
        .steps(&["0", "16", "64", "256", "1024", "16,64,256,1024"])
        .group("estimator")
        .list()
        .read_with("attention", &[FAVOR.name]),
    Param::int("eval_draws", "test draws", 1, 1000, "5")
        .help("favor: fresh draws for each m of eval_m; their accuracy is a mean")
        .steps(&["1", "3", "5", "10", "20"])
        .group("estimator")
        .read_with("attention", &[FAVOR.name]),
];
