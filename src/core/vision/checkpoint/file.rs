//! A model in a safetensors file: its tensors by the names of [`Layout`](crate::vision::Layout), its shape, its input's
//! normalisation and, for an unfinished training, the optimiser's state in the metadata and in tensors of their own.

use super::attention::{self, take};
use crate::arrays::known_kind;
use crate::vision::config::{BlockSet, VitConfig};
use crate::vision::dataset::Normalisation;
use crate::vision::error::VisionError;
use crate::vision::layout::Layout;
use crate::vision::parameters::Parameters;
use crate::vision::room::reserve;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The optimiser's moments in a checkpoint, `[parameters]` each.
const MOMENTS: [&str; 2] = ["optimiser.first_moment", "optimiser.second_moment"];

/// All parameters as they were at the best evaluation so far, `[parameters]`.
const BEST: &str = "training.best";

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
    /// All parameters at the best evaluation so far, of an unfinished training that is to end with them.
    pub best: Option<Vec<f32>>,
    /// Further facts, written beside the shape: data set, training position.
    pub facts: BTreeMap<String, String>,
}

impl Checkpoint {
    /// Writes the file, tensor by tensor.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, file: &Path) -> Result<(), VisionError> {
        let mut metadata: HashMap<String, String> = self.facts.clone().into_iter().collect();
        for (key, size) in sizes(&self.config) {
            metadata.insert(key.to_owned(), size.to_string());
        }
        metadata.extend(attention::facts(self.config.attention));
        if self.config.mask_dim > 0 {
            metadata.insert(MASK_DIM.to_owned(), self.config.mask_dim.to_string());
        }
        metadata.insert("mean".to_owned(), join(&self.normalisation.mean));
        metadata.insert("deviation".to_owned(), join(&self.normalisation.deviation));

        let theta = self.parameters.values()?;
        let layout = self.parameters.layout();
        let mut tensors: Vec<(&str, Vec<usize>, &[f32])> = Vec::new();
        for entry in layout.entries() {
            tensors.push((entry.name.as_str(), entry.shape.clone(), &theta[entry.range()]));
        }
        for (name, moment) in MOMENTS.iter().zip(self.moments.iter().flatten()) {
            tensors.push((name, vec![layout.len()], moment));
        }
        if let Some(best) = &self.best {
            tensors.push((BEST, vec![layout.len()], best));
        }
        tensors.sort_by_key(|(name, ..)| *name);
        let mut offset = 0;
        let entries = tensors.iter().map(|(name, shape, values)| {
            let data_offsets = (offset, offset + 4 * values.len());
            offset = data_offsets.1;
            ((*name).to_owned(), TensorInfo { dtype: Dtype::F32, shape: shape.clone(), data_offsets })
        });
        let header = Metadata::new(Some(metadata), entries.collect())
            .map_err(|error| error.to_string())
            .and_then(|header| serde_json::to_string(&header).map_err(|error| error.to_string()))
            .map(padded)
            .map_err(|reason| VisionError::Checkpoint { file: file.to_owned(), reason })?;
        let write = || {
            let mut out = BufWriter::with_capacity(1 << 20, File::create(file)?);
            out.write_all(&(header.len() as u64).to_le_bytes())?;
            out.write_all(header.as_bytes())?;
            let mut bytes = Vec::with_capacity(1 << 16);
            for values in tensors.iter().flat_map(|(.., values)| values.chunks(1 << 14)) {
                bytes.clear();
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                out.write_all(&bytes)?;
            }
            out.flush()
        };
        write().map_err(|source| VisionError::File { file: file.to_owned(), action: "write", source })
    }

    /// Reads a file that [`Checkpoint::save`] wrote. What its header claims is compared with the size of the file before
    /// anything is allocated.
    ///
    /// # Errors
    /// The file cannot be read, is no safetensors file, or its tensors do not fit the shape it states.
    pub fn load(file: &Path) -> Result<Self, VisionError> {
        opened(file, Self::read)
    }

    /// The shape of the model in a file that [`Checkpoint::save`] wrote, from the head of the file alone.
    ///
    /// # Errors
    /// As [`Checkpoint::load`], as far as the head shows it.
    pub fn shape(file: &Path) -> Result<VitConfig, VisionError> {
        opened(file, |file, len| Ok(head(&Tensors::new(file, len)?, len)?.0))
    }

    fn read(file: &File, len: u64) -> Result<Self, String> {
        let tensors = Tensors::new(file, len)?;
        let (config, mut facts) = head(&tensors, len)?;
        let normalisation = Normalisation {
            mean: numbers(&mut facts, "mean", config.channels)?,
            deviation: numbers(&mut facts, "deviation", config.channels)?,
        };
        let layout = Layout::new(&config);
        let mut theta = reserve(layout.len()).map_err(|error| error.to_string())?;
        for entry in layout.entries() {
            tensors.read(&entry.name, &entry.shape, &mut theta)?;
        }
        let vector = |name| {
            let mut values = reserve(layout.len()).map_err(|error| error.to_string())?;
            tensors.read(name, &[layout.len()], &mut values)?;
            Ok::<_, String>(values)
        };
        let moments = match MOMENTS.map(vector) {
            [Ok(first), Ok(second)] => Some([first, second]),
            _ => None,
        };
        let best = tensors.header.info(BEST).is_some().then(|| vector(BEST)).transpose()?;
        let parameters = Parameters::from_values(layout, theta).map_err(|error| error.to_string())?;
        Ok(Self { config, parameters, normalisation, moments, best, facts })
    }
}

/// A header whose length is a multiple of 8, as the format wants it.
fn padded(mut header: String) -> String {
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    header
}

/// Bytes a header may have; that of the deepest model has a hundredth.
const LARGEST_HEADER: u64 = 32 << 20;

/// The tensors of a safetensors file, read one by one.
struct Tensors<'a> {
    file: &'a File,
    header: Metadata,
    /// Where the values begin.
    start: u64,
}

impl<'a> Tensors<'a> {
    fn new(file: &'a File, len: u64) -> Result<Self, String> {
        let mut size = [0; 8];
        file.read_exact_at(&mut size, 0).map_err(|_| format!("has {len} bytes, too few for a safetensors file"))?;
        let size = u64::from_le_bytes(size);
        if size > LARGEST_HEADER.min(len.saturating_sub(8)) {
            let mut start = [0; 64];
            let start = &mut start[..len.min(64) as usize];
            let what = file.read_exact_at(start, 0).ok().and_then(|()| known_kind(start));
            return Err(match what {
                Some(what) => {
                    format!("it is {what}; the .safetensors file of a model that `attnlab run vit` trained is expected")
                }
                None => format!("no safetensors file: a header of {size} bytes in a file of {len}"),
            });
        }
        let mut header = vec![0; size as usize];
        file.read_exact_at(&mut header, 8).map_err(|error| error.to_string())?;
        let header: Metadata =
            serde_json::from_slice(&header).map_err(|error| format!("no safetensors file: its header: {error}"))?;
        let start = 8 + size;
        let claimed = start.checked_add(header.data_len() as u64);
        if claimed != Some(len) {
            let values = header.data_len();
            return Err(format!("cut short or damaged: the header claims {values} bytes of values in a file of {len}"));
        }
        Ok(Self { file, header, start })
    }

    /// Appends the values of the tensor `name`, which has this shape; `into` has room for them.
    fn read(&self, name: &str, shape: &[usize], into: &mut Vec<f32>) -> Result<(), String> {
        let info = self.header.info(name).ok_or_else(|| format!("has no tensor `{name}`"))?;
        let (from, to) = info.data_offsets;
        let count: usize = shape.iter().product();
        if info.dtype != Dtype::F32 || info.shape != shape || to.checked_sub(from) != Some(4 * count) {
            return Err(format!("`{name}` is {:?} {:?}, expected F32 {shape:?}", info.dtype, info.shape));
        }
        let mut buffer = [0; 1 << 16];
        let mut at = self.start + from as u64;
        let mut left = 4 * count;
        while left > 0 {
            let part = &mut buffer[..left.min(1 << 16)];
            self.file.read_exact_at(part, at).map_err(|error| format!("`{name}`: {error}"))?;
            into.extend(part.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
            at += part.len() as u64;
            left -= part.len();
        }
        Ok(())
    }
}

/// Opens a regular file and reads it with its length.
fn opened<T>(file: &Path, read: impl FnOnce(&File, u64) -> Result<T, String>) -> Result<T, VisionError> {
    let refuse = |source| VisionError::File { file: file.to_owned(), action: "read", source };
    let opened = File::open(file).map_err(refuse)?;
    let about = opened.metadata().map_err(refuse)?;
    let broken = |reason| VisionError::Checkpoint { file: file.to_owned(), reason };
    if !about.is_file() {
        return Err(broken("is not a regular file".to_owned()));
    }
    read(&opened, about.len()).map_err(broken)
}

/// The shape that the metadata of a file of `len` bytes state, and what else they state.
fn head(tensors: &Tensors<'_>, len: u64) -> Result<(VitConfig, BTreeMap<String, String>), String> {
    let mut facts: BTreeMap<String, String> =
        tensors.header.metadata().clone().unwrap_or_default().into_iter().collect();
    let config = config(&mut facts)?;
    // The smallest file that such a model fits into: sizes beyond it are made up.
    let least = config.least_parameters().and_then(|least| least.checked_add(config.feature_parameters()?));
    if least.and_then(|count| count.checked_mul(4)).is_none_or(|bytes| bytes as u64 > len) {
        return Err(format!("the metadata claims a model ({config}) that is larger than the file, {len} bytes"));
    }
    Ok((config, facts))
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

fn config(facts: &mut BTreeMap<String, String>) -> Result<VitConfig, String> {
    // Far above every real model, far below what would overflow a product of three.
    const LARGEST: usize = 1 << 20;
    let mut size = |key: &str| {
        let text: String = take(facts, key)?;
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
        attention: attention::read(facts)?,
        softmax_blocks: BlockSet::NONE,
        mask_dim: match facts.remove(MASK_DIM) {
            None => 0,
            Some(text) => match text.parse() {
                Ok(size @ 1..=LARGEST) => size,
                _ => return Err(format!("`{MASK_DIM}` in the metadata is `{text}`, not a size")),
            },
        },
    };
    config.check().map_err(|error| error.to_string())?;
    Ok(config)
}

/// The key of a learned mask's coordinates in the metadata of models that have one.
const MASK_DIM: &str = "mask_dim";

fn numbers(facts: &mut BTreeMap<String, String>, key: &str, count: usize) -> Result<Vec<f32>, String> {
    let text: String = take(facts, key)?;
    let numbers: Vec<f32> = text.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    if numbers.len() == count && numbers.iter().all(|number| number.is_finite()) {
        Ok(numbers)
    } else {
        Err(format!("`{key}` in the metadata is `{text}`, not {count} numbers"))
    }
}

/// Shortest decimal forms, which read back to the same numbers.
fn join(values: &[f32]) -> String {
    values.iter().map(f32::to_string).collect::<Vec<_>>().join(",")
}
