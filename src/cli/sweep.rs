//! `attnlab sweep`: many points here or on a cluster, only those that have no finished run yet.

use super::args::{Run, SweepArguments, SweepCommand};
use super::failure::Failure;
use super::{halve, merge, output, run, signals, table, target};
use crate::lab::slurm::{self, Ending, JobArray, Slurm, Status};
use crate::lab::{Document, LabError, Places, RunSpec, RunState, Sweep, decimal, shell, store};
use crate::problems;
use crate::threads;
use serde_json::json;
use std::env;
use std::path::Path;

/// Does what was asked of a sweep.
pub fn sweep(arguments: &SweepArguments, places: Places) -> Result<(), Failure> {
    match &arguments.command {
        Some(command) => existing(command, &places),
        None => {
            let planned = target::sweep(&arguments.run, &places)?;
            match within(arguments, &planned) {
                Some(within) => halve::halve(arguments, (&planned, &within), places),
                None if arguments.commands => commands(&planned, &places),
                None if arguments.slurm => submit(arguments, &planned, &places),
                None => run::run_sweep(&planned, &Run { resume: true, ..arguments.run.clone() }, places),
            }
        }
    }
}

/// The parameters within which points compete, where the command line or the preset says that the sweep halves.
fn within(arguments: &SweepArguments, planned: &Sweep) -> Option<Vec<String>> {
    match arguments {
        SweepArguments { no_halve: true, .. } => None,
        SweepArguments { halve: true, within, .. } if !within.is_empty() => Some(within.clone()),
        SweepArguments { halve, .. } => planned.halving_groups().or_else(|| halve.then(Vec::new)),
    }
}

/// The points that have no finished run yet, and none that a process works on.
fn left(planned: &Sweep, places: &Places) -> Result<Vec<RunSpec>, Failure> {
    Ok(store::Plan::new(planned.specs()?, &store::list(&places.logs)?).left())
}

/// Prints a command a point, each on a line of its own, for any queue.
fn commands(planned: &Sweep, places: &Places) -> Result<(), Failure> {
    let program = env::current_exe().map_err(LabError::io("find", "attnlab"))?;
    let word = |what: &str, path: &Path| {
        let path = std::path::absolute(path).map_err(LabError::io("find", path))?;
        match path.to_str() {
            Some(text) => Ok(shell::quote(text).into_owned()),
            None => Err(Failure::bad_input(format!("{what}: found `{}`, allowed: a path in UTF-8", path.display()))),
        }
    };
    let there = format!("--logs {} --data-dir {}", word("--logs", &places.logs)?, word("--data-dir", &places.data)?);
    let program = word("attnlab", &program)?;
    let mut page = String::new();
    for spec in left(planned, places)? {
        let command = spec.command();
        let command = command.strip_prefix("attnlab").unwrap_or(&command);
        let line = format!("{program}{command} --quiet --resume {there}");
        // Many queues read line by line, and would run the rest of a cut line as another command.
        if line.contains(['\n', '\r']) {
            let shown = line.escape_debug();
            return Err(Failure::bad_input(format!(
                "--commands: found a line feed in `{shown}`, allowed: values and paths that stand on one line"
            )));
        }
        page += &line;
        page.push('\n');
    }
    output::print(&page)
}

/// Writes the sweep's folder and submits its array.
fn submit(arguments: &SweepArguments, planned: &Sweep, places: &Places) -> Result<(), Failure> {
    let specs = left(planned, places)?;
    let name = arguments.title(planned);
    let options = arguments.options.0.clone();
    if specs.is_empty() {
        return output::print("every point of the sweep has a finished run\n");
    }
    if let Some(idle) = slurm::idle_gpus(&specs, &options) {
        log::warn!(target: "slurm", "{idle}");
    }
    if arguments.run.dry_run {
        return output::print(&slurm::preview(places, &specs, &name, options)?);
    }
    let sweep = slurm::submit(places, &specs, &name, options)?;
    let plan = sweep.plan_ref();
    let (points, elements) = (plan.points, plan.elements());
    let job = plan.jobs.last().map(ToString::to_string).unwrap_or_default();
    let folder = sweep.folder().display().to_string();
    if arguments.run.telling.json {
        let told = json!({ "schema": 1, "sweep": folder, "job": job, "points": points, "elements": elements });
        return output::print_json(&told);
    }
    output::print(&format!(
        "job {job}: {points} points in {elements} elements\n{folder}\nattnlab sweep status last     how far it is\n"
    ))
}

/// What is done with a sweep that is there.
fn existing(command: &SweepCommand, places: &Places) -> Result<(), Failure> {
    match command {
        SweepCommand::Status { sweep, json, .. } => status(&find(sweep, places)?, *json),
        SweepCommand::Results { sweep, json, .. } => results(&find(sweep, places)?, *json),
        SweepCommand::Cancel { sweep, .. } => Ok(find(sweep, places)?.cancel(Slurm)?),
        SweepCommand::Throttle { sweep, most, .. } => Ok(find(sweep, places)?.throttle(Slurm, *most)?),
        SweepCommand::Resume { sweep, .. } => resume(&mut find(sweep, places)?),
        SweepCommand::Element { folder, element } => work(folder, *element),
    }
}

/// The sweep that `name` means: its folder, a part of the folder's name that no other has, or `last`.
fn find(name: &str, places: &Places) -> Result<JobArray, Failure> {
    if Path::new(name).join("sweep.toml").is_file() {
        return Ok(JobArray::open(Path::new(name))?);
    }
    let mut found = slurm::folders(&places.logs);
    if name != "last" {
        found.retain(|folder| folder.file_name().is_some_and(|known| known.to_string_lossy().contains(name)));
    }
    match (found.pop(), found.len()) {
        (Some(folder), 0) => Ok(JobArray::open(&folder)?),
        (Some(folder), _) if name == "last" => Ok(JobArray::open(&folder)?),
        (Some(_), others) => Err(Failure::bad_input(format!("sweep: `{name}` means {} sweeps", others + 1))),
        (None, _) => {
            Err(Failure::bad_input(format!("sweep: found `{name}`, allowed: a sweep in {}", places.logs.display())))
        }
    }
}

fn status(sweep: &JobArray, json: bool) -> Result<(), Failure> {
    let status = Status::with_slurm(sweep, Slurm);
    if json {
        return output::print_json(&json!({
            "schema": 1, "sweep": sweep.folder(), "plan": sweep.plan_ref(), "status": status,
        }));
    }
    let finished = status.count(&[RunState::Finished]);
    let counts = [
        ("finished", finished),
        ("held at their share", status.done() - finished),
        ("running", status.count(&[RunState::Running])),
        ("failed", status.count(&[RunState::Failed, RunState::Diverged])),
        ("stopped or lost", status.count(&[RunState::Stopped, RunState::Lost])),
        ("not begun", status.points.iter().filter(|point| point.run.is_none()).count()),
    ];
    let told: Vec<_> =
        counts.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} {what}")).collect();
    let mut page = format!("{}: {} points: {}\n", sweep.plan_ref().title, status.points.len(), told.join(", "));
    let numeric = |heading: &str| heading == "point" || heading == "result";
    let unfinished = status.points.iter().filter(|point| !point.done);
    let lines = unfinished.map(|point| {
        let element = status.elements.iter().find(|element| element.index == point.element);
        let (queue, why) = element.map_or(("", ""), |element| (element.state.as_str(), element.reason.as_str()));
        let run = point.run.as_ref();
        let result = run.and_then(|run| run.headline).map_or_else(String::new, |value| decimal(value, 4));
        let why = run.map(|run| run.message.as_str()).filter(|message| !message.is_empty()).unwrap_or(why);
        vec![
            point.index.to_string(),
            point.state().map_or("", RunState::name).to_owned(),
            queue.to_owned(),
            element.map_or_else(String::new, |element| element.node.clone()),
            run.map_or_else(String::new, |run| run.label.clone()),
            result,
            why.to_owned(),
        ]
    });
    let headings = ["point", "run", "Slurm", "node", "what", "result", "why"];
    let lines: Vec<_> = lines.collect();
    if !lines.is_empty() {
        page += &table::render(headings.map(|heading| (heading, numeric(heading))), lines);
    }
    if let Some(trouble) = &status.trouble {
        page += &format!("Slurm: {trouble}\n");
    }
    output::print(&page)
}

/// The rows of every finished point; an incomplete sweep says so and fails.
fn results(sweep: &JobArray, json: bool) -> Result<(), Failure> {
    let status = Status::on_disk(sweep);
    let finished = status.points.iter().filter(|point| point.state() == Some(RunState::Finished));
    let documents = finished.filter_map(|point| sweep.run(point.index)).map(|folder| Document::read(&folder));
    let documents = documents.collect::<Result<Vec<_>, _>>()?;
    if json {
        merge::print(&documents)?;
    } else {
        output::print(&run::tables(&documents, false))?;
    }
    if status.is_complete() {
        return Ok(());
    }
    let (there, all) = (documents.len(), status.points.len());
    Err(Failure::failed(format!("{there} of {all} points are finished (see `attnlab sweep status`)")))
}

/// Submits the elements again that nobody works on and that have unfinished points.
fn resume(sweep: &mut JobArray) -> Result<(), Failure> {
    output::print(&match sweep.resume(Slurm)? {
        Some(again) => format!("job {}: elements {}\n", again.job, again.elements),
        None => "nothing is missing: every point is finished, running or waiting\n".to_owned(),
    })
}

/// Works on one element inside the batch system.
fn work(folder: &Path, element: usize) -> Result<(), Failure> {
    let sweep = JobArray::open(folder)?;
    let number = |key: &str| env::var(key).ok()?.parse::<usize>().ok();
    let cores = number("SLURM_CPUS_PER_TASK")
        .or_else(|| number("SLURM_CPUS_ON_NODE"))
        .unwrap_or(1)
        .clamp(1, threads::by_default());
    let listener = signals::Listener::with_notice()?;
    let mut noticed = false;
    let ending = slurm::work(&sweep, element, cores, problems::ALL, &mut || match listener.heard() {
        Some(signals::Heard::Notice) => {
            noticed = true;
            true
        }
        Some(signals::Heard::Stop) => true,
        None => false,
    })?;
    match ending {
        Ending::Complete => Ok(()),
        Ending::Failed { runs } => Err(Failure::failed(format!("element {element}: {runs} runs failed"))),
        Ending::Stopped if noticed => back_into_queue(&sweep, element),
        Ending::Stopped => Err(Failure::stopped(format!("element {element}: stopped at a checkpoint"))),
    }
}

/// The time limit is near: the element waits for its next turn and goes on then, at most as often as the plan allows.
fn back_into_queue(sweep: &JobArray, element: usize) -> Result<(), Failure> {
    let restarts = env::var("SLURM_RESTART_COUNT").ok().and_then(|text| text.parse().ok()).unwrap_or(0_u32);
    let most = sweep.plan_ref().slurm.requeues();
    if restarts >= most {
        return Err(Failure::failed(format!("element {element}: came to its time limit {} times", restarts + 1)));
    }
    let job = env::var("SLURM_ARRAY_JOB_ID").map_err(|_| Failure::failed("no SLURM_ARRAY_JOB_ID: not an array"))?;
    Ok(Slurm.requeue(&job, element)?)
}
