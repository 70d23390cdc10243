//! The problem `vit`: train a vision transformer with one of the attention kernels on real images.

mod computing;
mod cost;
mod evaluation;
mod init;
mod model;
mod observer;
mod pictures;
mod processor;
mod run;
mod schema;
mod stopping;

use crate::lab::{Column, CurveSummary, Estimate, ParamError, Params, Problem, RunContext, RunError, Schema};
use crate::problems::devices::{device, device_words};
use crate::vision::dataset::DataError;
use crate::vision::{FAVOR, TYPED, VisionError};
use model::ImageShape;

/// The problem.
pub(super) struct VitProblem;

const fn column(key: &'static str, label: &'static str, unit: &'static str, digits: usize, brief: bool) -> Column {
    Column { unit, digits, brief, ..Column::new(key, label) }
}

static COLUMNS: &[Column] = &[
    column("attention", "attention", "", 0, true),
    column("f", "f(u)", "", 0, true).optional(),
    column("estimator", "estimator", "", 0, true).optional(),
    column("projection", "projection", "", 0, false).optional(),
    column("m", "m", "", 0, true).optional(),
    column("redraw", "redraw", "", 0, false).optional(),
    column("mask", "mask", "", 0, true).optional(),
    column("eval_m", "test m", "", 0, true).optional(),
    column("eval_draws", "test draws", "", 0, false).optional(),
    column("dataset", "data set", "", 0, true),
    column("seed", "seed", "", 0, true),
    column("epochs", "epochs", "", 0, false),
    column("train_images", "train images", "", 0, false),
    column("test_images", "test images", "", 0, false),
    column("parameters", "parameters", "", 0, false),
    column("init", "start from", "", 0, true).optional(),
    column("initial_accuracy", "initial accuracy", "", 4, true).share().optional(),
    column("train_seconds", "train", "s", 1, true),
    column("train_images_per_second", "train", "images/s", 0, true),
    column("inference_seconds", "inference", "s", 3, true),
    column("inference_images_per_second", "inference", "images/s", 0, true),
    column("test_accuracy", "test accuracy", "", 4, true).share(),
    column("accuracy_error", "standard error", "", 4, false).optional(),
    column("test_loss", "test loss", "", 4, true),
    column("final_train_loss", "train loss", "", 4, false),
    column("tokens", "tokens", "", 0, false).optional(),
    column("multiply_adds", "multiply-adds an image", "", 0, false).optional(),
    column("accuracy_lo", "accuracy, lower end over test images", "", 4, false).optional(),
    column("accuracy_hi", "accuracy, upper end over test images", "", 4, false).optional(),
    column("train_cpu_seconds", "train, CPU time", "s", 1, false).optional(),
    column("device", "device", "", 0, false).optional(),
    column("validation_accuracy", "validation accuracy", "", 4, false).optional(),
    column("trained_epochs", "trained epochs", "", 2, true).optional(),
    column("best_epoch", "best epoch", "", 2, false).optional(),
    column("steps_to_target", "steps to target", "", 0, false).optional(),
    column("seconds_to_target", "to target", "s", 1, true).optional(),
    Column::ESTIMATED_PEAK_BYTES,
    Column::PEAK_BYTES,
];

impl Problem for VitProblem {
    fn name(&self) -> &'static str {
        "vit"
    }

    fn title(&self) -> &'static str {
        "Vision"
    }

    fn about(&self) -> &'static str {
        "train vision transformers on images: what each attention kernel costs and reaches"
    }

    fn schema(&self) -> Schema {
        Schema(&schema::PARAMS)
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn headline(&self) -> &'static str {
        "test_accuracy"
    }

    fn live(&self) -> Option<&'static str> {
        Some("validation_accuracy")
    }

    fn summary(&self, id: &str) -> CurveSummary {
        match id {
            "loss" => CurveSummary::Lowest,
            "accuracy" => CurveSummary::Highest,
            // A single sample is noisy.
            "speed" => CurveSummary::Mean,
            _ => CurveSummary::Last,
        }
    }

    fn costs(&self) -> &'static [&'static str] {
        &["train_seconds", "inference_seconds"]
    }

    fn label(&self, params: &Params) -> String {
        let label = match params.text("attention") {
            typed if typed == TYPED.name => format!("{} {}", params.text("f"), params.text("dataset")),
            favor if favor == FAVOR.name => {
                format!("{favor} {} m={} {}", params.text("estimator"), params.typed("m"), params.text("dataset"))
            }
            kernel => format!("{kernel} {}", params.text("dataset")),
        };
        label + &device_words(params)
    }

    fn deed(&self, params: &Params) -> String {
        let (attention, dataset, epochs) = (params.text("attention"), params.text("dataset"), params.int("epochs"));
        let epochs = if epochs == 1 { "1 epoch".to_owned() } else { format!("{epochs} epochs") };
        format!("trains {attention} on {dataset}, {epochs}")
    }

    fn check(&self, params: &Params) -> Result<(), ParamError> {
        stopping::check(params)?;
        computing::check(params)?;
        let config = model::config(params, ImageShape::expected(params), 1)?;
        cost::check(params, &config, cost::expected_data(params))?;
        init::check(params, &config)
    }

    fn estimate(&self, params: &Params) -> Estimate {
        cost::estimate(params)
    }

    fn side_by_side(&self, params: &Params) -> usize {
        model::config(params, ImageShape::expected(params), 10)
            .map_or(1, |config| device(params).side_by_side(cost::step_products(params, &config)))
    }

    fn idle_gpu(&self, params: &Params) -> Option<String> {
        let config = model::config(params, ImageShape::expected(params), 10).ok()?;
        device(params).idle_gpu(cost::step_products(params, &config))
    }

    fn halving_budget(&self, params: &Params) -> Result<f64, ParamError> {
        stopping::check_halving(params)?;
        Ok(params.int("epochs") as f64)
    }

    /// The queries and keys of the trained model.
    fn follow_up(&self, id: &str) -> Option<(&'static str, Vec<(&'static str, String)>)> {
        Some(("random-features", vec![("inputs", "checkpoint".to_owned()), ("checkpoint", id.to_owned())]))
    }

    fn quick(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("dataset", "digits"),
            ("train_images", "64"),
            ("test_images", "32"),
            ("epochs", "1"),
            ("dim", "8"),
            ("depth", "1"),
            ("heads", "2"),
            ("patch", "2"),
            ("image_size", "0"),
        ]
    }

    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError> {
        run::run(params, context)
    }
}

/// How a failure in `vision` ends a run: a file that the user named and that cannot be read is bad input, a file that cannot be
/// written is a failure of the run.
impl From<VisionError> for RunError {
    fn from(error: VisionError) -> Self {
        match error {
            VisionError::Diverged { fault, step, loss } => {
                let fault = fault.map_or_else(String::new, |fault| format!(": {fault}"));
                Self::Diverged(format!("the loss is {loss} at step {step}{fault}"))
            }
            VisionError::Data(error) => error.into(),
            VisionError::Config(_)
            | VisionError::Checkpoint { .. }
            | VisionError::Empty(_)
            | VisionError::File { action: "read", .. } => Self::input(error),
            error => Self::failed(error),
        }
    }
}

impl From<DataError> for RunError {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Stopped => Self::Stopped,
            DataError::Io { action: "write" | "create" | "remove", .. } | DataError::Fetch { .. } => {
                Self::failed(error)
            }
            error => Self::input(error),
        }
    }
}
