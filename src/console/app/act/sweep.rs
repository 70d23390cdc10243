//! Actions of the dialog before a sweep, and what follows from it.

use super::problem::unread_words;
use crate::console::app::overlay::Overlay;
use crate::console::app::state::App;
use crate::console::app::submission::Points;
use crate::console::app::sweep::{PlannedSweep, Planning, SweepDialog, SweepSize};
use crate::console::app::task::{ChangeSender, Origin};
use crate::console::app::toast::Tone;
use crate::console::keymap::Action;
use crate::lab::Sweep;
use crate::lab::slurm::{self, JobArray};
use std::collections::HashSet;

/// Lines of a page in the list of points.
const PAGE: isize = 15;

impl App {
    /// Opens the dialog for what the form of the tab on screen stands for.
    pub(super) fn ask_for_sweep(&mut self) {
        let Some(tab) = self.tabs.get(self.tab) else { return };
        let mut dialog = SweepDialog::new(self.tab, tab.sweep(), self.slurm.clone());
        self.look_up(&mut dialog);
        self.overlay = Some(Overlay::Sweep(Box::new(dialog)));
    }

    /// Starts a task that counts the points of a dialog and looks up which of them are finished.
    fn look_up(&mut self, dialog: &mut SweepDialog) {
        let number = dialog.begin_look_up();
        let (sweep, places) = (dialog.sweep.clone(), self.places.clone());
        let work = move |sender: &ChangeSender<Self>| {
            let size = SweepSize::of(&sweep);
            sender.send(move |app: &mut Self| {
                app.has_changed = true;
                if let Some(Overlay::Sweep(dialog)) = &mut app.overlay {
                    dialog.take_size(number, size);
                }
            });
            PlannedSweep::new(&sweep, &places).map_err(|error| error.to_string())
        };
        self.tasks.start("looking up the points", Origin::Console, work, move |app: &mut Self, found| {
            app.has_changed = true;
            if let Some(Overlay::Sweep(dialog)) = &mut app.overlay {
                dialog.end_look_up(number, found);
            }
        });
    }

    /// Does what a key stands for in the dialog. Returns what lies over the tab afterwards.
    pub(super) fn act_on_sweep(&mut self, mut dialog: Box<SweepDialog>, action: Action) -> Option<Overlay> {
        if dialog.input.is_some() {
            match action {
                Action::Edit => dialog.commit(),
                Action::Back => (dialog.input, dialog.error) = (None, None),
                _ => {}
            }
            self.slurm.clone_from(&dialog.options);
            return Some(Overlay::Sweep(dialog));
        }
        match action {
            Action::Back if dialog.list.is_some() => dialog.list = None,
            Action::Back => return None,
            Action::Up => dialog.go(-1),
            Action::Down => dialog.go(1),
            Action::PageUp => dialog.go(-PAGE),
            Action::PageDown => dialog.go(PAGE),
            Action::Points => dialog.list = if dialog.list.is_some() { None } else { Some(0) },
            Action::Again => dialog.again = !dialog.again,
            Action::Grid => {
                dialog.turn_mode();
                self.look_up(&mut dialog);
                if let Some(tab) = self.tabs.get_mut(dialog.tab) {
                    tab.mode = dialog.sweep.mode;
                }
            }
            Action::Target => (dialog.on_cluster, dialog.list, dialog.error) = (!dialog.on_cluster, None, None),
            Action::Edit if dialog.on_cluster => dialog.edit(),
            Action::Start => return self.start_sweep(dialog),
            _ => {}
        }
        Some(Overlay::Sweep(dialog))
    }

    /// Starts the sweep if its points are known and, for very many points, the user has confirmed it.
    fn start_sweep(&mut self, mut dialog: Box<SweepDialog>) -> Option<Overlay> {
        dialog.error = match &dialog.planning {
            Planning::Working => Some("the points are still being looked up: try again in a moment".to_owned()),
            Planning::Refused(reason) => Some(reason.clone()),
            Planning::Done(planned) if dialog.on_cluster && planned.to_run(dialog.again) == 0 => {
                Some("every point is finished or under way".to_owned())
            }
            Planning::Done(planned) => {
                let count = planned.to_run(dialog.again);
                if count > Sweep::LIMIT && !dialog.asked {
                    dialog.asked = true;
                    let start = self.keymap.key(self.place(), Action::Start);
                    Some(format!("{count} runs are many: {start} once more starts them all"))
                } else {
                    None
                }
            }
        };
        if dialog.error.is_some() {
            return Some(Overlay::Sweep(dialog));
        }
        if dialog.on_cluster {
            self.start_on_cluster(&mut dialog);
            return Some(Overlay::Sweep(dialog));
        }
        let SweepDialog { tab, sweep, again, planning, .. } = *dialog;
        let Planning::Done(planned) = planning else { return None };
        let count = planned.to_run(again);
        self.make_room_for(tab, &sweep, &planned.plan.finished.iter().map(|run| run.id.clone()).collect());
        let unread = unread_words(&sweep);
        let points = if again { Points::All(sweep) } else { Points::Missing(planned.plan) };
        self.submit(tab, count, points, unread);
        None
    }

    /// Makes room for a sweep on its tab.
    fn make_room_for(&mut self, tab: usize, sweep: &Sweep, own: &HashSet<String>) {
        if let Some(tab) = self.tabs.get_mut(tab) {
            tab.make_room(sweep.scales(), own);
        }
    }

    /// Starts a task that submits the sweep to the cluster.
    fn start_on_cluster(&mut self, dialog: &mut SweepDialog) {
        if self.is_submitting {
            dialog.error = Some("a sweep is being submitted already: wait for the answer of the cluster".to_owned());
            return;
        }
        let Planning::Done(planned) = &dialog.planning else { return };
        let (tab, sweep, again, places) = (dialog.tab, dialog.sweep.clone(), dialog.again, self.places.clone());
        let (options, left) = (dialog.options.clone(), planned.plan.left());
        let finished: HashSet<String> = planned.plan.finished.iter().map(|run| run.id.clone()).collect();
        let swept = sweep.clone();
        let work = move |_: &_| {
            let specs = if again { sweep.specs_up_to(Sweep::MOST).map_err(|error| error.to_string())? } else { left };
            let idle = slurm::idle_gpus(&specs, &options);
            let array = slurm::submit(&places, &specs, &sweep.name(), options).map_err(|error| error.to_string())?;
            Ok((array, idle))
        };
        self.is_submitting = true;
        self.tasks.start("submitting the sweep", Origin::User, work, move |app: &mut Self, answer| {
            (app.is_submitting, app.has_changed) = (false, true);
            match answer {
                Ok((array, idle)) => app.take_array(tab, &swept, &finished, (&array, idle)),
                Err(reason) => match &mut app.overlay {
                    Some(Overlay::Sweep(dialog)) => dialog.error = Some(reason),
                    _ => app.say(reason, Tone::Bad),
                },
            }
        });
    }

    /// Takes a sweep that the cluster has accepted.
    fn take_array(
        &mut self,
        tab: usize,
        sweep: &Sweep,
        finished: &HashSet<String>,
        (array, idle): (&JobArray, Option<String>),
    ) {
        let plan = array.plan_ref();
        let job = plan.jobs.last().map(ToString::to_string).unwrap_or_default();
        let mut text = format!("job {job}: {} points in {} elements", plan.points, plan.elements());
        for words in [unread_words(sweep), idle].into_iter().flatten() {
            text = format!("{text}; {words}");
        }
        if matches!(self.overlay, Some(Overlay::Sweep(_))) {
            self.overlay = None;
        }
        self.make_room_for(tab, sweep, finished);
        self.sweeps.follow_runs(array.folder());
        self.say(text, Tone::Good);
    }
}
