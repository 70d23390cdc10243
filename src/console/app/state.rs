//! The state of the console: its tabs, what lies over them, and the tasks under way.

use super::click::ClickTarget;
use super::home::Home;
use super::overlay::Overlay;
use super::runs::RunsTab;
use super::screen_run::ScreenRun;
use super::submission::Submission;
use super::sweeps::Sweeps;
use super::tab::{Pane, ProblemTab};
use super::task::{Origin, Tasks};
use super::toast::{Toast, Tone};
use crate::console::keymap::{Keymap, Place};
use crate::console::palette::Palette;
use crate::console::theme::Theme;
use crate::lab::slurm::SlurmOptions;
use crate::lab::{Places, Problem, Queue, RunState};
use ratatui::layout::Rect;
use std::fmt::Display;
use std::time::Instant;
use tui_logger::TuiWidgetState;

/// How the console ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing is running.
    Idle,
    /// The work goes on without a screen.
    LeaveRunning,
    /// Every run is stopped with what it has.
    Stop,
    /// Every run is stopped as with [`Exit::Stop`], but the program does not wait long for them.
    Force,
}

/// What the event loop is asked to do with the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Give the terminal back to the shell until `fg`.
    Suspend,
    /// Draw every cell anew.
    Redraw,
    /// Have the terminal copy this text.
    Copy(String),
    /// Leave the mouse to the terminal, or take it again.
    TurnMouse,
}

/// The state of the console.
pub struct App {
    /// How everything looks.
    pub(super) theme: Theme,
    /// The keys in force.
    pub(super) keymap: Keymap,
    /// The directories of runs, data and presets.
    pub(super) places: Places,
    /// The problems' tabs.
    pub(super) tabs: Vec<ProblemTab>,
    /// The Runs tab.
    pub(super) runs: RunsTab,
    /// The opening pages.
    pub(super) home: Home,
    /// The Log tab.
    pub(super) log: TuiWidgetState,
    /// Index of the tab on screen: the problems', then Runs, then Log.
    pub(super) tab: usize,
    /// What lies over the tab.
    pub(super) overlay: Option<Overlay>,
    /// The newest message, while it is shown.
    pub(super) toast: Option<Toast>,
    /// Set when the console is to end.
    pub(super) exit: Option<Exit>,
    /// What the event loop is asked to do with the terminal.
    pub(super) wanted: Option<Wanted>,
    /// What a click chooses in each part of the screen, as last drawn.
    pub(super) targets: Vec<(Rect, ClickTarget)>,
    /// The sweeps on a cluster.
    pub(super) sweeps: Sweeps,
    /// What a cluster was asked for last.
    pub(super) slurm: SlurmOptions,
    /// Whether there is a cluster to submit to.
    pub(super) has_cluster: bool,
    /// Whether a sweep is being handed to the cluster.
    pub(super) is_submitting: bool,
    pub(super) submissions: Vec<Submission>,
    /// How many submissions there have been.
    pub(super) submitted: usize,
    pub(super) queue: Queue,
    pub(super) tasks: Tasks<Self>,
    /// Whether a task reads what the runs on screen have said.
    pub(super) is_reading: bool,
    /// The number of runs that tasks are about to put into the queue.
    pub(super) runs_to_queue: usize,
    /// When the directory of runs was last looked through.
    pub(super) listed_at: Instant,
    pub(super) log_total: usize,
    /// The name of the task that the footer shows.
    pub(super) named_task: Option<String>,
    /// Whether a task has changed what is on screen.
    pub(super) has_changed: bool,
}

impl App {
    /// A console over the runs of `queue`.
    #[must_use]
    pub fn new(problems: &[&'static dyn Problem], queue: Queue, theme: Theme, keymap: Keymap) -> Self {
        let places = queue.places().clone();
        let mut app = Self {
            theme,
            keymap,
            tabs: problems.iter().map(|problem| ProblemTab::new(*problem)).collect(),
            runs: RunsTab::new(&places.logs, problems),
            home: Home::default(),
            sweeps: Sweeps::new(&places.logs, problems),
            places,
            log: TuiWidgetState::new().set_default_display_level(log::LevelFilter::Info),
            tab: 0,
            overlay: None,
            toast: None,
            exit: None,
            wanted: None,
            targets: Vec::new(),
            slurm: SlurmOptions::default(),
            has_cluster: false,
            is_submitting: false,
            submissions: Vec::new(),
            submitted: 0,
            queue,
            tasks: Tasks::new(),
            is_reading: false,
            runs_to_queue: 0,
            listed_at: Instant::now(),
            log_total: 0,
            named_task: None,
            has_changed: false,
        };
        app.count_cost();
        app.list_runs();
        app
    }

    /// How everything looks.
    #[must_use]
    pub const fn theme(&self) -> &Theme {
        &self.theme
    }

    /// Sets the colours for paper of this colour: red, green and blue from 0 to 1.
    pub fn set_paper(&mut self, paper: [f64; 3]) {
        self.theme.palette = Palette::on(paper);
    }

    /// The keys in force.
    #[must_use]
    pub const fn keymap(&self) -> &Keymap {
        &self.keymap
    }

    /// The directories of runs, data and presets.
    #[must_use]
    pub const fn places(&self) -> &Places {
        &self.places
    }

    /// The problems' tabs.
    #[must_use]
    pub fn tabs(&self) -> &[ProblemTab] {
        &self.tabs
    }

    /// Index of the tab on screen: the problems', then Runs, then Log.
    #[must_use]
    pub const fn tab_index(&self) -> usize {
        self.tab
    }

    /// The Runs tab.
    #[must_use]
    pub const fn runs(&self) -> &RunsTab {
        &self.runs
    }

    /// The opening pages.
    #[must_use]
    pub const fn home(&self) -> &Home {
        &self.home
    }

    /// The number of runs that other processes work on, on this machine or another.
    #[must_use]
    pub const fn elsewhere(&self) -> usize {
        self.home.elsewhere
    }

    /// The Log tab.
    #[must_use]
    pub const fn log(&self) -> &TuiWidgetState {
        &self.log
    }

    /// What lies over the tab.
    #[must_use]
    pub const fn overlay(&self) -> Option<&Overlay> {
        self.overlay.as_ref()
    }

    /// How the console is to end, once it is.
    #[must_use]
    pub const fn exit(&self) -> Option<Exit> {
        self.exit
    }

    /// Takes what the event loop is asked to do with the terminal.
    pub const fn take_wanted(&mut self) -> Option<Wanted> {
        self.wanted.take()
    }

    /// Sets what a click chooses in each part of the screen. The drawing calls this after each frame.
    pub fn set_click_targets(&mut self, targets: Vec<(Rect, ClickTarget)>) {
        self.targets = targets;
        if let Some(tab) = self.tabs.get_mut(self.tab) {
            let chosen = |target: &(Rect, ClickTarget)| match target.1 {
                ClickTarget::Canvas { figure, axis } if figure == tab.figure => Some((figure, axis)),
                _ => None,
            };
            let drawn = self.targets.iter().find_map(chosen);
            tab.see(drawn);
        }
    }

    /// The sweeps on a cluster.
    #[must_use]
    pub const fn sweeps(&self) -> &Sweeps {
        &self.sweeps
    }

    /// What a cluster was asked for last.
    #[must_use]
    pub const fn slurm_options(&self) -> &SlurmOptions {
        &self.slurm
    }

    /// Whether there is a cluster to submit to.
    #[must_use]
    pub const fn has_cluster(&self) -> bool {
        self.has_cluster
    }

    /// Sets whether there is a cluster to submit to. A new console assumes that there is none.
    pub const fn set_has_cluster(&mut self, has_cluster: bool) {
        self.has_cluster = has_cluster;
    }

    /// Puts a run on the screen of the problem's tab `tab` and chooses it.
    ///
    /// # Panics
    /// There is no problem's tab with this index.
    pub fn show(&mut self, tab: usize, run: ScreenRun) {
        self.tabs[tab].show(run);
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

    /// Index of the tab of the problem called `name`.
    pub(super) fn tab_of(&self, name: &str) -> Option<usize> {
        self.tabs.iter().position(|tab| tab.problem.name() == name)
    }

    /// The problem called `name`.
    #[must_use]
    pub fn problem_called(&self, name: &str) -> Option<&'static dyn Problem> {
        self.tab_of(name).map(|tab| self.tabs[tab].problem)
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

    /// The place whose keys are in force now.
    #[must_use]
    pub fn place(&self) -> Place {
        match (&self.overlay, self.problem()) {
            (Some(overlay), _) => overlay.place(),
            (None, Some(tab)) => match (tab.form.function(), tab.pane) {
                (Some(editor), _) if editor.ready().is_some() => Place::Gallery,
                (Some(_), _) => Place::Function,
                (None, Pane::Form) if tab.form.is_editing() => Place::Typing,
                (None, Pane::Form) if tab.form.is_finding() => Place::Search,
                (None, Pane::Form) if tab.form.is_ticking() => Place::Ticks,
                (None, Pane::Form) => Place::Form,
                (None, _) if tab.runs.is_empty() && !self.home.page(self.tab).is_empty() => Place::Home,
                (None, Pane::Figures) => Place::Figures,
                (None, Pane::Results) => Place::Results,
                (None, Pane::Remarks) => Place::Remarks,
            },
            (None, None) if self.on_runs() && self.runs.in_details => Place::Details,
            (None, None) if self.on_runs() => Place::Runs,
            (None, None) => Place::Log,
        }
    }

    /// The number of runs of this process that run or are paused, and the number of those that wait or are about to be
    /// queued.
    #[must_use]
    pub fn busy(&self) -> (usize, usize) {
        let handles = self.queue.handles();
        let count = |states: &[RunState]| handles.iter().filter(|run| states.contains(&run.state())).count();
        let coming: usize = self.submissions.iter().map(|submission| submission.left).sum();
        (count(&[RunState::Running, RunState::Paused]), count(&[RunState::Queued]) + coming + self.runs_to_queue)
    }

    /// Whether any run of this process has not ended.
    #[must_use]
    pub fn at_work(&self) -> bool {
        self.busy() != (0, 0) || !self.submissions.is_empty()
    }

    /// Whether a task is under way. What it brings is taken in by [`App::follow`].
    #[must_use]
    pub fn has_tasks(&self) -> bool {
        self.tasks.is_any()
    }

    /// Whether something that the user asked for is not done yet: a run, or a file that is being written.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.at_work() || self.tasks.is_any_asked_for()
    }

    /// Whether a sweep is being handed to the cluster.
    #[must_use]
    pub const fn is_submitting(&self) -> bool {
        self.is_submitting
    }

    /// The task that takes so long that the screen names it.
    #[must_use]
    pub fn named_task(&self) -> Option<&str> {
        self.named_task.as_deref()
    }

    /// Calls `wake` from now on whenever [`App::follow`] has something to take in from a task.
    pub fn wake_with(&mut self, wake: impl Fn() + Send + Sync + 'static) {
        self.tasks.wake_with(wake);
    }

    /// Starts a task that the user asked for. `work` runs on a thread of its own, and `done` takes its result on the
    /// thread that draws. A failure is shown as a message.
    pub(super) fn start<T: Send + 'static, E: Display>(
        &mut self,
        name: impl Into<String>,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
        done: impl FnOnce(&mut Self, T) + Send + 'static,
    ) {
        let work = move |_: &_| work().map_err(|error| error.to_string());
        self.tasks.start(name, Origin::User, work, |app: &mut Self, outcome| {
            app.has_changed = true;
            match outcome {
                Ok(value) => done(app, value),
                Err(reason) => app.say(reason, Tone::Bad),
            }
        });
    }
}
