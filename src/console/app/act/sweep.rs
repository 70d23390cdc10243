//! Actions of the dialog before a sweep, and what follows from it.

use super::super::{App, Arrived, Overlay, Planning, Points, Submission, Submitting, SweepDialog, Tone};
use crate::console::keymap::Action;
use crate::lab::slurm::{self, SlurmOptions};
use crate::lab::{LabError, Sweep};
use std::collections::HashSet;

/// Lines of a page in the list of points.
const PAGE: isize = 15;

impl App {
    /// Opens the dialog for what the form of the tab on screen stands for.
    pub(super) fn ask_for_sweep(&mut self) {
        let Some(tab) = self.tabs.get(self.tab) else { return };
        let dialog = SweepDialog::new(self.tab, tab.sweep(), self.slurm.clone(), &self.places);
        self.overlay = Some(Overlay::Sweep(Box::new(dialog)));
    }

    /// Does what a key stands for in the dialog; what lies over the tab then.
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

    /// Starts the sweep, if all is known and agreed.
    fn start_sweep(&mut self, mut dialog: Box<SweepDialog>) -> Option<Overlay> {
        dialog.error = match &dialog.planning {
            Planning::Working(_) => Some("a moment: looking up which points are finished".to_owned()),
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
        self.expect_sweep(tab, &sweep, &planned.plan.finished.iter().map(|run| run.id.clone()).collect());
        let points = if again { Points::All(sweep) } else { Points::Missing(planned.plan) };
        let problems = self.tabs.iter().map(|tab| tab.problem).collect();
        self.submissions.push(Submission::start(tab, count, points, &self.queue, problems));
        None
    }

    /// Makes room for a sweep on its tab.
    fn expect_sweep(&mut self, tab: usize, sweep: &Sweep, own: &HashSet<String>) {
        if let Some(tab) = self.tabs.get_mut(tab) {
            tab.expect(sweep.scales(), own);
        }
    }

    /// Hands the sweep to the cluster, on a thread of its own.
    fn start_on_cluster(&mut self, dialog: &mut SweepDialog) {
        if self.submitting.is_some() {
            dialog.error = Some("a sweep is being submitted already".to_owned());
            return;
        }
        let Planning::Done(planned) = &dialog.planning else { return };
        let (sweep, again, places) = (dialog.sweep.clone(), dialog.again, self.places.clone());
        let options: SlurmOptions = dialog.options.clone();
        let left = planned.plan.left();
        let finished = planned.plan.finished.iter().map(|run| run.id.clone()).collect();
        let (tab, wanted) = (dialog.tab, sweep.clone());
        let answer = std::thread::spawn(move || {
            let specs = if again { sweep.specs_up_to(Sweep::MOST)? } else { left };
            slurm::submit(&places, &specs, &sweep.name(), options)
        });
        self.submitting = Some(Submitting { tab, sweep: wanted, finished, answer });
    }

    /// Takes in what has come of sweeps on their way; whether anything has.
    pub fn follow_submissions(&mut self) -> bool {
        let mut changed = false;
        let mut said = None;
        let tabs = &mut self.tabs;
        self.submissions.retain_mut(|submission| {
            let Arrived { runs, error, over } = submission.arrived();
            let Some(tab) = tabs.get_mut(submission.tab) else { return false };
            changed |= over || !runs.is_empty();
            if !runs.is_empty() {
                tab.show_all(runs);
            }
            let queued = submission.queued;
            match (error, over) {
                (Some(error), _) => said = Some((error.to_string(), Tone::Bad)),
                (None, true) if queued == 0 => {
                    said = Some(("every point is finished: their runs are on screen".to_owned(), Tone::Good));
                }
                (None, true) => said = Some((format!("{queued} runs queued"), Tone::Good)),
                (None, false) => {}
            }
            !over
        });
        if let Some((text, tone)) = said {
            self.say(text, tone);
        }
        if let Some(Overlay::Sweep(dialog)) = &mut self.overlay {
            changed |= dialog.follow();
        }
        if self.submitting.as_ref().is_some_and(|submitting| submitting.answer.is_finished()) {
            changed = true;
            self.take_submitted();
        }
        changed
    }

    /// Takes the answer of the cluster.
    fn take_submitted(&mut self) {
        let Some(Submitting { tab, sweep: draft, finished, answer }) = self.submitting.take() else { return };
        let failed = || LabError::Refused("the sweep could not be submitted: its thread has panicked".to_owned());
        match answer.join().unwrap_or_else(|_| Err(failed())) {
            Ok(sweep) => {
                let plan = sweep.plan_ref();
                let job = plan.jobs.last().map(ToString::to_string).unwrap_or_default();
                let text = format!("job {job}: {} points in {} elements", plan.points, plan.elements());
                if matches!(self.overlay, Some(Overlay::Sweep(_))) {
                    self.overlay = None;
                }
                self.expect_sweep(tab, &draft, &finished);
                self.sweeps.follow_runs(sweep.folder());
                self.say(text, Tone::Good);
            }
            Err(error) => match &mut self.overlay {
                Some(Overlay::Sweep(dialog)) => dialog.error = Some(error.to_string()),
                _ => self.say(error.to_string(), Tone::Bad),
            },
        }
    }

    /// Asks every run of this process to stop, and submits no more.
    pub fn stop_all(&self) {
        self.submissions.iter().for_each(Submission::stop);
        self.queue.handles().iter().for_each(|handle| handle.control().stop());
    }
}
