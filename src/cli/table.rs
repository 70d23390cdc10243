//! Tables for people.

use crate::lab::{Column, Row};
use crate::text::visible;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table with a rule under its headings, fitted to the terminal if there is one. Headings come
/// with whether their columns hold numbers, which stand right-aligned.
pub fn render<'a>(
    headings: impl IntoIterator<Item = (&'a str, bool)>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let (headings, numeric): (Vec<_>, Vec<_>) = headings.into_iter().unzip();
    let mut table = Table::new();
    table.load_style(RULED).set_header(headings).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(super::output::width().unwrap_or(u16::MAX));
    table.add_rows(rows.into_iter().map(|row| row.iter().map(|cell| visible(cell).into_owned()).collect::<Vec<_>>()));
    for (column, numeric) in table.column_iter_mut().zip(numeric) {
        column.set_padding((0, 2));
        if numeric {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt() + "\n"
}

/// The result table of a problem: its brief columns, or all of them.
pub fn results(columns: &[Column], rows: &[Row], wide: bool) -> String {
    let shown: Vec<&Column> = columns.iter().filter(|column| (wide || column.brief) && column.is_shown(rows)).collect();
    let headings: Vec<String> = shown.iter().map(|column| column.heading()).collect();
    let numeric = shown.iter().map(|column| rows.iter().any(|row| row.get(column.key).is_some_and(|v| v.is_number())));
    render(
        headings.iter().map(String::as_str).zip(numeric),
        rows.iter().map(|row| shown.iter().map(|column| column.show(row.get(column.key))).collect()),
    )
}
