//! A model ready to run: its shape and parameters, and how they are computed.

use super::{Parameters, VisionError, VitConfig, composed};
use candle_core::{Device, Tensor};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::Arc;

/// A vision transformer with its parameters and the threads that compute it.
#[derive(Clone, Debug)]
pub struct Vit {
    config: VitConfig,
    parameters: Parameters,
    pool: Arc<ThreadPool>,
}

impl Vit {
    /// A model with these parameters, computed on `threads` threads (0: one a core).
    ///
    /// # Errors
    /// The sizes of `config` do not fit together, or the system gives no threads.
    pub fn new(config: VitConfig, parameters: Parameters, threads: usize) -> Result<Self, VisionError> {
        config.check()?;
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = Arc::new(pool.map_err(|error| VisionError::Threads(error.to_string()))?);
        Ok(Self { config, parameters, pool })
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
    /// The shapes do not fit.
    pub fn loss_and_gradient(
        &self,
        patches: &[f32],
        labels: &[u32],
        smoothing: f64,
    ) -> Result<(f32, Tensor), VisionError> {
        let theta = self.parameters.theta();
        let patches = self.tensor(patches, labels.len())?;
        self.pool.install(|| {
            let logits = composed::logits(&self.config, self.parameters.layout(), theta, &patches)?;
            let loss = composed::cross_entropy(&logits, labels, smoothing)?;
            let gradients = loss.backward()?;
            let gradient = gradients.get(theta).cloned().map_or_else(|| theta.zeros_like(), Ok)?;
            Ok((loss.to_scalar()?, gradient))
        })
    }

    /// Logits `[image, class]` of `count` images, patches as in [`Vit::loss_and_gradient`].
    ///
    /// # Errors
    /// The shapes do not fit.
    pub fn logits(&self, patches: &[f32], count: usize) -> Result<Vec<f32>, VisionError> {
        let patches = self.tensor(patches, count)?;
        let theta = self.parameters.theta().as_detached_tensor();
        let layout = self.parameters.layout();
        let logits = self.pool.install(|| composed::logits(&self.config, layout, &theta, &patches))?;
        Ok(logits.flatten_all()?.to_vec1()?)
    }

    /// The attention matrices of one image: for each block `[head][row][column]`, rows summing to one.
    ///
    /// # Errors
    /// The shapes do not fit.
    pub fn attention(&self, patches: &[f32]) -> Result<Vec<Vec<f32>>, VisionError> {
        let patches = self.tensor(patches, 1)?;
        let theta = self.parameters.theta().as_detached_tensor();
        let maps = composed::attention_maps(&self.config, self.parameters.layout(), &theta, &patches)?;
        maps.iter().map(|map| Ok(map.flatten_all()?.to_vec1()?)).collect()
    }

    fn tensor(&self, patches: &[f32], count: usize) -> candle_core::Result<Tensor> {
        Tensor::from_slice(patches, (count, self.config.tokens(), self.config.patch_dim()), &Device::Cpu)
    }
}
