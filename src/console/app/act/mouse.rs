//! What clicks and the wheel change: what is under the pointer, as last drawn.

use crate::console::app::click::ClickTarget;
use crate::console::app::looks::CellCursor;
use crate::console::app::overlay::Overlay;
use crate::console::app::state::App;
use crate::console::app::tab::Pane;
use crate::console::app::toast::Tone;
use crate::console::keymap::{Action, Place};
use ratatui::layout::Rect;

impl App {
    /// Takes a click at a cell.
    pub fn click(&mut self, column: u16, row: u16) {
        let is_list = matches!(self.place(), Place::Gallery | Place::Ticks);
        let is_busy = self.overlay.is_some() || self.place().takes_text() || is_list;
        match self.target_at(column, row) {
            Some((_, ClickTarget::Do(action))) => {
                self.answer_message(Some(action));
                self.act(action);
            }
            Some((_, ClickTarget::Entry(entry))) => self.point_at_entry(entry),
            _ if is_busy => {}
            Some((_, ClickTarget::Tab(index))) => self.act(Action::Tab(index)),
            Some((area, target)) => self.point(area, target, (column, row)),
            None => {}
        }
    }

    /// Chooses an entry of the list that lies over the tab; one that is chosen already is taken.
    fn point_at_entry(&mut self, entry: usize) {
        let chosen = match &mut self.overlay {
            Some(Overlay::Presets { chosen, .. } | Overlay::Trash { chosen, .. }) => std::mem::replace(chosen, entry),
            Some(Overlay::Sweeps) => {
                let chosen = self.sweeps.chosen;
                self.sweeps.go(entry as isize - chosen as isize);
                chosen
            }
            _ => return,
        };
        if chosen == entry {
            self.act(Action::Edit);
        }
    }

    /// Turns the wheel at a cell: what is under the pointer moves.
    pub fn scroll(&mut self, column: u16, row: u16, action: Action) {
        if self.place().takes_text() {
            return;
        }
        if self.overlay.is_none() && !matches!(self.place(), Place::Gallery | Place::Ticks) {
            let under = self.target_at(column, row);
            if let Some((_, target)) = under {
                self.focus(target);
            }
            if let (Some((area, ClickTarget::Canvas { .. })), Some(tab)) = (under, self.tabs.get_mut(self.tab))
                && tab.turn_wheel(fraction(area, column), action == Action::Up)
            {
                return;
            }
        }
        self.act(action);
    }

    /// What is at a cell, and the place of it.
    fn target_at(&self, column: u16, row: u16) -> Option<(Rect, ClickTarget)> {
        let is_here = |(area, _): &&(Rect, ClickTarget)| area.contains((column, row).into());
        self.targets.iter().find(is_here).copied()
    }

    /// Gives the keys to the pane of what is under the pointer.
    fn focus(&mut self, target: ClickTarget) {
        let pane = match target {
            ClickTarget::Pane(pane) => pane,
            ClickTarget::Field(_) => Pane::Form,
            ClickTarget::Figure(_)
            | ClickTarget::Canvas { .. }
            | ClickTarget::Legend { .. }
            | ClickTarget::Matrix { .. } => Pane::Figures,
            ClickTarget::Line(_) => Pane::Results,
            _ => return,
        };
        if let Some(tab) = self.tabs.get_mut(self.tab) {
            tab.pane = pane;
        }
    }

    /// Chooses what is under the pointer, which takes `area` and is clicked at a column and line of the screen.
    fn point(&mut self, area: Rect, target: ClickTarget, (column, line): (u16, u16)) {
        self.focus(target);
        if let ClickTarget::Run(run) = target {
            let by = run as isize - self.runs.chosen as isize;
            self.runs.go(by);
            self.runs.in_details = false;
            return;
        }
        let Some(tab) = self.tabs.get_mut(self.tab) else { return };
        match target {
            ClickTarget::Figure(figure) => tab.figure = figure,
            ClickTarget::Canvas { figure, axis } => {
                tab.figure = figure;
                tab.point_at(&axis, fraction(area, column));
            }
            ClickTarget::Legend { figure, run } => {
                tab.figure = figure;
                if let Some(id) = tab.runs.get(run).map(|run| run.id.clone()) {
                    tab.choose(&id);
                }
            }
            ClickTarget::Matrix { figure, matrix, grid } => {
                tab.figure = figure;
                if let Some((row, column)) = grid.value_at(column, line) {
                    tab.point_at_cell(CellCursor { matrix, row, column });
                }
            }
            ClickTarget::Field(field) => tab.form.select(field),
            ClickTarget::Line(line) => {
                tab.results.line = line;
                tab.remarks.to_start();
            }
            _ => {}
        }
    }

    /// Says whether clicks and the wheel are for the console.
    pub fn say_mouse(&mut self, on: bool) {
        let words = if on {
            "the mouse is the console's; with Shift held it selects text in most terminals"
        } else {
            "the mouse is the terminal's: it selects text"
        };
        self.say(words, Tone::Info);
    }
}

/// The place of a column of the screen as a fraction of the width of `area`.
fn fraction(area: Rect, column: u16) -> f64 {
    let last = area.width.saturating_sub(1).max(1);
    f64::from(column.saturating_sub(area.x)) / f64::from(last)
}
