//! The trainable parameters of a model: one flat vector, owned by candle.

use super::config::VitConfig;
use super::error::VisionError;
use super::kernel::FavorMap;
use super::layout::{Init, Layout, LayoutEntry};
use super::room::reserve;
use crate::random::generator;
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
        for entry in layout.entries() {
            start(entry, config.head_dim(), seed, &mut values)?;
        }
        Self::from_values(layout, values)
    }

    /// Draws the projections of random features anew: draw number `draw` under `seed`, of which number 0 is the one that
    /// [`Parameters::new`] makes. Other parameters stay as they are.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn redraw(&self, config: &VitConfig, seed: u64, draw: u64) -> Result<(), VisionError> {
        let mut values = self.values()?;
        for entry in self.layout.entries() {
            if let Init::Drawn(map) = entry.init {
                let rows = drawn(map, entry, config.head_dim(), (seed, draw))?;
                values[entry.range()].copy_from_slice(&rows);
            }
        }
        Ok(self.theta.set(&Tensor::from_vec(values, self.layout.len(), &Device::Cpu)?)?)
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

/// Draw number `draw` of every head of one tensor under `seed`.
fn drawn(
    map: FavorMap,
    entry: &LayoutEntry,
    head_dim: usize,
    (seed, draw): (u64, u64),
) -> Result<Vec<f32>, VisionError> {
    let heads = entry.shape[0] as u64;
    let mut rows = Vec::with_capacity(entry.len());
    for head in 0..heads {
        rows.extend(map.draw(head_dim, &mut generator(seed, &entry.name, draw * heads + head))?);
    }
    Ok(rows)
}

/// Appends the first values of one tensor.
fn start(entry: &LayoutEntry, head_dim: usize, seed: u64, values: &mut Vec<f32>) -> Result<(), VisionError> {
    let mut random = generator(seed, &entry.name, 0);
    let count = entry.len();
    match &entry.init {
        Init::Zeros => values.extend(std::iter::repeat_n(0.0, count)),
        Init::Ones => values.extend(std::iter::repeat_n(1.0, count)),
        Init::Normal(deviation) => {
            let normal = Normal::new(0.0, *deviation).expect("a standard deviation is finite and not negative");
            values.extend(normal.sample_iter(random).take(count));
        }
        Init::Rows(row) => values.extend(row.iter().copied().cycle().take(count)),
        &Init::Uniform(bound) => values.extend((0..count).map(|_| random.random_range(-bound..=bound))),
        Init::Drawn(map) => values.extend(drawn(*map, entry, head_dim, (seed, 0))?),
    }
    Ok(())
}
