//! One array of a file, or a slice of it.

use super::bytes::{ArrayBytes, open};
use super::error::ArrayError;
use super::head::StoredArray;
use super::matrix::matrix;
use super::names::NameAndSlice;
use super::place::ArrayPlace;
use super::slice::ArraySlice;
use super::view::{StridedAxis, StridedView};
use super::{foreign, npy, npz, safetensors};
use ndarray::Array2;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// An array of two or more axes in a file, of which matrices can be read.
#[derive(Debug)]
pub struct ArrayFile {
    source: String,
    stored: StoredArray,
    view: StridedView,
    shape: Vec<usize>,
    fell_away: usize,
}

impl ArrayFile {
    /// Opens what `text` names, `PATH`, `PATH#NAME`, `PATH#[SLICE]` or `PATH#NAME[SLICE]`, and reads the head of the file.
    ///
    /// # Errors
    /// One line without the text itself: there is no regular file, it holds no arrays (what it is instead), no such name, other
    /// numbers than floats, integers or booleans, fewer bytes than its shape needs, or less than two axes are left.
    pub fn open(text: &str) -> Result<Self, ArrayError> {
        let place = ArrayPlace::of(text)?;
        let (stored, slice) = stored(&place)?;
        let mut view = match slice {
            Some(slice) => ArraySlice::parse(slice)?.of(&stored.view)?,
            None => stored.view.clone(),
        };
        let axes = view.axes.len();
        if axes < 2 {
            let left = if slice.is_some() { "is left with" } else { "has" };
            let (shape, s) = (view.shape(), if axes == 1 { "axis" } else { "axes" });
            return Err(ArrayError::Refused(format!(
                "{left} {axes} {s}, {shape:?}, allowed: a matrix, with 2, or more"
            )));
        }
        view.drop_leading_ones();
        let (shape, fell_away) = (view.shape(), axes - view.axes.len());
        Ok(Self { source: text.to_owned(), stored, view, shape, fell_away })
    }

    /// The text that names it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The lengths of its axes, two or more and none of them 0: after the slice, and without axes of length 1 at the front as
    /// long as two axes stay.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The matrix of the last two axes at this entry of the axes before them, as f64; every value is finite. The numbers of
    /// this matrix are read and no others, except that a compressed array is unpacked up to it.
    ///
    /// # Errors
    /// The index has another number of axes or is not there, the numbers do not fit into memory or cannot be read, or a value
    /// is NaN or infinite (with its row and column).
    pub fn matrix(&self, index: &[usize]) -> Result<Array2<f64>, ArrayError> {
        let leading = self.shape.len() - 2;
        if index.len() != leading || index.iter().zip(&self.shape).any(|(entry, length)| entry >= length) {
            return Err(ArrayError::Refused(if index.is_empty() {
                format!(
                    "has {} axes, {:?}, allowed: a matrix, with 2; a slice takes one: FILE#[0]",
                    leading + 2,
                    self.shape
                )
            } else {
                format!(
                    "has shape {:?}: found index {index:?}, allowed: one within {:?}",
                    self.shape,
                    &self.shape[..leading]
                )
            }));
        }
        let steps = index.iter().zip(&self.view.axes).map(|(entry, axis)| *entry as i64 * axis.stride);
        let place = if leading == 0 { String::new() } else { format!(" of matrix {index:?}") };
        let [rows, columns] = [self.view.axes[leading], self.view.axes[leading + 1]];
        self.read(self.view.offset + steps.sum::<i64>(), rows, columns, &place)
    }

    /// The axes after the slice, without those at the front that fell away.
    pub(super) const fn view(&self) -> &StridedView {
        &self.view
    }

    /// How many axes of length 1 at the front fell away.
    pub(super) const fn fell_away(&self) -> usize {
        self.fell_away
    }

    /// The matrix of two axes of the view from the number `offset` on.
    pub(super) fn read(
        &self,
        offset: i64,
        rows: StridedAxis,
        columns: StridedAxis,
        place: &str,
    ) -> Result<Array2<f64>, ArrayError> {
        matrix(&self.stored, offset, rows, columns, place)
    }
}

/// The array in the file and the slice that is taken of it, by what the file begins with.
fn stored<'a>(place: &ArrayPlace<'a>) -> Result<(StoredArray, Option<&'a str>), ArrayError> {
    let path: &Path = &place.path;
    let (file, length) = open(path).map_err(|error| match (&error, place.absence()) {
        (ArrayError::Read(_), Some(absence)) => ArrayError::Refused(absence),
        _ => error,
    })?;
    let mut start = vec![0; length.min(512) as usize];
    file.read_exact_at(&mut start, 0)?;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    if start.starts_with(npy::MAGIC) {
        let NameAndSlice { name, .. } = NameAndSlice::of(place.rest);
        if !name.is_empty() && !place.rest.starts_with('[') {
            return Err(ArrayError::Refused(format!(
                "is a .npy file, which holds one array without a name: found `{name}`, allowed: a slice in brackets"
            )));
        }
        let slice = Some(place.rest).filter(|slice| !slice.is_empty());
        return Ok((npy::array(ArrayBytes::Plain { file, start: 0, length })?, slice));
    }
    if start.starts_with(npz::MAGIC) || start.starts_with(npz::EMPTY_MAGIC) {
        return npz::array(file, place.rest);
    }
    if safetensors::is_one(&start) {
        return safetensors::array(file, length, place.rest);
    }
    match start.trim_ascii_start().first() {
        Some(b'{' | b'[') => safetensors::indexed(&file, length, path, place.rest),
        _ => Err(ArrayError::Refused(foreign::refusal(&start, &ending))),
    }
}
