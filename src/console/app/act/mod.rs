//! What every action does.

mod problem;
mod runs;
mod sweep;
mod sweeps;

use super::{App, Exit, Field, Overlay, Pane, Purpose, Tone, Wanted};
use crate::console::keymap::Action;
use crate::lab::{Preset, Sweep, store};
use tui_logger::TuiWidgetEvent;

impl App {
    /// Does what a key stands for.
    pub fn act(&mut self, action: Action) {
        match action {
            Action::Interrupt => self.interrupt(),
            Action::Suspend => self.wanted = Some(Wanted::Suspend),
            Action::Redraw => self.wanted = Some(Wanted::Redraw),
            _ if self.overlay.is_some() => self.act_on_overlay(action),
            Action::Quit if self.at_work() => self.overlay = Some(Overlay::Leave { interrupted: false }),
            Action::Quit => self.exit = Some(Exit::Idle),
            Action::Help => self.overlay = Some(Overlay::Help { place: self.place(), skip: 0 }),
            Action::Tab(index) => self.go_to(index),
            Action::NextTab => self.go_to((self.tab + 1) % self.titles().len()),
            Action::PreviousTab => self.go_to((self.tab + self.titles().len() - 1) % self.titles().len()),
            _ if self.on_runs() => self.act_on_runs(action),
            _ if self.on_log() => self.act_on_log(action),
            _ => self.act_on_problem(action),
        }
        if let Some(tab) = self.tabs.get_mut(self.tab) {
            tab.count_cost();
        }
    }

    fn go_to(&mut self, index: usize) {
        if index < self.titles().len() {
            self.tab = index;
            if self.on_runs() {
                self.runs.look();
            }
        }
    }

    fn interrupt(&mut self) {
        self.exit = match self.overlay {
            Some(Overlay::Leave { interrupted: true }) => Some(Exit::Force),
            _ if !self.at_work() => Some(Exit::Idle),
            _ => {
                self.overlay = Some(Overlay::Leave { interrupted: true });
                None
            }
        };
    }

    fn act_on_overlay(&mut self, action: Action) {
        let Some(overlay) = self.overlay.take() else { return };
        let last = |count: usize| count.saturating_sub(1);
        self.overlay = match (overlay, action) {
            (Overlay::Sweep(dialog), action) => self.act_on_sweep(dialog, action),
            (Overlay::Sweeps, action) => self.act_on_sweeps(action),
            (Overlay::Typing(Field { purpose: Purpose::Throttle(_), .. }), Action::Back) => Some(Overlay::Sweeps),
            (_, Action::Back) => None,
            (Overlay::Presets { list, chosen }, Action::Up) => {
                Some(Overlay::Presets { list, chosen: chosen.saturating_sub(1) })
            }
            (Overlay::Presets { list, chosen }, Action::Down) => {
                let chosen = (chosen + 1).min(last(list.len()));
                Some(Overlay::Presets { list, chosen })
            }
            (Overlay::Presets { list, chosen }, Action::Edit) => {
                match list.get(chosen) {
                    Some((_, Ok(preset))) => self.load(&preset.clone()),
                    Some((_, Err(error))) => self.say(error.to_string(), Tone::Bad),
                    None => {}
                }
                None
            }
            (Overlay::Help { place, skip }, Action::Up) => Some(Overlay::Help { place, skip: skip.saturating_sub(1) }),
            (Overlay::Help { place, skip }, Action::Down) => Some(Overlay::Help { place, skip: skip + 1 }),
            (Overlay::Typing(field), Action::Edit) => self.take(field),
            (Overlay::Leave { .. }, Action::LeaveRunning) => {
                self.exit = Some(Exit::LeaveRunning);
                None
            }
            (Overlay::Leave { .. }, Action::LeaveStopping) => {
                self.exit = Some(Exit::Stop);
                None
            }
            (overlay, _) => Some(overlay),
        };
    }

    /// Does what a typed text is for; the field again, with the reason, where it is refused.
    fn take(&mut self, mut field: Field) -> Option<Overlay> {
        let text = field.input.value().trim().to_owned();
        let done = match &field.purpose {
            Purpose::Preset => self.save(&text),
            Purpose::Filter => {
                let problems: Vec<_> = self.tabs.iter().map(|tab| tab.problem).collect();
                self.runs.set_filter(&text, &problems).map_err(|error| error.to_string())
            }
            Purpose::Name(folder) => store::rename(folder, &text).map_err(|error| error.to_string()),
            Purpose::Tags(folder) => {
                let tags: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
                store::tag(folder, &tags).map_err(|error| error.to_string())
            }
            Purpose::Throttle(_) => self.throttle_sweep(&text),
        };
        self.runs.look();
        match done {
            Ok(()) => matches!(field.purpose, Purpose::Throttle(_)).then_some(Overlay::Sweeps),
            Err(reason) => {
                field.error = Some(reason);
                Some(Overlay::Typing(field))
            }
        }
    }

    fn save(&mut self, name: &str) -> Result<(), String> {
        let Some(tab) = self.tabs.get(self.tab) else { return Ok(()) };
        let preset = Preset {
            name: name.to_owned(),
            title: name.to_owned(),
            about: String::new(),
            sweep: tab.sweep(),
            file: None,
        };
        let path = preset.save(&self.places).map_err(|error| error.to_string())?;
        self.say(format!("saved as {}", path.display()), Tone::Good);
        Ok(())
    }

    fn load(&mut self, preset: &Preset) {
        let Sweep { problem, draft, mode, repeats, .. } = &preset.sweep;
        let Some(index) = self.tabs.iter().position(|tab| tab.problem.name() == problem.name()) else { return };
        self.tab = index;
        let tab = &mut self.tabs[index];
        tab.form.fill(draft.clone());
        (tab.mode, tab.repeats, tab.pane, tab.zoom) = (*mode, *repeats, Pane::Form, false);
        let run = self.keymap.key(self.place(), Action::Run);
        self.say(format!("{}: press {run} to run it", preset.title), Tone::Good);
    }

    /// Fills the form of the problem that can look into what the run `id` of problem `index` has left.
    fn follow_up(&mut self, index: usize, id: &str) {
        let here = self.tabs[index].problem;
        let Some((name, changes)) = here.follow_up(id) else {
            return self.say(format!("no other problem looks into runs of {}", here.title()), Tone::Info);
        };
        let Some(index) = self.tabs.iter().position(|tab| tab.problem.name() == name) else { return };
        let tab = &mut self.tabs[index];
        if let Err(error) = tab.change(&changes) {
            return self.say(error.to_string(), Tone::Bad);
        }
        tab.pane = Pane::Form;
        self.tab = index;
        let run = self.keymap.key(self.place(), Action::Run);
        self.say(format!("with what {id} has learned: press {run} to run it"), Tone::Good);
    }

    fn act_on_log(&mut self, action: Action) {
        let event = match action {
            Action::Up => TuiWidgetEvent::UpKey,
            Action::Down => TuiWidgetEvent::DownKey,
            Action::Left => TuiWidgetEvent::LeftKey,
            Action::Right => TuiWidgetEvent::RightKey,
            Action::PageUp => TuiWidgetEvent::PrevPageKey,
            Action::PageDown => TuiWidgetEvent::NextPageKey,
            Action::Back => TuiWidgetEvent::EscapeKey,
            Action::Focus => TuiWidgetEvent::FocusKey,
            Action::Look => TuiWidgetEvent::HideKey,
            _ => return,
        };
        self.log.transition(event);
    }
}
