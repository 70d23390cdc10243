//! Actions on a problem's tab.

use crate::console::app::overlay::{Field, Overlay, Purpose};
use crate::console::app::screen_run::ScreenRun;
use crate::console::app::scroll::Scroll;
use crate::console::app::state::{App, Wanted};
use crate::console::app::submission::Submission;
use crate::console::app::tab::{Asked, Pane, ProblemTab};
use crate::console::app::task::Origin;
use crate::console::app::toast::Tone;
use crate::console::keymap::Action;
use crate::lab::{Optimum, ParamError, Request, RunHandle, RunState, Sweep};
use std::path::PathBuf;
use std::sync::Arc;

/// The message for a key that needs a run while none is on screen.
const NO_RUN: &str = "no run is on screen: start one first, or open one from the list of runs";

/// A message that names the parameters that are set but not read; none where there are no such.
pub(super) fn unread_words(sweep: &Sweep) -> Option<String> {
    let unread = sweep.unread();
    let keys: Vec<&str> = unread.iter().map(|unread| unread.key.as_str()).collect();
    match unread.as_slice() {
        [] => None,
        [one] => Some(format!("{} is not read: {}", one.key, one.allowed)),
        _ => Some(format!("not read: {}; the help of each field says with what it would be", keys.join(", "))),
    }
}

/// The result of the attempt to start what a form stands for.
enum Started {
    /// A value or combination is not allowed.
    Refused(ParamError),
    /// The form stands for several runs.
    Several,
    /// The one run is in the queue.
    One(Arc<RunHandle>),
}

impl App {
    pub(super) fn act_on_problem(&mut self, action: Action) {
        if self.act_on_home(action) {
            return;
        }
        match action {
            Action::Run => return self.run(self.tab),
            Action::Presets => return self.list_presets(),
            Action::Command => return self.show_command(),
            Action::Save => self.overlay = Some(Overlay::Typing(Field::new(Purpose::Preset, ""))),
            Action::Filter => {
                let text = self.problem().map_or("", |tab| &tab.results.filter).to_owned();
                self.overlay = Some(Overlay::Typing(Field::new(Purpose::Lines, text)));
            }
            Action::Stop => return self.steer_run(Request::Stop),
            Action::StopAll => return self.stop_tab(),
            Action::Pause => return self.steer_run(Request::Pause),
            Action::Optimise => return self.optimise(),
            Action::FollowUp => {
                let chosen = self.problem().and_then(|tab| Some(tab.runs[tab.target()?].id.clone()));
                return match chosen {
                    Some(id) => self.follow_up(self.tab, &id),
                    None => self.say(NO_RUN, Tone::Info),
                };
            }
            Action::Export => {
                let folders = self
                    .problem()
                    .map(|tab| tab.overlaid().into_iter().map(|run| tab.runs[run].folder.clone()).collect());
                return self.export(folders.unwrap_or_default());
            }
            _ => {}
        }
        if let Some(said) = self.tabs.get_mut(self.tab).and_then(|tab| tab.act(action)) {
            self.say(said, Tone::Info);
        }
    }

    /// Shows the command line that does what the form stands for, and has the terminal copy it.
    fn show_command(&mut self) {
        let Some(tab) = self.problem() else { return };
        let line = tab.sweep().command("run");
        self.wanted = Some(Wanted::Copy(line.clone()));
        self.overlay = Some(Overlay::Command { line, scroll: Scroll::default() });
    }

    /// Starts the run that the form of tab `index` stands for. If it stands for several, the dialog before a sweep
    /// opens instead.
    pub(super) fn run(&mut self, index: usize) {
        let Some(tab) = self.tabs.get_mut(index) else { return };
        tab.form.clear_error();
        let (sweep, queue) = (tab.sweep(), self.queue.clone());
        let unread = unread_words(&sweep);
        let work = move |_: &_| {
            let spec = sweep.count().and_then(|count| if count > 1 { Ok(None) } else { sweep.first().map(Some) });
            match spec {
                Err(error) => Ok(Started::Refused(error)),
                Ok(None) => Ok(Started::Several),
                Ok(Some(spec)) => queue.submit(spec).map(Started::One).map_err(|error| error.to_string()),
            }
        };
        self.runs_to_queue += 1;
        self.tasks.start("starting the run", Origin::User, work, move |app: &mut Self, outcome| {
            app.runs_to_queue -= 1;
            app.has_changed = true;
            match outcome {
                Ok(Started::One(handle)) => {
                    app.tabs[index].show(ScreenRun::live(handle));
                    if let Some(words) = unread {
                        app.say(words, Tone::Info);
                    }
                }
                Ok(Started::Several) if app.tab == index && app.overlay.is_none() => app.ask_for_sweep(),
                Ok(Started::Several) => {}
                Ok(Started::Refused(error)) => {
                    app.say(error.to_string(), Tone::Bad);
                    let tab = &mut app.tabs[index];
                    tab.pane = Pane::Form;
                    tab.form.mark(error);
                }
                Err(reason) => app.say(reason, Tone::Bad),
            }
        });
    }

    /// Starts a task that works out the cost of the parameters on the tab on screen, if they have changed.
    pub(in crate::console::app) fn count_cost(&mut self) {
        let index = self.tab;
        let Some(tab) = self.tabs.get_mut(index) else { return };
        let Some(sweep) = tab.cost_question() else { return };
        let asked = sweep.clone();
        let work = move |_: &_| Ok(Asked::of(&asked));
        self.tasks.start("counting the cost", Origin::Console, work, move |app: &mut Self, outcome| {
            app.has_changed = true;
            let asked = outcome.map_err(|reason| app.say(reason, Tone::Bad)).ok();
            app.tabs[index].answer_cost(sweep, asked);
        });
    }

    /// Stops, pauses or continues the run that such keys act on, on the tab on screen.
    fn steer_run(&mut self, request: Request) {
        match self.problem().and_then(ProblemTab::run_to_steer) {
            Some(run) => self.steer(self.tab, run, request),
            None => self.say(NO_RUN, Tone::Info),
        }
    }

    /// Stops or pauses run number `run` of tab `index`; a request to pause continues a paused run.
    pub(super) fn steer(&mut self, index: usize, run: usize, request: Request) {
        let tab = &self.tabs[index];
        let shown = &tab.runs[run];
        if shown.view.state.is_final() {
            let text = format!("{} is {}", shown.label, shown.view.state.name());
            return self.say(text, Tone::Info);
        }
        match tab.handle(run) {
            Some(handle) => {
                let control = handle.control();
                match request {
                    Request::Stop => control.stop(),
                    Request::Pause if control.is_paused() => control.proceed(),
                    Request::Pause => control.pause(),
                    Request::Proceed => control.proceed(),
                }
            }
            None => {
                let paused = shown.view.state == RunState::Paused;
                let request = if request == Request::Pause && paused { Request::Proceed } else { request };
                let (label, folder) = (shown.label.clone(), shown.folder.clone());
                self.ask(label, folder, request);
            }
        }
    }

    /// Asks the process that works on the run in `folder` to do something with it.
    pub(super) fn ask(&mut self, label: String, folder: PathBuf, request: Request) {
        let what = match request {
            Request::Stop => "stop",
            Request::Pause => "pause",
            Request::Proceed => "go on",
        };
        self.start(
            format!("asking {label} to {what}"),
            move || request.send(&folder),
            move |app, ()| {
                app.say(format!("{label} is asked to {what}"), Tone::Good);
            },
        );
    }

    /// Stops every run on the tab on screen, and those that are about to come there.
    fn stop_tab(&mut self) {
        let here = self.tab;
        let coming = self.submissions.iter().filter(|submission| submission.tab == here);
        let halted = coming.map(Submission::stop).count() > 0;
        let Some(tab) = self.tabs.get(here) else { return };
        let open: Vec<usize> = (0..tab.runs.len()).filter(|run| !tab.runs[*run].view.state.is_final()).collect();
        let count = open.len();
        let mut elsewhere: Vec<PathBuf> = Vec::new();
        for run in open {
            match tab.handle(run) {
                Some(handle) => handle.control().stop(),
                None => elsewhere.push(tab.runs[run].folder.clone()),
            }
        }
        if count == 0 {
            let text = if halted { "no more runs will come" } else { "nothing is at work here" };
            return self.say(text, Tone::Info);
        }
        let text =
            if count == 1 { "1 run is asked to stop".to_owned() } else { format!("{count} runs are asked to stop") };
        if elsewhere.is_empty() {
            return self.say(text, Tone::Info);
        }
        let ask = move || {
            // All runs are asked, even if asking one of them fails.
            let answers: Vec<_> = elsewhere.iter().map(|folder| Request::Stop.send(folder)).collect();
            answers.into_iter().collect::<Result<(), _>>()
        };
        self.start("asking the runs to stop", ask, move |app, ()| app.say(text, Tone::Info));
    }

    /// Fills in the best values that theory or a search finds for the form.
    fn optimise(&mut self) {
        let index = self.tab;
        let Some(tab) = self.tabs.get(index) else { return };
        let sweep = tab.sweep();
        let (asked, places) = (sweep.draft.clone(), self.places.clone());
        let work = move || match sweep.first() {
            Err(error) => Ok(Err(error)),
            Ok(spec) => sweep.problem.optimise(&spec.params, &places).map(Ok).map_err(|error| error.to_string()),
        };
        self.start("looking for the best parameters", work, move |app, found| {
            let tab = &mut app.tabs[index];
            if *tab.form.draft() != asked {
                return app.say("the parameters have changed meanwhile: nothing was set", Tone::Info);
            }
            let said = match found {
                Err(error) => return tab.form.mark(error),
                Ok(None) => ("nothing is known to be best for these parameters".to_owned(), Tone::Info),
                Ok(Some(Optimum { changes, message })) => match tab.change(&changes) {
                    Ok(()) if changes.is_empty() => (message, Tone::Info),
                    Ok(()) => (message, Tone::Good),
                    Err(error) => (error.to_string(), Tone::Bad),
                },
            };
            app.say(said.0, said.1);
        });
    }
}
