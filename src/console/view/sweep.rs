//! The dialog before a sweep.

use super::frame::popup;
use crate::console::app::{App, PlannedSweep, Planning, PointState, SweepDialog};
use crate::console::keymap::{Action, Place};
use crate::console::theme::Theme;
use crate::console::widget::text;
use crate::lab::slurm::SlurmOptions;
use crate::lab::{Estimate, RunState, SweepMode, duration};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// The most swept parameters that are listed. Of further ones the number is shown.
const AXES: usize = 5;

/// What stands in the dialog while the points are looked up.
const LOOKING_UP: &str = "looking up which points are finished…";

/// Draws the dialog.
pub fn draw(frame: &mut Frame<'_>, app: &App, area: Rect, dialog: &SweepDialog) {
    let theme = app.theme();
    let title = format!("Sweep: {}", dialog.sweep.problem.title());
    let width = area.width.saturating_sub(8).min(84);
    if let Some(skip) = dialog.list {
        let points = dialog.planned().map_or(1, |planned| planned.points.len());
        let height = u16::try_from(points).unwrap_or(u16::MAX).saturating_add(2);
        let inner = popup(frame, theme, area, (width, height), &title);
        return draw_points(frame, theme, dialog, inner, skip);
    }
    let mut lines = sweep(app, dialog, width.into());
    lines.push(Line::raw(""));
    lines.extend(target(app, dialog, width));
    let tail = tail(app, dialog, width.into());
    let whole = lines.len() + tail.len();
    // On a small screen blank lines are left out first.
    let room = usize::from(area.height).saturating_sub(2);
    if whole > room {
        let mut over = whole - room;
        lines.retain(|line| {
            let goes = over > 0 && line.width() == 0;
            over -= usize::from(goes);
            !goes
        });
    }
    lines.extend(tail);
    let inner = popup(frame, theme, area, (width, lines.len() as u16), &title);
    for (row, line) in lines.into_iter().take(inner.height.into()).enumerate() {
        frame.render_widget(line, Rect { y: inner.y + row as u16, height: 1, ..inner });
    }
}

/// What the sweep stands for and what of it is to run.
fn sweep(app: &App, dialog: &SweepDialog, width: usize) -> Vec<Line<'static>> {
    let theme = app.theme();
    let axes = dialog.axes();
    let zip = dialog.sweep.mode == SweepMode::Zip;
    let factors: Vec<String> = axes.iter().map(|axis| axis.count.to_string()).collect();
    let points = dialog.size.as_ref().and_then(|size| size.points);
    let mut words = points.map_or_else(|| "the points".to_owned(), |points| format!("{points} points"));
    if axes.len() > 1 && !zip {
        words += &format!(": {}", factors.join(" × "));
    }
    if dialog.sweep.repeats > 1 {
        words += &format!(", {} seeds each", dialog.sweep.repeats);
    }
    let mut lines = vec![Line::styled(words, theme.title())];
    let label = axes.iter().map(|axis| axis.label.chars().count()).max().unwrap_or(0).min(22);
    for axis in axes.iter().take(AXES) {
        let count = format!("{} values", axis.count);
        let room = width.saturating_sub(label + count.len() + 6);
        lines.push(Line::from(vec![
            Span::styled(format!("  {:label$}  ", text::fit(axis.label, label)), theme.dim()),
            Span::raw(format!("{:room$} ", text::fit(&axis.text, room))),
            Span::styled(count, theme.dim()),
        ]));
    }
    if axes.len() > AXES {
        lines.push(Line::styled(format!("  and {} more", axes.len() - AXES), theme.dim()));
    }
    if axes.len() > 1 {
        let how =
            if zip { "side by side: first with first, second with second" } else { "every value with every other" };
        lines.push(choice(
            app,
            "  together",
            how,
            Action::Grid,
            if zip { "takes a grid" } else { "takes them side by side" },
        ));
    }
    lines.push(Line::raw(""));
    match &dialog.planning {
        Planning::Working => lines.push(Line::styled(LOOKING_UP, theme.dim())),
        Planning::Refused(reason) => {
            lines.extend(
                text::wrap(&format!("✘ {reason}"), width).into_iter().map(|line| Line::styled(line, theme.bad())),
            );
        }
        Planning::Done(planned) => lines.extend(to_run(app, dialog, planned)),
    }
    lines
}

fn to_run(app: &App, dialog: &SweepDialog, planned: &PlannedSweep) -> Vec<Line<'static>> {
    let theme = app.theme();
    let count = planned.to_run(dialog.again);
    let words: Vec<Span<'static>> =
        [PointState::Finished, PointState::Underway, PointState::Unfinished, PointState::New]
            .into_iter()
            .filter(|state| planned.count(*state) > 0)
            .flat_map(|state| {
                let (symbol, style) = mark(theme, state);
                let what = match state {
                    PointState::Finished => "finished",
                    PointState::Underway => "under way",
                    PointState::Unfinished => "ended early",
                    PointState::New => "new",
                };
                [Span::styled(format!("  {symbol} "), style), Span::raw(format!("{} {what}", planned.count(state)))]
            })
            .collect();
    let (what, other) = match dialog.again {
        true => ("all of them, finished ones too", "takes only what is missing"),
        false => ("what is missing", "takes finished ones too"),
    };
    let estimate = if dialog.again { &planned.all } else { &planned.missing };
    // The form says what all of them take.
    let rest = match planned.all.seconds.filter(|all| Some(*all) != estimate.seconds) {
        Some(all) => format!(" (all of them: {})", duration(all)),
        None => String::new(),
    };
    vec![
        Line::from(words),
        choice(app, &format!("  runs     {count}"), what, Action::Again, other),
        Line::from(vec![
            Span::styled("  time     ", theme.dim()),
            Span::raw(cost(estimate, dialog.on_cluster) + &rest),
        ]),
    ]
}

fn cost(estimate: &Estimate, on_cluster: bool) -> String {
    let seconds = match estimate.seconds {
        Some(seconds) if on_cluster => format!("about {} on a machine like this", duration(seconds)),
        Some(seconds) => format!("about {} here", duration(seconds)),
        None => "unknown".to_owned(),
    };
    match estimate.bytes.filter(|bytes| *bytes > 100_000_000) {
        Some(bytes) => format!("{seconds}, up to {} of memory", text::bytes(bytes)),
        None => seconds,
    }
}

/// A choice in words, with the key that changes it.
fn choice(app: &App, label: &str, words: &str, action: Action, change: &str) -> Line<'static> {
    let theme = app.theme();
    let key = app.keymap().key(Place::Sweep, action);
    Line::from(vec![
        Span::styled(format!("{label}  "), theme.dim().patch(theme.title())),
        Span::raw(words.to_owned()),
        Span::styled(format!("   {key} "), theme.accent()),
        Span::styled(change.to_owned(), theme.dim()),
    ])
}

fn mark(theme: &Theme, state: PointState) -> (char, Style) {
    theme.state(match state {
        PointState::Finished => RunState::Finished,
        PointState::Underway => RunState::Running,
        PointState::Unfinished => RunState::Stopped,
        PointState::New => RunState::Queued,
    })
}

/// Where it runs, and what Slurm is asked for.
fn target(app: &App, dialog: &SweepDialog, width: u16) -> Vec<Line<'static>> {
    let theme = app.theme();
    let (here, other) =
        if dialog.on_cluster { ("on a Slurm cluster", "runs it here") } else { ("here", "takes a Slurm cluster") };
    let mut lines = vec![choice(app, "  where  ", here, Action::Target, other)];
    if !dialog.on_cluster || !app.has_cluster() {
        return lines;
    }
    for (index, field) in SlurmOptions::ALL.iter().enumerate() {
        let chosen = index == dialog.field;
        let mut spans = vec![
            Span::styled(if chosen { "  ▸ " } else { "    " }, theme.accent()),
            Span::styled(format!("{:14} ", field.label), theme.dim()),
        ];
        match dialog.input.as_ref().filter(|_| chosen) {
            Some(input) => {
                let room = usize::from(width).saturating_sub(19);
                spans.extend(text::typed(input, room, theme));
            }
            None => match dialog.options.text(field.key) {
                text if text.is_empty() => spans.push(Span::styled("–", theme.faint())),
                text => spans.push(Span::raw(text)),
            },
        }
        lines.push(Line::from(spans));
    }
    lines
}

/// What is wrong, or what the chosen field means.
fn tail(app: &App, dialog: &SweepDialog, width: usize) -> Vec<Line<'static>> {
    let theme = app.theme();
    let wrapped = |words: &str, style: Style| {
        text::wrap(words, width).into_iter().map(|line| Line::styled(line, style)).collect::<Vec<_>>()
    };
    let mut lines = vec![Line::styled("─".repeat(width), theme.faint())];
    if let Some(error) = &dialog.error {
        lines.extend(wrapped(error, theme.bad()));
    } else if app.is_submitting() {
        lines.extend(wrapped("handing it to Slurm…", theme.warn()));
    } else if dialog.on_cluster && !app.has_cluster() {
        let words = "There is no `sbatch` in the path: no Slurm here. One command a point, for any other queue:";
        lines.extend(wrapped(words, theme.warn()));
        lines.extend(wrapped(&format!("{} --commands", dialog.sweep.command("sweep")), Style::new()));
    } else if dialog.on_cluster {
        lines.extend(wrapped(SlurmOptions::ALL[dialog.field].help, theme.dim()));
    } else {
        return Vec::new();
    }
    lines
}

/// The list of points.
fn draw_points(frame: &mut Frame<'_>, theme: &Theme, dialog: &SweepDialog, area: Rect, skip: usize) {
    let planned = match &dialog.planning {
        Planning::Working => return frame.render_widget(Line::styled(LOOKING_UP, theme.dim()), area),
        Planning::Refused(reason) => {
            let lines = text::wrap(&format!("✘ {reason}"), area.width.into());
            return frame.render_widget(Paragraph::new(lines.join("\n")).style(theme.bad()), area);
        }
        Planning::Done(planned) => planned,
    };
    let rows = usize::from(area.height.saturating_sub(1));
    let skip = skip.min(planned.points.len().saturating_sub(rows));
    let digits = planned.points.len().to_string().len();
    for (row, (index, (label, state))) in planned.points.iter().enumerate().skip(skip).take(rows).enumerate() {
        let (symbol, style) = mark(theme, *state);
        let room = usize::from(area.width).saturating_sub(digits + 5);
        let line = Line::from(vec![
            Span::styled(format!("{:digits$} ", index + 1), theme.dim()),
            Span::styled(format!(" {symbol} "), style),
            Span::raw(text::fit(label, room)),
        ]);
        frame.render_widget(line, Rect { y: area.y + row as u16, height: 1, ..area });
    }
    let last = (skip + rows).min(planned.points.len());
    let words = format!("{} to {last} of {}", (skip + 1).min(last), planned.points.len());
    frame.render_widget(
        Line::styled(words, theme.dim()),
        Rect { y: area.bottom().saturating_sub(1), height: 1, ..area },
    );
}
