//! Devices and precisions: what is refused, what a precision changes, models that move between what computes them. What needs a
//! GPU says that it skips where none is there.

#[path = "support/program.rs"]
mod program;
#[path = "support/small.rs"]
mod small;
#[path = "support/until.rs"]
mod until;

use attnlab::attention::Projection;
use attnlab::device::{DeviceName, OpenDevice, features};
use attnlab::vision::dataset::{Augment, Dataset, Normalisation, Options, Patcher, Split, load};
use attnlab::vision::{
    Attention, AttentionKernel, Checkpoint, ExactBlocks, FavorEstimator, FavorMap, Kernels, Parameters, Precision,
    Redraw, Samples, TrainOptions, Trainer, Vit, VitConfig, evaluate, train,
};
use candle_core::Device;
use program::program;
use small::digits_config;
use std::path::Path;
use tempfile::TempDir;
use until::Until;

/// What the program says on standard error, with its exit code.
fn told(desk: &TempDir, arguments: &[&str]) -> (Option<i32>, String) {
    let output = program(desk.path(), arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_cannot_compute_is_refused_in_one_line() {
    let desk = tempfile::tempdir().unwrap();
    let build = |feature: &str| format!("cargo run --release --features {feature}");
    let mut cases = vec![
        (
            vec!["device=gpu"],
            vec!["device: found `gpu`", "auto, cpu, cuda, cuda:N"].into_iter().map(str::to_owned).collect(),
        ),
        (vec!["precision=tf32"], vec!["precision: found `tf32`".to_owned(), "tf32 with device=cuda".to_owned()]),
        (vec!["precision=bf16"], vec!["precision: found `bf16`".to_owned(), "bf16 with kernels=composed".to_owned()]),
        (vec!["precision=f64"], vec!["one of f32, tf32, bf16".to_owned()]),
    ];
    for (device, feature) in [("cuda", "cuda"), ("cuda:1", "cuda"), ("metal", "metal")] {
        if !features().contains(&feature) {
            let setting = Box::leak(format!("device={device}").into_boxed_str());
            cases.push((vec![setting], vec![format!("device: found `{device}`"), build(feature)]));
        }
    }
    for (settings, words) in cases {
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        let arguments: Vec<&str> = ["run", "vit"].into_iter().chain(settings).collect();
        let (code, said) = told(&desk, &arguments);
        assert_eq!((code, said.lines().count()), (Some(2), 1), "{arguments:?}: {said}");
        for word in words {
            assert!(said.contains(&word), "{arguments:?} should say `{word}`: {said}");
        }
    }
    let (_, said) = told(&desk, &["run", "vit", "--set", "device=cuda", "--set", "kernels=composed"]);
    assert!(said.contains("kernels") && said.lines().count() == 1, "{said}");
}

#[test]
fn random_features_are_refused_what_cannot_compute_them() {
    let desk = tempfile::tempdir().unwrap();
    let told = |settings: &[&str]| {
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        told(&desk, &["run", "random-features"].into_iter().chain(settings).collect::<Vec<_>>())
    };
    let (code, said) = told(&["device=gpu"]);
    assert!(code == Some(2) && said.contains("device: found `gpu`") && said.lines().count() == 1, "{said}");
    let (code, said) = told(&["device=cuda", "causal=yes"]);
    assert!(code == Some(2) && said.lines().count() == 1, "{said}");
    let words = if features().contains(&"cuda") { "row by row, on the processor" } else { "--features cuda" };
    assert!(said.contains(words), "{said}");
}

#[test]
fn a_device_for_which_there_is_no_driver_is_refused_in_one_line() {
    if !features().contains(&"cuda") {
        return eprintln!("skipped: this program was built without cuda");
    }
    if DeviceName::Cuda(None).check_there().is_ok() {
        return eprintln!("skipped: there is a card");
    }
    let desk = tempfile::tempdir().unwrap();
    let (code, said) = told(&desk, &["run", "vit", "--set", "device=cuda"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no driver that works"), "{said}");
}

#[test]
fn gpus_that_runs_would_leave_idle_are_told() {
    let desk = tempfile::tempdir().unwrap();
    let sweep = |settings: &[&str]| {
        let fixed = ["sweep", "vit", "--slurm", "--dry-run", "--gpus", "1", "--set", "seed=0,1"];
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        told(&desk, &fixed.into_iter().chain(settings).collect::<Vec<_>>())
    };
    let (code, said) = sweep(&["device=cpu"]);
    assert!(
        code == Some(0) && said.contains("2 of 2 runs leave the GPUs of --gpus idle: they have device=cpu"),
        "{said}"
    );
    let (code, said) = sweep(&[]);
    assert!(code == Some(0) && said.contains("idle"), "{said}");
    assert!(!features().is_empty() || said.contains("cargo build --release --features cuda"), "{said}");
    let (_, said) = told(&desk, &["sweep", "vit", "--slurm", "--dry-run", "--set", "seed=0,1"]);
    assert!(!said.contains("idle"), "{said}");
}

/// A training on a few of the digits.
struct Ground {
    dataset: Dataset,
    split: Split,
    normalisation: Normalisation,
    patcher: Patcher,
    config: VitConfig,
    options: TrainOptions,
}

fn config(attention: Attention) -> VitConfig {
    digits_config(attention, 1)
}

fn ground(epochs: u64) -> Ground {
    let dataset = load("digits", Path::new("no/data"), &Options::default()).unwrap();
    let split = Split::new(dataset.train.count(), 0, 400, 7);
    let normalisation = Normalisation::of(&dataset.train, &split.train).unwrap();
    let patcher = Patcher::new(2, &normalisation);
    let options = TrainOptions {
        epochs,
        batch: 20,
        learning_rate: 5e-3,
        feature_rate: 1.0,
        weight_decay: 0.05,
        warmup: 0.1,
        clip: Some(1.0),
        label_smoothing: 0.0,
        seed: 5,
        augment: Augment::NONE,
        validations: 1,
        redraw: Redraw::Never,
    };
    let config = config(AttentionKernel::Relu.into());
    Ground { dataset, split, normalisation, patcher, config, options }
}

impl Ground {
    fn model(&self, parameters: Parameters, kernels: Kernels) -> Vit {
        Vit::new(self.config.clone(), parameters, kernels, 1).unwrap()
    }

    fn fresh(&self, kernels: Kernels) -> Vit {
        self.model(Parameters::new(&self.config, 3).unwrap(), kernels)
    }

    fn trained(&self, model: Vit, until: u64) -> Trainer {
        let trainer = Trainer::new(model, self.options.clone()).unwrap();
        self.go_on(trainer, until)
    }

    fn go_on(&self, mut trainer: Trainer, until: u64) -> Trainer {
        let outcome = train(&mut trainer, &self.dataset.train, &self.split, &self.patcher, &mut Until(until)).unwrap();
        assert_eq!(outcome.is_break(), until > 0);
        trainer
    }

    fn accuracy(&self, model: &Vit) -> f64 {
        let indices: Vec<usize> = (0..self.dataset.test.count()).collect();
        let samples = Samples { images: &self.dataset.test, indices: &indices, patcher: &self.patcher };
        evaluate(model, &samples, 64).unwrap().accuracy
    }
}

fn distance(ours: &[f32], theirs: &[f32]) -> f64 {
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let apart = square(&mut ours.iter().zip(theirs).map(|(ours, theirs)| f64::from(ours - theirs)));
    (apart / square(&mut theirs.iter().map(|value| f64::from(*value)))).sqrt()
}

/// The attentions whose gradients are compared.
fn attentions() -> Vec<Attention> {
    let kernels = AttentionKernel::ALL.iter().map(|kernel| Attention::from(*kernel));
    let favor = FavorMap::new(FavorEstimator::Positive, Projection::Orthogonal, 16).unwrap();
    kernels.chain([Attention::Favor(favor)]).collect()
}

/// A batch of some images for [`config`], made up.
fn batch() -> (Vec<f32>, Vec<u32>) {
    let patches = (0..6 * 64).map(|i| (i as f32 * 0.7).sin() + 0.3 * (i as f32 * 0.13).cos()).collect();
    (patches, vec![3, 1, 4, 1, 5, 9])
}

fn gradient(model: &Vit) -> Vec<f32> {
    let (patches, labels) = batch();
    let (loss, gradient) = model.loss_and_gradient(&patches, &labels, 0.1).unwrap();
    assert!(loss.is_finite());
    gradient.to_device(&Device::Cpu).unwrap().to_vec1().unwrap()
}

#[test]
fn products_in_bf16_give_the_gradient_within_their_rounding() {
    let mut wrong = Vec::new();
    for attention in attentions() {
        let config = config(attention);
        let model = |precision| {
            let parameters = Parameters::new(&config, 11).unwrap();
            let model = Vit::new(config.clone(), parameters, Kernels::Composed, 1).unwrap();
            gradient(&model.on(&Device::Cpu, precision).unwrap())
        };
        // A number rounded to bf16 is off by up to 2⁻⁹ of itself; some ten products follow each other. The third power of a feature
        // triples what it is off by.
        let most = if attention == AttentionKernel::Focused.into() { 0.15 } else { 0.05 };
        let apart = distance(&model(Precision::Bf16), &model(Precision::F32));
        println!("{attention}: {apart:.5}");
        if !(1e-4..most).contains(&apart) {
            wrong.push(format!("{attention}: {apart}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn training_in_bf16_reaches_the_accuracy_of_f32() {
    let ground = ground(40);
    let accuracy = |precision| {
        let model = ground.fresh(Kernels::Composed).on(&Device::Cpu, precision).unwrap();
        let trainer = ground.trained(model, 0);
        let values = trainer.model.parameters().values().unwrap();
        (ground.accuracy(&trainer.model), values)
    };
    let ((single, theta), (half, rounded)) = (accuracy(Precision::F32), accuracy(Precision::Bf16));
    // The standard error of one accuracy over 360 images is 0.02 or less.
    println!("{single} {half}");
    assert!(single > 0.7 && (single - half).abs() < 0.06, "{single} {half}");
    assert_ne!(theta, rounded);
    // The weights themselves are not rounded.
    assert!(rounded.iter().any(|value| value.to_bits() & 0xffff != 0));
}

#[test]
fn a_precision_needs_what_can_compute_it() {
    let ground = ground(1);
    for (kernels, precision) in [(Kernels::Fused, Precision::Bf16), (Kernels::Composed, Precision::Tf32)] {
        let error = ground.fresh(kernels).on(&Device::Cpu, precision).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(precision.name()) && !error.contains('\n'), "{error}");
    }
}

#[test]
fn a_training_goes_on_with_other_kernels() {
    let ground = ground(2);
    let whole = ground.trained(ground.fresh(Kernels::Fused), 0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint.safetensors");
    ground.trained(ground.fresh(Kernels::Fused), 13).checkpoint(&ground.normalisation).unwrap().save(&file).unwrap();
    let mut checkpoint = Checkpoint::load(&file).unwrap();
    let model = ground.model(checkpoint.parameters.clone(), Kernels::Composed);
    let second = Trainer::resume(model, ground.options.clone(), &mut checkpoint).unwrap();
    let second = ground.go_on(second, 0);
    assert_eq!(second.position.step, whole.position.step);
    let values = |trainer: &Trainer| trainer.model.parameters().values().unwrap();
    let apart = distance(&values(&second), &values(&whole));
    assert!(apart < 1e-3, "{apart}");
}

/// The model of [`config`] with softmax attention that favor takes the place of: its logits, and how far the outputs of each
/// layer's attention are from the exact ones.
fn replaced(model: Vit) -> (Vec<f32>, Vec<f64>) {
    let (patches, _) = batch();
    let favor = FavorMap::new(FavorEstimator::Positive, Projection::Orthogonal, 16).unwrap();
    let exact = ExactBlocks::new(&model, &patches).unwrap();
    let estimated = model.attending(&config(Attention::Favor(favor))).unwrap();
    estimated.parameters().redraw(estimated.config(), 4, 2).unwrap();
    (estimated.logits(&patches).unwrap(), exact.errors(&estimated).unwrap())
}

fn softmax_model(kernels: Kernels) -> Vit {
    let config = config(AttentionKernel::Softmax.into());
    Vit::new(config.clone(), Parameters::new(&config, 11).unwrap(), kernels, 1).unwrap()
}

fn check_replaced(found: &(Vec<f32>, Vec<f64>), by: &str) {
    let (logits, errors) = replaced(softmax_model(Kernels::Fused));
    let apart = distance(&found.0, &logits);
    assert!(apart < 1e-4, "{by}: logits {apart}");
    assert_eq!(found.1.len(), errors.len());
    for (found, expected) in found.1.iter().zip(errors) {
        assert!(expected > 0.01 && (found / expected - 1.0).abs() < 1e-3, "{by}: {found} for {expected}");
    }
}

#[test]
fn attention_is_replaced_alike_whatever_computes_the_model() {
    check_replaced(&replaced(softmax_model(Kernels::Composed)), "composed");
}

#[test]
fn a_batch_that_was_copied_ahead_gives_the_same_pass() {
    let model = softmax_model(Kernels::Composed);
    let (patches, labels) = batch();
    let copied = model.copied(&patches, &labels, 0.1).unwrap();
    let pass = model.pass_of(&copied).unwrap();
    assert_eq!(pass.gradient.to_vec1::<f32>().unwrap(), gradient(&model));
    assert_eq!(pass.loss.to_scalar::<f32>().unwrap(), model.loss_and_gradient(&patches, &labels, 0.1).unwrap().0);
    assert!(model.copied(&patches, &labels[1..], 0.1).is_err(), "a label is missing");
}

/// The GPU of this machine; without one the test says that it skips.
fn gpu() -> Option<OpenDevice> {
    let names = [DeviceName::Cuda(None), DeviceName::Metal];
    let opened = names.map(|name| name.open(f64::INFINITY));
    let [Err(cuda), Err(metal)] = &opened else { return opened.into_iter().find_map(Result::ok) };
    eprintln!("skipped, no GPU: cuda: {cuda}; metal: {metal}");
    None
}

#[test]
fn a_gpu_gives_the_gradient_of_the_processor() {
    let Some(gpu) = gpu() else { return };
    for attention in attentions() {
        let config = config(attention);
        let model = || {
            let parameters = Parameters::new(&config, 11).unwrap();
            Vit::new(config.clone(), parameters, Kernels::Composed, 1).unwrap()
        };
        let apart = distance(&gradient(&model().on(&gpu.device, Precision::F32).unwrap()), &gradient(&model()));
        assert!(apart < 1e-4, "{attention} on {}: {apart}", gpu.label);
    }
}

#[test]
fn a_gpu_replaces_attention_as_the_processor_does() {
    let Some(gpu) = gpu() else { return };
    let model = softmax_model(Kernels::Composed).on(&gpu.device, Precision::F32).unwrap();
    check_replaced(&replaced(model), &gpu.label);
}

#[test]
fn a_training_goes_on_on_a_gpu() {
    let Some(gpu) = gpu() else { return };
    let ground = ground(2);
    let whole = ground.trained(ground.fresh(Kernels::Fused), 0);
    let half = ground.trained(ground.fresh(Kernels::Fused), 13).checkpoint(&ground.normalisation).unwrap();
    let mut half = half;
    let model = ground.model(half.parameters.clone(), Kernels::Composed).on(&gpu.device, Precision::F32).unwrap();
    let second = ground.go_on(Trainer::resume(model, ground.options.clone(), &mut half).unwrap(), 0);
    let values = |trainer: &Trainer| trainer.model.parameters().values().unwrap();
    let apart = distance(&values(&second), &values(&whole));
    assert!(apart < 1e-2, "{apart} on {}", gpu.label);
}
