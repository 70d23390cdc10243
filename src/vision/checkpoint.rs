//! A model in a safetensors file: its tensors by the names of [`Layout`](super::Layout), its shape, its input's
//! normalisation and, for an unfinished training, the optimiser's state in the metadata and in tensors of their own.

use super::config::VitConfig;
use super::dataset::Normalisation;
use super::error::VisionError;
use super::kernel::AttentionKernel;
use super::layout::Layout;
use super::parameters::Parameters;
use crate::named::Named;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The optimiser's moments in a checkpoint, `[parameters]` each.
const MOMENTS: [&str; 2] = ["optimiser.first_moment", "optimiser.second_moment"];

/// A model with what is needed to use it or to go on training it.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Its shape.
    pub config: VitConfig,
    /// Its parameters.
    pub parameters: Parameters,
    /// What its input is normalised with.
    pub normalisation: Normalisation,
    /// First and second moments of the optimiser, when training may go on.
    pub moments: Option<[Vec<f32>; 2]>,
    /// Further facts, written beside the shape: data set, training position.
    pub facts: BTreeMap<String, String>,
}

impl Checkpoint {
    /// Writes the file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, file: &Path) -> Result<(), VisionError> {
        let mut metadata: HashMap<String, String> = self.facts.clone().into_iter().collect();
        for (key, size) in sizes(&self.config) {
            metadata.insert(key.to_owned(), size.to_string());
        }
        metadata.insert("attention".to_owned(), self.config.attention.name().to_owned());
        metadata.insert("mean".to_owned(), join(&self.normalisation.mean));
        metadata.insert("deviation".to_owned(), join(&self.normalisation.deviation));

        let theta = bytes(&self.parameters.values()?);
        let moments = self.moments.as_ref().map(|moments| moments.each_ref().map(|moment| bytes(moment)));
        let layout = self.parameters.layout();
        let mut tensors = Vec::new();
        for entry in layout.entries() {
            let range = entry.range();
            tensors.push((entry.name.as_str(), entry.shape.clone(), &theta[4 * range.start..4 * range.end]));
        }
        for (name, moment) in MOMENTS.iter().zip(moments.iter().flatten()) {
            tensors.push((name, vec![layout.len()], moment));
        }
        let broken = |error: safetensors::SafeTensorError| VisionError::Checkpoint {
            file: file.to_owned(),
            reason: error.to_string(),
        };
        let views = tensors
            .into_iter()
            .map(|(name, shape, data)| Ok((name, TensorView::new(Dtype::F32, shape, data)?)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(broken)?;
        let whole = safetensors::serialize(views, Some(metadata)).map_err(broken)?;
        std::fs::write(file, whole).map_err(|error| VisionError::File { file: file.to_owned(), error })
    }

    /// Reads a file that [`Checkpoint::save`] wrote.
    ///
    /// # Errors
    /// The file cannot be read, is no safetensors file, or its tensors do not fit the shape it states.
    pub fn load(file: &Path) -> Result<Self, VisionError> {
        let whole = std::fs::read(file).map_err(|error| VisionError::File { file: file.to_owned(), error })?;
        Self::read(&whole).map_err(|reason| VisionError::Checkpoint { file: file.to_owned(), reason })
    }

    fn read(whole: &[u8]) -> Result<Self, String> {
        let (_, header) = SafeTensors::read_metadata(whole).map_err(|error| error.to_string())?;
        let file = SafeTensors::deserialize(whole).map_err(|error| error.to_string())?;
        let mut facts: BTreeMap<String, String> = header.metadata().clone().unwrap_or_default().into_iter().collect();
        let config = config(&mut facts)?;
        let normalisation = Normalisation {
            mean: numbers(&mut facts, "mean", config.channels)?,
            deviation: numbers(&mut facts, "deviation", config.channels)?,
        };
        let layout = Layout::new(&config);
        let mut theta = Vec::with_capacity(layout.len());
        for entry in layout.entries() {
            theta.extend(tensor(&file, &entry.name, &entry.shape)?);
        }
        let moments = match MOMENTS.map(|name| tensor(&file, name, &[layout.len()])) {
            [Ok(first), Ok(second)] => Some([first, second]),
            _ => None,
        };
        let parameters = Parameters::from_values(layout, theta).map_err(|error| error.to_string())?;
        Ok(Self { config, parameters, normalisation, moments, facts })
    }
}

/// The shape of a model as it stands in the metadata.
fn sizes(config: &VitConfig) -> [(&'static str, usize); 8] {
    [
        ("channels", config.channels),
        ("image_size", config.image_size),
        ("patch", config.patch),
        ("dim", config.dim),
        ("depth", config.depth),
        ("heads", config.heads),
        ("mlp_ratio", config.mlp_ratio),
        ("classes", config.classes),
    ]
}

fn take(facts: &mut BTreeMap<String, String>, key: &str) -> Result<String, String> {
    facts.remove(key).ok_or_else(|| format!("the metadata has no `{key}`"))
}

fn config(facts: &mut BTreeMap<String, String>) -> Result<VitConfig, String> {
    // Far above every real model, far below what would overflow a product of two.
    const LARGEST: usize = 1 << 20;
    let mut size = |key: &str| {
        let text = take(facts, key)?;
        match text.parse() {
            Ok(size @ 1..=LARGEST) => Ok(size),
            _ => Err(format!("`{key}` in the metadata is `{text}`, not a size")),
        }
    };
    let config = VitConfig {
        channels: size("channels")?,
        image_size: size("image_size")?,
        patch: size("patch")?,
        dim: size("dim")?,
        depth: size("depth")?,
        heads: size("heads")?,
        mlp_ratio: size("mlp_ratio")?,
        classes: size("classes")?,
        attention: {
            let name = take(facts, "attention")?;
            AttentionKernel::parse(&name).map_err(|error| format!("`attention` in the metadata: {error}"))?
        },
    };
    config.check().map_err(|error| error.to_string())?;
    Ok(config)
}

fn numbers(facts: &mut BTreeMap<String, String>, key: &str, count: usize) -> Result<Vec<f32>, String> {
    let text = take(facts, key)?;
    let numbers: Vec<f32> = text.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    if numbers.len() == count && numbers.iter().all(|number| number.is_finite()) {
        Ok(numbers)
    } else {
        Err(format!("`{key}` in the metadata is `{text}`, not {count} numbers"))
    }
}

fn tensor(file: &SafeTensors, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
    let view = file.tensor(name).map_err(|error| error.to_string())?;
    if view.dtype() != Dtype::F32 || view.shape() != shape {
        return Err(format!("`{name}` is {:?} {:?}, expected F32 {shape:?}", view.dtype(), view.shape()));
    }
    let (values, _) = view.data().as_chunks::<4>();
    Ok(values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Shortest decimal forms, which read back to the same numbers.
fn join(values: &[f32]) -> String {
    values.iter().map(f32::to_string).collect::<Vec<_>>().join(",")
}
