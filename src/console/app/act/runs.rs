//! Actions on the Runs tab.

use crate::console::app::overlay::{Field, Overlay, Purpose};
use crate::console::app::screen_run::ScreenRun;
use crate::console::app::state::App;
use crate::console::app::task::Origin;
use crate::console::app::toast::Tone;
use crate::console::keymap::{Action, Place};
use crate::lab::{Preset, Request, RunState, RunSummary, SweepMode, export};
use std::path::{Path, PathBuf};

/// Where exports are written, in the working directory; the same as on the command line.
const EXPORTS: &str = "export";

impl App {
    pub(super) fn act_on_runs(&mut self, action: Action) {
        match action {
            Action::NextPane | Action::PreviousPane => {
                self.runs.in_details = !self.runs.in_details;
                self.runs.zoom &= self.runs.in_details;
            }
            Action::Zoom => {
                self.runs.zoom = !self.runs.zoom;
                self.runs.in_details |= self.runs.zoom;
            }
            Action::Back if self.runs.zoom => self.runs.zoom = false,
            Action::Back if self.runs.in_details => self.runs.in_details = false,
            Action::Back if !self.runs.marked.is_empty() => self.runs.marked.clear(),
            Action::Back => self.runs.clear_filter(),
            Action::Mark => self.runs.mark(),
            Action::MarkAll => self.runs.mark_all(),
            Action::Trash => self.list_trash(),
            Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::First | Action::Last
                if self.runs.in_details =>
            {
                self.runs.details.act(action);
            }
            Action::First => self.runs.go(isize::MIN),
            Action::Last => self.runs.go(isize::MAX),
            Action::Up => self.runs.go(-1),
            Action::Down => self.runs.go(1),
            Action::PageUp => self.runs.go(-20),
            Action::PageDown => self.runs.go(20),
            Action::Left => self.runs.skip = self.runs.skip.saturating_sub(1),
            Action::Right => self.runs.skip = (self.runs.skip + 1).min(5 + self.runs.varied.keys.len()),
            Action::Sort => self.runs.next_order(),
            Action::Sweeps => self.overlay = Some(Overlay::Sweeps),
            Action::Filter => {
                let text = self.runs.filter_text.clone();
                self.overlay = Some(Overlay::Typing(Field::new(Purpose::Filter, text)));
            }
            Action::Compare | Action::Tags | Action::Export | Action::Delete if !self.runs.marked.is_empty() => {
                self.act_on_marked(action);
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
            let damage = run.damage.unwrap_or_else(|| {
                let known: Vec<&str> = problems.iter().map(|problem| problem.name()).collect();
                format!("{}: no problem is called `{}`, there are {}", run.id, run.problem, known.join(", "))
            });
            return if action == Action::Delete { self.delete(vec![run.id]) } else { self.say(damage, Tone::Bad) };
        };
        match action {
            Action::Edit => {
                // The tab changes only when the run is on screen, so that the next key acts on it.
                self.open_and_fill(index, &run);
            }
            Action::Compare => match self.tabs[index].position(&run.id) {
                Some(at) => {
                    self.tabs[index].remove(at);
                    self.say(format!("{} is off the screen", run.label), Tone::Info);
                }
                None => {
                    let label = run.label.clone();
                    self.open(index, &run, move |app| {
                        app.tabs[index].compare = true;
                        let title = app.tabs[index].problem.title();
                        app.say(format!("{label} is overlaid in {title}"), Tone::Good);
                    });
                }
            },
            Action::Run => {
                let read = move || Preset::read(&folder.join("run.toml"), &problems);
                self.start("reading the run's parameters", read, move |app, preset| {
                    app.load(&preset);
                    (app.tabs[index].mode, app.tabs[index].repeats) = (SweepMode::Grid, 1);
                    app.run(index);
                });
            }
            Action::Resume => {
                let queue = self.queue.clone();
                self.runs_to_queue += 1;
                let work = move |_: &_| queue.resume(&folder, &problems).map_err(|error| error.to_string());
                self.tasks.start("resuming the run", Origin::User, work, move |app: &mut Self, outcome| {
                    app.runs_to_queue -= 1;
                    app.has_changed = true;
                    match outcome {
                        Ok(handle) => {
                            app.tabs[index].retain(|shown| shown.id != run.id);
                            app.tabs[index].show(ScreenRun::live(handle));
                            app.tab = index;
                        }
                        Err(reason) => app.say(reason, Tone::Bad),
                    }
                });
            }
            Action::Stop | Action::Pause => {
                let request = if action == Action::Stop { Request::Stop } else { Request::Pause };
                if let Some(at) = self.tabs[index].position(&run.id) {
                    return self.steer(index, at, request);
                }
                let request =
                    if action == Action::Pause && run.state == RunState::Paused { Request::Proceed } else { request };
                self.ask(run.label, folder, request);
            }
            Action::FollowUp => self.follow_up(index, &run.id),
            Action::Rename => self.overlay = Some(Overlay::Typing(Field::new(Purpose::Name(folder), run.title))),
            Action::Tags => {
                let purpose = Purpose::Tags(vec![folder]);
                self.overlay = Some(Overlay::Typing(Field::new(purpose, run.tags.join(" "))));
            }
            Action::Export => self.export(vec![folder]),
            Action::Delete => self.delete(vec![run.id]),
            _ => {}
        }
    }

    /// Writes runs into files for a paper.
    pub(super) fn export(&mut self, folders: Vec<PathBuf>) {
        let problems: Vec<_> = self.tabs.iter().map(|tab| tab.problem).collect();
        let name =
            if folders.len() == 1 { "exporting 1 run".to_owned() } else { format!("exporting {} runs", folders.len()) };
        let work = move || {
            let runs: Vec<_> =
                folders.iter().map(|folder| export::RunSource::read(folder, &problems)).collect::<Result<_, _>>()?;
            let formats = [export::Format::Csv, export::Format::Svg, export::Format::Markdown];
            export::export(&runs, &formats, &export::FigureLook::default(), Path::new(EXPORTS))
        };
        self.start(name, work, |app, files| {
            app.say(format!("{} files are written into {EXPORTS}/", files.len()), Tone::Good);
        });
    }

    /// Puts a stored run on the screen of its problem, goes there, and fills the form with its parameters.
    pub(super) fn open_and_fill(&mut self, index: usize, run: &RunSummary) {
        let id = run.id.clone();
        self.open(index, run, move |app| {
            app.tab = index;
            let tab = &mut app.tabs[index];
            let Some(at) = tab.position(&id) else { return };
            if tab.fill_from(at) {
                let label = tab.runs[at].label.clone();
                let key = app.keymap.key(Place::Form, Action::Undo);
                app.say(format!("the form holds the parameters of {label}; {key} undoes that"), Tone::Info);
            }
        });
    }

    /// Puts a stored run on the screen of its problem, chooses it, and does `then`.
    fn open(&mut self, index: usize, run: &RunSummary, then: impl FnOnce(&mut Self) + Send + 'static) {
        if self.tabs[index].position(&run.id).is_some() {
            self.tabs[index].choose(&run.id);
            return then(self);
        }
        let label = run.name().to_owned();
        let (logs, run) = (self.places.logs.clone(), run.clone());
        let read = move || ScreenRun::stored(&logs, &run, label);
        self.start("reading the run", read, move |app, run| {
            app.tabs[index].show(run);
            then(app);
        });
    }
}
