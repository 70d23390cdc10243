//! One page about runs that needs nothing beside itself.

use super::figure::{ExportFigure, FigureLook};
use super::source::{NamedRun, labels};
use super::text::escaped;
use super::{image, rows};
use crate::lab::{LabError, duration};

const STYLE: &str = "\
:root{color-scheme:light}body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222}\
table{border-collapse:collapse;display:block;overflow-x:auto;font-variant-numeric:tabular-nums}\
th,td{padding:.25em .8em;border-bottom:1px solid #ddd;text-align:left;white-space:nowrap}td.n{text-align:right}\
figure{display:inline-block;margin:1em 1em 1em 0}svg{max-width:100%;height:auto}code{background:#f4f4f4;padding:.1em .3em}summary{cursor:pointer}";

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
    for figure in figures {
        let drawing = image::svg(&figure.sheet(look), &figure.title, runs)?;
        page += &format!("<figure>{drawing}</figure>\n");
    }
    if !figures.iter().any(ExportFigure::shows_run) && runs.iter().any(|run| !run.view.matrices.is_empty()) {
        page += "<p>Matrices of so many runs are left out; --figure with their name draws them.</p>\n";
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
