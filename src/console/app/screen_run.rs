//! A run on screen: the events it has emitted so far, folded, and where more events come from.
//!
//! A run of this process is folded a second time here, beside the fold of its handle. A frame can then be drawn without
//! holding the lock under which the run publishes its events: no run waits for a screen, and no frame copies points.

use crate::lab::journal::Tail;
use crate::lab::{Event, LabError, Owner, RunHandle, RunState, RunSummary, RunView, Stamped, StoredParams};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a run's events come from.
pub enum NewsSource {
    /// A run of this process.
    Live(Arc<RunHandle>),
    /// The journal of a run of another process or of an earlier one, with the place up to which it was read. A task
    /// that reads on takes the place with it.
    Folder(Option<Tail>),
    /// Nothing more will come.
    Still,
}

/// A run on screen.
pub struct ScreenRun {
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
    pub source: NewsSource,
}

impl ScreenRun {
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
            source: NewsSource::Live(handle),
        }
    }

    /// A run of the store, labelled `label`, with everything in its journal. This reads the whole journal, so a task
    /// calls it.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn stored(logs: &Path, run: &RunSummary, label: String) -> Result<Self, LabError> {
        let folder = run.folder(logs);
        let (mut view, mut tail) = (RunView::default(), Tail::new(&folder));
        view.follow(&folder, &mut tail)?;
        let source = if view.state.is_final() { NewsSource::Still } else { NewsSource::Folder(Some(tail)) };
        Ok(Self { id: run.id.clone(), folder, label, params: run.params.clone(), view, source })
    }

    /// Gives a task what it needs to read the events since the last reading. Nothing is given where no more events will
    /// come, or where another task reads.
    pub(super) fn begin_read(&mut self) -> Option<Reader> {
        match &mut self.source {
            NewsSource::Live(handle) if !self.view.state.is_final() => Some(Reader::Live(Arc::clone(handle))),
            NewsSource::Folder(tail) => tail.take().map(|tail| Reader::Folder(self.folder.clone(), tail)),
            NewsSource::Live(_) | NewsSource::Still => None,
        }
    }

    /// Takes in what a task has read. Returns whether there was anything new.
    pub(super) fn take(&mut self, news: RunNews) -> bool {
        let changed = !matches!(&news.events, Ok(events) if events.is_empty());
        if let NewsSource::Folder(tail) = &mut self.source {
            *tail = news.tail;
        }
        match news.events {
            Ok(events) => events.iter().for_each(|event| self.view.fold(event)),
            Err(reason) => {
                self.view.notes.push(reason);
                self.source = NewsSource::Still;
            }
        }
        if matches!(self.source, NewsSource::Folder(_)) && self.view.state.is_final() {
            self.source = NewsSource::Still;
        }
        changed
    }

    /// Stops following the run if the task that read its journal has failed, and notes the reason.
    pub(super) fn stop_following(&mut self, reason: &str) {
        if matches!(self.source, NewsSource::Folder(None)) {
            self.source = NewsSource::Still;
            self.view.notes.push(format!("{reason}; open the run again to follow it"));
        }
    }

    /// Whether more may come.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        !matches!(self.source, NewsSource::Still) && !self.view.state.is_final()
    }

    /// Whether it works, waits or holds still in this process.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        matches!(self.source, NewsSource::Live(_)) && !self.view.state.is_final()
    }
}

/// Where a task reads new events: in memory, or in a journal.
pub(super) enum Reader {
    Live(Arc<RunHandle>),
    Folder(PathBuf, Tail),
}

impl Reader {
    pub(super) fn read(self) -> RunNews {
        match self {
            Self::Live(handle) => RunNews { events: Ok(handle.drain()), tail: None },
            Self::Folder(folder, mut tail) => RunNews { events: news(&folder, &mut tail), tail: Some(tail) },
        }
    }
}

/// What a task has read of a run.
pub(super) struct RunNews {
    events: Result<Vec<Stamped>, String>,
    /// The place up to which the journal was read; none for a run of this process.
    tail: Option<Tail>,
}

/// The events in the journal of the run in `folder` since it was read last. If the process of the run is gone and has
/// not written how the run ended, a last event says that the run is lost.
fn news(folder: &Path, tail: &mut Tail) -> Result<Vec<Stamped>, String> {
    let over = |events: &[Stamped]| {
        events.iter().any(|stamped| matches!(&stamped.event, Event::State { state, .. } if state.is_final()))
    };
    let mut events = tail.events().map_err(|error| error.to_string())?;
    if !over(&events) && Owner::perhaps_of(folder).is_none() {
        // The owner writes its last event before it releases the run, so this second reading finds everything.
        events.extend(tail.events().map_err(|error| error.to_string())?);
        if !over(&events) {
            events.push(Stamped { t: 0.0, event: Event::state(RunState::Lost, "its process is gone") });
        }
    }
    Ok(events)
}
