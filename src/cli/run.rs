//! `attnlab run`: the same jobs and the same folders as in the console, without a screen.

use super::args::Run;
use super::failure::Failure;
use super::progress::Display;
use super::signals::Listener;
use super::{merge, output, table, target};
use crate::lab::{Document, Places, Queue, RunHandle, RunSpec, RunState, duration};
use std::sync::Arc;
use std::time::Duration;

/// How often the runs are looked at.
const TICK: Duration = Duration::from_millis(25);

/// Runs what was asked and prints what came out.
pub fn run(arguments: &Run, places: Places) -> Result<(), Failure> {
    let name = arguments.target.as_deref().unwrap_or_default();
    let specs = target::specs(name, arguments, &places)?;
    if arguments.dry_run {
        return output::print(&forecast(&specs));
    }
    let listener = Listener::start()?;
    let queue = Queue::new(places, usize::from(arguments.workers))?;
    let handles = specs.into_iter().map(|spec| queue.submit(spec)).collect::<Result<Vec<_>, _>>()?;
    let mut display = Display::new(&handles, arguments.quiet);
    while !display.update() {
        if listener.wait(TICK) {
            handles.iter().for_each(|handle| handle.control().stop());
        }
    }
    display.clear();
    queue.shutdown(false);
    let documents = handles.iter().map(|handle| document(handle)).collect::<Result<Vec<_>, _>>()?;
    if arguments.json {
        merge::print(&documents)?;
    } else {
        output::print(&tables(&handles, &documents, arguments.wide))?;
    }
    outcome(&handles)
}

/// What would be run, and the cost of it.
fn forecast(specs: &[RunSpec]) -> String {
    let estimates: Vec<_> = specs.iter().map(RunSpec::estimate).collect();
    let mut page = String::new();
    for (spec, estimate) in specs.iter().zip(&estimates) {
        let cost = estimate.seconds.map_or_else(String::new, |seconds| format!("   # about {}", duration(seconds)));
        page += &format!("{}{cost}\n", spec.command());
    }
    let rows: usize = estimates.iter().map(|estimate| estimate.rows).sum();
    let seconds: Option<f64> = estimates.iter().map(|estimate| estimate.seconds).sum();
    let time = seconds.map_or_else(String::new, |seconds| format!(", about {}", duration(seconds)));
    page + &format!("# {} runs, {rows} rows{time}\n", specs.len())
}

/// What a run left for machines.
fn document(handle: &RunHandle) -> Result<Document, Failure> {
    Document::read(handle.folder()).map_err(|error| {
        // A run that could not even write its summary has said why.
        let message = handle.message();
        Failure::failed(if message.is_empty() { error.to_string() } else { message })
    })
}

/// The result tables, one a problem, and what the runs remarked.
fn tables(handles: &[Arc<RunHandle>], documents: &[Document], wide: bool) -> String {
    let Some(problem) = handles.first().map(|handle| handle.spec().problem) else { return String::new() };
    let rows: Vec<_> = documents.iter().flat_map(|document| document.rows.iter().cloned()).collect();
    if rows.is_empty() {
        return String::new();
    }
    table::results(problem.columns(), &rows, wide)
}

/// How the command ends: as its worst run did.
fn outcome(handles: &[Arc<RunHandle>]) -> Result<(), Failure> {
    let ended =
        |states: &[RunState]| handles.iter().filter(|handle| states.contains(&handle.state())).collect::<Vec<_>>();
    let stopped = ended(&[RunState::Stopped]);
    if !stopped.is_empty() {
        return Err(Failure::stopped(format!("stopped; what was done is kept in {}", stopped[0].folder().display())));
    }
    let failed = ended(&[RunState::Failed, RunState::Diverged]);
    let Some(first) = failed.first() else { return Ok(()) };
    let others =
        if failed.len() > 1 { format!(" ({} of {} runs failed)", failed.len(), handles.len()) } else { String::new() };
    Err(Failure::failed(format!("{}: {}{others}", first.spec().label(), first.message())))
}
