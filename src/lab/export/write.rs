//! Writing the files of an export.

use super::figure::{self, FigureLook};
use super::source::{NamedRun, RunSource};
use super::{csv, html, image, latex, markdown, names, tensorboard};
use crate::lab::{LabError, files};
use std::fs;
use std::path::{Path, PathBuf};

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Every series, the rows, and the runs that they come from, as comma-separated values.
    Csv,
    /// The same, with the provenance as comments above series and rows.
    CommentedCsv,
    /// A vector figure for each plot.
    Svg,
    /// A pixel figure for each plot.
    Png,
    /// A page for each figure, text as text.
    Pdf,
    /// A figure for each plot as source for LaTeX's pgfplots, with its numbers inside.
    Tikz,
    /// The rows as a table.
    Markdown,
    /// The same for LaTeX.
    Latex,
    /// Event files for TensorBoard, a folder for each run.
    TensorBoard,
    /// One page with everything, figures inside.
    Html,
}

/// One file of an export.
enum Part {
    Runs,
    /// With the provenance as comments, if so.
    Series(bool),
    Rows(bool),
    Markdown,
    Latex,
    Page,
    /// The figure of this number, as a vector drawing.
    Drawing(usize),
    /// The figure of this number, in pixels.
    Picture(usize),
    /// The figure of this number, as a page.
    Leaf(usize),
    /// The figure of this number, as source for LaTeX.
    Source(usize),
    /// TensorBoard's events of the run of this number.
    Events(usize),
}

/// Writes `runs` together in each of `formats`, figures as `look` says, into `folder` and says which files there are now.
///
/// Files of an earlier export of the same runs are replaced; where a file of that name holds something else, these get
/// a number of their own.
///
/// # Errors
/// There is nothing to write, `look` asks for what is not there, or a file cannot be written.
pub fn export(
    runs: &[RunSource],
    formats: &[Format],
    look: &FigureLook,
    folder: &Path,
) -> Result<Vec<PathBuf>, LabError> {
    let runs = NamedRun::all(runs);
    let stem = match runs.as_slice() {
        [] => return Err(LabError::Refused("no run to export".to_owned())),
        [one] => one.name.clone(),
        [first, others @ ..] => format!("{}-and-{}-more", first.name, others.len()),
    };
    let figures = figure::figures(&runs, look)?;
    let mut parts: Vec<(String, Part)> = Vec::new();
    for format in formats {
        match format {
            Format::Csv | Format::CommentedCsv => {
                let comments = *format == Format::CommentedCsv;
                let tables = [("series", Part::Series(comments)), ("rows", Part::Rows(comments)), ("runs", Part::Runs)];
                parts.extend(tables.map(|(name, part)| (format!("-{name}.csv"), part)));
            }
            Format::Markdown => parts.push((".md".to_owned(), Part::Markdown)),
            Format::Latex => parts.push((".tex".to_owned(), Part::Latex)),
            Format::Html => parts.push((".html".to_owned(), Part::Page)),
            Format::Svg => {
                parts.extend(figures.iter().enumerate().map(|(n, it)| (format!("-{}.svg", it.id), Part::Drawing(n))));
            }
            Format::Png => {
                parts.extend(figures.iter().enumerate().map(|(n, it)| (format!("-{}.png", it.id), Part::Picture(n))));
            }
            Format::Pdf => {
                parts.extend(figures.iter().enumerate().map(|(n, it)| (format!("-{}.pdf", it.id), Part::Leaf(n))));
            }
            Format::Tikz => {
                parts.extend(figures.iter().enumerate().map(|(n, it)| (format!("-{}.tikz", it.id), Part::Source(n))));
            }
            Format::TensorBoard => {
                parts.extend(runs.iter().enumerate().map(|(n, it)| (tensorboard::file_name(it), Part::Events(n))));
            }
        }
    }
    if parts.is_empty() {
        let reason =
            "no plot of these runs has a point, so there is no figure to write; CSV and Markdown have their rows";
        return Err(LabError::Refused(reason.to_owned()));
    }
    fs::create_dir_all(folder).map_err(LabError::io("create", folder))?;
    // A number for the whole export, so that its files stay together.
    let place = |number: usize, (ending, part): &(String, Part)| {
        let behind = if number > 1 { format!("-{number}") } else { String::new() };
        match part {
            Part::Events(run) => folder.join(format!("{}{behind}", runs[*run].name)).join(ending),
            _ => folder.join(format!("{stem}{behind}{ending}")),
        }
    };
    let facts = || runs.iter().flat_map(|run| [run.name.as_str(), &run.record.run.created]);
    let is_free = |number: &usize| {
        // Tables without comments do not say whose they are; the table of runs beside them does.
        let told = place(*number, &("-runs.csv".to_owned(), Part::Runs));
        let told = told.is_file() && names::is_ours(&told, facts());
        parts.iter().all(|part| match part.1 {
            Part::Events(run) => names::is_ours(&place(*number, part), [runs[run].name.as_str()]),
            Part::Series(_) | Part::Rows(_) if told => true,
            _ => names::is_ours(&place(*number, part), facts()),
        })
    };
    let number = (1..).find(is_free).unwrap_or(1);
    let mut written = Vec::new();
    for part in &parts {
        let path = place(number, part);
        let bytes = match part.1 {
            Part::Runs => csv::runs(&runs).into_bytes(),
            Part::Series(comments) => csv::series(&runs, comments).into_bytes(),
            Part::Rows(comments) => csv::rows(&runs, comments).into_bytes(),
            Part::Latex => latex::page(&runs).into_bytes(),
            Part::Markdown => markdown::page(&runs).into_bytes(),
            Part::Page => html::page(&runs, &figures, look)?.into_bytes(),
            Part::Drawing(at) => image::svg(&figures[at].sheet(look), &figures[at].title, &runs)?.into_bytes(),
            Part::Picture(at) => image::png(&figures[at].sheet(look), &figures[at].title, &runs)?,
            Part::Leaf(at) => image::pdf(&figures[at].sheet(look), &figures[at].title, &runs)?,
            Part::Source(at) => figure::tikz(&figures[at], look, &image::facts(&runs, "% ")).into_bytes(),
            Part::Events(run) => {
                let below = path.parent().unwrap_or(folder);
                fs::create_dir_all(below).map_err(LabError::io("create", below))?;
                tensorboard::events(&runs[run])?
            }
        };
        files::replace(&path, &bytes, false).map_err(LabError::io("write", &path))?;
        written.push(path);
    }
    Ok(written)
}
