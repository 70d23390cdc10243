//! What `attnlab run` is asked to run: a problem or a preset, with the changes made to it.

use super::args::Run;
use super::failure::Failure;
use crate::lab::{Draft, Places, Preset, Sweep, SweepMode, preset};
use crate::nearest::nearest;
use crate::problems;
use std::path::Path;

/// The runs that the target with the settings of the command line stands for.
pub fn sweep(arguments: &Run, places: &Places) -> Result<Sweep, Failure> {
    let name = arguments.target.as_deref().unwrap_or_default();
    let mut sweep = match problems::find(name) {
        Some(problem) => Sweep::new(problem, Draft::new(&problem.schema())),
        None => find(name, places)?.sweep,
    };
    let schema = sweep.problem.schema();
    let mut typed: Vec<&str> = Vec::new();
    for (key, value) in &arguments.set {
        // Functions have no separator that a shell leaves alone, so a repeated one is a further value.
        let further =
            schema.get(key).is_some_and(|param| param.kind.separator() == Some('|')) && typed.contains(&key.as_str());
        let value = if further { format!("{} | {value}", sweep.draft.text(key)) } else { value.clone() };
        sweep.draft.set(&schema, key, &value).map_err(|error| Failure::bad_input(format!("--set {error}")))?;
        typed.push(key);
    }
    sweep.repeats = arguments.repeats.map_or(sweep.repeats, usize::from);
    if arguments.zip {
        sweep.mode = SweepMode::Zip;
    }
    sweep.interleaved |= arguments.interleave;
    if arguments.interleave && !sweep.has_several_seeds() {
        return Err(Failure::bad_input("--interleave: found one seed, allowed: several, as with --repeats 5"));
    }
    sweep.title = arguments.title.clone().or(sweep.title);
    sweep.allows_unread |= arguments.allow_unread;
    if sweep.allows_unread {
        sweep.warn_of_unread();
    }
    Ok(sweep)
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
