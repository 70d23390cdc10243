//! Matrices from files: `.npy` (f32 or f64) and tensors of `.safetensors` files, `FILE#TENSOR`.

use crate::lab::RunError;
use ndarray::Array2;
use ndarray_npy::{ReadNpyError, read_npy};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use std::fs;
use std::path::Path;

/// Reads the matrix that the parameter `key` names by `text`, as f64; every value is finite.
///
/// # Errors
/// One line that names the parameter, the file and what is wrong: no such file or tensor, another type or number of
/// axes, no rows or columns, a value that is NaN or infinite (with its row and column).
pub fn matrix(key: &str, text: &str) -> Result<Array2<f64>, RunError> {
    let refuse = |reason: String| RunError::Input(format!("{key}: {text}: {reason}"));
    let (file, tensor) = match text.rsplit_once('#') {
        Some((file, tensor)) => (file, Some(tensor)),
        None => (text, None),
    };
    let found = if tensor.is_some() || file.ends_with(".safetensors") {
        from_safetensors(Path::new(file), tensor)
    } else {
        from_npy(Path::new(file))
    };
    let matrix = found.map_err(refuse)?;
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

fn from_npy(path: &Path) -> Result<Array2<f64>, String> {
    match read_npy::<_, Array2<f64>>(path) {
        Ok(matrix) => Ok(matrix),
        Err(ReadNpyError::WrongDescriptor(_)) => match read_npy::<_, Array2<f32>>(path) {
            Ok(matrix) => Ok(matrix.mapv(f64::from)),
            Err(ReadNpyError::WrongDescriptor(kind)) => {
                Err(format!("holds {kind}, allowed: f32 or f64 ('<f4', '<f8')"))
            }
            Err(error) => Err(error.to_string()),
        },
        Err(ReadNpyError::WrongNdim(_, found)) => Err(format!("has {found} axes, allowed: a matrix, with 2")),
        Err(error) => Err(error.to_string()),
    }
}

fn from_safetensors(path: &Path, name: Option<&str>) -> Result<Array2<f64>, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| format!("is no safetensors file: {error}"))?;
    let names = tensors.names();
    let name = match (name, names.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only,
        (None, _) => return Err(format!("holds {} tensors, write FILE#TENSOR: {}", names.len(), names.join(", "))),
    };
    let tensor = tensors.tensor(name).map_err(|_| format!("has no tensor `{name}`, allowed: {}", names.join(", ")))?;
    let [rows, columns] = <[usize; 2]>::try_from(tensor.shape())
        .map_err(|_| format!("tensor `{name}` has {} axes, allowed: a matrix, with 2", tensor.shape().len()))?;
    Array2::from_shape_vec((rows, columns), values(&tensor)?).map_err(|error| error.to_string())
}

fn values(tensor: &TensorView<'_>) -> Result<Vec<f64>, String> {
    let data = tensor.data();
    match tensor.dtype() {
        Dtype::F32 => Ok(data.as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect()),
        Dtype::F64 => Ok(data.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()),
        other => Err(format!("holds {other:?}, allowed: F32 or F64")),
    }
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
