//! Mask vectors from array files: one matrix for all heads, or layers and heads as the queries have them.

use crate::arrays::{ArrayError, ArrayFile, HeadGroups, HeadsFile, HeadsLayout, Transpose, grouped};
use crate::lab::{Params, RunError};
use crate::problems::inputs::params::{FILE, QUERIES};
use crate::problems::inputs::{HeadPlace, heads_layout};
use ndarray::Array2;

/// The open files of both sides.
pub(super) struct MaskFiles {
    queries: MaskSide,
    keys: MaskSide,
}

/// The masks of the queries or of the keys.
struct MaskSide {
    /// The parameter that names the file.
    key: &'static str,
    file: HeadsFile,
    /// How the heads of the queries share those of the masks; none where the queries are in no file.
    groups: Option<HeadGroups>,
}

impl MaskFiles {
    /// Opens the files that `params` name and reads their heads.
    ///
    /// # Errors
    /// Names the parameter whose file cannot be read or does not fit the queries.
    pub fn open(params: &Params) -> Result<Self, RunError> {
        let layout = heads_layout(params);
        let tokens = match params.texts("inputs").contains(&FILE) {
            true => {
                let text = params.text(QUERIES.key);
                Some(HeadsFile::open(text, layout).map_err(|error| refuse(QUERIES.key, text, &error))?)
            }
            false => None,
        };
        let queries = MaskSide::open("mask_queries", layout, tokens.as_ref(), params)?;
        // Masks that several heads of queries share lie side by side in fewer columns.
        let fewer = layout.heads.map(|heads| {
            let file = ArrayFile::open(params.text("mask_keys")).ok();
            let columns = file.and_then(|file| file.shape().last().copied());
            columns.map_or(heads, |columns| (columns / queries.file.dim()).clamp(1, heads))
        });
        let keys = MaskSide::open("mask_keys", HeadsLayout { heads: fewer, ..layout }, tokens.as_ref(), params)?;
        if queries.file.dim() != keys.file.dim() {
            let (found, expected) = (keys.file.dim(), queries.file.dim());
            let text = format!("mask_keys: found {found} columns, allowed: {expected}, as mask_queries");
            return Err(RunError::Input(text));
        }
        Ok(Self { queries, keys })
    }

    /// The length of a mask vector.
    pub const fn dim(&self) -> usize {
        self.queries.file.dim()
    }

    /// The vectors of queries and keys of one head, each tokens×d_v.
    ///
    /// # Errors
    /// The files have no such layer or head, or their numbers cannot be read.
    pub fn read(&self, place: &HeadPlace, params: &Params) -> Result<[Array2<f64>; 2], RunError> {
        Ok([self.queries.read(place, params)?, self.keys.read(place, params)?])
    }
}

impl MaskSide {
    fn open(
        key: &'static str,
        layout: HeadsLayout,
        tokens: Option<&HeadsFile>,
        params: &Params,
    ) -> Result<Self, RunError> {
        let text = params.text(key);
        let refused = |error: &ArrayError| refuse(key, text, error);
        let axes = ArrayFile::open(text).map_err(|error| refused(&error))?.shape().len();
        let layout = HeadsLayout {
            heads: layout.heads,
            // One matrix is that of every entry of a batch.
            batch: layout.batch.filter(|_| axes > 2),
            // There are as many rows as tokens, so nothing is left to ask.
            transpose: if layout.transpose == Transpose::Yes { Transpose::Yes } else { Transpose::No },
        };
        let file = HeadsFile::open(text, layout).map_err(|error| refused(&error))?;
        if let Some(tokens) = tokens
            && file.layers() > 1
            && file.layers() != tokens.layers()
        {
            let (found, expected) = (file.layers(), tokens.layers());
            return Err(RunError::Input(format!(
                "{key}: {text}: has {found} layers, allowed: {expected}, as the queries have, or one for all"
            )));
        }
        let groups = tokens.map(|tokens| grouped(tokens, &file)).transpose().map_err(|error| refused(&error))?;
        Ok(Self { key, file, groups })
    }

    fn read(&self, place: &HeadPlace, params: &Params) -> Result<Array2<f64>, RunError> {
        let text = params.text(self.key);
        let entry = |name: &str, count: usize, entry: Option<usize>| match entry {
            _ if count == 1 => Ok(0),
            Some(entry) => Ok(entry),
            None => Err(RunError::Input(format!(
                "{}: {text}: has {count} {name}s, allowed: one, as the queries have none",
                self.key
            ))),
        };
        let layer = entry("layer", self.file.layers(), place.layer)?;
        let head = entry("head", self.file.heads(), place.head)?;
        let head = self.groups.map_or(head, |groups| groups.key_head(head));
        self.file.head(layer, head).map_err(|error| refuse(self.key, text, &error))
    }
}

fn refuse(key: &str, text: &str, error: &ArrayError) -> RunError {
    RunError::Input(format!("{key}: {text}: {error}"))
}
