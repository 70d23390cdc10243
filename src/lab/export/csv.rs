//! Comma-separated values (RFC 4180): series, rows, and the runs that they come from. On request the provenance stands in
//! `#` lines on top as well: `pandas.read_csv(file, comment="#")`.

use super::source::NamedRun;
use super::text;
use serde_json::Value;
use std::collections::BTreeMap;

/// Lines of cells.
pub struct CsvTable {
    writer: csv_core::Writer,
    text: Vec<u8>,
    /// Whether the line has a cell.
    begun: bool,
}

impl CsvTable {
    /// A table below the text `above`.
    fn below(above: String) -> Self {
        // A cell with the sign of comments is quoted as well.
        let writer = csv_core::WriterBuilder::new().comment(Some(b'#')).build();
        Self { writer, text: above.into_bytes(), begun: false }
    }

    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::below(String::new())
    }

    /// Adds a cell to the line; a text that a spreadsheet would run is marked as a text, and what a terminal would obey
    /// becomes a space.
    pub fn cell(&mut self, text: &str) {
        if std::mem::replace(&mut self.begun, true) {
            self.put(2, |writer, room| writer.delimiter(room).1);
        }
        let text = text::printable(text);
        let text = text::cell(&text);
        // A quote in front, and every character doubled at worst.
        self.put(1 + 2 * text.len(), |writer, room| writer.field(text.as_bytes(), room).2);
    }

    /// Ends the line.
    pub fn end_line(&mut self) {
        self.put(4, |writer, room| writer.terminator(room).1);
        self.begun = false;
    }

    /// The whole table.
    #[must_use]
    pub fn into_text(self) -> String {
        String::from_utf8(self.text).unwrap_or_default()
    }

    /// Appends what `write` puts into the `most` bytes that it is given; it says how many.
    fn put(&mut self, most: usize, write: impl FnOnce(&mut csv_core::Writer, &mut [u8]) -> usize) {
        let end = self.text.len();
        self.text.resize(end + most, 0);
        let written = write(&mut self.writer, &mut self.text[end..]);
        self.text.truncate(end + written);
    }
}

impl Default for CsvTable {
    fn default() -> Self {
        Self::new()
    }
}

/// The runs, one a line: where each comes from, its parameters, and what it remarks.
pub fn runs(runs: &[NamedRun<'_>]) -> String {
    let facts: Vec<BTreeMap<String, String>> = runs
        .iter()
        .map(|run| run.provenance().into_iter().chain([("remarks".to_owned(), run.remarks().join(" | "))]).collect())
        .collect();
    let mut keys: Vec<String> = Vec::new();
    for run in runs {
        for (key, _) in run.provenance() {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys.push("remarks".to_owned());
    let mut table = CsvTable::new();
    keys.iter().for_each(|key| table.cell(key));
    table.end_line();
    for facts in &facts {
        keys.iter().for_each(|key| table.cell(facts.get(key).map_or("", String::as_str)));
        table.end_line();
    }
    table.into_text()
}

/// Every point of every series.
pub fn series(runs: &[NamedRun<'_>], comments: bool) -> String {
    let mut table = CsvTable::below(if comments { header(runs) } else { String::new() });
    ["run", "plot", "series", "label", "x", "y", "lo", "hi"].iter().for_each(|heading| table.cell(heading));
    table.end_line();
    for run in runs {
        for view in &run.view.series {
            for point in &view.points {
                let texts = [&run.name, &view.series.plot, &view.series.id, &view.series.label];
                texts.iter().for_each(|text| table.cell(text));
                let numbers = [Some(point.x), Some(point.y), point.lo, point.hi];
                numbers.iter().for_each(|number| table.cell(&number.map_or_else(String::new, |it| it.to_string())));
                table.end_line();
            }
        }
    }
    table.into_text()
}

/// The rows of the result table, with the run in front.
pub fn rows(runs: &[NamedRun<'_>], comments: bool) -> String {
    let mut keys: Vec<&str> = Vec::new();
    for key in runs.iter().flat_map(|run| &run.view.rows).flat_map(serde_json::Map::keys) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    let mut table = CsvTable::below(if comments { header(runs) } else { String::new() });
    table.cell("run");
    keys.iter().for_each(|key| table.cell(key));
    table.end_line();
    for run in runs {
        for row in &run.view.rows {
            table.cell(&run.name);
            for key in &keys {
                match row.get(*key) {
                    None | Some(Value::Null) => table.cell(""),
                    Some(Value::String(value)) => table.cell(value),
                    Some(value) => table.cell(&value.to_string()),
                }
            }
            table.end_line();
        }
    }
    table.into_text()
}

/// Where the numbers come from, as comments. A spreadsheet splits these lines at commas too.
fn header(runs: &[NamedRun<'_>]) -> String {
    let facts = runs.iter().flat_map(NamedRun::provenance);
    facts
        .map(|(name, fact)| {
            let parts: Vec<_> = fact.split(',').map(text::cell).collect();
            format!("# {}\n", text::printable(&format!("{name}: {}", parts.join(","))))
        })
        .collect()
}
