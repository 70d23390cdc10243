//! How the results of a tab are looked at: lines, columns, order, filter.

use crate::lab::Column;
use std::collections::BTreeSet;

/// A line of the results: a row of a run, or the run itself while it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultLine {
    /// Index of the run. Where a line stands for a variant, it is the first of its runs.
    pub run: usize,
    /// Index of its row.
    pub row: Option<usize>,
}

/// A column of the results.
#[derive(Clone, Copy, Debug)]
pub enum ResultColumn {
    /// A column of the problem.
    Declared(&'static Column),
    /// The time that the runs took.
    Time,
}

impl ResultColumn {
    /// Its name, by which lines are sorted.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Declared(column) => column.key,
            Self::Time => "time",
        }
    }

    /// Its heading.
    #[must_use]
    pub fn heading(&self) -> String {
        match self {
            Self::Declared(column) => column.heading(),
            Self::Time => "time".to_owned(),
        }
    }
}

/// How the results are ordered, and which of them are looked at.
#[derive(Clone, Debug, Default)]
pub struct ResultsState {
    /// Index of the chosen line.
    pub line: usize,
    /// Index of the chosen column.
    pub column: usize,
    /// The column that the lines are sorted by, and whether the largest value stands first; none for the order in which the
    /// runs came.
    pub sorted: Option<(&'static str, bool)>,
    /// Only lines are shown whose names hold each of these words.
    pub filter: String,
    /// The names of runs that no figure draws.
    pub hidden: BTreeSet<String>,
    /// The lines, as worked out last.
    pub(super) lines: Vec<ResultLine>,
    /// The run of each line, once even where it has several rows, as worked out last.
    pub(super) runs: Vec<usize>,
    /// The columns, as worked out last.
    pub(super) columns: Vec<ResultColumn>,
}
