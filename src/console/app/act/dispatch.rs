//! Which part of the state a key, a click or pasted text changes.

use crate::console::app::command_line::CommandLine;
use crate::console::app::overlay::{Field, Overlay, Purpose};
use crate::console::app::scroll::Scroll;
use crate::console::app::state::{App, Exit, Wanted};
use crate::console::keymap::{Action, Key};
use crate::lab::{Filter, Problem};
use ratatui::crossterm::event::{Event, KeyEvent};
use tui_input::backend::crossterm::to_input_request;
use tui_logger::TuiWidgetEvent;

impl App {
    /// Takes a key.
    pub fn key(&mut self, event: &KeyEvent) {
        let place = self.place();
        let action = self.keymap.action(place, Key::of(event));
        self.answer_message(action);
        match action {
            Some(action) => self.act(action),
            None if place.takes_text() => {
                if let Some(request) = to_input_request(&Event::Key(*event)) {
                    self.type_key(request);
                }
            }
            None => {}
        }
        // What is being typed has its cost too.
        self.count_cost();
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
            Some(Overlay::Commands(line)) => line.type_key(request),
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
            Action::CommandLine => {
                let line = CommandLine::new(&self.keymap, self.place(), &self.titles());
                self.overlay = Some(Overlay::Commands(line));
            }
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
            self.read_home(false);
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
            (Overlay::Commands(line), action) => return self.act_on_commands(line, action),
            (overlay @ Overlay::Presets { .. }, action) => self.act_on_presets(overlay, action),
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

    /// Does what a key stands for on the command line.
    fn act_on_commands(&mut self, mut line: CommandLine, action: Action) {
        match action {
            Action::Up => line.go(-1),
            Action::Down => line.go(1),
            Action::Complete => line.complete(),
            Action::Edit => {
                let Some(deed) = line.chosen().map(|deed| deed.action) else {
                    return self.overlay = Some(Overlay::Commands(line));
                };
                // The overlay is off already: what is done may put another there.
                return self.act(deed);
            }
            _ => {}
        }
        self.overlay = Some(Overlay::Commands(line));
    }

    pub(super) fn problems(&self) -> Vec<&'static dyn Problem> {
        self.tabs.iter().map(|tab| tab.problem).collect()
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
