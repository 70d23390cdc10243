//! Functions that users type as attention kernels: the same as the shipped kernels where they are the same function, trained,
//! swept, resumed, refused.

#[path = "support/answers.rs"]
mod answers;
#[path = "support/killed.rs"]
mod killed;
#[path = "support/program.rs"]
mod program;
#[path = "support/results.rs"]
mod results;

use answers::{call, json};
use attnlab::function::{GALLERY, Ready};
use attnlab::random::generator;
use attnlab::vision::fused::FusedVit;
use attnlab::vision::{Attention, AttentionKernel, BlockSet, Checkpoint, Layout, Parameters, TypedMap, Vit, VitConfig};
use killed::killed;
use rand::Rng;
use results::{run_folders, timeless};
use serde_json::Value;
use std::fs;
use std::path::Path;

fn gallery(name: &str) -> &'static Ready {
    GALLERY.iter().find(|ready| ready.name == name).unwrap_or_else(|| panic!("no ready function `{name}`"))
}

/// Every shipped kernel that can be written as a function, with its name in the gallery.
const SHIPPED: &[(AttentionKernel, &str)] = &[
    (AttentionKernel::Relu, "relu"),
    (AttentionKernel::Exp, "exp"),
    (AttentionKernel::Elu, "elu + 1"),
    (AttentionKernel::Softplus, "softplus mixture"),
    (AttentionKernel::Tempered, "tempered"),
    (AttentionKernel::Rational, "rational"),
    (AttentionKernel::Focused, "focused"),
    (AttentionKernel::Hedgehog, "hedgehog"),
    (AttentionKernel::Projection, "positive"),
];

fn config(attention: Attention, image_size: usize) -> VitConfig {
    VitConfig {
        channels: 1,
        image_size,
        patch: 4,
        dim: 64,
        depth: 2,
        heads: 4,
        mlp_ratio: 2,
        classes: 10,
        attention,
        softmax_blocks: BlockSet::NONE,
        mask_dim: 0,
    }
}

fn distance(got: &[f32], expected: &[f32]) -> f64 {
    let square = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b)).powi(2);
    let size: f64 = expected.iter().map(|value| f64::from(*value).powi(2)).sum();
    (got.iter().zip(expected).map(square).sum::<f64>() / size).sqrt()
}

#[test]
fn shipped_kernels_written_as_functions_are_the_same() {
    for (index, (kernel, name)) in SHIPPED.iter().enumerate() {
        let typed = Attention::Typed(TypedMap::new(gallery(name).text, None).unwrap());
        let (shipped, written) = (config((*kernel).into(), 28), config(typed, 28));
        let layout = Layout::new(&shipped);
        // The parameters of the feature maps stand in the same order.
        assert_eq!(layout.entries().len(), Layout::new(&written).entries().len(), "{kernel}");
        assert_eq!(shipped.parameters(), written.parameters(), "{kernel}");
        let fresh = |config: &VitConfig| Parameters::new(config, 3).unwrap().values().unwrap();
        assert!(distance(&fresh(&written), &fresh(&shipped)) < 1e-6, "{kernel} starts alike");
        let mut random = generator(index as u64, "typed", 0);
        let theta: Vec<f32> = fresh(&shipped).iter().map(|value| value + random.random_range(-0.05..0.05)).collect();
        let patches: Vec<f32> = (0..3 * 49 * 16).map(|_| random.random_range(-2.0..2.0)).collect();
        let both = [shipped, written].map(|config| {
            let vit = FusedVit::new(&config, 1).unwrap();
            let (mut logits, mut gradient) = (vec![0.0; 30], vec![0.0; theta.len()]);
            vit.logits(&theta, &patches, &mut logits);
            vit.loss_and_gradient(&theta, &patches, &[1, 7, 4], 0.0, &mut gradient);
            (logits, gradient)
        });
        let error = distance(&both[1].0, &both[0].0);
        assert!(error < 1e-6, "logits of {kernel}: {error:e}");
        for entry in layout.entries() {
            let error = distance(&both[1].1[entry.range()], &both[0].1[entry.range()]);
            assert!(error < 1e-5, "gradient of {} under {kernel}: {error:e}", entry.name);
        }
    }
}

const QUICK: &[&str] = &["dim=8", "depth=1", "heads=2", "epochs=1", "train_images=96", "test_images=48", "threads=1"];

/// The arguments of a quick training with these settings.
fn quick<'a>(settings: &[&'a str]) -> Vec<&'a str> {
    let settings = QUICK.iter().chain(settings).flat_map(|setting| ["--set", *setting]);
    ["run", "vit", "--set", "attention=custom"].into_iter().chain(settings).collect()
}

fn rows(desk: &Path, arguments: &[&str]) -> Vec<Value> {
    match json(desk, &[arguments, &["--json"]].concat()) {
        Value::Array(runs) => runs.iter().flat_map(|run| run["rows"].as_array().unwrap().clone()).collect(),
        run => run["rows"].as_array().unwrap().clone(),
    }
}

#[test]
fn functions_are_swept_as_any_parameter() {
    let desk = tempfile::tempdir().unwrap();
    let found = rows(desk.path(), &quick(&["f=relu(u)+0.001|elu(u) + 1 | [exp(p),exp(-p)]"]));
    let texts: Vec<&str> = found.iter().map(|row| row["f"].as_str().unwrap()).collect();
    assert_eq!(texts, ["relu(u)+0.001", "elu(u)+1", "[exp(p),exp(-p)]"]);
    // The same by repeated settings, which are then points that were done already.
    let arguments = quick(&["f= relu( u )+0.0010", "f=elu(u)+1"]);
    let again = rows(desk.path(), &arguments);
    assert_eq!(again.len(), 2);
    assert_eq!(again[0]["test_accuracy"], found[0]["test_accuracy"], "one canonical text, one point");
    // From a preset as an array, with every character that a shell or a table could trip over.
    let preset = desk.path().join("mine.toml");
    let settings = "attention = \"custom\"\ndim = 8\ndepth = 1\nheads = 2\nepochs = 1\ntrain_images = 96\ntest_images = 48\nthreads = 1\n";
    let functions = "f = ['relu(α*u) + 0.001; α = 1', \"\"\"\nsoftplus(a*u + c)/a ;\n a = 1 > 0; c = 0\"\"\"]";
    fs::write(&preset, format!("schema = 1\nproblem = \"vit\"\n[params]\n{settings}{functions}\n")).unwrap();
    let found = rows(desk.path(), &["run", "mine.toml"]);
    let texts: Vec<&str> = found.iter().map(|row| row["f"].as_str().unwrap()).collect();
    assert_eq!(texts, ["relu(α*u)+0.001; α=1", "softplus(a*u+c)/a; a=1>0; c=0"]);
    // A table of the runs, and the command that does one again.
    for folder in run_folders(desk.path()) {
        let id = folder.file_name().unwrap().to_str().unwrap();
        let (status, shown, error) = call(desk.path(), &["show", id]);
        assert_eq!(status, 0, "{error}");
        assert!(shown.contains("attention=custom"), "{shown}");
        let (status, _, error) = call(desk.path(), &["export", id, "--csv", "--svg", "--markdown", "-o", "exported"]);
        assert_eq!(status, 0, "{error}");
    }
    let (status, listed, error) = call(desk.path(), &["list"]);
    assert_eq!(status, 0, "{error}");
    assert!(listed.contains("relu(α*u)+0.001; α=1"), "{listed}");
}

#[test]
fn what_is_learned_is_shown_and_saved() {
    let desk = tempfile::tempdir().unwrap();
    let arguments = quick(&["f=softplus(a*u + c)/a + exp(p); a = 2 > 0; c = 0.5", "features=4"]);
    rows(desk.path(), &arguments);
    let folder = &run_folders(desk.path())[0];
    let events = fs::read_to_string(folder.join("events.jsonl")).unwrap();
    for series in ["scalar-1-1-a", "scalar-1-2-c", "feature-1-2"] {
        assert!(events.contains(series), "{series}");
    }
    let checkpoint = Checkpoint::load(&folder.join("checkpoint.safetensors")).unwrap();
    let map = checkpoint.config.attention.typed().unwrap();
    assert_eq!(map.function().text(), "softplus(a*u+c)/a+exp(p); a=2>0; c=0.5");
    let model = Vit::new(checkpoint.config, checkpoint.parameters, attnlab::vision::Kernels::Fused, 1).unwrap();
    let learned = model.learned_scalars().unwrap();
    let [a, c] = [learned[0][0][0], learned[0][0][1]];
    assert!(a != 2.0 && (a - 2.0).abs() < 0.2 && c != 0.5 && (c - 0.5).abs() < 0.2, "{a} {c}");
    // More rows than a head has coordinates: u and p are then of different numbers.
    let (status, _, error) = call(desk.path(), &quick(&["f=exp(p) + relu(u)", "features=8"]));
    assert_eq!(status, 2);
    assert!(error.contains("features: found `8`, allowed: a function of both u and p needs"), "{error}");
    assert_eq!(rows(desk.path(), &quick(&["f=exp(p - n/2)", "features=8"])).len(), 1);
}

#[test]
fn a_resumed_training_is_the_same_to_the_bit() {
    let desk = tempfile::tempdir().unwrap();
    let long = ["f=exp(a*u - c^2*u^2) + sigmoid(p); a = 1; c = 0.1", "epochs=60"];
    let arguments = quick(&long);
    let whole = json(desk.path(), &[&arguments[..], &["--json"]].concat());
    let stopped = tempfile::tempdir().unwrap();
    let id = killed(stopped.path(), &arguments, "p", 4);
    let resumed = json(stopped.path(), &["resume", &id, "--json"]);
    assert_eq!(timeless(&whole), timeless(&resumed));
}

#[test]
fn a_function_that_goes_wrong_says_where() {
    let desk = tempfile::tempdir().unwrap();
    let (status, _, error) = call(desk.path(), &quick(&["f=relu(u)"]));
    assert_eq!(status, 1, "{error}");
    assert!(
        error.contains("denominators f(q)·Σf(k) are not above 0") && error.contains("add a small positive"),
        "{error}"
    );
    let (status, _, error) = call(desk.path(), &quick(&["f=log(u^2 - 2*u + 1.5) + 3", "lr=5"]));
    assert!(status == 0 || error.contains("the loss is"), "{error}");
    let (status, _, error) = call(desk.path(), &quick(&["f=exp(u^3)*0.001 + relu(u)*1e30*u^9", "lr=1"]));
    assert_eq!(status, 1, "{error}");
    assert!(error.contains("too large for single precision"), "{error}");
    let (status, _, error) = call(desk.path(), &quick(&["f=exp(square(square(9*u + 9))) + exp(u)"]));
    assert_eq!(status, 1, "{error}");
    assert!(error.contains("`exp(square(square(9*u+9)))` in ") && error.contains("u = "), "{error}");
    // Negative features are allowed and said so.
    let desk = tempfile::tempdir().unwrap();
    assert_eq!(rows(desk.path(), &quick(&["f=u + 1"])).len(), 1);
    let events = fs::read_to_string(run_folders(desk.path())[0].join("events.jsonl")).unwrap();
    assert!(
        events.contains("f is negative at u = -1.25, so denominators of attention need not be positive"),
        "{events}"
    );
}

#[test]
fn a_mistake_is_one_line_with_its_place() {
    let desk = tempfile::tempdir().unwrap();
    for (text, said) in [
        ("f=reul(u)", "`reul` is no function, at character 1"),
        ("f=relu(u)|elu(u", "what opens here is never closed"),
        ("f=log(u)", "is not defined at u = 0"),
        ("f=", "there is no expression"),
        ("f=relu(u) | ", "there is no expression"),
    ] {
        let (status, out, error) = call(desk.path(), &quick(&[text]));
        assert_eq!((status, out.as_str()), (2, ""), "{text}: {error}");
        assert!(error.contains(said) && error.contains("f: found") && error.trim().lines().count() == 1, "{error}");
    }
    // f is read by custom attention alone.
    let (status, _, error) = call(desk.path(), &["run", "vit", "--set", "attention=relu", "--set", "f=exp(u)"]);
    assert_eq!(status, 2);
    assert!(error.contains("attention=custom"), "{error}");
}
