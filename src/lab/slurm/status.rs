//! How far a sweep is: what lies on the disk first, what the batch system says second.

use super::array::JobArray;
use super::commands::{Queued, Slurm};
use crate::lab::{Owner, RunState, RunSummary, came_to, files};
use serde::Serialize;
use std::collections::HashMap;
use std::path::PathBuf;

/// One point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PointStatus {
    /// Its number.
    pub index: usize,
    /// Its element of the array.
    pub element: usize,
    /// Its run, if it was begun.
    pub run: Option<RunSummary>,
    /// Whether nothing is left of it: its run is finished, or came as far as the array goes.
    pub done: bool,
}

impl PointStatus {
    /// How far its run is; none where it was not begun.
    #[must_use]
    pub fn state(&self) -> Option<RunState> {
        self.run.as_ref().map(|run| run.state)
    }
}

/// One element that has unfinished points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ElementStatus {
    /// Its number.
    pub index: usize,
    /// Its state in the batch system's words; empty where that knows nothing of it.
    pub state: String,
    /// Why it is in that state, as far as it can be told.
    pub reason: String,
    /// The node it runs on.
    pub node: String,
}

impl ElementStatus {
    fn is_live(&self) -> bool {
        let live = ["PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "REQUEUED", "SUSPENDED", "REQUEUE_HOLD"];
        live.contains(&self.state.as_str())
    }
}

/// How far a sweep is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// Its points, in order.
    pub points: Vec<PointStatus>,
    /// Its elements that have unfinished points.
    pub elements: Vec<ElementStatus>,
    /// Why the batch system could not be asked.
    pub trouble: Option<String>,
}

/// What Slurm says of the elements of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queues {
    found: HashMap<usize, Queued>,
    trouble: Option<String>,
}

impl Queues {
    /// Asks Slurm about every job of the sweep, the accounting for those it has forgotten. Takes as long as Slurm takes.
    #[must_use]
    pub fn ask(sweep: &JobArray, slurm: Slurm) -> Self {
        let mut queues = Self::default();
        // Later jobs try again what is missing, so their answers replace earlier ones.
        for job in &sweep.plan_ref().jobs {
            match slurm.queue(job) {
                Ok(found) if found.is_empty() => queues.found.extend(slurm.accounting(job)),
                Ok(found) => queues.found.extend(found),
                Err(error) => {
                    // Slurm would not answer for the next job either, and would be waited for as long.
                    queues.trouble = Some(error.to_string());
                    break;
                }
            }
        }
        queues
    }

    /// Keeps the answers of `before` where Slurm did not answer this time.
    #[must_use]
    pub fn after(mut self, before: Option<Self>) -> Self {
        if let (Some(_), Some(before)) = (&self.trouble, before) {
            for (element, queued) in before.found {
                self.found.entry(element).or_insert(queued);
            }
        }
        self
    }
}

impl Status {
    /// What lies on the disk.
    #[must_use]
    pub fn on_disk(sweep: &JobArray) -> Self {
        let plan = sweep.plan_ref();
        let runs: Vec<_> = (0..plan.points).map(|index| sweep.run(index)).collect();
        Owner::watch_briefly(runs.iter().flatten().map(PathBuf::as_path));
        let told = |(index, folder): (usize, Option<PathBuf>)| {
            let run = folder.as_deref().map(RunSummary::read);
            let known = run.as_ref().zip(folder.as_deref());
            // A journal that cannot be read shows nothing; whoever goes on with the run says so.
            let done = known.is_some_and(|(run, folder)| came_to(run.state, folder, plan.hold()).unwrap_or(false));
            PointStatus { index, element: index / plan.element_points, run, done }
        };
        let points: Vec<_> = runs.into_iter().enumerate().map(told).collect();
        let mut elements: Vec<_> = points.iter().filter(|point| !point.done).map(|point| point.element).collect();
        elements.dedup();
        let told = |index| ElementStatus {
            index,
            state: String::new(),
            reason: broken(sweep, index).unwrap_or_default(),
            node: String::new(),
        };
        Self { points, elements: elements.into_iter().map(told).collect(), trouble: None }
    }

    /// What lies on the disk with what Slurm says beside it. Takes as long as Slurm takes: never on a screen's thread.
    #[must_use]
    pub fn with_slurm(sweep: &JobArray, slurm: Slurm) -> Self {
        let mut status = Self::on_disk(sweep);
        if !status.is_complete() {
            status.put_beside(sweep, &Queues::ask(sweep, slurm));
        }
        status
    }

    /// Adds the states that Slurm has told to what lies on the disk.
    pub fn put_beside(&mut self, sweep: &JobArray, queues: &Queues) {
        self.trouble.clone_from(&queues.trouble);
        for element in &mut self.elements {
            let Some(found) = queues.found.get(&element.index) else { continue };
            if element.reason.is_empty() {
                element.reason = explain(sweep, element.index, found);
            }
            element.state.clone_from(&found.state);
            element.node.clone_from(&found.node);
        }
    }

    /// Number of points whose run is in one of `states`; one that is done, but for not being finished, is in none.
    #[must_use]
    pub fn count(&self, states: &[RunState]) -> usize {
        let is_in = |state: RunState, done: bool| states.contains(&state) && (!done || state == RunState::Finished);
        self.points.iter().filter(|point| point.state().is_some_and(|state| is_in(state, point.done))).count()
    }

    /// Number of points of which nothing is left.
    #[must_use]
    pub fn done(&self) -> usize {
        self.points.iter().filter(|point| point.done).count()
    }

    /// Whether nothing is left of any point.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.points.iter().all(|point| point.done)
    }

    /// Whether somebody works on a point that is left, or will.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.elements.iter().any(ElementStatus::is_live)
    }

    /// The elements that nobody works on or will work on, as `sbatch --array` takes them.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        let missing = self.elements.iter().filter(|element| !element.is_live());
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for index in missing.map(|element| element.index) {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == index => *last = index,
                _ => ranges.push((index, index)),
            }
        }
        let text = |(first, last): &(usize, usize)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        (!ranges.is_empty()).then(|| ranges.iter().map(text).collect::<Vec<_>>().join(","))
    }
}

/// Why the program could not start in an element.
fn broken(sweep: &JobArray, element: usize) -> Option<String> {
    let path = sweep.folder().join("broken").join(element.to_string());
    let code: u32 = files::read_text(&path, 64).ok()?.trim().parse().ok()?;
    Some(match code {
        // A shell tells the signal as 128 more: 4 is SIGILL.
        132 => "the program was built for another processor: build it on a node, or without `-C target-cpu=native`"
            .to_owned(),
        126 | 127 => "the program cannot be executed there: a library is missing, or another architecture".to_owned(),
        code => format!("the program does not start there: exit status {code}"),
    })
}

/// Why an element is in its state: Slurm's own reason, or what a person would rather be told.
fn explain(sweep: &JobArray, element: usize, found: &Queued) -> String {
    let seen = sweep.folder().join("seen").join(element.to_string()).is_file();
    let failed = ["FAILED", "NODE_FAIL", "BOOT_FAIL"].contains(&found.state.as_str());
    if failed && !seen {
        let folder = sweep.folder().display();
        return format!("the node never reached {folder}: is it on a disk that the nodes see? ({})", found.reason);
    }
    match found.reason.as_str() {
        "None" => String::new(),
        reason => reason.to_owned(),
    }
}
