//! What `attnlab run` is asked to run: a problem or a preset, with the changes made to it.

use super::args::Run;
use super::failure::Failure;
use crate::lab::sweep::Mode;
use crate::lab::{Draft, Places, Preset, Problem, RunSpec, nearest, preset};
use crate::problems;
use std::path::Path;

/// Every run that `name` with the settings of the command line stands for.
pub fn specs(name: &str, arguments: &Run, places: &Places) -> Result<Vec<RunSpec>, Failure> {
    let repeats = arguments.repeats.map(usize::from);
    let mut specs = match problems::find(name) {
        Some(problem) => {
            let mut draft = Draft::new(&problem.schema());
            apply(&mut draft, problem, &arguments.set)?;
            RunSpec::expand_as(problem, &draft, Mode::Grid, repeats.unwrap_or(1))?
        }
        None => {
            let mut preset = find(name, places)?;
            apply(&mut preset.params, preset.problem, &arguments.set)?;
            preset.repeats = repeats.unwrap_or(preset.repeats);
            preset.specs()?
        }
    };
    if let Some(title) = &arguments.title {
        specs.iter_mut().for_each(|spec| spec.title = Some(title.clone()));
    }
    Ok(specs)
}

fn apply(draft: &mut Draft, problem: &dyn Problem, changes: &[(String, String)]) -> Result<(), Failure> {
    let schema = problem.schema();
    for (key, value) in changes {
        draft.set(&schema, key, value).map_err(|error| Failure::bad_input(format!("--set {error}")))?;
    }
    Ok(())
}

/// The preset in the file `name`, or the one called so.
fn find(name: &str, places: &Places) -> Result<Preset, Failure> {
    let looks_like_a_file = name.contains('/') || name.ends_with(".toml");
    let presets = preset::all(places, problems::ALL);
    if Path::new(name).is_file() || looks_like_a_file || presets.iter().any(|(known, _)| known == name) {
        return Ok(preset::find(name, places, problems::ALL)?);
    }
    let problems: Vec<&str> = problems::ALL.iter().map(|problem| problem.name()).collect();
    let known = problems.iter().copied().chain(presets.iter().map(|(name, _)| name.as_str()));
    let hint = nearest(name, known).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
    Err(Failure::bad_input(format!(
        "run: found `{name}`{hint}, allowed: a problem ({}), a preset (see `attnlab presets`) or a preset file",
        problems.join(", ")
    )))
}
