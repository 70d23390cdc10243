//! `attnlab params` and `attnlab run PROBLEM --help`: a problem's parameters, from their declarations.

use super::args::ParamsArguments;
use super::failure::Failure;
use super::{output, table};
use crate::lab::{Kind, Param, Problem};
use crate::nearest::nearest;
use crate::problems;
use crate::text;
use serde_json::{Value, json};
use std::fmt::Write;

/// Lists the parameters of one problem, or the problems.
pub fn list(arguments: &ParamsArguments) -> Result<(), Failure> {
    let Some(name) = &arguments.problem else {
        if arguments.json {
            let all: Vec<Value> = problems::ALL.iter().map(|problem| declared(*problem)).collect();
            return output::print_json(&json!({ "schema": 1, "problems": all }));
        }
        let rows = problems::ALL.iter().map(|problem| vec![problem.name().to_owned(), problem.about().to_owned()]);
        return output::print(&table::render([("problem", false), ("what it shows", false)], rows));
    };
    let problem = problems::find(name).ok_or_else(|| unknown(name))?;
    if arguments.json { output::print_json(&declared(problem)) } else { output::print(&help(problem)) }
}

/// An error that names the problems there are.
fn unknown(name: &str) -> Failure {
    let names: Vec<&str> = problems::ALL.iter().map(|problem| problem.name()).collect();
    let hint =
        nearest(name, names.iter().copied()).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
    Failure::bad_input(format!("problem: found `{name}`, allowed: {}{hint}", names.join(", ")))
}

/// The page that explains a problem.
pub fn help(problem: &dyn Problem) -> String {
    let mut page = format!(
        "{} · {}\n\nUsage: attnlab run {} [--set KEY=VALUE]...\n",
        problem.title(),
        problem.about(),
        problem.name()
    );
    let schema = problem.schema();
    let width = schema.iter().map(|param| param.key.len() + 1 + param.default.len()).max().unwrap_or(0);
    let mut groups: Vec<&str> = Vec::new();
    for param in schema.iter() {
        if !groups.contains(&param.group) {
            groups.push(param.group);
        }
    }
    for group in groups {
        let _ = write!(page, "\n{}:\n", if group.is_empty() { "parameters" } else { group });
        for param in schema.iter().filter(|param| param.group == group) {
            let assigned = format!("{}={}", param.key, param.default);
            let unit = if param.unit.is_empty() { String::new() } else { format!(" ({})", param.unit) };
            let _ = writeln!(page, "  {assigned:width$}  {}{unit}", param.help);
            for line in allowed(param) {
                let _ = writeln!(page, "  {:width$}    {line}", "");
            }
        }
    }
    let columns: Vec<&str> = problem.columns().iter().map(|column| column.key).collect();
    let _ = write!(page, "\nRows of --json:\n  {}\n", text::wrap(&columns.join(", "), 100).join("\n  "));
    page + "\nValues are set as KEY=VALUE; `a,b,c` and `16..1024 x2` stand for several. Shown are the defaults.\n"
}

/// Lines that say what is allowed, choices one a line.
fn allowed(param: &Param) -> Vec<String> {
    let mut lines = match param.kind {
        Kind::Choice(choices) => {
            let width = choices.iter().map(|choice| choice.name.len()).max().unwrap_or(0);
            choices
                .iter()
                .map(|choice| format!("{:width$}  {}", choice.name, choice.help).trim_end().to_owned())
                .collect()
        }
        _ => vec![param.allowed()],
    };
    if param.list {
        lines.push("one run takes a list".to_owned());
    }
    if let Some(words) = param.read_with_words() {
        lines.push(format!("read only with {words}"));
    }
    lines
}

/// A problem's declaration for machines.
fn declared(problem: &dyn Problem) -> Value {
    let parameters: Vec<Value> = problem
        .schema()
        .iter()
        .map(|param| {
            let choices: Option<Vec<&str>> = match param.kind {
                Kind::Choice(choices) => Some(choices.iter().map(|choice| choice.name).collect()),
                _ => None,
            };
            let conditions = param.conditions().map(|(key, values)| (key.to_owned(), json!(values)));
            let read_with: Option<Value> = param.read_with.map(|_| Value::Object(conditions.collect()));
            json!({
                "key": param.key, "help": param.help, "default": param.default, "unit": param.unit,
                "group": param.group, "allowed": param.allowed(), "choices": choices, "list": param.list,
                "read_with": read_with,
            })
        })
        .collect();
    let columns: Vec<&str> = problem.columns().iter().map(|column| column.key).collect();
    json!({
        "schema": 1, "problem": problem.name(), "about": problem.about(),
        "headline": problem.headline(), "params": parameters, "columns": columns,
    })
}
