//! Matrices that a run shows.

use crate::lab::event::number::numbers;
use serde::{Deserialize, Serialize};

/// A matrix to draw as sparkline rows or a heat map; those of one `group` stand side by side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    /// Its name within the run; a later matrix of that name replaces it.
    pub id: String,
    /// What stands side by side.
    pub group: String,
    /// Its heading.
    pub title: String,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Values by rows.
    #[serde(with = "numbers")]
    pub values: Vec<f32>,
    /// What is written into the cells, by rows; none where nothing is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub letters: Vec<String>,
    /// What stands beside each row: the number of a layer; none where nothing does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub row_names: Vec<String>,
    /// What stands above each column: the number of a head; none where nothing does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub col_names: Vec<String>,
    /// What a row is, in one word: `query`; none where that is not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub row_word: String,
    /// What a column is: `key`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub col_word: String,
    /// What the values count, in the plural: `images`; none for plain numbers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Matrices of one group with the same word here have one scale of colours; without it they do where their ranges
    /// are alike.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scale: String,
    /// One line below: scale, spikiness, how it was thinned.
    pub caption: String,
}

impl Matrix {
    /// Whether there is a value for each row and column, and at least one.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.rows.checked_mul(self.cols) == Some(self.values.len()) && !self.values.is_empty()
    }

    /// The text of each cell, where every cell has one.
    #[must_use]
    pub fn cell_texts(&self) -> Option<&[String]> {
        (self.is_whole() && self.letters.len() == self.values.len()).then_some(&self.letters)
    }

    /// The names of rows and of columns, where every one has one.
    #[must_use]
    pub fn names(&self) -> Option<(&[String], &[String])> {
        let whole = self.is_whole() && self.row_names.len() == self.rows && self.col_names.len() == self.cols;
        whole.then_some((&self.row_names, &self.col_names))
    }
}
