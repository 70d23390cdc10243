//! What happens elsewhere, looked for by tasks: in the runs on screen, and in the directory of runs.

use crate::console::app::state::{App, Tone};
use crate::console::app::task::Origin;
use std::collections::HashMap;
use std::time::Instant;

impl App {
    /// Begins to read what the runs on screen have said, from memory or from their journals.
    pub(in crate::console::app) fn read_runs(&mut self) {
        if self.is_reading {
            return;
        }
        let runs = self.tabs.iter_mut().flat_map(|tab| &mut tab.runs);
        let readers: Vec<_> = runs.filter_map(|run| Some((run.id.clone(), run.begin_read()?))).collect();
        if readers.is_empty() {
            return;
        }
        self.is_reading = true;
        let work = |_: &_| Ok(readers.into_iter().map(|(id, reader)| (id, reader.read())).collect::<HashMap<_, _>>());
        self.tasks.start("reading the runs", Origin::Console, work, |app: &mut Self, outcome| {
            app.is_reading = false;
            match outcome {
                Ok(mut news) => {
                    for index in 0..app.tabs.len() {
                        let changed = app.tabs[index].take_news(&mut news);
                        app.stale |= changed && index == app.tab;
                    }
                }
                Err(reason) => {
                    app.tabs.iter_mut().flat_map(|tab| &mut tab.runs).for_each(|run| run.stop_following(&reason));
                    app.say(reason, Tone::Bad);
                    app.stale = true;
                }
            }
        });
    }

    /// Begins to look through the directory of runs; where that is under way, once more afterwards.
    pub(in crate::console::app) fn list_runs(&mut self) {
        self.looked = Instant::now();
        let Some(look) = self.runs.begin_look() else { return };
        let work = move |_: &_| Ok(look.read());
        self.tasks.start("listing the runs", Origin::Console, work, |app: &mut Self, outcome| {
            match app.runs.end_look(outcome) {
                Ok(changed) => app.stale |= changed,
                Err((reason, true)) => {
                    app.say(format!("the runs cannot be listed: {reason}"), Tone::Bad);
                    app.stale = true;
                }
                Err((_, false)) => {}
            }
            if app.runs.take_outdated() {
                app.list_runs();
            }
        });
    }
}
