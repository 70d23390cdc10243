//! How far the runs at work are: a bar for each, or one for a sweep.

use crate::console::app::{ProblemTab, ScreenRun};
use crate::console::theme::Theme;
use crate::console::widget::text;
use crate::lab::{RunState, duration};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// A line for each run at work: how far it is, how fast, how long it will take. A sweep has one line for all its runs.
pub fn lines(tab: &ProblemTab, theme: &Theme, width: u16) -> Vec<Line<'static>> {
    let open = tab.runs.iter().filter(|run| !run.view.state.is_final()).count();
    if tab.sweeping && open > 0 && tab.runs.len() > 1 {
        return vec![sweep_line(tab, theme, width.into())];
    }
    let at_work = tab.runs.iter().enumerate();
    let at_work = at_work.filter(|(_, run)| matches!(run.view.state, RunState::Running | RunState::Paused));
    let labels = tab.labels();
    at_work.take(3).map(|(index, run)| progress_line(run, &labels[index], theme, width.into())).collect()
}

/// A bar of `width` characters, of which the part `share` is full.
fn drawn_bar(share: f64, width: usize, style: Style, theme: &Theme) -> [Span<'static>; 2] {
    let full = (share * width as f64).round() as usize;
    [Span::styled("━".repeat(full), style), Span::styled("─".repeat(width - full), theme.faint())]
}

/// The part of a run that is done, from 0 to 1.
fn share(run: &ScreenRun) -> f64 {
    match &run.view.progress {
        _ if run.view.state.is_final() => 1.0,
        Some(progress) if progress.total > 0 => (progress.done as f64 / progress.total as f64).clamp(0.0, 1.0),
        _ => 0.0,
    }
}

/// Seconds until every run of the tab is over, from those that are: none while nothing is known.
fn seconds_left(tab: &ProblemTab) -> Option<f64> {
    let working = tab.runs.iter().filter(|run| run.view.state == RunState::Running).count();
    // Half-done runs count by what they would take in all.
    let known: Vec<f64> = tab
        .runs
        .iter()
        .filter(|run| run.view.seconds > 0.0 && (run.view.state == RunState::Finished || share(run) > 0.05))
        .map(|run| run.view.seconds / share(run))
        .collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let left: f64 = tab.runs.iter().map(|run| 1.0 - share(run)).sum();
    (!known.is_empty() && working > 0).then(|| mean * left / working as f64)
}

/// The finished run with the best headline number, with that number as it is written.
fn leader(tab: &ProblemTab) -> Option<(usize, String)> {
    let finished = tab.runs.iter().enumerate().filter(|(_, run)| run.view.state == RunState::Finished);
    let numbers = finished.filter_map(|(index, run)| Some((index, tab.problem.headline_number(&run.view.rows)?)));
    let sign = if tab.problem.prefers_large() { 1.0 } else { -1.0 };
    let (index, number) =
        numbers.filter(|(_, number)| number.is_finite()).max_by(|a, b| (sign * a.1).total_cmp(&(sign * b.1)))?;
    let row = tab.runs[index].view.rows.last()?;
    let column = tab.problem.column(tab.problem.headline_of(row));
    Some((index, column.map_or_else(|| text::short(number), |column| crate::lab::decimal(number, column.digits))))
}

/// The one line of a sweep: how many of its runs are over, how long the others will take together, and which leads.
fn sweep_line(tab: &ProblemTab, theme: &Theme, width: usize) -> Line<'static> {
    let count = |is: &dyn Fn(RunState) -> bool| tab.runs.iter().filter(|run| is(run.view.state)).count();
    let running = count(&|state| state == RunState::Running);
    let state = match running {
        0 if count(&|state| state == RunState::Paused) > 0 => RunState::Paused,
        0 => RunState::Queued,
        _ => RunState::Running,
    };
    let (symbol, style) = theme.state(state);
    let (over, all) = (count(&RunState::is_final), tab.runs.len());
    let mut spans = vec![Span::styled(format!(" {symbol} "), style), Span::raw(format!("{over} of {all} runs "))];
    let mut words = Vec::new();
    if state == RunState::Paused {
        words.push("paused".to_owned());
    } else if let Some(seconds) = seconds_left(tab) {
        words.push(format!("{} left", duration(seconds)));
    }
    let failed = count(&|state| matches!(state, RunState::Failed | RunState::Diverged | RunState::Lost));
    words.extend((failed > 0).then(|| format!("{failed} failed")));
    let used: usize = spans.iter().map(Span::width).sum();
    let words = words.join("  ");
    let leader = leader(tab).map_or_else(String::new, |(run, number)| {
        let room = width.saturating_sub(used + text::width(&words) + text::width(&number) + 22);
        format!("  best {} {number}", text::fit(&tab.labels()[run], room))
    });
    let bar = width.saturating_sub(used + text::width(&words) + text::width(&leader) + 2).min(60);
    let done = tab.runs.iter().map(share).sum::<f64>() / all as f64;
    spans.extend(drawn_bar(done, bar, style, theme));
    spans.push(Span::styled(format!(" {words}"), theme.dim()));
    spans.push(Span::styled(leader, theme.good()));
    Line::from(spans)
}

fn progress_line(run: &ScreenRun, label: &str, theme: &Theme, width: usize) -> Line<'static> {
    let (symbol, style) = theme.state(run.view.state);
    let label = text::fit(label, (width / 4).max(8));
    let mut spans = vec![Span::styled(format!(" {symbol} "), style), Span::raw(format!("{label} "))];
    let Some(progress) = &run.view.progress else {
        let words = if run.view.state == RunState::Paused { "paused" } else { "starting" };
        spans.push(Span::styled(words, theme.dim()));
        return Line::from(spans);
    };
    let share = share(run);
    let mut words = vec![format!("{:3.0} %", (share * 100.0).floor())];
    if run.view.state == RunState::Paused {
        words.push("paused".to_owned());
    } else if let Some(left) = progress.remaining_seconds().filter(|_| progress.done < progress.total) {
        words.push(format!("{} left", duration(left)));
    }
    let rate = (progress.rate > 0.0).then(|| format!("{} {}/s", text::count(progress.rate), progress.unit));
    words.extend(rate);
    if !progress.stage.is_empty() {
        words.push(progress.stage.clone());
    }
    let used = text::width(&label) + 5;
    while words.len() > 2 && used + 12 + words.iter().map(|word| text::width(word) + 2).sum::<usize>() > width {
        words.pop();
    }
    let words = words.join("  ");
    let bar = width.saturating_sub(used + text::width(&words) + 2).min(60);
    spans.extend(drawn_bar(share, bar, style, theme));
    spans.push(Span::styled(format!(" {words}"), theme.dim()));
    Line::from(spans)
}
