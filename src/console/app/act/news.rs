//! What happens elsewhere: tasks look for it in the runs on screen, in the directory of runs and on the cluster, and
//! what they find is taken in here.

use crate::console::app::overlay::Overlay;
use crate::console::app::screen_run::ScreenRun;
use crate::console::app::state::{App, Exit};
use crate::console::app::task::Origin;
use crate::console::app::toast::Tone;
use crate::console::logging;
use std::collections::HashMap;
use std::time::Instant;

impl App {
    /// Whether something on screen may change without a key. [`App::follow`] should then be called about ten times a
    /// second.
    #[must_use]
    pub fn is_lively(&self) -> bool {
        matches!(self.overlay, Some(Overlay::Sweeps | Overlay::Leave { .. }))
            || self.sweeps.is_followed()
            || self.tasks.is_any()
            || self.at_work()
            || self.tabs.iter().any(|tab| tab.is_stale() || tab.runs.iter().any(ScreenRun::is_followed))
    }

    /// Takes in what has happened elsewhere and starts tasks that look for more. Returns whether anything on screen has
    /// changed.
    pub fn follow(&mut self) -> bool {
        let mut changed = self.take_changes() | self.end_message();
        for (index, tab) in self.tabs.iter_mut().enumerate() {
            changed |= tab.follow() && index == self.tab;
        }
        self.read_runs();
        self.follow_sweeps();
        if self.looks_every().is_some_and(|time| self.listed_at.elapsed() >= time) {
            self.list_runs();
        }
        self.read_home(false);
        self.count_cost();
        tui_logger::move_events();
        let total = logging::lines();
        changed |= self.on_log() && total != self.log_total;
        self.log_total = total;
        // The question what becomes of work that is not done needs no answer any more once it is.
        if matches!(self.overlay, Some(Overlay::Leave { .. })) && !self.at_work() {
            (self.overlay, self.exit) = (None, Some(Exit::Idle));
        }
        let named = self.tasks.noticeable();
        if named != self.named_task.as_deref() {
            self.named_task = named.map(str::to_owned);
            changed = true;
        }
        changed
    }

    /// Takes in what tasks have sent, without looking for more. Returns whether anything on screen has changed.
    pub fn take_news(&mut self) -> bool {
        let changed = self.take_changes();
        self.count_cost();
        changed
    }

    /// Makes the changes that tasks have sent. Returns whether anything on screen has changed.
    fn take_changes(&mut self) -> bool {
        while let Some(change) = self.tasks.next_change() {
            change(self);
        }
        self.show_submitted();
        std::mem::take(&mut self.has_changed)
    }

    /// Starts a task that reads the new events of the runs on screen, from memory or from their journals.
    fn read_runs(&mut self) {
        if self.is_reading {
            return;
        }
        let runs = self.tabs.iter_mut().flat_map(|tab| &mut tab.runs);
        let readers: Vec<_> = runs.filter_map(|run| Some((run.id.clone(), run.begin_read()?))).collect();
        if readers.is_empty() {
            return;
        }
        self.is_reading = true;
        let work = |_: &_| Ok(readers.into_iter().map(|(id, reader)| (id, reader.read())).collect::<HashMap<_, _>>());
        self.tasks.start("reading the runs", Origin::Console, work, |app: &mut Self, outcome| {
            app.is_reading = false;
            match outcome {
                Ok(mut news) => {
                    for index in 0..app.tabs.len() {
                        let changed = app.tabs[index].take_news(&mut news);
                        app.has_changed |= changed && index == app.tab;
                    }
                }
                Err(reason) => {
                    app.tabs.iter_mut().flat_map(|tab| &mut tab.runs).for_each(|run| run.stop_following(&reason));
                    app.say(reason, Tone::Bad);
                    app.has_changed = true;
                }
            }
        });
    }

    /// Starts a task that looks through the directory of runs. If one is under way, another follows it.
    pub(in crate::console::app) fn list_runs(&mut self) {
        self.listed_at = Instant::now();
        let Some(look) = self.runs.begin_look() else { return };
        let work = move |_: &_| Ok(look.read());
        self.tasks.start("listing the runs", Origin::Console, work, |app: &mut Self, outcome| {
            match app.runs.end_look(outcome) {
                Ok(changed) => {
                    app.has_changed |= changed;
                    app.renew_home();
                }
                Err((reason, true)) => {
                    app.say(format!("the runs cannot be listed: {reason}"), Tone::Bad);
                    app.has_changed = true;
                }
                Err((_, false)) => {}
            }
            if app.runs.take_outdated() {
                app.list_runs();
            }
        });
    }
}
