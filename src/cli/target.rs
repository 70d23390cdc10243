//! What `attnlab run` is asked to run: a problem or a preset, with the changes made to it.

use super::args::Run;
use super::failure::Failure;
use crate::lab::{Draft, Places, RunSpec, nearest};
use crate::problems;

/// Every run that `name` with the settings of the command line stands for.
pub fn specs(name: &str, arguments: &Run, _places: &Places) -> Result<Vec<RunSpec>, Failure> {
    let problem = problems::find(name).ok_or_else(|| unknown(name))?;
    let schema = problem.schema();
    let mut draft = Draft::new(&schema);
    for (key, value) in &arguments.set {
        draft.set(&schema, key, value)?;
    }
    let repeats = arguments.repeats.map_or(1, usize::from);
    let mut specs = RunSpec::expand(problem, &draft, repeats)?;
    if let Some(title) = &arguments.title {
        specs.iter_mut().for_each(|spec| spec.title = Some(title.clone()));
    }
    Ok(specs)
}

/// An error that names what there is.
fn unknown(name: &str) -> Failure {
    let names: Vec<&str> = problems::ALL.iter().map(|problem| problem.name()).collect();
    let hint =
        nearest(name, names.iter().copied()).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
    Failure::bad_input(format!("run: found `{name}`, allowed: a problem ({}){hint}", names.join(", ")))
}
