//! Actions on several runs of the Runs tab at once, and on the trash.

use crate::console::app::overlay::{Field, Overlay, Purpose};
use crate::console::app::screen_run::ScreenRun;
use crate::console::app::state::App;
use crate::console::app::toast::Tone;
use crate::console::keymap::Action;
use crate::lab::{RunSummary, store};
use std::path::PathBuf;

/// So many runs, in words.
fn count(runs: usize) -> String {
    if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") }
}

impl App {
    /// Does what a key stands for to every marked run.
    pub(super) fn act_on_marked(&mut self, action: Action) {
        let runs = self.runs.meant();
        let folders = || runs.iter().map(|run| run.folder(&self.places.logs)).collect::<Vec<PathBuf>>();
        match action {
            Action::Export => self.export(folders()),
            Action::Delete => self.delete(runs.iter().map(|run| run.id.clone()).collect()),
            Action::Tags => self.overlay = Some(Overlay::Typing(Field::new(Purpose::Tags(folders()), ""))),
            Action::Compare => {
                let logs = self.places.logs.clone();
                let read = move || {
                    let read = |run: &std::sync::Arc<RunSummary>| {
                        let label = run.name().to_owned();
                        ScreenRun::stored(&logs, run, label).map(|shown| (run.problem.clone(), shown))
                    };
                    runs.iter().map(read).collect::<Result<Vec<_>, _>>()
                };
                self.start("reading the runs", read, |app, runs| app.overlay_runs(runs));
            }
            _ => {}
        }
    }

    /// Overlays runs, each with the name of its problem, and goes to the tab of the first.
    fn overlay_runs(&mut self, runs: Vec<(String, ScreenRun)>) {
        let all = runs.len();
        let (mut first, mut shown) = (None, 0);
        for (problem, run) in runs {
            let Some(index) = self.tab_of(&problem) else { continue };
            first = first.or(Some(index));
            shown += 1;
            self.tabs[index].compare = true;
            self.tabs[index].show(run);
        }
        if let Some(index) = first {
            self.tab = index;
        }
        let rest = if shown < all { format!("; {} of no problem here", count(all - shown)) } else { String::new() };
        self.say(format!("{} overlaid{rest}", count(shown)), Tone::Good);
    }

    /// Moves runs to the trash when asked for the second time.
    pub(super) fn delete(&mut self, ids: Vec<String>) {
        let what = if let [id] = ids.as_slice() { id.clone() } else { count(ids.len()) };
        if self.runs.to_delete != ids {
            self.runs.to_delete = ids;
            let key = self.keymap.key(self.place(), Action::Delete);
            return self.say(format!("{key} once more moves {what} to the trash"), Tone::Bad);
        }
        self.runs.to_delete.clear();
        let logs = self.places.logs.clone();
        let work = move || {
            // Every run is tried, even if one of them cannot be moved.
            let outcomes: Vec<_> = ids.iter().map(|id| store::delete(&logs.join(id))).collect();
            outcomes.into_iter().collect::<Result<Vec<PathBuf>, _>>()
        };
        self.start(format!("deleting {what}"), work, |app, moved| {
            let key = app.keymap.key(app.place(), Action::Trash);
            let again = if key == "?" { String::new() } else { format!("; {key} lists it") };
            app.say(format!("{} moved to the trash{again}", count(moved.len())), Tone::Good);
            app.list_runs();
        });
        // What could not be moved is seen to be there still.
        self.list_runs();
    }

    /// Opens the list of what lies in the trash and starts a task that reads it.
    pub(super) fn list_trash(&mut self) {
        self.overlay = Some(Overlay::Trash { list: None, chosen: 0 });
        let logs = self.places.logs.clone();
        self.start(
            "reading the trash",
            move || store::trash(&logs),
            |app, found| {
                if let Some(Overlay::Trash { list, .. }) = &mut app.overlay {
                    *list = Some(found);
                }
            },
        );
    }

    /// Does what a key stands for in the list of what lies in the trash. Returns what lies over the tab afterwards.
    pub(super) fn act_on_trash(&mut self, list: Vec<RunSummary>, chosen: usize, action: Action) -> Option<Overlay> {
        let last = list.len().saturating_sub(1);
        let chosen = match action {
            Action::Up => chosen.saturating_sub(1),
            Action::Down => (chosen + 1).min(last),
            _ => chosen,
        };
        if action != Action::Edit || list.is_empty() {
            return Some(Overlay::Trash { list: Some(list), chosen });
        }
        let (logs, id) = (self.places.logs.clone(), list[chosen].id.clone());
        self.start(
            format!("restoring {id}"),
            move || store::restore(&logs, &id),
            |app, folder| {
                let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                app.say(format!("{name} is back among the runs"), Tone::Good);
                app.list_runs();
            },
        );
        None
    }
}
