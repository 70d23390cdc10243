//! `attnlab compare`: variants against each other over seeds.

use super::args::Compare;
use super::failure::Failure;
use super::{output, store, table};
use crate::lab::compare::{ComparedVariant, LEAST, Mean, VariantComparison, best, compare, tests};
use crate::lab::export::{CsvTable, in_latex, in_markdown};
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
    let tables: Vec<ComparisonTable> =
        found.iter().map(|one| ComparisonTable::new(one, problem, &arguments.by, &columns, &bases)).collect();
    let about = about(&found, &bases);
    let form = match (arguments.markdown, arguments.latex) {
        (true, _) => ComparisonTable::markdown,
        (_, true) => ComparisonTable::latex,
        _ => ComparisonTable::text,
    };
    let about = if arguments.latex { format!("% {}", in_latex(&about)) } else { about };
    output::print(&format!("{}\n{about}\n", tables.iter().map(form).collect::<Vec<_>>().join("\n")))
}

/// What the numbers are, in words.
fn about(found: &[VariantComparison], bases: &[&str]) -> String {
    let words = format!("Means over seeds ± half of the 95 % interval (Student's t, from {LEAST} seeds on)");
    let count = tests(found);
    match count {
        _ if bases.is_empty() => format!("{words}."),
        0 => format!("{words}; differences paired by seed, too few pairs for a test."),
        1 => format!("{words}; differences paired by seed, with p of a paired t test."),
        _ => format!(
            "{words}; differences paired by seed, with p of a paired t test, alone and corrected for the {count} tests told \
             here (Holm)."
        ),
    }
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

/// A comparison as a table, before it takes the form of a text.
struct ComparisonTable {
    /// What all its runs have in common and others have not.
    setting: String,
    /// Headings, and whether numbers stand below them.
    headings: Vec<(String, bool)>,
    rows: Vec<Vec<String>>,
    /// The row with the best mean of the first column, where it is known which end is the better one.
    best: Option<usize>,
}

impl ComparisonTable {
    fn new(
        comparison: &VariantComparison,
        problem: &dyn Problem,
        by: &str,
        columns: &[&Column],
        bases: &[&str],
    ) -> Self {
        let mut headings = vec![(by.to_owned(), false), ("runs".to_owned(), true)];
        headings.extend(columns.iter().map(|column| (column.heading(), true)));
        for base in bases {
            headings.extend([format!("less {base}"), "p".to_owned(), "p (Holm)".to_owned()].map(|text| (text, true)));
        }
        let digits = columns.first().map_or(4, |column| column.digits);
        let p = |value: Option<f64>| value.map_or_else(|| "·".to_owned(), |p| decimal(p, 4));
        let row = |variant: &ComparedVariant| {
            let mut row = vec![variant.value.clone(), variant.runs.to_string()];
            row.extend(columns.iter().zip(&variant.means).map(|(column, mean)| shown(*mean, column.digits)));
            for base in bases {
                let paired = variant.against.iter().find(|paired| paired.base == **base);
                row.push(paired.map_or_else(|| "·".to_owned(), |paired| shown(paired.difference, digits)));
                row.extend([paired.and_then(|paired| paired.p), paired.and_then(|paired| paired.p_holm)].map(p));
            }
            row
        };
        let means: Vec<Option<f64>> =
            comparison.variants.iter().map(|variant| Some((*variant.means.first()?)?.mean)).collect();
        let is_headline = columns.first().is_some_and(|column| column.key == problem.headline());
        let best = best(&means, problem.prefers_large()).filter(|_| is_headline);
        Self {
            setting: comparison.setting.clone(),
            headings,
            rows: comparison.variants.iter().map(row).collect(),
            best,
        }
    }

    fn text(&self) -> String {
        let headings = self.headings.iter().map(|(heading, numeric)| (heading.as_str(), *numeric));
        let table = table::render(headings, self.rows.iter().cloned());
        if self.setting.is_empty() { table } else { format!("{}\n{table}", self.setting) }
    }

    /// The cells of a row, those that say which variant it is and its first number set off where it is the best.
    fn cells(&self, row: usize, escape: impl Fn(&str) -> String, bold: impl Fn(String) -> String) -> Vec<String> {
        let cell = |(column, text): (usize, &String)| {
            let text = escape(text);
            if self.best == Some(row) && [0, 2].contains(&column) { bold(text) } else { text }
        };
        self.rows[row].iter().enumerate().map(cell).collect()
    }

    fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let setting =
            if self.setting.is_empty() { String::new() } else { format!("**{}**\n\n", in_markdown(&self.setting)) };
        let headings = line(self.headings.iter().map(|(heading, _)| in_markdown(heading)).collect());
        let rule =
            line(self.headings.iter().map(|(_, numeric)| if *numeric { "---:" } else { "---" }.to_owned()).collect());
        let rows = (0..self.rows.len()).map(|row| line(self.cells(row, in_markdown, |text| format!("**{text}**"))));
        setting + &headings + &rule + &rows.collect::<String>()
    }

    /// With the rules of the package `booktabs`.
    fn latex(&self) -> String {
        let line = |cells: Vec<String>| format!("{} \\\\\n", cells.join(" & "));
        let setting = if self.setting.is_empty() { String::new() } else { format!("% {}\n", in_latex(&self.setting)) };
        let columns: String = self.headings.iter().map(|(_, numeric)| if *numeric { 'r' } else { 'l' }).collect();
        let headings = line(self.headings.iter().map(|(heading, _)| in_latex(heading)).collect());
        let rows =
            (0..self.rows.len()).map(|row| line(self.cells(row, in_latex, |text| format!("\\textbf{{{text}}}"))));
        format!(
            "{setting}\\begin{{tabular}}{{{columns}}}\n\\toprule\n{headings}\\midrule\n{}\\bottomrule\n\\end{{tabular}}\n",
            rows.collect::<String>()
        )
    }
}

/// A mean with half of its interval.
fn shown(mean: Option<Mean>, digits: usize) -> String {
    match mean {
        None => "–".to_owned(),
        Some(Mean { mean, interval: None }) => decimal(mean, digits),
        Some(Mean { mean, interval: Some(half) }) => format!("{} ± {}", decimal(mean, digits), decimal(half, digits)),
    }
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
                cells.push(number(paired.and_then(|paired| paired.p_holm)));
            }
            line(&cells);
        }
    }
    table.into_text()
}
