//! What is exported: runs as they were read, each with a name and with words that tell it from the others.

use super::names;
use crate::lab::{Differences, LabError, Problem, RunRecord, RunView, StoredParams};
use std::collections::HashMap;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

/// A finished or unfinished run, read for export.
pub struct RunSource {
    /// What was asked.
    pub record: RunRecord,
    /// What it said.
    pub view: RunView,
    pub(super) folder: PathBuf,
    pub(super) problem: Option<&'static dyn Problem>,
}

impl RunSource {
    /// Reads the run in `folder`; `problems` know how its rows are written.
    ///
    /// # Errors
    /// The folder is no run, or is damaged.
    pub fn read(folder: &Path, problems: &[&'static dyn Problem]) -> Result<Self, LabError> {
        let record = RunRecord::read(folder)?;
        let view = RunView::read(folder)?;
        let problem = problems.iter().copied().find(|problem| problem.name() == record.problem);
        Ok(Self { record, view, folder: folder.to_owned(), problem })
    }

    /// The folder's name, should somebody have changed it: two copies of a run are two.
    fn id(&self) -> String {
        let whole = || fs::canonicalize(&self.folder).ok();
        let name = self.folder.file_name().map(ToOwned::to_owned).or_else(|| Some(whole()?.file_name()?.to_owned()));
        name.map_or_else(|| self.record.run.id.clone(), |name| name.to_string_lossy().into_owned())
    }
}

/// A run with its name in exported files: one component of a path that no other run of the export has.
#[derive(Clone)]
pub(super) struct NamedRun<'a> {
    source: &'a RunSource,
    pub name: String,
}

impl Deref for NamedRun<'_> {
    type Target = RunSource;

    fn deref(&self) -> &RunSource {
        self.source
    }
}

impl<'a> NamedRun<'a> {
    pub fn all(runs: &'a [RunSource]) -> Vec<Self> {
        let names = names::distinct(runs.iter().map(|run| names::component(&run.id())));
        runs.iter().zip(names).map(|(source, name)| Self { source, name }).collect()
    }

    /// What it remarks, and why it ended as it did where that needs saying.
    pub fn remarks(&self) -> Vec<String> {
        let message = Some(&self.view.message).filter(|message| !message.is_empty());
        self.view.notes.iter().chain(message).cloned().collect()
    }

    /// The name that its problem gives it.
    pub fn label(&self) -> String {
        self.record.run.label.clone()
    }

    /// Where it comes from: (name, text), parameters last.
    pub fn provenance(&self) -> Vec<(String, String)> {
        let facts = &self.record.run;
        let machine = &facts.machine;
        let mut lines = vec![
            ("run".to_owned(), self.name.clone()),
            ("problem".to_owned(), self.record.problem.clone()),
            ("command".to_owned(), facts.command.clone()),
            ("seed".to_owned(), facts.seed.to_string()),
            ("version".to_owned(), format!("attnlab {}", facts.version)),
            ("created".to_owned(), facts.created.clone()),
            ("state".to_owned(), self.view.state.name().to_owned()),
            ("machine".to_owned(), format!("{}, {}", machine.words(), machine.system)),
        ];
        lines.extend(self.record.params.iter().map(|(key, value)| (format!("param {key}"), value.to_string())));
        lines
    }
}

/// Words that tell each run from the others: the parameters that differ, or the run's name where none does. Empty for
/// a single run.
pub(super) fn labels(runs: &[NamedRun<'_>]) -> Vec<String> {
    if runs.len() < 2 {
        return vec![String::new(); runs.len()];
    }
    let params: Vec<&StoredParams> = runs.iter().map(|run| &run.record.params).collect();
    let schema = runs[0]
        .problem
        .filter(|first| runs.iter().all(|run| run.problem.is_some_and(|problem| problem.name() == first.name())));
    let differences = Differences::between(&params, schema.map(Problem::schema), |_| true);
    let labels: Vec<String> = (0..runs.len()).map(|run| differences.words(run)).collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    labels.iter().for_each(|label| *times.entry(label).or_default() += 1);
    let tells = |label: &String| !label.is_empty() && times.get(label.as_str()) == Some(&1);
    labels.iter().zip(runs).map(|(label, run)| if tells(label) { label.clone() } else { run.name.clone() }).collect()
}
