//! `.safetensors` files, and the index of a model that lies in several of them.

use super::bytes::{ArrayBytes, open};
use super::error::ArrayError;
use super::head::StoredArray;
use super::names::choose;
use super::number::NumberEncoding;
use crate::memory;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path};

/// The longest head that the format allows, in bytes.
const LONGEST: u64 = 100_000_000;

/// One tensor as the head describes it.
#[derive(Deserialize)]
struct TensorEntry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// A head: tensors by name.
struct TensorHead(BTreeMap<String, TensorEntry>);

impl<'de> Deserialize<'de> for TensorHead {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = TensorHead;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tensors by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TensorHead, A::Error> {
                let mut tensors = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        tensors.insert(name, map.next_value()?);
                    }
                }
                Ok(TensorHead(tensors))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// Whether a file that begins with `start` has the head of a safetensors file, be it cut.
pub(super) fn is_one(start: &[u8]) -> bool {
    match start.split_first_chunk() {
        Some((head, rest)) => u64::from_le_bytes(*head) <= LONGEST && rest.first() == Some(&b'{'),
        None => false,
    }
}

/// The tensor that `text` names in a file of `length` bytes, and the slice that is taken of it.
///
/// # Errors
/// It is no safetensors file, has no such tensor, or the tensor holds other numbers or fewer than its shape needs.
pub(super) fn array(file: File, length: u64, text: &str) -> Result<(StoredArray, Option<&str>), ArrayError> {
    let wrong = |error: &dyn fmt::Display| ArrayError::Refused(format!("is no safetensors file: {error}"));
    let mut head = [0; 8];
    file.read_exact_at(&mut head, 0).map_err(|_| wrong(&"it is shorter than a head"))?;
    let claimed = u64::from_le_bytes(head);
    if claimed > length.saturating_sub(8) {
        return Err(wrong(&format!("its head should have {claimed} bytes, the whole file has {length}")));
    }
    if claimed > LONGEST {
        return Err(wrong(&format!("its head has {claimed} bytes, allowed: up to {LONGEST}")));
    }
    let mut head = memory::vec(claimed as usize, 0_u8, "the head of the file")?;
    file.read_exact_at(&mut head, 8)?;
    let TensorHead(tensors) = serde_json::from_slice(&head).map_err(|error| wrong(&error))?;
    let names: Vec<&str> = tensors.keys().map(String::as_str).collect();
    let (place, slice) = choose("tensor", &names, text)?;
    let (name, start) = (names[place], 8 + claimed);
    let in_tensor = |error: ArrayError| match error {
        ArrayError::Refused(reason) => ArrayError::Refused(format!("tensor `{name}` {reason}")),
        error => error,
    };
    stored(file, (start, length - start), &tensors[name]).map_err(in_tensor).map(|stored| (stored, slice))
}

/// The tensor `entry` of a file whose numbers begin at a byte and are so many bytes.
fn stored(file: File, (start, bytes): (u64, u64), entry: &TensorEntry) -> Result<StoredArray, ArrayError> {
    let encoding = NumberEncoding::of_safetensors(&entry.dtype)?;
    let (first, end) = entry.data_offsets;
    let first = first.min(bytes);
    let plain = ArrayBytes::Plain { file, start: start + first, length: end.min(bytes).saturating_sub(first) };
    StoredArray::new(plain, 0, encoding, &entry.shape, false)
}

/// The index of a model in several files, as Hugging Face writes it.
#[derive(Deserialize)]
struct ModelIndex {
    weight_map: BTreeMap<String, String>,
}

/// The tensor that `text` names in the index `file` of `length` bytes at `path`, and the slice that is taken of it.
///
/// # Errors
/// It is no index, has no such tensor, names a file that does not lie beside it, or that file cannot be read.
pub(super) fn indexed<'a>(
    file: &File,
    length: u64,
    path: &Path,
    text: &'a str,
) -> Result<(StoredArray, Option<&'a str>), ArrayError> {
    if length > LONGEST {
        return Err(ArrayError::Refused(format!("is JSON of {length} bytes, allowed: an index of up to {LONGEST}")));
    }
    let mut json = memory::vec(length as usize, 0_u8, "the index of the model")?;
    file.read_exact_at(&mut json, 0)?;
    let ModelIndex { weight_map } = serde_json::from_slice(&json).map_err(|error| {
        ArrayError::Refused(format!(
            "is JSON, allowed: of JSON files only an index of safetensors (weight_map): {error}"
        ))
    })?;
    let names: Vec<&str> = weight_map.keys().map(String::as_str).collect();
    let (place, slice) = choose("tensor", &names, text)?;
    let (name, beside) = (names[place], &weight_map[names[place]]);
    let mut parts = Path::new(beside).components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == beside.as_str()) {
        return Err(ArrayError::Refused(format!(
            "says that tensor `{name}` lies in `{beside}`, allowed: the name of a file beside the index"
        )));
    }
    let in_part = |error: ArrayError| match error {
        ArrayError::Memory(error) => ArrayError::Memory(error),
        error => ArrayError::Refused(format!("tensor `{name}` lies in {beside}, which {}", phrase(&error))),
    };
    let (file, length) = open(&path.with_file_name(beside)).map_err(in_part)?;
    array(file, length, name).map(|(stored, _)| (stored, slice)).map_err(in_part)
}

/// An error as the end of a sentence about a file.
fn phrase(error: &ArrayError) -> String {
    match error {
        ArrayError::Read(error) => format!("cannot be read: {error}"),
        error => error.to_string(),
    }
}
