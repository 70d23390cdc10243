//! Which part of the state a key, a click or pasted text changes.

use crate::console::app::overlay::{Field, Overlay, Purpose};
use crate::console::app::scroll::Scroll;
use crate::console::app::state::{App, Exit, Tone, Wanted};
use crate::console::app::task::Origin;
use crate::console::keymap::{Action, Key};
use crate::lab::{Filter, Preset, Problem, RunSummary, preset, store};
use ratatui::crossterm::event::{Event, KeyEvent};
use tui_input::backend::crossterm::to_input_request;
use tui_logger::TuiWidgetEvent;

impl App {
    /// Takes a key.
    pub fn key(&mut self, event: &KeyEvent) {
        let place = self.place();
        let action = self.keymap.action(place, Key::of(event));
        if action != Some(Action::Interrupt) && action != Some(Action::Redraw) {
            self.message = None;
        }
        match action {
            Some(action) => self.act(action),
            None if place.takes_text() => {
                if let Some(request) = to_input_request(&Event::Key(*event)) {
                    self.type_key(request);
                }
            }
            None => {}
        }
    }

    /// Takes pasted text, where text is typed.
    pub fn paste(&mut self, text: &str) {
        if !self.place().takes_text() {
            return;
        }
        match (&self.overlay, self.tabs.get_mut(self.tab)) {
            (None, Some(tab)) => tab.form.paste(text),
            _ => {
                let line = text.lines().next().unwrap_or_default();
                line.chars().for_each(|character| self.type_key(tui_input::InputRequest::InsertChar(character)));
            }
        }
    }

    fn type_key(&mut self, request: tui_input::InputRequest) {
        match &mut self.overlay {
            Some(Overlay::Typing(field)) => {
                field.type_key(request);
                self.filter_by_field();
            }
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

    /// Does what a key stands for.
    pub fn act(&mut self, action: Action) {
        match action {
            Action::Interrupt => self.interrupt(),
            Action::Suspend => self.wanted = Some(Wanted::Suspend),
            Action::Redraw => self.wanted = Some(Wanted::Redraw),
            Action::Mouse => self.wanted = Some(Wanted::TurnMouse),
            _ if self.overlay.is_some() => self.act_on_overlay(action),
            Action::Quit if self.at_work() => self.overlay = Some(Overlay::Leave { interrupted: false }),
            Action::Quit => self.exit = Some(Exit::Idle),
            Action::Help => self.overlay = Some(Overlay::Help { place: self.place(), scroll: Scroll::default() }),
            Action::Tab(index) => self.go_to(index),
            Action::NextTab => self.go_to((self.tab + 1) % self.titles().len()),
            Action::PreviousTab => self.go_to((self.tab + self.titles().len() - 1) % self.titles().len()),
            _ if self.on_runs() => self.act_on_runs(action),
            _ if self.on_log() => self.act_on_log(action),
            _ => self.act_on_problem(action),
        }
        self.count_cost();
    }

    fn go_to(&mut self, index: usize) {
        if index < self.titles().len() {
            self.tab = index;
            if self.on_runs() {
                self.list_runs();
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
        self.overlay = match (overlay, action) {
            (Overlay::Sweep(dialog), action) => self.act_on_sweep(dialog, action),
            (Overlay::Sweeps, action) => self.act_on_sweeps(action),
            (Overlay::Typing(Field { purpose: Purpose::Throttle(_), .. }), Action::Back) => Some(Overlay::Sweeps),
            (Overlay::Typing(Field { purpose: Purpose::Filter, .. }), Action::Back) => {
                self.runs.clear_filter();
                None
            }
            (Overlay::Typing(Field { purpose: Purpose::Lines, .. }), Action::Back) => {
                self.tabs[self.tab].filter_lines("");
                None
            }
            (Overlay::Typing(mut field), Action::Complete) => {
                let problems = self.problems();
                field.complete(|start| Filter::keys_from(start, &problems));
                self.overlay = Some(Overlay::Typing(field));
                self.filter_by_field();
                self.overlay.take()
            }
            (_, Action::Back) => None,
            (Overlay::Presets { list, chosen }, Action::Up) => {
                Some(Overlay::Presets { list, chosen: chosen.saturating_sub(1) })
            }
            (Overlay::Presets { list: Some(list), chosen }, Action::Down) => {
                let chosen = (chosen + 1).min(list.len().saturating_sub(1));
                Some(Overlay::Presets { list: Some(list), chosen })
            }
            (Overlay::Presets { list: Some(list), chosen }, Action::Edit) => {
                match list.get(chosen) {
                    Some((_, Ok(preset))) => self.load(preset),
                    Some((_, Err(error))) => self.say(error.to_string(), Tone::Bad),
                    None => {}
                }
                None
            }
            (Overlay::Help { place, scroll }, action) => {
                scroll.act(action);
                Some(Overlay::Help { place, scroll })
            }
            (Overlay::Command { line, scroll }, action) => {
                scroll.act(action);
                Some(Overlay::Command { line, scroll })
            }
            (Overlay::Trash { list: Some(list), chosen }, action) => self.act_on_trash(list, chosen, action),
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

    fn problems(&self) -> Vec<&'static dyn Problem> {
        self.tabs.iter().map(|tab| tab.problem).collect()
    }

    /// Filters the list of runs by what has been typed so far, where that is a filter. Names the keys that what is being
    /// typed may become.
    fn filter_by_field(&mut self) {
        let problems = self.problems();
        let Some(Overlay::Typing(field)) = &mut self.overlay else { return };
        if field.purpose == Purpose::Lines
            && let Some(tab) = self.tabs.get_mut(self.tab)
        {
            return tab.filter_lines(field.input.value());
        }
        if field.purpose != Purpose::Filter || field.is_waiting {
            return;
        }
        // What cannot be read yet leaves the list as it is.
        let _ = self.runs.set_filter(field.input.value(), &problems);
        let start = field.word();
        field.choices = if start.is_empty() { Vec::new() } else { Filter::keys_from(start, &problems) };
    }

    /// Does what a text was typed for. The field stays on screen until that is done. If the text is refused, the field
    /// says why.
    fn take(&mut self, mut field: Field) -> Option<Overlay> {
        if field.is_waiting {
            return Some(Overlay::Typing(field));
        }
        let text = field.input.value().trim().to_owned();
        let refused = match field.purpose.clone() {
            Purpose::Preset => return self.save_preset(field, &text),
            Purpose::Name(folder) => {
                return self.write(field, "naming the run", move || {
                    store::rename(&folder, &text).map(|()| None).map_err(|error| error.to_string())
                });
            }
            Purpose::Tags(folders) => {
                return self.write(field, "tagging", move || {
                    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
                    for folder in &folders {
                        let mut tags = if folders.len() > 1 { RunSummary::read(folder).tags } else { Vec::new() };
                        tags.extend(words.iter().filter(|word| !tags.contains(word)).cloned().collect::<Vec<_>>());
                        store::tag(folder, &tags).map_err(|error| error.to_string())?;
                    }
                    Ok(None)
                });
            }
            Purpose::Filter => self.runs.set_filter(&text, &self.problems()).map_err(|error| error.to_string()),
            Purpose::Lines => {
                self.tabs[self.tab].filter_lines(&text);
                Ok(())
            }
            Purpose::Throttle(_) => self.throttle_sweep(&text),
        };
        match refused {
            Ok(()) => matches!(field.purpose, Purpose::Throttle(_)).then_some(Overlay::Sweeps),
            Err(reason) => {
                field.error = Some(reason);
                Some(Overlay::Typing(field))
            }
        }
    }

    /// Starts a task that does `work` for a field. When it is done, the field closes and the message that `work`
    /// returns is shown. If it fails, the field says why.
    fn write(
        &mut self,
        mut field: Field,
        name: &str,
        work: impl FnOnce() -> Result<Option<String>, String> + Send + 'static,
    ) -> Option<Overlay> {
        let purpose = field.purpose.clone();
        field.is_waiting = true;
        self.tasks.start(
            name,
            Origin::User,
            move |_| work(),
            move |app: &mut Self, outcome| {
                app.has_changed = true;
                let field = match &mut app.overlay {
                    Some(Overlay::Typing(field)) if field.purpose == purpose => Some(field),
                    _ => None,
                };
                match (outcome, field) {
                    (Ok(said), field) => {
                        if field.is_some() {
                            app.overlay = None;
                        }
                        if let Some(said) = said {
                            app.say(said, Tone::Good);
                        }
                        app.list_runs();
                    }
                    (Err(reason), Some(field)) => (field.error, field.is_waiting) = (Some(reason), false),
                    (Err(reason), None) => app.say(reason, Tone::Bad),
                }
            },
        );
        Some(Overlay::Typing(field))
    }

    fn save_preset(&mut self, mut field: Field, name: &str) -> Option<Overlay> {
        let tab = self.tabs.get(self.tab)?;
        // Asked once already.
        let sure = field.asked.replace(name.to_owned()).is_some_and(|asked| asked == name);
        let preset = Preset {
            name: name.to_owned(),
            title: name.to_owned(),
            about: String::new(),
            sweep: tab.sweep(),
            file: None,
        };
        let places = self.places.clone();
        self.write(field, "saving the preset", move || {
            if let Some(what) = preset::replaced_by(&preset.name, &places).filter(|_| !sure) {
                return Err(format!("Enter once more replaces {what}"));
            }
            let path = preset.save(&places).map_err(|error| error.to_string())?;
            Ok(Some(format!("saved as {}", path.display())))
        })
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
