//! `attnlab list`, `show` and what is done to runs that are there.

use super::args::{Delete, List, Show, Tag, Trash};
use super::failure::Failure;
use super::{output, table};
use crate::lab::store::{self, Filter, RunSummary};
use crate::lab::{
    Differences, Document, Places, RunRecord, RunState, RunView, StoredParams, VariedColumns, decimal, distinct_names,
    duration,
};
use crate::problems;
use crate::text::visible;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Lists runs, the newest last, so that it stands next to the prompt.
pub fn list(arguments: &List, places: &Places) -> Result<(), Failure> {
    let filter = Filter::parse(&arguments.filter.join(" "), problems::ALL)
        .map_err(|error| Failure::bad_input(error.to_string()))?;
    let mut runs = all(places)?;
    runs.retain(|run| filter.admits(run));
    match &arguments.sort {
        Some(key) => store::sort(&mut runs, key, arguments.descending),
        None => runs.reverse(),
    }
    if arguments.json {
        let labels = told_apart(&runs, |run| &run.label);
        let labelled = |(run, label): (&Arc<RunSummary>, String)| RunSummary { label, ..RunSummary::clone(run) };
        let runs: Vec<RunSummary> = runs.iter().zip(labels).map(labelled).collect();
        return output::print_json(&json!({ "schema": 1, "runs": runs }));
    }
    output::print(&listed(&runs))
}

/// A table of runs, below what they have in common.
fn listed(runs: &[Arc<RunSummary>]) -> String {
    let named: Vec<(&str, &StoredParams)> = runs.iter().map(|run| (run.problem.as_str(), &run.params)).collect();
    // Runs of several problems have few parameters in common: their names tell them apart.
    let is_one_problem = runs.windows(2).all(|pair| pair[0].problem == pair[1].problem);
    let varied = if is_one_problem {
        VariedColumns::of(&named, |problem| problems::find(problem).map(|problem| problem.schema()))
    } else {
        VariedColumns::default()
    };
    let names: Vec<String> = if varied.are_all {
        runs.iter().map(|run| run.name().to_owned()).collect()
    } else {
        told_apart(runs, RunSummary::name)
    };
    let params: Vec<&StoredParams> = runs.iter().map(|run| &run.params).collect();
    let is_number = |column: usize, texts: &[Vec<String>]| {
        texts.iter().all(|line| line[column].is_empty() || line[column].parse::<f64>().is_ok())
    };
    let texts = varied.texts(&params);
    let keys = varied.keys.iter().enumerate().map(|(column, key)| (key.as_str(), is_number(column, &texts)));
    let headings = [("run", false), ("state", false), ("what", false)].into_iter().chain(keys);
    let headings = headings.chain([("result", true), ("time", true), ("", false)]);
    let lines = runs.iter().zip(names).zip(&texts).map(|((run, name), texts)| line(run, name, texts));
    in_common(runs) + &table::render(headings, lines)
}

/// A name for each run, such that runs with different parameters have different names.
fn told_apart(runs: &[Arc<RunSummary>], name: impl Fn(&RunSummary) -> &str) -> Vec<String> {
    let named: Vec<_> = runs.iter().map(|run| (run.problem.as_str(), name(run), &run.params)).collect();
    distinct_names(&named, |problem| problems::find(problem).map(|problem| problem.schema()))
}

/// A line about what several runs of one problem have in common beside the defaults; empty where they have nothing.
fn in_common(runs: &[Arc<RunSummary>]) -> String {
    let problem = runs.first().and_then(|run| problems::find(&run.problem));
    let Some(problem) = problem.filter(|problem| runs.iter().all(|run| run.problem == problem.name())) else {
        return String::new();
    };
    if runs.len() < 2 {
        return String::new();
    }
    let schema = problem.schema();
    let params: Vec<&StoredParams> = runs.iter().map(|run| &run.params).collect();
    let differences = Differences::between(&params, Some(schema), |key| schema.get(key).is_some());
    let is_default = |key: &str, text: &str| schema.get(key).is_some_and(|param| param.is_default(text));
    let changed = differences.common().iter().filter(|(key, text)| !is_default(key, text));
    let words: Vec<String> = changed.map(|(key, text)| format!("{key}={text}")).collect();
    if words.is_empty() { String::new() } else { format!("all: {} {}\n\n", problem.name(), visible(&words.join(" "))) }
}

/// Every run, the newest first.
pub fn all(places: &Places) -> Result<Vec<Arc<RunSummary>>, Failure> {
    if places.logs.is_dir() { Ok(store::list(&places.logs)?) } else { Ok(Vec::new()) }
}

fn line(run: &RunSummary, name: String, params: &[String]) -> Vec<String> {
    let known = problems::find(&run.problem);
    let column = known.and_then(|problem| problem.column(problem.headline_of(&run.row)));
    let result = run.headline.map_or_else(String::new, |value| match column {
        Some(column) => format!("{} {}", column.label, decimal(value, column.digits)),
        None => decimal(value, 4),
    });
    let tags = run.tags.iter().map(|tag| format!("#{tag}"));
    // A run that the user stopped says nothing; one that a halving stopped says so.
    let why = Some(&run.message).filter(|message| run.state == RunState::Stopped && !message.is_empty());
    let remarks: Vec<String> = tags.chain(why.cloned()).chain(run.damage.clone()).collect();
    let time = duration(run.seconds);
    let mut cells = vec![run.id.clone(), run.state.name().to_owned(), name];
    cells.extend_from_slice(params);
    cells.extend([result, time, remarks.join(" ")]);
    cells
}

/// Finds the runs that the names of one command line mean; the directory of runs is looked through once at most.
pub struct Finder<'a> {
    places: &'a Places,
    runs: Option<Vec<Arc<RunSummary>>>,
}

impl<'a> Finder<'a> {
    /// Among the runs in `places`.
    pub const fn new(places: &'a Places) -> Self {
        Self { places, runs: None }
    }

    /// The folder of the run that `name` means: a path, a folder's name, the one name that begins with it or holds it,
    /// or `last`.
    pub fn find(&mut self, name: &str) -> Result<PathBuf, Failure> {
        if name.is_empty() {
            return Err(Failure::bad_input("run: found an empty name, allowed: a run (see `attnlab list`)"));
        }
        let path = Path::new(name);
        let path = if path.ends_with("run.toml") { path.parent().unwrap_or(path) } else { path };
        if path.join("run.toml").is_file() {
            // `.` and `..` have names of their own.
            let whole = if path.file_name().is_some() { None } else { path.canonicalize().ok() };
            return Ok(whole.unwrap_or_else(|| path.to_owned()));
        }
        let logs = &self.places.logs;
        let runs = match &mut self.runs {
            Some(runs) => runs,
            none => none.insert(all(self.places)?),
        };
        if name == "last" {
            let newest = runs.first().map(|run| run.folder(logs));
            return newest.ok_or_else(|| Failure::bad_input(format!("{}: there is no run yet", logs.display())));
        }
        if let Some(run) = runs.iter().find(|run| run.id == name) {
            return Ok(run.folder(logs));
        }
        let beginning: Vec<_> = runs.iter().filter(|run| run.id.starts_with(name)).collect();
        let holding = || runs.iter().filter(|run| run.id.contains(name)).collect();
        let found: Vec<_> = if beginning.is_empty() { holding() } else { beginning };
        match found.as_slice() {
            [run] => Ok(run.folder(logs)),
            [] => Err(Failure::bad_input(format!(
                "run: found `{name}`, allowed: a run in {} (see `attnlab list`)",
                logs.display()
            ))),
            [first, .., last] => Err(Failure::bad_input(format!(
                "run: `{name}` means {} runs, from {} to {}; write more of the name",
                found.len(),
                last.id,
                first.id
            ))),
        }
    }
}

/// As [`Finder::find`], for a command of one run.
pub fn find(name: &str, places: &Places) -> Result<PathBuf, Failure> {
    Finder::new(places).find(name)
}

/// Tells everything about one run.
pub fn show(arguments: &Show, places: &Places) -> Result<(), Failure> {
    let folder = find(&arguments.run, places)?;
    if arguments.json {
        return output::print_json(&Document::read(&folder)?);
    }
    let (record, view) = (RunRecord::read(&folder)?, RunView::read(&folder)?);
    let summary = RunSummary::read(&folder);
    let problem = problems::find(&record.problem);
    let (facts, machine) = (&record.run, &record.run.machine);
    let why = if summary.message.is_empty() { String::new() } else { format!(": {}", summary.message) };
    let mut page = format!(
        "{}\n{} · {}{why} · {} of work\nasked for {} with attnlab {} on {} ({})\n{}\n",
        folder.display(),
        record.problem,
        summary.state.name(),
        duration(summary.seconds),
        facts.created,
        facts.version,
        machine.host,
        machine.words(),
        facts.command
    );
    if let Some(damage) = &summary.damage {
        page += &format!("damaged: {damage}\n");
    }
    let rows = record.params.iter().map(|(key, value)| {
        let default = problem.and_then(|problem| Some(problem.schema().get(key)?.default)).unwrap_or_default();
        let text = value.to_string();
        let mark = if text == default { String::new() } else { format!("default {default}") };
        vec![key.to_owned(), text, mark]
    });
    page += &format!("\n{}", table::render([("parameter", false), ("value", false), ("", false)], rows));
    if let (Some(problem), false) = (problem, view.rows.is_empty()) {
        page += &format!("\n{}", table::results(problem.columns(), &view.rows, arguments.wide));
    }
    for note in &view.notes {
        page += &format!("\nnote: {note}\n");
    }
    output::print(&page)
}

/// Gives a run a name or tags.
pub fn tag(arguments: &Tag, places: &Places) -> Result<(), Failure> {
    let folder = find(&arguments.run, places)?;
    if let Some(title) = &arguments.title {
        store::rename(&folder, title)?;
    }
    if arguments.title.is_none() || !arguments.tags.is_empty() {
        store::tag(&folder, &arguments.tags)?;
    }
    Ok(())
}

/// Moves runs to the trash beside them.
pub fn delete(arguments: &Delete, places: &Places) -> Result<(), Failure> {
    // All names are understood before anything is moved.
    let mut finder = Finder::new(places);
    let folders = arguments.runs.iter().map(|run| finder.find(run)).collect::<Result<Vec<_>, _>>()?;
    for folder in folders {
        output::print(&format!("moved to {}\n", store::delete(&folder)?.display()))?;
    }
    Ok(())
}

/// Lists the runs in the trash, the newest last, or puts those back that are named.
pub fn trash(arguments: &Trash, places: &Places) -> Result<(), Failure> {
    if arguments.restore.is_empty() {
        let mut runs: Vec<Arc<RunSummary>> = store::trash(&places.logs)?.into_iter().map(Arc::new).collect();
        runs.reverse();
        return output::print(&listed(&runs));
    }
    for run in &arguments.restore {
        output::print(&format!("moved to {}\n", store::restore(&places.logs, run)?.display()))?;
    }
    Ok(())
}
