//! The rows as a Markdown table.

use super::source::{NamedRun, labels};
use super::text::{self, in_markdown};
use crate::lab::{Column, Row};

/// A page with a table for each problem and the provenance of each run.
pub fn page(runs: &[NamedRun<'_>]) -> String {
    let mut page = String::new();
    for (problem, rows) in tables(runs) {
        page += &format!("## {}\n\n", in_markdown(&problem));
        for cells in rows {
            let cells: Vec<String> = cells.iter().map(|cell| in_markdown(cell)).collect();
            page += &format!("| {} |\n", cells.join(" | "));
        }
        page.push('\n');
    }
    page += "<details><summary>Where these numbers come from</summary>\n\n";
    for run in runs {
        let lines = run
            .provenance()
            .into_iter()
            .map(|(name, fact)| format!("- {}: `{}`\n", in_markdown(&name), text::printable(&fact).replace('`', "'")));
        page += &format!("{}\n", lines.collect::<String>());
    }
    page + "</details>\n"
}

/// A table for each problem: headings, the line of dashes that says how columns are aligned, then the rows.
fn tables(runs: &[NamedRun<'_>]) -> Vec<(String, Vec<Vec<String>>)> {
    by_problem(runs)
        .into_iter()
        .map(|(problem, columns, rows)| {
            let numeric =
                |key: &str| rows.iter().any(|(_, row)| row.get(key).is_some_and(serde_json::Value::is_number));
            let several = rows.iter().any(|(label, _)| !label.is_empty());
            let mut lines = vec![
                columns.iter().map(ColumnHeading::text).collect::<Vec<_>>(),
                columns.iter().map(|column| if numeric(column.key()) { "---:" } else { "---" }.to_owned()).collect(),
            ];
            lines.extend(rows.iter().map(|(_, row)| columns.iter().map(|column| column.cell(row)).collect()));
            if several {
                lines[0].insert(0, "run".to_owned());
                lines[1].insert(0, "---".to_owned());
                lines[2..].iter_mut().zip(&rows).for_each(|(line, (label, _))| line.insert(0, label.clone()));
            }
            (problem, lines)
        })
        .collect()
}

/// A column as its problem declares it, or by key alone where the problem is not known to this program.
pub(super) enum ColumnHeading {
    Declared(&'static Column),
    Key(String),
}

impl ColumnHeading {
    pub(super) fn text(&self) -> String {
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

    pub(super) fn cell(&self, row: &Row) -> String {
        let value = row.get(self.key());
        match self {
            Self::Declared(column) => column.show(value),
            Self::Key(_) => value.map_or_else(String::new, ToString::to_string),
        }
    }
}

/// One problem's name, columns, and rows with the label of their run.
pub(super) type Results<'a> = (String, Vec<ColumnHeading>, Vec<(String, &'a Row)>);

/// The rows of runs, those of one problem together.
pub(super) fn by_problem<'a>(runs: &'a [NamedRun<'_>]) -> Vec<Results<'a>> {
    let mut all: Vec<Results<'a>> = Vec::new();
    for (run, label) in runs.iter().zip(labels(runs)) {
        let index = all.iter().position(|(name, ..)| *name == run.record.problem).unwrap_or_else(|| {
            let keys = || run.view.rows.first().into_iter().flat_map(|row| row.keys().cloned()).map(ColumnHeading::Key);
            let declared = run.problem.map(|problem| problem.columns().iter().map(ColumnHeading::Declared).collect());
            all.push((run.record.problem.clone(), declared.unwrap_or_else(|| keys().collect()), Vec::new()));
            all.len() - 1
        });
        all[index].2.extend(run.view.rows.iter().map(|row| (label.clone(), row)));
    }
    all.retain(|(.., rows)| !rows.is_empty());
    for (_, columns, rows) in &mut all {
        columns.retain(|column| match column {
            ColumnHeading::Declared(column) => column.is_shown(rows.iter().map(|(_, row)| *row)),
            ColumnHeading::Key(_) => true,
        });
    }
    all
}
