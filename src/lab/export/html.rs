//! One page about runs that needs nothing beside itself.

use super::figure::ExportFigure;
use super::source::{NamedRun, labels};
use super::text::escaped;
use super::{image, markdown};
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
pub fn page(runs: &[NamedRun<'_>], figures: &[ExportFigure]) -> Result<String, LabError> {
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
    for figure in figures {
        let svg = image::svg(figure, runs)?;
        let drawing = svg.find("<svg").map_or(svg.as_str(), |start| &svg[start..]);
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
        for note in run.view.notes.iter().chain(Some(&run.view.message).filter(|message| !message.is_empty())) {
            page += &format!("<p>{}</p>\n", escaped(note));
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
    for (problem, columns, rows) in markdown::by_problem(runs) {
        *page += &format!("<h2>{}</h2>\n<table><tr>", escaped(&problem));
        let several = rows.iter().any(|(label, _)| !label.is_empty());
        if several {
            *page += "<th>run</th>";
        }
        columns.iter().for_each(|column| *page += &format!("<th>{}</th>", escaped(&column.text())));
        *page += "</tr>\n";
        for (label, row) in rows {
            *page += "<tr>";
            if several {
                *page += &format!("<td>{}</td>", escaped(&label));
            }
            columns.iter().for_each(|column| *page += &format!("<td class=\"n\">{}</td>", escaped(&column.cell(row))));
            *page += "</tr>\n";
        }
        *page += "</table>\n";
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
    if pixels.is_empty() || matrix.rows.checked_mul(matrix.cols) != Some(pixels.len()) {
        return Ok(String::new());
    }
    let file = image::encoded(width, height, png::ColorType::Grayscale, &pixels, &[])?;
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
