//! Actions on the list of sweeps, and what follows from it.

use crate::console::app::overlay::{Field, Overlay, Purpose};
use crate::console::app::screen_run::{NewsSource, ScreenRun};
use crate::console::app::state::App;
use crate::console::app::task::Origin;
use crate::console::app::toast::Tone;
use crate::console::keymap::Action;
use crate::lab::LabError;
use crate::lab::slurm::{JobArray, Queues, Slurm};
use std::collections::{BTreeMap, HashMap};

impl App {
    /// Does what a key stands for in the list of sweeps. Returns what lies over the tab afterwards.
    pub(super) fn act_on_sweeps(&mut self, action: Action) -> Option<Overlay> {
        match action {
            Action::Back => return None,
            Action::Up => self.sweeps.go(-1),
            Action::Down => self.sweeps.go(1),
            Action::PageUp => self.sweeps.skip = self.sweeps.skip.saturating_sub(10),
            Action::PageDown => {
                let points = self.sweeps.chosen().and_then(|entry| entry.status.as_ref().ok());
                let last = points.map_or(0, |status| status.points.len().saturating_sub(1));
                self.sweeps.skip = (self.sweeps.skip + 10).min(last);
            }
            Action::Edit => return self.open_sweep(),
            Action::Cancel => self.cancel_sweep(),
            Action::Resume => self.change_sweep(|mut sweep| {
                Ok(match sweep.resume(Slurm)? {
                    Some(again) => format!("job {}: elements {}", again.job, again.elements),
                    None => "nothing is missing: every point is finished, running or waiting".to_owned(),
                })
            }),
            Action::Throttle => {
                if let Some(folder) = self.sweeps.chosen().map(|entry| entry.folder.clone()) {
                    return Some(Overlay::Typing(Field::new(Purpose::Throttle(folder), "")));
                }
            }
            _ => {}
        }
        Some(Overlay::Sweeps)
    }

    /// Brings the runs of the chosen sweep on the screen of its problem, as they come.
    fn open_sweep(&mut self) -> Option<Overlay> {
        let Some(entry) = self.sweeps.chosen().cloned() else { return Some(Overlay::Sweeps) };
        if let Err(reason) = &entry.status {
            self.say(reason.clone(), Tone::Bad);
            return Some(Overlay::Sweeps);
        }
        let Some(index) = self.tab_of(&entry.problem) else {
            let known: Vec<&str> = self.tabs.iter().map(|tab| tab.problem.name()).collect();
            self.say(format!("no problem is called `{}`, there are {}", entry.problem, known.join(", ")), Tone::Bad);
            return Some(Overlay::Sweeps);
        };
        self.sweeps.follow_runs(&entry.folder);
        self.tab = index;
        let own = entry.status.iter().flat_map(|status| &status.points).filter_map(|point| point.run.as_ref());
        self.tabs[index].make_room(BTreeMap::new(), &own.map(|run| run.id.clone()).collect());
        self.say(format!("the runs of {} come on screen as they begin", entry.title), Tone::Good);
        None
    }

    /// Cancels the chosen sweep when asked for the second time.
    fn cancel_sweep(&mut self) {
        let Some(entry) = self.sweeps.chosen() else { return };
        let (folder, title) = (entry.folder.clone(), entry.title.clone());
        if self.sweeps.to_cancel.as_ref() != Some(&folder) {
            let key = self.keymap.key(crate::console::keymap::Place::Sweeps, Action::Cancel);
            self.sweeps.to_cancel = Some(folder);
            return self.say(format!("{key} once more cancels what waits and runs of {title}"), Tone::Bad);
        }
        self.sweeps.to_cancel = None;
        self.change_sweep(move |sweep| sweep.cancel(Slurm).map(|()| format!("{title} is cancelled")));
    }

    /// Sets how many elements of the chosen sweep run at a time.
    pub(super) fn throttle_sweep(&mut self, text: &str) -> Result<(), String> {
        let most = text.parse::<usize>().map_err(|_| format!("found `{text}`, allowed: a whole number"))?;
        self.change_sweep(move |sweep| {
            sweep.throttle(Slurm, most).map(|()| match most {
                0 => "as many elements at a time as Slurm has room for".to_owned(),
                _ => format!("{most} elements at a time"),
            })
        });
        Ok(())
    }

    /// Does something with the chosen sweep, and shows the message that it gives.
    fn change_sweep(&mut self, change: impl FnOnce(JobArray) -> Result<String, LabError> + Send + 'static) {
        let Some(folder) = self.sweeps.begin_change() else { return };
        let work = move |_: &_| JobArray::open(&folder).and_then(change).map_err(|error| error.to_string());
        self.tasks.start("changing the sweep", Origin::User, work, |app: &mut Self, outcome| {
            app.has_changed = true;
            app.sweeps.end_change();
            match outcome {
                Ok(text) => app.say(text, Tone::Good),
                Err(reason) => app.say(reason, Tone::Bad),
            }
        });
    }

    /// Starts tasks that look how far the sweeps on a cluster are, if the list is on screen or a sweep is followed and
    /// the last look was long enough ago.
    pub(super) fn follow_sweeps(&mut self) {
        let on_screen = matches!(self.overlay, Some(Overlay::Sweeps));
        if !on_screen && !self.sweeps.is_followed() {
            return;
        }
        if let Some(look) = self.sweeps.begin_look() {
            let state = |run: &ScreenRun| match run.source {
                NewsSource::Still => Some(run.view.state),
                NewsSource::Live(_) | NewsSource::Folder(_) => None,
            };
            let shown: HashMap<String, _> =
                self.tabs.iter().flat_map(|tab| &tab.runs).map(|run| (run.id.clone(), state(run))).collect();
            let work = move |_: &_| Ok(look.read(&shown));
            self.tasks.start("reading the sweeps", Origin::Console, work, |app: &mut Self, outcome| match outcome {
                Ok(read) => {
                    app.has_changed |= app.sweeps.end_look(Some(read.entries)) | !read.runs.is_empty();
                    app.renew(read.runs);
                }
                Err(reason) => {
                    app.sweeps.end_look(None);
                    app.has_changed = true;
                    app.say(reason, Tone::Bad);
                }
            });
        }
        if let Some(folder) = self.sweeps.begin_question(on_screen) {
            let sweep = folder.clone();
            let ask =
                move |_: &_| Ok(JobArray::open(&sweep).map(|sweep| Queues::ask(&sweep, Slurm)).unwrap_or_default());
            self.tasks.start("asking Slurm", Origin::Console, ask, move |app: &mut Self, outcome| {
                app.has_changed = true;
                let answer = outcome.map_err(|reason| app.say(reason, Tone::Bad)).unwrap_or_default();
                app.sweeps.end_question(folder, answer);
            });
        }
    }

    /// Puts runs on the tabs of their problems. They replace what those tabs have of the same runs.
    fn renew(&mut self, runs: Vec<(String, ScreenRun)>) {
        let mut by_problem: HashMap<String, Vec<ScreenRun>> = HashMap::new();
        runs.into_iter().for_each(|(problem, run)| by_problem.entry(problem).or_default().push(run));
        for tab in &mut self.tabs {
            if let Some(new) = by_problem.remove(tab.problem.name()) {
                tab.retain(|run| new.iter().all(|new| new.id != run.id));
                tab.show_all(new);
            }
        }
    }
}
