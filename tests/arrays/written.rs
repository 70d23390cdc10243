//! Files as other programs write them.

use attnlab::arrays::ArrayFile;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use half::{bf16, f16};
use ndarray::{Array2, ArrayD, IxDyn};
use std::fs;
use std::io::Write;
use tempfile::TempDir;

/// A folder for files.
pub struct Desk {
    folder: TempDir,
}

impl Desk {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }
}

/// The error of opening `text` or reading the matrix it names.
pub fn refusal(text: &str) -> String {
    match ArrayFile::open(text).and_then(|file| file.matrix(&[])) {
        Ok(matrix) => panic!("{text} is read: {matrix}"),
        Err(error) => error.to_string(),
    }
}

pub fn matrix(text: &str) -> Array2<f64> {
    ArrayFile::open(text).and_then(|file| file.matrix(&[])).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The numbers 0, 1, 2, … in the order of the last axis.
pub fn counted(shape: &[usize]) -> ArrayD<f64> {
    let count = shape.iter().product();
    ArrayD::from_shape_vec(IxDyn(shape), (0..count).map(|value| value as f64).collect()).unwrap()
}

/// One number little-endian, as the type that safetensors calls so.
pub fn number(kind: &str, value: f64) -> Vec<u8> {
    match kind {
        "BOOL" | "U8" => vec![value as u8],
        "I8" => (value as i8).to_le_bytes().to_vec(),
        "I16" => (value as i16).to_le_bytes().to_vec(),
        "U16" => (value as u16).to_le_bytes().to_vec(),
        "I32" => (value as i32).to_le_bytes().to_vec(),
        "U32" => (value as u32).to_le_bytes().to_vec(),
        "I64" => (value as i64).to_le_bytes().to_vec(),
        "U64" => (value as u64).to_le_bytes().to_vec(),
        "F16" => f16::from_f64(value).to_le_bytes().to_vec(),
        "BF16" => bf16::from_f64(value).to_le_bytes().to_vec(),
        "F32" => (value as f32).to_le_bytes().to_vec(),
        "F64" => value.to_le_bytes().to_vec(),
        other => panic!("no type {other}"),
    }
}

/// The bytes of `array` as numbers of a type, in the order of the last axis.
pub fn numbers(kind: &str, array: &ArrayD<f64>) -> Vec<u8> {
    array.iter().flat_map(|value| number(kind, *value)).collect()
}

/// A `.npy` file with this head.
pub fn npy_with(version: u8, head: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    let before = if version == 1 { 10 } else { 12 };
    let padding = (64 - (before + head.len() + 1) % 64) % 64;
    let text = format!("{head}{}\n", " ".repeat(padding));
    match version {
        1 => bytes.extend((text.len() as u16).to_le_bytes()),
        _ => bytes.extend((text.len() as u32).to_le_bytes()),
    }
    bytes.extend(text.bytes());
    bytes.extend(data);
    bytes
}

/// The head of plain numbers, as numpy writes it.
pub fn npy_head(descr: &str, fortran: bool, shape: &[usize]) -> String {
    let order = if fortran { "True" } else { "False" };
    let axes: String = shape.iter().map(|length| format!("{length}, ")).collect();
    let axes = if shape.len() == 1 { axes.trim_end() } else { axes.trim_end_matches(", ") };
    format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({axes}), }}")
}

/// An array of f64 as a `.npy` file.
pub fn npy(array: &ArrayD<f64>) -> Vec<u8> {
    npy_with(1, &npy_head("<f8", false, array.shape()), &numbers("F64", array))
}

/// A `.safetensors` file of tensors: name, type, shape, numbers.
pub fn safetensors(tensors: &[(&str, &str, &[usize], Vec<u8>)]) -> Vec<u8> {
    let mut head = serde_json::Map::new();
    head.insert("__metadata__".to_owned(), serde_json::json!({"format": "pt", "shape": "of no meaning"}));
    let mut data = Vec::new();
    for (name, kind, shape, numbers) in tensors {
        let offsets = [data.len(), data.len() + numbers.len()];
        head.insert((*name).to_owned(), serde_json::json!({"dtype": kind, "shape": shape, "data_offsets": offsets}));
        data.extend(numbers);
    }
    safetensors_with(&serde_json::Value::Object(head).to_string(), &data)
}

/// A `.safetensors` file with this head.
pub fn safetensors_with(head: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (head.len() as u64).to_le_bytes().to_vec();
    bytes.extend(head.bytes());
    bytes.extend(data);
    bytes
}

/// How a member of a zip archive is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pack {
    Stored,
    Deflated,
    /// Stored, with sizes and offset in fields of 64 bits.
    Stored64,
    /// Deflated, with another number for its inflated size.
    Claims(u32),
    /// Another method of compression.
    Method(u16),
    /// Stored, marked as encrypted.
    Encrypted,
}

/// A zip archive of members: name, bytes, how it is written.
pub fn zip(members: &[(&str, &[u8], Pack)]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    let wide = members.iter().any(|(_, _, pack)| *pack == Pack::Stored64);
    for (name, content, pack) in members {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let (method, data) = match pack {
            Pack::Deflated | Pack::Claims(_) => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(content).unwrap();
                (8, encoder.finish().unwrap())
            }
            Pack::Method(method) => (*method, content.to_vec()),
            _ => (0, content.to_vec()),
        };
        let size = if let Pack::Claims(size) = pack { u64::from(*size) } else { content.len() as u64 };
        let (offset, packed, flags) = (bytes.len() as u64, data.len() as u64, u16::from(*pack == Pack::Encrypted));
        let narrow = |value: u64| if *pack == Pack::Stored64 { u32::MAX } else { value as u32 };
        let extra = |values: &[u64]| {
            let mut field = 1_u16.to_le_bytes().to_vec();
            field.extend((8 * values.len() as u16).to_le_bytes());
            values.iter().for_each(|value| field.extend(value.to_le_bytes()));
            if *pack == Pack::Stored64 { field } else { Vec::new() }
        };
        let common = |extra: &[u8]| {
            let mut part = 20_u16.to_le_bytes().to_vec();
            part.extend([flags, method, 0, 33].iter().flat_map(|value| value.to_le_bytes()));
            part.extend([crc.sum(), narrow(packed), narrow(size)].iter().flat_map(|value| value.to_le_bytes()));
            part.extend([name.len() as u16, extra.len() as u16].iter().flat_map(|value| value.to_le_bytes()));
            part
        };
        let local = extra(&[size, packed]);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(common(&local));
        bytes.extend(name.bytes().chain(local).chain(data));
        let central = extra(&[size, packed, offset]);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(common(&central));
        directory.extend([0; 10]);
        directory.extend(narrow(offset).to_le_bytes());
        directory.extend(name.bytes().chain(central));
    }
    let (start, count) = (bytes.len() as u64, members.len() as u64);
    bytes.extend(&directory);
    if wide {
        let end = bytes.len() as u64;
        bytes.extend(b"PK\x06\x06");
        bytes.extend(44_u64.to_le_bytes());
        bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([count, count, directory.len() as u64, start].iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend(b"PK\x06\x07\0\0\0\0");
        bytes.extend(end.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
    }
    let narrow = |value: u64| if wide { u32::MAX } else { value as u32 };
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([count as u16, count as u16].iter().flat_map(|value| value.to_le_bytes()));
    bytes.extend([narrow(directory.len() as u64), narrow(start)].iter().flat_map(|value| value.to_le_bytes()));
    bytes.extend([0, 0]);
    bytes
}
