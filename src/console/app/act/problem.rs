//! Actions on a problem's tab.

use super::super::{App, Field, Figure, Overlay, Pane, ProblemTab, Purpose, SMOOTHINGS, ShownRun, Submission, Tone};
use crate::console::keymap::Action;
use crate::console::widget::heatmap::Look;
use crate::lab::{Preset, Request, RunState, preset};

/// The most repetitions that are offered.
const REPEATS: usize = 100;

impl App {
    pub(super) fn act_on_problem(&mut self, action: Action) {
        match action {
            Action::Run => return self.run(),
            Action::Presets => {
                let problems: Vec<_> = self.tabs.iter().map(|tab| tab.problem).collect();
                let list = preset::all(&self.places, &problems);
                let name = self.problem().map_or("", |tab| tab.problem.name());
                let own = |found: &(String, Result<Preset, _>)| {
                    found.1.as_ref().is_ok_and(|preset| preset.sweep.problem.name() == name)
                };
                let chosen = list.iter().position(own).unwrap_or(0);
                self.overlay = Some(Overlay::Presets { list, chosen });
            }
            Action::Save => self.overlay = Some(Overlay::Typing(Field::new(Purpose::Preset, ""))),
            Action::Stop => return self.steer(Request::Stop),
            Action::StopAll => return self.stop_tab(),
            Action::Pause => return self.steer(Request::Pause),
            Action::Optimise => return self.optimise(),
            Action::FollowUp => {
                let chosen = self.problem().and_then(|tab| Some(tab.runs[tab.target()?].id.clone()));
                return match chosen {
                    Some(id) => self.follow_up(self.tab, &id),
                    None => self.say("no run", Tone::Info),
                };
            }
            Action::Export => {
                let folders = self
                    .problem()
                    .map(|tab| tab.overlaid().into_iter().map(|run| tab.runs[run].folder.clone()).collect::<Vec<_>>());
                return self.export(&folders.unwrap_or_default());
            }
            _ => {}
        }
        let Some(tab) = self.tabs.get_mut(self.tab) else { return };
        let mut said = None;
        match action {
            Action::NextPane => tab.pane = next_pane(tab.pane),
            Action::PreviousPane => tab.pane = next_pane(next_pane(tab.pane)),
            Action::More => tab.repeats = (tab.repeats + 1).min(REPEATS),
            Action::Fewer => tab.repeats = (tab.repeats - 1).max(1),
            Action::Zoom => {
                tab.zoom = !tab.zoom;
                tab.pane = if tab.zoom { Pane::Figures } else { tab.pane };
            }
            Action::Compare => {
                tab.compare = !tab.compare;
                said = Some(if tab.compare { "every run" } else { "only the chosen run" }.to_owned());
            }
            Action::Group => {
                let run = tab.target().map(|run| tab.runs[run].id.clone());
                tab.grouped = !tab.grouped;
                run.iter().for_each(|id| tab.choose(id));
                said = Some(
                    if tab.grouped { "one line a variant: mean and 95 % interval" } else { "every run" }.to_owned(),
                );
            }
            Action::Figure => tab.figure = (tab.figure + 1) % tab.figures().len().max(1),
            Action::Look => tab.look = if tab.look == Look::Heat { Look::Bars } else { Look::Heat },
            Action::LogY => drop(tab.change_looks(|plot, looks| looks.y = Some(Figure::turned(&plot.y, looks.y)))),
            Action::LogX => drop(tab.change_looks(|plot, looks| looks.x = Some(Figure::turned(&plot.x, looks.x)))),
            Action::Smooth => {
                let looks = tab.change_looks(|_, looks| {
                    let next = SMOOTHINGS.iter().find(|factor| **factor > looks.smoothing);
                    looks.smoothing = next.copied().unwrap_or(0.0);
                });
                said = looks.map(|looks| match looks.smoothing {
                    0.0 => "not smoothed".to_owned(),
                    factor => format!("smoothed with factor {factor}"),
                });
            }
            _ => match tab.pane {
                Pane::Form => act_on_form(tab, action),
                Pane::Figures => act_on_figures(tab, action),
                Pane::Results => said = act_on_results(tab, action),
            },
        }
        if let Some(said) = said {
            self.say(said, Tone::Info);
        }
    }

    /// Starts the run that the form stands for; of several, asks first.
    pub(super) fn run(&mut self) {
        let Some(tab) = self.tabs.get_mut(self.tab) else { return };
        tab.count_cost();
        let several = tab.asked().is_ok_and(|asked| asked.runs > 1);
        if several {
            tab.form.clear_error();
            return self.ask_for_sweep();
        }
        let spec = match tab.first() {
            Ok(spec) => spec,
            Err(error) => {
                let text = error.to_string();
                tab.pane = Pane::Form;
                tab.form.mark(error);
                return self.say(text, Tone::Bad);
            }
        };
        tab.form.clear_error();
        match self.queue.submit(spec) {
            Ok(handle) => self.show_live(handle),
            Err(error) => self.say(error.to_string(), Tone::Bad),
        }
    }

    /// Stops, or pauses and lets go on, the run at hand.
    pub(super) fn steer(&mut self, request: Request) {
        let Some(tab) = self.tabs.get(self.tab) else { return };
        let Some(run) = tab.at_hand() else { return self.say("no run", Tone::Info) };
        let shown = &tab.runs[run];
        if shown.view.state.is_final() {
            let text = format!("{} is {}", shown.label, shown.view.state.name());
            return self.say(text, Tone::Info);
        }
        let paused = shown.view.state == RunState::Paused;
        let request = if request == Request::Pause && paused { Request::Proceed } else { request };
        let done = match tab.handle(run) {
            Some(handle) => {
                let control = handle.control();
                match request {
                    Request::Stop => control.stop(),
                    Request::Pause if control.is_paused() => control.proceed(),
                    Request::Pause => control.pause(),
                    Request::Proceed => control.proceed(),
                }
                Ok(())
            }
            None => request.send(&shown.folder),
        };
        if let Err(error) = done {
            self.say(error.to_string(), Tone::Bad);
        }
    }

    /// Stops every run on the tab on screen, and those on their way to it.
    fn stop_tab(&mut self) {
        let here = self.tab;
        self.submissions.iter().filter(|submission| submission.tab == here).for_each(Submission::stop);
        let Some(tab) = self.tabs.get(here) else { return };
        let open: Vec<usize> = (0..tab.runs.len()).filter(|run| !tab.runs[*run].view.state.is_final()).collect();
        let mut refused = None;
        for run in &open {
            match tab.handle(*run) {
                Some(handle) => handle.control().stop(),
                None => refused = Request::Stop.send(&tab.runs[*run].folder).err().or(refused),
            }
        }
        match refused {
            Some(error) => self.say(error.to_string(), Tone::Bad),
            None => self.say(format!("{} runs are asked to stop", open.len()), Tone::Info),
        }
    }

    fn optimise(&mut self) {
        let Some(tab) = self.tabs.get_mut(self.tab) else { return };
        let spec = match tab.first() {
            Ok(spec) => spec,
            Err(error) => return tab.form.mark(error),
        };
        let Some(found) = tab.problem.optimise(&spec.params) else {
            return self.say("theory has no best values for these parameters", Tone::Info);
        };
        let words: Vec<String> = found.iter().map(|(key, text)| format!("{key}={text}")).collect();
        match tab.change(&found) {
            Ok(()) => self.say(format!("best by theory: {}", words.join(", ")), Tone::Good),
            Err(error) => self.say(error.to_string(), Tone::Bad),
        }
    }
}

const fn next_pane(pane: Pane) -> Pane {
    match pane {
        Pane::Form => Pane::Figures,
        Pane::Figures => Pane::Results,
        Pane::Results => Pane::Form,
    }
}

fn act_on_form(tab: &mut ProblemTab, action: Action) {
    if tab.form.is_editing() {
        match action {
            Action::Edit => drop(tab.form.commit()),
            Action::Back => tab.form.cancel(),
            _ => {}
        }
        return;
    }
    match action {
        Action::Up => tab.form.go(-1),
        Action::Down => tab.form.go(1),
        Action::Left => tab.form.step(false),
        Action::Right => tab.form.step(true),
        Action::Edit => tab.form.edit(),
        Action::Sweep => tab.form.edit_sweep(),
        Action::Reset => tab.form.reset(),
        _ => {}
    }
}

fn act_on_figures(tab: &mut ProblemTab, action: Action) {
    let by = |now: Option<f64>, step: f64| Some((now.map_or(0.5, |now| now + step)).clamp(0.0, 1.0));
    let last = tab.figures().len().saturating_sub(1);
    match action {
        Action::Up => tab.figure = tab.figure.saturating_sub(1),
        Action::Down => tab.figure = (tab.figure + 1).min(last),
        Action::Left => drop(tab.change_looks(|_, looks| looks.cursor = by(looks.cursor, -0.02))),
        Action::Right => drop(tab.change_looks(|_, looks| looks.cursor = by(looks.cursor, 0.02))),
        Action::Back => {
            let had = tab.change_looks(|_, _| {}).is_some_and(|looks| looks.cursor.is_some());
            tab.zoom &= had;
            tab.change_looks(|_, looks| looks.cursor = None);
        }
        _ => {}
    }
}

/// Actions on the chosen line; what is to be said.
fn act_on_results(tab: &mut ProblemTab, action: Action) -> Option<String> {
    let last = tab.lines().len().saturating_sub(1);
    match action {
        Action::Up => tab.line = tab.line.saturating_sub(1),
        Action::Down => tab.line = (tab.line + 1).min(last),
        Action::Left => tab.skip = tab.skip.saturating_sub(1),
        Action::Right => tab.skip = (tab.skip + 1).min(tab.problem.columns().len().saturating_sub(1)),
        Action::Remove => {
            let run = tab.target()?;
            let own = |run: usize| vec![tab.runs[run].id.clone()];
            let ids: Vec<String> = match tab.variant(run).filter(|_| tab.grouped) {
                Some(variant) => variant.runs.iter().map(|run| tab.runs[*run].id.clone()).collect(),
                None => own(run),
            };
            let over = |run: &ShownRun| !ids.contains(&run.id) || run.view.state.is_final();
            if !tab.runs.iter().all(over) {
                return Some("the run is at work; stop it first".to_owned());
            }
            tab.retain(|run| !ids.contains(&run.id));
        }
        Action::Load => {
            let run = &tab.runs[tab.target()?];
            let (schema, mut draft) = (tab.problem.schema(), tab.form.draft().clone());
            for (key, value) in run.params.iter() {
                // A parameter of another version of the program is left as it is.
                let _ = draft.set(&schema, key, &value.to_string());
            }
            let label = run.label.clone();
            tab.form.fill(draft);
            tab.pane = Pane::Form;
            return Some(format!("the form holds the parameters of {label}"));
        }
        _ => {}
    }
    None
}
