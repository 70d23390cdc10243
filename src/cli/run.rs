//! `attnlab run`: the same jobs and the same folders as in the console, without a screen.

use super::args::{Resume, Run, Telling};
use super::failure::Failure;
use super::progress::Display;
use super::signals::Listener;
use super::{merge, output, table, target};
use crate::lab::{Document, Machine, Places, Queue, RunHandle, RunSpec, RunState, duration, estimate, store};
use crate::problems;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often the runs are looked at.
const TICK: Duration = Duration::from_millis(25);

/// Runs what was asked and prints what came out.
pub fn run(arguments: &Run, places: Places) -> Result<(), Failure> {
    let mut specs = target::sweep(arguments, &places)?.specs()?;
    let (mut done, mut begun) = (Vec::new(), Vec::new());
    if arguments.resume {
        let plan = store::Plan::new(specs, &store::list(&places.logs)?);
        specs = plan.fresh;
        for run in plan.finished {
            done.push(Document::read(&run.folder(&places.logs))?);
        }
        for run in &plan.underway {
            output::complain(&format!("{}: another process works on it", run.id));
        }
        begun.extend(plan.unfinished.iter().map(|(_, run)| run.folder(&places.logs)));
    }
    if arguments.dry_run {
        begun.iter().for_each(|folder| output::complain(&format!("{}: would go on", folder.display())));
        return output::print(&forecast(&specs, usize::from(arguments.telling.workers)));
    }
    let listener = Listener::start()?;
    let queue = Queue::new(places, usize::from(arguments.telling.workers))?;
    let resumed = begun.iter().map(|folder| queue.resume(folder, problems::ALL));
    let mut handles = resumed.collect::<Result<Vec<_>, _>>()?;
    for spec in specs {
        handles.push(queue.submit(spec)?);
    }
    follow(&handles, &queue, &listener, done, &arguments.telling)
}

/// Goes on with runs that ended early.
pub fn resume(arguments: &Resume, places: Places) -> Result<(), Failure> {
    let folders = arguments.runs.iter().map(|run| super::store::find(run, &places)).collect::<Result<Vec<_>, _>>()?;
    let listener = Listener::start()?;
    let queue = Queue::new(places, usize::from(arguments.telling.workers))?;
    let resume = |folder: &PathBuf| queue.resume(folder, problems::ALL);
    let handles = folders.iter().map(resume).collect::<Result<Vec<_>, _>>()?;
    follow(&handles, &queue, &listener, Vec::new(), &arguments.telling)
}

/// Waits for the runs, telling how far they are, and prints what came out of them and of those `done` before.
fn follow(
    handles: &[Arc<RunHandle>],
    queue: &Queue,
    listener: &Listener,
    mut done: Vec<Document>,
    telling: &Telling,
) -> Result<(), Failure> {
    let mut display = Display::new(handles, telling.quiet);
    while !display.update() {
        if listener.wait(TICK) {
            handles.iter().for_each(|handle| handle.control().stop());
        }
    }
    display.clear();
    queue.shutdown(false);
    // What another process has taken over is its to tell.
    for handle in handles.iter().filter(|handle| handle.state() != RunState::Lost) {
        done.push(document(handle)?);
    }
    if telling.json {
        merge::print(&done)?;
    } else {
        output::print(&tables(&done, telling.wide))?;
    }
    outcome(handles)
}

/// What would be run with `workers` small runs side by side (0: one a core), and its cost.
fn forecast(specs: &[RunSpec], workers: usize) -> String {
    let about = |seconds: Option<f64>| seconds.map(|seconds| format!("about {}", duration(seconds)));
    let mut page = String::new();
    for spec in specs {
        let cost = about(spec.estimate().seconds).map_or_else(String::new, |cost| format!("   # {cost}"));
        page += &format!("{}{cost}\n", spec.command());
    }
    let total = estimate(specs, if workers > 0 { workers } else { Machine::here().cores });
    let time = about(total.seconds).map_or_else(String::new, |time| format!(", {time}"));
    page + &format!("# {} runs, {} rows{time}\n", specs.len(), total.rows)
}

/// What a run left for machines.
fn document(handle: &RunHandle) -> Result<Document, Failure> {
    Document::read(handle.folder()).map_err(|error| {
        // A run that could not even write its summary has said why.
        let message = handle.message();
        Failure::failed(if message.is_empty() { error.to_string() } else { message })
    })
}

/// The result table of each problem.
pub fn tables(documents: &[Document], wide: bool) -> String {
    let mut page = String::new();
    for problem in problems::ALL {
        let of_it = documents.iter().filter(|document| document.problem == problem.name());
        let rows: Vec<_> = of_it.flat_map(|document| document.rows.iter().cloned()).collect();
        if !rows.is_empty() {
            page += &table::results(problem.columns(), &rows, wide);
        }
    }
    page
}

/// How the command ends: as its worst run did.
fn outcome(handles: &[Arc<RunHandle>]) -> Result<(), Failure> {
    let ended =
        |states: &[RunState]| handles.iter().filter(|handle| states.contains(&handle.state())).collect::<Vec<_>>();
    let stopped = ended(&[RunState::Stopped]);
    if !stopped.is_empty() {
        return Err(Failure::stopped(format!("stopped; what was done is kept in {}", stopped[0].folder().display())));
    }
    let failed = ended(&[RunState::Failed, RunState::Diverged, RunState::Lost]);
    let Some(first) = failed.first() else { return Ok(()) };
    let others =
        if failed.len() > 1 { format!(" ({} of {} runs failed)", failed.len(), handles.len()) } else { String::new() };
    let message = format!("{}: {}{others}", first.spec().label(), first.message());
    Err(if first.refused() { Failure::bad_input(message) } else { Failure::failed(message) })
}
