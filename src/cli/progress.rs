//! Progress on standard error: bars when it is a terminal, plain lines otherwise.

use super::output;
use crate::lab::{Event, Progress, RunHandle, RunState, Stamped, decimal, duration};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Plain lines of one run come no more often than this, except where its stage changes.
const EVERY: Duration = Duration::from_secs(10);
/// Series whose newest value a line tells.
const TOLD: usize = 3;

/// Follows runs and tells how far they are.
pub struct Display {
    mode: Mode,
    runs: Vec<Follower>,
}

enum Mode {
    Quiet,
    Lines,
    Bars { bars: MultiProgress, overall: Option<ProgressBar> },
}

/// What is known of one run.
struct Follower {
    handle: Arc<RunHandle>,
    label: String,
    progress: Progress,
    /// Series (name, legend, newest value, when that came).
    newest: Vec<(String, String, f64, u64)>,
    points: u64,
    told: Option<(Instant, String)>,
    bar: Option<ProgressBar>,
    over: bool,
}

impl Display {
    /// For the runs of one command, in their order.
    pub fn new(handles: &[Arc<RunHandle>], quiet: bool) -> Self {
        let mode = if quiet {
            Mode::Quiet
        } else if stderr().is_terminal() {
            let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            let overall = (handles.len() > 1).then(|| {
                let bar = bars.add(ProgressBar::new(handles.len() as u64));
                bar.with_style(style("{bar:30} {pos}/{len} runs")).with_elapsed(Duration::ZERO)
            });
            output::share_with(&bars);
            Mode::Bars { bars, overall }
        } else {
            Mode::Lines
        };
        let runs = handles.iter().map(Follower::new).collect();
        Self { mode, runs }
    }

    /// Takes in what has come and tells it; true when every run is over.
    pub fn update(&mut self) -> bool {
        for run in self.runs.iter_mut().filter(|run| !run.over) {
            // Read first: after a final state no event follows.
            let over = run.handle.state().is_final();
            for event in run.handle.drain() {
                run.fold(&event, &self.mode);
            }
            if over {
                run.finish(&self.mode);
            } else {
                run.tell(&self.mode);
            }
        }
        self.runs.iter().all(|run| run.over)
    }

    /// Takes the bars off the screen.
    pub fn clear(&self) {
        if let Mode::Bars { bars, .. } = &self.mode {
            let _ = bars.clear();
        }
        output::share_with_nobody();
    }
}

impl Follower {
    fn new(handle: &Arc<RunHandle>) -> Self {
        Self {
            handle: Arc::clone(handle),
            label: format!("{} {}", handle.spec().problem.name(), handle.spec().label()),
            progress: Progress::default(),
            newest: Vec::new(),
            points: 0,
            told: None,
            bar: None,
            over: false,
        }
    }

    fn fold(&mut self, stamped: &Stamped, mode: &Mode) {
        match &stamped.event {
            Event::Progress(progress) => self.progress = progress.clone(),
            Event::Series(series) if !self.newest.iter().any(|known| known.0 == series.id) => {
                self.newest.push((series.id.clone(), series.label.clone(), f64::NAN, 0));
            }
            Event::Point(point) => {
                self.points += 1;
                if let Some(known) = self.newest.iter_mut().find(|known| known.0 == point.series) {
                    (known.2, known.3) = (point.y, self.points);
                }
            }
            Event::Note { text } if !matches!(mode, Mode::Quiet) => {
                output::complain(&format!("{}: note: {text}", self.label));
            }
            _ => {}
        }
    }

    /// `epoch 2 of 5 · 640/1347 images · 4890 images/s · 0:03 left · training loss 0.42`.
    fn line(&self) -> String {
        let Progress { done, total, unit, rate, stage } = &self.progress;
        let mut parts = Vec::new();
        if !stage.is_empty() {
            parts.push(stage.clone());
        }
        if *total > 0 {
            parts.push(format!("{done}/{total} {unit}"));
        }
        if *rate > 0.0 {
            parts.push(format!("{} {unit}/s", decimal(*rate, if *rate < 10.0 { 2 } else { 0 })));
        }
        if let Some(left) = self.progress.remaining_seconds().filter(|_| done < total) {
            parts.push(format!("{} left", duration(left)));
        }
        parts.extend(self.values());
        parts.join(" · ")
    }

    /// The series that moved last, in the order they were declared.
    fn values(&self) -> Vec<String> {
        let mut times: Vec<u64> = self.newest.iter().map(|known| known.3).filter(|time| *time > 0).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        let since = times.iter().take(TOLD).min().copied().unwrap_or(u64::MAX);
        let moved = self.newest.iter().filter(|known| known.3 >= since && known.2.is_finite());
        moved.map(|(_, label, value, _)| format!("{label} {}", decimal(*value, 4))).collect()
    }

    fn tell(&mut self, mode: &Mode) {
        if self.handle.state() == RunState::Queued || self.progress == Progress::default() {
            return;
        }
        match mode {
            Mode::Quiet => {}
            Mode::Lines => {
                let stage = &self.progress.stage;
                let due = self.told.as_ref().is_none_or(|(when, told)| told != stage || when.elapsed() >= EVERY);
                if due {
                    output::complain(&format!("{}: {}", self.label, self.line()));
                    self.told = Some((Instant::now(), self.progress.stage.clone()));
                }
            }
            Mode::Bars { bars, .. } => {
                let line = self.line();
                let bar = self.bar.get_or_insert_with(|| {
                    let bar = bars.add(ProgressBar::new(0));
                    bar.with_style(style("{prefix} {bar:24} {percent:>3} % {wide_msg}")).with_prefix(self.label.clone())
                });
                bar.set_length(self.progress.total);
                bar.set_position(self.progress.done);
                bar.set_message(line);
            }
        }
    }

    fn finish(&mut self, mode: &Mode) {
        self.over = true;
        if self.told.is_none() {
            self.tell(mode);
        }
        let state = self.handle.state();
        let message = self.handle.message();
        let why = if message.is_empty() { String::new() } else { format!(": {message}") };
        let line = format!("{}: {}{why} · {}", self.label, state.name(), self.handle.folder().display());
        match mode {
            Mode::Quiet => {}
            Mode::Lines => output::complain(&line),
            Mode::Bars { bars, overall } => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                    bars.remove(&bar);
                }
                output::complain(&line);
                if let Some(overall) = overall {
                    overall.inc(1);
                }
            }
        }
    }
}

/// A template of our own is right or a mistake in this file, which the bar's default look survives.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}
