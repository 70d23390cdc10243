//! What every action does.

use super::{App, Exit, Field, Figure, Overlay, Pane, ProblemTab, Purpose, SMOOTHINGS, ShownRun, Tone, Wanted};
use crate::console::keymap::Action;
use crate::console::widget::heatmap::Look;
use crate::lab::{Preset, RunState, Wish, export, preset, store, sweep::Mode};
use std::path::{Path, PathBuf};
use tui_logger::TuiWidgetEvent;

/// The most repetitions that are offered.
const REPEATS: usize = 100;
/// Where exports are written, in the working directory; the same as on the command line.
const EXPORTS: &str = "export";

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
        };
        self.runs.look();
        field.error = Some(done.err()?);
        Some(Overlay::Typing(field))
    }

    fn save(&mut self, name: &str) -> Result<(), String> {
        let Some(tab) = self.tabs.get(self.tab) else { return Ok(()) };
        let preset = Preset {
            name: name.to_owned(),
            problem: tab.problem,
            title: name.to_owned(),
            about: String::new(),
            params: tab.form.draft().clone(),
            sweep: tab.mode,
            repeats: tab.repeats,
            file: None,
        };
        let path = preset.save(&self.places).map_err(|error| error.to_string())?;
        self.say(format!("saved as {}", path.display()), Tone::Good);
        Ok(())
    }

    fn load(&mut self, preset: &Preset) {
        let Some(index) = self.tabs.iter().position(|tab| tab.problem.name() == preset.problem.name()) else { return };
        self.tab = index;
        let tab = &mut self.tabs[index];
        tab.form.fill(preset.params.clone());
        (tab.mode, tab.repeats, tab.pane, tab.zoom) = (preset.sweep, preset.repeats, Pane::Form, false);
        let run = self.keymap.key(self.place(), Action::Run);
        self.say(format!("{}: press {run} to run it", preset.title), Tone::Good);
    }

    fn act_on_problem(&mut self, action: Action) {
        match action {
            Action::Run => return self.run(),
            Action::Presets => {
                let problems: Vec<_> = self.tabs.iter().map(|tab| tab.problem).collect();
                let list = preset::all(&self.places, &problems);
                let name = self.problem().map_or("", |tab| tab.problem.name());
                let own = |found: &(String, Result<Preset, _>)| {
                    found.1.as_ref().is_ok_and(|preset| preset.problem.name() == name)
                };
                let chosen = list.iter().position(own).unwrap_or(0);
                self.overlay = Some(Overlay::Presets { list, chosen });
            }
            Action::Save => self.overlay = Some(Overlay::Typing(Field::new(Purpose::Preset, ""))),
            Action::Stop => return self.steer(Wish::Stop),
            Action::Pause => return self.steer(Wish::Pause),
            Action::Optimise => return self.optimise(),
            Action::Export => {
                let folders = self
                    .problem()
                    .map(|tab| tab.visible().into_iter().map(|run| tab.runs[run].folder.clone()).collect::<Vec<_>>());
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

    /// Starts what the form stands for.
    fn run(&mut self) {
        let Some(tab) = self.tabs.get_mut(self.tab) else { return };
        let specs = match tab.specs() {
            Ok(specs) => specs,
            Err(error) => {
                let text = error.to_string();
                tab.pane = Pane::Form;
                tab.form.mark(error);
                return self.say(text, Tone::Bad);
            }
        };
        tab.form.clear_error();
        let (count, mut first) = (specs.len(), None);
        for spec in specs {
            match self.queue.submit(spec) {
                Ok(handle) => {
                    first.get_or_insert(handle.id().to_owned());
                    tab.show(ShownRun::live(handle));
                }
                Err(error) => return self.say(error.to_string(), Tone::Bad),
            }
        }
        if let Some(line) = first.and_then(|id| tab.position(&id)) {
            tab.line = tab.lines().iter().position(|shown| shown.run == line).unwrap_or(0);
        }
        if count > 1 {
            self.say(format!("{count} runs queued"), Tone::Good);
        }
    }

    /// Stops, or pauses and lets go on, the run at hand.
    fn steer(&mut self, wish: Wish) {
        let Some(tab) = self.tabs.get(self.tab) else { return };
        let Some(run) = tab.at_hand() else { return self.say("no run", Tone::Info) };
        let shown = &tab.runs[run];
        if shown.view.state.is_final() {
            let text = format!("{} is {}", shown.label, shown.view.state.name());
            return self.say(text, Tone::Info);
        }
        let paused = shown.view.state == RunState::Paused;
        let wish = if wish == Wish::Pause && paused { Wish::Proceed } else { wish };
        let done = match tab.handle(run) {
            Some(handle) => {
                let control = handle.control();
                match wish {
                    Wish::Stop => control.stop(),
                    Wish::Pause if control.is_paused() => control.proceed(),
                    Wish::Pause => control.pause(),
                    Wish::Proceed => control.proceed(),
                }
                Ok(())
            }
            None => wish.send(&shown.folder),
        };
        if let Err(error) = done {
            self.say(error.to_string(), Tone::Bad);
        }
    }

    fn optimise(&mut self) {
        let Some(tab) = self.tabs.get_mut(self.tab) else { return };
        let spec = match tab.specs() {
            Ok(mut specs) => specs.swap_remove(0),
            Err(error) => return tab.form.mark(error),
        };
        let Some(found) = tab.problem.optimise(&spec.params) else {
            return self.say("theory has no best values for these parameters", Tone::Info);
        };
        let schema = tab.problem.schema();
        let mut draft = tab.form.draft().clone();
        let words: Vec<String> = found.iter().map(|(key, text)| format!("{key}={text}")).collect();
        match found.iter().try_for_each(|(key, text)| draft.set(&schema, key, text)) {
            Ok(()) => {
                tab.form.fill(draft);
                self.say(format!("best by theory: {}", words.join(", ")), Tone::Good);
            }
            Err(error) => self.say(error.to_string(), Tone::Bad),
        }
    }

    fn act_on_runs(&mut self, action: Action) {
        match action {
            Action::Up => self.runs.go(-1),
            Action::Down => self.runs.go(1),
            Action::PageUp => self.runs.go(-20),
            Action::PageDown => self.runs.go(20),
            Action::Left => self.runs.skip = self.runs.skip.saturating_sub(1),
            Action::Right => self.runs.skip = (self.runs.skip + 1).min(5),
            Action::Sort => self.runs.next_order(),
            Action::Filter => {
                let text = self.runs.filter_text.clone();
                self.overlay = Some(Overlay::Typing(Field::new(Purpose::Filter, text)));
            }
            _ => self.act_on_run(action),
        }
    }

    /// Actions on the chosen run of the Runs tab.
    fn act_on_run(&mut self, action: Action) {
        let Some(run) = self.runs.chosen().cloned() else { return };
        let folder = run.folder(&self.places.logs);
        let problems: Vec<_> = self.tabs.iter().map(|tab| tab.problem).collect();
        let Some(index) = problems.iter().position(|problem| problem.name() == run.problem) else {
            let damage = run.damage.unwrap_or_else(|| format!("no problem is called `{}`", run.problem));
            return if action == Action::Delete { self.delete(&run.id) } else { self.say(damage, Tone::Bad) };
        };
        match action {
            Action::Edit => {
                self.show(index, &run);
                self.tab = index;
            }
            Action::Compare => match self.tabs[index].position(&run.id) {
                Some(at) => {
                    self.tabs[index].remove(at);
                    self.say(format!("{} is off the screen", run.label), Tone::Info);
                }
                None => {
                    self.show(index, &run);
                    self.tabs[index].compare = true;
                    let title = self.tabs[index].problem.title();
                    self.say(format!("{} is overlaid in {title}", run.label), Tone::Good);
                }
            },
            Action::Run => match Preset::read(&folder.join("run.toml"), &problems) {
                Ok(preset) => {
                    self.load(&preset);
                    (self.tabs[index].mode, self.tabs[index].repeats) = (Mode::Grid, 1);
                    self.run();
                }
                Err(error) => self.say(error.to_string(), Tone::Bad),
            },
            Action::Resume => match self.queue.resume(&folder, &problems) {
                Ok(handle) => {
                    if let Some(at) = self.tabs[index].position(&run.id) {
                        self.tabs[index].remove(at);
                    }
                    let mut shown = ShownRun::stored(&folder, run.id.clone(), run.label.clone(), params(&run));
                    shown.source = super::Source::Live(handle);
                    self.tabs[index].show(shown);
                    self.tab = index;
                }
                Err(error) => self.say(error.to_string(), Tone::Bad),
            },
            Action::Stop | Action::Pause => {
                if self.tabs[index].position(&run.id).is_some() {
                    self.show(index, &run);
                    let here = std::mem::replace(&mut self.tab, index);
                    let pane = std::mem::replace(&mut self.tabs[index].pane, Pane::Results);
                    self.steer(if action == Action::Stop { Wish::Stop } else { Wish::Pause });
                    (self.tab, self.tabs[index].pane) = (here, pane);
                    return;
                }
                let wish = match (action, run.state) {
                    (Action::Stop, _) => Wish::Stop,
                    (_, RunState::Paused) => Wish::Proceed,
                    _ => Wish::Pause,
                };
                match wish.send(&folder) {
                    Ok(()) => self.say(format!("asked {} to {wish:?}", run.label).to_lowercase(), Tone::Good),
                    Err(error) => self.say(error.to_string(), Tone::Bad),
                }
            }
            Action::Rename => self.overlay = Some(Overlay::Typing(Field::new(Purpose::Name(folder), run.title))),
            Action::Tags => {
                self.overlay = Some(Overlay::Typing(Field::new(Purpose::Tags(folder), run.tags.join(" "))));
            }
            Action::Export => self.export(&[folder]),
            Action::Delete => self.delete(&run.id),
            _ => {}
        }
    }

    /// Writes runs into files for a paper.
    fn export(&mut self, folders: &[PathBuf]) {
        let problems: Vec<_> = self.tabs.iter().map(|tab| tab.problem).collect();
        let sources: Result<Vec<_>, _> = folders.iter().map(|folder| export::Source::read(folder, &problems)).collect();
        let formats = [export::Format::Csv, export::Format::Svg, export::Format::Markdown];
        let folder = Path::new(EXPORTS);
        match sources.and_then(|runs| export::export(&runs, &formats, export::Scales::default(), folder)) {
            Ok(files) => self.say(format!("{} files written into {EXPORTS}/", files.len()), Tone::Good),
            Err(error) => self.say(error.to_string(), Tone::Bad),
        }
    }

    /// Moves a run to the trash when asked for the second time.
    fn delete(&mut self, id: &str) {
        if self.runs.doomed.as_deref() != Some(id) {
            self.runs.doomed = Some(id.to_owned());
            let key = self.keymap.key(self.place(), Action::Delete);
            return self.say(format!("{key} once more moves {id} to the trash"), Tone::Bad);
        }
        self.runs.doomed = None;
        match store::delete(&self.places.logs.join(id)) {
            Ok(trash) => self.say(format!("moved to {}", trash.display()), Tone::Good),
            Err(error) => self.say(error.to_string(), Tone::Bad),
        }
        self.runs.look();
    }

    /// Puts a stored run on the screen of its problem.
    fn show(&mut self, index: usize, run: &crate::lab::RunSummary) {
        let tab = &mut self.tabs[index];
        let folder = run.folder(&self.places.logs);
        let shown = match tab.position(&run.id) {
            Some(_) => ShownRun::stored(&folder, run.id.clone(), run.label.clone(), Vec::new()),
            None => {
                let label = if run.title.is_empty() { run.label.clone() } else { run.title.clone() };
                ShownRun::stored(&folder, run.id.clone(), label, params(run))
            }
        };
        tab.show(shown);
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

/// A stored run's parameters as key and text.
fn params(run: &crate::lab::RunSummary) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        other => other.to_string(),
    };
    let typed = |value: &serde_json::Value| match value {
        serde_json::Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        one => text(one),
    };
    run.params.iter().map(|(key, value)| (key.clone(), typed(value))).collect()
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
            if tab.runs[run].view.state.is_final() {
                tab.remove(run);
            } else {
                return Some("the run is at work; stop it first".to_owned());
            }
        }
        Action::Load => {
            let run = &tab.runs[tab.target()?];
            let (schema, mut draft) = (tab.problem.schema(), tab.form.draft().clone());
            for (key, text) in &run.params {
                // A parameter of another version of the program is left as it is.
                let _ = draft.set(&schema, key, text);
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
