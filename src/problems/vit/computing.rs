//! What computes a run: the parameters for it, what goes with what, and the device itself.

use crate::device::{DeviceName, OpenDevice};
use crate::lab::{Param, ParamError, Params, RunContext};
use crate::problems::devices::{self, DeviceNeeds, device};
use crate::vision::{Kernels, Parameters, Precision, VisionError, Vit, VitConfig};

/// Where the model lies and is computed.
pub(super) const DEVICE: Param = devices::device_param(
    "what computes the model; auto takes a GPU if the program was built for one, one is there and a step is large enough",
);

/// How products are computed.
pub(super) const PRECISION: Param = Param::choice("precision", "precision", Precision::CHOICES, "f32")
    .help("how products are computed, by composed operations: parameters, losses, softmax and norms stay in single precision")
    .group("run");

/// What computes the model on the processor.
pub(super) const KERNELS: Param = Param::choice("kernels", "kernels", Kernels::CHOICES, "fused")
    .help("what computes the model on the processor; both agree to rounding; a GPU takes composed operations")
    .group("run")
    .read_with("device", &["auto", "cpu"]);

/// What computes the model, as far as that is known before a device is opened.
pub(super) fn kernels(params: &Params) -> Kernels {
    if device(params).is_gpu() { Kernels::Composed } else { params.choice(KERNELS.key) }
}

/// Refuses a device that the program was not built for, and a precision that what computes does not have.
pub(super) fn check(params: &Params) -> Result<(), ParamError> {
    let name = device(params);
    devices::check_built(params)?;
    let allowed = match params.choice(PRECISION.key) {
        Precision::Tf32 if !matches!(name, DeviceName::Cuda(_)) => "f32 or bf16; tf32 with device=cuda",
        Precision::Bf16 if kernels(params) == Kernels::Fused => {
            "f32 with kernels=fused; bf16 with kernels=composed, or with device=cuda or metal"
        }
        _ => return Ok(()),
    };
    Err(ParamError::new(PRECISION.key, params.text(PRECISION.key), allowed))
}

/// The device of a run of `config`, ready to compute steps of so many multiply-adds. A card has room for the model.
///
/// # Errors
/// The device cannot be used, or has too little memory.
pub(super) fn open(params: &Params, config: &VitConfig, multiply_adds: f64) -> Result<OpenDevice, ParamError> {
    let batch = params.size("batch");
    let bytes = Vit::training_bytes(config, Kernels::Composed, 1, batch);
    devices::open(params, multiply_adds, &DeviceNeeds { bytes, what: "the model needs", key: ("batch", batch) })
}

/// The model on that device.
pub(super) fn model(
    params: &Params,
    opened: &OpenDevice,
    (config, parameters): (&VitConfig, Parameters),
    threads: usize,
) -> Result<Vit, VisionError> {
    let (kernels, threads) = if opened.device.is_cpu() { (kernels(params), threads) } else { (Kernels::Composed, 1) };
    Vit::new(config.clone(), parameters, kernels, threads)?.on(&opened.device, params.choice(PRECISION.key))
}

/// The fact in checkpoints that names the device.
pub(super) const DEVICE_FACT: &str = "training.device";

/// Says which GPU computes a run, and where a training goes on on another device than the one `before` it.
pub(super) fn tell(context: &mut RunContext, opened: &OpenDevice, before: Option<&String>) {
    let label = &opened.label;
    match before.filter(|before| *before != label) {
        Some(before) => context.note(format!(
            "goes on on {label}, after {before}: steps are the same bit for bit on one device, and to rounding on another"
        )),
        None => devices::tell(context, opened),
    }
}
