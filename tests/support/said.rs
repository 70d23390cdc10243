//! What a run of a problem on files says.

use crate::kept::Kept;
use attnlab::lab::{Control, Event, Params, RunContext};
use attnlab::problems;
use std::path::Path;
use std::sync::Arc;

/// The events of a run of the problem called `name` with these settings, where `@` stands for the folder of the files. The run has as
/// many rows as its estimate says.
pub fn said(name: &str, settings: &[(&str, &str)], folder: &Path) -> Vec<Event> {
    let problem = problems::find(name).unwrap();
    let settings: Vec<(&str, String)> =
        settings.iter().map(|(key, text)| (*key, text.replace('@', folder.to_str().unwrap()))).collect();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, text)| (*key, text.as_str())).collect();
    let params = Params::with(&problem.schema(), &settings).unwrap();
    problem.check(&params).unwrap();
    let (kept, run) = (Kept::default(), tempfile::tempdir().unwrap());
    let mut context = RunContext::new(0, run.path(), Arc::new(Control::default()), vec![Box::new(kept.clone())]);
    problem.run(&params, &mut context).unwrap();
    let events = kept.0.lock().unwrap().clone();
    let rows = events.iter().filter(|event| matches!(event, Event::Row { .. })).count();
    assert_eq!(rows, problem.estimate(&params).rows, "the estimate counts the rows");
    events
}
