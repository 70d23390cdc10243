//! `attnlab compare`: variants against each other over seeds.

use super::args::Compare;
use super::failure::Failure;
use super::{output, store, table};
use crate::lab::compare::{ComparedVariant, ComparisonRequest, Comparisons, VariantComparison, compare};
use crate::lab::export::{CsvTable, in_latex, in_markdown};
use crate::lab::mean::{LEAST, Mean, best};
use crate::lab::store::Filter;
use crate::lab::{Column, Places, Problem, common, decimal};
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
    for (option, key) in
        arguments.by.iter().map(|key| ("--by", key)).chain(arguments.own.iter().map(|key| ("--own", key)))
    {
        problem.schema().require(key).map_err(|error| Failure::bad_input(format!("{option}: {error}")))?;
    }
    if let Some(key) = arguments.own.iter().find(|key| arguments.by.contains(key) || *key == common::SEED.key) {
        return Err(Failure::bad_input(format!(
            "--own: found `{key}`, allowed: parameters but the seed and those of --by"
        )));
    }
    let columns = columns(arguments, problem, problem.headline_of(&runs[0].row))?;
    let by: Vec<&str> = arguments.by.iter().map(String::as_str).collect();
    let bases: Vec<&str> = arguments.against.iter().map(String::as_str).collect();
    let own: Vec<&str> = arguments.own.iter().map(String::as_str).collect();
    let request = ComparisonRequest { by: &by, own: &own, columns: &columns, bases: &bases };
    let found = compare(&runs, problem, &request);
    check_own(&found, &request)?;
    let there = |base: &str| {
        let mut variants = found.comparisons.iter().flat_map(|comparison| &comparison.variants);
        variants.any(|variant| variant.values.first().is_some_and(|value| value == base))
    };
    if let Some(absent) = bases.iter().find(|base| !there(base)) {
        let key = by.first().copied().unwrap_or_default();
        return Err(Failure::bad_input(format!("--against: no finished run among these has {key}={absent}")));
    }
    if arguments.json {
        let keys: Vec<&str> = columns.iter().map(|column| column.key).collect();
        return output::print_json(&json!({
            "schema": 2, "problem": problem.name(), "by": by, "own": own, "columns": keys, "common": found.common,
            "comparisons": found.comparisons,
        }));
    }
    if arguments.csv {
        let rows = if arguments.seeds { seeds_csv(&found, &request) } else { csv(&found, &request) };
        return output::print(&rows);
    }
    let table = if arguments.seeds { ComparisonTable::of_seeds } else { ComparisonTable::of_variants };
    let tables = found.comparisons.iter().map(|one| table(one, problem, &request));
    let form = match (arguments.markdown, arguments.latex) {
        (true, _) => ComparisonTable::markdown,
        (_, true) => ComparisonTable::latex,
        _ => ComparisonTable::text,
    };
    let mut notes = Vec::new();
    if !found.common.is_empty() {
        notes.push(format!("All with {}.", found.common));
    }
    notes.push(if arguments.seeds { "One row a run.".to_owned() } else { about(&found, &bases) });
    let (before, escape): (&str, fn(&str) -> String) = match (arguments.markdown, arguments.latex) {
        (true, _) => ("", in_markdown),
        (_, true) => ("% ", in_latex),
        _ => ("", str::to_owned),
    };
    let notes: String = notes.iter().map(|note| format!("{before}{}\n", escape(note))).collect();
    output::print(&format!("{}\n{notes}", tables.map(|table| form(&table)).collect::<Vec<_>>().join("\n")))
}

/// Refuses a variant whose runs have several values of a parameter that is to be its own.
fn check_own(found: &Comparisons, request: &ComparisonRequest<'_>) -> Result<(), Failure> {
    for variant in found.comparisons.iter().flat_map(|comparison| &comparison.variants) {
        let mixed = request.own.iter().zip(&variant.own).find(|(_, values)| values.len() > 1);
        if let Some((key, values)) = mixed {
            let named: Vec<_> =
                request.by.iter().zip(&variant.values).map(|(key, value)| format!("{key}={value}")).collect();
            return Err(Failure::bad_input(format!(
                "--own: found runs of {} with {key}={}, allowed: one value of {key} for each variant (a filter chooses runs)",
                named.join(" "),
                values.join(" and ")
            )));
        }
    }
    Ok(())
}

/// What says which variant it is: its values, and those that are its own.
fn told_values(variant: &ComparedVariant) -> impl Iterator<Item = String> + '_ {
    variant.values.iter().cloned().chain(variant.own.iter().map(|values| values.join(" ")))
}

/// The parameters of which these are the values.
fn told_keys(request: &ComparisonRequest<'_>) -> impl Iterator<Item = String> {
    request.by.iter().chain(request.own).map(|key| (*key).to_owned())
}

/// What the numbers are, in words.
fn about(found: &Comparisons, bases: &[&str]) -> String {
    let words = format!(
        "Means over seeds with 95 % intervals (Student's t, from {LEAST} seeds on; of shares on the logit scale): ± half \
         of it, or its ends where it is not symmetric"
    );
    let count = found.tests();
    match count {
        _ if bases.is_empty() => format!("{words}."),
        0 => format!("{words}. Differences are paired by seed; too few pairs for a test."),
        1 => format!("{words}. Differences are paired by seed, with p of a paired t test."),
        _ => format!(
            "{words}. Differences are paired by seed, with p of a paired t test, alone and corrected for the {count} tests \
             told here (Holm)."
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
    /// The column of that mean.
    first: usize,
}

impl ComparisonTable {
    /// A row for each variant.
    fn of_variants(comparison: &VariantComparison, problem: &dyn Problem, request: &ComparisonRequest<'_>) -> Self {
        let ComparisonRequest { by, own, columns, bases } = request;
        let mut headings: Vec<(String, bool)> = told_keys(request).map(|key| (key, false)).collect();
        headings.push(("runs".to_owned(), true));
        headings.extend(columns.iter().map(|column| (column.heading(), true)));
        for base in *bases {
            headings.extend([format!("less {base}"), "p".to_owned(), "p (Holm)".to_owned()].map(|text| (text, true)));
        }
        let digits = columns.first().map_or(4, |column| column.digits);
        let p = |value: Option<f64>| value.map_or_else(|| "·".to_owned(), |p| decimal(p, 4));
        let shown = |mean: &Option<Mean>, digits| mean.map_or_else(|| "–".to_owned(), |mean| mean.show(digits));
        let row = |variant: &ComparedVariant| {
            let mut row: Vec<String> = told_values(variant).collect();
            row.push(variant.runs.len().to_string());
            row.extend(columns.iter().zip(&variant.means).map(|(column, mean)| shown(mean, column.digits)));
            for base in *bases {
                let paired = variant.against.iter().find(|paired| paired.base == **base);
                row.push(paired.map_or_else(|| "·".to_owned(), |paired| shown(&paired.difference, digits)));
                row.extend([paired.and_then(|paired| paired.p), paired.and_then(|paired| paired.p_holm)].map(p));
            }
            row
        };
        let means: Vec<Option<f64>> =
            comparison.variants.iter().map(|variant| Some((*variant.means.first()?)?.mean)).collect();
        let is_headline = columns.first().is_some_and(|column| column.key == problem.headline());
        let best = best(&means, problem.prefers_large()).filter(|_| is_headline);
        let rows = comparison.variants.iter().map(row).collect();
        Self { setting: comparison.setting.clone(), headings, rows, best, first: by.len() + own.len() + 1 }
    }

    /// A row for each run.
    fn of_seeds(comparison: &VariantComparison, _: &dyn Problem, request: &ComparisonRequest<'_>) -> Self {
        let mut headings: Vec<(String, bool)> = told_keys(request).map(|key| (key, false)).collect();
        headings.push(("seed".to_owned(), true));
        headings.extend(request.columns.iter().map(|column| (column.heading(), true)));
        headings.push(("run".to_owned(), false));
        let rows = comparison.variants.iter().flat_map(|variant| {
            variant.runs.iter().map(|run| {
                let mut row: Vec<String> = told_values(variant).collect();
                row.push(run.seed.clone());
                let numbers = request.columns.iter().zip(&run.numbers);
                row.extend(numbers.map(|(column, number)| {
                    number.map_or_else(|| "–".to_owned(), |number| decimal(number, column.digits))
                }));
                row.push(run.run.clone());
                row
            })
        });
        let rows = rows.collect();
        Self { setting: comparison.setting.clone(), headings, rows, best: None, first: 0 }
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
            let set_off = column + 1 < self.first || column == self.first;
            if self.best == Some(row) && set_off { bold(text) } else { text }
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

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// Comma-separated values: the headings, then lines of as many cells.
fn lines(headings: Vec<String>, lines: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = CsvTable::new();
    for line in std::iter::once(headings).chain(lines) {
        line.iter().for_each(|cell| table.cell(cell));
        table.end_line();
    }
    table.into_text()
}

/// The same as comma-separated values, a line a variant.
fn csv(found: &Comparisons, request: &ComparisonRequest<'_>) -> String {
    let with_ends = |mean: Option<Mean>| {
        let interval = mean.and_then(|mean| mean.interval);
        [mean.map(|mean| mean.mean), interval.map(|ends| ends[0]), interval.map(|ends| ends[1])].map(number)
    };
    let mut headings = vec!["setting".to_owned()];
    headings.extend(told_keys(request));
    headings.push("runs".to_owned());
    headings
        .extend(request.columns.iter().flat_map(|column| ["", "_lo", "_hi"].map(|end| column.key.to_owned() + end)));
    for base in request.bases {
        let ends = ["", "_lo", "_hi", "_pairs", "_p", "_p_holm"];
        headings.extend(ends.map(|end| format!("less_{base}{end}")));
    }
    let variants = found.comparisons.iter().flat_map(|comparison| {
        comparison.variants.iter().map(|variant| {
            let mut cells = vec![comparison.setting.clone()];
            cells.extend(told_values(variant));
            cells.push(variant.runs.len().to_string());
            cells.extend(variant.means.iter().flat_map(|mean| with_ends(*mean)));
            for base in request.bases {
                let paired = variant.against.iter().find(|paired| paired.base == **base);
                cells.extend(with_ends(paired.and_then(|paired| paired.difference)));
                cells.push(paired.map_or_else(String::new, |paired| paired.pairs.to_string()));
                cells.push(number(paired.and_then(|paired| paired.p)));
                cells.push(number(paired.and_then(|paired| paired.p_holm)));
            }
            cells
        })
    });
    lines(headings, variants)
}

/// Comma-separated values, a line a run.
fn seeds_csv(found: &Comparisons, request: &ComparisonRequest<'_>) -> String {
    let mut headings = vec!["setting".to_owned()];
    headings.extend(told_keys(request));
    headings.extend(["seed".to_owned(), "run".to_owned()]);
    headings.extend(request.columns.iter().map(|column| column.key.to_owned()));
    let runs = found.comparisons.iter().flat_map(|comparison| {
        comparison.variants.iter().flat_map(|variant| {
            variant.runs.iter().map(|run| {
                let mut cells = vec![comparison.setting.clone()];
                cells.extend(told_values(variant));
                cells.extend([run.seed.clone(), run.run.clone()]);
                cells.extend(run.numbers.iter().copied().map(number));
                cells
            })
        })
    });
    lines(headings, runs)
}
