//! One page about runs that needs nothing beside itself.

use super::figure::{ExportFigure, FigureLook};
use super::png_file::encoded;
use super::source::{NamedRun, labels};
use super::text::escaped;
use super::{image, rows};
use crate::lab::{LabError, Matrix, duration};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const STYLE: &str = "\
:root{color-scheme:light}body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222}\
table{border-collapse:collapse;display:block;overflow-x:auto;font-variant-numeric:tabular-nums}\
th,td{padding:.25em .8em;border-bottom:1px solid #ddd;text-align:left;white-space:nowrap}td.n{text-align:right}\
figure{display:inline-block;margin:1em 1em 1em 0}svg{max-width:100%;height:auto}img{image-rendering:pixelated;border:1px solid #ddd}\
figcaption{font-size:13px;color:#555;max-width:300px}code{background:#f4f4f4;padding:.1em .3em}summary{cursor:pointer}";

/// The page: results, figures, matrices, remarks, and where all of it comes from.
pub fn page(runs: &[NamedRun<'_>], figures: &[ExportFigure], look: &FigureLook) -> Result<String, LabError> {
    let names: Vec<String> = runs
        .iter()
        .zip(labels(runs))
        .map(|(run, label)| if label.is_empty() { run.name.clone() } else { label })
        .collect();
    let title = match (runs, names.as_slice()) {
        ([run], [name]) if run.record.title.is_empty() => name.clone(),
        ([run], _) => run.record.title.clone(),
        _ => format!("{} runs", runs.len()),
    };
    let title = escaped(&title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>attnlab: {title}</title><style>{STYLE}</style></head><body>\n\
         <h1>{title}</h1>\n"
    );
    results(&mut page, runs);
    for figure in figures.iter().filter(|figure| figure.has_curves() || !look.figures.is_empty()) {
        let drawing = image::svg(&figure.sheet(look), &figure.title, runs)?;
        page += &format!("<figure>{drawing}</figure>\n");
    }
    for (run, name) in runs.iter().zip(&names) {
        for matrix in &run.view.matrices {
            page += &picture(matrix, name)?;
        }
    }
    page += "<h2>Runs</h2>\n";
    for (run, name) in runs.iter().zip(&names) {
        let spent = duration(run.view.seconds);
        page += &format!("<details><summary>{} · {} · {spent}</summary>\n", escaped(name), run.view.state.name());
        for remark in run.remarks() {
            page += &format!("<p>{}</p>\n", escaped(&remark));
        }
        page += "<table>\n";
        for (key, text) in run.provenance() {
            page += &format!("<tr><th>{}</th><td><code>{}</code></td></tr>\n", escaped(&key), escaped(&text));
        }
        page += "</table></details>\n";
    }
    Ok(page + "</body></html>\n")
}

/// A table for each problem.
fn results(page: &mut String, runs: &[NamedRun<'_>]) {
    for table in rows::by_problem(runs).iter().map(|rows| rows.texts(|_| true)) {
        *page += &format!("<h2>{}</h2>\n<table><tr>", escaped(&table.problem));
        table.headings.iter().for_each(|(heading, _)| *page += &format!("<th>{}</th>", escaped(heading)));
        *page += "</tr>\n";
        for cells in &table.rows {
            *page += "<tr>";
            for (cell, (_, numeric)) in cells.iter().zip(&table.headings) {
                let class = if *numeric { " class=\"n\"" } else { "" };
                *page += &format!("<td{class}>{}</td>", escaped(cell));
            }
            *page += "</tr>\n";
        }
        *page += "</table>\n";
        *page += &table.in_common().map_or_else(String::new, |words| format!("<p>{}</p>\n", escaped(&words)));
    }
}

/// A matrix as a picture, dark where it is large, one pixel an entry, enlarged by the reader's browser.
fn picture(matrix: &Matrix, run: &str) -> Result<String, LabError> {
    let finite = || matrix.values.iter().copied().filter(|value| value.is_finite());
    let (low, high) =
        finite().fold((f32::INFINITY, f32::NEG_INFINITY), |(lo, hi), value| (lo.min(value), hi.max(value)));
    let reach = if high > low { high - low } else { 1.0 };
    let dark = |value: &f32| if value.is_finite() { 255 - ((value - low) / reach * 255.0).round() as u8 } else { 255 };
    let pixels: Vec<u8> = matrix.values.iter().map(dark).collect();
    let (Ok(width), Ok(height)) = (u32::try_from(matrix.cols), u32::try_from(matrix.rows)) else {
        return Ok(String::new());
    };
    if !matrix.is_whole() {
        return Ok(String::new());
    }
    if matrix.cell_texts().is_some() || short_names(matrix).is_some() {
        let drawing = cells(matrix, &pixels);
        let [run, title, caption] = [run, &matrix.title, &matrix.caption].map(escaped);
        return Ok(format!(
            "<figure>{drawing}<figcaption>{run}: {title}. {caption} White {low:.3e}, black {high:.3e}.</figcaption></figure>\n"
        ));
    }
    let file = encoded((width, height), png::ColorType::Grayscale, &pixels, &[], None)?;
    let (wide, high_px) = (280, 280 * u64::from(height) / u64::from(width.max(1)));
    Ok(format!(
        "<figure><img width=\"{wide}\" height=\"{high_px}\" alt=\"{title}\" src=\"data:image/png;base64,{data}\">\
         <figcaption>{run}: {title}. {caption} White {low:.3e}, black {high:.3e}.</figcaption></figure>\n",
        title = escaped(&matrix.title),
        run = escaped(run),
        caption = escaped(&matrix.caption),
        data = STANDARD.encode(file),
    ))
}

/// The names of rows and columns where each has room in a cell, in a matrix that is not too large for a drawing.
fn short_names(matrix: &Matrix) -> Option<(&[String], &[String])> {
    let fit = |names: &[String]| names.iter().all(|name| name.chars().count() <= LETTERS);
    matrix.names().filter(|(rows, columns)| matrix.values.len() <= DRAWN && fit(rows) && fit(columns))
}

/// Characters that have room in a cell of a drawing.
const LETTERS: usize = 3;

/// The most values that are drawn each as a square of its own for the sake of names alone.
const DRAWN: usize = 2048;

/// Pixels of a cell of a drawing.
const CELL: usize = 28;

/// A matrix as a drawing, a square for each value of that grey, with the texts of the cells and the names of rows and columns.
fn cells(matrix: &Matrix, greys: &[u8]) -> String {
    let (rows, columns) = short_names(matrix).unwrap_or_default();
    let margin = if rows.is_empty() { 0 } else { CELL };
    let (width, height) = (margin + matrix.cols * CELL, margin + matrix.rows * CELL);
    let write = |x: usize, y: usize, ink: &str, text: &str| {
        let (x, y, text) = (x + CELL / 2, y + CELL / 2, escaped(text));
        format!("<text x=\"{x}\" y=\"{y}\" fill=\"{ink}\">{text}</text>")
    };
    let mut drawing = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-size=\"14\" text-anchor=\"middle\" dominant-baseline=\"central\">"
    );
    for (index, grey) in greys.iter().enumerate() {
        let (x, y) = (margin + index % matrix.cols * CELL, margin + index / matrix.cols * CELL);
        drawing += &format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{CELL}\" height=\"{CELL}\" fill=\"rgb({grey},{grey},{grey})\"/>"
        );
        if let Some(text) = matrix.cell_texts().map(|texts| &texts[index]).filter(|text| !text.is_empty()) {
            // From here on black is read better than white.
            drawing += &write(x, y, if *grey > 117 { "black" } else { "white" }, text);
        }
    }
    for (row, name) in rows.iter().enumerate() {
        drawing += &write(0, margin + row * CELL, "currentColor", name);
    }
    for (column, name) in columns.iter().enumerate() {
        drawing += &write(margin + column * CELL, 0, "currentColor", name);
    }
    drawing + "</svg>"
}
