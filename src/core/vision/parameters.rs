//! The trainable parameters of a model: one flat vector, owned by candle.

use super::config::VitConfig;
use super::error::VisionError;
use super::layout::{Init, Layout, LayoutEntry, feature_name};
use super::room::{reserve, zeros};
use crate::attention::AttentionError;
use crate::random::{Generator, generator};
use candle_core::{Device, Tensor, Var};
use rand::Rng;
use rand_distr::{Distribution, Normal};

/// θ with the layout that names its parts.
#[derive(Clone, Debug)]
pub struct Parameters {
    layout: Layout,
    theta: Var,
}

impl Parameters {
    /// Fresh parameters. Every tensor draws from a generator named after it, so that models which share a tensor's name
    /// and shape start it alike under the same `seed`, whatever else they have.
    ///
    /// # Errors
    /// The sizes of `config` do not fit together, or there is no memory for so many parameters.
    pub fn new(config: &VitConfig, seed: u64) -> Result<Self, VisionError> {
        config.check()?;
        let layout = Layout::new(config);
        let mut values = reserve(layout.len())?;
        layout.entries().iter().for_each(|entry| start(entry, seed, &mut values));
        let parameters = Self::from_values(layout, values)?;
        parameters.redraw(config, seed, 0)?;
        Ok(parameters)
    }

    /// Parameters that are all zero.
    ///
    /// # Errors
    /// There is no memory for so many.
    pub(super) fn zeros(config: &VitConfig) -> Result<Self, VisionError> {
        let layout = Layout::new(config);
        let values = zeros(layout.len())?;
        Self::from_values(layout, values)
    }

    /// Draws the projections of random features anew: draw number `draw` under `seed`, of which number 0 is the one that
    /// [`Parameters::new`] makes. Other parameters stay as they are.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn redraw(&self, config: &VitConfig, seed: u64, draw: u64) -> Result<(), VisionError> {
        let Some(map) = config.attention.favor() else { return Ok(()) };
        self.draw_features(config, seed, draw, |_, random| map.draw(config.head_dim(), random))
    }

    /// The same with parameters of each head by `head`, which is told its block and number and given its generator.
    ///
    /// # Errors
    /// Those of `head`.
    pub fn draw_features(
        &self,
        config: &VitConfig,
        seed: u64,
        draw: u64,
        head: impl Fn((usize, usize), &mut Generator) -> Result<Vec<f32>, AttentionError>,
    ) -> Result<(), VisionError> {
        let mut values = self.values()?;
        for block in 0..config.depth {
            let name = feature_name(block);
            let Some(entry) = self.layout.entries().iter().find(|entry| entry.name == name && entry.is_drawn()) else {
                continue;
            };
            for (index, row) in values[entry.range()].chunks_exact_mut(entry.shape[1]).enumerate() {
                let number = draw * entry.shape[0] as u64 + index as u64;
                row.copy_from_slice(&head((block, index), &mut generator(seed, &name, number))?);
            }
        }
        self.assign(values)
    }

    /// Parameters with these values, `layout.len()` of them in the order of `layout`.
    ///
    /// # Errors
    /// The number of values is another.
    pub fn from_values(layout: Layout, values: Vec<f32>) -> Result<Self, VisionError> {
        let theta = Var::from_vec(values, layout.len(), &Device::Cpu)?;
        Ok(Self { layout, theta })
    }

    /// Where each tensor lies.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The flat vector `[parameters]`.
    #[must_use]
    pub const fn theta(&self) -> &Var {
        &self.theta
    }

    /// A copy of the values.
    ///
    /// # Errors
    /// The device fails.
    pub fn values(&self) -> Result<Vec<f32>, VisionError> {
        Ok(self.theta.to_vec1()?)
    }

    /// Puts `values`, as many as there are, in place of those it has.
    ///
    /// # Errors
    /// The number of values is another.
    pub fn assign(&self, values: Vec<f32>) -> Result<(), VisionError> {
        Ok(self.theta.set(&Tensor::from_vec(values, self.layout.len(), self.theta.device())?)?)
    }

    /// The same values on `device`: these parameters themselves where they lie there, a copy otherwise.
    ///
    /// # Errors
    /// The device has no memory for them.
    pub fn to_device(&self, device: &Device) -> Result<Self, VisionError> {
        if self.theta.device().same_device(device) {
            return Ok(self.clone());
        }
        let theta = Var::from_tensor(&self.theta.as_detached_tensor().to_device(device)?)?;
        Ok(Self { layout: self.layout.clone(), theta })
    }

    /// The tensor called `name`, as a view of θ that gradients flow through.
    ///
    /// # Errors
    /// The device fails.
    ///
    /// # Panics
    /// There is none of that name: a mistake in the program.
    pub fn view(&self, name: &str) -> Result<Tensor, VisionError> {
        Ok(view(&self.layout, &self.theta, name)?)
    }
}

/// The tensor called `name` within the flat vector `theta`.
pub(super) fn view(layout: &Layout, theta: &Tensor, name: &str) -> candle_core::Result<Tensor> {
    let entry = layout.entry(name);
    theta.narrow(0, entry.offset, entry.len())?.reshape(entry.shape.as_slice())
}

/// Appends the first values of one tensor.
fn start(entry: &LayoutEntry, seed: u64, values: &mut Vec<f32>) {
    let mut random = generator(seed, &entry.name, 0);
    let count = entry.len();
    match &entry.init {
        Init::Zeros | Init::Drawn => values.extend(std::iter::repeat_n(0.0, count)),
        Init::Ones => values.extend(std::iter::repeat_n(1.0, count)),
        Init::Normal(deviation) => {
            let normal = Normal::new(0.0, *deviation).expect("a standard deviation is finite and not negative");
            values.extend(normal.sample_iter(random).take(count));
        }
        Init::Rows(row) => values.extend(row.iter().copied().cycle().take(count)),
        &Init::Uniform(bound) => values.extend((0..count).map(|_| random.random_range(-bound..=bound))),
    }
}
