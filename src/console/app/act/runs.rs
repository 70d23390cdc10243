//! Actions on the Runs tab.

use super::super::{App, Field, Overlay, Pane, Purpose, ShownRun, Tone};
use crate::console::keymap::Action;
use crate::lab::{Preset, Request, RunState, RunSummary, SweepMode, export, store};
use std::path::{Path, PathBuf};

/// Where exports are written, in the working directory; the same as on the command line.
const EXPORTS: &str = "export";

impl App {
    pub(super) fn act_on_runs(&mut self, action: Action) {
        match action {
            Action::Up => self.runs.go(-1),
            Action::Down => self.runs.go(1),
            Action::PageUp => self.runs.go(-20),
            Action::PageDown => self.runs.go(20),
            Action::Left => self.runs.skip = self.runs.skip.saturating_sub(1),
            Action::Right => self.runs.skip = (self.runs.skip + 1).min(5),
            Action::Sort => self.runs.next_order(),
            Action::Sweeps => self.overlay = Some(Overlay::Sweeps),
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
                    (self.tabs[index].mode, self.tabs[index].repeats) = (SweepMode::Grid, 1);
                    self.run();
                }
                Err(error) => self.say(error.to_string(), Tone::Bad),
            },
            Action::Resume => match self.queue.resume(&folder, &problems) {
                Ok(handle) => {
                    if let Some(at) = self.tabs[index].position(&run.id) {
                        self.tabs[index].remove(at);
                    }
                    self.tab = index;
                    self.show_live(handle);
                }
                Err(error) => self.say(error.to_string(), Tone::Bad),
            },
            Action::Stop | Action::Pause => {
                if self.tabs[index].position(&run.id).is_some() {
                    self.show(index, &run);
                    let here = std::mem::replace(&mut self.tab, index);
                    let pane = std::mem::replace(&mut self.tabs[index].pane, Pane::Results);
                    self.steer(if action == Action::Stop { Request::Stop } else { Request::Pause });
                    (self.tab, self.tabs[index].pane) = (here, pane);
                    return;
                }
                let request = match (action, run.state) {
                    (Action::Stop, _) => Request::Stop,
                    (_, RunState::Paused) => Request::Proceed,
                    _ => Request::Pause,
                };
                match request.send(&folder) {
                    Ok(()) => self.say(format!("asked {} to {request:?}", run.label).to_lowercase(), Tone::Good),
                    Err(error) => self.say(error.to_string(), Tone::Bad),
                }
            }
            Action::FollowUp => self.follow_up(index, &run.id),
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
    pub(super) fn export(&mut self, folders: &[PathBuf]) {
        let problems: Vec<_> = self.tabs.iter().map(|tab| tab.problem).collect();
        let sources: Result<Vec<_>, _> =
            folders.iter().map(|folder| export::RunSource::read(folder, &problems)).collect();
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
    fn show(&mut self, index: usize, run: &RunSummary) {
        let tab = &mut self.tabs[index];
        match tab.position(&run.id) {
            Some(_) => tab.choose(&run.id),
            None => tab.show(ShownRun::summed(&self.places.logs, run)),
        }
    }
}
