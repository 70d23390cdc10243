//! Matrices that parameters name: the readers of [`crate::arrays`] with the errors of a run.

use crate::arrays::ArrayFile;
use crate::lab::RunError;
use ndarray::Array2;

/// Reads the matrix that the parameter `key` names by `text`, as f64; every value is finite.
///
/// # Errors
/// One line that names the parameter, the text and what is wrong, see [`ArrayFile::open`] and [`ArrayFile::matrix`].
pub fn matrix(key: &str, text: &str) -> Result<Array2<f64>, RunError> {
    ArrayFile::open(text)
        .and_then(|file| file.matrix(&[]))
        .map_err(|reason| RunError::Input(format!("{key}: {text}: {reason}")))
}
