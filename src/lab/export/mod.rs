//! Runs as files for others: tables, figures, TensorBoard, one page.
//!
//! Every file carries where it comes from (parameters, seed, version, command of each run), in a form that its readers
//! pass over: comment lines, metadata, text chunks.

mod axis;
mod csv;
mod figure;
mod html;
mod image;
mod markdown;
mod tensorboard;

pub use csv::quoted;
pub use figure::{Figure, figures};

use super::{Differences, LabError, Problem, RunRecord, RunView, Scale, StoredParams, files};
use std::fs;
use std::path::{Path, PathBuf};

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Every series, and the rows, as comma-separated values.
    Csv,
    /// A vector figure for each plot.
    Svg,
    /// A pixel figure for each plot.
    Png,
    /// The rows as a table.
    Markdown,
    /// Event files for TensorBoard, a folder for each run.
    TensorBoard,
    /// One page with everything, figures inside.
    Html,
}

/// A finished or unfinished run, read for export.
pub struct Source {
    /// What was asked.
    pub record: RunRecord,
    /// What it said.
    pub view: RunView,
    folder: PathBuf,
    problem: Option<&'static dyn Problem>,
}

impl Source {
    /// Reads the run in `folder`; `problems` know how its rows are written.
    ///
    /// # Errors
    /// The folder is no run, or is damaged.
    pub fn read(folder: &Path, problems: &[&'static dyn Problem]) -> Result<Self, LabError> {
        let record = RunRecord::read(folder)?;
        let view = RunView::read(folder)?;
        let problem = problems.iter().copied().find(|problem| problem.name() == record.problem);
        Ok(Self { record, view, folder: folder.to_owned(), problem })
    }

    /// Where it comes from: (name, text), parameters last.
    fn provenance(&self) -> Vec<(String, String)> {
        let facts = &self.record.run;
        let machine = &facts.machine;
        let mut lines = vec![
            ("run".to_owned(), facts.id.clone()),
            ("problem".to_owned(), self.record.problem.clone()),
            ("command".to_owned(), facts.command.clone()),
            ("seed".to_owned(), facts.seed.to_string()),
            ("version".to_owned(), format!("attnlab {}", facts.version)),
            ("created".to_owned(), facts.created.clone()),
            ("state".to_owned(), self.view.state.name().to_owned()),
            ("machine".to_owned(), format!("{}, {} cores, {}", machine.processor, machine.cores, machine.system)),
        ];
        lines.extend(self.record.params.iter().map(|(key, value)| (format!("param {key}"), value.to_string())));
        lines
    }
}

/// Words that tell each run from the others: the parameters that differ, or the folder's name where none does. Empty
/// for a single run.
fn labels(runs: &[Source]) -> Vec<String> {
    if runs.len() < 2 {
        return vec![String::new(); runs.len()];
    }
    let params: Vec<&StoredParams> = runs.iter().map(|run| &run.record.params).collect();
    let schema = runs[0]
        .problem
        .filter(|first| runs.iter().all(|run| run.problem.is_some_and(|problem| problem.name() == first.name())));
    let differences = Differences::between(&params, schema.map(Problem::schema), |_| true);
    let labels: Vec<String> = (0..runs.len()).map(|run| differences.words(run)).collect();
    let told = |label: &String| !label.is_empty() && labels.iter().filter(|other| *other == label).count() == 1;
    labels
        .iter()
        .zip(runs)
        .map(|(label, run)| if told(label) { label.clone() } else { run.record.run.id.clone() })
        .collect()
}

/// How figures are drawn where it differs from their declaration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scales {
    /// The horizontal axes.
    pub x: Option<Scale>,
    /// The vertical axes.
    pub y: Option<Scale>,
}

/// Writes `runs` together in each of `formats` into `folder` and says which files there are now.
///
/// # Errors
/// There is nothing to write, or a file cannot be written.
pub fn export(runs: &[Source], formats: &[Format], scales: Scales, folder: &Path) -> Result<Vec<PathBuf>, LabError> {
    let Some(first) = runs.first() else {
        return Err(LabError::Refused("no run to export".to_owned()));
    };
    fs::create_dir_all(folder).map_err(LabError::io("create", folder))?;
    let name = match runs {
        [one] => one.record.run.id.clone(),
        several => format!("{}-and-{}-more", first.record.run.id, several.len() - 1),
    };
    let figures = figures(runs, scales);
    let mut written = Vec::new();
    let mut write = |name: String, bytes: &[u8]| {
        let path = folder.join(name);
        files::replace(&path, bytes, false).map_err(LabError::io("write", &path))?;
        written.push(path);
        Ok::<(), LabError>(())
    };
    for format in formats {
        match format {
            Format::Csv => {
                write(format!("{name}-series.csv"), csv::series(runs).as_bytes())?;
                write(format!("{name}-rows.csv"), csv::rows(runs).as_bytes())?;
            }
            Format::Markdown => write(format!("{name}.md"), markdown::page(runs).as_bytes())?,
            Format::Html => write(format!("{name}.html"), html::page(runs, &figures)?.as_bytes())?,
            Format::Svg => {
                for figure in &figures {
                    write(format!("{name}-{}.svg", figure.id), image::svg(figure, runs)?.as_bytes())?;
                }
            }
            Format::Png => {
                for figure in &figures {
                    write(format!("{name}-{}.png", figure.id), &image::png(figure, runs)?)?;
                }
            }
            Format::TensorBoard => {
                for run in runs {
                    let path = folder.join(&run.record.run.id);
                    fs::create_dir_all(&path).map_err(LabError::io("create", &path))?;
                    let file = format!("{}/{}", run.record.run.id, tensorboard::file_name(run));
                    write(file, &tensorboard::events(run)?)?;
                }
            }
        }
    }
    Ok(written)
}
