//! The rows of runs as tables, before they take the form of a file.

use super::source::{NamedRun, labels};
use crate::lab::{Column, Row};

/// The rows of one problem.
pub(super) struct RowTable<'a> {
    /// The problem's name.
    pub problem: String,
    /// The columns that have a value in some row.
    pub columns: Vec<ColumnHeading>,
    /// The rows, each with what tells its run from the others; nothing where there is one run.
    pub rows: Vec<(String, &'a Row)>,
}

/// A column as its problem declares it, or by key alone where the problem is not known to this program.
#[derive(Clone)]
pub(super) enum ColumnHeading {
    Declared(&'static Column),
    Key(String),
}

impl ColumnHeading {
    pub fn text(&self) -> String {
        match self {
            Self::Declared(column) => column.heading(),
            Self::Key(key) => key.clone(),
        }
    }

    fn key(&self) -> &str {
        match self {
            Self::Declared(column) => column.key,
            Self::Key(key) => key,
        }
    }

    pub fn cell(&self, row: &Row) -> String {
        let value = row.get(self.key());
        match self {
            Self::Declared(column) => column.show(value),
            Self::Key(_) => value.map_or_else(String::new, ToString::to_string),
        }
    }
}

/// A table as texts, without what all of its rows have in common.
pub(super) struct TextTable {
    /// The problem's name.
    pub problem: String,
    /// Headings, and whether numbers stand below them.
    pub headings: Vec<(String, bool)>,
    /// The cells.
    pub rows: Vec<Vec<String>>,
    /// What all rows have in common: heading and text.
    pub common: Vec<(String, String)>,
}

impl RowTable<'_> {
    /// The texts of the columns that `shown` admits.
    pub fn texts(&self, shown: impl Fn(&ColumnHeading) -> bool) -> TextTable {
        let columns: Vec<&ColumnHeading> = self.columns.iter().filter(|column| shown(column)).collect();
        let same = |column: &ColumnHeading| {
            let mut cells = self.rows.iter().map(|(_, row)| row.get(column.key()));
            let first = cells.next();
            self.rows.len() > 1 && cells.all(|cell| Some(cell) == first)
        };
        let (common, told): (Vec<&ColumnHeading>, Vec<_>) = columns.into_iter().partition(|column| same(column));
        let several = self.rows.iter().any(|(label, _)| !label.is_empty());
        let numeric =
            |key: &str| self.rows.iter().any(|(_, row)| row.get(key).is_some_and(serde_json::Value::is_number));
        let mut headings: Vec<(String, bool)> =
            told.iter().map(|column| (column.text(), numeric(column.key()))).collect();
        let mut rows: Vec<Vec<String>> =
            self.rows.iter().map(|(_, row)| told.iter().map(|column| column.cell(row)).collect()).collect();
        if several {
            headings.insert(0, ("run".to_owned(), false));
            rows.iter_mut().zip(&self.rows).for_each(|(cells, (label, _))| cells.insert(0, label.clone()));
        }
        let first = |column: &&ColumnHeading| (column.text(), column.cell(self.rows[0].1));
        let common = common.iter().map(first).filter(|(_, text)| !text.is_empty()).collect();
        TextTable { problem: self.problem.clone(), headings, rows, common }
    }
}

impl TextTable {
    /// What all rows have in common, in words; nothing where that is nothing.
    pub fn in_common(&self) -> Option<String> {
        let words: Vec<String> = self.common.iter().map(|(heading, text)| format!("{heading} = {text}")).collect();
        (!words.is_empty()).then(|| format!("In all rows: {}.", words.join(", ")))
    }
}

/// The rows of runs, those of one problem together.
pub(super) fn by_problem<'a>(runs: &'a [NamedRun<'_>]) -> Vec<RowTable<'a>> {
    let mut all: Vec<RowTable<'a>> = Vec::new();
    for (run, label) in runs.iter().zip(labels(runs)) {
        let index = all.iter().position(|table| table.problem == run.record.problem).unwrap_or_else(|| {
            let keys = || run.view.rows.first().into_iter().flat_map(|row| row.keys().cloned()).map(ColumnHeading::Key);
            let declared = run.problem.map(|problem| problem.columns().iter().map(ColumnHeading::Declared).collect());
            let columns = declared.unwrap_or_else(|| keys().collect());
            all.push(RowTable { problem: run.record.problem.clone(), columns, rows: Vec::new() });
            all.len() - 1
        });
        all[index].rows.extend(run.view.rows.iter().map(|row| (label.clone(), row)));
    }
    all.retain(|table| !table.rows.is_empty());
    for RowTable { columns, rows, .. } in &mut all {
        columns.retain(|column| match column {
            ColumnHeading::Declared(column) => column.is_shown(rows.iter().map(|(_, row)| *row)),
            ColumnHeading::Key(_) => true,
        });
    }
    all
}
