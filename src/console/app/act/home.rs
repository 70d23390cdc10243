//! Actions on the opening page, and the tasks that read what it shows.

use crate::console::app::state::App;
use crate::console::app::tab::Pane;
use crate::console::app::task::Origin;
use crate::console::app::toast::Tone;
use crate::console::keymap::Action;
use std::collections::HashSet;
use std::time::Duration;

/// How long passes between two looks for runs while other processes work.
const OFTEN: Duration = Duration::from_secs(2);

/// The same while the opening page is on screen and none does.
const SELDOM: Duration = Duration::from_secs(30);

impl App {
    /// Whether the opening page of a problem is on screen.
    #[must_use]
    pub fn on_home(&self) -> bool {
        self.problem().is_some_and(|tab| tab.runs.is_empty())
    }

    /// How long the directory of runs need not be looked through again; none where no part of the screen depends on it.
    pub(super) fn looks_every(&self) -> Option<Duration> {
        match (self.home.elsewhere, self.on_home()) {
            _ if self.on_runs() => Some(OFTEN),
            (1.., _) => Some(OFTEN),
            (0, true) => Some(SELDOM),
            (0, false) => None,
        }
    }

    /// How long nothing has to be looked at while nothing happens.
    #[must_use]
    pub fn calm(&self) -> Duration {
        if self.on_runs() || self.on_log() {
            return Duration::from_secs(1);
        }
        self.looks_every().unwrap_or(Duration::from_secs(3600))
    }

    /// Puts the runs that there are on the opening pages.
    pub(super) fn renew_home(&mut self) {
        let own: HashSet<String> = self.queue.handles().iter().map(|handle| handle.id().to_owned()).collect();
        let problems: Vec<_> = self.tabs.iter().map(|tab| tab.problem).collect();
        self.home.take(self.runs.all(), &problems, &own);
        self.read_home(true);
    }

    /// Starts a task that reads the journals behind the opening page on screen: of runs at work only where there is news.
    pub(super) fn read_home(&mut self, is_new: bool) {
        let index = self.tab;
        if !self.on_home() || !(is_new || self.home_lacks(index)) {
            return;
        }
        let Some(reader) = self.home.begin_read(index, &self.places.logs) else { return };
        let problems: Vec<_> = self.tabs.iter().map(|tab| tab.problem).collect();
        let work = move |_: &_| Ok(reader.read(&problems));
        self.tasks.start("reading the newest runs", Origin::Console, work, |app: &mut Self, outcome| {
            app.home.end_read(outcome.ok());
            app.has_changed |= app.on_home();
        });
    }

    /// Whether a run on the page of problem `index` has not been read yet.
    fn home_lacks(&self, index: usize) -> bool {
        self.home.page(index).iter().any(|(_, run)| self.home.glance(&run.id).is_none())
    }

    /// Does what a key stands for on the opening page. Returns whether it stands for something there.
    pub(super) fn act_on_home(&mut self, action: Action) -> bool {
        let index = self.tab;
        let on_list = self.on_home() && self.problem().is_some_and(|tab| tab.pane != Pane::Form);
        match action {
            Action::Reopen if self.on_home() => self.open_from_home(),
            Action::Up if on_list => self.home.go(index, -1),
            Action::Down if on_list => self.home.go(index, 1),
            Action::First if on_list => self.home.go(index, isize::MIN),
            Action::Last if on_list => self.home.go(index, isize::MAX),
            Action::Edit if on_list => self.open_from_home(),
            _ => return false,
        }
        true
    }

    /// Puts the chosen run of the opening page on screen, and its parameters into the form.
    fn open_from_home(&mut self) {
        let page = self.home.page(self.tab);
        let Some((_, run)) = page.get(self.home.chosen(self.tab)) else {
            return self.say("there are no runs yet", Tone::Info);
        };
        let run = std::sync::Arc::clone(run);
        let Some(index) = self.tab_of(&run.problem) else { return };
        self.open_and_fill(index, &run);
    }
}
