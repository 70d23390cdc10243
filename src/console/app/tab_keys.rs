//! What keys change on a problem's tab alone: its panes, how its figures are looked at, and which runs it shows.

use super::looks::SMOOTHINGS;
use super::screen_run::ScreenRun;
use super::tab::{Pane, ProblemTab};
use crate::console::keymap::Action;
use crate::console::widget::heatmap::Look;

/// The most repetitions that are offered.
const REPEATS: usize = 100;

/// The panes in the order in which they take their turns.
const PANES: [Pane; 4] = [Pane::Form, Pane::Figures, Pane::Results, Pane::Remarks];

/// Lines of a page in the results.
const LINES: usize = 10;

/// Lines of a page in the list of ready functions.
const PAGE: isize = 5;

impl ProblemTab {
    /// Does what a key stands for on this tab. Returns a message for the user.
    pub(super) fn act(&mut self, action: Action) -> Option<String> {
        if self.act_on_function(action) {
            return None;
        }
        let mut said = None;
        match action {
            Action::NextPane => self.pane = self.next_pane(1),
            Action::PreviousPane => self.pane = self.next_pane(PANES.len() - 1),
            Action::Undo if self.undo() => said = Some("the form is as before; again: undo that".to_owned()),
            Action::Undo => said = Some("nothing has replaced what the form holds".to_owned()),
            Action::More => self.repeats = (self.repeats + 1).min(REPEATS),
            Action::Fewer => self.repeats = (self.repeats - 1).max(1),
            Action::Zoom => {
                self.zoom = !self.zoom;
                self.pane = if self.zoom && self.pane == Pane::Form { Pane::Figures } else { self.pane };
            }
            Action::Compare => {
                self.compare = !self.compare;
                said =
                    Some(if self.compare { "every run is drawn" } else { "only the chosen run is drawn" }.to_owned());
            }
            Action::Group => {
                self.grouped = !self.grouped;
                self.renew_lines();
                said = Some(
                    if self.grouped { "one line a variant: mean and 95 % interval" } else { "one line for every run" }
                        .to_owned(),
                );
            }
            Action::Above => self.choose_next(true),
            Action::Below => self.choose_next(false),
            Action::Hide => said = self.hide(),
            Action::Figure => self.figure = (self.figure + 1) % self.figures().len().max(1),
            Action::Look => self.look = if self.look == Look::Heat { Look::Bars } else { Look::Heat },
            Action::LogY => {
                let other = self.scales().map(|(_, y)| y.other());
                self.change_looks(|looks| looks.y = other.or(looks.y));
            }
            Action::LogX => {
                let other = self.scales().map(|(x, _)| x.other());
                self.change_looks(|looks| looks.x = other.or(looks.x));
            }
            Action::Smooth if self.scales().is_none() => {}
            Action::Smooth => {
                let looks = self.change_looks(|looks| {
                    let next = SMOOTHINGS.iter().find(|factor| **factor > looks.smoothing);
                    looks.smoothing = next.copied().unwrap_or(0.0);
                });
                said = looks.map(|looks| match looks.smoothing {
                    0.0 => "not smoothed".to_owned(),
                    factor => format!("smoothed with factor {factor}"),
                });
            }
            _ => match self.pane {
                Pane::Form => self.act_on_form(action),
                Pane::Figures => said = self.act_on_figures(action),
                Pane::Results => said = self.act_on_results(action),
                Pane::Remarks if action == Action::Back && self.zoom => self.zoom = false,
                Pane::Remarks if action == Action::Back => self.pane = Pane::Results,
                Pane::Remarks => self.remarks.act(action),
            },
        }
        said
    }

    fn act_on_form(&mut self, action: Action) {
        if self.form.is_editing() || self.form.is_finding() || self.form.is_ticking() {
            match action {
                Action::Up => self.form.go(-1),
                Action::Down => self.form.go(1),
                Action::Mark => self.form.turn_tick(false),
                Action::MarkAll => self.form.turn_tick(true),
                Action::AsText => self.form.type_ticks(),
                Action::Edit => drop(self.form.commit()),
                Action::Back => self.form.cancel(),
                _ => {}
            }
            return;
        }
        match action {
            Action::Up => self.form.go(-1),
            Action::Down => self.form.go(1),
            Action::Left => self.form.step(false),
            Action::Right => self.form.step(true),
            Action::Edit => self.form.edit(),
            Action::Sweep => self.form.edit_sweep(),
            Action::Reset => self.form.reset(),
            Action::Find => self.form.begin_to_find(),
            Action::Fold => self.form.turn_folds(),
            _ => {}
        }
    }

    /// Acts on the editor of a function. Returns whether it is open.
    fn act_on_function(&mut self, action: Action) -> bool {
        let Some(editor) = self.form.function_mut() else { return false };
        let choosing = editor.ready().is_some();
        match action {
            Action::Gallery => editor.open_gallery(),
            Action::Up => editor.choose_by(-1),
            Action::Down => editor.choose_by(1),
            Action::PageUp if choosing => editor.choose_by(-PAGE),
            Action::PageDown if choosing => editor.choose_by(PAGE),
            Action::PageUp => editor.go(-1),
            Action::PageDown => editor.go(1),
            Action::LogY => editor.turn_scale(),
            Action::Append => editor.append(),
            Action::SwapBack => editor.swap_back(),
            Action::Edit if choosing => editor.insert(),
            Action::Back if choosing => editor.close_gallery(),
            Action::Edit => drop(self.form.commit()),
            Action::Back => self.form.cancel(),
            _ => {}
        }
        true
    }

    /// Acts on the chosen line of the results. Returns a message for the user.
    fn act_on_results(&mut self, action: Action) -> Option<String> {
        let last = self.lines().len().saturating_sub(1);
        let columns = self.result_columns().len();
        let results = &mut self.results;
        let before = results.line;
        match action {
            Action::Up => results.line = results.line.saturating_sub(1),
            Action::Down => results.line = (results.line + 1).min(last),
            Action::PageUp => results.line = results.line.saturating_sub(LINES),
            Action::PageDown => results.line = (results.line + LINES).min(last),
            Action::First => results.line = 0,
            Action::Last => results.line = last,
            Action::Back if !self.zoom && !results.filter.is_empty() => self.filter_lines(""),
            Action::Back => self.zoom = false,
            Action::Left => results.column = results.column.saturating_sub(1),
            Action::Right => results.column = (results.column + 1).min(columns.saturating_sub(1)),
            Action::Sort => return self.sort_lines(),
            Action::Remove => {
                let run = self.target()?;
                let ids: Vec<String> = self.together(run).into_iter().map(|run| self.runs[run].id.clone()).collect();
                let over = |run: &ScreenRun| !ids.contains(&run.id) || run.view.state.is_final();
                if !self.runs.iter().all(over) {
                    return Some("the run is at work; stop it first".to_owned());
                }
                self.retain(|run| !ids.contains(&run.id));
            }
            Action::Load => {
                let run = self.target()?;
                self.fill_from(run);
                self.pane = Pane::Form;
                return Some(format!("the form holds the parameters of {}", self.runs[run].label));
            }
            _ => {}
        }
        if self.results.line != before {
            self.remarks.to_start();
        }
        None
    }

    /// Fills the form with the parameters of the run, where it holds others and nothing is being typed. Returns whether it did.
    pub(super) fn fill_from(&mut self, run: usize) -> bool {
        let (schema, mut draft) = (self.problem.schema(), self.form.draft().clone());
        for (key, value) in self.runs[run].params.iter() {
            // A parameter of another version of the program is left as it is.
            let _ = draft.set(&schema, key, &value.to_string());
        }
        let is_other = draft != *self.form.draft() && !self.form.is_editing() && self.form.function().is_none();
        if is_other {
            self.refill(draft, self.mode, self.repeats);
        }
        is_other
    }

    /// The pane `by` further on. The form has no place on a zoomed screen, and remarks take their turn where there are any.
    fn next_pane(&self, by: usize) -> Pane {
        let at = PANES.iter().position(|pane| *pane == self.pane).unwrap_or(0);
        let has_place = |pane: &Pane| match pane {
            Pane::Form => !self.zoom,
            Pane::Remarks => self.target().is_some_and(|run| {
                let view = &self.runs[run].view;
                !view.message.is_empty() || !view.notes.is_empty()
            }),
            Pane::Figures | Pane::Results => true,
        };
        let others = (1..PANES.len()).map(|step| PANES[(at + step * by) % PANES.len()]);
        others.into_iter().find(has_place).unwrap_or(self.pane)
    }
}
