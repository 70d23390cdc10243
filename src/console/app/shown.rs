//! A run on screen: what it has said so far, and where more comes from.

use crate::lab::journal::Tail;
use crate::lab::{RunHandle, RunSummary, RunView, StoredParams};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a run's events come from.
pub enum Source {
    /// A run of this process.
    Live(Arc<RunHandle>),
    /// A folder of another process, or of an earlier one.
    Folder(Tail),
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

    /// A run in a folder.
    #[must_use]
    pub fn stored(folder: &Path, id: String, label: String, params: StoredParams) -> Self {
        let mut run = Self {
            id,
            folder: folder.to_owned(),
            label,
            params,
            view: RunView::default(),
            source: Source::Folder(Tail::new(folder)),
        };
        run.follow();
        run
    }

    /// A run of the store.
    #[must_use]
    pub fn summed(logs: &Path, run: &RunSummary) -> Self {
        let label = if run.title.is_empty() { run.label.clone() } else { run.title.clone() };
        Self::called(logs, run, label)
    }

    /// A run of the store under another name.
    #[must_use]
    pub fn called(logs: &Path, run: &RunSummary, label: String) -> Self {
        Self::stored(&run.folder(logs), run.id.clone(), label, run.params.clone())
    }

    /// Takes in what has come; whether anything has.
    pub fn follow(&mut self) -> bool {
        let changed = match &mut self.source {
            Source::Live(handle) => {
                let events = handle.drain();
                events.iter().for_each(|event| self.view.fold(event));
                !events.is_empty()
            }
            Source::Folder(tail) => match self.view.follow(&self.folder, tail) {
                Ok(changed) => changed,
                Err(error) => {
                    self.view.notes.push(error.to_string());
                    self.source = Source::Still;
                    return true;
                }
            },
            Source::Still => false,
        };
        if matches!(self.source, Source::Folder(_)) && self.view.state.is_final() {
            self.source = Source::Still;
        }
        changed
    }

    /// Whether it works, waits or holds still in this process.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        matches!(self.source, Source::Live(_)) && !self.view.state.is_final()
    }
}
