//! A run on screen: what it has said so far, and where more comes from.

use super::App;
use super::task::Origin;
use crate::lab::journal::Tail;
use crate::lab::{Event, LabError, Owner, RunHandle, RunState, RunSummary, RunView, Stamped, StoredParams};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a run's events come from.
pub enum Source {
    /// A run of this process.
    Live(Arc<RunHandle>),
    /// The journal of a run of another process, or of an earlier one; none while a task reads it.
    Folder(Option<Tail>),
    /// Nothing more will come.
    Still,
}

/// A run on screen.
pub struct ShownRun {
    /// Its folder's name.
    pub id: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The words that tell it from others.
    pub label: String,
    /// Its parameters.
    pub params: StoredParams,
    /// What it has said.
    pub view: RunView,
    /// Where more comes from.
    pub source: Source,
}

impl ShownRun {
    /// A run of this process.
    #[must_use]
    pub fn live(handle: Arc<RunHandle>) -> Self {
        let spec = handle.spec();
        Self {
            id: handle.id().to_owned(),
            folder: handle.folder().to_owned(),
            label: spec.label(),
            params: spec.params.stored(&spec.problem.schema()),
            view: RunView::default(),
            source: Source::Live(handle),
        }
    }

    /// A run of the store under the words `label`, with everything that its journal says. Reads the whole journal: for a
    /// task.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn stored(logs: &Path, run: &RunSummary, label: String) -> Result<Self, LabError> {
        let folder = run.folder(logs);
        let (mut view, mut tail) = (RunView::default(), Tail::new(&folder));
        view.follow(&folder, &mut tail)?;
        let source = if view.state.is_final() { Source::Still } else { Source::Folder(Some(tail)) };
        Ok(Self { id: run.id.clone(), folder, label, params: run.params.clone(), view, source })
    }

    /// Takes in what a run of this process has said; whether it has said anything.
    pub fn follow(&mut self) -> bool {
        let Source::Live(handle) = &self.source else { return false };
        let events = handle.drain();
        events.iter().for_each(|event| self.view.fold(event));
        !events.is_empty()
    }

    /// Takes in what a task has read from the journal.
    fn take(&mut self, tail: Tail, read: Result<Vec<Stamped>, String>) -> bool {
        let changed = !matches!(&read, Ok(events) if events.is_empty());
        self.source = Source::Folder(Some(tail));
        match read {
            Ok(events) => events.iter().for_each(|event| self.view.fold(event)),
            Err(reason) => {
                self.view.notes.push(reason);
                self.source = Source::Still;
            }
        }
        if self.view.state.is_final() {
            self.source = Source::Still;
        }
        changed
    }

    /// Whether more may come.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        !matches!(self.source, Source::Still) && !self.view.state.is_final()
    }

    /// Whether it works, waits or holds still in this process.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        matches!(self.source, Source::Live(_)) && !self.view.state.is_final()
    }
}

/// What the run in `folder` has said since its journal was read last; that it is lost, where its process is gone without
/// a word.
fn news(folder: &Path, tail: &mut Tail) -> Result<Vec<Stamped>, String> {
    let over = |events: &[Stamped]| {
        events.iter().any(|stamped| matches!(&stamped.event, Event::State { state, .. } if state.is_final()))
    };
    let mut events = tail.events().map_err(|error| error.to_string())?;
    if !over(&events) && Owner::of(folder).is_none() {
        // The owner writes its last event before it gives up the run, so after this look nothing is left to come.
        events.extend(tail.events().map_err(|error| error.to_string())?);
        if !over(&events) {
            events.push(Stamped { t: 0.0, event: Event::state(RunState::Lost, "its process is gone") });
        }
    }
    Ok(events)
}

impl App {
    /// Begins to read on in the journals of the runs on screen that other processes work on.
    pub(super) fn read_journals(&mut self) {
        let mut open: Vec<(String, PathBuf, Tail)> = Vec::new();
        for run in self.tabs.iter_mut().flat_map(|tab| &mut tab.runs) {
            if let Source::Folder(tail) = &mut run.source
                && let Some(tail) = tail.take()
            {
                open.push((run.id.clone(), run.folder.clone(), tail));
            }
        }
        if open.is_empty() {
            return;
        }
        let work = |_: &_| {
            let read = |(id, folder, mut tail): (String, PathBuf, Tail)| {
                let news = news(&folder, &mut tail);
                (id, tail, news)
            };
            Ok(open.into_iter().map(read).collect::<Vec<_>>())
        };
        self.tasks.start("reading journals", Origin::Console, work, |app: &mut Self, outcome| {
            let mut runs = app.tabs.iter_mut().flat_map(|tab| &mut tab.runs);
            match outcome {
                Ok(read) => {
                    let mut read: HashMap<_, _> = read.into_iter().map(|(id, tail, news)| (id, (tail, news))).collect();
                    for run in runs {
                        if let (Source::Folder(None), Some((tail, news))) = (&run.source, read.remove(&run.id)) {
                            app.stale |= run.take(tail, news);
                        }
                    }
                }
                Err(reason) => {
                    let stuck = |run: &&mut ShownRun| matches!(run.source, Source::Folder(None));
                    while let Some(run) = runs.find(stuck) {
                        (run.source, app.stale) = (Source::Still, true);
                        run.view.notes.push(format!("{reason}; open the run again to follow it"));
                    }
                }
            }
        });
    }
}
