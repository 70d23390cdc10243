//! `attnlab presets`: the figures that are ready to run.

use super::args::Presets;
use super::failure::Failure;
use super::{output, table};
use crate::lab::{LabError, Places, Preset, Sweep, preset};
use crate::problems;
use serde_json::{Value, json};

/// Lists the presets. Those that cannot be read are told on standard error, and make the command fail.
pub fn list(arguments: &Presets, places: &Places) -> Result<(), Failure> {
    let mut broken: Vec<LabError> = Vec::new();
    let mut presets: Vec<Preset> = Vec::new();
    for (_, preset) in preset::all(places, problems::ALL) {
        match preset {
            Ok(preset) => presets.push(preset),
            Err(error) => broken.push(error),
        }
    }
    presets
        .sort_by_key(|preset| problems::ALL.iter().position(|problem| problem.name() == preset.sweep.problem.name()));
    if arguments.json {
        let presets: Vec<Value> = presets.iter().map(declared).collect();
        output::print_json(&json!({ "schema": 1, "presets": presets }))?;
    } else {
        let headings = [("preset", false), ("problem", false), ("runs", true), ("what it shows", false)];
        let rows = presets.iter().map(|preset| {
            let runs = preset.sweep.count().map_or_else(|_| "–".to_owned(), |count| count.to_string());
            let about = if preset.about.is_empty() { &preset.title } else { &preset.about };
            vec![preset.name.clone(), preset.sweep.problem.name().to_owned(), runs, about.clone()]
        });
        output::print(&table::render(headings, rows))?;
    }
    let Some(last) = broken.pop() else { return Ok(()) };
    broken.iter().for_each(|error| output::complain(&format!("attnlab: {error}")));
    Err(last.into())
}

fn declared(preset: &Preset) -> Value {
    let Sweep { problem, draft, repeats, .. } = &preset.sweep;
    let params: serde_json::Map<String, Value> = problem
        .schema()
        .iter()
        .map(|param| (param.key, draft.text(param.key)))
        .map(|(key, text)| (key.to_owned(), text.into()))
        .collect();
    json!({
        "name": preset.name, "problem": problem.name(), "title": preset.title, "about": preset.about,
        "runs": preset.sweep.count().ok(), "repeats": repeats, "params": params,
        "file": preset.file,
    })
}
