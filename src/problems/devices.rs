//! What computes a run: the parameter for it, and its ends in messages, for every problem that can use a GPU.

use crate::device::{DeviceName, OpenDevice};
use crate::lab::{Param, ParamError, Params, RunContext};
use crate::memory::size;

const DEVICE: &str = "device";

/// The parameter; `help` says what the device computes.
pub(super) const fn device_param(help: &'static str) -> Param {
    Param::text(DEVICE, "device", DeviceName::ALLOWED, |text| DeviceName::parse(text).is_some(), "auto")
        .help(help)
        .steps(&["auto", "cpu", "cuda", "cuda:0", "cuda:1", "metal"])
        .group("run")
        .free_of_result()
}

/// The device that `params` name.
pub(super) fn device(params: &Params) -> DeviceName {
    DeviceName::parse(params.text(DEVICE)).unwrap_or(DeviceName::Auto)
}

/// What a run's label says of its device: nothing, unless it has to be a GPU.
pub(super) fn device_words(params: &Params) -> String {
    let device = device(params);
    if device.is_gpu() { format!(" on {device}") } else { String::new() }
}

/// Refuses a device that the program was not built for.
pub(super) fn check_built(params: &Params) -> Result<(), ParamError> {
    device(params).check_built().map_err(|error| unusable(params, &error.to_string()))
}

/// Refuses a device that is not there, before anything is read.
pub(super) fn check_there(params: &Params) -> Result<(), ParamError> {
    device(params).check_there().map_err(|error| unusable(params, &error.to_string()))
}

/// What work needs of a device's memory.
pub(super) struct DeviceNeeds<'a> {
    /// Bytes.
    pub bytes: u64,
    /// What needs them, with its verb: `the model needs`.
    pub what: &'a str,
    /// The parameter that makes it fewer, and its value.
    pub key: (&'a str, usize),
}

/// The device, ready to compute pieces of work of so many multiply-adds. A card has room for what they need.
///
/// # Errors
/// It cannot be used, or has too little memory.
pub(super) fn open(params: &Params, multiply_adds: f64, needs: &DeviceNeeds) -> Result<OpenDevice, ParamError> {
    let opened = device(params).open(multiply_adds).map_err(|error| unusable(params, &error.to_string()))?;
    let DeviceNeeds { bytes, what, key: (key, value) } = *needs;
    match opened.memory {
        Some(there) if bytes > there => {
            let [needed, there] = [bytes, there].map(|bytes| size(bytes.into()));
            let allowed = format!("a smaller number: {what} about {needed} of memory, {} has {there}", opened.label);
            Err(ParamError::new(key, value.to_string(), allowed))
        }
        _ => Ok(opened),
    }
}

/// Says which GPU computes a model; nothing of the processor.
pub(super) fn tell(context: &mut RunContext, opened: &OpenDevice) {
    if !opened.device.is_cpu() {
        context.note(format!("computed by {}, with composed operations", opened.label));
    }
}

/// That the device cannot be what is asked for.
pub(super) fn unusable(params: &Params, reason: &str) -> ParamError {
    ParamError::new(DEVICE, params.text(DEVICE), format!("auto or cpu: {reason}"))
}
