//! Starting the task that puts runs into the queue and on screen.

use crate::console::app::screen_run::ScreenRun;
use crate::console::app::state::App;
use crate::console::app::submission::{Points, Submission, put};
use crate::console::app::task::{ChangeSender, Origin};
use crate::console::app::toast::Tone;

impl App {
    /// Starts a task that puts `count` runs into the queue and on the screen of tab `tab`.
    pub(super) fn submit(&mut self, tab: usize, count: usize, points: Points, unread: Option<String>) {
        let number = self.submitted;
        self.submitted += 1;
        let (submission, halt) = Submission::new(number, tab, count);
        self.submissions.push(submission);
        let queue = self.queue.clone();
        let problems: Vec<_> = self.tabs.iter().map(|tab| tab.problem).collect();
        let work = move |sender: &ChangeSender<Self>| {
            let show = |run| sender.send(move |app: &mut Self| app.take_submitted(number, run));
            put(points, &queue, &problems, &halt, show).map_err(|error| error.to_string())
        };
        self.tasks.start(format!("queueing {count} runs"), Origin::User, work, move |app: &mut Self, outcome| {
            app.show_submitted();
            app.has_changed = true;
            let at = app.submissions.iter().position(|submission| submission.number() == number);
            let queued = at.map_or(0, |at| app.submissions.remove(at).queued());
            let unread = unread.map_or_else(String::new, |words| format!("; {words}"));
            match outcome {
                Err(reason) => app.say(reason, Tone::Bad),
                Ok(()) if queued == 0 => app.say("every point is finished: their runs are on screen", Tone::Good),
                Ok(()) if queued == 1 => app.say(format!("1 run queued{unread}"), Tone::Good),
                Ok(()) => app.say(format!("{queued} runs queued{unread}"), Tone::Good),
            }
        });
    }

    fn take_submitted(&mut self, number: usize, run: ScreenRun) {
        if let Some(submission) = self.submissions.iter_mut().find(|submission| submission.number() == number) {
            submission.take(run);
        }
    }

    /// Puts the runs on screen that the tasks have queued since the last call.
    pub(super) fn show_submitted(&mut self) {
        for submission in &mut self.submissions {
            let arrived = submission.arrived();
            if !arrived.is_empty() {
                self.tabs[submission.tab].show_all(arrived);
                self.has_changed = true;
            }
        }
    }

    /// Asks every run of this process to stop, and submits no more.
    pub fn stop_all(&self) {
        self.submissions.iter().for_each(Submission::stop);
        self.queue.handles().iter().for_each(|handle| handle.control().stop());
    }
}
