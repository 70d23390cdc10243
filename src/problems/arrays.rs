//! Matrices from files: `.npy` (f32 or f64) and tensors of `.safetensors` files, `FILE#TENSOR`.
//!
//! What a file claims of its shape is compared with the bytes that are there before anything is allocated for it, and only
//! regular files are opened: a pipe would wait for ever, a device never end.

use crate::lab::RunError;
use crate::memory::{self, OutOfMemory};
use ndarray::Array2;
use ndarray_npy::{ReadNpyError, ReadNpyExt, ReadableElement};
use safetensors::tensor::{Dtype, TensorInfo};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Reads the matrix that the parameter `key` names by `text`, as f64; every value is finite.
///
/// # Errors
/// One line that names the parameter, the file and what is wrong: no regular file, no such tensor, another type or number of
/// axes, fewer bytes than its shape needs, no rows or columns, a value that is NaN or infinite (with its row and column).
pub fn matrix(key: &str, text: &str) -> Result<Array2<f64>, RunError> {
    let refuse = |reason: String| RunError::Input(format!("{key}: {text}: {reason}"));
    let matrix = MatrixFile::of(text).and_then(|mut file| file.read()).map_err(refuse)?;
    if matrix.is_empty() {
        return Err(refuse(format!(
            "{} × {} values, allowed: at least one row and column",
            matrix.nrows(),
            matrix.ncols()
        )));
    }
    if let Some(((row, column), value)) = matrix.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Err(refuse(format!("{value} in row {row}, column {column} (counted from 0), allowed: finite numbers")));
    }
    Ok(matrix)
}

/// The rows and columns of the matrix that [`matrix`] would read, from the head of its file; none where that cannot be read.
pub fn shape(text: &str) -> Option<(usize, usize)> {
    MatrixFile::of(text).ok().map(|file| file.shape)
}

/// Where a matrix lies: an open file with what its head says.
struct MatrixFile {
    file: File,
    shape: (usize, usize),
    kind: Encoding,
}

enum Encoding {
    /// Numbers as in the head of the `.npy` file.
    Npy { wide: bool },
    /// Numbers of this type from this byte of a `.safetensors` file on.
    Tensor { dtype: Dtype, start: u64 },
}

impl MatrixFile {
    fn of(text: &str) -> Result<Self, String> {
        let (path, tensor) = match text.rsplit_once('#') {
            Some((path, tensor)) => (path, Some(tensor)),
            None => (text, None),
        };
        let (file, bytes) = open(Path::new(path))?;
        if tensor.is_some() || path.ends_with(".safetensors") {
            Self::of_tensor(file, bytes, tensor)
        } else {
            Self::of_npy(file, bytes)
        }
    }

    fn of_npy(mut file: File, bytes: u64) -> Result<Self, String> {
        let head = npy_head(&mut file)?;
        let number = match head.descr.as_str() {
            "<f4" | ">f4" => 4,
            "<f8" | ">f8" => 8,
            other => return Err(format!("holds numbers of type '{other}', allowed: f32 or f64 ('<f4', '<f8')")),
        };
        let [rows, columns] = <[u64; 2]>::try_from(head.shape.as_slice())
            .map_err(|_| format!("has {} axes, allowed: a matrix, with 2", head.shape.len()))?;
        let need = rows.checked_mul(columns).and_then(|count| count.checked_mul(number)).unwrap_or(u64::MAX);
        if bytes - head.length.min(bytes) < need {
            let there = bytes - head.length.min(bytes);
            return Err(format!("claims {rows} × {columns} numbers, {need} bytes, but holds {there} bytes of them"));
        }
        file.seek(SeekFrom::Start(0)).map_err(|error| error.to_string())?;
        Ok(Self { file, shape: (rows as usize, columns as usize), kind: Encoding::Npy { wide: number == 8 } })
    }

    fn of_tensor(mut file: File, bytes: u64, name: Option<&str>) -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("is no safetensors file: {error}");
        let mut head = vec![0; 8];
        file.read_exact(&mut head).map_err(|error| wrong(&error))?;
        let length = u64::from_le_bytes(head[..8].try_into().unwrap_or_default());
        if length > bytes.saturating_sub(8) {
            return Err(wrong(&format!("its head should have {length} bytes, the whole file has {bytes}")));
        }
        head.extend(memory::vec(length as usize, 0_u8, "the head of the file").map_err(|short| short.to_string())?);
        file.read_exact(&mut head[8..]).map_err(|error| wrong(&error))?;
        let entries: BTreeMap<String, serde_json::Value> =
            serde_json::from_slice(&head[8..]).map_err(|error| wrong(&error))?;
        let names: Vec<&str> = entries.keys().map(String::as_str).filter(|name| *name != "__metadata__").collect();
        let name = match (name, names.as_slice()) {
            (Some(name), _) => name,
            (None, [only]) => only,
            (None, _) => {
                return Err(format!("holds {} tensors, write FILE#TENSOR: {}", names.len(), names.join(", ")));
            }
        };
        let entry = entries.get(name).filter(|_| names.contains(&name));
        let entry = entry.ok_or_else(|| format!("has no tensor `{name}`, allowed: {}", names.join(", ")))?;
        let info = TensorInfo::deserialize(entry).map_err(|error| wrong(&error))?;
        let [rows, columns] = <[usize; 2]>::try_from(info.shape.as_slice())
            .map_err(|_| format!("tensor `{name}` has {} axes, allowed: a matrix, with 2", info.shape.len()))?;
        let number = match info.dtype {
            Dtype::F32 => 4,
            Dtype::F64 => 8,
            other => return Err(format!("holds {other:?}, allowed: F32 or F64")),
        };
        let start = (8 + length).saturating_add(info.data_offsets.0 as u64);
        let need = rows.checked_mul(columns).and_then(|count| count.checked_mul(number)).unwrap_or(usize::MAX) as u64;
        if bytes.saturating_sub(start) < need {
            let there = bytes.saturating_sub(start);
            return Err(format!(
                "tensor `{name}` claims {rows} × {columns} numbers, {need} bytes, but the file holds {there} bytes of it"
            ));
        }
        Ok(Self { file, shape: (rows, columns), kind: Encoding::Tensor { dtype: info.dtype, start } })
    }

    fn read(&mut self) -> Result<Array2<f64>, String> {
        let short = |short: OutOfMemory| short.to_string();
        match self.kind {
            Encoding::Npy { wide: true } => {
                memory::probe::<f64>(self.shape, MATRIX).map_err(short)?;
                from_npy(&self.file)
            }
            Encoding::Npy { wide: false } => {
                memory::probe::<f32>(self.shape, MATRIX).map_err(short)?;
                let single: Array2<f32> = from_npy(&self.file)?;
                let mut matrix = memory::array(self.shape, 0.0, MATRIX).map_err(short)?;
                matrix.zip_mut_with(&single, |out, value| *out = f64::from(*value));
                Ok(matrix)
            }
            Encoding::Tensor { dtype, start } => {
                let mut matrix = memory::array(self.shape, 0.0, MATRIX).map_err(short)?;
                self.file.seek(SeekFrom::Start(start)).map_err(|error| error.to_string())?;
                let mut bytes = BufReader::with_capacity(1 << 16, &self.file);
                for value in &mut matrix {
                    *value = match dtype {
                        Dtype::F32 => f64::from(f32::from_le_bytes(next(&mut bytes)?)),
                        _ => f64::from_le_bytes(next(&mut bytes)?),
                    };
                }
                Ok(matrix)
            }
        }
    }
}

/// What is short where a matrix does not fit into memory.
const MATRIX: &str = "the numbers of the file";

fn next<const N: usize>(bytes: &mut impl Read) -> Result<[u8; N], String> {
    let mut number = [0; N];
    bytes.read_exact(&mut number).map_err(|error| error.to_string())?;
    Ok(number)
}

/// Opens a regular file; its size in bytes with it.
fn open(path: &Path) -> Result<(File, u64), String> {
    let facts = fs::metadata(path).map_err(|error| error.to_string())?;
    if facts.is_dir() {
        return Err("is a directory, allowed: a file".to_owned());
    }
    if !facts.is_file() {
        return Err("is a pipe or a device, allowed: a regular file".to_owned());
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    Ok((file, facts.len()))
}

fn from_npy<T: ReadableElement>(file: &File) -> Result<Array2<T>, String> {
    Array2::read_npy(BufReader::new(file)).map_err(|error| match error {
        ReadNpyError::WrongDescriptor(kind) => format!("holds {kind}, allowed: f32 or f64 ('<f4', '<f8')"),
        error => error.to_string(),
    })
}

/// The head of a `.npy` file.
struct NpyHead {
    /// The type of the numbers, as numpy writes it.
    descr: String,
    shape: Vec<u64>,
    /// Bytes before the numbers.
    length: u64,
}

/// Reads the head of a `.npy` file (format versions 1 to 3 of numpy.lib.format).
fn npy_head(file: &mut File) -> Result<NpyHead, String> {
    let wrong = |what: &str| format!("is no .npy file: {what}");
    let start: [u8; 8] = next(file).map_err(|_| wrong("it is shorter than a head"))?;
    let bytes = match (start.strip_prefix(b"\x93NUMPY"), start[6]) {
        (Some(_), 1) => u64::from(u16::from_le_bytes(next(file).map_err(|_| wrong("its head is cut"))?)),
        (Some(_), 2 | 3) => u64::from(u32::from_le_bytes(next(file).map_err(|_| wrong("its head is cut"))?)),
        (Some(_), version) => return Err(format!("is a .npy file of version {version}, allowed: 1 to 3")),
        (None, _) => return Err(wrong("it does not begin with \\x93NUMPY")),
    };
    let length = bytes + if start[6] == 1 { 10 } else { 12 };
    let mut text = String::new();
    let read = file.take(bytes.min(1 << 20)).read_to_string(&mut text).map_err(|_| wrong("its head is no text"))?;
    if (read as u64) < bytes {
        return Err(wrong("its head is cut"));
    }
    let after = |key: &str| text.split_once(key).map(|(_, rest)| rest.trim_start_matches([' ', ':']));
    let descr = after("'descr'").and_then(|rest| rest.strip_prefix('\'')?.split_once('\''));
    let shape = after("'shape'").and_then(|rest| rest.strip_prefix('(')?.split_once(')'));
    let (Some((descr, _)), Some((shape, _))) = (descr, shape) else {
        return Err(wrong("its head names no type and shape of plain numbers"));
    };
    let axes = shape.split(',').map(str::trim).filter(|axis| !axis.is_empty());
    let shape = axes.map(|axis| axis.trim_end_matches('L').parse()).collect::<Result<_, _>>();
    Ok(NpyHead { descr: descr.to_owned(), shape: shape.map_err(|_| wrong("its shape is none"))?, length })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn reads_what_numpy_writes_and_says_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let wide = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        ndarray_npy::write_npy(path("wide.npy"), &wide).unwrap();
        ndarray_npy::write_npy(path("single.npy"), &wide.mapv(|value| value as f32)).unwrap();
        assert_eq!(matrix("x", &path("wide.npy")).unwrap(), wide);
        assert_eq!(matrix("x", &path("single.npy")).unwrap(), wide);

        let said = |name: &str| matrix("x", &path(name)).unwrap_err().to_string();
        ndarray_npy::write_npy(path("whole.npy"), &array![[1_i64]]).unwrap();
        assert!(said("whole.npy").contains("allowed: f32 or f64"), "{}", said("whole.npy"));
        ndarray_npy::write_npy(path("line.npy"), &array![1.0]).unwrap();
        assert!(said("line.npy").contains("allowed: a matrix"), "{}", said("line.npy"));
        ndarray_npy::write_npy(path("nan.npy"), &array![[1.0, f64::NAN]]).unwrap();
        assert!(said("nan.npy").contains("row 0, column 1"), "{}", said("nan.npy"));
        assert!(said("none.npy").starts_with("x: "), "{}", said("none.npy"));
    }

    #[test]
    fn shapes_are_read_from_the_head_and_compared_with_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let said = |text: &str| matrix("x", text).unwrap_err().to_string();
        ndarray_npy::write_npy(path("wide.npy"), &array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).unwrap();
        assert_eq!(shape(&path("wide.npy")), Some((2, 3)));
        assert_eq!(shape(&path("none.npy")), None);
        let mut bytes = fs::read(path("wide.npy")).unwrap();
        bytes.pop();
        fs::write(path("cut.npy"), &bytes).unwrap();
        assert!(said(&path("cut.npy")).contains("claims 2 × 3 numbers, 48 bytes, but holds 47 bytes"));
        let text = String::from_utf8_lossy(&bytes).replace("(2, 3)", "(99999999, 99999999)");
        let mut huge = b"\x93NUMPY\x01\x00".to_vec();
        let head =
            text.split_once('{').map(|(_, rest)| format!("{{{}", rest.split_once('}').unwrap().0)).unwrap() + "}\n";
        huge.extend((head.len() as u16).to_le_bytes());
        huge.extend(head.bytes());
        fs::write(path("huge.npy"), huge).unwrap();
        assert!(said(&path("huge.npy")).contains("claims 99999999 × 99999999 numbers"), "{}", said(&path("huge.npy")));

        let tensor = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0].map(f32::to_le_bytes).concat();
        let write = |name: &str, shape: &str, end: usize| {
            let head = format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{end}]}}}}"#);
            let mut bytes = (head.len() as u64).to_le_bytes().to_vec();
            bytes.extend(head.bytes());
            bytes.extend(&tensor);
            fs::write(path(name), bytes).unwrap();
        };
        write("good.safetensors", "[3,2]", 24);
        assert_eq!(shape(&path("good.safetensors")), Some((3, 2)));
        let good = matrix("x", &(path("good.safetensors") + "#a")).unwrap();
        assert_eq!(good, array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        assert!(said(&(path("good.safetensors") + "#b")).contains("has no tensor `b`, allowed: a"));
        write("claims.safetensors", "[300000,200000]", 240_000_000_000);
        assert!(said(&path("claims.safetensors")).contains("but the file holds 24 bytes"));
        fs::write(path("head.safetensors"), [0xff; 12]).unwrap();
        assert!(said(&path("head.safetensors")).contains("is no safetensors file"));
    }

    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let said = |path: &Path| matrix("x", &path.display().to_string()).unwrap_err().to_string();
        assert!(said(folder.path()).contains("is a directory, allowed: a file"));
        let pipe = folder.path().join("pipe.npy");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            assert!(said(&pipe).contains("is a pipe or a device, allowed: a regular file"), "{}", said(&pipe));
        }
        assert!(said(Path::new("/dev/zero")).contains("is a pipe or a device"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), npy: bool) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(if npy { "a.npy" } else { "a.safetensors" });
            let mut content = if npy { b"\x93NUMPY\x01\x00".to_vec() } else { Vec::new() };
            content.extend(bytes);
            fs::write(&path, content).unwrap();
            let _ = matrix("x", &path.display().to_string());
        }
    }
}
