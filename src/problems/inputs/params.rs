//! The parameters that say where queries, keys and values come from, declared once for every problem.

use crate::arrays::Transpose;
use crate::attention::inputs::{Distribution, InputKind, InputParameters};
use crate::lab::{Choice, Param, Params, TextOf, choice};
use crate::named::{self, Named, named};

/// Inputs that are not drawn.
pub(in crate::problems) const FILE: &str = "file";
pub(in crate::problems) const CHECKPOINT: &str = "checkpoint";

/// The choices of the parameter `inputs`.
pub(in crate::problems) static INPUTS: &[Choice] = &named::joined::<{ InputKind::ALL.len() + 2 }>(
    InputKind::CHOICES,
    &[
        choice(FILE, "queries and keys from files: a matrix, or layers and heads of a model"),
        choice(CHECKPOINT, "queries and keys of a trained vision transformer: layer, head, image"),
    ],
);

named! {
    /// Whether queries and keys are still to be divided.
    pub(in crate::problems) enum InputScale {
        SqrtD = "sqrt-d", "A = exp(q·k/√d), as in transformers";
        None = "none", "A = exp(q·k)";
    }
}

/// What an array file may be, in words.
pub(in crate::problems) const ARRAY: &str =
    "a file .npy, .npz#NAME, .safetensors#TENSOR or .index.json#TENSOR, with [slices] if need be";

const DRAWN: &[&str] = &["gauss", "sphere", "lognorm", "planted", "cluster", "hub", "outlier", "band"];
const STORED: &[&str] = &[FILE, CHECKPOINT];
const INPUTS_KEY: &str = "inputs";

/// Number of queries and of keys.
pub(in crate::problems) const LENGTH: Param = Param::int("length", "length L", 1, 1 << 20, "512")
    .help("number of queries and of keys; a file or checkpoint has its own")
    .steps(&["64", "256", "512", "1024", "2048", "4096", "16384", "65536"])
    .group("inputs")
    .list()
    .read_with(INPUTS_KEY, DRAWN);

/// Length of a query.
pub(in crate::problems) const DIM: Param = Param::int("dim", "dimension d", 1, 1 << 14, "16")
    .help("length of a query; a file or checkpoint has its own")
    .steps(&["4", "8", "16", "32", "64", "128"])
    .group("inputs")
    .read_with(INPUTS_KEY, DRAWN);

/// Whether queries and keys are still to be divided by d^¼.
pub(in crate::problems) const SCALE: Param = Param::choice("scale", "scale", InputScale::CHOICES, "sqrt-d")
    .help("of gauss, outlier, files and checkpoints; the other inputs state lengths after scaling")
    .group("inputs")
    .read_with(INPUTS_KEY, &["gauss", "outlier", FILE, CHECKPOINT]);

/// The parameters of the distributions.
pub(in crate::problems) const SIGMA: Param = Param::float("sigma", "sigma", 0.0, 100.0, "0.5")
    .help("standard deviation of gauss and outlier")
    .steps(&["0.25", "0.5", "0.7", "1", "1.5"])
    .group("inputs")
    .read_with(INPUTS_KEY, &["gauss", "outlier"]);

pub(in crate::problems) const RADIUS: Param = Param::float("radius", "radius R", 0.0, 100.0, "0")
    .help("length of tokens where the inputs have one; auto: what shows the pattern (sphere 1, planted 1.5, …)")
    .stands_for("0", "auto")
    .resolved_by(own_radius)
    .steps(&["0", "0.5", "1", "1.5", "2", "2.5"])
    .group("inputs")
    .read_with(INPUTS_KEY, &["sphere", "lognorm", "planted", "cluster", "hub", "band"]);

/// The length of tokens that shows the pattern of the inputs, where one kind of inputs is chosen that has such a length.
fn own_radius(text_of: &TextOf<'_>) -> Option<String> {
    let kind = InputKind::parse(&text_of(INPUTS_KEY)).ok()?;
    match kind.with(InputParameters::default()) {
        Distribution::Sphere { radius }
        | Distribution::LogNormal { radius, .. }
        | Distribution::Planted { radius, .. }
        | Distribution::Cluster { radius, .. }
        | Distribution::Hub { radius, .. }
        | Distribution::Band { radius } => Some(radius.to_string()),
        Distribution::Gauss { .. } | Distribution::Outlier { .. } => None,
    }
}

pub(in crate::problems) const SPREAD: Param = Param::float("spread", "spread", 0.0, 5.0, "0.5")
    .help("lognorm: deviation of ln length")
    .group("inputs")
    .read_with(INPUTS_KEY, &["lognorm"]);

pub(in crate::problems) const MATCH: Param = Param::float("match", "match cosine", -1.0, 1.0, "0.9")
    .help("planted: cosine between a query and its key")
    .group("inputs")
    .read_with(INPUTS_KEY, &["planted"]);

pub(in crate::problems) const CLUSTERS: Param = Param::int("clusters", "clusters", 1, 1 << 16, "8")
    .help("cluster: number of centres")
    .group("inputs")
    .read_with(INPUTS_KEY, &["cluster"]);

pub(in crate::problems) const HUB: Param = Param::float("hub", "hub length", 0.0, 100.0, "2.4")
    .help("hub: length of the hub keys")
    .group("inputs")
    .read_with(INPUTS_KEY, &["hub"]);

pub(in crate::problems) const OUTLIER: Param = Param::float("outlier", "outlier size", 0.0, 100.0, "2")
    .help("outlier: size of the massive coordinate")
    .group("inputs")
    .read_with(INPUTS_KEY, &["outlier"]);

/// The files.
pub(in crate::problems) const QUERIES: Param = Param::text("queries", "file of queries", ARRAY, |_| true, "")
    .help("file: queries, [L, d] or [layers, heads, L, d]")
    .group("inputs")
    .read_with(INPUTS_KEY, &[FILE]);

pub(in crate::problems) const KEYS: Param = Param::text("keys", "file of keys", ARRAY, |_| true, "")
    .help("file: keys, of the same form; fewer heads than queries are shared by neighbours")
    .group("inputs")
    .read_with(INPUTS_KEY, &[FILE]);

pub(in crate::problems) const VALUES: Param = Param::text("values", "file of values", ARRAY, |_| true, "")
    .help("file: values, of the form of the keys, for errors of the output; none: no such error")
    .stands_for("", "none")
    .group("inputs")
    .read_with(INPUTS_KEY, &[FILE]);

pub(in crate::problems) const HEADS: Param = Param::int("split_heads", "heads in columns", 0, 1 << 16, "0")
    .help(
        "file: heads that lie side by side in the columns, [L, heads·d]; none: the file has an axis of heads, or one head",
    )
    .stands_for("0", "none")
    .group("inputs")
    .read_with(INPUTS_KEY, &[FILE]);

pub(in crate::problems) const BATCH: Param = Param::int("batch_entry", "entry of the batch", 0, 1 << 30, "none")
    .or_words(&["none"])
    .help("file: the entry taken of an axis [batch] before the heads; none: the file has no such axis")
    .group("inputs")
    .read_with(INPUTS_KEY, &[FILE]);

pub(in crate::problems) const TRANSPOSE: Param = Param::choice("transpose", "transpose", Transpose::CHOICES, "ask")
    .help("file: the order of the last two axes")
    .group("inputs")
    .read_with(INPUTS_KEY, &[FILE]);

/// The checkpoint.
pub(in crate::problems) const CHECKPOINT_FILE: Param =
    Param::text("checkpoint", "checkpoint", "a run's folder or id, or a .safetensors file", |_| true, "")
        .help("trained vision transformer where inputs=checkpoint")
        .group("inputs")
        .read_with(INPUTS_KEY, &[CHECKPOINT]);

pub(in crate::problems) const LAYER: Param = Param::int("layer", "layer", 0, 1000, "0")
    .or_words(&["all"])
    .help("file, checkpoint: layers (blocks), counted from 0: a number, a list, or all")
    .steps(&["0", "1", "all"])
    .group("inputs")
    .list()
    .read_with(INPUTS_KEY, STORED);

pub(in crate::problems) const HEAD: Param = Param::int("head", "head", 0, 1000, "0")
    .or_words(&["all"])
    .help("file, checkpoint: heads of a layer, counted from 0: a number, a list, or all")
    .steps(&["0", "1", "all"])
    .group("inputs")
    .list()
    .read_with(INPUTS_KEY, STORED);

pub(in crate::problems) const IMAGE: Param = Param::int("image", "image", 0, i64::MAX, "0")
    .help("checkpoint: test image, counted from 0")
    .group("inputs")
    .read_with(INPUTS_KEY, &[CHECKPOINT]);

/// The parameters of the distributions in dimension `dim`.
pub(in crate::problems) fn distribution(dim: usize, params: &Params) -> InputParameters {
    InputParameters {
        sigma: params.float(SIGMA.key),
        scale: if params.choice::<InputScale>(SCALE.key) == InputScale::SqrtD { (dim as f64).powf(-0.25) } else { 1.0 },
        radius: Some(params.float(RADIUS.key)).filter(|radius| *radius > 0.0),
        spread: params.float(SPREAD.key),
        cosine: params.float(MATCH.key),
        centres: params.size(CLUSTERS.key),
        hub: params.float(HUB.key),
        outlier: params.float(OUTLIER.key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_inputs_are_all_distributions() {
        let names: Vec<_> = InputKind::CHOICES.iter().map(|choice| choice.name).collect();
        assert_eq!(DRAWN, names);
    }
}
