//! Starting a model from the parameters of another one, whose attention may be another.

use super::config::VitConfig;
use super::error::{Misfit, VisionError};
use super::layout::Layout;
use super::model::Vit;
use super::parameters::Parameters;
use std::ops::Range;

/// Which tensors a model takes from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Where a tensor goes in θ, and where it comes from.
    taken: Vec<(Range<usize>, Range<usize>)>,
    /// Tensors that start anew.
    pub anew: Vec<String>,
    /// Tensors of the other model that have no place in this one.
    pub left: Vec<String>,
}

impl Transfer {
    /// What a model of shape `into` takes from one of shape `from`: every tensor of the same name and shape. The parameters of
    /// feature maps are taken where both attend alike, and start anew otherwise. The head is taken with `same_classes`, and
    /// starts anew otherwise.
    ///
    /// # Errors
    /// Another tensor has another shape, or is not there.
    pub fn new(into: &VitConfig, from: &VitConfig, same_classes: bool) -> Result<Self, Misfit> {
        let (ours, theirs) = (Layout::new(into), Layout::new(from));
        let same_attention = into.attention == from.attention;
        let mut transfer = Self { taken: Vec::new(), anew: Vec::new(), left: Vec::new() };
        for entry in ours.entries() {
            let found = theirs.entries().iter().find(|other| other.name == entry.name);
            if entry.name.starts_with("head.") && !same_classes
                || entry.name.ends_with(".attention.feature") && !same_attention
            {
                transfer.anew.push(entry.name.clone());
                continue;
            }
            match found {
                Some(other) if other.shape == entry.shape => transfer.taken.push((entry.range(), other.range())),
                other => {
                    let found = other.map_or_else(|| "not there".to_owned(), |other| format!("{:?}", other.shape));
                    let expected = format!("{:?}", entry.shape);
                    return Err(Misfit { tensor: entry.name.clone(), found, expected });
                }
            }
        }
        let known = |name: &str| ours.entries().iter().any(|entry| entry.name == name);
        let gone = theirs.entries().iter().filter(|entry| !known(&entry.name));
        transfer.left.extend(gone.map(|entry| entry.name.clone()));
        Ok(transfer)
    }

    /// Parameters that are `fresh` but for what is taken from `from`.
    ///
    /// # Errors
    /// The device fails.
    pub fn apply(&self, fresh: &Parameters, from: &Parameters) -> Result<Parameters, VisionError> {
        let (mut values, source) = (fresh.values()?, from.values()?);
        for (into, taken) in &self.taken {
            values[into.clone()].copy_from_slice(&source[taken.clone()]);
        }
        Parameters::from_values(fresh.layout().clone(), values)
    }
}

impl Vit {
    /// This model with the attention of `config`, whose shape is the same otherwise, on as many threads. Tensors that both have
    /// are taken; others, as what random features draw, are zero.
    ///
    /// # Errors
    /// The shape is another, or the device fails.
    pub fn attending(&self, config: &VitConfig) -> Result<Self, VisionError> {
        let transfer = Transfer::new(config, self.config(), true)?;
        let parameters = transfer.apply(&Parameters::zeros(config)?, self.parameters())?;
        self.with(config.clone(), parameters)
    }
}
