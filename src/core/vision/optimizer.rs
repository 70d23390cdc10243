//! AdamW over the flat parameter vector, the learning-rate schedule, gradient clipping.

use super::error::VisionError;
use super::layout::{Layout, LayoutEntry};
use super::room::zeros;
use candle_core::{CpuStorage, Device, InplaceOp2, InplaceOp3, Tensor, Var};
use std::ops::Range;

/// Decay rates of the moments and what is added to the root, as in PyTorch.
const BETA: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

/// Adam with decoupled weight decay (Loshchilov, Hutter 2019), with bias correction as in PyTorch:
///
/// m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², θ ← θ − lr·λ·θ − lr·m̂/(√v̂ + 1e-8), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).
///
/// λ applies to the tensors that the layout marks for decay; learned feature maps may have a rate of their own, a multiple of lr.
/// The state is visible, so that a run can be continued.
#[derive(Clone, Debug)]
pub struct AdamW {
    weight_decay: f64,
    parts: Vec<ParameterPart>,
    moments: [Tensor; 2],
    steps: u64,
    /// Where an update is made of whole vectors: 1 where weight decay applies and 0 elsewhere; the rate of each parameter over that of
    /// the step.
    vectors: Option<[Tensor; 2]>,
}

impl AdamW {
    /// With moments of zero; the learning rate of learned feature maps is `feature_rate` times that of the others.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn new(layout: &Layout, weight_decay: f64, feature_rate: f64) -> Result<Self, VisionError> {
        let zeros = || Ok::<_, VisionError>(Tensor::from_vec(zeros::<f32>(layout.len())?, layout.len(), &Device::Cpu)?);
        let part = |entry: &LayoutEntry| ParameterPart {
            range: entry.range(),
            decay: entry.decay,
            rate: if entry.is_feature_map() { feature_rate as f32 } else { 1.0 },
        };
        let parts = layout.entries().iter().map(part).collect();
        Ok(Self { weight_decay, parts, moments: [zeros()?, zeros()?], steps: 0, vectors: None })
    }

    /// The same on `device`, where the parameters lie.
    ///
    /// # Errors
    /// The device has no memory for the moments.
    pub fn on(mut self, device: &Device) -> Result<Self, VisionError> {
        let [first, second] = &self.moments;
        self.moments = [first.to_device(device)?, second.to_device(device)?];
        if device.is_cpu() { Ok(self) } else { self.by_vectors() }
    }

    /// The same, whose steps are made of operations on whole vectors, which every device has; a GPU has no others.
    ///
    /// # Errors
    /// The device has no memory for two vectors of the length of θ.
    pub fn by_vectors(mut self) -> Result<Self, VisionError> {
        let len = self.moments[0].elem_count();
        let (mut decay, mut rate) = (zeros::<f32>(len)?, zeros::<f32>(len)?);
        for part in &self.parts {
            decay[part.range.clone()].fill(f32::from(u8::from(part.decay)));
            rate[part.range.clone()].fill(part.rate);
        }
        let device = self.moments[0].device();
        self.vectors = Some([Tensor::from_vec(decay, len, device)?, Tensor::from_vec(rate, len, device)?]);
        Ok(self)
    }

    /// The first and second moments, `[parameters]` each, and the number of steps made.
    #[must_use]
    pub const fn state(&self) -> (&[Tensor; 2], u64) {
        (&self.moments, self.steps)
    }

    /// Continues from a state.
    ///
    /// # Errors
    /// The moments have another length.
    pub fn restore(&mut self, moments: [Vec<f32>; 2], steps: u64) -> Result<(), VisionError> {
        let len = self.moments[0].elem_count();
        let [first, second] = moments;
        let device = self.moments[0].device().clone();
        self.moments = [Tensor::from_vec(first, len, &device)?, Tensor::from_vec(second, len, &device)?];
        self.steps = steps;
        Ok(())
    }

    /// One step of `theta` against `gradient`·`scale`.
    ///
    /// # Errors
    /// The gradient has another length.
    pub fn step(&mut self, theta: &Var, gradient: &Tensor, scale: f64, learning_rate: f64) -> Result<(), VisionError> {
        self.steps += 1;
        if let Some(vectors) = self.vectors.clone() {
            return self.step_of_vectors(theta, gradient, scale, learning_rate, &vectors);
        }
        let scale = scale as f32;
        let [first, second] = &self.moments;
        first.inplace_op2(gradient, &Average { beta: BETA[0] as f32, scale, square: false })?;
        second.inplace_op2(gradient, &Average { beta: BETA[1] as f32, scale, square: true })?;
        let correction = BETA.map(|beta| 1.0 - beta.powf(self.steps as f64));
        let update = Update {
            parts: &self.parts,
            keep: (1.0 - learning_rate * self.weight_decay) as f32,
            rate: (learning_rate / correction[0]) as f32,
            root: correction[1].sqrt() as f32,
        };
        theta.inplace_op3(first, second, &update)?;
        Ok(())
    }

    /// The same step from operations on whole vectors, which every device has.
    fn step_of_vectors(
        &mut self,
        theta: &Var,
        gradient: &Tensor,
        scale: f64,
        learning_rate: f64,
        [decay, rate]: &[Tensor; 2],
    ) -> Result<(), VisionError> {
        let [first, second] = &self.moments;
        let first = ((first * BETA[0])? + (gradient * (scale * (1.0 - BETA[0])))?)?;
        let second = ((second * BETA[1])? + (gradient.sqr()? * (scale * scale * (1.0 - BETA[1])))?)?;
        let correction = BETA.map(|beta| 1.0 - beta.powf(self.steps as f64));
        let size = second.sqrt()?.affine(1.0 / correction[1].sqrt(), EPSILON)?;
        let change = ((&first / size)? * (rate * (learning_rate / correction[0]))?)?;
        let keep = decay.affine(-learning_rate * self.weight_decay, 1.0)?;
        theta.set(&((theta.as_detached_tensor() * keep)? - change)?)?;
        self.moments = [first, second];
        Ok(())
    }
}

/// a ← βa + (1 − β)·x with x = scale·g or its square.
struct Average {
    beta: f32,
    scale: f32,
    square: bool,
}

impl InplaceOp2 for Average {
    fn name(&self) -> &'static str {
        "running-average"
    }

    fn cpu_fwd(
        &self,
        average: &mut CpuStorage,
        _: &candle_core::Layout,
        gradient: &CpuStorage,
        layout: &candle_core::Layout,
    ) -> candle_core::Result<()> {
        let gradient = contiguous(gradient, layout)?;
        let share = 1.0 - self.beta;
        let pairs = values(average)?.iter_mut().zip(gradient);
        if self.square {
            pairs.for_each(|(average, gradient)| {
                let gradient = gradient * self.scale;
                *average = self.beta * *average + share * gradient * gradient;
            });
        } else {
            pairs.for_each(|(average, gradient)| *average = self.beta * *average + share * (gradient * self.scale));
        }
        Ok(())
    }
}

/// One tensor within θ.
#[derive(Clone, Debug)]
struct ParameterPart {
    range: Range<usize>,
    decay: bool,
    /// Its learning rate over that of the step.
    rate: f32,
}

/// θ ← keep·θ − rate·m/(√v/root + ε); `keep` only where weight decay applies, `rate` times that of the part.
struct Update<'a> {
    parts: &'a [ParameterPart],
    keep: f32,
    rate: f32,
    root: f32,
}

impl InplaceOp3 for Update<'_> {
    fn name(&self) -> &'static str {
        "adamw-update"
    }

    fn cpu_fwd(
        &self,
        theta: &mut CpuStorage,
        _: &candle_core::Layout,
        first: &CpuStorage,
        first_layout: &candle_core::Layout,
        second: &CpuStorage,
        second_layout: &candle_core::Layout,
    ) -> candle_core::Result<()> {
        let theta = values(theta)?;
        let (first, second) = (contiguous(first, first_layout)?, contiguous(second, second_layout)?);
        for ParameterPart { range, decay, rate } in self.parts {
            let (keep, rate) = (if *decay { self.keep } else { 1.0 }, self.rate * rate);
            let moments = first[range.clone()].iter().zip(&second[range.clone()]);
            for (theta, (first, second)) in theta[range.clone()].iter_mut().zip(moments) {
                *theta = keep * *theta - rate * first / (second.sqrt() / self.root + EPSILON as f32);
            }
        }
        Ok(())
    }
}

fn values(storage: &mut CpuStorage) -> candle_core::Result<&mut Vec<f32>> {
    match storage {
        CpuStorage::F32(values) => Ok(values),
        _ => candle_core::bail!("parameters are f32"),
    }
}

fn contiguous<'a>(storage: &'a CpuStorage, layout: &candle_core::Layout) -> candle_core::Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice()?[start..end]),
        None => candle_core::bail!("a flat vector is contiguous"),
    }
}

/// Linear warm-up to `peak` over the first `warmup` of all steps, then half a cosine down to zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// The highest learning rate.
    pub peak: f64,
    /// Steps of the whole training.
    pub steps: u64,
    /// Share of them that warms up, 0 to 1.
    pub warmup: f64,
}

impl Schedule {
    /// The learning rate of `step`, counted from 0.
    #[must_use]
    pub fn rate(&self, step: u64) -> f64 {
        let (step, steps) = (step as f64, self.steps as f64);
        let warmup = (steps * self.warmup).round();
        if step < warmup {
            return self.peak * (step + 1.0) / warmup;
        }
        let done = (step - warmup) / (steps - warmup).max(1.0);
        self.peak * 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos())
    }
}

/// The factor that brings a gradient of `norm` down to a norm of at most `limit`; 1 without a limit.
#[must_use]
pub fn clip_factor(norm: f64, limit: Option<f64>) -> f64 {
    limit.map_or(1.0, |limit| (limit / (norm + 1e-6)).min(1.0))
}
