//! What stands below a figure on demand: what the runs are and the parameters that all of them share.

use crate::lab::export::source::NamedRun;
use crate::lab::export::text::printable;
use crate::lab::{RunState, common};
use std::collections::BTreeSet;

/// The caption of figures of `runs`.
pub fn caption(runs: &[&NamedRun<'_>]) -> String {
    let Some(first) = runs.first() else { return String::new() };
    let mut problems: Vec<&str> = Vec::new();
    for run in runs {
        let name = run.problem.map_or(run.record.problem.as_str(), |problem| problem.title());
        if !problems.contains(&name) {
            problems.push(name);
        }
    }
    let finished = runs.iter().filter(|run| run.view.state == RunState::Finished).count();
    let count = match (runs.len(), finished) {
        (1, 1) => "1 run".to_owned(),
        (all, finished) if all == finished => format!("{all} runs"),
        (all, finished) => format!("{all} runs, {finished} of them finished"),
    };
    let seeds: BTreeSet<u64> = runs.iter().map(|run| run.record.run.seed).collect();
    let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
    let shared = |key: &str, text: &str| runs.iter().all(|run| run.record.params.text(key) == text);
    let default = |key: &str, text: &str| {
        let param = first.problem.and_then(|problem| problem.schema().get(key));
        param.is_some_and(|param| param.is_default(text))
    };
    let mut parts = vec![format!("{}: {count}", problems.join(", ")), format!("seed {}", seeds.join(", "))];
    for (key, value) in first.record.params.iter() {
        let text = value.to_string();
        if key != common::SEED.key && !text.is_empty() && shared(key, &text) && !default(key, &text) {
            parts.push(format!("{key}={text}"));
        }
    }
    parts.push(format!("attnlab {}", first.record.run.version));
    printable(&format!("{}.", parts.join("; "))).into_owned()
}
