//! Comma-separated values (RFC 4180), with the provenance in `#` lines on top: `pandas.read_csv(file, comment="#")`.

use super::Source;
use serde_json::Value;
use std::borrow::Cow;
use std::fmt::Write;

/// Every point of every series.
pub fn series(runs: &[Source]) -> String {
    let mut text = header(runs) + "run,plot,series,label,x,y,lo,hi\n";
    for run in runs {
        for view in &run.view.series {
            let [id, plot, series, label] =
                [&run.record.run.id, &view.series.plot, &view.series.id, &view.series.label].map(|field| quoted(field));
            for point in &view.points {
                let end = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
                let (x, y, lo, hi) = (point.x, point.y, end(point.lo), end(point.hi));
                let _ = writeln!(text, "{id},{plot},{series},{label},{x},{y},{lo},{hi}");
            }
        }
    }
    text
}

/// The rows of the result table, with the run in front.
pub fn rows(runs: &[Source]) -> String {
    let mut keys: Vec<&str> = Vec::new();
    for key in runs.iter().flat_map(|run| &run.view.rows).flat_map(serde_json::Map::keys) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    let mut text = header(runs) + "run";
    keys.iter().for_each(|key| text += &format!(",{}", quoted(key)));
    text.push('\n');
    for run in runs {
        for row in &run.view.rows {
            text += &quoted(&run.record.run.id);
            for key in &keys {
                text.push(',');
                match row.get(*key) {
                    None | Some(Value::Null) => {}
                    Some(Value::String(value)) => text += &quoted(value),
                    Some(value) => text += &quoted(&value.to_string()),
                }
            }
            text.push('\n');
        }
    }
    text
}

fn header(runs: &[Source]) -> String {
    let lines = runs.iter().flat_map(Source::provenance);
    lines.map(|(name, text)| format!("# {name}: {}\n", text.replace(['\n', '\r'], " "))).collect()
}

/// A field as it stands in a line.
#[must_use]
pub fn quoted(field: &str) -> Cow<'_, str> {
    if field.contains([',', '"', '\n', '\r', '#']) {
        format!("\"{}\"", field.replace('"', "\"\"")).into()
    } else {
        field.into()
    }
}
