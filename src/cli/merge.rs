//! The JSON document of a command that ran one run or many.

use super::failure::Failure;
use super::output;
use crate::lab::{Document, Machine, Row, RunState, StoredValue};
use serde::Serialize;
use serde_json::{Map, Value};

/// Several runs of one problem: the rows of all of them, and an array for every parameter that differs.
#[derive(Serialize)]
struct Together<'a> {
    schema: u32,
    problem: &'a str,
    params: Map<String, Value>,
    seed: u64,
    version: &'a str,
    machine: &'a Machine,
    rows: Vec<&'a Row>,
    runs: Vec<RunPart<'a>>,
}

/// What is one run's own among several.
#[derive(Serialize)]
struct RunPart<'a> {
    id: &'a str,
    seed: u64,
    state: RunState,
    message: &'a str,
    created: &'a str,
    seconds: f64,
    headline: Option<f64>,
    command: &'a str,
}

/// Prints the document of the one run, or one of all of them.
pub fn print(documents: &[Document]) -> Result<(), Failure> {
    match documents {
        [] => Ok(()),
        [one] => output::print_json(one),
        [first, ..] => output::print_json(&Together {
            schema: first.schema,
            problem: &first.problem,
            params: first.params.iter().map(|(key, _)| (key.to_owned(), values(documents, key))).collect(),
            seed: first.seed,
            version: &first.version,
            machine: &first.machine,
            rows: documents.iter().flat_map(|document| &document.rows).collect(),
            runs: documents.iter().map(part).collect(),
        }),
    }
}

/// The value of `key` where all runs have the same, an array of the different ones otherwise.
fn values(documents: &[Document], key: &str) -> Value {
    let mut different: Vec<Value> = Vec::new();
    for value in documents.iter().filter_map(|document| document.params.get(key)).map(StoredValue::to_json) {
        if !different.contains(&value) {
            different.push(value);
        }
    }
    if different.len() == 1 { different.remove(0) } else { different.into() }
}

fn part(document: &Document) -> RunPart<'_> {
    RunPart {
        id: &document.id,
        seed: document.seed,
        state: document.state,
        message: &document.message,
        created: &document.created,
        seconds: document.seconds,
        headline: document.headline,
        command: &document.command,
    }
}
