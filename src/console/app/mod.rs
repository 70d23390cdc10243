//! What the console knows, and how keys and events change it. Nothing here draws and nothing here waits.

mod act;
mod figure;
mod overlay;
mod runs;
mod shown;
mod submission;
mod sweep;
mod sweeps;
mod tab;

pub use figure::{CurveOf, Figure, Looks, SMOOTHINGS};
pub use overlay::{Field, Overlay, Purpose};
pub use runs::{ORDERS, RunsTab};
pub use shown::{ShownRun, Source};
pub use submission::{Arrived, Points, Submission, Submitting};
pub use sweep::{PlannedSweep, Planning, PointState, SweepDialog, SweptAxis};
pub use sweeps::{News, SweepEntry, Sweeps};
pub use tab::{Asked, Pane, ProblemTab, ResultLine};

use super::keymap::{Action, Key, Keymap, Place};
use super::theme::Theme;
use crate::lab::slurm::{Slurm, SlurmOptions};
use crate::lab::{Places, Problem, Queue, RunState};
use ratatui::crossterm::event::{Event, KeyEvent};
use ratatui::layout::Rect;
use std::time::{Duration, Instant};
use tui_input::backend::crossterm::to_input_request;
use tui_logger::TuiWidgetState;

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something is so.
    Info,
    /// Something went well.
    Good,
    /// Something went wrong.
    Bad,
}

/// How the console ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing is running.
    Idle,
    /// The work goes on without a screen.
    LeaveRunning,
    /// Every run is stopped with what it has.
    Stop,
    /// The same, without waiting long.
    Force,
}

/// What the loop around the state has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Give the terminal back to the shell until `fg`.
    Suspend,
    /// Draw every cell anew.
    Redraw,
}

/// Where a mouse click goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A tab's name.
    Tab(usize),
    /// A pane of a problem's tab.
    Pane(Pane),
}

/// The state of the console.
pub struct App {
    /// How everything looks.
    pub theme: Theme,
    /// The keys in force.
    pub keymap: Keymap,
    /// Where things lie.
    pub places: Places,
    /// The problems' tabs.
    pub tabs: Vec<ProblemTab>,
    /// The Runs tab.
    pub runs: RunsTab,
    /// The Log tab.
    pub log: TuiWidgetState,
    /// Index of the tab on screen: the problems', then Runs, then Log.
    pub tab: usize,
    /// What lies over the tab.
    pub overlay: Option<Overlay>,
    /// The newest message, until the next key.
    pub message: Option<(String, Tone)>,
    /// Set when the console is to end.
    pub exit: Option<Exit>,
    /// Set when the loop has to do something.
    pub wanted: Option<Wanted>,
    /// Where clicks go, as last drawn.
    pub targets: Vec<(Rect, Target)>,
    /// The sweeps on a cluster.
    pub sweeps: Sweeps,
    /// What a cluster was asked for last.
    pub slurm: SlurmOptions,
    /// Whether there is a cluster to submit to.
    pub has_cluster: bool,
    /// A sweep that is being handed to the cluster.
    pub submitting: Option<Submitting>,
    submissions: Vec<Submission>,
    queue: Queue,
    looked: Instant,
    log_total: usize,
}

impl App {
    /// A console over the runs of `queue`.
    #[must_use]
    pub fn new(problems: &[&'static dyn Problem], queue: Queue, theme: Theme, keymap: Keymap) -> Self {
        let places = queue.places().clone();
        Self {
            theme,
            keymap,
            tabs: problems.iter().map(|problem| ProblemTab::new(*problem)).collect(),
            runs: RunsTab::new(&places.logs),
            sweeps: Sweeps::new(&places.logs, problems),
            places,
            log: TuiWidgetState::new().set_default_display_level(log::LevelFilter::Info),
            tab: 0,
            overlay: None,
            message: None,
            exit: None,
            wanted: None,
            targets: Vec::new(),
            slurm: SlurmOptions::default(),
            has_cluster: Slurm.is_here(),
            submitting: None,
            submissions: Vec::new(),
            queue,
            looked: Instant::now(),
            log_total: 0,
        }
    }

    /// The queue behind the console.
    #[must_use]
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The tabs' names.
    #[must_use]
    pub fn titles(&self) -> Vec<&str> {
        self.tabs.iter().map(|tab| tab.problem.title()).chain(["Runs", "Log"]).collect()
    }

    /// The problem's tab on screen, if it is one.
    #[must_use]
    pub fn problem(&self) -> Option<&ProblemTab> {
        self.tabs.get(self.tab)
    }

    /// Whether the Runs tab is on screen.
    #[must_use]
    pub fn on_runs(&self) -> bool {
        self.tab == self.tabs.len()
    }

    /// Whether the Log tab is on screen.
    #[must_use]
    pub fn on_log(&self) -> bool {
        self.tab == self.tabs.len() + 1
    }

    /// Where the keys go now.
    #[must_use]
    pub fn place(&self) -> Place {
        match (&self.overlay, self.problem()) {
            (Some(overlay), _) => overlay.place(),
            (None, Some(tab)) => match tab.pane {
                Pane::Form if tab.form.is_editing() => Place::Typing,
                Pane::Form => Place::Form,
                Pane::Figures => Place::Figures,
                Pane::Results => Place::Results,
            },
            (None, None) if self.on_runs() => Place::Runs,
            (None, None) => Place::Log,
        }
    }

    /// Runs of this process that work or hold still, and those that wait or are on their way into the queue.
    #[must_use]
    pub fn busy(&self) -> (usize, usize) {
        let handles = self.queue.handles();
        let count = |states: &[RunState]| handles.iter().filter(|run| states.contains(&run.state())).count();
        let coming: usize = self.submissions.iter().map(|submission| submission.left).sum();
        (count(&[RunState::Running, RunState::Paused]), count(&[RunState::Queued]) + coming)
    }

    /// Whether any run of this process is not over.
    #[must_use]
    pub fn at_work(&self) -> bool {
        self.busy() != (0, 0) || !self.submissions.is_empty()
    }

    /// Whether something on screen may change without a key: then [`App::follow`] is to be called about ten times a
    /// second.
    #[must_use]
    pub fn is_lively(&self) -> bool {
        let following = |run: &ShownRun| !matches!(run.source, Source::Still) && !run.view.state.is_final();
        let asking = self.submitting.is_some() || matches!(self.overlay, Some(Overlay::Sweep(_) | Overlay::Sweeps));
        let asking = asking || self.sweeps.is_followed();
        asking
            || self.runs.is_looking()
            || self.at_work()
            || self.tabs.iter().any(|tab| tab.is_stale() || tab.runs.iter().any(following))
    }

    /// Takes in what has happened elsewhere; whether anything on screen has changed.
    pub fn follow(&mut self) -> bool {
        let mut changed = false;
        for (index, tab) in self.tabs.iter_mut().enumerate() {
            let before: Vec<RunState> = tab.runs.iter().map(|run| run.view.state).collect();
            changed |= tab.follow() && index == self.tab;
            for (run, before) in tab.runs.iter().zip(before) {
                if run.view.state != before {
                    changed = true;
                    Self::tell(run);
                }
            }
        }
        changed |= self.follow_submissions();
        changed |= self.follow_sweeps();
        changed |= self.runs.follow() && self.on_runs();
        if self.on_runs() && self.looked.elapsed() > Duration::from_secs(2) {
            self.looked = Instant::now();
            self.runs.look();
        }
        tui_logger::move_events();
        let total = super::logging::lines();
        changed |= self.on_log() && total != self.log_total;
        self.log_total = total;
        changed
    }

    /// Writes a change of state into the log.
    fn tell(run: &ShownRun) {
        let (state, message) = (run.view.state, &run.view.message);
        let words = if message.is_empty() { String::new() } else { format!(": {message}") };
        match state {
            RunState::Failed | RunState::Diverged | RunState::Lost => {
                log::error!(target: "runs", "{} {}{words} ({})", run.label, state.name(), run.id);
            }
            _ => log::info!(target: "runs", "{} {}{words} ({})", run.label, state.name(), run.id),
        }
    }

    /// Takes a key.
    pub fn key(&mut self, event: &KeyEvent) {
        let place = self.place();
        let action = self.keymap.action(place, Key::of(event));
        if action != Some(Action::Interrupt) && action != Some(Action::Redraw) {
            self.message = None;
        }
        match action {
            Some(action) => self.act(action),
            None if place == Place::Typing => {
                if let Some(request) = to_input_request(&Event::Key(*event)) {
                    self.type_key(request);
                }
            }
            None => {}
        }
    }

    /// Takes pasted text, where text is typed.
    pub fn paste(&mut self, text: &str) {
        if self.place() == Place::Typing {
            let line = text.lines().next().unwrap_or_default();
            line.chars().for_each(|character| self.type_key(tui_input::InputRequest::InsertChar(character)));
        }
    }

    /// Takes a click at a cell.
    pub fn click(&mut self, column: u16, row: u16) {
        if self.overlay.is_some() || self.place() == Place::Typing {
            return;
        }
        let hit = self.targets.iter().find(|(area, _)| area.contains((column, row).into())).map(|(_, target)| *target);
        match hit {
            Some(Target::Tab(index)) => self.act(Action::Tab(index)),
            Some(Target::Pane(pane)) => {
                if let Some(tab) = self.tabs.get_mut(self.tab) {
                    tab.pane = pane;
                }
            }
            None => {}
        }
    }

    fn type_key(&mut self, request: tui_input::InputRequest) {
        match &mut self.overlay {
            Some(Overlay::Typing(field)) => field.type_key(request),
            Some(Overlay::Sweep(dialog)) => {
                dialog.error = None;
                if let Some(input) = &mut dialog.input {
                    input.handle(request);
                }
            }
            Some(_) => {}
            None => {
                if let Some(tab) = self.tabs.get_mut(self.tab) {
                    tab.form.type_key(request);
                }
            }
        }
    }

    /// Shows a message until the next key.
    pub fn say(&mut self, text: impl Into<String>, tone: Tone) {
        self.message = Some((text.into(), tone));
    }
}
