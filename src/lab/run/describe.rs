//! What `run.toml` and `summary.json` say of a run.

use crate::lab::LabError;
use crate::lab::plan::RunSpec;
use crate::lab::record::folder::{Document, RunFacts, RunRecord, SCHEMA};
use crate::lab::record::machine::Machine;
use crate::lab::run::view::RunView;
use std::path::Path;

/// What was asked, for a run called `id`.
pub(super) fn record(spec: &RunSpec, id: String, now: jiff::Timestamp) -> RunRecord {
    RunRecord {
        schema: SCHEMA,
        problem: spec.problem.name().to_owned(),
        title: spec.title.clone().unwrap_or_default(),
        params: spec.params.stored(&spec.problem.schema()),
        run: RunFacts {
            id,
            created: now.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: spec.command(),
            seed: spec.seed(),
            point: spec.point(),
            label: spec.label(),
            machine: Machine::here().clone(),
        },
    }
}

/// Takes the parameters of `spec`, which differ from those recorded in nothing that determines the result.
pub(super) fn change(spec: &RunSpec, record: &mut RunRecord) {
    record.params = spec.params.stored(&spec.problem.schema());
    record.run.command = spec.command();
    record.run.label = spec.label();
}

/// What has come out of a run so far.
pub(super) fn document(spec: &RunSpec, record: &RunRecord, view: &RunView) -> Document {
    Document {
        schema: SCHEMA,
        problem: record.problem.clone(),
        params: spec.params.stored(&spec.problem.schema()),
        seed: record.run.seed,
        version: record.run.version.clone(),
        machine: record.run.machine.clone(),
        headline: spec.problem.headline_number(&view.rows),
        rows: view.rows.clone(),
        notes: view.notes.clone(),
        id: record.run.id.clone(),
        point: record.run.point.clone(),
        label: record.run.label.clone(),
        title: record.title.clone(),
        state: view.state,
        message: view.message.clone(),
        created: record.run.created.clone(),
        seconds: view.seconds,
        command: record.run.command.clone(),
    }
}

/// Refuses a run whose parameters are not those it began with: what it has told would not fit what it tells from now on.
pub(super) fn refuse_if_changed(spec: &RunSpec, record: &RunRecord, path: &Path) -> Result<(), LabError> {
    // A parameter that came with a later version is in no older file, and changes every point.
    let is_whole = spec.problem.schema().iter().all(|param| record.params.get(param.key).is_some());
    let (found, began) = (spec.point(), &record.run.point);
    if began.is_empty() || !is_whole || found == *began {
        return Ok(());
    }
    let reason = format!(
        "its parameters were changed since the run began (their point is {found}, the run's {began}); put them back, or \
         begin a new run with `attnlab run {}`",
        path.display()
    );
    Err(LabError::content(path, None, reason))
}
