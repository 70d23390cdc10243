//! A model ready to run: its shape and parameters, and what computes it.

use super::composed::{self, AttentionInputs, BlockView, ComposedVit};
use super::config::VitConfig;
use super::error::VisionError;
use super::fused::FusedVit;
use super::layout::feature_name;
use super::parameters::Parameters;
use super::precision::Precision;
use crate::named::named;
use crate::threads;
use candle_core::{DType, Device, Storage, Tensor};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::Arc;

named! {
    /// What computes a model on the processor; both agree to rounding. A GPU computes with the operations of [`composed`].
    #[derive(Default)]
    pub enum Kernels {
        /// The kernels of [`fused`](super::fused).
        #[default]
        Fused = "fused", "forward and backward by hand, the whole network in one operation";
        /// The operations of [`composed`].
        Composed = "composed", "differentiable candle operations: the reference, slower";
    }
}

#[derive(Clone)]
enum ModelEngine {
    Fused(Arc<FusedVit>),
    /// On the threads of a pool, or on a GPU that the calling thread hands work to.
    Composed(Option<Arc<ThreadPool>>, Precision),
}

/// What a forward and a backward pass of one batch give. On a GPU this stands for numbers that may still be in the making; to
/// read one is to wait for them.
pub struct Pass {
    /// Mean cross-entropy, a scalar.
    pub loss: Tensor,
    /// Its gradient, `[parameters]`.
    pub gradient: Tensor,
}

/// A batch that lies where a model of composed operations is computed.
pub struct DeviceBatch {
    /// `[image, token, patch_dim]`.
    patches: Tensor,
    /// `[image, class]`.
    target: Tensor,
}

/// A vision transformer with its parameters and the threads that compute it.
#[derive(Clone)]
pub struct Vit {
    config: VitConfig,
    parameters: Parameters,
    engine: ModelEngine,
}

impl Vit {
    /// A model with these parameters, computed by `kernels` on `threads` threads (0: one per core).
    ///
    /// # Errors
    /// The sizes of `config` do not fit together, or the system gives no threads.
    pub fn new(
        config: VitConfig,
        parameters: Parameters,
        kernels: Kernels,
        threads: usize,
    ) -> Result<Self, VisionError> {
        config.check()?;
        let engine = match kernels {
            Kernels::Fused => ModelEngine::Fused(Arc::new(FusedVit::new(&config, threads)?)),
            Kernels::Composed => {
                let pool = ThreadPoolBuilder::new().num_threads(threads::or_default(threads)).build();
                ModelEngine::Composed(Some(Arc::new(pool?)), Precision::F32)
            }
        };
        Ok(Self { config, parameters, engine })
    }

    /// The same model on `device`, with products in `precision`. On a GPU the composed operations compute it, and its parameters
    /// are a copy there.
    ///
    /// # Errors
    /// The device has no memory for it or not this precision, or fused kernels are asked for another precision than f32.
    pub fn on(self, device: &Device, precision: Precision) -> Result<Self, VisionError> {
        let engine = match self.engine {
            ModelEngine::Fused(fused) if device.is_cpu() && precision == Precision::F32 => ModelEngine::Fused(fused),
            ModelEngine::Composed(pool, _) if device.is_cpu() && precision.is_on(device) => {
                ModelEngine::Composed(pool, precision)
            }
            _ if !device.is_cpu() && precision.is_on(device) => ModelEngine::Composed(None, precision),
            _ => return Err(VisionError::Precision { precision }),
        };
        Ok(Self { config: self.config, parameters: self.parameters.to_device(device)?, engine })
    }

    /// Where its parameters lie and it is computed.
    #[must_use]
    pub fn device(&self) -> &Device {
        self.parameters.theta().device()
    }

    /// A model of another shape or with other parameters, computed in the same way on the same threads or device.
    ///
    /// # Errors
    /// The sizes of `config` do not fit together.
    pub(super) fn with(&self, config: VitConfig, parameters: Parameters) -> Result<Self, VisionError> {
        config.check()?;
        let engine = match &self.engine {
            ModelEngine::Fused(fused) => ModelEngine::Fused(Arc::new(fused.with(&config))),
            ModelEngine::Composed(pool, precision) => ModelEngine::Composed(pool.clone(), *precision),
        };
        Ok(Self { config, parameters: parameters.to_device(self.device())?, engine })
    }

    /// Bytes that training such a model takes at its peak, in steps of `batch` images on `threads` threads: θ, its gradient and
    /// moments, what a checkpoint copies of them, the buffers of forward and backward passes, batches of patches, and the
    /// attention of one image that is looked at.
    #[must_use]
    pub fn training_bytes(config: &VitConfig, kernels: Kernels, threads: usize, batch: usize) -> u64 {
        let parameters = 4 * config.parameters() as u64;
        let patches = 2 * (batch * config.tokens() * config.patch_dim()) as u64;
        let matrices = if config.attention.is_softmax() { 4 } else { 3 } + if config.mask_dim > 0 { 3 } else { 0 };
        let looked_at = matrices * (config.tokens() * config.tokens()) as u64;
        let [kept, call] = match kernels {
            Kernels::Fused => FusedVit::working_bytes(config, threads, batch),
            // A backward pass makes θ's gradient anew for every part of it.
            Kernels::Composed => [0, 2 * parameters + 4 * (batch * composed::kept_len(config)) as u64],
        };
        // θ and two moments, and copies of all three for a checkpoint. A step's gradient, of the size of one, fits where those
        // copies go; the smaller pieces of a call stay with the allocator.
        6 * parameters + kept + call + 4 * (patches + looked_at)
    }

    /// Bytes that inference of `batch` images takes at its peak on `threads` threads.
    #[must_use]
    pub fn inference_bytes(config: &VitConfig, kernels: Kernels, threads: usize, batch: usize) -> u64 {
        let (parameters, patches) = (config.parameters(), batch * config.tokens() * config.patch_dim());
        let working = match kernels {
            Kernels::Fused => FusedVit::inference_bytes(config, threads, batch),
            // One block at a time, at most what training would keep of it.
            Kernels::Composed => 4 * (batch * composed::kept_len(&VitConfig { depth: 1, ..config.clone() })) as u64,
        };
        working + 4 * (parameters + 2 * patches) as u64
    }

    /// Makes the buffers of the fused kernels for steps of `batch` images, which are otherwise made as they are needed.
    ///
    /// # Errors
    /// The system has no memory for them.
    pub fn make_room(&self, batch: usize) -> Result<(), VisionError> {
        match &self.engine {
            ModelEngine::Fused(fused) => Ok(fused.make_room(batch)?),
            ModelEngine::Composed(..) => Ok(()),
        }
    }

    /// The learned feature map of each head of each block at `points`, see [`composed::shape`]; empty for kernels without.
    ///
    /// # Errors
    /// The device fails.
    pub fn feature_shapes(&self, points: &[f32]) -> Result<Vec<Vec<Vec<f32>>>, VisionError> {
        let (attention, head_dim) = (self.config.attention, self.config.head_dim());
        if attention.feature_start(head_dim).is_empty() {
            return Ok(Vec::new());
        }
        let mut shapes = Vec::with_capacity(self.config.depth);
        for block in 0..self.config.depth {
            shapes.extend(composed::shape(attention, head_dim, self.features(block)?.as_ref(), points)?);
        }
        Ok(shapes)
    }

    /// Its shape.
    #[must_use]
    pub const fn config(&self) -> &VitConfig {
        &self.config
    }

    /// Its parameters.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Mean cross-entropy of a batch and its gradient `[parameters]`; patches are `[image, token, patch_dim]`.
    ///
    /// # Errors
    /// The shapes do not fit, or a label is not a class.
    pub fn loss_and_gradient(
        &self,
        patches: &[f32],
        labels: &[u32],
        smoothing: f64,
    ) -> Result<(f32, Tensor), VisionError> {
        let Pass { loss, gradient } = self.pass(patches, labels, smoothing)?;
        Ok((loss.to_scalar()?, gradient))
    }

    /// The same, not waiting for a GPU.
    ///
    /// # Errors
    /// As [`Vit::loss_and_gradient`].
    pub fn pass(&self, patches: &[f32], labels: &[u32], smoothing: f64) -> Result<Pass, VisionError> {
        let fused = match &self.engine {
            ModelEngine::Fused(fused) => fused,
            ModelEngine::Composed(..) => return self.pass_of(&self.copied(patches, labels, smoothing)?),
        };
        self.check(patches, labels)?;
        let mut gradient = vec![0.0; self.parameters.layout().len()];
        let loss =
            self.with_theta(|theta| fused.loss_and_gradient(theta, patches, labels, smoothing as f32, &mut gradient))?;
        let gradient = Tensor::from_vec(gradient, self.parameters.layout().len(), &Device::Cpu)?;
        Ok(Pass { loss: Tensor::new(loss, &Device::Cpu)?, gradient })
    }

    /// A batch copied to where the model is computed, for [`Vit::pass_of`].
    ///
    /// # Errors
    /// As [`Vit::loss_and_gradient`].
    pub fn copied(&self, patches: &[f32], labels: &[u32], smoothing: f64) -> Result<DeviceBatch, VisionError> {
        self.check(patches, labels)?;
        let classes = (self.config.classes, DType::F32);
        let target = composed::primitives::targets(labels, classes, smoothing, self.device())?;
        Ok(DeviceBatch { patches: self.tensor(patches)?, target })
    }

    /// [`Vit::pass`] by composed operations, of a batch that was copied before.
    ///
    /// # Errors
    /// The batch lies on another device.
    pub fn pass_of(&self, DeviceBatch { patches, target }: &DeviceBatch) -> Result<Pass, VisionError> {
        let theta = self.parameters.theta();
        self.composing(theta, |model| {
            let loss = composed::primitives::cross_entropy_with(&model.logits(patches)?, target)?;
            let gradients = loss.backward()?;
            let gradient = gradients.get(theta).cloned().map_or_else(|| theta.zeros_like(), Ok)?;
            Ok(Pass { loss: loss.detach(), gradient })
        })
    }

    /// What `read` gives on the calling thread and on every thread that the model computes with.
    pub fn on_each_thread<T: Send>(&self, read: impl Fn() -> T + Sync) -> Vec<T> {
        let pool = match &self.engine {
            ModelEngine::Fused(fused) => fused.pool(),
            ModelEngine::Composed(pool, _) => pool.as_deref(),
        };
        let mut found = pool.map_or_else(Vec::new, |pool| pool.broadcast(|_| read()));
        found.push(read());
        found
    }

    /// Logits `[image, class]`, patches as in [`Vit::loss_and_gradient`].
    ///
    /// # Errors
    /// The shapes do not fit.
    pub fn logits(&self, patches: &[f32]) -> Result<Vec<f32>, VisionError> {
        let images = self.check(patches, &[])?;
        match &self.engine {
            ModelEngine::Fused(fused) => {
                let mut logits = vec![0.0; images * self.config.classes];
                self.with_theta(|theta| fused.logits(theta, patches, &mut logits))?;
                Ok(logits)
            }
            ModelEngine::Composed(..) => {
                let theta = self.parameters.theta().as_detached_tensor();
                let logits = self.composing(&theta, |model| Ok(model.logits(&self.tensor(patches)?)?))?;
                Ok(logits.flatten_all()?.to_vec1()?)
            }
        }
    }

    /// Shows `see` the attention of each block for one image, and its learned mask, as they are made.
    ///
    /// # Errors
    /// `patches` is not one image.
    pub fn look(&self, patches: &[f32], see: impl FnMut(usize, BlockView)) -> Result<(), VisionError> {
        self.check(patches, &[])?;
        let theta = self.parameters.theta().as_detached_tensor();
        Ok(self.composed(&theta).look(&self.tensor(patches)?, see)?)
    }

    /// What attention of every block is computed from on these images, with its output.
    pub(super) fn blocks(&self, patches: &[f32]) -> Result<Vec<(AttentionInputs, Tensor)>, VisionError> {
        self.check(patches, &[])?;
        let theta = self.parameters.theta().as_detached_tensor();
        Ok(self.composed(&theta).blocks(&self.tensor(patches)?)?)
    }

    /// The parameters of a block's feature maps, where it has any.
    pub(super) fn features(&self, block: usize) -> Result<Option<Tensor>, VisionError> {
        let name = feature_name(block);
        let is_there = self.parameters.layout().entries().iter().any(|entry| entry.name == name);
        is_there.then(|| Ok(self.parameters.view(&name)?.detach())).transpose()
    }

    /// Denominators of attention so far that were not above 0; none where the composed operations compute the model, which do
    /// not count them.
    #[must_use]
    pub fn not_positive(&self) -> Option<u64> {
        match &self.engine {
            ModelEngine::Fused(fused) => Some(fused.not_positive()),
            ModelEngine::Composed(..) => None,
        }
    }

    /// Queries, keys and values of every head of a block for one image, by tokens: `[tokens, head_dim]` each, as attention
    /// takes them (not scaled).
    ///
    /// # Errors
    /// There is no such block, or `patches` is not one image.
    pub fn attention_inputs(&self, patches: &[f32], block: usize) -> Result<Vec<[Vec<f32>; 3]>, VisionError> {
        if self.check(patches, &[])? != 1 || block >= self.config.depth {
            return Err(VisionError::Batch(format!("block {block} of {}, of one image", self.config.depth)));
        }
        let theta = self.parameters.theta().as_detached_tensor();
        let inputs = self.composed(&theta).attention_inputs(&self.tensor(patches)?, block)?;
        let of_head = |side: &Tensor, head: usize| side.get(0)?.get(head)?.flatten_all()?.to_vec1();
        let heads = (0..self.config.heads).map(|head| {
            let AttentionInputs { queries, keys, values, .. } = &inputs;
            Ok([of_head(queries, head)?, of_head(keys, head)?, of_head(values, head)?])
        });
        heads.collect()
    }

    /// Checks what the fused kernels take for granted; returns the number of images.
    fn check(&self, patches: &[f32], labels: &[u32]) -> Result<usize, VisionError> {
        let (image, classes) = (self.config.tokens() * self.config.patch_dim(), self.config.classes);
        let images = patches.len() / image;
        if images == 0 || !patches.len().is_multiple_of(image) || !(labels.is_empty() || labels.len() == images) {
            let (numbers, labels) = (patches.len(), labels.len());
            return Err(VisionError::Batch(format!("{numbers} numbers, {labels} labels, {image} numbers an image")));
        }
        match labels.iter().find(|label| **label as usize >= classes) {
            Some(label) => Err(VisionError::Batch(format!("label {label} of {classes} classes"))),
            None => Ok(images),
        }
    }

    fn tensor(&self, patches: &[f32]) -> candle_core::Result<Tensor> {
        let shape = ((), self.config.tokens(), self.config.patch_dim());
        Tensor::from_slice(patches, shape, self.device())
    }

    /// The model of composed operations with the parameters `theta`, in the precision that it is trained in.
    fn composed<'a>(&'a self, theta: &'a Tensor) -> ComposedVit<'a> {
        let precision = match &self.engine {
            ModelEngine::Fused(_) => Precision::F32,
            ModelEngine::Composed(_, precision) => *precision,
        };
        ComposedVit { config: &self.config, layout: self.parameters.layout(), theta, precision }
    }

    /// Does `work` with that model where it is computed: on the threads of its pool, or on this thread for a GPU.
    fn composing<T: Send>(
        &self,
        theta: &Tensor,
        work: impl FnOnce(&ComposedVit) -> Result<T, VisionError> + Send,
    ) -> Result<T, VisionError> {
        let model = self.composed(theta);
        match &self.engine {
            ModelEngine::Composed(Some(pool), _) => pool.install(|| work(&model)),
            _ => model.precision.during(self.device(), || work(&model)),
        }
    }

    /// Lends the numbers of θ without copying them.
    fn with_theta<T>(&self, work: impl FnOnce(&[f32]) -> T) -> Result<T, VisionError> {
        let (storage, layout) = self.parameters.theta().storage_and_layout();
        match (&*storage, layout.contiguous_offsets()) {
            (Storage::Cpu(storage), Some((start, end))) => Ok(work(&storage.as_slice()?[start..end])),
            _ => Err(VisionError::Batch("the fused kernels need their parameters on the CPU".to_owned())),
        }
    }
}
