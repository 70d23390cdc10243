//! `attnlab run`: the same jobs and the same folders as in the console, without a screen.

use super::args::{Resume, Run, Telling};
use super::failure::Failure;
use super::progress::watch;
use super::signals::Listener;
use super::store::Finder;
use super::{merge, output, table, target};
use crate::lab::{
    Document, LabError, Places, Queue, Resumption, RunHandle, RunSpec, RunState, Sweep, duration, estimate, store,
};
use crate::problems;
use crate::threads;
use std::path::Path;
use std::sync::Arc;

/// Runs what was asked and prints what came out.
pub fn run(arguments: &Run, places: Places) -> Result<(), Failure> {
    run_sweep(&target::sweep(arguments, &places)?, arguments, places)
}

/// Runs what `sweep` stands for, every point to its end.
pub fn run_sweep(sweep: &Sweep, arguments: &Run, places: Places) -> Result<(), Failure> {
    if sweep.halved_within.is_some() {
        let name = arguments.target.as_deref().unwrap_or_default();
        output::complain(&format!(
            "every point is done to its end; `attnlab sweep {name}` stops those that fall behind"
        ));
    }
    let mut specs = sweep.specs()?;
    let (mut batch, mut begun) = (Batch::default(), Vec::new());
    if arguments.resume {
        let plan = store::Plan::new(specs, &store::list(&places.logs)?);
        specs = plan.fresh;
        for run in plan.finished {
            batch.take(Document::read(&run.folder(&places.logs)));
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
    for folder in begun {
        batch.go_on(&folder, queue.resume(&folder, problems::ALL));
    }
    for spec in specs {
        batch.begin(queue.submit(spec));
    }
    batch.follow(&queue, &listener, &arguments.telling)
}

/// Goes on with runs that ended early.
pub fn resume(arguments: &Resume, places: Places) -> Result<(), Failure> {
    let mut finder = Finder::new(&places);
    let folders = arguments.runs.iter().map(|run| finder.find(run)).collect::<Result<Vec<_>, _>>()?;
    let listener = Listener::start()?;
    let queue = Queue::new(places, usize::from(arguments.telling.workers))?;
    let mut batch = Batch::default();
    let how = Resumption { restart: arguments.restart, hold: None, changes: arguments.set.clone() };
    for folder in folders {
        batch.begin(queue.go_on(&folder, problems::ALL, &how));
    }
    batch.follow(&queue, &listener, &arguments.telling)
}

/// The runs of one command. A run that cannot be begun or gone on with is reported and does not keep the
/// others from being done.
#[derive(Default)]
struct Batch {
    /// What runs had left that were finished before.
    done: Vec<Document>,
    handles: Vec<Arc<RunHandle>>,
    /// Why some could not be begun, read or gone on with.
    refused: Vec<Failure>,
}

impl Batch {
    fn take(&mut self, document: Result<Document, LabError>) {
        match document {
            Ok(document) => self.done.push(document),
            Err(error) => self.refuse(error),
        }
    }

    fn begin(&mut self, handle: Result<Arc<RunHandle>, LabError>) {
        match handle {
            Ok(handle) => self.handles.push(handle),
            Err(error) => self.refuse(error),
        }
    }

    /// As [`Batch::begin`], for a run that was found in a list: another process may have taken or finished it since.
    fn go_on(&mut self, folder: &Path, handle: Result<Arc<RunHandle>, LabError>) {
        match handle {
            Err(LabError::Busy { id, .. }) => output::complain(&format!("{id}: another process works on it")),
            Err(LabError::Finished { .. }) => self.take(Document::read(folder)),
            handle => self.begin(handle),
        }
    }

    fn refuse(&mut self, error: LabError) {
        self.refused.push(error.into());
    }

    /// Waits for the runs, showing how far they are, and prints what came out of them and of those done before.
    fn follow(mut self, queue: &Queue, listener: &Listener, telling: &Telling) -> Result<(), Failure> {
        if self.refused.len() > 1 || !(self.handles.is_empty() && self.done.is_empty()) {
            self.refused.iter().for_each(|failure| output::complain(&failure.line()));
        }
        watch(&self.handles, listener, telling.quiet);
        queue.shutdown(false);
        // What came out of a run that another process has taken over is for that process to print.
        let ours = self.handles.iter().filter(|handle| handle.state() != RunState::Lost);
        self.done.extend(ours.map(|handle| handle.document()));
        if telling.json {
            merge::print(&self.done)?;
        } else {
            output::print(&tables(&self.done, telling.wide))?;
        }
        self.outcome()
    }

    /// How the command ends: as its worst run did.
    fn outcome(self) -> Result<(), Failure> {
        let ended = |states: &[RunState]| {
            self.handles.iter().filter(|handle| states.contains(&handle.state())).collect::<Vec<_>>()
        };
        if let Some(first) = ended(&[RunState::Stopped]).first() {
            let folder = first.folder().display();
            return Err(Failure::stopped(format!("stopped; what was done is kept in {folder}")));
        }
        let failed = ended(&[RunState::Failed, RunState::Diverged, RunState::Lost]);
        let Some(first) = failed.first() else {
            return Failure::of_several(&self.refused, self.done.len() + self.refused.len());
        };
        let (count, all) = (failed.len(), self.handles.len());
        let others = if count > 1 { format!(" ({count} of {all} runs failed)") } else { String::new() };
        let message = format!("{}: {}{others}", first.spec().label(), first.message());
        Err(if first.refused() { Failure::bad_input(message) } else { Failure::failed(message) })
    }
}

/// What would be run with `workers` small runs side by side (0: one a core), and its cost.
fn forecast(specs: &[RunSpec], workers: usize) -> String {
    let about = |seconds: Option<f64>| seconds.map(|seconds| format!("about {}", duration(seconds)));
    let mut page = String::new();
    for spec in specs {
        let cost = about(spec.estimate().seconds).map_or_else(String::new, |cost| format!("   # {cost}"));
        page += &format!("{}{cost}\n", spec.command());
    }
    let total = estimate(specs, threads::or_default(workers));
    let time = about(total.seconds).map_or_else(String::new, |time| format!(", {time}"));
    page + &format!("# {} runs, {} rows{time}\n", specs.len(), total.rows)
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
