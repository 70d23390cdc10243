//! The problem `vit` and the training loop behind it, through their public interface.

#[path = "support/kept.rs"]
mod kept;
#[path = "support/until.rs"]
mod until;

use attnlab::lab::{Control, Event, Observer, Params, Problem, Row, RunContext, RunError};
use attnlab::problems::{self, predict};
use attnlab::vision::dataset::{Augment, Dataset, Normalisation, Options, Patcher, Split, load};
use attnlab::vision::{
    Attention, AttentionKernel, BlockSet, Checkpoint, Kernels, Layout, Parameters, Redraw, Samples, TrainOptions,
    Trainer, VisionError, Vit, VitConfig, evaluate, train,
};
use candle_core::{Device, Tensor};
use kept::Kept;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use until::Until;

/// A model small enough for a test.
const SMALL: &[(&str, &str)] =
    &[("dim", "16"), ("depth", "2"), ("heads", "2"), ("epochs", "2"), ("threads", "2"), ("batch", "64")];

fn vit() -> &'static dyn Problem {
    problems::find("vit").expect("vit is registered")
}

fn run(changes: &[(&str, &str)], folder: &Path) -> (Result<(), RunError>, Vec<Event>) {
    let problem = vit();
    let params = Params::with(&problem.schema(), &[SMALL, changes].concat()).unwrap();
    problem.check(&params).unwrap();
    let seen = Kept::default();
    let control = Arc::new(Control::default());
    let seed = params.int("seed").unsigned_abs();
    let observers: Vec<Box<dyn Observer>> = vec![Box::new(seen.clone())];
    let mut context = RunContext::new(seed, folder, control, observers).with_columns(problem.columns());
    let outcome = problem.run(&params, &mut context);
    let events = seen.0.lock().unwrap().clone();
    (outcome, events)
}

fn row(events: &[Event]) -> Row {
    let mut rows = events.iter().filter_map(|event| match event {
        Event::Row { row } => Some(row.clone()),
        _ => None,
    });
    let row = rows.next().expect("a row");
    assert!(rows.next().is_none(), "one row");
    row
}

fn points(events: &[Event], series: &str) -> Vec<(f64, f64)> {
    let point = |event: &Event| match event {
        Event::Point(point) if point.series == series => Some((point.x, point.y)),
        _ => None,
    };
    events.iter().filter_map(point).collect()
}

#[test]
fn a_run_tells_curves_matrices_and_the_whole_row_and_its_checkpoint_predicts() {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, events) = run(&[("attention", "relu")], folder.path());
    outcome.unwrap();
    let row = row(&events);
    let keys: Vec<_> = row.keys().map(String::as_str).collect();
    let columns: Vec<_> = vit().columns().iter().map(|column| column.key).collect();
    assert_eq!(keys, columns);
    assert_eq!((row["attention"].as_str(), row["dataset"].as_str()), (Some("relu"), Some("digits")));
    assert_eq!((row["train_images"].as_u64(), row["test_images"].as_u64()), (Some(1293), Some(360)));
    // Columns that are empty in a run of a shipped kernel with fresh weights.
    let empty: Vec<_> = columns.iter().filter(|key| row[**key].is_null()).copied().collect();
    let of_random_features = ["estimator", "projection", "m", "redraw", "mask", "eval_m", "eval_draws"];
    let empty: Vec<_> =
        empty.into_iter().filter(|key| *key != "train_cpu_seconds" || cfg!(target_os = "linux")).collect();
    let of_a_rule = ["trained_epochs", "best_epoch", "steps_to_target", "seconds_to_target"];
    let beginning = ["init", "initial_accuracy", "accuracy_error"];
    // Measured by the queue, which this run has none of.
    let memory = ["measured_peak_bytes"];
    assert_eq!(empty, [&["f"][..], &of_random_features, &beginning, &of_a_rule, &memory].concat());
    assert_eq!(
        row["validation_accuracy"].as_f64(),
        points(&events, "validation_accuracy").last().map(|(_, accuracy)| *accuracy)
    );
    let rate = row["train_images_per_second"].as_f64().unwrap();
    assert!((rate * row["train_seconds"].as_f64().unwrap() - 2.0 * 1293.0).abs() < 1e-3);
    let number = |key: &str| row[key].as_f64().unwrap();
    assert!(0.0 < number("accuracy_lo") && number("accuracy_lo") < number("test_accuracy"));
    assert!(number("test_accuracy") < number("accuracy_hi") && number("accuracy_hi") < 1.0);
    if cfg!(target_os = "linux") {
        assert!(number("train_cpu_seconds") > 0.0);
    }

    // 21 steps an epoch, validation at the ends of both and in between.
    let losses = points(&events, "train_loss");
    assert_eq!(losses.len(), 42);
    assert!(losses.windows(2).all(|pair| pair[0].0 < pair[1].0) && losses[41].0 == 2.0);
    assert!(points(&events, "validation_accuracy").len() >= 20);
    assert_eq!(points(&events, "validation_loss").last().unwrap().0, 2.0);

    let matrices: Vec<_> =
        events.iter().filter_map(|event| if let Event::Matrix(matrix) = event { Some(matrix) } else { None }).collect();
    let ids: Vec<_> = matrices.iter().map(|matrix| matrix.id.as_str()).collect();
    assert_eq!(ids, ["confusion", "image", "attention-1", "attention-2"]);
    assert_eq!(matrices[0].values.iter().sum::<f32>(), 360.0);
    for matrix in &matrices[2..] {
        assert_eq!((matrix.rows, matrix.cols), (16, 16));
        assert!(matrix.values.chunks(16).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-4));
    }

    let checkpoint = folder.path().join("checkpoint.safetensors");
    let input = predict::PredictInput { dataset: "digits", data: Path::new(""), split: "test", limit: 0, threads: 1 };
    let found = predict::predict(&checkpoint, &input).unwrap();
    let right = found.logits.rows().into_iter().zip(&found.labels).filter(|(row, label)| {
        let best = (0..10).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap();
        best == **label as usize
    });
    assert_eq!(right.count() as f64 / 360.0, row["test_accuracy"].as_f64().unwrap());
    let few = predict::predict(&checkpoint, &predict::PredictInput { limit: 7, ..input }).unwrap();
    assert_eq!(few.logits.dim(), (7, 10));
    let file = folder.path().join("logits.npy");
    few.write_logits(&file).unwrap();
    assert_eq!(ndarray_npy::read_npy::<_, ndarray::Array2<f32>>(&file).unwrap(), few.logits);
    let bad = predict::predict(&checkpoint, &predict::PredictInput { split: "valid", ..input }).unwrap_err();
    assert!(bad.to_string().contains("valid") && bad.to_string().contains("train, test"), "{bad}");
}

#[test]
fn the_same_parameters_give_the_same_row_on_any_number_of_threads() {
    let rows = |threads: &str, seed: &str| {
        let folder = tempfile::tempdir().unwrap();
        let (outcome, events) = run(&[("attention", "exp"), ("threads", threads), ("seed", seed)], folder.path());
        outcome.unwrap();
        let mut row = row(&events);
        for key in [
            "train_seconds",
            "train_images_per_second",
            "inference_seconds",
            "inference_images_per_second",
            "train_cpu_seconds",
            "estimated_peak_bytes",
            "measured_peak_bytes",
        ] {
            row.remove(key).unwrap();
        }
        row
    };
    let first = rows("2", "5");
    assert_eq!(first, rows("2", "5"));
    assert_eq!(first, rows("1", "5"));
    assert_ne!(first["final_train_loss"], rows("2", "6")["final_train_loss"]);
}

#[test]
fn fused_and_composed_kernels_train_alike() {
    for kernel in AttentionKernel::ALL {
        let [fused, composed] = ["fused", "composed"].map(|kernels| {
            let folder = tempfile::tempdir().unwrap();
            let (outcome, events) = run(&[("attention", kernel.name()), ("kernels", kernels)], folder.path());
            outcome.unwrap();
            (points(&events, "train_loss"), row(&events))
        });
        for ((x, fused), (other, composed)) in fused.0.iter().zip(&composed.0) {
            assert!(x == other && (fused - composed).abs() < 5e-3 * composed, "{kernel} at {x}: {fused} {composed}");
        }
        let accuracy = |row: &Row| row["test_accuracy"].as_f64().unwrap();
        assert!((accuracy(&fused.1) - accuracy(&composed.1)).abs() < 0.02, "{kernel}");
    }
}

#[test]
fn a_subset_is_trained_on_and_what_does_not_fit_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let changes = [("train_images", "200"), ("validation", "0"), ("test_images", "50"), ("augment", "shift")];
    let (outcome, events) = run(&changes, folder.path());
    outcome.unwrap();
    let row = row(&events);
    assert_eq!((row["train_images"].as_u64(), row["test_images"].as_u64()), (Some(200), Some(50)));
    assert!(points(&events, "validation_loss").is_empty());

    let problem = vit();
    for (changes, key) in [
        (&[("patch", "3")][..], "patch"),
        (&[("heads", "3")], "heads"),
        (&[("dataset", "mnist"), ("patch", "5")], "patch"),
        (&[("image_size", "1024"), ("patch", "1"), ("dim", "4096")], "image_size"),
        (&[("dim", "4096"), ("depth", "128"), ("mlp_ratio", "64")], "dim"),
        (&[("kernels", "composed"), ("batch", "65536"), ("dim", "512"), ("dataset", "cifar-10")], "batch"),
    ] {
        let params = Params::with(&problem.schema(), changes).unwrap();
        assert_eq!(problem.check(&params).unwrap_err().key, key);
    }
    let (outcome, _) = run(&[("dataset", "mnist")], folder.path());
    let error = outcome.unwrap_err();
    assert!(error.is_bad_input() && error.to_string().contains("mnist"), "{error}");
}

#[test]
fn learned_kernels_train_and_show_their_shape() {
    for kernel in ["softplus", "tempered", "rational", "focused", "hedgehog", "projection"] {
        let folder = tempfile::tempdir().unwrap();
        let changes = [("attention", kernel), ("train_images", "320"), ("epochs", "2"), ("test_images", "50")];
        let (outcome, events) = run(&changes, folder.path());
        outcome.unwrap();
        let losses = points(&events, "train_loss");
        assert_eq!(losses.len(), 10);
        assert!(losses.iter().all(|(_, loss)| loss.is_finite()) && losses[9].1 < losses[0].1, "{kernel}: {losses:?}");
        for series in ["feature-1-1", "feature-2-2"] {
            let shapes: Vec<_> = events
                .iter()
                .filter_map(|event| match event {
                    Event::Curve(curve) if curve.series == series => Some(curve),
                    _ => None,
                })
                .collect();
            assert_eq!(shapes.len(), 10, "at every one of the few steps");
            let last = shapes[9];
            assert_eq!((last.x.len(), last.x[0], last.x[80]), (81, -4.0, 4.0));
            assert!(last.y.iter().all(|f| *f > 0.0 && f.is_finite()), "{kernel}: {last:?}");
            assert_ne!(shapes[0].y, last.y, "{kernel} learns");
        }
        // Beside them stand, once, where they start, relu, and exp as far as relu reaches.
        let reference = |name: &str| {
            let mut all = events.iter().filter_map(|event| match event {
                Event::Curve(curve) if curve.series == format!("feature-1-{name}") => Some(curve),
                _ => None,
            });
            (all.next().unwrap(), all.count())
        };
        assert!(["start", "relu", "exp"].iter().all(|name| reference(name).1 == 0), "{kernel}");
        assert_eq!((reference("start").0.x.len(), reference("relu").0.y[80]), (81, 4.0));
        assert_eq!(reference("exp").0.x.len(), 40 + 13 + 1, "e^1.3 is the last below 4");
        assert!(row(&events)["test_loss"].as_f64().unwrap().is_finite());
    }
}

struct Ground {
    dataset: Dataset,
    split: Split,
    normalisation: Normalisation,
    patcher: Patcher,
    config: VitConfig,
    options: TrainOptions,
}

fn ground(attention: impl Into<Attention>) -> Ground {
    let dataset = load("digits", Path::new(""), &Options::default()).unwrap();
    let split = Split::new(dataset.train.count(), 100, 150, 3);
    let normalisation = Normalisation::of(&dataset.train, &split.train).unwrap();
    let patcher = Patcher::new(2, &normalisation);
    let config = VitConfig {
        channels: 1,
        image_size: 8,
        patch: 2,
        dim: 16,
        depth: 2,
        heads: 2,
        mlp_ratio: 2,
        classes: 10,
        attention: attention.into(),
        softmax_blocks: BlockSet::NONE,
        mask_dim: 0,
    };
    let options = TrainOptions {
        epochs: 2,
        batch: 32,
        learning_rate: 1e-3,
        feature_rate: 1.0,
        weight_decay: 0.05,
        warmup: 0.1,
        clip: Some(1.0),
        label_smoothing: 0.1,
        seed: 3,
        augment: Augment { shift: 1, ..Augment::NONE },
        validations: 3,
        redraw: Redraw::Never,
    };
    Ground { dataset, split, normalisation, patcher, config, options }
}

impl Ground {
    fn model(&self, parameters: Parameters) -> Vit {
        Vit::new(self.config.clone(), parameters, Kernels::Fused, 1).unwrap()
    }

    fn trainer(&self) -> Trainer {
        Trainer::new(self.model(Parameters::new(&self.config, 3).unwrap()), self.options.clone()).unwrap()
    }

    fn train(&self, trainer: &mut Trainer, until: u64) -> Result<ControlFlow<()>, VisionError> {
        train(trainer, &self.dataset.train, &self.split, &self.patcher, &mut Until(until))
    }
}

#[test]
fn a_training_goes_on_from_its_checkpoint_bit_by_bit() {
    let ground = ground(AttentionKernel::Softmax);
    let mut whole = ground.trainer();
    assert!(ground.train(&mut whole, 0).unwrap().is_continue());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint.safetensors");
    // In the middle of an epoch, at its end, and at a validation between.
    for stop in [2, 5, 6] {
        let mut first = ground.trainer();
        assert!(ground.train(&mut first, stop).unwrap().is_break());
        first.checkpoint(&ground.normalisation).unwrap().save(&file).unwrap();
        let mut checkpoint = Checkpoint::load(&file).unwrap();
        assert_eq!((&checkpoint.config, &checkpoint.normalisation), (&ground.config, &ground.normalisation));
        let model = ground.model(checkpoint.parameters.clone());
        let mut second = Trainer::resume(model, ground.options.clone(), &mut checkpoint).unwrap();
        assert_eq!(second.position, first.position);
        assert!(ground.train(&mut second, 0).unwrap().is_continue());
        let values = |trainer: &Trainer| trainer.model.parameters().values().unwrap();
        assert_eq!(values(&second), values(&whole), "stopped after step {stop}");
        assert_eq!(second.position.epoch_loss, whole.position.epoch_loss);
        assert_eq!((second.position.step, second.position.trained), (10, 300));
    }
}

#[test]
fn training_learns_and_a_loss_that_is_not_finite_ends_it() {
    let mut ground = ground(AttentionKernel::Relu);
    ground.options = TrainOptions { epochs: 20, learning_rate: 5e-3, augment: Augment::NONE, ..ground.options.clone() };
    let mut trainer = ground.trainer();
    assert!(ground.train(&mut trainer, 0).unwrap().is_continue());
    let samples = Samples { images: &ground.dataset.train, indices: &ground.split.train, patcher: &ground.patcher };
    let found = evaluate(&trainer.model, &samples, 64).unwrap();
    assert!(found.accuracy > 0.4 && found.loss < 2.0, "{found:?}");
    assert_eq!(found.confusion.iter().sum::<u32>(), 150);

    let mut broken = ground.trainer();
    let nan = Tensor::full(f32::NAN, broken.model.parameters().layout().len(), &Device::Cpu).unwrap();
    broken.model.parameters().theta().set(&nan).unwrap();
    assert!(matches!(ground.train(&mut broken, 0), Err(VisionError::Diverged { step: 1, .. })));
}

#[test]
fn files_that_are_no_checkpoints_are_refused_in_one_line() {
    let ground = ground(AttentionKernel::Exp);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    ground.trainer().checkpoint(&ground.normalisation).unwrap().save(&file).unwrap();
    let good = std::fs::read(&file).unwrap();
    let replaced = |from: &str, to: &str| {
        let at = good.windows(from.len()).position(|window| window == from.as_bytes()).expect(from);
        let mut bad = good.clone();
        bad[at..at + to.len()].copy_from_slice(to.as_bytes());
        bad
    };
    let cases = [
        good[..good.len() / 2].to_vec(),
        good[..4].to_vec(),
        b"not a checkpoint at all".to_vec(),
        replaced("\"dim\":\"16\"", "\"dim\":\"61\""),
        replaced("\"exp\"", "\"sin\""),
        replaced("head.weight", "head.wait__"),
    ];
    for bad in cases {
        std::fs::write(&file, bad).unwrap();
        let message = Checkpoint::load(&file).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains("model.safetensors") && !message.contains('\n'), "{message}");
    }
    for (bytes, said) in [
        (&b"\x80\x02}q\0X\x04\0\0\0"[..], "it is a pickle, as torch.save writes it; the .safetensors file"),
        (b"PK\x03\x04\x14\0\0\0\x08\0", "it is a zip archive, as torch.save and numpy.savez write it"),
        (b"layer,weight\n1,0.5\n", "it is text"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let message = Checkpoint::load(&file).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains(said) && message.contains("that `attnlab run vit` trained is expected"), "{message}");
    }
    // A small file that claims a model of terabytes is refused before room is made for any of it.
    let huge = [
        [("dim", "1048576"), ("heads", "1048576")],
        [("depth", "1048576"), ("heads", "2")],
        [("mlp_ratio", "1048576"), ("heads", "2")],
        [("classes", "1048576"), ("heads", "2")],
        [("image_size", "1048576"), ("patch", "1")],
        [("image_size", "1048576"), ("patch", "1048576")],
    ];
    for changes in huge {
        let sizes = [
            ("channels", "1"),
            ("image_size", "8"),
            ("patch", "2"),
            ("dim", "16"),
            ("depth", "2"),
            ("heads", "2"),
            ("mlp_ratio", "2"),
            ("classes", "10"),
            ("attention", "hedgehog"),
            ("mean", "0"),
            ("deviation", "1"),
        ];
        let size = |(key, value)| {
            let changed = changes.iter().find(|(changed, _)| *changed == key);
            (key, changed.map_or(value, |(_, value)| *value))
        };
        let metadata: std::collections::BTreeMap<_, _> = sizes.into_iter().map(size).collect();
        let header = serde_json::json!({ "__metadata__": metadata }).to_string();
        std::fs::write(&file, [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat()).unwrap();
        let message = Checkpoint::load(&file).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains("larger than the file"), "{changes:?}: {message}");
    }
    let mut long = u64::MAX.to_le_bytes().to_vec();
    long.extend([b'{'; 500]);
    std::fs::write(&file, long).unwrap();
    let message = Checkpoint::load(&file).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("header of 18446744073709551615 bytes in a file of 508"), "{message}");
    let message = Checkpoint::load(folder.path()).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("is not a regular file"), "{message}");

    let missing = Checkpoint::load(Path::new("no/such/file")).map(|_| ()).unwrap_err();
    assert!(missing.to_string().contains("no/such/file"));
}

#[test]
fn the_rate_of_learned_functions_is_read_by_the_kernels_that_learn_one() {
    let schema = vit().schema();
    let rate = schema.0.iter().find(|param| param.key == "feature_rate").unwrap();
    let (key, kernels) = rate.read_with.unwrap();
    assert_eq!(key, "attention");
    let learned = AttentionKernel::ALL.iter().filter(|kernel| !kernel.feature_start(8).is_empty());
    let learned: Vec<_> = learned.map(|kernel| kernel.name()).chain(["custom"]).collect();
    assert_eq!(kernels, learned);
}

#[test]
fn a_learned_function_whose_rate_is_zero_stays_where_it_starts() {
    for (rate, moves) in [(0.0, false), (1.0, true)] {
        let ground = ground(AttentionKernel::Projection);
        let options = TrainOptions { epochs: 1, feature_rate: rate, ..ground.options.clone() };
        let model = ground.model(Parameters::new(&ground.config, 3).unwrap());
        let feature = |model: &Vit| {
            let tensor = model.parameters().view("blocks.0.attention.feature").unwrap();
            tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        let before = feature(&model);
        let mut trainer = Trainer::new(model, options).unwrap();
        let _ = train(&mut trainer, &ground.dataset.train, &ground.split, &ground.patcher, &mut Until(10)).unwrap();
        assert_eq!(feature(&trainer.model) != before, moves, "a rate of {rate}");
    }
}

#[test]
fn a_model_has_the_parameters_that_its_shape_states_beside_those_of_its_kernel() {
    for kernel in AttentionKernel::ALL {
        let config = VitConfig { attention: (*kernel).into(), mlp_ratio: 3, ..ground(*kernel).config };
        let learned = kernel.feature_start(config.head_dim()).len() * config.heads * config.depth;
        assert_eq!(config.least_parameters(), Some(Layout::new(&config).len() - learned), "{kernel}");
        assert_eq!(config.parameters(), Layout::new(&config).len(), "{kernel}");
    }
}
