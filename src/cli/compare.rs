//! `attnlab compare`: variants against each other over seeds.

use super::args::Compare;
use super::failure::Failure;
use super::{output, store, table};
use crate::lab::compare::{Mean, VariantComparison, compare};
use crate::lab::export::CsvTable;
use crate::lab::store::Filter;
use crate::lab::{Column, Places, Problem, decimal};
use crate::problems;
use serde_json::json;

/// Tells how the variants differ.
pub fn variants(arguments: &Compare, places: &Places) -> Result<(), Failure> {
    let filter = Filter::parse(&arguments.filter.join(" "), problems::ALL)
        .map_err(|error| Failure::bad_input(error.to_string()))?;
    let mut runs = store::all(places)?;
    runs.retain(|run| filter.admits(run));
    let Some(problem) = runs.first().and_then(|run| problems::find(&run.problem)) else {
        return Err(Failure::bad_input(format!("{}: no run is such", places.logs.display())));
    };
    runs.retain(|run| run.problem == problem.name());
    problem.schema().require(&arguments.by).map_err(|error| Failure::bad_input(format!("--by: {error}")))?;
    let headline = problem.headline_of(&runs[0].row);
    let columns = columns(arguments, problem, headline)?;
    let keys: Vec<&str> = columns.iter().map(|column| column.key).collect();
    let bases: Vec<&str> = arguments.against.iter().map(String::as_str).collect();
    let found = compare(&runs, problem, &arguments.by, &keys, &bases);
    if arguments.json {
        let names = ["schema", "problem", "by", "columns", "comparisons"];
        let values = [json!(1), json!(problem.name()), json!(arguments.by), json!(keys), json!(found)];
        let document: serde_json::Map<String, _> = names.map(str::to_owned).into_iter().zip(values).collect();
        return output::print_json(&document);
    }
    if arguments.csv {
        return output::print(&csv(&found, &arguments.by, &keys, &bases));
    }
    let pages = found.iter().map(|comparison| page(comparison, &arguments.by, &columns, &bases));
    output::print(&pages.collect::<Vec<_>>().join("\n"))
}

/// The columns to tell, the compared one first.
fn columns(arguments: &Compare, problem: &dyn Problem, headline: &str) -> Result<Vec<&'static Column>, Failure> {
    let find = |key: &str| {
        problem.column(key).ok_or_else(|| {
            let known: Vec<_> = problem.columns().iter().map(|column| column.key).collect();
            Failure::bad_input(format!("column: found `{key}`, allowed: {}", known.join(", ")))
        })
    };
    let number = arguments.number.as_deref().unwrap_or(headline);
    std::iter::once(number).chain(arguments.show.iter().map(String::as_str)).map(find).collect()
}

fn page(comparison: &VariantComparison, by: &str, columns: &[&Column], bases: &[&str]) -> String {
    let mut headings = vec![(by.to_owned(), false), ("runs".to_owned(), true)];
    headings.extend(columns.iter().map(|column| (column.heading(), true)));
    for base in bases {
        headings.extend([(format!("less {base}"), true), ("p".to_owned(), true)]);
    }
    let with = |mean: Option<Mean>, digits: usize| match mean {
        None => "–".to_owned(),
        Some(Mean { mean, interval: None }) => decimal(mean, digits),
        Some(Mean { mean, interval: Some(half) }) => format!("{} ± {}", decimal(mean, digits), decimal(half, digits)),
    };
    let rows = comparison.variants.iter().map(|variant| {
        let mut row = vec![variant.value.clone(), variant.runs.to_string()];
        row.extend(columns.iter().zip(&variant.means).map(|(column, mean)| with(*mean, column.digits)));
        for base in bases {
            let paired = variant.against.iter().find(|paired| paired.base == **base);
            let digits = columns.first().map_or(4, |column| column.digits);
            row.push(paired.map_or_else(|| "·".to_owned(), |paired| with(paired.difference, digits)));
            row.push(paired.and_then(|paired| paired.p).map_or_else(|| "·".to_owned(), |p| decimal(p, 4)));
        }
        row
    });
    let table = table::render(headings.iter().map(|(heading, numeric)| (heading.as_str(), *numeric)), rows);
    if comparison.setting.is_empty() { table } else { format!("{}\n{table}", comparison.setting) }
}

/// The same as comma-separated values, a line a variant.
fn csv(comparisons: &[VariantComparison], by: &str, keys: &[&str], bases: &[&str]) -> String {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let both = |mean: Option<Mean>| [mean.map(|mean| mean.mean), mean.and_then(|mean| mean.interval)].map(number);
    let mut table = CsvTable::new();
    let mut line = |cells: &[String]| {
        cells.iter().for_each(|cell| table.cell(cell));
        table.end_line();
    };
    let mut heading = vec!["setting".to_owned(), by.to_owned(), "runs".to_owned()];
    heading.extend(keys.iter().flat_map(|key| [(*key).to_owned(), format!("{key}_interval")]));
    for base in bases {
        heading.extend(["", "_interval", "_p"].map(|end| format!("less_{base}{end}")));
    }
    line(&heading);
    for comparison in comparisons {
        for variant in &comparison.variants {
            let mut cells = vec![comparison.setting.clone(), variant.value.clone(), variant.runs.to_string()];
            cells.extend(variant.means.iter().flat_map(|mean| both(*mean)));
            for base in bases {
                let paired = variant.against.iter().find(|paired| paired.base == **base);
                cells.extend(both(paired.and_then(|paired| paired.difference)));
                cells.push(number(paired.and_then(|paired| paired.p)));
            }
            line(&cells);
        }
    }
    table.into_text()
}
