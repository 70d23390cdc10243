//! Actions on the list of sweeps, and what follows from it.

use super::super::{App, Field, News, Overlay, Purpose, Source, Tone};
use crate::console::keymap::Action;
use crate::lab::slurm::Slurm;
use std::collections::{BTreeMap, HashMap};

impl App {
    /// Does what a key stands for in the list of sweeps; what lies over the tab then.
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
            Action::Resume => self.sweeps.act(|mut sweep| {
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
        let Some(index) = self.tabs.iter().position(|tab| tab.problem.name() == entry.problem) else {
            self.say(format!("no problem is called `{}`", entry.problem), Tone::Bad);
            return Some(Overlay::Sweeps);
        };
        self.sweeps.follow_runs(&entry.folder);
        self.tab = index;
        let own = entry.status.iter().flat_map(|status| &status.points).filter_map(|point| point.run.as_ref());
        self.tabs[index].expect(BTreeMap::new(), &own.map(|run| run.id.clone()).collect());
        self.say(format!("the runs of {} come on screen as they begin", entry.title), Tone::Good);
        None
    }

    /// Cancels the chosen sweep when asked for the second time.
    fn cancel_sweep(&mut self) {
        let Some(entry) = self.sweeps.chosen() else { return };
        let (folder, title) = (entry.folder.clone(), entry.title.clone());
        if self.sweeps.doomed.as_ref() != Some(&folder) {
            let key = self.keymap.key(crate::console::keymap::Place::Sweeps, Action::Cancel);
            self.sweeps.doomed = Some(folder);
            return self.say(format!("{key} once more cancels what waits and runs of {title}"), Tone::Bad);
        }
        self.sweeps.doomed = None;
        self.sweeps.act(move |sweep| sweep.cancel(Slurm).map(|()| format!("{title} is cancelled")));
    }

    /// Sets how many elements of the chosen sweep run at a time.
    pub(super) fn throttle_sweep(&mut self, text: &str) -> Result<(), String> {
        let most = text.parse::<usize>().map_err(|_| format!("found `{text}`, allowed: a whole number"))?;
        self.sweeps.act(move |sweep| {
            sweep.throttle(Slurm, most).map(|()| match most {
                0 => "as many elements at a time as Slurm has room for".to_owned(),
                _ => format!("{most} elements at a time"),
            })
        });
        Ok(())
    }

    /// Takes in what has become of sweeps on a cluster, if somebody looks; whether anything on screen has changed.
    pub(in super::super) fn follow_sweeps(&mut self) -> bool {
        let on_screen = matches!(self.overlay, Some(Overlay::Sweeps));
        if !on_screen && !self.sweeps.is_followed() {
            return false;
        }
        let tabs = &self.tabs;
        let shown = || -> HashMap<String, _> {
            let state = |run: &super::super::ShownRun| match run.source {
                Source::Still => Some(run.view.state),
                Source::Live(_) | Source::Folder(_) => None,
            };
            tabs.iter().flat_map(|tab| &tab.runs).map(|run| (run.id.clone(), state(run))).collect()
        };
        let News { changed, runs, said } = self.sweeps.follow(on_screen, shown);
        for tab in &mut self.tabs {
            let own: Vec<_> = runs.iter().filter(|(problem, _)| problem == tab.problem.name()).collect();
            if !own.is_empty() {
                tab.retain(|run| own.iter().all(|(_, new)| new.id != run.id));
            }
        }
        let mut by_tab: HashMap<usize, Vec<_>> = HashMap::new();
        for (problem, run) in runs {
            if let Some(index) = self.tabs.iter().position(|tab| tab.problem.name() == problem) {
                by_tab.entry(index).or_default().push(run);
            }
        }
        by_tab.into_iter().for_each(|(index, runs)| self.tabs[index].show_all(runs));
        match said {
            Some(Ok(text)) => self.say(text, Tone::Good),
            Some(Err(text)) => self.say(text, Tone::Bad),
            None => {}
        }
        changed
    }
}
