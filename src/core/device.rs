//! What computes tensors: the processor, or a GPU for which the program was built.
//!
//! This is the one place that knows names of devices, whether they are there, and what a card is called.

use candle_core::Device;
use std::fmt;

/// A device as a person names it: `auto`, `cpu`, `cuda`, `cuda:N` or `metal`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceName {
    /// A GPU where there is one and the work is worth it, the processor otherwise.
    Auto,
    /// The processor.
    Cpu,
    /// NVIDIA's card of this number; without one, the card on which this process has the fewest runs.
    Cuda(Option<usize>),
    /// Apple's GPU.
    Metal,
}

impl DeviceName {
    /// What is allowed, for messages.
    pub const ALLOWED: &'static str = "auto, cpu, cuda, cuda:N with the number of a card from 0, or metal";

    /// The device that `text` names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "cpu" => Some(Self::Cpu),
            "cuda" => Some(Self::Cuda(None)),
            "metal" => Some(Self::Metal),
            _ => {
                let number = text.strip_prefix("cuda:")?;
                let is_plain = (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
                is_plain.then(|| number.parse().ok().map(|number| Self::Cuda(Some(number))))?
            }
        }
    }

    /// Whether it is a GPU in any case.
    #[must_use]
    pub const fn is_gpu(self) -> bool {
        matches!(self, Self::Cuda(_) | Self::Metal)
    }

    /// That the program was built for it.
    ///
    /// # Errors
    /// It was not; the error has the command that builds it.
    pub const fn check_built(self) -> Result<(), DeviceError> {
        match self {
            Self::Cuda(_) if !cfg!(feature = "cuda") => Err(DeviceError::NotBuilt("cuda")),
            Self::Metal if !cfg!(feature = "metal") => Err(DeviceError::NotBuilt("metal")),
            _ => Ok(()),
        }
    }

    /// That it is there, as far as that is known without opening it.
    ///
    /// # Errors
    /// As [`DeviceName::open`].
    pub fn check_there(self) -> Result<(), DeviceError> {
        self.check_built()?;
        match self {
            Self::Cuda(number) => gpu::check_there(number),
            Self::Auto | Self::Cpu | Self::Metal => Ok(()),
        }
    }

    /// How many runs of this process can work on it beside each other, one on each card. `multiply_adds` as in
    /// [`DeviceName::open`].
    #[must_use]
    pub fn side_by_side(self, multiply_adds: f64) -> usize {
        match self {
            Self::Auto if multiply_adds < WORTH_A_GPU => 1,
            Self::Auto | Self::Cuda(None) => gpu::cards().max(1),
            Self::Cpu | Self::Cuda(Some(_)) | Self::Metal => 1,
        }
    }

    /// Why work on it would leave a GPU idle, whatever GPU there is; none where it would take one. `multiply_adds` as in
    /// [`DeviceName::open`].
    #[must_use]
    pub fn idle_gpu(self, multiply_adds: f64) -> Option<String> {
        match self {
            Self::Cpu => Some("they have device=cpu".to_owned()),
            Self::Auto if features().is_empty() => Some(
                "this program was built without GPUs; `cargo build --release --features cuda` builds one with them"
                    .to_owned(),
            ),
            Self::Auto if multiply_adds < WORTH_A_GPU => {
                Some("device=auto leaves such small steps to the processor; device=cuda does not".to_owned())
            }
            Self::Auto | Self::Cuda(_) | Self::Metal => None,
        }
    }

    /// Makes it ready to compute. `multiply_adds` are those of one step: what [`DeviceName::Auto`] goes by.
    ///
    /// # Errors
    /// The program was not built for it, there is no driver, or no such card.
    pub fn open(self, multiply_adds: f64) -> Result<OpenDevice, DeviceError> {
        self.check_built()?;
        match self {
            Self::Cpu => Ok(OpenDevice::cpu()),
            Self::Cuda(number) => gpu::cuda(number),
            Self::Metal => gpu::metal(),
            Self::Auto if multiply_adds < WORTH_A_GPU => Ok(OpenDevice::cpu()),
            Self::Auto => Ok(gpu::cuda(None).or_else(|_| gpu::metal()).unwrap_or_else(|_| OpenDevice::cpu())),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(None) => f.write_str("cuda"),
            Self::Cuda(Some(number)) => write!(f, "cuda:{number}"),
            Self::Metal => f.write_str("metal"),
        }
    }
}

/// Multiply-adds of a step from which [`DeviceName::Auto`] takes a GPU. This is a rule and not measured: a step of the model
/// starts about a thousand operations on the card, each of which takes some microseconds however little it computes, and a
/// processor does so many products in that time.
const WORTH_A_GPU: f64 = 5e9;

/// The features that the program was built with and that concern devices, for `--version --verbose`.
#[must_use]
pub fn features() -> Vec<&'static str> {
    let known = [("cuda", cfg!(feature = "cuda")), ("metal", cfg!(feature = "metal"))];
    known.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
}

/// A device that is ready to compute. A card counts as in use by one more run of this process as long as it is open.
#[derive(Debug)]
pub struct OpenDevice {
    /// For tensors.
    pub device: Device,
    /// What it is, for records and tables: `cpu`, or a GPU's name in `--set` with the name of the card.
    pub label: String,
    /// Bytes of memory of the card; none for the processor, and where it is not known.
    pub memory: Option<u64>,
    card: Option<usize>,
}

impl OpenDevice {
    /// What the processor is called.
    pub const CPU: &'static str = "cpu";

    /// The processor.
    #[must_use]
    pub fn cpu() -> Self {
        Self { device: Device::Cpu, label: Self::CPU.to_owned(), memory: None, card: None }
    }
}

impl Drop for OpenDevice {
    fn drop(&mut self) {
        if let Some(card) = self.card {
            gpu::give_back(card);
        }
    }
}

/// A device that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The program was built without it.
    #[error("this program was built without it; `cargo run --release --features {0}` builds one with it (docs/gpu.md)")]
    NotBuilt(&'static str),
    /// There is no driver, or it does not work.
    #[error("this program was built for it, but no driver that works is here: {0}")]
    NoDriver(String),
    /// There is no card of that number.
    #[error("{}", match .there {
        0 => "the driver finds no card".to_owned(),
        1 => "the only card here is number 0".to_owned(),
        there => format!("the cards here are numbers 0 to {}", there - 1),
    })]
    NoSuchCard {
        /// How many there are.
        there: usize,
    },
    /// The card does not open.
    #[error("the card does not open: {0}")]
    Closed(String),
}

/// NVIDIA's cards and Apple's GPU.
#[cfg(any(feature = "cuda", feature = "metal"))]
mod gpu {
    use super::{DeviceError, OpenDevice};
    use candle_core::Device;

    /// The first line of what a library says.
    fn line(error: &dyn std::fmt::Debug) -> String {
        format!("{error:?}").lines().next().unwrap_or_default().to_owned()
    }

    #[cfg(feature = "cuda")]
    mod nvidia {
        use super::{Device, DeviceError, OpenDevice, line};
        use candle_core::cuda::cudarc::driver::CudaContext;
        use candle_core::cuda::cudarc::driver::sys::CUresult;
        use std::sync::{Mutex, PoisonError};

        /// Runs of this process on each card.
        static IN_USE: Mutex<Vec<usize>> = Mutex::new(Vec::new());

        /// How many cards this process sees; `CUDA_VISIBLE_DEVICES`, which Slurm sets, says which they are.
        pub fn cards() -> Result<usize, DeviceError> {
            let count = CudaContext::device_count().map_err(|error| match error.0 {
                CUresult::CUDA_ERROR_STUB_LIBRARY => DeviceError::NoDriver("libcuda.so.1 is not installed".to_owned()),
                CUresult::CUDA_ERROR_NO_DEVICE => DeviceError::NoSuchCard { there: 0 },
                _ => DeviceError::NoDriver(line(&error)),
            })?;
            Ok(count.unsigned_abs() as usize)
        }

        pub fn open(number: Option<usize>) -> Result<OpenDevice, DeviceError> {
            let there = cards()?;
            let number = {
                let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
                in_use.resize(there, 0);
                let free = (0..there).min_by_key(|card| in_use[*card]);
                let number = number.or(free).filter(|number| *number < there);
                let number = number.ok_or(DeviceError::NoSuchCard { there })?;
                in_use[number] += 1;
                number
            };
            let mut opened =
                OpenDevice { device: Device::Cpu, label: format!("cuda:{number}"), memory: None, card: Some(number) };
            opened.device = Device::new_cuda(number).map_err(|error| DeviceError::Closed(line(&error)))?;
            if let Ok(context) = CudaContext::new(number) {
                if let Ok(name) = context.name() {
                    opened.label += &format!(" {name}");
                }
                opened.memory = context.total_mem().ok().map(|bytes| bytes as u64);
            }
            Ok(opened)
        }

        pub fn give_back(card: usize) {
            let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(runs) = in_use.get_mut(card) {
                *runs = runs.saturating_sub(1);
            }
        }
    }

    pub fn cards() -> usize {
        #[cfg(feature = "cuda")]
        return nvidia::cards().unwrap_or(0);
        #[cfg(not(feature = "cuda"))]
        return 0;
    }

    pub fn check_there(_number: Option<usize>) -> Result<(), DeviceError> {
        #[cfg(feature = "cuda")]
        return match nvidia::cards()? {
            there if _number.unwrap_or(0) < there => Ok(()),
            there => Err(DeviceError::NoSuchCard { there }),
        };
        #[cfg(not(feature = "cuda"))]
        return Err(DeviceError::NotBuilt("cuda"));
    }

    pub fn cuda(_number: Option<usize>) -> Result<OpenDevice, DeviceError> {
        #[cfg(feature = "cuda")]
        return nvidia::open(_number);
        #[cfg(not(feature = "cuda"))]
        return Err(DeviceError::NotBuilt("cuda"));
    }

    pub fn give_back(_card: usize) {
        #[cfg(feature = "cuda")]
        nvidia::give_back(_card);
    }

    pub fn metal() -> Result<OpenDevice, DeviceError> {
        if !cfg!(feature = "metal") {
            return Err(DeviceError::NotBuilt("metal"));
        }
        let device = Device::new_metal(0).map_err(|error| DeviceError::NoDriver(line(&error)))?;
        Ok(OpenDevice { device, label: "metal".to_owned(), memory: None, card: None })
    }
}

/// A program that was built for no GPU.
#[cfg(not(any(feature = "cuda", feature = "metal")))]
mod gpu {
    use super::{DeviceError, OpenDevice};

    pub const fn cards() -> usize {
        0
    }

    pub const fn check_there(_: Option<usize>) -> Result<(), DeviceError> {
        Err(DeviceError::NotBuilt("cuda"))
    }

    pub const fn cuda(_: Option<usize>) -> Result<OpenDevice, DeviceError> {
        Err(DeviceError::NotBuilt("cuda"))
    }

    pub const fn metal() -> Result<OpenDevice, DeviceError> {
        Err(DeviceError::NotBuilt("metal"))
    }

    pub const fn give_back(_: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for name in ["auto", "cpu", "cuda", "cuda:0", "cuda:17", "metal"] {
            assert_eq!(DeviceName::parse(name).unwrap().to_string(), name);
        }
        for name in ["", "gpu", "cuda:", "cuda:-1", "cuda:+1", "cuda:99999", "cuda: 1", "CPU", "cuda0"] {
            assert_eq!(DeviceName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn the_processor_is_always_there_and_small_work_stays_on_it() {
        for name in [DeviceName::Cpu, DeviceName::Auto] {
            let opened = name.open(0.0).unwrap();
            assert!(opened.device.is_cpu());
            assert_eq!((opened.label.as_str(), opened.memory), ("cpu", None));
        }
        if !cfg!(any(feature = "cuda", feature = "metal")) {
            assert!(DeviceName::Auto.open(1e15).unwrap().device.is_cpu());
        }
    }

    #[test]
    fn a_program_without_a_device_names_the_command_that_builds_one_with_it() {
        for (name, feature) in [(DeviceName::Cuda(Some(3)), "cuda"), (DeviceName::Metal, "metal")] {
            if features().contains(&feature) {
                continue;
            }
            let error = name.open(1e15).unwrap_err().to_string();
            assert!(error.contains(&format!("cargo run --release --features {feature}")), "{error}");
            assert!(!error.contains('\n'));
        }
    }
}
