//! Progress on standard error: bars when it is a terminal, plain lines otherwise.

use super::output;
use super::signals::Listener;
use crate::lab::{Progress, RunHandle, RunState, RunView, decimal, duration};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Plain lines of one run come no more often than this, except where its stage changes.
const EVERY: Duration = Duration::from_secs(10);
/// How often the runs are looked at.
const TICK: Duration = Duration::from_millis(25);
/// Series whose newest value a line shows.
const SHOWN: usize = 3;

/// Waits for runs and shows how far they are. A signal stops them; returns whether one came.
pub fn watch(handles: &[Arc<RunHandle>], listener: &Listener, quiet: bool) -> bool {
    let mut is_stopped = false;
    let mut display = Display::new(handles, quiet);
    while !display.update() {
        if listener.wait(TICK) {
            is_stopped = true;
            handles.iter().for_each(|handle| handle.control().stop());
        }
    }
    display.clear();
    is_stopped
}

/// Follows runs and shows how far they are.
struct Display {
    channel: Channel,
    runs: Vec<Follower>,
}

enum Channel {
    Quiet,
    Lines,
    Bars { bars: MultiProgress, overall: Option<ProgressBar> },
}

/// The newest point of a series.
struct Newest {
    label: String,
    value: f64,
    points: usize,
}

/// What is known of one run.
struct Follower {
    handle: Arc<RunHandle>,
    label: String,
    progress: Progress,
    series: Vec<Newest>,
    /// Indices into the series, those that have grown last first.
    recent: Vec<usize>,
    /// How many of the run's remarks have been shown.
    notes: usize,
    /// When a line was written last, and for which stage.
    written: Option<(Instant, String)>,
    bar: Option<ProgressBar>,
    over: bool,
}

impl Display {
    /// For the runs of one command, in their order.
    pub fn new(handles: &[Arc<RunHandle>], quiet: bool) -> Self {
        let channel = if quiet {
            Channel::Quiet
        } else if stderr().is_terminal() {
            let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            let overall = (handles.len() > 1).then(|| {
                let bar = bars.add(ProgressBar::new(handles.len() as u64));
                bar.with_style(style("{bar:30} {pos}/{len} runs")).with_elapsed(Duration::ZERO)
            });
            output::share_with(&bars);
            Channel::Bars { bars, overall }
        } else {
            Channel::Lines
        };
        let runs = handles.iter().map(Follower::new).collect();
        Self { channel, runs }
    }

    /// Takes in what has come and shows it; true when every run is over.
    pub fn update(&mut self) -> bool {
        for run in self.runs.iter_mut().filter(|run| !run.over) {
            // Read first: after a final state no event follows.
            let over = run.handle.state().is_final();
            run.look(&self.channel);
            if over {
                run.finish(&self.channel);
            } else {
                run.show(&self.channel);
            }
        }
        self.runs.iter().all(|run| run.over)
    }

    /// Takes the bars off the screen.
    pub fn clear(&self) {
        if let Channel::Bars { bars, .. } = &self.channel {
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
            series: Vec::new(),
            recent: Vec::new(),
            notes: 0,
            written: None,
            bar: None,
            over: false,
        }
    }

    /// Takes in what has changed, and shows new remarks.
    fn look(&mut self, channel: &Channel) {
        let handle = Arc::clone(&self.handle);
        let notes: Vec<String> = handle.with_view(|view| {
            self.take(view);
            view.notes.get(self.notes..).unwrap_or_default().to_vec()
        });
        self.notes += notes.len();
        if !matches!(channel, Channel::Quiet) {
            notes.iter().for_each(|text| output::complain(&format!("{}: note: {text}", self.label)));
        }
    }

    fn take(&mut self, view: &RunView) {
        if let Some(progress) = &view.progress {
            self.progress.clone_from(progress);
        }
        let mut grown = Vec::new();
        for (index, series) in view.series.iter().enumerate() {
            if index == self.series.len() {
                self.series.push(Newest { label: series.series.label.clone(), value: f64::NAN, points: 0 });
            }
            let known = &mut self.series[index];
            if series.points.len() > known.points {
                grown.push(index);
            }
            known.points = series.points.len();
            known.value = series.points.last().map_or(f64::NAN, |point| point.y);
        }
        self.recent.retain(|index| !grown.contains(index));
        self.recent.splice(..0, grown);
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

    /// The series that have grown last, in the order they were declared.
    fn values(&self) -> Vec<String> {
        let mut shown: Vec<usize> = self.recent.iter().take(SHOWN).copied().collect();
        shown.sort_unstable();
        let newest = shown.into_iter().filter_map(|index| self.series.get(index));
        let finite = newest.filter(|newest| newest.value.is_finite());
        finite.map(|newest| format!("{} {}", newest.label, decimal(newest.value, 4))).collect()
    }

    fn show(&mut self, channel: &Channel) {
        if self.handle.state() == RunState::Queued || self.progress == Progress::default() {
            return;
        }
        match channel {
            Channel::Quiet => {}
            Channel::Lines => {
                let stage = &self.progress.stage;
                let due =
                    self.written.as_ref().is_none_or(|(when, written)| written != stage || when.elapsed() >= EVERY);
                if due {
                    output::complain(&format!("{}: {}", self.label, self.line()));
                    self.written = Some((Instant::now(), self.progress.stage.clone()));
                }
            }
            Channel::Bars { bars, .. } => {
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

    fn finish(&mut self, channel: &Channel) {
        self.over = true;
        if self.written.is_none() {
            self.show(channel);
        }
        let state = self.handle.state();
        let message = self.handle.message();
        let why = if message.is_empty() { String::new() } else { format!(": {message}") };
        let line = format!("{}: {}{why} · {}", self.label, state.name(), self.handle.folder().display());
        match channel {
            Channel::Quiet => {}
            Channel::Lines => output::complain(&line),
            Channel::Bars { bars, overall } => {
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
