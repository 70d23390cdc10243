//! Queries, keys and values from array files.

use super::params::{BATCH, FILE, HEADS, KEYS, QUERIES, TRANSPOSE, VALUES};
use crate::arrays::{ArrayFile, HeadGroups, HeadsFile, HeadsLayout, grouped};
use crate::lab::{Params, RunError};
use ndarray::Array2;

/// How the axes of all files are to be understood.
pub fn heads_layout(params: &Params) -> HeadsLayout {
    HeadsLayout {
        heads: Some(params.size(HEADS.key)).filter(|heads| *heads > 0),
        batch: params.sizes_or_all(BATCH.key).and_then(|entries| entries.first().copied()),
        transpose: params.choice(TRANSPOSE.key),
    }
}

/// Open files whose shapes fit each other.
pub(super) struct FileHeads {
    queries: HeadsFile,
    keys: HeadsFile,
    values: Option<HeadsFile>,
    groups: HeadGroups,
    value_groups: Option<HeadGroups>,
}

impl FileHeads {
    /// Opens the files that `params` name and reads their heads.
    ///
    /// # Errors
    /// Names the parameter whose file cannot be read or does not fit the others.
    pub fn open(params: &Params) -> Result<Self, RunError> {
        let layout = heads_layout(params);
        let heads = layout.heads;
        let open = |key: &str, heads: Option<usize>| -> Result<HeadsFile, RunError> {
            let text = params.text(key);
            if text.is_empty() {
                return Err(RunError::Input(format!(
                    "{key}: found `nothing`, allowed: {}, with inputs={FILE}",
                    QUERIES.allowed()
                )));
            }
            HeadsFile::open(text, HeadsLayout { heads, ..layout })
                .map_err(|error| refuse(key, text, &error.to_string()))
        };
        let queries = open(QUERIES.key, heads)?;
        // Keys that several heads of queries share lie side by side in fewer columns.
        let columns = |key: &str| ArrayFile::open(params.text(key)).ok().and_then(|file| file.shape().last().copied());
        let fewer =
            heads.map(|heads| columns(KEYS.key).map_or(heads, |columns| (columns / queries.dim()).clamp(1, heads)));
        let keys = open(KEYS.key, fewer)?;
        // Not every problem looks at values.
        let has_values = params.get(VALUES.key).is_some() && !params.text(VALUES.key).is_empty();
        let values = if has_values { Some(open(VALUES.key, fewer)?) } else { None };
        let of = |key: &str, file: &HeadsFile| {
            grouped(&queries, file).map_err(|error| refuse(key, params.text(key), &error.to_string()))
        };
        let groups = of(KEYS.key, &keys)?;
        let value_groups = values.as_ref().map(|values| of(VALUES.key, values)).transpose()?;
        let fits = |key: &str, found: usize, what: &str, expected: usize, whose: &str| {
            if found == expected {
                return Ok(());
            }
            Err(refuse(key, params.text(key), &format!("has {found} {what}, allowed: {expected}, as the {whose} have")))
        };
        fits(KEYS.key, keys.dim(), "coordinates a token", queries.dim(), "queries")?;
        fits(KEYS.key, keys.layers(), "layers", queries.layers(), "queries")?;
        if let Some(values) = &values {
            fits(VALUES.key, values.tokens(), "tokens", keys.tokens(), "keys")?;
            fits(VALUES.key, values.layers(), "layers", queries.layers(), "queries")?;
        }
        Ok(Self { queries, keys, values, groups, value_groups })
    }

    /// Layers, where the file has an axis of them.
    pub fn layers(&self) -> Option<usize> {
        self.queries.has_layers().then(|| self.queries.layers())
    }

    /// Heads of the queries, where the file has an axis of them.
    pub fn heads(&self) -> Option<usize> {
        self.queries.has_heads().then(|| self.queries.heads())
    }

    /// Queries, keys, their coordinates, and those of a value.
    pub fn shape(&self) -> [usize; 4] {
        let values = self.values.as_ref().map_or(0, HeadsFile::dim);
        [self.queries.tokens(), self.keys.tokens(), self.queries.dim(), values]
    }

    /// Queries, keys and values of one head.
    pub fn read(&self, layer: usize, head: usize, params: &Params) -> Result<FileHead, RunError> {
        let read = |key: &str, file: &HeadsFile, head: usize| {
            file.head(layer, head).map_err(|error| refuse(key, params.text(key), &error.to_string()))
        };
        let values = self.values.as_ref().zip(self.value_groups);
        Ok(FileHead {
            queries: read(QUERIES.key, &self.queries, head)?,
            keys: read(KEYS.key, &self.keys, self.groups.key_head(head))?,
            values: values.map(|(file, groups)| read(VALUES.key, file, groups.key_head(head))).transpose()?,
        })
    }
}

/// One head as it stands in the files.
pub(super) struct FileHead {
    pub queries: Array2<f64>,
    pub keys: Array2<f64>,
    pub values: Option<Array2<f64>>,
}

fn refuse(key: &str, text: &str, reason: &str) -> RunError {
    RunError::Input(format!("{key}: {text}: {reason}"))
}
